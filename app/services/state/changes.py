"""The changes of a plan, and what both sides of it need to know about items."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import orjson

from app.db.tables import casefold_key
from app.domain.json_values import is_same_json
from app.domain.viewer import ADMIN, DEACTIVATED
from app.services.state.model import Doc, Fault, Item, Key, Kind, Location, State
from app.services.users import DEFAULT_ROLES

NEEDED = {Kind.ORG: ("name",), Kind.GROUP: ("displayName",), Kind.RESOURCE: ("type", "name")}
"""Values that the document must give for new objects."""

NAMES = frozenset({"userName", "slug", "org"})
"""Values that find an object. Of a role and a type `name` does."""

BUILT_IN = frozenset({ADMIN, DEACTIVATED, *DEFAULT_ROLES})
"""Keys of the roles that are never removed."""


@dataclass(frozen=True, slots=True)
class Change:
    """One item before and after: None for an item that does not exist. `fields` are the values that differ."""

    item: Item
    before: Doc | None
    after: Doc | None
    fields: tuple[str, ...] = ()

    @property
    def kind(self) -> Kind:
        """Return the kind of the item."""
        return self.item.kind

    @property
    def key(self) -> Key:
        """Return the key of the item."""
        return self.item.key


@dataclass(slots=True)
class Plan:
    """All changes, the faults of the document, and the numbers of objects that only the registry has."""

    current: State
    now: datetime
    changes: list[Change] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    left: Counter[Kind] = field(default_factory=Counter)
    final: dict[tuple[Kind, Key], Doc] = field(default_factory=dict)

    def changes_of(self, *kinds: Kind) -> list[Change]:
        """Return the changes of some kinds."""
        return [change for change in self.changes if change.kind in kinds]

    def sides(self, change: Change) -> tuple[Doc | None, Doc | None]:
        """Return what is in force before and after a change: None for a membership or a grant that has ended."""
        before, after = (
            None if each is None or has_ended(each, self.now) else each for each in (change.before, change.after)
        )
        return before, after


def has_ended(values: Doc, now: datetime) -> bool:
    """Return whether a membership or a grant has ended; other items never end."""
    end = values.get("expiresAt")
    return end is not None and end <= now


def is_equal(name: str, before: Any, after: Any) -> bool:
    """Compare two values of a field: names by their keys, metadata as JSON, in which 1 is 1.0 and not true."""
    if name == "metadata":
        try:
            return is_same_json(before, after) or _has_equal_numbers(before, after)
        except orjson.JSONEncodeError:
            return False  # too deep, or a number too big: the checks of a change say which
    if name == "roles" and isinstance(after, list):
        return {*map(casefold_key, before)} == {*map(casefold_key, after)}
    if name in NAMES or name in {"owner", "user", "group"}:
        return (before and casefold_key(before)) == (after and casefold_key(after))
    return bool(before == after)


def _has_equal_numbers(before: Any, after: Any) -> bool:
    """Compare two values of JSON, numbers by value: a browser writes 1.0 as 1."""
    if isinstance(before, dict) and isinstance(after, dict):
        return before.keys() == after.keys() and all(
            _has_equal_numbers(each, after[key]) for key, each in before.items()
        )
    if isinstance(before, list) and isinstance(after, list):
        return len(before) == len(after) and all(map(_has_equal_numbers, before, after))
    return isinstance(before, bool) == isinstance(after, bool) and bool(before == after)


_NOUNS = {
    Kind.RESOURCE_TYPE: "resource type",
    Kind.ORG_MEMBER: "member of an org",
    Kind.GROUP_MEMBER: "member of a group",
}


def noun(kind: Kind) -> str:
    """Return the word for a kind of items."""
    return _NOUNS.get(kind, kind.value)


def fault_at(message: str, item: Item, *parts: str | int) -> Fault:
    """Return a fault at a part of an item."""
    location = Location(item.path, item.line, item.file)
    for part in parts:
        location = location.at(int(part) if str(part).isdigit() else part)
    return Fault(message, location)
