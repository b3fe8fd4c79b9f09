"""Adding and removing single system roles of a user, and deactivating users, who keep their other roles."""

from collections.abc import Iterable, Sequence

from sqlalchemy import delete

from app import policy
from app.db import Transaction
from app.db.tables import UserRole, casefold_key, col
from app.domain.errors import NotFound
from app.domain.refs import RowRef
from app.domain.viewer import DEACTIVATED, Permission, Viewer
from app.query.relations import among, integers
from app.services import audit, roles, users, validation
from app.services.roles import ADMIN, RolesByKey


async def add_roles(tx: Transaction, viewer: Viewer, user: RowRef, names: Sequence[str]) -> int:
    """Add roles to those of a user, and return the user's id; roles that the user has already make no difference.

    Needs USERS_MANAGE, and every permission of the user and of the roles.
    """
    key = await _load_local(tx, viewer, user)
    await _add(tx, viewer, key, names, await _load_roles(tx, names), "roles")
    return key


async def remove_roles(tx: Transaction, viewer: Viewer, user: RowRef, names: Sequence[str]) -> int:
    """Remove roles of a user, and return the user's id; roles that the user does not have make no difference.

    Needs USERS_MANAGE, and every permission of the user.
    """
    key = await _load_local(tx, viewer, user)
    await _remove(tx, key, await _load_roles(tx, names))
    return key


async def deactivate_user(tx: Transaction, viewer: Viewer, user: RowRef) -> int:
    """Add the role `deactivated`, and return the user's id. All other roles stay."""
    key = await _load_local(tx, viewer, user)
    await _add(tx, viewer, key, [DEACTIVATED], await roles.load_by_name(tx, [DEACTIVATED]), "user")
    return key


async def reactivate_user(tx: Transaction, viewer: Viewer, user: RowRef) -> int:
    """Remove the role `deactivated`, and return the user's id. All other roles are valid again."""
    key = await _load_local(tx, viewer, user)
    await _remove(tx, key, [DEACTIVATED])
    return key


async def _load_local(tx: Transaction, viewer: Viewer, user: RowRef) -> int:
    """Return the id of a user whom the viewer manages. No other transaction changes roles of users until the end."""
    policy.require(viewer, Permission.USERS_MANAGE)
    policy.require_local_accounts(viewer)
    return await users.load_managed(tx, viewer, user)


async def _load_roles(tx: Transaction, names: Sequence[str]) -> RolesByKey:
    """Return the roles with these names; raise Problems with a NotFound for each unknown name."""
    roles_by_key = await roles.load_by_name(tx, names)
    validation.raise_problems(
        [
            NotFound(f"There is no role `{name}`.", ("roles", at))
            for at, name in enumerate(names)
            if casefold_key(name) not in roles_by_key
        ]
    )
    return roles_by_key


async def _add(
    tx: Transaction, viewer: Viewer, key: int, names: Sequence[str], roles_by_key: RolesByKey, path: str
) -> None:
    current, _ = await roles.load_of_user(tx, key)
    names_by_key = {role: name for name in names if (role := casefold_key(name)) not in current}
    for role, name in names_by_key.items():
        policy.require_equal_rights(viewer, roles_by_key[role][1], f"The role `{name}`")
    if not names_by_key:
        audit.discard(tx)
        return
    await roles.assign(tx, [(key, roles_by_key[role][0]) for role in names_by_key])
    if DEACTIVATED in names_by_key and ADMIN in current:
        await roles.require_an_admin(tx, (path,))


async def _remove(tx: Transaction, key: int, role_keys: Iterable[str]) -> None:
    current, _ = await roles.load_of_user(tx, key)
    removed = {role: current[role] for role in role_keys if role in current}
    if not removed:
        audit.discard(tx)
        return
    is_removed = among(col(UserRole.role_id), integers(removed.values()))
    await tx.rows(delete(UserRole).where(col(UserRole.user_id) == key, is_removed))
    if ADMIN in removed and DEACTIVATED not in current:
        await roles.require_an_admin(tx)
