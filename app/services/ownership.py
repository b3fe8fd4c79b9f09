"""Rules for every change of an owner, and for acting as another user.

A deactivated user cannot become an owner. A locked resource keeps its owner and the owner of its org.
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

_ACTIVE = select(col(User.id)).where(
    among(col(User.id), bindparam("keys", type_=Keys(RowId()))), policy.is_active(col(User.id))
)


async def require_active(tx: Transaction, user_id: int, path: Sequence[str | int] = ("owner",)) -> None:
    """Raise InvalidInput if a future owner is deactivated.

    The caller has locked the user's row, or has written a row that refers to it. So a concurrent deactivation either
    waits for this transaction, or has committed and is visible here.
    """
    if not await load_active(tx, [user_id]):
        raise InvalidInput("This user cannot become an owner.", path)


async def load_active(tx: Transaction, user_ids: Sequence[int]) -> set[int]:
    """Return the ids of the users who are not deactivated."""
    return {row[0] for row in await tx.rows(_ACTIVE, keys=list(user_ids))}


async def require_unlocked(tx: Transaction, condition: ColumnElement[bool], what: str) -> None:
    """Raise Locked if resources that match the condition are locked; `what` is `org`, `user` or `users`."""
    locks = select(func.count()).select_from(Lock).join(Resource, col(Resource.id) == col(Lock.resource_id))
    number = await tx.value(locks.where(condition))
    if number:
        these = f"{'these' if what == 'users' else 'this'} {what}"
        subject = f"resource of {these} is" if number == 1 else f"resources of {these} are"
        raise Locked(f"{number:,} {subject} locked. Unlock {'it' if number == 1 else 'them'} first.", (what,))


async def require_no_impersonation(tx: Transaction, viewer: Viewer, user: RowRef) -> int:
    """Return the id of a user whom the viewer manages and who has no access that the viewer lacks.

    Raise Forbidden for a user with more access: to act as that user would give the access to the viewer.
    """
    key = await users.load_managed(tx, viewer, user)
    if key != viewer.user_id and policy.compares_access(viewer):
        holds_more = _select_holds_more(viewer.permission_profile)
        if await tx.value(holds_more, account=key, **viewer.bind_values, now=tx.now):
            raise Forbidden("This user holds memberships, roles on resources or ownership that you do not hold.")
    return key


_select_holds_more = cache(policy.holds_more)


async def load_new_owner(tx: Transaction, viewer: Viewer, user: RowRef) -> int:
    """Return the id of a future owner; the row is locked, so that the user is not deactivated meanwhile."""
    key = await users.load_visible(tx, viewer, user, "owner")
    await require_active(tx, key)
    return key
