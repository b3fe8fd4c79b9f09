"""The access index: what it must hold is one SELECT over resources and grants; a change makes its rows anew by it."""

from collections.abc import Iterable
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

from app.db import Transaction, chunks
from app.db.statements import few_rows
from app.db.tables import Access, Grant, Resource, RowId, UTCDateTime, col
from app.domain import resource_roles
from app.domain.resource_roles import SubjectType
from app.query.relations import Keys, among, integers

BATCH_SIZE = 2_000
"""How many resources one statement changes, so that neither their list nor the wait for its end is long."""

COLUMNS = ("resource_id", "subject", "granted", "mask", "type_id", "expires_at", "name_key", "created_at", "updated_at")


def effective(granted: ColumnElement[Any]) -> ColumnElement[Any]:
    """`masks.effective` in SQL, before what the type lacks is taken away."""
    steps: list[ColumnElement[Any]] = [
        case((granted.op("&")(literal_column(str(bit))) != 0, literal_column(str(implied))), else_=literal_column("0"))
        for bit, implied in resource_roles.IMPLIED.items()
    ]
    return reduce(lambda left, right: left.op("|")(right), steps)


def definition(which: ColumnElement[bool] | None = None) -> CompoundSelect[Any]:
    """Every row that the index must hold, of some resources or all: grants, the org, the owner, the registry."""
    full = col(Resource.full_mask)
    arms = [
        _by_grants(),
        _row(_subject(SubjectType.ORG, col(Resource.org_id)), full),
        _row(_subject(SubjectType.OWNER, col(Resource.owner_id)), full).where(col(Resource.owner_id).is_not(None)),
        _row(literal_column(str(resource_roles.REGISTRY), BigInteger), full),
    ]
    return union_all(*(arm if which is None else arm.where(which) for arm in arms))


def _by_grants() -> Any:
    """The rows that follow from entries."""
    mask = effective(col(Grant.mask)).op("&")(col(Resource.full_mask)).label("mask")
    rows = _row(col(Grant.subject), mask, col(Grant.mask), col(Grant.expires_at))
    return rows.join(Grant, col(Grant.resource_id) == col(Resource.id)).where(mask != literal_column("0"))


def _row(
    subject: ColumnElement[Any],
    mask: ColumnElement[Any],
    granted: ColumnElement[Any] | None = None,
    expires_at: ColumnElement[Any] | None = None,
) -> Any:
    end = cast(null(), UTCDateTime) if expires_at is None else expires_at
    at = (col(Resource.name_key), col(Resource.created_at), col(Resource.updated_at))
    return select(
        col(Resource.id), subject, mask if granted is None else granted, mask, col(Resource.type_id), end, *at
    ).select_from(Resource)


def _subject(kind: SubjectType, key: ColumnElement[Any]) -> ColumnElement[Any]:
    made: ColumnElement[Any] = cast(key, BigInteger) * resource_roles.SUBJECT_TYPES + int(kind)
    return made


async def refresh(tx: Transaction, resources: Iterable[int]) -> None:
    """Make the rows of some resources anew, in the transaction that changes them."""
    async for keys in chunks(list(resources), BATCH_SIZE):
        await tx.rows(_TAKE, keys=keys)
        await tx.rows(_MAKE, keys=keys)


async def refresh_entries(tx: Transaction, resource: int, subjects: Iterable[int]) -> None:
    """Make the rows of some subjects anew, where no more has changed than their entries."""
    keys = list(subjects)
    if keys:
        await tx.rows(_TAKE_ENTRIES, key=resource, subjects=keys)
        await tx.rows(_MAKE_ENTRIES, key=resource, subjects=keys)


async def refresh_change(tx: Transaction, resource: int) -> None:
    """Say in the rows of a resource when it was changed, where they tell of nothing else that has."""
    await tx.rows(_CHANGED, key=resource)


_KEYS = bindparam("keys", type_=Keys(RowId()))
_TAKE = delete(Access).where(among(col(Access.resource_id), _KEYS))
_MAKE = insert(Access).from_select(COLUMNS, definition(among(col(Resource.id), _KEYS)))

_KEY = bindparam("key", type_=RowId())
_SUBJECTS = bindparam("subjects", type_=Keys(BigInteger()))
_TAKE_ENTRIES = few_rows(delete(Access)).where(col(Access.resource_id) == _KEY, among(col(Access.subject), _SUBJECTS))
_MAKE_ENTRIES = few_rows(insert(Access)).from_select(
    COLUMNS, _by_grants().where(col(Resource.id) == _KEY, among(col(Grant.subject), _SUBJECTS))
)
_CHANGED = (
    few_rows(update(Access))
    .where(col(Access.resource_id) == _KEY)
    .values(updated_at=select(col(Resource.updated_at)).where(col(Resource.id) == _KEY).scalar_subquery())
)


async def rebuild(tx: Transaction) -> int:
    """Make all rows anew; answers how many there are."""
    await tx.rows(delete(Access))
    await tx.rows(insert(Access).from_select(COLUMNS, definition()))
    counted: int = await tx.value(select(literal_column("count(*)", Integer)).select_from(Access))
    return counted


async def forget(tx: Transaction, kind: SubjectType, key: int) -> int:
    """Take a group or user that is being deleted out of every configuration; answers of how many."""
    subject = resource_roles.subject_id(kind, key)
    given = await tx.rows(delete(Grant).where(col(Grant.subject) == subject).returning(col(Grant.resource_id)))
    found = [row[0] for row in given]
    async for some in chunks(found, BATCH_SIZE):
        changed = among(col(Resource.id), integers(some))
        await tx.rows(update(Resource).where(changed).values(revision=col(Resource.revision) + 1))
    await tx.rows(delete(Access).where(col(Access.subject) == subject))
    return len(found)
