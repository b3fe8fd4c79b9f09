"""Rules for each change of an owner, and for acting as another account.

A deactivated user becomes no owner, and a locked resource keeps its owner and the owner of its org.
"""

from collections.abc import Sequence
from functools import cache

from sqlalchemy import ColumnElement, bindparam, func, select

from app import policy
from app.db import Transaction
from app.db.tables import Lock, Resource, RowId, User, col
from app.domain.errors import Forbidden, InvalidInput, Locked
from app.domain.refs import RowRef
from app.domain.viewer import Viewer
from app.query.relations import Keys, among
from app.services import users

_ABLE = select(col(User.id)).where(
    among(col(User.id), bindparam("keys", type_=Keys(RowId()))), policy.is_active(col(User.id))
)


async def require_able(tx: Transaction, user_id: int, path: Sequence[str | int] = ("owner",)) -> None:
    """Raise InvalidInput for a user who cannot act, and so becomes the owner of nothing.

    The caller holds the user's row, or has written a row that points at it: a deactivation then waits for this
    transaction, and one that came first is seen by this statement.
    """
    if not await load_able(tx, [user_id]):
        raise InvalidInput("This user cannot become an owner.", path)


async def load_able(tx: Transaction, user_ids: Sequence[int]) -> set[int]:
    """Return those of some users who can act."""
    return {row[0] for row in await tx.rows(_ABLE, keys=list(user_ids))}


async def require_unlocked(tx: Transaction, which: ColumnElement[bool], of: str) -> None:
    """Raise Locked with the number of locked resources, if there are any among `which`; `of` is `org` or `user`."""
    locks = select(func.count()).select_from(Lock).join(Resource, col(Resource.id) == col(Lock.resource_id))
    locked = await tx.value(locks.where(which))
    if locked:
        are = f"resource of this {of} is" if locked == 1 else f"resources of this {of} are"
        raise Locked(f"{locked} {are} locked.", (of,))


async def require_no_impersonation(tx: Transaction, viewer: Viewer, user: RowRef) -> int:
    """The id of a user as whom the viewer may act: one who is `managed` and holds no access that the viewer lacks."""
    key = await users.load_managed(tx, viewer, user)
    if key != viewer.user_id and policy.compares_access(viewer):
        holds_more = _holding_more(viewer.permission_profile)
        if await tx.value(holds_more, account=key, **viewer.bind_values, now=tx.now):
            raise Forbidden("This user holds memberships, roles on resources or ownership that you do not hold.")
    return key


_holding_more = cache(policy.holds_more)


async def new_owner(tx: Transaction, viewer: Viewer, user: RowRef) -> int:
    """The id of a user who is to own something, held so that nobody deactivates them meanwhile."""
    key = await users.load_visible(tx, viewer, user, "owner")
    await require_able(tx, key)
    return key
