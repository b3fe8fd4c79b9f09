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

from app.db import Database, Transaction, chunks
from app.db.tables import AuditChange, AuditEvent, KeyText, RowId, User, UTCDateTime, casefold_key, col
from app.domain import refs
from app.domain.request_origin import current_origin
from app.domain.viewer import Viewer
from app.observability import request_stats
from app.services.audit import states
from app.services.audit.entries import (
    BATCH_SIZE,
    MAX_CHANGE,
    AuditEntries,
    AuditEntry,
    fit_to_limit,
    pack_ends,
    pack_link,
    pack_state,
    unpack_ends,
    unpack_link,
    unpack_state,
)
from app.services.audit.states import (
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
    AuditLink,
    LinkEnd,
    LinkKind,
    LinkQuery,
    ObjectRef,
    ObjectState,
    Values,
)
from app.services.entities import AUDITED

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
    "discard",
    "note",
    "set_actor",
    "sub_event",
    "track",
    "track_links",
    "track_new",
    "transaction",
]

LARGE = frozenset({"createUsers", "deleteGroup", "deleteOrg", "deleteUser", "grantAccessBatch"})
"""Changes that may reach many things."""

LinkedEnds = dict[tuple[int, int], AuditLink | bytes]
"""Ties by their ends."""


@dataclass(slots=True)
class _Notes:
    """What was noted of a change so far. Things that it made have no shot before."""

    actor: int | None
    action: str
    before: dict[ObjectRef, ObjectState | bytes | None] = field(default_factory=dict)
    links: dict[LinkQuery, LinkedEnds] = field(default_factory=dict)
    notes: dict[ObjectRef, AuditEntry] = field(default_factory=dict)

    def is_new(self, thing: ObjectRef) -> bool:
        """Whether this change made it."""
        return thing in self.before and self.before[thing] is None


@asynccontextmanager
async def transaction(
    database: Database, viewer: Viewer, action: str, *, dry_run: bool = False
) -> AsyncIterator[Transaction]:
    """Open the transaction of a change, which writes its event before it ends; a `dry` one is undone and writes none.

    `action` is the name of the mutation that makes this change.
    """
    async with database.write(dry_run=dry_run, is_large=action in LARGE) as tx:
        if not dry_run:
            tx.notes = _Notes(viewer.user_id or None, action)
        yield tx
        if tx.notes is not None:
            await _record(tx, tx.notes, database.clock())
    if tx.notes is not None:
        request_stats.current_request().note_commit()


@asynccontextmanager
async def sub_event(tx: Transaction, viewer: Viewer, action: str) -> AsyncIterator[None]:
    """A change with an event of its own, one of many in a transaction."""
    around, tx.notes = tx.notes, _Notes(viewer.user_id or None, action)
    yield
    if tx.notes is not None:
        await _record(tx, tx.notes, tx.now)
    tx.notes = around


def set_actor(tx: Transaction, user_id: int | None, action: str | None = None) -> None:
    """Say who it is that makes the change, and which one it is, where that shows only on the way."""
    notes: _Notes | None = tx.notes
    if notes is not None:
        notes.actor, notes.action = user_id, action or notes.action


def discard(tx: Transaction) -> None:
    """Say that nothing is changed after all, and nobody told so: there is no event."""
    tx.notes = None


def track_new(tx: Transaction, kind: str, keys: Iterable[int]) -> None:
    """Note things that were just made."""
    notes: _Notes | None = tx.notes
    if notes is not None:
        notes.before.update(dict.fromkeys((kind, key) for key in keys))


async def track(tx: Transaction, kind: str, keys: Iterable[int]) -> None:
    """Note things that are about to be changed or deleted; they are held already, so that nobody else changes them."""
    notes: _Notes | None = tx.notes
    if notes is None:
        return
    keys = list(keys)
    are_many = len(keys) > BATCH_SIZE
    async for some in chunks(keys, BATCH_SIZE):
        if new := [key for key in some if (kind, key) not in notes.before]:
            found = await AUDITED[kind](tx, new)
            for key in new:
                shot = found.get(key)
                notes.before[kind, key] = pack_state(shot) if are_many and shot is not None else shot


async def track_links(
    tx: Transaction, kind: LinkKind, *, of: Iterable[int] | None = None, to: Iterable[int] | None = None
) -> None:
    """Note that ties are about to come and go: those `of` some things `to` some others; None for all at that end."""
    notes: _Notes | None = tx.notes
    if notes is None:
        return
    asked = LinkQuery(kind, None if of is None else frozenset(of), None if to is None else frozenset(to))
    if any(known.covers(asked) for known in notes.links):
        return
    is_new = asked.of is not None and all(notes.is_new((kind.kind, key)) for key in asked.of)
    notes.links[asked] = {} if is_new else await _ties(tx, asked)


