"""Grants on a resource: read, preview and change its access configuration."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import Select, bindparam, exists, func, or_, select

from app import policy
from app.db import Transaction
from app.db.tables import Grant, Group, GroupMember, RowId, User, col
from app.domain import resource_roles
from app.domain.errors import Conflict, InvalidInput, NotFound, OstiaryError, Problem
from app.domain.refs import RowRef
from app.domain.resource_roles import SubjectType
from app.domain.viewer import Viewer
from app.query.relations import Keys, among, flag_sql, integers
from app.services import access_index, expiry, grants, resources, user_refs, validation
from app.services.grants import Grants
from app.services.resources import ResourceForUpdate

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
        text = (
            f"The configuration has changed: it is at revision {row.revision}, not {revision}. "
            "Reload it, and apply the changes to it."
        )
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

    @property
    def values_path(self) -> tuple[str | int, ...]:
        """Return the path of the entry's roles and expiry, which stand beside an input's subject."""
        return self.path[:-1] if self.path[-1:] == ("subject",) else self.path


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
    stored = await grants.load(tx, row.id)
    checked = await _check_entries(tx, viewer, row, entries, stored)
    await _write(tx, viewer, row.id, stored, checked, stored)
    return row.id, _diff(stored, checked)


async def preview_access(
    tx: Transaction, viewer: Viewer, resource: RowRef, entries: Sequence[GrantEntry]
) -> list[PreviewResult]:
    """Return what `submit_access` would change for each subject, without writing."""
    row = await resources.require_administered(tx, viewer, resource)
    stored = await grants.load(tx, row.id)
    changes = _diff(stored, await _check_entries(tx, viewer, row, entries, stored))
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
    stored = await grants.load(tx, row.id)
    (checked,) = await _check_entries(tx, viewer, row, [entry], stored, is_complete=False)
    problems = grants.number_problems(_count({*stored, checked.subject}), _count(stored))
    validation.raise_problems([each.under(*checked.path) for each in problems])
    await _write(tx, viewer, row.id, stored, [checked])
    return row.id


async def revoke_access(tx: Transaction, viewer: Viewer, resource: RowRef, entry: GrantEntry) -> int:
    """Delete the entry of one subject, but only the roles of all signed-in users' entry; return the resource's id."""
    row = await resources.require_administered(tx, viewer, resource)
    stored = await grants.load(tx, row.id)
    empty = replace(entry, mask=0, expires_at=None)
    (checked,) = await _check_entries(tx, viewer, row, [empty], stored, is_complete=False)
    if checked.subject not in stored:
        raise no_entry(checked.path)
    await _write(tx, viewer, row.id, stored, [checked] if entry.kind is SubjectType.GENERAL else [], [checked.subject])
    return row.id


def no_entry(path: Path = ()) -> Problem:
    """Return the problem of a subject without an entry."""
    return NotFound("This subject has no entry in the configuration.", path)


async def _check_entries(
    tx: Transaction,
    viewer: Viewer,
    row: ResourceForUpdate,
    entries: Sequence[GrantEntry],
    stored: Grants,
    *,
    is_complete: bool = True,
) -> list[GrantEntry]:
    """Return the entries with their subjects; raise Problems that name every invalid entry by its path.

    `stored` are the grants on the resource, whose row is locked. `is_complete` says that the entries are all of the
    configuration, so one for all signed-in users is required.
    """
    problems: list[Problem] = []
    if is_complete and not any(entry.kind is SubjectType.GENERAL for entry in entries):
        problems.append(InvalidInput("`general`, the entry of all signed-in users, is required.", ("general",)))
    if is_complete:
        validation.raise_problems([*_number_problems(entries, _count(stored))])
    subjects = await _load_subjects(tx, viewer, [row.id], entries)
    resolved = [replace(entry, subject=subjects.get(_subject_lookup(entry), NO_SUBJECT).id) for entry in entries]
    for entry in resolved:
        problems += entry_problems(tx, row, entry, stored.get(entry.subject))
    problems += map(
        _duplicate, validation.duplicates(resolved, key=lambda each: each.subject if each.subject >= 0 else None)
    )
    validation.raise_problems(problems)
    return resolved


def _count(subjects: Collection[int]) -> int:
    """Return how many of the subjects count for `grants.MAX_ENTRIES`."""
    return sum(map(grants.is_counted, subjects))


def _number_problems(entries: Sequence[GrantEntry], before: int) -> Iterator[Problem]:
    """Yield the problem of a configuration with too many entries, at the longer one of its lists."""
    groups, users = (sum(entry.kind is kind for entry in entries) for kind in (SubjectType.GROUP, SubjectType.USER))
    for problem in grants.number_problems(groups + users, before):
        yield problem.under("groups" if groups > users else "users")


def entry_problems(
    tx: Transaction, row: ResourceForUpdate, entry: GrantEntry, stored: tuple[int, datetime | None] | None
) -> Iterator[Problem]:
    """Yield the problems of one entry with a resolved subject, beside the stored mask and end of its subject."""
    if entry.has_no_subject:
        yield InvalidInput("Set `general` or `anyone` to true, or name a group or a user.", entry.path)
    if entry.subject < 0:
        yield subject_not_found(entry)
    problems = [*grants.role_problems(entry.mask, row.full_mask, is_for_anyone=entry.kind is SubjectType.ANYONE)]
    before = stored or (0, None)
    if entry.expires_at != before[1]:  # an entry that has ended may be sent back
        problems += validation.end_problems(entry.expires_at, tx.now)
    yield from (problem.under(*entry.values_path) for problem in problems)
    if row.until is not None and _extends_access(tx, row, entry, *before):
        yield from expiry.problems(entry.expires_at, row.until, (*entry.values_path, "expiresAt"))


def subject_not_found(entry: GrantEntry) -> Problem:
    """Return the problem of a group or user that does not exist, or that the viewer may not name."""
    noun = "group" if entry.kind is SubjectType.GROUP else "user"
    return NotFound(f"There is no such {noun}.", (*entry.path, noun))


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


def _subject_lookup(entry: GrantEntry) -> tuple[SubjectType, Any]:
    """Return the kind and the normalized reference of an entry's subject, a key of `_load_subjects`."""
    return entry.kind, None if entry.ref is None else validation.normalize_ref(entry.ref)


