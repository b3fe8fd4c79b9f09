"""Deleting a user, and what becomes of what they own."""

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
    """A user who is gone: the id and the name that she had, who succeeds her, and how much went to that one."""

    id: int
    user_name: str
    successor: str | None = None
    orgs: int = 0
    resources: int = 0


async def delete_user(tx: Transaction, viewer: Viewer, user: RowRef, successor: RowRef | None = None) -> DeletedUser:
    """Delete a user with all they hold. What they owned goes to the successor, or is nobody's.

    To name a successor gives what the user holds, and so needs as much as to act as the user.
    """
    key = (
        await users.load_managed(tx, viewer, user)
        if successor is None
        else await ownership.require_no_impersonation(tx, viewer, user)
    )
    policy.require_local_accounts(viewer)
    heir = None if successor is None else await users.load_visible(tx, viewer, successor, "successor")
    if heir == key:
        raise InvalidInput("A user does not succeed herself.", ("successor",))
    hers = select(col(Org.id)).where(col(Org.owner_id) == key).order_by(col(Org.id))
    # Orgs are held before resources: see `holding`.
    orgs = [row[0] for row in await tx.rows(hers.with_for_update(key_share=True))]
    owned = select(col(Resource.id)).where(col(Resource.owner_id) == key).order_by(col(Resource.id))
    # Else a change that is under way writes her into the index again.
    resources = [row[0] for row in await tx.rows(owned.with_for_update())]
    theirs = (col(Resource.owner_id) == key) | among(col(Resource.org_id), integers(orgs))
    await ownership.require_unlocked(tx, theirs, "user")
    if heir is not None:
        await ownership.require_able(tx, heir, ("successor",))
    await _note_all(tx, key, heir, orgs, resources)
    deleted = (
        DeletedUser(key, await users.name_by_id(tx, key)) if heir is None else await transfer_ownership(tx, key, heir)
    )
    await access_index.forget(tx, SubjectType.USER, key)
    await tx.rows(delete(Access).where(col(Access.subject) == resource_roles.subject_id(SubjectType.OWNER, key)))
    await tx.rows(delete(User).where(col(User.id) == key))
    await roles.keep_an_admin(tx, "user")
    return deleted


async def _note_all(tx: Transaction, key: int, heir: int | None, orgs: Sequence[int], resources: Sequence[int]) -> None:
    """Note all that a user's deletion reaches, for the audit log."""
    await audit.track(tx, audit.ORG, orgs)
    await audit.track(tx, audit.RESOURCE, resources)
    await audit.track_links(tx, audit.ORG_MEMBERS, to=[key])
    await audit.track_links(tx, audit.GROUP_MEMBERS, to=[key])
    await audit.track_links(tx, audit.GRANTS, to=[resource_roles.subject_id(SubjectType.USER, key)])
    if heir is not None and orgs:
        await audit.track_links(tx, audit.ORG_MEMBERS, of=orgs, to=[heir])


async def transfer_ownership(tx: Transaction, key: int, heir: int) -> DeletedUser:
    """Make the heir the owner of what a user owns; the owner of an org is no member of it."""
    orgs = await tx.rows(
        update(Org).where(col(Org.owner_id) == key).values(owner_id=heir).returning(col(Org.id)),
    )
    of_these = among(col(OrgMember.org_id), integers(row[0] for row in orgs))
    await tx.rows(delete(OrgMember).where(col(OrgMember.user_id) == heir, of_these))
    owned = await tx.rows(
        update(Resource).where(col(Resource.owner_id) == key).values(owner_id=heir).returning(col(Resource.id)),
    )
    await access_index.refresh(tx, [row[0] for row in owned])
    return DeletedUser(key, await users.name_by_id(tx, key), await users.name_by_id(tx, heir), len(orgs), len(owned))
