"""The resources of the demo world: random ones and the documentation's examples, with their access and their locks."""

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
from app.services.demo.story import DAY, HOUR, Story, editors_slug, user_ref


@dataclass(frozen=True, slots=True)
class DemoResource:
    """A resource before it is created. `manner` is the kind of its access configuration, `lock_changes` a number."""

    org: int
    type: str
    slug: str
    name: str
    description: str
    metadata: dict[str, Any]
    creator: str
    created_at: datetime
    manner: str
    lock_changes: int

    @property
    def ref(self) -> RowRef:
        """Return the reference by path."""
        return "path", f"{words.ORGS[self.org].slug}/{self.slug}"

    @property
    def full_mask(self) -> int:
        """Return the mask of all roles that its type has."""
        return resource_roles.ALL if self.type == "DATASET" else resource_roles.NON_DATA


CORRECTED_SHARE = 0.2
LOCKED_SHARE = 0.08
"""Shares of the resources whose metadata was corrected once, and that were locked at some time."""

MANNERS = {"open": 48, "anyone": 10, "editors": 16, "partners": 8, "team": 10, "hidden": 4, "visitor": 4}
"""Percentage of the resources with each kind of access configuration, see `_entries`."""


def random_resources(story: Story) -> list[DemoResource]:
    return [
        _random_resource(story, at, kind, number, used_slugs)
        for at in range(len(words.ORGS))
        for used_slugs in [set[str]()]
        for kind, number_of_kind in words.KINDS.items()
        for number in range(number_of_kind)
    ]


def _random_resource(story: Story, at: int, kind: str, number: int, used_slugs: set[str]) -> DemoResource:
    """Return a random resource, whose slug is not one of those used in its org."""
    random, names = story.random, words.PEOPLE[at]
    while True:
        phrases = _phrases(random, words.ORGS[at])
        name = _title(random, at, kind, number).format(**phrases)
        slug = _slug(name)
        if slug not in used_slugs:
            break
    used_slugs.add(slug)
    created_at = story.ago(3 + random.random() * 670)
    manner = random.choices(list(MANNERS), list(MANNERS.values()))[0]
    lock_changes = random.randrange(1, 6) if random.random() < LOCKED_SHARE and created_at < story.ago(200) else 0
    description, metadata = words.DESCRIPTIONS[kind].format(**phrases), _metadata(random, kind, phrases)
    return DemoResource(
        at, kind, slug, name, description, metadata, names[random.randrange(4)], created_at, manner, lock_changes
    )


def _title(random: Random, at: int, kind: str, number: int) -> str:
    if kind == "PERSON":
        return words.PEOPLE[at][number + 1]
    return words.ORGS[at].partners[number] if kind == "ORGANISATION" else random.choice(words.NAMES[kind])


def _phrases(random: Random, org: words.DemoOrg) -> dict[str, Any]:
    """Return the values for the placeholders of the texts."""
    subject = random.choice(org.subjects)
    return {
        "subject": subject,
        "Subject": subject[0].upper() + subject[1:],
        "place": random.choice(org.places),
        "year": random.randrange(1998, 2026),
        "month": random.choice(words.MONTHS),
        "version": f"{random.randrange(1, 5)}.{random.randrange(10)}",
        "cadence": random.choice(words.CADENCES),
        "instrument": org.instrument,
        "number": random.randrange(10, 100),
    }


def _slug(name: str) -> str:
    plain = unicodedata.normalize("NFKD", name.lower()).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")


def _metadata(random: Random, kind: str, phrases: dict[str, Any]) -> dict[str, Any]:
    common = {"keywords": phrases["subject"].split(), "place": phrases["place"].removeprefix("the ")}
    match kind:
        case "DATASET":
            common |= {"since": phrases["year"], "format": random.choice(words.FORMATS)}
            return common | {"license": random.choice(words.LICENSES), "files": random.randrange(1, 400)}
        case "MODEL":
            return common | {"version": phrases["version"], "inputs": random.randrange(2, 9)}
        case "MODEL_RUN":
            return common | {"scenario": random.choice(words.SCENARIOS), "hours": round(random.uniform(0.5, 30), 1)}
        case _:
            return common


