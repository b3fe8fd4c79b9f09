"""The rows of grants: an entry that does not change keeps its row, with the time and the user of the grant."""

from collections.abc import Collection, Iterator, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, bindparam, delete, func, literal_column, or_, select, update
from sqlalchemy.dialects.postgresql import insert  # SQLite has the same syntax

from app.db import Transaction
from app.db.statements import few_rows
from app.db.tables import Grant, Resource, RowId, User, col
from app.domain import resource_roles
from app.domain.errors import InvalidInput, Problem
from app.domain.resource_roles import SubjectType
from app.domain.viewer import Viewer
from app.query.relations import Keys, among, integers
from app.services import access_index, audit

Grants = Mapping[int, tuple[int, datetime | None]]
"""The mask and the end of the grants on a resource, by subject."""


MAX_ENTRIES = 1_000
"""Groups and users with an entry on one resource."""


def is_counted(subject: int) -> bool:
    """Return whether the entry of a subject counts for `MAX_ENTRIES`: that of a group or a user."""
    return resource_roles.subject_type(subject) in {SubjectType.GROUP, SubjectType.USER}


def number_problems(number: int, before: int) -> Iterator[Problem]:
    """Yield the problem of too many groups and users on one resource; as many as `before` are no problem."""
    if number > max(MAX_ENTRIES, before):
        yield InvalidInput(f"A configuration has at most {MAX_ENTRIES:,} groups and users, not {number:,}.")


def role_problems(mask: int, full_mask: int, *, is_for_anyone: bool) -> Iterator[Problem]:
    """Yield the problems of roles that the type of the resource does not have, or that not everyone can have."""
    if missing := resource_roles.names(mask & ~full_mask):
        yield InvalidInput(f"Resources of this type do not have {', '.join(missing)}.", ("roles",))
    if is_for_anyone and mask & ~resource_roles.READ:
        yield InvalidInput("Anyone, signed in or not, can have read roles only.", ("roles",))


async def load(tx: Transaction, resource: int) -> dict[int, tuple[int, datetime | None]]:
    """Return the grants on a resource."""
    rows = await tx.rows(_SELECT, resource=resource)
    return {subject: (mask, expires_at) for subject, mask, expires_at in rows}


async def count(tx: Transaction, resources: Collection[int]) -> dict[int, int]:
    """Return the numbers of groups and users with an entry on some resources, by their ids; none is left out."""
    of_these = select(col(Grant.resource_id), func.count()).where(among(col(Grant.resource_id), integers(resources)))
    named = or_(col(Grant.group_id).is_not(None), col(Grant.user_id).is_not(None))
    return dict(await tx.rows(of_these.where(named).group_by(col(Grant.resource_id)))) if resources else {}


async def create(tx: Transaction, viewer: Viewer, masks: Mapping[int, int]) -> None:
    """Write the grants of new resources to all signed-in users, by the ids of the resources."""
    await _put(tx, viewer, {(resource, resource_roles.GENERAL): (mask, None) for resource, mask in masks.items()})


async def write(
    tx: Transaction, viewer: Viewer, resource: int, stored: Grants, grants: Grants, removed: Collection[int] = ()
) -> set[int]:
    """Set some grants and delete those of the `removed` subjects; return the subjects whose grants have changed.

    `stored` are all grants on the resource, whose row is locked. If any has changed, the revision of the access
    configuration is incremented. The caller refreshes the access index.
    """
    changed = {subject: grant for subject, grant in grants.items() if stored.get(subject) != grant}
    deleted = {subject for subject in removed if subject in stored and subject not in grants}
    subjects = {*changed, *deleted}
    if subjects:
        await audit.track_links(
            tx, audit.GRANTS, source=[resource], target=subjects, are_new=subjects.isdisjoint(stored)
        )
        if deleted:
            await tx.send(_DELETE, resource=resource, subjects=list(deleted))
        await _put(tx, viewer, {(resource, subject): grant for subject, grant in changed.items()})
        await tx.send(_INCREMENT_REVISION, resource=resource)
    return subjects


async def write_many(
    tx: Transaction, viewer: Viewer, changes: Mapping[tuple[int, int], tuple[int, datetime | None] | None]
) -> None:
    """Set or delete (None) the grants of subjects, by the ids of resource and subject; each change must differ.

    The revisions are incremented and the access index is refreshed. The number of statements is constant.
    """
    resources, subjects = {resource for resource, _ in changes}, {subject for _, subject in changes}
    await audit.track_links(tx, audit.GRANTS, source=resources, target=subjects)
    deleted = [{"resource_id": key[0], "subject": key[1]} for key, grant in changes.items() if grant is None]
    await tx.delete_many(Grant, deleted)
    await _put(tx, viewer, {key: grant for key, grant in changes.items() if grant is not None})
    of_these = among(col(Resource.id), integers(resources))
    await tx.rows(update(Resource).where(of_these).values(revision=col(Resource.revision) + literal_column("1")))
    await access_index.refresh(tx, resources)


async def _put(tx: Transaction, viewer: Viewer, grants: Mapping[tuple[int, int], tuple[int, datetime | None]]) -> None:
    """Insert grants, or update those that exist: one row each, which costs half of deleting and inserting it."""
    common = {"granted_at": tx.now, "granted_by": viewer.user_id or None}
    rows = [
        {**common, "resource": resource, **_columns(subject, *grant)} for (resource, subject), grant in grants.items()
    ]
    await tx.execute_many(_PUT, rows, is_sent=True)


def _columns(subject: int, mask: int, expires_at: datetime | None) -> dict[str, Any]:
    kind, key = resource_roles.subject_type(subject), resource_roles.subject_key(subject)
    return {
        "subject": subject,
        "group_id": key if kind is SubjectType.GROUP else None,
        "user_id": key if kind is SubjectType.USER else None,
        "mask": mask,
        "expires_at": expires_at,
    }


_RESOURCE = bindparam("resource", type_=RowId())
_SELECT = select(col(Grant.subject), col(Grant.mask), col(Grant.expires_at)).where(col(Grant.resource_id) == _RESOURCE)
_DELETE = few_rows(delete(Grant)).where(
    col(Grant.resource_id) == _RESOURCE,
    among(col(Grant.subject), bindparam("subjects", type_=Keys(BigInteger()))),
)
_GRANTED_BY = bindparam("granted_by", type_=RowId())
_INSERT = (
    insert(Grant)
    .inline()
    .values(  # without it, SQLAlchemy adds a RETURNING of the new id
        resource_id=_RESOURCE,
        granted_by=_GRANTED_BY,
        granted_by_name=select(col(User.user_name)).where(col(User.id) == _GRANTED_BY).scalar_subquery(),
        **{
            name: bindparam(name, type_=col(getattr(Grant, name)).type)
            for name in ("subject", "group_id", "user_id", "mask", "expires_at", "granted_at")
        },
    )
)
_PUT = _INSERT.on_conflict_do_update(
    index_elements=[col(Grant.resource_id), col(Grant.subject)],
    set_={
        name: _INSERT.excluded[name] for name in ("mask", "expires_at", "granted_at", "granted_by", "granted_by_name")
    },
)
_INCREMENT_REVISION = (
    update(Resource).where(col(Resource.id) == _RESOURCE).values(revision=col(Resource.revision) + literal_column("1"))
)
