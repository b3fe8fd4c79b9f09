"""The audit log: every change writes one event in its own transaction, with what its things were before and are after.

A service says in a line which things it is about to touch; they are looked at then and once more at the end, and what
differs is kept. How many statements that takes does not depend on how many things there are.
"""

from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Text, bindparam, func, insert, select
from sqlalchemy.ext.compiler import compiles

from app import ids
from app.auth import Viewer
from app.db import Database, Transaction, pieces
from app.origin import ORIGIN
from app.services import snapshots
from app.services.entities import AUDITED
from app.services.entries import (
    AT_ONCE,
    MAX_CHANGE,
    Entries,
    Entry,
    fitting,
    opened_shot,
    opened_sides,
    opened_tie,
    packed_shot,
    packed_sides,
    packed_tie,
)
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
    "step",
    "tells",
    "ties",
    "touches",
]

LARGE = frozenset({"createUsers", "deleteGroup", "deleteOrg", "deleteUser", "grantAccessBatch"})
"""Changes that may reach many things."""

Tied = dict[tuple[int, int], Tie | bytes]
"""Ties by their ends."""


@dataclass(slots=True)
class _Notes:
    """What was noted of a change so far. Things that it made have no shot before."""

    actor: int | None
    action: str
    before: dict[Thing, Shot | bytes | None] = field(default_factory=dict)
    ties: dict[Asked, Tied] = field(default_factory=dict)
    told: dict[Thing, Entry] = field(default_factory=dict)

    def made(self, thing: Thing) -> bool:
        """Whether this change made it."""
        return thing in self.before and self.before[thing] is None


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
    keys = list(keys)
    are_many = len(keys) > AT_ONCE
    async for some in pieces(keys, AT_ONCE):
        if new := [key for key in some if (kind, key) not in notes.before]:
            found = await AUDITED[kind](tx, new)
            for key in new:
                shot = found.get(key)
                notes.before[kind, key] = packed_shot(shot) if are_many and shot is not None else shot


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
    notes.ties[asked] = {} if is_new else await _ties(tx, asked)


def tells(
    tx: Transaction, kind: str, key: int, after: Values, before: Values | None = None, *, name: str | None = None
) -> None:
    """Tell of a thing what no look at it shows: that its password changed, and never the password."""
    notes: _Notes | None = tx.notes
    if notes is not None:
        entry = notes.told.setdefault((kind, key), Entry(name, {}, {}))
        assert entry.before is not None
        assert entry.after is not None
        entry.before.update(before or {})
        entry.after.update(after)


async def _once() -> AsyncIterator[Sequence[int]]:
    """One question for all."""
    yield ()


async def _ties(tx: Transaction, asked: Asked) -> Tied:
    """Ties as they are now; many are kept as bytes."""
    found: Tied = {}
    async for some in pieces(sorted(asked.of or ()), AT_ONCE) if asked.of else _once():
        rows = await snapshots.ties(tx, replace(asked, of=frozenset(some)) if some else asked)
        async for part in pieces(rows, AT_ONCE):
            read = {(row[0], row[1]): asked.ties.read(row) for row in part}
            found.update(read if len(rows) <= AT_ONCE else {ends: packed_tie(tie) for ends, tie in read.items()})
    return found


async def _record(tx: Transaction, notes: _Notes, at: datetime) -> None:
    """Write the event as the last act of the change: on PostgreSQL its number is taken here."""
    origin, shot = ORIGIN.get(), opened_shot(notes.before.get((USER, notes.actor or 0)))
    entries = await _entries(tx, notes)
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
    async for some in entries.taken():
        await tx.put(AuditChange, [_row(at, event, thing, entry) for thing, entry in some])


def _row(at: datetime, event: int, thing: Thing, entry: Entry) -> Values:
    return {
        "event_id": event,
        "at": at,
        "kind": thing[0],
        "key": thing[1],
        "subject": ids.encode(*thing),
        "name": entry.name,
        "before": fitting(entry.before),
        "after": fitting(entry.after),
    }


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


async def _entries(tx: Transaction, notes: _Notes) -> Entries:
    """What became of everything that was noted."""
    found = await _things(tx, notes)
    for asked, before in notes.ties.items():
        after = await _ties(tx, asked)
        for ends_of in (before, after):
            async for some in pieces([*ends_of], AT_ONCE):
                for ends in some:
                    tied = before.pop(ends, None), after.pop(ends, None)
                    found.tie(asked, ends, *map(opened_tie, tied))
                found.pack()
    for thing, told in notes.told.items():
        entry = found.at(thing, told.name)
        for values, more in ((entry.before, told.before), (entry.after, told.after)):
            if values is not None:
                values.update(more or {})
    await _name(tx, {thing: found.at(thing, None) for thing in notes.told})
    return found


async def _name(tx: Transaction, entries: dict[Thing, Entry]) -> None:
    """Find out what those things are called that were only told of."""
    unnamed = {thing: entry for thing, entry in entries.items() if entry.name is None}
    for kind in {kind for kind, _ in unnamed}:
        names = await AUDITED[kind].names(tx, [key for of, key in unnamed if of == kind])
        for key, name in names.items():
            unnamed[kind, key].name = name


async def _things(tx: Transaction, notes: _Notes) -> Entries:
    found, moved = Entries(), list[tuple[Thing, bytes, bytes]]()
    for kind in dict.fromkeys(kind for kind, _ in notes.before):
        async for some in pieces([key for of, key in notes.before if of == kind], AT_ONCE):
            afters = await AUDITED[kind](tx, some)
            for key in some:
                before, after = opened_shot(notes.before.pop((kind, key))), afters.get(key)
                found.compare((kind, key), before, after)
                was, now = (frozenset[Side]() if shot is None else shot.places for shot in (before, after))
                if was != now:
                    moved.append(((kind, key), packed_sides(was - now), packed_sides(now - was)))
            found.pack()
    async for part in pieces(moved, AT_ONCE):
        for thing, gone, come in part:
            found.move(thing, opened_sides(gone), opened_sides(come))
        found.pack()
    return found
