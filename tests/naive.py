"""A naive reading: the same questions answered from plain rows, by a policy of ten lines; no SQL, nothing of the house but its SDL.

Rows are dictionaries by the names of the API, with `__typename` and `key` (the row's number). What a type needs beyond that:
who knows a row of it, its private fields, its natural key, its orders, its filters, and the fields that are more than a value.
"""

import base64
import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from graphql import DocumentNode, ExecutionResult, GraphQLError, GraphQLResolveInfo, build_schema, execute_sync

from app import schema

SDL = build_schema(schema.sdl())
PERMISSIONS = (
    "USERS_VIEW",
    "USERS_MANAGE",
    "ROLES_MANAGE",
    "ORGS_CREATE",
    "ORGS_MANAGE",
    "GROUPS_MANAGE",
    "RESOURCES_MANAGE",
    "AUDIT_VIEW",
)

Row = dict[str, Any]
Rows = Mapping[str, Sequence[Row]]
Place = tuple[Any, ...]


@dataclass
class Reading:
    """One viewer's reading of a world; `seen` counts what filters, orders and cursors did to a list."""

    rows: Rows
    viewer: Row | None
    seen: Counter[str] = field(default_factory=Counter)

    def held(self, user: Row) -> list[Row]:
        return [role for role in self.rows["Role"] if role["key"] in user["roles"]]

    def permissions(self) -> list[str]:
        held = [] if self.viewer is None else self.held(self.viewer)
        return [name for name in PERMISSIONS if any(name in names(role["permissions"]) for role in held)]

    def sees_all_users(self) -> bool:
        return bool({"USERS_VIEW", "USERS_MANAGE"} & set(self.permissions()))

    def is_own(self, row: Row) -> bool:
        return self.sees_all_users() or row is self.viewer


# --- the policy

KNOWS: dict[str, Callable[[Reading, Row], bool]] = {
    "User": Reading.is_own,
    "Role": lambda reading, role: reading.viewer is not None,
}
PRIVATE: dict[tuple[str, str], Callable[[Reading, Row], bool]] = {
    ("User", "email"): Reading.is_own,
    ("User", "metadata"): Reading.is_own,
    ("User", "lastLoginAt"): Reading.is_own,
    ("User", "roles"): Reading.is_own,
    ("Role", "users"): lambda reading, role: reading.sees_all_users(),
}


def known(reading: Reading, kind: str) -> list[Row]:
    """The rows that the viewer may know of."""
    return [row for row in reading.rows[kind] if KNOWS[kind](reading, row)]


# --- what lists are ordered and filtered by: the first order is the one unless told; a list means "any of these"

NATURAL = {"User": "userName", "Role": "name"}
ORDERS: dict[str, dict[str, Callable[[Row], str]]] = {
    "User": {"user_name": lambda user: folded(user["userName"]), "created_at": lambda user: stored(user["createdAt"])},
    "Role": {"name": lambda role: folded(role["name"])},
}
MOMENTS = {"created_at"}
FILTERS: dict[str, dict[str, Callable[[Reading, Row], Any]]] = {
    "User": {
        "userName": lambda reading, user: user["userName"],
        "email": lambda reading, user: user["email"] if reading.is_own(user) else None,
        "createdAt": lambda reading, user: user["createdAt"],
        "lastLoginAt": lambda reading, user: user["lastLoginAt"] if reading.is_own(user) else None,
        "role": lambda reading, user: [role["name"] for role in reading.held(user)] if reading.is_own(user) else [],
        "isDeactivated": lambda reading, user: any(role["name"] == "deactivated" for role in reading.held(user)),
    },
}


# --- the fields that are more than a value of their row


def _own(reading: Reading, parent: Row, **_: Any) -> Any:
    return reading.viewer


def _permitted(reading: Reading, parent: Row, **_: Any) -> Any:
    return reading.permissions()


