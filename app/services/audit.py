"""The audit log: every change writes one event in its own transaction, with what its things were before and are after.

A service says in a line which things it is about to touch; they are looked at then and once more at the end, and what
differs is kept. How many statements that takes does not depend on how many things there are.
"""

from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import ColumnElement, Text, bindparam, func, insert, select
from sqlalchemy.ext.compiler import compiles

from app import ids
from app.auth import Viewer
from app.db import Database, Transaction
from app.origin import ORIGIN
from app.services import snapshots
from app.services.snapshots import (
    API_TOKEN,
    GRANTS,
    GROUP,
    GROUP_MEMBERS,
    ORG,
    ORG_MEMBERS,
    RESOURCE,
    RESOURCE_TYPE,
    ROLE,
    USER,
    Asked,
    Shot,
    Side,
    Thing,
    Tie,
    Ties,
    Values,
    stamp,
)
from app.tables import AuditChange, AuditEvent, Instant, Key, RowId, User, col, folded
from app.telemetry import facts

__all__ = [
    "API_TOKEN",
    "GRANTS",
    "GROUP",
    "GROUP_MEMBERS",
    "MAX_CHANGE",
    "ORG",
    "ORG_MEMBERS",
    "RESOURCE",
    "RESOURCE_TYPE",
    "ROLE",
    "USER",
    "acts",
    "change",
    "discard",
    "makes",
    "stamp",
    "step",
    "tells",
    "ties",
    "touches",
]

LARGE = frozenset({"createUsers", "deleteGroup", "deleteOrg", "deleteUser", "grantAccessBatch"})
"""Changes that may reach many things."""

MAX_CHANGE = 32_768
"""How many bytes are kept of what a thing was before, and of what it is after."""


@dataclass(slots=True)
class _Notes:
    """What was noted of a change so far. Things that it made have no shot before."""

    actor: int | None
    action: str
    before: dict[Thing, Shot | None] = field(default_factory=dict)
    ties: dict[Asked, dict[tuple[int, int], Tie]] = field(default_factory=dict)
    told: dict[Thing, "_Entry"] = field(default_factory=dict)

    def made(self, thing: Thing) -> bool:
        """Whether this change made it."""
        return thing in self.before and self.before[thing] is None


@dataclass(slots=True)
class _Entry:
    """What is kept of one thing: before is None when it was made, after when it was deleted."""

    name: str | None
    before: Values | None
    after: Values | None

    def tie(self, side: Side, was: Any, now: Any) -> None:
        """Tell what it has to do with another thing, under the name of that one."""
        for values, value in ((self.before, was), (self.after, now)):
            if values is not None:
                here = values.setdefault(side.word, {})
                here.update({} if value is None else {side.name: value})


@asynccontextmanager
async def change(database: Database, viewer: Viewer, action: str, *, dry: bool = False) -> AsyncIterator[Transaction]:
    """Open the transaction of a change, which writes its event before it ends; a `dry` one is undone and writes none.

    `action` is the name of the mutation that makes this change.
    """
    async with database.write(dry=dry, is_large=action in LARGE) as tx:
        if not dry:
            tx.notes = _Notes(viewer.user_id or None, action)
        yield tx
        if tx.notes is not None:
            await _record(tx, tx.notes, database.clock())
    if tx.notes is not None:
        facts.current().note_commit()


@asynccontextmanager
async def step(tx: Transaction, viewer: Viewer, action: str) -> AsyncIterator[None]:
    """A change with an event of its own, one of many in a transaction."""
    around, tx.notes = tx.notes, _Notes(viewer.user_id or None, action)
    yield
    if tx.notes is not None:
        await _record(tx, tx.notes, tx.now)
    tx.notes = around


def acts(tx: Transaction, user_id: int | None, action: str | None = None) -> None:
    """Say who it is that makes the change, and which one it is, where that shows only on the way."""
    notes: _Notes | None = tx.notes
    if notes is not None:
        notes.actor, notes.action = user_id, action or notes.action


def discard(tx: Transaction) -> None:
    """Say that nothing is changed after all, and nobody told so: there is no event."""
    tx.notes = None


