"""Grants on a resource: read, preview and change its access configuration."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import BigInteger, Select, bindparam, delete, func, literal_column, select, update

from app import policy
from app.db import Transaction
from app.db.statements import few_rows
from app.db.tables import Grant, Group, GroupMember, Resource, RowId, User, col
from app.domain import resource_roles
from app.domain.errors import Conflict, InvalidInput, NotFound, OstiaryError, Problem
from app.domain.refs import RowRef
from app.domain.resource_roles import SubjectType
from app.domain.viewer import Viewer
from app.query.relations import Keys, among, integers
from app.services import access_index, audit, expiry, resources, validation
from app.services.resources import ResourceForUpdate

MAX_ENTRIES = 1_000

Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class PreviewResult:
    """Roles that a subject gains and loses, the end of its new entry, and its number of users, None for all users."""

    kind: SubjectType
    key: int
    gained: int
    lost: int
    expires_at: datetime | None
    user_count: int | None


class StaleRevision(OstiaryError):
    """The configuration changed after the client read it. Carries the problem and the id of the resource."""

    def __init__(self, row: ResourceForUpdate, revision: int) -> None:
        text = f"The configuration has changed: it is at revision {row.revision}, not {revision}. Reload it and retry."
        super().__init__(text)
        self.problem = Conflict(text, ("revision",))
        self.resource = row.id


@dataclass(frozen=True, slots=True)
class GrantEntry:
    """Roles for one subject: the group or user of `ref`, or all users of a kind.

    `path` locates it in the input. One that `has_no_subject` is rejected, after the viewer's rights are checked.
    """

    kind: SubjectType
    mask: int
    expires_at: datetime | None = None
    ref: RowRef | None = None
    path: Path = ()
    subject: int = 0
    has_no_subject: bool = False


@dataclass(frozen=True, slots=True)
class GrantDiff:
    """The entry of a subject before and after a change: masks as granted, and their ends."""

    subject: int
    before_mask: int
    after_mask: int
    before_expires_at: datetime | None
    after_expires_at: datetime | None


async def submit_access(
    tx: Transaction, viewer: Viewer, resource: RowRef, revision: int, entries: Sequence[GrantEntry]
) -> tuple[int, list[GrantDiff]]:
    """Replace all entries of a resource; return its id and the differences. Raise StaleRevision for an old revision."""
    row = await resources.require_administered(tx, viewer, resource)
    if row.revision != revision:
        raise StaleRevision(row, revision)
    return row.id, await _replace_grants(tx, row, await _check_entries(tx, viewer, row, entries))


async def preview_access(
    tx: Transaction, viewer: Viewer, resource: RowRef, entries: Sequence[GrantEntry]
) -> list[PreviewResult]:
    """Return what `submit_access` would change for each subject, without writing."""
    row = await resources.require_administered(tx, viewer, resource)
    checked = await _check_entries(tx, viewer, row, entries)
    changes = _diff(await _load_grants(tx, row.id), checked)
    groups = [
        resource_roles.subject_key(change.subject)
        for change in changes
        if resource_roles.subject_type(change.subject) is SubjectType.GROUP
    ]
    statement = select(col(GroupMember.group_id), func.count()).where(
        among(col(GroupMember.group_id), integers(groups)), policy.is_valid_until(GroupMember.expires_at)
    )
    members: dict[int, int] = dict(await tx.rows(statement.group_by(col(GroupMember.group_id)), now=tx.now))
    return [_preview(change, row.full_mask, members) for change in changes]


def _preview(change: GrantDiff, full_mask: int, members: Mapping[int, int]) -> PreviewResult:
    before = resource_roles.effective(change.before_mask, full_mask)
    after = resource_roles.effective(change.after_mask, full_mask)
    kind, key = resource_roles.subject_type(change.subject), resource_roles.subject_key(change.subject)
    user_count = 1 if kind is SubjectType.USER else members.get(key, 0) if kind is SubjectType.GROUP else None
    return PreviewResult(kind, key, after & ~before, before & ~after, change.after_expires_at, user_count)


async def grant_access(tx: Transaction, viewer: Viewer, resource: RowRef, entry: GrantEntry) -> int:
    """Set the entry of one subject and keep all others; return the resource's id."""
    row = await resources.require_administered(tx, viewer, resource)
    (checked,) = await _check_entries(tx, viewer, row, [entry], is_complete=False)
    await _write(tx, row.id, [checked], [checked.subject])
    return row.id


async def revoke_access(tx: Transaction, viewer: Viewer, resource: RowRef, entry: GrantEntry) -> int:
    """Delete the entry of one subject, but only the roles of all signed-in users' entry; return the resource's id."""
    row = await resources.require_administered(tx, viewer, resource)
    (checked,) = await _check_entries(tx, viewer, row, [replace(entry, mask=0, expires_at=None)], is_complete=False)
    if not any(stored == checked.subject for stored in await _load_grants(tx, row.id)):
        raise no_entry(checked.path)
    await _write(tx, row.id, [checked] if entry.kind is SubjectType.GENERAL else [], [checked.subject])
    return row.id