def _described(reading: Reading, parent: Row, **_: Any) -> Any:
    values: Any = SDL.type_map["Permission"]
    return [{"permission": name, "description": values.values[name].description} for name in PERMISSIONS]


def _node(reading: Reading, parent: Row, id: str) -> Any:  # noqa: A002 - the argument's name in the API
    return next((row for kind in reading.rows for row in known(reading, kind) if identity(row) == id), None)


def _nodes(reading: Reading, parent: Row, ids: Sequence[str]) -> Any:
    refuse(len(ids) > 100)
    return [_node(reading, parent, each) for each in ids]


def lookup(kind: str) -> Callable[..., Any]:
    def find(reading: Reading, parent: Row, by: Row) -> Any:
        ((way, value),) = by.items()
        rows = known(reading, kind)
        if way == "id":
            return next((row for row in rows if identity(row) == value), None)
        return next((row for row in rows if folded(row[NATURAL[kind]]) == folded(value)), None)

    return find


def listing(kind: str, below: Callable[[Row, Row], bool] = lambda parent, row: True) -> Callable[..., Any]:
    """A connection of the rows that hang on a parent."""

    def read(reading: Reading, parent: Row, **arguments: Any) -> Any:
        return page(reading, kind, [row for row in known(reading, kind) if below(parent, row)], arguments)

    return read


FIELDS: dict[tuple[str, str], Callable[..., Any]] = {
    ("Query", "viewer"): lambda reading, parent: {"__typename": "Viewer"},
    ("Query", "node"): _node,
    ("Query", "nodes"): _nodes,
    ("Query", "permissions"): _described,
    ("Query", "user"): lookup("User"),
    ("Query", "users"): listing("User"),
    ("Query", "role"): lookup("Role"),
    ("Query", "roles"): listing("Role"),
    ("Viewer", "user"): _own,
    ("Viewer", "permissions"): _permitted,
    ("User", "roles"): lambda reading, user: sorted(reading.held(user), key=lambda role: folded(role["name"])),
    ("Role", "permissions"): lambda reading, role: names(role["permissions"]),
    ("Role", "users"): listing("User", lambda role, user: role["key"] in user["roles"]),
}


def answered(
    reading: Reading, document: DocumentNode, variables: Mapping[str, Any], name: str | None = None
) -> ExecutionResult:
    """What the reading answers."""
    return execute_sync(SDL, document, None, reading, dict(variables), name, field_resolver=_resolve)


def _resolve(parent: Any, info: GraphQLResolveInfo, **arguments: Any) -> Any:
    place = info.parent_type.name, info.field_name
    if place in PRIVATE and not PRIVATE[place](info.context, parent):
        return None
    if place[1] == "id":
        return identity(parent)
    value = FIELDS[place](info.context, parent, **arguments) if place in FIELDS else parent[info.field_name]
    return shown(value) if isinstance(value, datetime) else value


# --- pages


def page(reading: Reading, kind: str, rows: Sequence[Row], arguments: Row) -> Row:
    """A connection: everything filtered, everything sorted, then cut."""
    size, backward = _size(arguments)
    order = _order(kind, arguments.get("orderBy"))
    wanted = arguments.get("filter")
    _check_filter(wanted)
    every = sorted_rows(kind, [row for row in rows if not wanted or matches(reading, row, wanted)], order)
    if wanted:
        _note_filter(reading, wanted, len(every), len(rows))
    cursor = arguments.get("before" if backward else "after")
    place = None if cursor is None else placed(kind, order, cursor)
    left = [row for row in every if place is None or _is_ahead(_place(kind, order, row), place, order) is backward]
    left = [row for row in left if _place(kind, order, row) != place]
    kept = left[-size:] if backward else left[:size]
    _note_page(reading, arguments, order, kept, every)
    return _connection(kind, order, kept, len(every), ends=(len(left) > size, cursor is not None)[:: -1 if backward else 1])