def makes(tx: Transaction, kind: str, keys: Iterable[int]) -> None:
    """Note things that were just made."""
    notes: _Notes | None = tx.notes
    if notes is not None:
        notes.before.update(dict.fromkeys((kind, key) for key in keys))


async def touches(tx: Transaction, kind: str, keys: Iterable[int]) -> None:
    """Note things that are about to be changed or deleted; they are held already, so that nobody else changes them."""
    notes: _Notes | None = tx.notes
    if notes is None:
        return
    if new := [key for key in keys if (kind, key) not in notes.before]:
        found = await snapshots.shots(tx, kind, new)
        notes.before.update({(kind, key): found.get(key) for key in new})


async def ties(
    tx: Transaction, kind: Ties, *, of: Iterable[int] | None = None, to: Iterable[int] | None = None
) -> None:
    """Note that ties are about to come and go: those `of` some things `to` some others; None for all at that end."""
    notes: _Notes | None = tx.notes
    if notes is None:
        return
    asked = Asked(kind, None if of is None else frozenset(of), None if to is None else frozenset(to))
    if any(known.covers(asked) for known in notes.ties):
        return
    is_new = asked.of is not None and all(notes.made((kind.kind, key)) for key in asked.of)
    notes.ties[asked] = {} if is_new else await snapshots.ties(tx, asked)


def tells(
    tx: Transaction, kind: str, key: int, after: Values, before: Values | None = None, *, name: str | None = None
) -> None:
    """Tell of a thing what no look at it shows: that its password changed, and never the password."""
    notes: _Notes | None = tx.notes
    if notes is not None:
        entry = notes.told.setdefault((kind, key), _Entry(name, {}, {}))
        assert entry.before is not None
        assert entry.after is not None
        entry.before.update(before or {})
        entry.after.update(after)


async def _record(tx: Transaction, notes: _Notes, at: datetime) -> None:
    """Write the event as the last act of the change: on PostgreSQL its number is taken here."""
    entries = await _entries(tx, notes)
    origin, shot = ORIGIN.get(), notes.before.get((USER, notes.actor or 0))
    row = await tx.row(
        _EVENT,
        new_at=at,
        new_actor=notes.actor,
        new_name=shot and shot.name,
        new_key=shot and folded(shot.name),
        new_face=origin.face,
        new_address=origin.address,
        new_request=origin.request_id,
        new_action=notes.action,
    )
    assert row is not None
    event, tx.xid = row
    rows = [_row(at, event, thing, entry) for thing, entry in entries.items() if entry.name is not None]
    await tx.put(AuditChange, rows)


def _row(at: datetime, event: int, thing: Thing, entry: _Entry) -> Values:
    return {
        "event_id": event,
        "at": at,
        "kind": thing[0],
        "key": thing[1],
        "subject": ids.encode(*thing),
        "name": entry.name,
        "before": _fitting(entry.before),
        "after": _fitting(entry.after),
    }


def _fitting(values: Values | None) -> Values | None:
    """As much as is kept, the smallest first, and a word that there was more."""
    if values is None or len(orjson.dumps(values)) <= MAX_CHANGE:
        return values
    sizes = {word: len(orjson.dumps(value)) for word, value in values.items()}
    left, kept = MAX_CHANGE, {"truncated": True}
    for word in sorted(sizes, key=sizes.__getitem__):
        left -= sizes[word] + len(word)
        if left > 0:
            kept[word] = values[word]
    return kept


def _of_the_actor(column: Any, otherwise: ColumnElement[Any]) -> ColumnElement[Any]:
    """What her row says; she may have deleted herself."""
    said = select(col(column)).where(col(User.id) == bindparam("new_actor", type_=RowId())).scalar_subquery()
    made: ColumnElement[Any] = func.coalesce(said, otherwise)
    return made


class _Xid(ColumnElement[str]):
    """By what the server tells later what became of the transaction; null where nobody needs to ask."""

    inherit_cache = True
    type = Text()


@compiles(_Xid, "sqlite")
def _no_xid(element: Any, compiler: Any, **options: Any) -> str:
    return "NULL"


@compiles(_Xid, "postgresql")
def _own_xid(element: Any, compiler: Any, **options: Any) -> str:
    return "pg_current_xact_id()::text"


