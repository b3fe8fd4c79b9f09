"""Entries of many access configurations: setting and removing them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import select

from app import policy
from app.db import Transaction
from app.db.tables import Grant, col
from app.domain import resource_roles
from app.domain.errors import Conflict, InvalidInput, NotFound, Problem
from app.domain.refs import RowRef
from app.domain.resource_roles import SubjectType
from app.domain.viewer import Viewer
from app.query.relations import among, integers
from app.services import access, audit, bulk, grants, validation
from app.services.access import GrantEntry
from app.services.bulk import BulkForm, Label, OnConflict, OnMissing, Result, Status
from app.services.bulk.resource_rows import load_resources
from app.services.resources import ResourceForUpdate

Grants = Sequence[tuple[RowRef, GrantEntry]]
"""Resources, each with the entry of one subject."""


Key = tuple[int, int]
"""The ids of a resource and a subject."""

Stored = tuple[int, datetime | None]
"""The mask and the end of a stored entry."""


@dataclass(frozen=True, slots=True)
class _Entry:
    """An entry with its resource, None for one that the viewer may not see."""

    row: ResourceForUpdate | None
    grant: GrantEntry

    @property
    def key(self) -> Key | None:
        """Return the ids of resource and subject, None if one of them is missing."""
        return None if self.row is None or self.grant.subject < 0 else (self.row.id, self.grant.subject)

    @property
    def value(self) -> Stored:
        """Return the mask and the end of the entry."""
        return self.grant.mask, self.grant.expires_at


async def _resolve(tx: Transaction, viewer: Viewer, new: Grants) -> tuple[list[_Entry], dict[Key, Stored]]:
    """Return the entries with their resources and subjects, and the stored entries of the same.

    Raise Forbidden unless the viewer administers all the resources.
    """
    rows, _ = await load_resources(tx, viewer, [ref for ref, _ in new], "administer")
    for row in rows:
        if row is not None:
            policy.require_role(row.mask, resource_roles.ADMIN, "ADMIN")
    pairs = [(row, entry) for row, (_, entry) in zip(rows, new, strict=True)]
    resolved, invisible = await access.resolve_subjects(tx, viewer, pairs)
    entries = [_Entry(row, entry) for row, entry in zip(rows, resolved, strict=True)]
    stored = await _load_stored(tx, entries)
    hidden = {entry.key for entry in entries if entry.grant.subject in invisible} - stored.keys()
    return [_hide(entry) if entry.key in hidden else entry for entry in entries], stored


def _hide(entry: _Entry) -> _Entry:
    """Return the entry without its subject, which the viewer may name only where it has an entry."""
    return replace(entry, grant=replace(entry.grant, subject=-1))


async def _load_stored(tx: Transaction, entries: Sequence[_Entry]) -> dict[Key, Stored]:
    """Return the stored entries of the same resources and subjects."""
    keys = [entry.key for entry in entries if entry.key is not None]
    statement = select(col(Grant.resource_id), col(Grant.subject), col(Grant.mask), col(Grant.expires_at)).where(
        among(col(Grant.resource_id), integers({resource for resource, _ in keys})),
        among(col(Grant.subject), integers({subject for _, subject in keys})),
    )
    return {(resource, subject): (mask, end) for resource, subject, mask, end in await tx.rows(statement)}


async def _number_new(tx: Transaction, entries: Sequence[_Entry], stored: Mapping[Key, Stored]) -> dict[Key, int]:
    """Return the number of groups and users on the resource after each new entry of one, by its key."""
    keys = [each.key for each in entries if each.key is not None]
    new = [key for key in dict.fromkeys(keys) if key not in stored and grants.is_counted(key[1])]
    numbers = await grants.count(tx, {resource for resource, _ in new})
    numbered: dict[Key, int] = {}
    for key in new:
        numbered[key] = numbers[key[0]] = numbers.get(key[0], 0) + 1
    return numbered


def _resource_not_found() -> Problem:
    return NotFound("There is no such resource.", ("resource",))


class _Form(BulkForm[_Entry, Stored]):
    field = "grants"
    duplicate: ClassVar[type[Problem]] = InvalidInput

    def __init__(
        self, tx: Transaction, viewer: Viewer, stored: Mapping[Key, Stored], numbers: Mapping[Key, int]
    ) -> None:
        self._tx, self._viewer, self._stored, self._numbers = tx, viewer, stored, numbers

    async def load(self, entries: Sequence[_Entry]) -> Sequence[Stored | None]:
        """Return the stored entries, those that have ended as none unless they are sent back."""
        return [self._current(entry) for entry in entries]

    def _stored_entry(self, entry: _Entry) -> Stored | None:
        return None if entry.key is None else self._stored.get(entry.key)

    def _current(self, entry: _Entry) -> Stored | None:
        stored = self._stored_entry(entry)
        if stored is None or stored == entry.value:
            return stored
        return None if stored[1] is not None and stored[1] <= self._tx.now else stored

    def labels(self, entry: _Entry) -> Iterator[Label]:
        """Yield the resource and the subject."""
        if entry.key is not None:
            yield Label(entry.grant.path, "This subject", entry.key)

    def problems(self, entry: _Entry) -> Iterator[Problem]:
        """Yield the problems of an entry."""
        if entry.row is None:
            yield _resource_not_found()
        else:
            yield from access.entry_problems(self._tx, entry.row, entry.grant, self._stored_entry(entry))
        if entry.key is not None and entry.key in self._numbers:
            number = self._numbers[entry.key]
            yield from (each.under(*entry.grant.path) for each in grants.number_problems(number, number - 1))

    def conflicts(self, entry: _Entry) -> Iterator[Problem]:
        """Yield the problem of a subject that has an entry."""
        yield Conflict("This subject has a grant already.", entry.grant.path)

    def compare(self, entry: _Entry, old: Stored) -> Stored | None:
        """Return the new value if it differs. An entry is one value: its roles with their end."""
        validation.raise_problems([*self.problems(entry)])
        return None if entry.value == old else entry.value

    def key(self, entry: _Entry, old: Stored) -> int | None:
        """Return the id of the resource."""
        return None if entry.row is None else entry.row.id

    async def create(self, entries: Sequence[_Entry]) -> Sequence[int]:
        """Insert entries, in place of those that have ended."""
        await self._write(entries)
        return [entry.row.id for entry in entries if entry.row is not None]

    async def update(self, changes: Sequence[tuple[_Entry, Stored, Any]]) -> None:
        """Replace entries."""
        await self._write([entry for entry, _, _ in changes])

    async def _write(self, entries: Sequence[_Entry]) -> None:
        values = {entry.key: entry.value for entry in entries if entry.key is not None}
        await grants.write_many(self._tx, self._viewer, values)


async def grant_access_batch(
    tx: Transaction, viewer: Viewer, entries: Grants, on_conflict: OnConflict = OnConflict.UPDATE
) -> list[Result]:
    """Set the entries of subjects; needs ADMIN on the resources. Return the results with the ids of the resources."""
    policy.require_signed_in(viewer)
    bulk.require_number("grants", len(entries))
    resolved, stored = await _resolve(tx, viewer, entries)
    numbers = await _number_new(tx, resolved, stored)
    return await bulk.save(tx, _Form(tx, viewer, stored, numbers), resolved, on_conflict)


async def revoke_access_batch(tx: Transaction, viewer: Viewer, entries: Grants, on_missing: OnMissing) -> list[Result]:
    """Remove the entries of subjects; needs ADMIN on the resources.

    The entry of all signed-in users stays, with no roles: it is unchanged if it has none. Return the results with the
    ids of the resources.
    """
    policy.require_signed_in(viewer)
    bulk.require_number("grants", len(entries))
    empty = [(ref, replace(entry, mask=0, expires_at=None)) for ref, entry in entries]
    resolved, stored = await _resolve(tx, viewer, empty)
    problems = [
        problem.under("grants", at)
        for at, entry in enumerate(resolved)
        for problem in _invalid_subject(tx, entry, stored)
    ]
    # Any number that identifies resource and subject serves as a key here.
    numbers = {key: number for number, key in enumerate(stored, 1)}
    keys = [None if entry.key is None else numbers.get(entry.key) for entry in resolved]
    seen = bulk.select_removals(tx, "grants", keys, on_missing, lambda at: _missing(resolved[at]), "subject", problems)
    results = [_revoke_result(entry, stored, result.status) for entry, result in zip(resolved, seen, strict=True)]
    changes = {
        entry.key: entry.value if entry.grant.kind is SubjectType.GENERAL else None
        for entry, result in zip(resolved, results, strict=True)
        if result.status is Status.REMOVED and entry.key is not None
    }
    if changes:
        await grants.write_many(tx, viewer, changes)
    else:
        audit.discard(tx)
    return results


def _invalid_subject(tx: Transaction, entry: _Entry, stored: Mapping[Key, Stored]) -> Iterator[Problem]:
    """Yield the problems of an entry, unless its resource or its subject is missing."""
    if entry.row is not None:
        old = None if entry.key is None else stored.get(entry.key)
        for problem in access.entry_problems(tx, entry.row, entry.grant, old):
            if not isinstance(problem, NotFound):
                yield problem


def _missing(entry: _Entry) -> Problem:
    """Return the problem of an entry that is not stored."""
    if entry.row is None:
        return _resource_not_found()
    return access.subject_not_found(entry.grant) if entry.grant.subject < 0 else access.no_entry(entry.grant.path)


def _revoke_result(entry: _Entry, stored: Mapping[Key, Stored], status: Status) -> Result:
    key = None if entry.row is None else entry.row.id
    is_empty = entry.key is not None and stored.get(entry.key) == entry.value
    return Result(key, Status.UNCHANGED if is_empty and entry.grant.kind is SubjectType.GENERAL else status)
