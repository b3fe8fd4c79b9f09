"""The audit log. Every change writes one event in its own transaction, with the states of its objects before and after.

A service calls `track` for the objects that it is about to change. They are loaded then and again at the end, and the
values that differ are stored. The number of statements does not depend on the number of objects.

A change after which nothing differs is no change: it is rolled back, so that it leaves neither an event nor a new time
or revision.
"""

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from types import TracebackType

from app.db import Database, Transaction, chunks
from app.db.statements import Row
from app.db.tables import AuditChange, casefold_key
from app.domain import refs
from app.domain.request_origin import current_origin
from app.domain.viewer import Viewer
from app.observability import request_stats
from app.services import mutation_keys
from app.services.audit import revisions, states
from app.services.audit.entries import (
    BATCH_SIZE,
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
from app.services.audit.event_row import INSERT_EVENT
from app.services.audit.states import (
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

LARGE_ACTIONS = frozenset(
    {
        "addGroupMembers",
        "addOrgMembers",
        "applyState",
        "createGroups",
        "createOrgs",
        "createResources",
        "createUsers",
        "deleteGroup",
        "deleteGroups",
        "deleteOrg",
        "deleteResources",
        "deleteUser",
        "deleteUsers",
        "grantAccessBatch",
        "mergeOrgs",
        "moveResources",
        "removeGroupMembers",
        "removeOrgMembers",
        "revokeAccessBatch",
    }
)
"""Actions that may change many objects."""

_NO_ENDS = frozenset[LinkEnd]()

LinksByIds = dict[tuple[int, int], AuditLink | bytes]
"""Links by the ids at their ends."""


@dataclass(slots=True)
class _Notes:
    """The tracked objects and links of a change. An object that the change creates has no state before."""

    actor: int | None
    action: str
    before: dict[ObjectRef, ObjectState | bytes | None] = field(default_factory=dict)
    links: dict[LinkQuery, LinksByIds] = field(default_factory=dict)
    notes: dict[ObjectRef, AuditEntry] = field(default_factory=dict)
    incremented: set[ObjectRef] = field(default_factory=set)
    """Objects whose revisions were incremented together with their values."""

    def is_new(self, ref: ObjectRef) -> bool:
        """Return whether this change creates the object."""
        return ref in self.before and self.before[ref] is None


def transaction(
    database: Database,
    viewer: Viewer,
    action: str,
    *,
    dry_run: bool = False,
    if_revisions: frozenset[revisions.Revision] | None = None,
) -> AbstractAsyncContextManager[Transaction]:
    """Open the transaction of a change, and write its event before the commit. `action` is the name of the mutation.

    A dry run is rolled back and writes no event, as is a change after which nothing differs. The transaction of a
    change with an idempotency key is committed only after the block, with the outcome of the change. With
    `if_revisions`, the service that makes the change calls `revisions.require_current`.
    """
    audited = _AuditedTransaction(database, viewer, action, dry_run=dry_run, if_revisions=if_revisions)
    keyed = mutation_keys.CURRENT.get()
    return audited if keyed is None or dry_run else keyed.open(audited)


class _AuditedTransaction(AbstractAsyncContextManager[Transaction]):
    """A transaction that writes its event at its end. It is a class, which costs less than a generator."""

    def __init__(
        self,
        database: Database,
        viewer: Viewer,
        action: str,
        *,
        dry_run: bool,
        if_revisions: frozenset[revisions.Revision] | None,
    ) -> None:
        self._write = database.write(dry_run=dry_run, is_large=action in LARGE_ACTIONS)
        self._notes = None if dry_run else _Notes(viewer.user_id or None, action)
        self._database, self._action, self._if_revisions = database, action, if_revisions

    async def __aenter__(self) -> Transaction:
        self._tx = await self._write.__aenter__()
        self._tx.if_revisions, self._tx.notes = self._if_revisions, self._notes
        return self._tx

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        tx = self._tx
        if error is not None:
            await self._write.__aexit__(kind, error, trace)
            return
        try:
            await self._record_event()
        except BaseException as failure:
            await self._write.__aexit__(type(failure), failure, failure.__traceback__)
            raise
        await self._write.__aexit__(None, None, None)
        if tx.notes is not None and not tx.is_undone:
            request_stats.current_request().note_commit()

    async def _record_event(self) -> None:
        tx = self._tx
        assert tx.if_revisions is None, f"{self._action} ignores the revision that the client has read"
        if tx.notes is not None and not await _record(tx, tx.notes, self._database.clock()):
            tx.undo()


@asynccontextmanager
async def sub_event(tx: Transaction, viewer: Viewer, action: str) -> AsyncIterator[None]:
    """Write an event of its own for a part of a transaction."""
    outer, tx.notes = tx.notes, _Notes(viewer.user_id or None, action)
    yield
    if tx.notes is not None:
        await _record(tx, tx.notes, tx.now)
    tx.notes = outer


def set_actor(tx: Transaction, user_id: int | None, action: str | None = None) -> None:
    """Set the actor and the action of the event, when they are known only during the change."""
    notes: _Notes | None = tx.notes
    if notes is not None:
        notes.actor, notes.action = user_id, action or notes.action


def discard(tx: Transaction) -> None:
    """Write no event: nothing is changed."""
    tx.notes = None


def track_new(tx: Transaction, kind: str, keys: Iterable[int]) -> None:
    """Track objects that were just created."""
    notes: _Notes | None = tx.notes
    if notes is not None:
        notes.before.update(dict.fromkeys((kind, key) for key in keys))


async def track(tx: Transaction, kind: str, keys: Iterable[int]) -> None:
    """Track objects that are about to be changed or deleted. Their rows must be locked already."""
    notes: _Notes | None = tx.notes
    if notes is None:
        return
    keys = list(keys)
    if len(keys) <= BATCH_SIZE:
        await _track_batch(tx, notes, kind, keys, are_many=False)
        return
    async for batch in chunks(keys, BATCH_SIZE):
        await _track_batch(tx, notes, kind, batch, are_many=True)


def track_loaded(tx: Transaction, kind: str, loaded: Mapping[int, ObjectState]) -> None:
    """Track objects whose states a statement has just loaded together with the locks of their rows."""
    notes: _Notes | None = tx.notes
    if notes is not None:
        for key, state in loaded.items():
            notes.before.setdefault((kind, key), state)


def claim_revision(tx: Transaction, kind: str, key: int) -> str | None:
    """Return the column of the revision if the caller must increment it together with the values that it writes.

    It spares a statement: otherwise the audit log increments the revision of what differs. If the values turn out to be
    the same, the log takes the increment back.
    """
    notes: _Notes | None = tx.notes
    if notes is None or notes.is_new((kind, key)) or (kind, key) in notes.incremented:
        return None
    notes.incremented.add((kind, key))
    return revisions.column_of(kind)


async def _track_batch(tx: Transaction, notes: _Notes, kind: str, batch: Sequence[int], *, are_many: bool) -> None:
    if new := [key for key in batch if (kind, key) not in notes.before]:
        states_by_key = await AUDITED[kind](tx, new)
        for key in new:
            state = states_by_key.get(key)
            notes.before[kind, key] = pack_state(state) if are_many and state is not None else state


async def track_links(
    tx: Transaction,
    kind: LinkKind,
    *,
    source: Iterable[int] | None = None,
    target: Iterable[int] | None = None,
    are_new: bool = False,
) -> None:
    """Track links between two sets of objects that are about to be added or removed; None is all at that end.

    `are_new` says that none of these links exists, as the caller has read under the lock of their objects.
    """
    notes: _Notes | None = tx.notes
    if notes is None:
        return
    query = LinkQuery(kind, *(None if ids is None else frozenset(ids) for ids in (source, target)))
    if any(tracked.covers(query) for tracked in notes.links):
        return
    is_new = query.source is not None and all(notes.is_new((kind.entity, key)) for key in query.source)
    notes.links[query] = {} if are_new or is_new else await _load_links(tx, query)


def note(
    tx: Transaction, kind: str, key: int, after: Values, before: Values | None = None, *, name: str | None = None
) -> None:
    """Record values of an object that no state contains: that its password changed, but never the password."""
    notes: _Notes | None = tx.notes
    if notes is not None:
        entry = notes.notes.setdefault((kind, key), AuditEntry(name, {}, {}))
        assert entry.before is not None
        assert entry.after is not None
        entry.before.update(before or {})
        entry.after.update(after)


async def _load_links(tx: Transaction, query: LinkQuery) -> LinksByIds:
    """Return the current links, as bytes if they are many."""
    if query.source is None or len(query.source) <= BATCH_SIZE:
        return await _read_links(query.kind, await states.load_links(tx, query))
    links: LinksByIds = {}
    async for batch in chunks(sorted(query.source), BATCH_SIZE):
        rows = await states.load_links(tx, replace(query, source=frozenset(batch)))
        links.update(await _read_links(query.kind, rows))
    return links


async def _read_links(kind: LinkKind, rows: Sequence[Row]) -> LinksByIds:
    if len(rows) <= BATCH_SIZE:
        return {(row[0], row[1]): kind.read(row) for row in rows}
    links: LinksByIds = {}
    async for part in chunks(rows, BATCH_SIZE):
        links.update({(row[0], row[1]): pack_link(kind.read(row)) for row in part})
    return links


async def _record(tx: Transaction, notes: _Notes, at: datetime) -> bool:
    """Write the event as the last statement of the change, since PostgreSQL assigns its number here.

    Return False, and write nothing, if nothing is changed. Of writes to rows that the log does not follow nothing can
    be known, so they count as a change, unless the service has tracked something.
    """
    origin, actor = current_origin.get(), unpack_state(notes.before.get((USER, notes.actor or 0)))
    is_tracked = bool(notes.before or notes.links or notes.notes)
    entries = await _build_entries(tx, notes)
    if not entries.differ and (is_tracked or not tx.has_written):
        return False
    row = await tx.row(
        INSERT_EVENT,
        new_at=at,
        new_actor=notes.actor,
        new_name=actor and actor.name,
        new_key=actor and casefold_key(actor.name),
        new_face=origin.api,
        new_address=origin.address,
        new_request=origin.request_id,
        new_action=notes.action,
    )
    assert row is not None
    event, tx.xid = row
    async for batch in entries.pop_all():
        await tx.insert(AuditChange, [_row(at, event, ref, entry) for ref, entry in batch], is_sent=True)
    return True


def _row(at: datetime, event: int, ref: ObjectRef, entry: AuditEntry) -> Values:
    return {
        "event_id": event,
        "at": at,
        "kind": ref[0],
        "key": ref[1],
        "subject": refs.encode(*ref),
        "name": entry.name,
        "before": fit_to_limit(entry.before),
        "after": fit_to_limit(entry.after),
    }


async def _build_entries(tx: Transaction, notes: _Notes) -> AuditEntries:
    """Return the entries of all tracked objects and links, and of the noted values."""
    entries = await _compare_states(tx, notes)
    for query, before in notes.links.items():
        after = await _load_links(tx, query)
        async for batch in chunks([*before, *(ids for ids in after if ids not in before)], BATCH_SIZE):
            for ids in batch:
                entries.link(query, ids, unpack_link(before.pop(ids, None)), unpack_link(after.pop(ids, None)))
            entries.pack()
    if notes.notes:
        await _add_notes(tx, entries, notes)
    return entries


async def _add_notes(tx: Transaction, entries: AuditEntries, notes: _Notes) -> None:
    for ref, noted in notes.notes.items():
        entry = entries.at(ref, noted.name)
        entries.differ |= noted.before != noted.after
        for values, more in ((entry.before, noted.before), (entry.after, noted.after)):
            if values is not None:
                values.update(more or {})
    await _load_names(tx, {ref: entries.at(ref, None) for ref in notes.notes})


async def _load_names(tx: Transaction, entries: dict[ObjectRef, AuditEntry]) -> None:
    """Set the names of entries that have only noted values."""
    unnamed = {ref: entry for ref, entry in entries.items() if entry.name is None}
    for kind in {kind for kind, _ in unnamed}:
        names = await AUDITED[kind].names(tx, [key for entity, key in unnamed if entity == kind])
        for key, name in names.items():
            unnamed[kind, key].name = name


async def _compare_states(tx: Transaction, notes: _Notes) -> AuditEntries:
    """Return the entries of the tracked objects, and of the orgs and owners that they have left or joined.

    Increment the revisions of the objects with other values than before.
    """
    entries, moved = AuditEntries(), list[tuple[ObjectRef, bytes, bytes]]()
    for kind in dict.fromkeys(kind for kind, _ in notes.before):
        async for batch in chunks([key for entity, key in notes.before if entity == kind], BATCH_SIZE):
            afters, edited, same = await AUDITED[kind](tx, batch), list[int](), list[int]()
            for key in batch:
                before, after = unpack_state(notes.before.pop((kind, key))), afters.get(key)
                changed = entries.compare((kind, key), before, after)
                is_new = bool(changed) and revisions.is_new_revision(kind, changed)
                if is_new is not ((kind, key) in notes.incremented):
                    (edited if is_new else same).append(key)
                was = _NO_ENDS if before is None else before.parents
                now = _NO_ENDS if after is None else after.parents
                if was != now:
                    moved.append(((kind, key), pack_ends(was - now), pack_ends(now - was)))
            await revisions.add(tx, kind, edited, 1)
            await revisions.add(tx, kind, same, -1)
            entries.pack()
    if moved:
        await _move(entries, moved)
    return entries


async def _move(entries: AuditEntries, moved: Sequence[tuple[ObjectRef, bytes, bytes]]) -> None:
    """Add the orgs and owners that objects have left and joined."""
    async for part in chunks(moved, BATCH_SIZE):
        for ref, left, joined in part:
            entries.move(ref, unpack_ends(left), unpack_ends(joined))
        entries.pack()
