"""What happens in the demo world and when: the orgs and the groups, and who takes part."""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from random import Random
from typing import Any

from app.domain.refs import RowRef
from app.domain.resource_roles import MemberLevel
from app.domain.viewer import Viewer
from app.services import groups, orgs
from app.services.demo import names as words

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)

Step = partial[Any]
"""A service that waits for its transaction."""

Joining = tuple[str, datetime | None]
"""Who joins a group, and until when."""


@dataclass
class Story:
    """What happens when, and who takes part."""

    today: datetime
    chance: Random
    steps: list[tuple[datetime, Step]] = field(default_factory=list)
    viewers: dict[str, Viewer] = field(default_factory=dict)

    def then(self, moment: datetime, step: Step) -> None:
        """Let something happen at a moment; what is told for later happens at the end of the story."""
        self.steps.append((min(moment, self.today), step))

    def ago(self, days: float) -> datetime:
        """A moment so many days before the end."""
        return self.today - days * DAY


def action(step: Step) -> str:
    """The mutation that does the same, which is called like the service."""
    first, *rest = str(getattr(step.func, "__name__", "")).split("_")
    return first + "".join(map(str.capitalize, rest))


def user_name(name: str) -> str:
    """The given name in letters that a user name may have: `Inés Kovač` signs in as `ines`."""
    given = unicodedata.normalize("NFKD", name.split(maxsplit=1)[0].lower())
    return "".join(letter for letter in given if letter.isascii() and letter.isalpha())


def named(name: str) -> RowRef:
    """How somebody is named to a service."""
    return "user_name", user_name(name)


def address(name: str) -> str:
    plain = unicodedata.normalize("NFKD", name.lower()).encode("ascii", "ignore").decode()
    return f"{plain.replace(' ', '.')}@example.org"


LEVELS = (MemberLevel.ADMIN, MemberLevel.READ_WRITE, MemberLevel.READ_WRITE_DELETE, MemberLevel.READ_ONLY)
"""How far those at home in an org belong to it, after its owner."""

GUESTS = (
    (1, 2, MemberLevel.READ_ONLY, 6),
    (2, 4, MemberLevel.READ_WRITE, 45),
    (3, 3, MemberLevel.READ_ONLY, None),
    (4, 1, MemberLevel.ADMIN, -30),
)
"""From the org so many further on, who of its people, her level here, and in how many days that ends."""


def tell_orgs(story: Story) -> None:
    for at, (org, home) in enumerate(zip(words.ORGS, words.PEOPLE, strict=True)):
        owner, start = story.viewers[home[0]], story.ago(715 - at)
        new = orgs.OrgCreate(org.slug, org.name, org.description, org.is_public)
        story.then(start, partial(orgs.create_org, viewer=owner, new=new))
        people: list[tuple[str, MemberLevel, datetime | None]] = []
        people += [(name, level, None) for name, level in zip(home[1:], LEVELS, strict=True)]
        people += [(_further(at, further, who), level, _in(story, days)) for further, who, level, days in GUESTS]
        for number, (name, level, ends) in enumerate(people, 1):
            joins = partial(orgs.add_org_member, viewer=owner, org=("slug", org.slug), user=named(name))
            story.then(start + number * HOUR, partial(joins, membership=orgs.Membership(level, ends)))


def _further(at: int, further: int, who: int) -> str:
    return words.PEOPLE[(at + further) % len(words.PEOPLE)][who]


def _in(story: Story, days: int | None) -> datetime | None:
    return None if days is None else story.ago(-days)


def editors_of(at: int) -> str:
    """The slug of the group of an org's editors."""
    return f"{words.ORGS[at].slug}-editors"


def tell_groups(story: Story) -> None:
    """Each org has editors, one of them from elsewhere; the groups across the orgs have somebody from each."""
    for at, (org, home) in enumerate(zip(words.ORGS, words.PEOPLE, strict=True)):
        title = f"Editors of the {org.name}"
        people: list[Joining] = [(home[0], None), (home[2], None), (home[3], None), (_further(at, 1, 3), None)]
        people.append((_further(at, 5, 4), story.ago(-12)))
        _tell_group(story, story.ago(700 - at), (editors_of(at), title, f"They write at the {org.name}."), people)
    ends = (None, story.ago(-30), story.ago(-90), story.ago(200))
    for at, given in enumerate(words.GROUPS):
        people = [(home[(number + at) % 5], ends[(number + at) % 4]) for number, home in enumerate(words.PEOPLE)]
        _tell_group(story, story.ago(680 - at), given, people)


def _tell_group(story: Story, moment: datetime, given: tuple[str, str, str], people: Sequence[Joining]) -> None:
    """The steward makes a group and gives it into the hands of its first member who stays."""
    steward, group = story.viewers[words.STEWARD], ("slug", given[0])
    made = partial(groups.create_group, viewer=steward, new=groups.GroupCreate(*given))
    new = [groups.MemberCreate(named(name), ends) for name, ends in people]
    manager = next(name for name, ends in people if ends is None)
    story.then(moment, made)
    story.then(moment + HOUR, partial(groups.add_group_members, viewer=steward, group=group, new=new))
    manages = partial(groups.set_group_manager, viewer=steward, group=group, user=named(manager), is_manager=True)
    story.then(moment + 2 * HOUR, manages)