def no_entry(path: Path = ()) -> Problem:
    """Return the problem of a subject without an entry."""
    return NotFound("This subject has no entry in the configuration.", path)


async def _check_entries(
    tx: Transaction, viewer: Viewer, row: ResourceForUpdate, entries: Sequence[GrantEntry], *, is_complete: bool = True
) -> list[GrantEntry]:
    """Return the entries with their subjects; raise Problems that name every invalid entry by its path.

    `is_complete` says that the entries are all of the configuration, so one for all signed-in users is required.
    """
    problems: list[Problem] = []
    if is_complete and not any(entry.kind is SubjectType.GENERAL for entry in entries):
        problems.append(InvalidInput("`general`, the entry of all signed-in users, is required.", ("general",)))
    if len(entries) > MAX_ENTRIES:
        raise InvalidInput(f"A configuration has at most {MAX_ENTRIES:,} entries, not {len(entries):,}.", ("groups",))
    resolved = await resolve_subjects(tx, viewer, entries)
    for entry in resolved:
        problems += entry_problems(tx, row, entry)
    problems += await _duration_problems(tx, row, resolved)
    problems += map(
        _duplicate, validation.duplicates(resolved, key=lambda each: each.subject if each.subject >= 0 else None)
    )
    validation.raise_problems(problems)
    return resolved


def entry_problems(tx: Transaction, row: ResourceForUpdate, entry: GrantEntry) -> Iterator[Problem]:
    """Yield the problems of one entry, whose subject is resolved (-1 for none), but not those of its duration."""
    if entry.has_no_subject:
        yield InvalidInput("Set `general` or `anyone` to true, or name a group or a user.", entry.path)
    if entry.subject < 0:
        yield subject_not_found(entry)
    missing = [name for bit, name in resource_roles.NAMES.items() if entry.mask & bit & ~row.full_mask]
    if missing:
        yield InvalidInput(f"Resources of this type do not have {', '.join(missing)}.", (*entry.path, "roles"))
    if entry.kind is SubjectType.ANYONE and entry.mask & ~resource_roles.READ:
        yield InvalidInput("Anyone, signed in or not, can have read roles only.", (*entry.path, "roles"))
    if entry.expires_at is not None and entry.expires_at <= tx.now:
        yield InvalidInput("`expiresAt` must be in the future.", (*entry.path, "expiresAt"))


async def _duration_problems(tx: Transaction, row: ResourceForUpdate, entries: Sequence[GrantEntry]) -> list[Problem]:
    """Return problems of entries that add roles beyond the end of the viewer's ADMIN role."""
    if row.until is None:
        return []
    stored = await _load_grants(tx, row.id)
    return [
        problem
        for entry in entries
        for problem in duration_problems(tx, row, entry, *stored.get(entry.subject, (0, None)))
    ]


def subject_not_found(entry: GrantEntry) -> Problem:
    """Return the problem of a group or user that does not exist, or that the viewer may not name."""
    noun = "group" if entry.kind is SubjectType.GROUP else "user"
    return NotFound(f"There is no such {noun}.", (*entry.path, noun))


def duration_problems(
    tx: Transaction, row: ResourceForUpdate, entry: GrantEntry, before_mask: int, before_expires_at: datetime | None
) -> Iterator[Problem]:
    """Yield a problem if an entry adds roles to the stored ones beyond the end of the viewer's ADMIN role."""
    if row.until is not None and _extends_access(tx, row, entry, before_mask, before_expires_at):
        yield from expiry.problems(entry.expires_at, row.until, (*entry.path, "expiresAt"))


def _extends_access(
    tx: Transaction, row: ResourceForUpdate, entry: GrantEntry, before_mask: int, before_expires_at: datetime | None
) -> bool:
    """Return whether an entry adds roles to those its subject has by the stored entry, or ends later."""
    has_ended = before_expires_at is not None and before_expires_at <= tx.now
    old_roles = 0 if has_ended else resource_roles.effective(before_mask, row.full_mask)
    new_roles = resource_roles.effective(entry.mask, row.full_mask)
    return bool(new_roles & ~old_roles) or (new_roles != 0 and expiry.is_later(entry.expires_at, before_expires_at))


def _duplicate(entry: GrantEntry) -> Problem:
    return InvalidInput("This subject is listed more than once. Remove the duplicate.", entry.path)


async def resolve_subjects(tx: Transaction, viewer: Viewer, entries: Sequence[GrantEntry]) -> list[GrantEntry]:
    """Return the entries with the ids of their subjects, -1 for one that does not exist or may not be named."""
    subjects = await _load_subjects(tx, viewer, entries)
    return [replace(entry, subject=subjects.get(_subject_lookup(entry), -1)) for entry in entries]


def _subject_lookup(entry: GrantEntry) -> tuple[SubjectType, Any]:
    """Return the kind and the normalized reference of an entry's subject, a key of `_load_subjects`."""
    if entry.ref is None:
        return entry.kind, None
    column, key = entry.ref
    return entry.kind, (column, key if column == "id" else validation.normalize_key(str(key)))


