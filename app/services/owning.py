"""Rules for each change of an owner: a deactivated user becomes none, and a locked resource keeps those it has."""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, Integer, bindparam, func, select

from app import policy
from app.db import Transaction
from app.errors import InvalidInput, Locked
from app.tables import Lock, Resource, User, col

_ABLE = select(col(User.id)).where(col(User.id) == bindparam("key", type_=Integer()), policy.is_active(col(User.id)))


async def require_able(tx: Transaction, user_id: int, path: Sequence[str | int] = ("owner",)) -> None:
    """Raise InvalidInput for a user who cannot act, and so becomes the owner of nothing.

    The caller holds the user's row, or has written a row that points at it: a deactivation then waits for this
    transaction, and one that came first is seen by this statement.
    """
    if await tx.value(_ABLE, key=user_id) is None:
        raise InvalidInput("This user cannot become an owner.", path)


async def require_unlocked(tx: Transaction, which: ColumnElement[bool], of: str) -> None:
    """Raise Locked with the number of locked resources, if there are any among `which`; `of` is `org` or `user`."""
    locks = select(func.count()).select_from(Lock).join(Resource, col(Resource.id) == col(Lock.resource_id))
    locked = await tx.value(locks.where(which))
    if locked:
        are = f"resource of this {of} is" if locked == 1 else f"resources of this {of} are"
        raise Locked(f"{locked} {are} locked.", (of,))