def _connection(kind: str, order: Sequence[tuple[str, bool]], kept: Sequence[Row], total: int, ends: Any) -> Row:
    edges = [{"cursor": cursor_of(order, _place(kind, order, row)), "node": row} for row in kept]
    info = {
        "hasNextPage": ends[0],
        "hasPreviousPage": ends[1],
        "startCursor": edges[0]["cursor"] if edges else None,
        "endCursor": edges[-1]["cursor"] if edges else None,
    }
    return {"edges": edges, "nodes": kept, "pageInfo": info, "totalCount": total}


def _size(arguments: Row) -> tuple[int, bool]:
    first, last, after, before = (arguments.get(name) for name in ("first", "last", "after", "before"))
    backward = last is not None
    refuse(backward and first is not None)
    refuse((after if backward else before) is not None)
    size = last if backward else 20 if first is None else first
    refuse(not 1 <= size <= 100)
    return size, backward


def _order(kind: str, given: Sequence[Row] | None) -> list[tuple[str, bool]]:
    order = [(term["field"].lower(), term["direction"] == "DESC") for term in given or ()]
    refuse(len({name for name, _ in order}) < len(order))
    return order or [(next(iter(ORDERS[kind])), False)]


def sorted_rows(kind: str, rows: Sequence[Row], order: Sequence[tuple[str, bool]]) -> list[Row]:
    """In this order, the row's number between equals in the direction of the last term."""
    made = sorted(rows, key=lambda row: row["key"], reverse=order[-1][1])
    for name, down in reversed(order):
        made.sort(key=ORDERS[kind][name], reverse=down)
    return made


def _place(kind: str, order: Sequence[tuple[str, bool]], row: Row) -> Place:
    return (*(ORDERS[kind][name](row) for name, _ in order), row["key"])


def _is_ahead(left: Place, right: Place, order: Sequence[tuple[str, bool]]) -> bool:
    downs = [down for _, down in order] + [order[-1][1]]
    return next(((a < b) is not down for a, b, down in zip(left, right, downs, strict=True) if a != b), False)


def cursor_of(order: Sequence[tuple[str, bool]], place: Place) -> str:
    """The text of a cursor: for which order it holds, and where it stands."""
    signature = ",".join(("-" if down else "") + name for name, down in order)
    text = json.dumps([signature, *place], ensure_ascii=False, separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def placed(kind: str, order: Sequence[tuple[str, bool]], cursor: str) -> Place:
    """Where a cursor stands; refused when it is not one of this order."""
    try:
        signature, *values, key = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        refuse(signature != ",".join(("-" if down else "") + name for name, down in order))
        refuse(len(values) != len(order) or type(key) is not int or not 0 <= key < 2**31)
        return (*(_sortable(name, value) for (name, _), value in zip(order, values, strict=True)), key)
    except (ValueError, TypeError):
        refuse(True)
        raise


def _sortable(name: str, value: Any) -> str:
    refuse(type(value) is not str)
    return stored(datetime.fromisoformat(value)) if name in MOMENTS else value


# --- filters, in the logic of SQL: None is neither true nor false


def matches(reading: Reading, row: Row, given: Row) -> bool | None:
    terms: list[bool | None] = []
    for name, value in given.items():
        if name in ("and", "or") and value is not None:
            each = [matches(reading, row, term) for term in value]
            terms.append(_all(each) if name == "and" else _any(each))
        elif name == "not" and value is not None:
            term = matches(reading, row, value)
            terms.append(None if term is None else not term)
        elif value is not None:
            terms += compared(FILTERS[row["__typename"]][name](reading, row), value)
    return _all(terms)


def _all(terms: Sequence[bool | None]) -> bool | None:
    return False if False in terms else None if None in terms else True


def _any(terms: Sequence[bool | None]) -> bool | None:
    return True if True in terms else None if None in terms else False


def compared(found: Any, given: Any) -> Iterable[bool | None]:
    """Each comparison; with several values each may be answered by another one."""
    if not isinstance(given, dict):
        return [None if found is None else found == given]
    asked = [(name, value) for name, value in given.items() if value is not None]
    if isinstance(found, list):
        return [_any([False, *(COMPARE[name](_plain(each), _plain(value)) for each in found)]) for name, value in asked]
    return [_one(name, _plain(found), _plain(value)) for name, value in asked]


def _one(name: str, found: Any, value: Any) -> bool | None:
    if found is None:
        return False if value == [] else None
    return COMPARE[name](found, value)


COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "eq": lambda found, value: bool(found == value),
    "in": lambda found, value: found in value,
    "startsWith": lambda found, value: found.startswith(value),
    "contains": lambda found, value: value in found,
    "gt": lambda found, value: bool(found > value),
    "gte": lambda found, value: bool(found >= value),
    "lt": lambda found, value: bool(found < value),
    "lte": lambda found, value: bool(found <= value),
}


