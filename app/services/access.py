"""The access configuration of a resource: who is granted which roles, and until when."""

from collections.abc import Collection, Iterator, Mapping, Sequence
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
from app.domain.errors import Conflict, InvalidInput, NotFound, OstiaryError, Problem, Problems
from app.domain.resource_roles import SubjectType
from app.domain.viewer import Viewer
from app.query.relations import Keys, among, integers
from app.services import access_index, audit, expiry, resources, validation
from app.services.resources import ResourceForUpdate
from app.services.roles import RowRef

MAX_ENTRIES = 1_000
MAX_BATCH = 1_000

Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class PreviewResult:
    """What a subject would gain and lose, until when it would last, and how many people that is; None for everybody."""

    kind: SubjectType
    key: int
    gained: int
    lost: int
    expires_at: datetime | None
    user_count: int | None


class StaleRevision(OstiaryError):
    """The configuration was changed since it was read: the problem, and the resource, to show it as it is."""

    def __init__(self, found: ResourceForUpdate, revision: int) -> None:
        text = f"The configuration was changed: it is at revision {found.revision}, not {revision}."
        super().__init__(text)
        self.problem = Conflict(text, ("revision",))
        self.resource = found.id


@dataclass(frozen=True, slots=True)
class GrantEntry:
    """Some roles for one subject: a group or a user by `way`, or everybody of a kind.

    One that `has_no_subject` is wrong, which is told only to who may change the configuration.
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
    """What a subject had and would have: two masks as granted, and when they end."""

    subject: int
    before: int
    after: int
    ended: datetime | None
    ends: datetime | None


async def submit_access(
    tx: Transaction, viewer: Viewer, resource: RowRef, revision: int, entries: Sequence[GrantEntry]
) -> tuple[int, list[GrantDiff]]:
    """Replace the whole configuration, if it is still the one that was read: the resource's id, and what changed."""
    found = await resources.administered(tx, viewer, resource)
    if found.revision != revision:
        raise StaleRevision(found, revision)
    return found.id, await _replace(tx, found, await _check_entries(tx, viewer, found, entries))


async def preview_access(
    tx: Transaction, viewer: Viewer, resource: RowRef, entries: Sequence[GrantEntry]
) -> list[PreviewResult]:
    """What `submit_access` would change, and for how many people; writes nothing."""
    found = await resources.administered(tx, viewer, resource)
    checked = await _check_entries(tx, viewer, found, entries)
    changes = _diff(await _load_grants(tx, found.id), checked)
    groups = [
        resource_roles.subject_key(change.subject)
        for change in changes
        if resource_roles.subject_type(change.subject) is SubjectType.GROUP
    ]
    counted = select(col(GroupMember.group_id), func.count()).where(
        among(col(GroupMember.group_id), integers(groups)), policy.is_valid_until(GroupMember.expires_at)
    )
    people: dict[int, int] = dict(await tx.rows(counted.group_by(col(GroupMember.group_id)), now=tx.now))
    return [_effect(change, found.full_mask, people) for change in changes]


def _effect(change: GrantDiff, full: int, people: Mapping[int, int]) -> PreviewResult:
    before, after = resource_roles.effective(change.before, full), resource_roles.effective(change.after, full)
    kind, key = resource_roles.subject_type(change.subject), resource_roles.subject_key(change.subject)
    number = 1 if kind is SubjectType.USER else people.get(key, 0) if kind is SubjectType.GROUP else None
    return PreviewResult(kind, key, after & ~before, before & ~after, change.ends, number)


async def grant_access(tx: Transaction, viewer: Viewer, resource: RowRef, entry: GrantEntry) -> int:
    """Make this the entry of one subject, and leave the others; answers the resource's id."""
    found = await resources.administered(tx, viewer, resource)
    (checked,) = await _check_entries(tx, viewer, found, [entry], whole=False)
    await _write(tx, found.id, [checked], [checked.subject])
    return found.id


async def revoke_access(tx: Transaction, viewer: Viewer, resource: RowRef, entry: GrantEntry) -> int:
    """Take the entry of one subject away; the one of all signed-in users is emptied, since it always stands."""
    found = await resources.administered(tx, viewer, resource)
    (checked,) = await _check_entries(tx, viewer, found, [replace(entry, mask=0, expires_at=None)], whole=False)
    if not any(stored == checked.subject for stored in await _load_grants(tx, found.id)):
        raise NotFound("There is no such entry.", checked.path)
    await _write(tx, found.id, [checked] if entry.kind is SubjectType.GENERAL else [], [checked.subject])
    return found.id