def note(
    tx: Transaction, kind: str, key: int, after: Values, before: Values | None = None, *, name: str | None = None
) -> None:
    """Tell of a thing what no look at it shows: that its password changed, and never the password."""
    notes: _Notes | None = tx.notes
    if notes is not None:
        entry = notes.notes.setdefault((kind, key), AuditEntry(name, {}, {}))
        assert entry.before is not None
        assert entry.after is not None
        entry.before.update(before or {})
        entry.after.update(after)


async def _once() -> AsyncIterator[Sequence[int]]:
    """One question for all."""
    yield ()


async def _ties(tx: Transaction, asked: LinkQuery) -> LinkedEnds:
    """Ties as they are now; many are kept as bytes."""
    found: LinkedEnds = {}
    async for some in chunks(sorted(asked.of or ()), BATCH_SIZE) if asked.of else _once():
        rows = await states.load_links(tx, replace(asked, of=frozenset(some)) if some else asked)
        async for part in chunks(rows, BATCH_SIZE):
            read = {(row[0], row[1]): asked.ties.read(row) for row in part}
            found.update(read if len(rows) <= BATCH_SIZE else {ends: pack_link(tie) for ends, tie in read.items()})
    return found


async def _record(tx: Transaction, notes: _Notes, at: datetime) -> None:
    """Write the event as the last act of the change: on PostgreSQL its number is taken here."""
    origin, shot = current_origin.get(), unpack_state(notes.before.get((USER, notes.actor or 0)))
    entries = await _entries(tx, notes)
    row = await tx.row(
        _EVENT,
        new_at=at,
        new_actor=notes.actor,
        new_name=shot and shot.name,
        new_key=shot and casefold_key(shot.name),
        new_face=origin.api,
        new_address=origin.address,
        new_request=origin.request_id,
        new_action=notes.action,
    )
    assert row is not None
    event, tx.xid = row
    async for some in entries.pop_all():
        await tx.insert(AuditChange, [_row(at, event, thing, entry) for thing, entry in some])


def _row(at: datetime, event: int, thing: ObjectRef, entry: AuditEntry) -> Values:
    return {
        "event_id": event,
        "at": at,
        "kind": thing[0],
        "key": thing[1],
        "subject": refs.encode(*thing),
        "name": entry.name,
        "before": fit_to_limit(entry.before),
        "after": fit_to_limit(entry.after),
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
        at=bindparam("new_at", type_=UTCDateTime()),
        actor_id=bindparam("new_actor", type_=RowId()),
        actor_name=_of_the_actor(User.user_name, bindparam("new_name", type_=Text())),
        actor_key=_of_the_actor(User.user_key, bindparam("new_key", type_=KeyText())),
        face=bindparam("new_face", type_=KeyText()),
        address=bindparam("new_address", type_=Text()),
        request_id=bindparam("new_request", type_=Text()),
        action=bindparam("new_action", type_=KeyText()),
    )
    .returning(col(AuditEvent.id), _Xid())
)


async def _entries(tx: Transaction, notes: _Notes) -> AuditEntries:
    """What became of everything that was noted."""
    found = await _things(tx, notes)
    for asked, before in notes.links.items():
        after = await _ties(tx, asked)
        for ends_of in (before, after):
            async for some in chunks([*ends_of], BATCH_SIZE):
                for ends in some:
                    tied = before.pop(ends, None), after.pop(ends, None)
                    found.link(asked, ends, *map(unpack_link, tied))
                found.pack()
    for thing, told in notes.notes.items():
        entry = found.at(thing, told.name)
        for values, more in ((entry.before, told.before), (entry.after, told.after)):
            if values is not None:
                values.update(more or {})
    await _name(tx, {thing: found.at(thing, None) for thing in notes.notes})
    return found


async def _name(tx: Transaction, entries: dict[ObjectRef, AuditEntry]) -> None:
    """Find out what those things are called that were only told of."""
    unnamed = {thing: entry for thing, entry in entries.items() if entry.name is None}
    for kind in {kind for kind, _ in unnamed}:
        names = await AUDITED[kind].names(tx, [key for of, key in unnamed if of == kind])
        for key, name in names.items():
            unnamed[kind, key].name = name


async def _things(tx: Transaction, notes: _Notes) -> AuditEntries:
    found, moved = AuditEntries(), list[tuple[ObjectRef, bytes, bytes]]()
    for kind in dict.fromkeys(kind for kind, _ in notes.before):
        async for some in chunks([key for of, key in notes.before if of == kind], BATCH_SIZE):
            afters = await AUDITED[kind](tx, some)
            for key in some:
                before, after = unpack_state(notes.before.pop((kind, key))), afters.get(key)
                found.compare((kind, key), before, after)
                was, now = (frozenset[LinkEnd]() if shot is None else shot.places for shot in (before, after))
                if was != now:
                    moved.append(((kind, key), pack_ends(was - now), pack_ends(now - was)))
            found.pack()
    async for part in chunks(moved, BATCH_SIZE):
        for thing, gone, come in part:
            found.move(thing, unpack_ends(gone), unpack_ends(come))
        found.pack()
    return found
