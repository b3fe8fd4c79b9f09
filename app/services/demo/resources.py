"""What is kept in the demo world: resources that chance makes up, their access, and their locks."""

import re
import unicodedata
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from random import Random
from typing import Any

from app.domain import resource_roles
from app.domain.refs import RowRef
from app.domain.resource_roles import SubjectType
from app.services import access, locks, resources
from app.services.access import GrantEntry
from app.services.demo import names as words
from app.services.demo.story import DAY, HOUR, Story, editors_of, named


@dataclass(frozen=True, slots=True)
class DemoResource:
    """A resource of the story before it is made: in which manner people get access, how often its lock changed."""

    org: int
    type: str
    slug: str
    name: str
    description: str
    metadata: dict[str, Any]
    maker: str
    born: datetime
    manner: str
    lock_changes: int

    @property
    def ref(self) -> RowRef:
        """How it is named."""
        return "path", f"{words.ORGS[self.org].slug}/{self.slug}"

    @property
    def full(self) -> int:
        """Every role that its type has."""
        return resource_roles.ALL if self.type == "DATASET" else resource_roles.NON_DATA


CORRECTED = 0.2
LOCKED = 0.08
"""How many of the resources, by chance, were corrected once, and were locked at some time."""

MANNERS = {"open": 48, "anyone": 10, "editors": 16, "partners": 8, "team": 10, "hidden": 4, "visitor": 4}
"""Who gets which access, and how often of a hundred; see `_entries`."""


def random_resources(story: Story) -> list[DemoResource]:
    return [
        _random_resource(story, at, kind, number, used)
        for at in range(len(words.ORGS))
        for used in [set[str]()]
        for kind, many in words.KINDS.items()
        for number in range(many)
    ]


def _random_resource(story: Story, at: int, kind: str, number: int, used: set[str]) -> DemoResource:
    """A resource that chance makes up; its slug is none of those used in its org."""
    chance, home = story.chance, words.PEOPLE[at]
    while True:
        said = _description(chance, words.ORGS[at])
        name = _title(chance, at, kind, number).format(**said)
        slug = _slug(name)
        if slug not in used:
            break
    used.add(slug)
    born = story.ago(3 + chance.random() * 670)
    manner = chance.choices(list(MANNERS), list(MANNERS.values()))[0]
    lock_changes = chance.randrange(1, 6) if chance.random() < LOCKED and born < story.ago(200) else 0
    description, metadata = words.DESCRIPTIONS[kind].format(**said), _metadata(chance, kind, said)
    return DemoResource(
        at, kind, slug, name, description, metadata, home[chance.randrange(4)], born, manner, lock_changes
    )


def _title(chance: Random, at: int, kind: str, number: int) -> str:
    if kind == "PERSON":
        return words.PEOPLE[at][number + 1]
    return words.ORGS[at].partners[number] if kind == "ORGANISATION" else chance.choice(words.NAMES[kind])


def _description(chance: Random, org: words.DemoOrg) -> dict[str, Any]:
    """The words that templates ask for."""
    subject = chance.choice(org.subjects)
    return {
        "subject": subject,
        "Subject": subject[0].upper() + subject[1:],
        "place": chance.choice(org.places),
        "year": chance.randrange(1998, 2026),
        "month": chance.choice(words.MONTHS),
        "version": f"{chance.randrange(1, 5)}.{chance.randrange(10)}",
        "cadence": chance.choice(words.CADENCES),
        "instrument": org.instrument,
        "number": chance.randrange(10, 100),
    }


def _slug(name: str) -> str:
    plain = unicodedata.normalize("NFKD", name.lower()).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")


def _metadata(chance: Random, kind: str, said: dict[str, Any]) -> dict[str, Any]:
    common = {"keywords": said["subject"].split(), "place": said["place"].removeprefix("the ")}
    match kind:
        case "DATASET":
            form, law = chance.choice(words.FORMATS), chance.choice(words.LICENSES)
            return common | {"since": said["year"], "format": form, "license": law, "files": chance.randrange(1, 400)}
        case "MODEL":
            return common | {"version": said["version"], "inputs": chance.randrange(2, 9)}
        case "MODEL_RUN":
            return common | {"scenario": chance.choice(words.SCENARIOS), "hours": round(chance.uniform(0.5, 30), 1)}
        case _:
            return common