class _Subject(NamedTuple):
    """The id of a subject, and whether the viewer may name it anywhere."""

    id: int
    is_visible: bool


NO_SUBJECT = _Subject(-1, False)


async def resolve_subjects(
    tx: Transaction, viewer: Viewer, entries: Sequence[tuple[ResourceForUpdate | None, GrantEntry]]
) -> tuple[list[GrantEntry], set[int]]:
    """Return entries of many resources with the ids of their subjects, -1 for none, and the ids that are not visible.

    The viewer may name a subject that is not visible only for a resource on which it has an entry.
    """
    rows = {row.id for row, _ in entries if row is not None}
    subjects = await _load_subjects(tx, viewer, sorted(rows), [entry for _, entry in entries])
    resolved = [replace(entry, subject=subjects.get(_subject_lookup(entry), NO_SUBJECT).id) for _, entry in entries]
    return resolved, {subject.id for subject in subjects.values() if not subject.is_visible}


async def _load_subjects(
    tx: Transaction, viewer: Viewer, rows: Sequence[int], entries: Sequence[GrantEntry]
) -> Mapping[tuple[SubjectType, Any], _Subject]:
    """Return the ids of the subjects that exist and that the viewer may name, and lock their rows against deletion.

    Subjects with an entry on one of the resources, which the viewer sees there, may be named in any case.
    """
    subjects: dict[tuple[SubjectType, Any], _Subject] = {
        (SubjectType.GENERAL, None): _Subject(resource_roles.GENERAL, True),
        (SubjectType.ANYONE, None): _Subject(resource_roles.ANYONE, True),
    }
    lookups = [_subject_lookup(entry) for entry in entries if entry.ref is not None]
    for kind, column in sorted({(kind, ref[0]) for kind, ref in lookups}):
        keys = [ref[1] for subject_kind, ref in lookups if (subject_kind, ref[0]) == (kind, column)]
        statement = _select_subjects(kind, column, viewer.permission_profile)
        for row_id, key, is_visible in await tx.rows(
            statement, keys=keys, resources=list(rows), **viewer.bind_values, now=tx.now
        ):
            subject = _Subject(resource_roles.subject_id(kind, row_id), bool(is_visible))
            subjects[kind, (column, key)] = subject
    return subjects


_SUBJECT_COLUMNS: Mapping[tuple[SubjectType, str], tuple[Any, Any, Any]] = {
    (SubjectType.GROUP, "id"): (Group, Group.id, policy.sees_group),
    (SubjectType.GROUP, "slug"): (Group, Group.slug, policy.sees_group),
    **{(SubjectType.USER, by): (User, *column) for by, column in user_refs.COLUMNS.items()},
}


@cache
def _select_subjects(kind: SubjectType, name: str, viewer: Viewer) -> Select[Any]:
    table, column, sees = _SUBJECT_COLUMNS[kind, name]
    keys = bindparam("keys", type_=Keys(col(column).type))
    has_entry = exists().where(
        among(col(Grant.resource_id), bindparam("resources", type_=Keys(RowId()))),
        col(Grant.subject) == policy.subject_id(kind, col(table.id)),
    )
    # The configuration shows the names of its users, not their e-mail addresses.
    may_name = sees(viewer) if name == "email" else or_(sees(viewer), has_entry)
    is_visible = flag_sql(sees(viewer))
    rows = select(col(table.id), col(column), is_visible)
    rows = rows.where(among(col(column), keys), may_name)
    return rows.order_by(col(table.id)).with_for_update(read=True, key_share=True)


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


async def _write(
    tx: Transaction,
    viewer: Viewer,
    resource: int,
    stored: Grants,
    entries: Sequence[GrantEntry],
    removed: Collection[int] = (),
) -> None:
    """Set entries, delete those of the `removed` subjects without an entry, and update the access index."""
    new = {entry.subject: (entry.mask, entry.expires_at) for entry in entries}
    changed = await grants.write(tx, viewer, resource, stored, new, removed)
    empty = [subject for subject in changed if new.get(subject, (0,))[0] == 0]
    await access_index.refresh_entries(tx, resource, changed, empty)