_EVENT = (
    insert(AuditEvent)
    .values(
        at=bindparam("new_at", type_=Instant()),
        actor_id=bindparam("new_actor", type_=RowId()),
        actor_name=_of_the_actor(User.user_name, bindparam("new_name", type_=Text())),
        actor_key=_of_the_actor(User.user_key, bindparam("new_key", type_=Key())),
        face=bindparam("new_face", type_=Key()),
        address=bindparam("new_address", type_=Text()),
        request_id=bindparam("new_request", type_=Text()),
        action=bindparam("new_action", type_=Key()),
    )
    .returning(col(AuditEvent.id), _Xid())
)


async def _entries(tx: Transaction, notes: _Notes) -> dict[Thing, _Entry]:
    """What became of everything that was noted."""
    found = await _things(tx, notes)
    for asked, before in notes.ties.items():
        after = await snapshots.ties(tx, asked)
        for ends in {**before, **after}:
            _tie(found, asked, ends, before.get(ends), after.get(ends))
    for thing, told in notes.told.items():
        entry = found.setdefault(thing, _Entry(told.name, {}, {}))
        for values, more in ((entry.before, told.before), (entry.after, told.after)):
            if values is not None:
                values.update(more or {})
    for kind in {kind for (kind, _), entry in found.items() if entry.name is None}:
        unnamed = {key: entry for (of, key), entry in found.items() if of == kind and entry.name is None}
        for key, name in (await snapshots.names(tx, kind, unnamed)).items():
            unnamed[key].name = name
    return found


async def _things(tx: Transaction, notes: _Notes) -> dict[Thing, _Entry]:
    found: dict[Thing, _Entry] = {}
    moved: list[tuple[Thing, Shot | None, Shot | None]] = []
    for kind in dict.fromkeys(kind for kind, _ in notes.before):
        befores = {key: shot for (of, key), shot in notes.before.items() if of == kind}
        afters = await snapshots.shots(tx, kind, befores)
        for key, before in befores.items():
            after = afters.get(key)
            if before is not None or after is not None:
                found[kind, key] = _compared(before, after)
                moved.append(((kind, key), before, after))
    for thing, before, after in moved:
        for side, was, now in _moves(thing, before, after):
            _at(found, side).tie(side, was, now)
    return found


def _compared(before: Shot | None, after: Shot | None) -> _Entry:
    """What differs; all there is of what was made or deleted."""
    if before is None or after is None:
        shot = before or after
        assert shot is not None
        return _Entry(shot.name, None if before is None else before.holds, None if after is None else after.holds)
    words = [word for word, value in before.holds.items() if not _is_same(value, after.holds[word])]
    return _Entry(after.name, {word: before.holds[word] for word in words}, {word: after.holds[word] for word in words})


def _is_same(was: Any, now: Any) -> bool:
    """To Python 1 is true and 1.0; in JSON they are not the same."""
    if was is now or type(was) is type(now) is str:
        return bool(was == now)
    return orjson.dumps(was, option=orjson.OPT_SORT_KEYS) == orjson.dumps(now, option=orjson.OPT_SORT_KEYS)


def _moves(thing: Thing, before: Shot | None, after: Shot | None) -> Iterator[tuple[Side, str | None, str | None]]:
    """What came to an org or an owner, or left one, shows there too."""
    was, now = (frozenset[Side]() if shot is None else shot.places for shot in (before, after))
    if was == now:
        return
    node = ids.encode(*thing)
    for side in was - now:
        yield side, node, None
    for side in now - was:
        yield side, None, node


def _tie(found: dict[Thing, _Entry], asked: Asked, ends: tuple[int, int], was: Tie | None, now: Tie | None) -> None:
    """Tell a tie that differs at both its ends; one that does not, makes them known where they were asked for."""
    tie = now or was
    assert tie is not None
    values = [None if each is None else each.holds for each in (was, now)]
    for side, key, keys in zip(tie.sides, ends, (asked.of, asked.to), strict=False):
        if values[0] != values[1]:
            _at(found, side).tie(side, *values)
        elif keys is not None and key in keys:
            _at(found, side)


def _at(found: dict[Thing, _Entry], side: Side) -> _Entry:
    return found.setdefault(side.thing, _Entry(side.called, {}, {}))
