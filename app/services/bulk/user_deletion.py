"""Users in bulk: deleting them."""

from collections.abc import Sequence

from sqlalchemy import select

from app import policy
from app.db import Transaction
from app.db.tables import Role, User, UserRole, col
from app.domain.refs import RowRef
from app.domain.viewer import Permission, Viewer
from app.services import bulk, roles, user_deletion, user_refs, users, validation
from app.services.bulk import OnMissing, Result


async def delete_users(tx: Transaction, viewer: Viewer, refs: Sequence[RowRef], on_missing: OnMissing) -> list[Result]:
    """Delete users with all their memberships and grants; what they own has no owner then.

    Needs USERS_MANAGE, and every permission of the users. One active administrator must remain.
    """
    policy.require(viewer, Permission.USERS_MANAGE)
    bulk.require_number("users", len(refs))
    await tx.lock("admins")
    keys, admins = await _load_managed(tx, viewer, refs)
    policy.require_local_accounts(viewer)
    results = bulk.select_removals(tx, "users", keys, on_missing, lambda _: users.user_not_found(()), "user")
    if not (ids := bulk.removed_keys(results)):
        return results
    await user_deletion.lock_and_track(tx, ids, "users")
    await user_deletion.delete_rows(tx, ids)
    await roles.require_an_admin(tx, *(("users", at) for at, key in enumerate(keys) if key in admins))
    return results


async def _load_managed(tx: Transaction, viewer: Viewer, refs: Sequence[RowRef]) -> tuple[list[int | None], set[int]]:
    """Return the ids of users whom the viewer manages, their rows locked, None for no such user; and who are admins."""
    normalized = validation.normalize_refs(refs)
    rows = await tx.rows(
        select(*user_refs.key_columns(viewer), col(Role.name_key), col(Role.permissions))
        .select_from(User)
        .outerjoin(UserRole, col(UserRole.user_id) == col(User.id))
        .outerjoin(Role, col(Role.id) == col(UserRole.role_id))
        .where(user_refs.matches_any(viewer, normalized))
        .order_by(col(User.id))
        .with_for_update(of=User),
        **viewer.bind_values,
    )
    policy.require_equal_rights(viewer, roles.combine_permissions(mask for *_, mask in rows), "One of these users")
    by_ref = user_refs.ids_by_ref(rows)
    admins = {row[0] for row in rows if row[3] == roles.ADMIN}
    return [by_ref.get(ref) for ref in normalized], admins