def examples(story: Story) -> list[DemoResource]:
    """Return the resources with the configurations that the documentation shows, and two more."""
    creator, metadata = words.PEOPLE[0][0], {"example": True}
    manners = (("open", 0), ("example-editors", 0), ("editors", 3), ("example-hidden", 0))
    return [
        DemoResource(0, "DATASET", slug, name, text, metadata, creator, story.ago(400 - at), manner, lock_changes)
        for at, ((slug, name, text), (manner, lock_changes)) in enumerate(zip(words.EXAMPLES, manners, strict=True))
    ]


def schedule_resource(story: Story, resource: DemoResource) -> None:
    """Schedule the creation of a resource, its access, possibly a correction, and its locks."""
    random, creator = story.random, story.viewers[resource.creator]
    org = "slug", words.ORGS[resource.org].slug
    new = resources.ResourceCreate(
        org, resource.type, resource.slug, resource.name, resource.description, resource.metadata
    )
    story.schedule(resource.created_at, partial(resources.create_resource, viewer=creator, new=new))
    if entries := _entries(story, resource):
        submit = partial(access.submit_access, viewer=creator, resource=resource.ref, revision=1, entries=entries)
        story.schedule(resource.created_at + HOUR, submit)
    if random.random() < CORRECTED_SHARE:
        changes = resources.ResourceUpdate(metadata=resource.metadata | {"corrected": True})
        at = resource.created_at + random.uniform(1, 20) * DAY
        story.schedule(at, partial(resources.update_resource, viewer=creator, resource=resource.ref, changes=changes))
    _schedule_locks(story, resource)


def _schedule_locks(story: Story, resource: DemoResource) -> None:
    """Schedule locks and unlocks in turn, by the creator and by administrators of the org."""
    random, names = story.random, words.PEOPLE[resource.org]
    reasons = random.sample(words.REASONS, (resource.lock_changes + 1) // 2)
    for number in range(resource.lock_changes):
        viewer = story.viewers[random.choice((resource.creator, names[0], names[1]))]
        service = locks.unlock_resource if number % 2 else locks.lock_resource
        change_lock = partial(service, viewer=viewer, resource=resource.ref, reason=reasons[number // 2][number % 2])
        story.schedule(resource.created_at + (25 + 30 * number + random.random()) * DAY, change_lock)


def _entries(story: Story, resource: DemoResource) -> list[GrantEntry]:
    """Return the entries of the access configuration, nothing to keep the default one."""
    full, days = resource.full_mask, story.random.randrange(3, 60)
    default, read, write = resources.DEFAULT_MASK & full, resource_roles.READ & full, resource_roles.WRITE & full

    def general(mask: int) -> GrantEntry:
        return GrantEntry(SubjectType.GENERAL, mask)

    def group(slug: str, mask: int, expires_at: datetime | None = None) -> GrantEntry:
        return GrantEntry(SubjectType.GROUP, mask, expires_at, ("slug", slug))

    def user(name: str, mask: int) -> GrantEntry:
        return GrantEntry(SubjectType.USER, mask, story.ago(-days), user_ref(name))

    editors = group(editors_slug(resource.org), write)
    students = group("students", read, resource.created_at + 120 * DAY)
    entries = {
        "anyone": [general(default), GrantEntry(SubjectType.ANYONE, read)],
        "editors": [general(default), editors],
        "partners": [general(resource_roles.METADATA_READ), editors, group("partner-labs", read, story.ago(-days))],
        "team": [general(0), editors, group("reviewers", read), students],
        "hidden": [general(0)],
        "visitor": [general(resource_roles.METADATA_READ), user(words.STRANGER, read), user(words.AUDITOR, default)],
        "example-editors": [general(default), group(editors_slug(0), write)],
        "example-hidden": [general(0), user(words.AUDITOR, read)],
    }
    return entries.get(resource.manner, [])
