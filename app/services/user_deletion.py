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
    """A deleted user, the successor's name, and the numbers of orgs and resources that the successor received.

    Without a successor, `ownerless_orgs` and `ownerless_resources` are those that no user owns now.
    """

    id: int
    user_name: str
    successor: str | None = None
    orgs: int = 0
    resources: int = 0
    ownerless_orgs: int = 0
    ownerless_resources: int = 0


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
    orgs, resources = await lock_and_track(tx, [key], "user")
    if successor_id is not None:
        await ownership.require_active(tx, successor_id, ("successor",))
        if orgs:
            await audit.track_links(tx, audit.ORG_MEMBERS, source=orgs, target=[successor_id])
    deleted = (
        DeletedUser(key, await users.name_by_id(tx, key), ownerless_orgs=len(orgs), ownerless_resources=len(resources))
        if successor_id is None
        else await transfer_ownership(tx, key, successor_id)
    )
    await delete_rows(tx, [key])
    await roles.require_an_admin(tx, ("user",))
    return deleted


async def lock_and_track(tx: Transaction, ids: Sequence[int], noun: str) -> tuple[list[int], list[int]]:
    """Lock what users own, and track everything that their deletion changes. Return the ids of orgs and resources.

    Raise Locked if one of their resources, or a resource of their orgs, is locked; `noun` is `user` or `users`.
    """
    of_orgs = select(col(Org.id)).where(among(col(Org.owner_id), integers(ids))).order_by(col(Org.id))
    # Orgs are locked before resources: see `row_locks`.
    orgs = [row[0] for row in await tx.rows(of_orgs.with_for_update(key_share=True))]
    of_resources = select(col(Resource.id)).where(among(col(Resource.owner_id), integers(ids)))
    # Without the row locks a concurrent change could add a deleted user to the access index again.
    resources = [row[0] for row in await tx.rows(of_resources.order_by(col(Resource.id)).with_for_update())]
    is_affected = among(col(Resource.owner_id), integers(ids)) | among(col(Resource.org_id), integers(orgs))
    await ownership.require_unlocked(tx, is_affected, noun)
    await audit.track(tx, audit.USER, ids)
    await audit.track(tx, audit.ORG, orgs)
    await audit.track(tx, audit.RESOURCE, resources)
    await audit.track_links(tx, audit.ORG_MEMBERS, target=ids)
    await audit.track_links(tx, audit.GROUP_MEMBERS, target=ids)
    await audit.track_links(tx, audit.GRANTS, target=_subjects(SubjectType.USER, ids))
    return orgs, resources


async def delete_rows(tx: Transaction, ids: Sequence[int]) -> None:
    """Delete users, their grants, and their rows of the access index."""
    await access_index.forget_subjects(tx, _subjects(SubjectType.USER, ids))
    await tx.rows(delete(Access).where(among(col(Access.subject), integers(_subjects(SubjectType.OWNER, ids)))))
    await tx.rows(delete(User).where(among(col(User.id), integers(ids))))


def _subjects(kind: SubjectType, ids: Sequence[int]) -> list[int]:
    return [resource_roles.subject_id(kind, key) for key in ids]


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