async def _load_subjects(
    tx: Transaction, viewer: Viewer, entries: Sequence[GrantEntry]
) -> Mapping[tuple[SubjectType, Any], int]:
    """Return the ids of the subjects that exist and that the viewer may name, and lock their rows against deletion."""
    subjects: dict[tuple[SubjectType, Any], int] = {
        (SubjectType.GENERAL, None): resource_roles.GENERAL,
        (SubjectType.ANYONE, None): resource_roles.ANYONE,
    }
    lookups = [_subject_lookup(entry) for entry in entries if entry.ref is not None]
    for kind, column in sorted({(kind, ref[0]) for kind, ref in lookups}):
        keys = [ref[1] for of, ref in lookups if (of, ref[0]) == (kind, column)]
        statement = _select_subjects(kind, column, viewer.permission_profile)
        rows = await tx.rows(statement, keys=keys, **viewer.bind_values, now=tx.now)
        subjects |= {(kind, (column, key)): resource_roles.subject_id(kind, row_id) for row_id, key in rows}
    return subjects


_SUBJECT_COLUMNS: Mapping[tuple[SubjectType, str], tuple[Any, Any, Any]] = {
    (SubjectType.GROUP, "id"): (Group, Group.id, policy.sees_group),
    (SubjectType.GROUP, "slug"): (Group, Group.slug, policy.sees_group),
    (SubjectType.USER, "id"): (User, User.id, policy.knows_user),
    (SubjectType.USER, "user_name"): (User, User.user_key, policy.finds_user),
}


@cache
def _select_subjects(kind: SubjectType, name: str, viewer: Viewer) -> Select[Any]:
    table, column, sees = _SUBJECT_COLUMNS[kind, name]
    keys = bindparam("keys", type_=Keys(col(column).type))
    rows = select(col(table.id), col(column)).where(among(col(column), keys), sees(viewer))
    return rows.order_by(col(table.id)).with_for_update(read=True, key_share=True)


async def _load_grants(tx: Transaction, resource: int) -> dict[int, tuple[int, datetime | None]]:
    """Return the mask and the end of each entry, by subject."""
    rows = await tx.rows(_SELECT_GRANTS, resource=resource)
    return {subject: (mask, expires_at) for subject, mask, expires_at in rows}


_SELECT_GRANTS = select(col(Grant.subject), col(Grant.mask), col(Grant.expires_at)).where(
    col(Grant.resource_id) == bindparam("resource", type_=RowId())
)


def _diff(before: Mapping[int, tuple[int, datetime | None]], after: Sequence[GrantEntry]) -> list[GrantDiff]:
    new = {entry.subject: (entry.mask, entry.expires_at) for entry in after}
    empty = (0, None)
    return [
        GrantDiff(
            subject,
            before.get(subject, empty)[0],
            new.get(subject, empty)[0],
            before.get(subject, empty)[1],
            new.get(subject, empty)[1],
        )
        for subject in sorted({*before, *new}, key=_sort_key)
        if before.get(subject) != new.get(subject)
    ]


def _sort_key(subject: int) -> tuple[SubjectType, int]:
    """Sort kinds of users first, then groups, then users."""
    return resource_roles.subject_type(subject), subject


async def _replace_grants(tx: Transaction, row: ResourceForUpdate, entries: Sequence[GrantEntry]) -> list[GrantDiff]:
    before = await _load_grants(tx, row.id)
    await _write(tx, row.id, entries, list(before))
    return _diff(before, entries)


async def _write(tx: Transaction, resource: int, entries: Sequence[GrantEntry], replaced: Sequence[int]) -> None:
    """Replace the entries of the `replaced` subjects, increment the revision and refresh the access index."""
    subjects = {*replaced, *(entry.subject for entry in entries)}
    await audit.track_links(tx, audit.GRANTS, of=[resource], to=subjects)
    await tx.rows(_DELETE_GRANTS, resource=resource, subjects=list(replaced))
    await tx.insert(Grant, [grant_row(resource, entry) for entry in entries])
    await tx.rows(_INCREMENT_REVISION, resource=resource)
    await access_index.refresh_entries(tx, resource, subjects)


_DELETE_GRANTS = few_rows(delete(Grant)).where(
    col(Grant.resource_id) == bindparam("resource", type_=RowId()),
    among(col(Grant.subject), bindparam("subjects", type_=Keys(BigInteger()))),
)
_INCREMENT_REVISION = (
    update(Resource)
    .where(col(Resource.id) == bindparam("resource", type_=RowId()))
    .values(revision=col(Resource.revision) + literal_column("1"))
)


def grant_row(resource: int, entry: GrantEntry) -> dict[str, Any]:
    """Return the columns of a grant."""
    key = resource_roles.subject_key(entry.subject)
    return {
        "resource_id": resource,
        "subject": entry.subject,
        "group_id": key if entry.kind is SubjectType.GROUP else None,
        "user_id": key if entry.kind is SubjectType.USER else None,
        "mask": entry.mask,
        "expires_at": entry.expires_at,
    }
