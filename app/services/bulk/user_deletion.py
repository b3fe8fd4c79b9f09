"""Users in bulk: deleting them."""

from collections.abc import Sequence

from sqlalchemy import delete, select

from app import policy
from app.db import Transaction
from app.db.tables import Access, Org, Resource, Role, User, UserRole, col
from app.domain import resource_roles
from app.domain.refs import RowRef
from app.domain.resource_roles import SubjectType
from app.domain.viewer import Permission, Viewer
from app.query.relations import among, integers
from app.services import access_index, audit, bulk, ownership, roles, user_refs, users, validation
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
    await _track_and_lock(tx, ids)
    await access_index.forget_subjects(tx, _subjects(SubjectType.USER, ids))
    await tx.rows(delete(Access).where(among(col(Access.subject), integers(_subjects(SubjectType.OWNER, ids)))))
    await tx.rows(delete(User).where(among(col(User.id), integers(ids))))
    await roles.require_an_admin(tx, *(("users", at) for at, key in enumerate(keys) if key in admins))
    return results


def _subjects(kind: SubjectType, ids: Sequence[int]) -> list[int]:
    return [resource_roles.subject_id(kind, key) for key in ids]


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


async def _track_and_lock(tx: Transaction, ids: Sequence[int]) -> None:
    """Lock what the users own, orgs before resources, and track everything that their deletion changes."""
    of_orgs = select(col(Org.id)).where(among(col(Org.owner_id), integers(ids))).order_by(col(Org.id))
    orgs = [row[0] for row in await tx.rows(of_orgs.with_for_update(key_share=True))]
    of_resources = select(col(Resource.id)).where(among(col(Resource.owner_id), integers(ids)))
    resources = [row[0] for row in await tx.rows(of_resources.order_by(col(Resource.id)).with_for_update())]
    is_affected = among(col(Resource.owner_id), integers(ids)) | among(col(Resource.org_id), integers(orgs))
    await ownership.require_unlocked(tx, is_affected, "users")
    await audit.track(tx, audit.USER, ids)
    await audit.track(tx, audit.ORG, orgs)
    await audit.track(tx, audit.RESOURCE, resources)
    await audit.track_links(tx, audit.ORG_MEMBERS, to=ids)
    await audit.track_links(tx, audit.GROUP_MEMBERS, to=ids)
    await audit.track_links(tx, audit.GRANTS, to=_subjects(SubjectType.USER, ids))