async def grant_access_batch(tx: Transaction, viewer: Viewer, grants: Sequence[tuple[RowRef, GrantEntry]]) -> list[int]:
    """Make many entries, all or none; answers the resources' ids. Every offender is named."""
    policy.require_signed_in(viewer)
    if not 1 <= len(grants) <= MAX_BATCH:
        raise InvalidInput(f"From 1 to {MAX_BATCH:,} entries are granted at once, not {len(grants):,}.", ("grants",))
    made: dict[tuple[int, int], GrantEntry] = {}
    problems: list[Problem] = []
    for at, (resource, entry) in enumerate(grants):
        try:
            key, checked = await _require_grantable(tx, viewer, resource, entry, made)
            made[key, checked.subject] = checked
        except Conflict:
            raise  # somebody was faster: the database goes on with nothing after that
        except Problem as problem:
            problems.append(problem.under("grants", at))
        except Problems as several:
            problems += [problem.under("grants", at) for problem in several.problems]
    validation.raise_problems(problems)
    keys = [key for key, _ in made]
    await audit.track_links(tx, audit.GRANTS, of=keys)
    for (key, subject), checked in made.items():
        await _insert_grants(tx, key, [checked], [subject])
    await access_index.refresh(tx, set(keys))
    return keys


async def _require_grantable(
    tx: Transaction, viewer: Viewer, resource: RowRef, entry: GrantEntry, made: Collection[tuple[int, int]]
) -> tuple[int, GrantEntry]:
    """An entry that may be made, unless one was for the same subject: the resource's id, and it with its subject."""
    found = await resources.administered(tx, viewer, resource)
    (checked,) = await _check_entries(tx, viewer, found, [entry], whole=False)
    if (found.id, checked.subject) in made:
        raise _repeated(entry)
    return found.id, checked


async def _check_entries(
    tx: Transaction, viewer: Viewer, found: ResourceForUpdate, entries: Sequence[GrantEntry], *, whole: bool = True
) -> list[GrantEntry]:
    """The entries with their subjects; raises Problems that name every offender with its path."""
    problems: list[Problem] = []
    if whole and not any(entry.kind is SubjectType.GENERAL for entry in entries):
        problems.append(InvalidInput("The entry of all signed-in users is missing; it may be empty.", ("general",)))
    if len(entries) > MAX_ENTRIES:
        raise InvalidInput(f"A configuration has at most {MAX_ENTRIES:,} entries.", ("groups",))
    known = await _subjects(tx, viewer, entries)
    placed = [replace(entry, subject=known.get(_load_subjects(entry), -1)) for entry in entries]
    for entry in placed:
        problems += _problems(tx, found, entry)
    problems += await _given_for_too_long(tx, found, placed)
    problems += map(
        _repeated, validation.duplicates(placed, key=lambda each: each.subject if each.subject >= 0 else None)
    )
    validation.raise_problems(problems)
    return placed


def _problems(tx: Transaction, found: ResourceForUpdate, entry: GrantEntry) -> Iterator[Problem]:
    if entry.has_no_subject:
        yield InvalidInput("Say true, or name another subject.", entry.path)
    if entry.subject < 0:
        what = "group" if entry.kind is SubjectType.GROUP else "user"
        yield NotFound(f"There is no such {what}.", (*entry.path, what))
    lacking = [name for bit, name in resource_roles.NAMES.items() if entry.mask & bit & ~found.full_mask]
    if lacking:
        yield InvalidInput(f"The type of this resource has no {', '.join(lacking)}.", (*entry.path, "roles"))
    if entry.kind is SubjectType.ANYONE and entry.mask & ~resource_roles.READ:
        yield InvalidInput("Anyone, signed in or not, may be given read roles only.", (*entry.path, "roles"))
    if entry.expires_at is not None and entry.expires_at <= tx.now:
        yield InvalidInput("`expiresAt` must be in the future.", (*entry.path, "expiresAt"))


async def _given_for_too_long(
    tx: Transaction, found: ResourceForUpdate, entries: Sequence[GrantEntry]
) -> list[Problem]:
    """Problems of entries that give roles for longer than the viewer is ADMIN; what is so already may stay."""
    if found.until is None:
        return []
    stored = await _load_grants(tx, found.id)
    return [
        problem
        for entry in entries
        if _gives_more(tx, found, entry, *stored.get(entry.subject, (0, None)))
        for problem in expiry.problems(entry.expires_at, found.until, (*entry.path, "expiresAt"))
    ]


def _gives_more(
    tx: Transaction, found: ResourceForUpdate, entry: GrantEntry, before: int, ended: datetime | None
) -> bool:
    """Whether an entry gives roles that its subject does not have by it now, or gives some for longer."""
    has_ended = ended is not None and ended <= tx.now
    had = 0 if has_ended else resource_roles.effective(before, found.full_mask)
    gives = resource_roles.effective(entry.mask, found.full_mask)
    return bool(gives & ~had) or (gives != 0 and expiry.is_later(entry.expires_at, ended))


def _repeated(entry: GrantEntry) -> Problem:
    return InvalidInput("This subject has an entry already.", entry.path)


def _load_subjects(entry: GrantEntry) -> tuple[SubjectType, Any]:
    if entry.ref is None:
        return entry.kind, None
    way, key = entry.ref
    return entry.kind, (way, key if way == "id" else validation.normalize_key(str(key)))


