"""Entries of many access configurations: setting and removing them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import delete, select, update

from app import policy
from app.db import Transaction
from app.db.tables import Grant, Resource, col
from app.domain import resource_roles
from app.domain.errors import Conflict, InvalidInput, NotFound, Problem
from app.domain.refs import RowRef
from app.domain.resource_roles import SubjectType
from app.domain.viewer import Viewer
from app.query.relations import among, integers
from app.services import access, access_index, audit, bulk, validation
from app.services.access import GrantEntry
from app.services.bulk import BulkForm, Label, OnConflict, OnMissing, Result, Status
from app.services.bulk.resource_rows import load_resources
from app.services.resources import ResourceForUpdate

Grants = Sequence[tuple[RowRef, GrantEntry]]
"""Resources, each with the entry of one subject."""


@dataclass(frozen=True, slots=True)
class _Entry:
    """An entry with its resource, None for one that the viewer may not see."""

    row: ResourceForUpdate | None
    grant: GrantEntry

    @property
    def key(self) -> tuple[int, int] | None:
        """Return the ids of resource and subject, None if one of them is missing."""
        return None if self.row is None or self.grant.subject < 0 else (self.row.id, self.grant.subject)


@dataclass(frozen=True, slots=True)
class _Stored:
    id: int
    resource: int
    mask: int
    expires_at: datetime | None


async def _resolve(tx: Transaction, viewer: Viewer, grants: Grants) -> list[_Entry]:
    """Return the entries with their resources and subjects; raise Forbidden unless the viewer administers them all."""
    rows, _ = await load_resources(tx, viewer, [ref for ref, _ in grants], "administer")
    for row in rows:
        if row is not None:
            policy.require_role(row.mask, resource_roles.ADMIN, "ADMIN")
    resolved = await access.resolve_subjects(tx, viewer, [entry for _, entry in grants])
    return [_Entry(row, entry) for row, entry in zip(rows, resolved, strict=True)]


async def _load_stored(tx: Transaction, entries: Sequence[_Entry]) -> dict[tuple[int, int], _Stored]:
    """Return the stored entries of the same resources and subjects."""
    keys = [entry.key for entry in entries if entry.key is not None]
    statement = select(
        col(Grant.resource_id), col(Grant.subject), col(Grant.id), col(Grant.mask), col(Grant.expires_at)
    ).where(
        among(col(Grant.resource_id), integers({resource for resource, _ in keys})),
        among(col(Grant.subject), integers({subject for _, subject in keys})),
    )
    return {
        (resource, subject): _Stored(key, resource, mask, end)
        for resource, subject, key, mask, end in await tx.rows(statement)
    }


def _resource_not_found() -> Problem:
    return NotFound("There is no such resource.", ("resource",))


class _Form(BulkForm[_Entry, _Stored]):
    field = "grants"
    duplicate: ClassVar[type[Problem]] = InvalidInput

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx
        self._stored: dict[tuple[int, int], _Stored] = {}

    async def load(self, entries: Sequence[_Entry]) -> Sequence[_Stored | None]:
        """Return the stored entries, those that have ended as none."""
        self._stored = await _load_stored(self._tx, entries)
        return [self._current(entry) for entry in entries]

    def _current(self, entry: _Entry) -> _Stored | None:
        stored = None if entry.key is None else self._stored.get(entry.key)
        has_ended = stored is not None and stored.expires_at is not None and stored.expires_at <= self._tx.now
        return None if has_ended else stored

    def labels(self, entry: _Entry, old: _Stored | None) -> Iterator[Label]:
        """Yield the resource and the subject."""
        if entry.key is not None:
            yield Label(entry.grant.path, "This subject", entry.key)

    def problems(self, entry: _Entry) -> Iterator[Problem]:
        """Yield the problems of an entry."""
        if entry.row is None:
            yield _resource_not_found()
            return
        yield from access.entry_problems(self._tx, entry.row, entry.grant)
        stored = None if entry.key is None else self._stored.get(entry.key)
        before = (0, None) if stored is None else (stored.mask, stored.expires_at)
        yield from access.duration_problems(self._tx, entry.row, entry.grant, *before)

    def conflicts(self, entry: _Entry, old: _Stored) -> Iterator[Problem]:
        """Yield the problem of a subject that has an entry."""
        yield Conflict("This subject has an entry already.", entry.grant.path)

    def compare(self, entry: _Entry, old: _Stored) -> _Stored | None:
        """Return the stored entry if the new one differs. An entry is one value: its roles with their end."""
        validation.raise_problems([*self.problems(entry)])
        is_same = (entry.grant.mask, entry.grant.expires_at) == (old.mask, old.expires_at)
        return None if is_same else old

    def key(self, entry: _Entry, old: _Stored) -> int | None:
        """Return the id of the resource."""
        return old.resource

    async def create(self, entries: Sequence[_Entry]) -> Sequence[int]:
        """Insert entries, in place of those that have ended."""
        await self._write(entries)
        return [entry.row.id for entry in entries if entry.row is not None]

    async def update(self, changes: Sequence[tuple[_Entry, _Stored, Any]]) -> None:
        """Replace entries."""
        await self._write([entry for entry, _, _ in changes])

    async def _write(self, entries: Sequence[_Entry]) -> None:
        keys = [entry.key for entry in entries if entry.key is not None]
        replaced = [self._stored[key].id for key in keys if key in self._stored]
        rows = [access.grant_row(entry.key[0], entry.grant) for entry in entries if entry.key is not None]
        await _replace(self._tx, keys, replaced, rows)


async def _replace(
    tx: Transaction, keys: Sequence[tuple[int, int]], removed: Sequence[int], rows: Sequence[dict[str, Any]]
) -> None:
    """Delete and insert entries, increment the revisions of their resources and refresh the access index."""
    resources = {resource for resource, _ in keys}
    await audit.track_links(tx, audit.GRANTS, of=resources, to={subject for _, subject in keys})
    await tx.rows(delete(Grant).where(among(col(Grant.id), integers(removed))))
    await tx.insert(Grant, rows)
    of_these = among(col(Resource.id), integers(resources))
    await tx.rows(update(Resource).where(of_these).values(revision=col(Resource.revision) + 1))
    await access_index.refresh(tx, resources)


async def grant_access_batch(
    tx: Transaction, viewer: Viewer, grants: Grants, on_conflict: OnConflict = OnConflict.UPDATE
) -> list[Result]:
    """Set the entries of subjects; needs ADMIN on the resources. Return the results with the ids of the resources."""
    policy.require_signed_in(viewer)
    bulk.require_number("grants", len(grants))
    return await bulk.save(tx, _Form(tx), await _resolve(tx, viewer, grants), on_conflict)


async def revoke_access_batch(tx: Transaction, viewer: Viewer, grants: Grants, on_missing: OnMissing) -> list[Result]:
    """Remove the entries of subjects; needs ADMIN on the resources.

    The entry of all signed-in users stays, with no roles: it is unchanged if it has none. Return the results with the
    ids of the resources.
    """
    policy.require_signed_in(viewer)
    bulk.require_number("entries", len(grants))
    entries = await _resolve(tx, viewer, [(ref, replace(entry, mask=0, expires_at=None)) for ref, entry in grants])
    stored = await _load_stored(tx, entries)
    problems = [
        problem.under("entries", at)
        for at, entry in enumerate(entries)
        for problem in (access.entry_problems(tx, entry.row, entry.grant) if entry.row is not None else ())
        if not isinstance(problem, NotFound)
    ]
    keys = [None if entry.key is None or entry.key not in stored else stored[entry.key].id for entry in entries]
    seen = bulk.select_removals(tx, "entries", keys, on_missing, lambda at: _missing(entries[at]), "subject", problems)
    results = [_revoke_result(entry, stored, result.status) for entry, result in zip(entries, seen, strict=True)]
    removed = [entry for entry, result in zip(entries, results, strict=True) if result.status is Status.REMOVED]
    if not removed:
        audit.discard(tx)
        return results
    pairs = [entry.key for entry in removed if entry.key is not None]
    emptied = [
        access.grant_row(entry.row.id, entry.grant)
        for entry in removed
        if entry.row is not None and entry.grant.kind is SubjectType.GENERAL
    ]
    await _replace(tx, pairs, [stored[pair].id for pair in pairs], emptied)
    return results


def _missing(entry: _Entry) -> Problem:
    """Return the problem of an entry that is not stored."""
    if entry.row is None:
        return _resource_not_found()
    return access.subject_not_found(entry.grant) if entry.grant.subject < 0 else access.no_entry(entry.grant.path)


def _revoke_result(entry: _Entry, stored: dict[tuple[int, int], _Stored], status: Status) -> Result:
    key = None if entry.row is None else entry.row.id
    old = None if entry.key is None else stored.get(entry.key)
    if entry.grant.kind is SubjectType.GENERAL and old is not None and not old.mask and old.expires_at is None:
        return Result(key, Status.UNCHANGED)
    return Result(key, status)
