"""The access index. One SELECT over resources and grants defines its rows; a change recomputes the rows it affects."""

from collections.abc import Collection, Iterable, Sequence
from functools import reduce
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    CompoundSelect,
    Integer,
    bindparam,
    case,
    cast,
    delete,
    insert,
    literal_column,
    null,
    select,
    union_all,
    update,
)
from sqlalchemy.dialects import postgresql

from app import policy
from app.db import Transaction, chunks
from app.db.statements import few_rows
from app.db.tables import Access, Grant, Resource, RowId, UTCDateTime, col
from app.domain import resource_roles
from app.domain.resource_roles import SubjectType
from app.query.relations import Keys, among, integers

BATCH_SIZE = 2_000
"""Resources that one statement changes: a limit on its parameters and on the time that other writers wait."""

COLUMNS = ("resource_id", "subject", "granted", "mask", "type_id", "expires_at", "name_key", "created_at", "updated_at")


_ZERO = literal_column("0", Integer)


def effective(granted: ColumnElement[Any]) -> ColumnElement[Any]:
    """Return `resource_roles.effective` in SQL, for any type: roles that the type does not have are still set."""
    steps: list[ColumnElement[Any]] = [
        case((granted.op("&")(literal_column(str(bit))) != _ZERO, literal_column(str(implied))), else_=_ZERO)
        for bit, implied in resource_roles.IMPLIED.items()
    ]
    return reduce(lambda left, right: left.op("|")(right), steps)


def definition(condition: ColumnElement[bool] | None = None) -> CompoundSelect[Any]:
    """Return every row that the index must have, of some resources or all: by grant, org, owner or RESOURCES_MANAGE."""
    full = col(Resource.full_mask)
    parts = [
        _by_grants(),
        _row(policy.subject_id(SubjectType.ORG, col(Resource.org_id)), full),
        _row(policy.subject_id(SubjectType.OWNER, col(Resource.owner_id)), full).where(
            col(Resource.owner_id).is_not(None)
        ),
        _row(literal_column(str(resource_roles.REGISTRY), BigInteger), full),
    ]
    return union_all(*(part if condition is None else part.where(condition) for part in parts))


def _by_grants() -> Any:
    mask = effective(col(Grant.mask)).op("&")(col(Resource.full_mask)).label("mask")
    rows = _row(col(Grant.subject), mask, col(Grant.mask), col(Grant.expires_at))
    return rows.join(Grant, col(Grant.resource_id) == col(Resource.id)).where(mask != _ZERO)


def _row(
    subject: ColumnElement[Any],
    mask: ColumnElement[Any],
    granted: ColumnElement[Any] | None = None,
    expires_at: ColumnElement[Any] | None = None,
) -> Any:
    end = cast(null(), UTCDateTime) if expires_at is None else expires_at
    sort_keys = (col(Resource.name_key), col(Resource.created_at), col(Resource.updated_at))
    return select(
        col(Resource.id), subject, mask if granted is None else granted, mask, col(Resource.type_id), end, *sort_keys
    ).select_from(Resource)


async def refresh(tx: Transaction, resources: Iterable[int]) -> None:
    """Recompute the rows of some resources, in the transaction that changes them."""
    async for keys in chunks(list(resources), BATCH_SIZE):
        await tx.send(_DELETE, keys=keys)
        await tx.send(_INSERT, keys=keys)


async def refresh_entries(tx: Transaction, resource: int, subjects: Collection[int], empty: Collection[int]) -> None:
    """Recompute the rows of some subjects of a resource, when only their grants have changed.

    `empty` are those of the subjects that have no grant, or one without roles; every other one has a row.
    """
    if empty:
        await tx.send(_DELETE_ENTRIES, key=resource, subjects=list(empty))
    if len(empty) < len(subjects):
        await tx.send(_PUT_ENTRIES, key=resource, subjects=list(subjects))


async def refresh_change(tx: Transaction, resource: int) -> None:
    """Copy the resource's time of change into its rows, when nothing else in them has changed."""
    await tx.send(_UPDATE_CHANGED_AT, key=resource)


_KEYS = bindparam("keys", type_=Keys(RowId()))
_DELETE = delete(Access).where(among(col(Access.resource_id), _KEYS))
_INSERT = insert(Access).from_select(COLUMNS, definition(among(col(Resource.id), _KEYS)))

_KEY = bindparam("key", type_=RowId())
_SUBJECTS = bindparam("subjects", type_=Keys(BigInteger()))
_DELETE_ENTRIES = few_rows(delete(Access)).where(col(Access.resource_id) == _KEY, among(col(Access.subject), _SUBJECTS))
_INSERT_ENTRIES = few_rows(postgresql.insert(Access)).from_select(
    COLUMNS, _by_grants().where(col(Resource.id) == _KEY, among(col(Grant.subject), _SUBJECTS))
)
# SQLite has the same syntax. An update touches one index of the table, a DELETE and an INSERT all of them.
_PUT_ENTRIES = _INSERT_ENTRIES.on_conflict_do_update(
    index_elements=[col(Access.resource_id), col(Access.subject)],
    set_={name: _INSERT_ENTRIES.excluded[name] for name in ("granted", "mask", "expires_at")},
)
_UPDATE_CHANGED_AT = (
    few_rows(update(Access))
    .where(col(Access.resource_id) == _KEY)
    .values(updated_at=select(col(Resource.updated_at)).where(col(Resource.id) == _KEY).scalar_subquery())
)


async def rebuild(tx: Transaction) -> int:
    """Recompute all rows and return their number."""
    await tx.rows(delete(Access))
    await tx.rows(insert(Access).from_select(COLUMNS, definition()))
    number: int = await tx.value(select(literal_column("count(*)", Integer)).select_from(Access))
    return number


async def forget_subjects(tx: Transaction, subjects: Sequence[int]) -> int:
    """Delete all grants of subjects that are about to be deleted; return the number of resources that had one."""
    these = integers(subjects)
    rows = await tx.rows(delete(Grant).where(among(col(Grant.subject), these)).returning(col(Grant.resource_id)))
    resources = [*dict.fromkeys(row[0] for row in rows)]
    async for batch in chunks(resources, BATCH_SIZE):
        in_batch = among(col(Resource.id), integers(batch))
        await tx.rows(update(Resource).where(in_batch).values(revision=col(Resource.revision) + 1))
    await tx.rows(delete(Access).where(among(col(Access.subject), these)))
    return len(resources)