def examples(story: Story) -> list[DemoResource]:
    """The configurations that the documentation shows, and two more, where a person finds them."""
    maker, metadata = words.PEOPLE[0][0], {"example": True}
    manners = (("open", 0), ("example-editors", 0), ("editors", 3), ("example-hidden", 0))
    return [
        DemoResource(0, "DATASET", slug, name, text, metadata, maker, story.ago(400 - at), manner, lock_changes)
        for at, ((slug, name, text), (manner, lock_changes)) in enumerate(zip(words.EXAMPLES, manners, strict=True))
    ]


def tell_resource(story: Story, kept: DemoResource) -> None:
    """It is made, given its access, now and then corrected, and sometimes locked."""
    chance, maker = story.chance, story.viewers[kept.maker]
    org = "slug", words.ORGS[kept.org].slug
    new = resources.ResourceCreate(org, kept.type, kept.slug, kept.name, kept.description, kept.metadata)
    story.then(kept.born, partial(resources.create_resource, viewer=maker, new=new))
    if entries := _entries(story, kept):
        submit = partial(access.submit_access, viewer=maker, resource=kept.ref, revision=1, entries=entries)
        story.then(kept.born + HOUR, submit)
    if chance.random() < CORRECTED:
        changes = resources.ResourceUpdate(metadata=kept.metadata | {"corrected": True})
        moment = kept.born + chance.uniform(1, 20) * DAY
        story.then(moment, partial(resources.update_resource, viewer=maker, resource=kept.ref, changes=changes))
    _tell_locks(story, kept)


def _tell_locks(story: Story, kept: DemoResource) -> None:
    """Locked and unlocked in turn, by its maker and by those who administer its org."""
    chance, home = story.chance, words.PEOPLE[kept.org]
    reasons = chance.sample(words.REASONS, (kept.lock_changes + 1) // 2)
    for number in range(kept.lock_changes):
        who = story.viewers[chance.choice((kept.maker, home[0], home[1]))]
        step = locks.unlock_resource if number % 2 else locks.lock_resource
        done = partial(step, viewer=who, resource=kept.ref, reason=reasons[number // 2][number % 2])
        story.then(kept.born + (25 + 30 * number + chance.random()) * DAY, done)


def _entries(story: Story, kept: DemoResource) -> list[GrantEntry]:
    """The access configuration; none leaves the one that every new resource has."""
    full, days = kept.full, story.chance.randrange(3, 60)
    default, reads, writes = resources.DEFAULT_MASK & full, resource_roles.READ & full, resource_roles.WRITE & full

    def general(mask: int) -> GrantEntry:
        return GrantEntry(SubjectType.GENERAL, mask)

    def group(slug: str, mask: int, ends: datetime | None = None) -> GrantEntry:
        return GrantEntry(SubjectType.GROUP, mask, ends, ("slug", slug))

    def user(name: str, mask: int) -> GrantEntry:
        return GrantEntry(SubjectType.USER, mask, story.ago(-days), named(name))

    editors = group(editors_of(kept.org), writes)
    some = {
        "anyone": [general(default), GrantEntry(SubjectType.ANYONE, reads)],
        "editors": [general(default), editors],
        "partners": [general(resource_roles.METADATA_READ), editors, group("partner-labs", reads, story.ago(-days))],
        "team": [general(0), editors, group("reviewers", reads), group("students", reads, kept.born + 120 * DAY)],
        "hidden": [general(0)],
        "visitor": [general(resource_roles.METADATA_READ), user(words.STRANGER, reads), user(words.AUDITOR, default)],
        "example-editors": [general(default), group(editors_of(0), writes)],
        "example-hidden": [general(0), user(words.AUDITOR, reads)],
    }
    return some.get(kept.manner, [])