def _plain(value: Any) -> Any:
    if isinstance(value, list):
        return [_plain(each) for each in value]
    return folded(value) if isinstance(value, str) else value


def _check_filter(given: Row | None) -> None:
    refuse(given is not None and (_depth(given) > 4 or _comparisons(given) > 50))


def _inner(given: Row) -> list[Row]:
    listed = [each for name in ("and", "or") for each in given.get(name) or ()]
    return listed + ([given["not"]] if given.get("not") is not None else [])


def _depth(given: Row) -> int:
    return 1 + max(map(_depth, _inner(given)), default=0)


def _comparisons(given: Row) -> int:
    own = [value for name, value in given.items() if name not in ("and", "or", "not") and value is not None]
    for value in own:
        texts = value.values() if isinstance(value, dict) else ()
        refuse(any(isinstance(each, list) and len(each) > 100 for each in texts))
    number = sum(sum(each is not None for each in value.values()) if isinstance(value, dict) else 1 for value in own)
    return number + sum(map(_comparisons, _inner(given)))


# --- what was seen


def _note_filter(reading: Reading, wanted: Row, kept: int, of: int) -> None:
    if 0 < kept < of:
        reading.seen.update(f"narrowed by {each}" for each in set(_words(wanted)))


def _words(given: Row) -> Iterable[str]:
    for name, value in given.items():
        if value is None:
            continue
        yield name
        for inner in value if isinstance(value, list) else [value]:
            if isinstance(inner, dict):
                yield from (_words(inner) if name in ("and", "or", "not") else inner)


def _note_page(
    reading: Reading, arguments: Row, order: Sequence[tuple[str, bool]], kept: Sequence[Row], every: Sequence[Row]
) -> None:
    if 0 < len(kept) < len(every):
        cut = {name for name in ("first", "last", "after", "before") if arguments.get(name) is not None}
        reading.seen.update(f"cut by {name}" for name in cut)
    if len(kept) > 1 and arguments.get("orderBy"):
        reading.seen.update(f"ordered by {name} {'down' if down else 'up'}" for name, down in order)
        reading.seen.update(["ordered both ways"] if len({down for _, down in order}) > 1 else [])


# --- small things


def refuse(wrong: bool) -> None:
    """What the API calls BAD_USER_INPUT."""
    if wrong:
        raise GraphQLError("Refused.", extensions={"code": "BAD_USER_INPUT"})


def names(mask: int) -> list[str]:
    return [name for at, name in enumerate(PERMISSIONS) if mask >> at & 1]


def identity(row: Row) -> str:
    return base64.urlsafe_b64encode(f"{row['__typename']}:{row['key']}".encode()).decode().rstrip("=")


def folded(text: str) -> str:
    return text.casefold()


def shown(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def stored(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="microseconds")


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


SDL.type_map["DateTime"].coerce_input_value = _moment  # type: ignore[attr-defined]  # a scalar of the SDL has no code yet
