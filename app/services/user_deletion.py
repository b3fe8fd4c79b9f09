"""Deletion of a user, and the transfer of everything they own."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import delete, select, update

from app import policy
from app.db import Transaction
from app.db.tables import Access, Org, OrgMember, Resource, User, col
from app.domain import resource_roles
from app.domain.errors import InvalidInput
from app.domain.refs import RowRef
from app.domain.resource_roles import SubjectType
from app.domain.viewer import Viewer
from app.query.relations import among, integers
from app.services import access_index, audit, ownership, roles, users


@dataclass(frozen=True, slots=True)
class DeletedUser:
    """A deleted user, the successor's name, and the numbers of orgs and resources that the successor received."""

    id: int
    user_name: str
    successor: str | None = None
    orgs: int = 0
    resources: int = 0


async def delete_user(tx: Transaction, viewer: Viewer, user: RowRef, successor: RowRef | None = None) -> DeletedUser:
    """Delete a user with all their memberships and grants. The successor, if any, becomes the owner of all they own.

    A successor receives the user's rights, so naming one needs the same rights as acting as the user.
    """
    key = (
        await users.load_managed(tx, viewer, user)
        if successor is None
        else await ownership.require_no_impersonation(tx, viewer, user)
    )
    policy.require_local_accounts(viewer)
    successor_id = None if successor is None else await users.load_visible(tx, viewer, successor, "successor")
    if successor_id == key:
        raise InvalidInput("`successor` must be another user.", ("successor",))
    owned_orgs = select(col(Org.id)).where(col(Org.owner_id) == key).order_by(col(Org.id))
    # Orgs are locked before resources: see `org_locks`.
    orgs = [row[0] for row in await tx.rows(owned_orgs.with_for_update(key_share=True))]
    owned = select(col(Resource.id)).where(col(Resource.owner_id) == key).order_by(col(Resource.id))
    # Without the row locks a concurrent change could add the deleted user to the access index again.
    resources = [row[0] for row in await tx.rows(owned.with_for_update())]
    is_affected = (col(Resource.owner_id) == key) | among(col(Resource.org_id), integers(orgs))
    await ownership.require_unlocked(tx, is_affected, "user")
    if successor_id is not None:
        await ownership.require_active(tx, successor_id, ("successor",))
    await _track_all(tx, key, successor_id, orgs, resources)
    deleted = (
        DeletedUser(key, await users.name_by_id(tx, key))
        if successor_id is None
        else await transfer_ownership(tx, key, successor_id)
    )
    await access_index.forget(tx, SubjectType.USER, key)
    await tx.rows(delete(Access).where(col(Access.subject) == resource_roles.subject_id(SubjectType.OWNER, key)))
    await tx.rows(delete(User).where(col(User.id) == key))
    await roles.require_an_admin(tx, ("user",))
    return deleted


async def _track_all(
    tx: Transaction, key: int, successor_id: int | None, orgs: Sequence[int], resources: Sequence[int]
) -> None:
    """Track everything that the deletion of a user changes, for the audit log."""
    await audit.track(tx, audit.ORG, orgs)
    await audit.track(tx, audit.RESOURCE, resources)
    await audit.track_links(tx, audit.ORG_MEMBERS, to=[key])
    await audit.track_links(tx, audit.GROUP_MEMBERS, to=[key])
    await audit.track_links(tx, audit.GRANTS, to=[resource_roles.subject_id(SubjectType.USER, key)])
    if successor_id is not None and orgs:
        await audit.track_links(tx, audit.ORG_MEMBERS, of=orgs, to=[successor_id])


async def transfer_ownership(tx: Transaction, key: int, successor_id: int) -> DeletedUser:
    """Make the successor the owner of everything a user owns. The owner of an org is no longer its member."""
    orgs = await tx.rows(
        update(Org).where(col(Org.owner_id) == key).values(owner_id=successor_id).returning(col(Org.id))
    )
    of_these = among(col(OrgMember.org_id), integers(row[0] for row in orgs))
    await tx.rows(delete(OrgMember).where(col(OrgMember.user_id) == successor_id, of_these))
    owned = await tx.rows(
        update(Resource).where(col(Resource.owner_id) == key).values(owner_id=successor_id).returning(col(Resource.id))
    )
    await access_index.refresh(tx, [row[0] for row in owned])
    return DeletedUser(
        key, await users.name_by_id(tx, key), await users.name_by_id(tx, successor_id), len(orgs), len(owned)
    )
