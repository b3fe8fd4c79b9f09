"""The timeline of the demo world, its orgs and groups, and their members."""

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
from app.services.bulk import members as bulk_members
from app.services.demo import names as words

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)

Step = partial[Any]
"""A service call without its transaction."""

Joining = tuple[str, datetime | None]
"""The user who joins a group, and when the membership ends."""


@dataclass
class Story:
    """The dated steps of the demo world, and the viewers that run them."""

    today: datetime
    random: Random
    steps: list[tuple[datetime, Step]] = field(default_factory=list)
    viewers: dict[str, Viewer] = field(default_factory=dict)

    def schedule(self, at: datetime, step: Step) -> None:
        """Add a step at a moment, or at the end of the story if the moment is later."""
        self.steps.append((min(at, self.today), step))

    def ago(self, days: float) -> datetime:
        """Return the moment so many days before the end."""
        return self.today - days * DAY


def action_name(step: Step) -> str:
    """Return the name of the mutation that corresponds to a step's service."""
    first, *rest = str(getattr(step.func, "__name__", "")).split("_")
    return first + "".join(map(str.capitalize, rest))


def user_name(name: str) -> str:
    """Return the first name in letters that a user name may have: `Inés Kovač` signs in as `ines`."""
    first_name = unicodedata.normalize("NFKD", name.split(maxsplit=1)[0].lower())
    return "".join(letter for letter in first_name if letter.isascii() and letter.isalpha())


def user_ref(name: str) -> RowRef:
    """Return the reference of a user by the full name."""
    return "user_name", user_name(name)


def email_address(name: str) -> str:
    plain = unicodedata.normalize("NFKD", name.lower()).encode("ascii", "ignore").decode()
    return f"{plain.replace(' ', '.')}@example.org"


LEVELS = (MemberLevel.ADMIN, MemberLevel.READ_WRITE, MemberLevel.READ_WRITE_DELETE, MemberLevel.READ_ONLY)
"""Levels of the members of each org, after its owner."""

GUESTS = (
    (1, 2, MemberLevel.READ_ONLY, 6),
    (2, 4, MemberLevel.READ_WRITE, 45),
    (3, 3, MemberLevel.READ_ONLY, None),
    (4, 1, MemberLevel.ADMIN, -30),
)
"""For each guest: offset of the home org, index of the user in it, level here, and days until the membership ends."""


def schedule_orgs(story: Story) -> None:
    for at, (org, names) in enumerate(zip(words.ORGS, words.PEOPLE, strict=True)):
        owner, start = story.viewers[names[0]], story.ago(715 - at)
        new = orgs.OrgCreate(org.slug, org.name, org.description, org.is_public)
        story.schedule(start, partial(orgs.create_org, viewer=owner, new=new))
        members: list[tuple[str, MemberLevel, datetime | None]] = []
        members += [(name, level, None) for name, level in zip(names[1:], LEVELS, strict=True)]
        members += [(_neighbour(at, skip, who), level, _in_days(story, days)) for skip, who, level, days in GUESTS]
        for number, (name, level, expires_at) in enumerate(members, 1):
            add_member = partial(orgs.add_org_member, viewer=owner, org=("slug", org.slug), user=user_ref(name))
            story.schedule(start + number * HOUR, partial(add_member, membership=orgs.Membership(level, expires_at)))


def _neighbour(org: int, offset: int, index: int) -> str:
    return words.PEOPLE[(org + offset) % len(words.PEOPLE)][index]


def _in_days(story: Story, days: int | None) -> datetime | None:
    return None if days is None else story.ago(-days)


def editors_slug(at: int) -> str:
    """Return the slug of the group of an org's editors."""
    return f"{words.ORGS[at].slug}-editors"


def schedule_groups(story: Story) -> None:
    """Schedule a group of editors for each org, with members of other orgs, and groups with a member of each org."""
    for at, (org, names) in enumerate(zip(words.ORGS, words.PEOPLE, strict=True)):
        texts = editors_slug(at), f"Editors of the {org.name}", f"They write at the {org.name}."
        members: list[Joining] = [(names[0], None), (names[2], None), (names[3], None), (_neighbour(at, 1, 3), None)]
        members.append((_neighbour(at, 5, 4), story.ago(-12)))
        _schedule_group(story, story.ago(700 - at), texts, members)
    ends = (None, story.ago(-30), story.ago(-90), story.ago(200))
    for at, texts in enumerate(words.GROUPS):
        members = [(names[(number + at) % 5], ends[(number + at) % 4]) for number, names in enumerate(words.PEOPLE)]
        _schedule_group(story, story.ago(680 - at), texts, members)


def _schedule_group(story: Story, at: datetime, texts: tuple[str, str, str], members: Sequence[Joining]) -> None:
    """Schedule a group that the steward creates, with the first unlimited member as its manager."""
    steward, group = story.viewers[words.STEWARD], ("slug", texts[0])
    create = partial(groups.create_group, viewer=steward, new=groups.GroupCreate(*texts))
    new_members = [bulk_members.MemberEntry(user_ref(name), expires_at) for name, expires_at in members]
    manager = next(name for name, expires_at in members if expires_at is None)
    story.schedule(at, create)
    story.schedule(at + HOUR, partial(bulk_members.add_group_members, viewer=steward, group=group, entries=new_members))
    managing = groups.MemberUpdate(is_manager=True)
    appoint = partial(groups.update_group_member, viewer=steward, group=group, user=user_ref(manager), changes=managing)
    story.schedule(at + 2 * HOUR, appoint)
