"""The objects of a document, their fields, and the items that are compared.

An item is the smallest object that is added, changed or removed: a user, a membership, a grant, a lock. Its key
consists of normalized natural keys, so that items of a document and of the registry are compared in memory.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from functools import reduce
from typing import Any, NamedTuple

from app.domain import resource_roles
from app.domain.resource_roles import MemberLevel
from app.domain.viewer import Permission
from app.services import validation

Doc = dict[str, Any]
"""An object of a document, as JSON values."""

VERSION = 1

SECTIONS = {
    "resourceTypes": "resourceType",
    "roles": "role",
    "users": "user",
    "orgs": "org",
    "groups": "group",
    "resources": "resource",
}
"""The sections of a document, in their order, with the kind of their objects."""

KINDS = frozenset(SECTIONS.values())
GENERAL, ANYONE = "general", "anyone"


class Kind(StrEnum):
    """The kinds of items, in the order in which they are written."""

    RESOURCE_TYPE = "resourceType"
    ROLE = "role"
    USER = "user"
    ORG = "org"
    ORG_MEMBER = "orgMember"
    GROUP = "group"
    GROUP_MEMBER = "groupMember"
    RESOURCE = "resource"
    GRANT = "grant"
    LOCK = "lock"


Key = tuple[str, ...]


@dataclass(slots=True)
class Item:
    """An object with the values that are given. `is_absent` declares that it does not exist.

    `path`, `line` and `file` say where the document has it, `file` in a folder alone; an item of the registry has none.
    """

    kind: Kind
    key: Key
    values: Doc
    path: str = ""
    line: int | None = None
    file: str = ""
    is_absent: bool = False


@dataclass(slots=True)
class State:
    """All items of a document or of the registry.

    `complete` has what a document lists completely: kinds with the key of their parent, "" for all. Only these are
    pruned.
    """

    items: dict[tuple[Kind, Key], Item] = field(default_factory=dict)
    complete: set[tuple[Kind, str]] = field(default_factory=set)

    def items_of(self, kind: Kind) -> Iterator[Item]:
        """Yield the items of a kind."""
        return (item for (each, _), item in self.items.items() if each is kind)


class Location(NamedTuple):
    """The place of a value in a document: `resources[12].grants`, the number of its line, and its file in a folder."""

    path: str
    line: int | None = None
    file: str = ""

    def at(self, part: str | int, value: Any = None) -> "Location":
        """Return the place of a part of this value."""
        path = f"{self.path}[{part}]" if isinstance(part, int) else f"{self.path}.{part}" if self.path else part
        return Location(path, getattr(value, "line", None) or self.line, self.file)


@dataclass(frozen=True, slots=True)
class Fault:
    """One reason why a document is refused, with its place."""

    message: str
    location: Location

    def __str__(self) -> str:
        line = "" if self.location.line is None else f"line {self.location.line}: "
        return f"{line}{self.location.path}: {self.message}" if self.location.path else f"{line}{self.message}"


class Invalid(ValueError):
    """A value of a document has a wrong form. `part` is the path inside the value."""

    def __init__(self, message: str, part: str = "") -> None:
        super().__init__(message)
        self.part = part


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise Invalid("This must be a text. Write it in quotes.")
    if "\0" in value:
        raise Invalid("This must not contain NUL.")
    return value


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise Invalid("This must be true or false.")
    return value


def _number(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise Invalid("This must be a whole number.")
    return value


def _object(value: Any) -> Doc:
    if not isinstance(value, dict):
        raise Invalid("This must be an object.")
    return value


def _texts(value: Any) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise Invalid("This must be a list of texts.")
    return value


def _instant(value: Any) -> datetime:
    try:
        moment = datetime.fromisoformat(_text(value))
        if moment.tzinfo is not None:
            return moment.astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    raise Invalid('This must be a time with its zone, such as "2027-01-31T12:00:00Z".')


def _choice(names: Sequence[str]) -> Callable[[Any], str]:
    def read(value: Any) -> str:
        if value not in names:
            raise Invalid(f"This must be one of {', '.join(names)}.")
        return str(value)

    return read


def _flags(bits: Mapping[str, int]) -> Callable[[Any], int]:
    """Return a function that reads a list of names as the sum of their bits."""

    def read(value: Any) -> int:
        for at, name in enumerate(_texts(value)):
            if name not in bits:
                raise Invalid(f"There is no `{name}`. This must be one of {', '.join(bits)}.", f"[{at}]")
        return reduce(lambda mask, name: mask | bits[name], value, 0)

    return read


ROLE_BITS = {name: bit for bit, name in resource_roles.NAMES.items()}
PERMISSION_BITS = {str(each.name): each.value for each in Permission if each.value}
_LEVELS = [level.name for level in MemberLevel]


class Field(NamedTuple):
    """The function that reads a value, and whether the value is required and can be null."""

    read: Callable[[Any], Any]
    is_required: bool = False
    can_be_null: bool = False


_NAME, _OPTIONAL = Field(_text, is_required=True), Field(_text, can_be_null=True)
_END = Field(_instant, can_be_null=True)
_GRANT = {"roles": Field(_flags(ROLE_BITS), is_required=True), "expiresAt": _END}

FIELDS: dict[str, dict[str, Field]] = {
    "resourceType": {"name": _NAME, "hasData": Field(_flag)},
    "role": {"name": _NAME, "description": Field(_text), "permissions": Field(_flags(PERMISSION_BITS))},
    "user": {
        "userName": _NAME,
        "displayName": _OPTIONAL,
        "email": _OPTIONAL,
        "isServiceAccount": Field(_flag),
        "roles": Field(_texts),
        "metadata": Field(_object),
        "passwordHash": Field(_text),
    },
    "org": {
        "slug": _NAME,
        "name": Field(_text),
        "description": Field(_text),
        "isPublic": Field(_flag),
        "owner": _OPTIONAL,
        "quotaBytes": Field(_number, can_be_null=True),
        "members": Field(list),
    },
    "orgMember": {"user": _NAME, "level": Field(_choice(_LEVELS), is_required=True), "expiresAt": _END},
    "group": {
        "slug": _NAME,
        "displayName": Field(_text),
        "description": Field(_text),
        "membersSeenBy": Field(_choice(("MEMBERS", "SIGNED_IN"))),
        "members": Field(list),
    },
    "groupMember": {"user": _NAME, "isManager": Field(_flag), "expiresAt": _END},
    "resource": {
        "org": _NAME,
        "slug": _NAME,
        "type": Field(_text),
        "name": Field(_text),
        "description": Field(_text),
        "owner": _OPTIONAL,
        "metadata": Field(_object),
        "lock": Field(_object, can_be_null=True),
        "grants": Field(_object),
    },
    "lock": {"reason": _NAME},
    "grants": {
        "general": Field(_object),
        "anyone": Field(_object, can_be_null=True),
        "groups": Field(list),
        "users": Field(list),
    },
    "grant": _GRANT,
    "groupGrant": {"group": _NAME, **_GRANT},
    "userGrant": {"user": _NAME, **_GRANT},
}
"""The fields of each object of a document."""

FIELDS |= {f"{kind}MemberRow": {kind: _NAME, **FIELDS[f"{kind}Member"]} for kind in ("org", "group")}


class Reader:
    """Turns objects into items of a state, and collects what is wrong with them."""

    def __init__(self) -> None:
        self.state, self.faults = State(), list[Fault]()
        self.file = ""

    def add_section(self, section: str, objects: Any, line: int | None = None) -> None:
        """Add the objects of a section, which lists its kind completely."""
        kind, location = SECTIONS[section], Location(section, line)
        self.state.complete.add((Kind(kind), ""))
        for at, value in enumerate(self._list(objects, location)):
            self.add(kind, value, location.at(at, value))

    def add(self, kind: str, value: Any, location: Location) -> None:
        """Add one object with its parts."""
        self.state.complete.add((Kind(kind), ""))
        values = self._values(kind, value, location)
        if values is None:
            return
        match kind:
            case "user":
                self._add(Kind.USER, (_key(values["userName"]),), values, location)
            case "org" | "group":
                self._add_with_members(kind, values, location)
            case "resource":
                self._add_resource(values, location)
            case _:
                self._add(Kind(kind), (_key(values["name"]),), values, location)

    def _add(self, kind: Kind, key: Key, values: Doc, location: Location, *, is_absent: bool = False) -> None:
        if (kind, key) in self.state.items:
            first = self.state.items[kind, key]
            place = f"{first.file}, line {first.line}: {first.path}" if first.file else first.path
            self.faults.append(Fault(f"This is listed already, at {place}. Remove one of them.", location))
            return
        self.state.items[kind, key] = Item(kind, key, values, *location[:2], self.file, is_absent=is_absent)

    def _add_with_members(self, kind: str, values: Doc, location: Location) -> None:
        members, parent = values.pop("members", None), _key(values["slug"])
        self._add(Kind(kind), (parent,), values, location)
        of_members = Kind.ORG_MEMBER if kind == "org" else Kind.GROUP_MEMBER
        if members is not None:
            self.state.complete.add((of_members, parent))
            for at, value in enumerate(members):
                self._add_link(of_members, of_members, "user", parent, value, location.at("members").at(at, value))

    def _add_link(self, kind: Kind, shape: str, by: str, parent: str, value: Any, location: Location) -> None:
        """Add a membership or a grant; `by` is the field that names its user or group."""
        if (values := self._values(shape, value, location)) is not None:
            defaults = {"isManager": False} if kind is Kind.GROUP_MEMBER else {}
            self._add_valid_link(kind, by, parent, {"expiresAt": None, **defaults, **values}, location)

    def add_member(self, kind: str, value: Any, location: Location) -> None:
        """Add a membership that names its own org or group, which then has all its members; `kind` is theirs.

        Values that are not given stay as they are.
        """
        of_members = Kind(f"{kind}Member")
        if (values := self._values(f"{of_members}Row", value, location)) is not None:
            parent = _key(values.pop(kind))
            self.state.complete.add((of_members, parent))
            self._add_valid_link(of_members, "user", parent, values, location)

    def _add_valid_link(self, kind: Kind, by: str, parent: str, values: Doc, location: Location) -> None:
        name = values[by]
        key = _key(name) if kind is not Kind.GRANT else f"{by}:{_key(name)}"
        self._add(kind, (parent, key), values, location)

    def _add_resource(self, values: Doc, location: Location) -> None:
        path = f"{_key(values['org'])}/{_key(values['slug'])}"
        grants, has_lock, lock = values.pop("grants", None), "lock" in values, values.pop("lock", None)
        self._add(Kind.RESOURCE, (path,), values, location)
        if has_lock:
            at = location.at("lock", lock)
            reason = {} if lock is None else self._values("lock", lock, at)
            if reason is not None:
                self._add(Kind.LOCK, (path,), reason, at, is_absent=lock is None)
        if grants is not None:
            self._add_grants(path, grants, location.at("grants", grants))

    def _add_grants(self, path: str, grants: Doc, location: Location) -> None:
        parts = self._values("grants", grants, location) or {}
        self.state.complete.add((Kind.GRANT, path))
        for name in (GENERAL, ANYONE):
            if (value := parts.get(name)) is not None:
                at = location.at(name, value)
                if (values := self._values("grant", value, at)) is not None:
                    self._add(Kind.GRANT, (path, name), {"expiresAt": None, **values}, at)
        for name, shape, by in (("groups", "groupGrant", "group"), ("users", "userGrant", "user")):
            for number, value in enumerate(parts.get(name) or ()):
                self._add_link(Kind.GRANT, shape, by, path, value, location.at(name).at(number, value))

    def _list(self, value: Any, location: Location) -> list[Any]:
        if isinstance(value, list):
            return value
        self.faults.append(Fault("This must be a list.", location))
        return []

    def _values(self, shape: str, value: Any, location: Location) -> Doc | None:
        """Return the values of an object by the names of its fields, None if it is invalid."""
        fields, count = FIELDS[shape], len(self.faults)
        if not isinstance(value, dict):
            self.faults.append(Fault("This must be an object.", location))
            return None
        values: Doc = {}
        for name, each in value.items():
            if (declared := fields.get(name)) is None:
                names = ", ".join(fields)
                self.faults.append(Fault(f"There is no field `{name}`. The fields are {names}.", location))
            else:
                self._read_field(name, declared, each, values, location)
        for name, declared in fields.items():
            if declared.is_required and name not in value:
                self.faults.append(Fault(f"`{name}` is missing.", location))
        return values if len(self.faults) == count else None

    def _read_field(self, name: str, declared: Field, value: Any, values: Doc, location: Location) -> None:
        at = location.at(name, value)
        if value is None and declared.can_be_null:
            values[name] = None
        elif declared.read is list:
            values[name] = self._list(value, at)
        else:
            try:
                values[name] = declared.read(value)
            except Invalid as error:
                self.faults.append(Fault(str(error), at._replace(path=at.path + error.part)))


def _key(text: str) -> str:
    return validation.normalize_key(text)