async def _subjects(
    tx: Transaction, viewer: Viewer, entries: Sequence[GrantEntry]
) -> Mapping[tuple[SubjectType, Any], int]:
    """The numbers of the subjects that there are and that the viewer may name; nobody deletes one meanwhile."""
    known: dict[tuple[SubjectType, Any], int] = {
        (SubjectType.GENERAL, None): resource_roles.GENERAL,
        (SubjectType.ANYONE, None): resource_roles.ANYONE,
    }
    wanted = [_load_subjects(entry) for entry in entries if entry.ref is not None]
    for kind, way in sorted({(kind, named[0]) for kind, named in wanted}):
        keys = [named[1] for of, named in wanted if (of, named[0]) == (kind, way)]
        statement = _select_subjects(kind, way, viewer.permission_profile)
        rows = await tx.rows(statement, keys=keys, **viewer.bind_values, now=tx.now)
        known |= {(kind, (way, given)): resource_roles.subject_id(kind, found) for found, given in rows}
    return known


_WAYS: Mapping[tuple[SubjectType, str], tuple[Any, Any, Any]] = {
    (SubjectType.GROUP, "id"): (Group, Group.id, policy.sees_group),
    (SubjectType.GROUP, "slug"): (Group, Group.slug, policy.sees_group),
    (SubjectType.USER, "id"): (User, User.id, policy.knows_user),
    (SubjectType.USER, "user_name"): (User, User.user_key, policy.finds_user),
}


@cache
def _select_subjects(kind: SubjectType, way: str, viewer: Viewer) -> Select[Any]:
    table, column, sees = _WAYS[kind, way]
    keys = bindparam("keys", type_=Keys(col(column).type))
    found = select(col(table.id), col(column)).where(among(col(column), keys), sees(viewer))
    return found.order_by(col(table.id)).with_for_update(read=True, key_share=True)


async def _load_grants(tx: Transaction, resource: int) -> dict[int, tuple[int, datetime | None]]:
    rows = await tx.rows(_STORED, resource=resource)
    return {subject: (mask, ends) for subject, mask, ends in rows}


_STORED = select(col(Grant.subject), col(Grant.mask), col(Grant.expires_at)).where(
    col(Grant.resource_id) == bindparam("resource", type_=RowId())
)


def _diff(before: Mapping[int, tuple[int, datetime | None]], after: Sequence[GrantEntry]) -> list[GrantDiff]:
    wanted = {entry.subject: (entry.mask, entry.expires_at) for entry in after}
    nothing = (0, None)
    changes = [
        GrantDiff(
            subject,
            before.get(subject, nothing)[0],
            wanted.get(subject, nothing)[0],
            before.get(subject, nothing)[1],
            wanted.get(subject, nothing)[1],
        )
        for subject in sorted({*before, *wanted}, key=_place)
        if before.get(subject) != wanted.get(subject)
    ]
    return changes


def _place(subject: int) -> tuple[SubjectType, int]:
    """Everybody first, then groups, then users."""
    return resource_roles.subject_type(subject), subject


async def _replace(tx: Transaction, found: ResourceForUpdate, entries: Sequence[GrantEntry]) -> list[GrantDiff]:
    before = await _load_grants(tx, found.id)
    await _write(tx, found.id, entries, list(before))
    return _diff(before, entries)


async def _write(tx: Transaction, resource: int, entries: Sequence[GrantEntry], instead_of: Sequence[int]) -> None:
    """Put entries in the place of those of some subjects, count the revision up and make the index anew."""
    await _insert_grants(tx, resource, entries, instead_of)
    await access_index.refresh_entries(tx, resource, {*instead_of, *(entry.subject for entry in entries)})


async def _insert_grants(
    tx: Transaction, resource: int, entries: Sequence[GrantEntry], instead_of: Sequence[int]
) -> None:
    subjects = {*instead_of, *(entry.subject for entry in entries)}
    await audit.track_links(tx, audit.GRANTS, of=[resource], to=subjects)
    await tx.rows(_TAKE, resource=resource, subjects=list(instead_of))
    await tx.insert(Grant, [_row(resource, entry) for entry in entries])
    await tx.rows(_COUNT, resource=resource)


_TAKE = few_rows(delete(Grant)).where(
    col(Grant.resource_id) == bindparam("resource", type_=RowId()),
    among(col(Grant.subject), bindparam("subjects", type_=Keys(BigInteger()))),
)
_COUNT = (
    update(Resource)
    .where(col(Resource.id) == bindparam("resource", type_=RowId()))
    .values(revision=col(Resource.revision) + literal_column("1"))
)


def _row(resource: int, entry: GrantEntry) -> dict[str, Any]:
    key = resource_roles.subject_key(entry.subject)
    return {
        "resource_id": resource,
        "subject": entry.subject,
        "group_id": key if entry.kind is SubjectType.GROUP else None,
        "user_id": key if entry.kind is SubjectType.USER else None,
        "mask": entry.mask,
        "expires_at": entry.expires_at,
    }
