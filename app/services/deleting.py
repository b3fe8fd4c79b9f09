"""Deleting a user, and what becomes of what they own."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import delete, select, update

from app import masks, policy
from app.auth import Viewer
from app.db import Transaction
from app.errors import InvalidInput
from app.masks import Kind
from app.services import audit, index, owning, roles, users
from app.services.roles import Way
from app.sources import among, integers
from app.tables import Access, Org, OrgMember, Resource, User, col


@dataclass(frozen=True, slots=True)
class Deleted:
    """A user who is gone: the id and the name that she had, who succeeds her, and how much went to that one."""

    id: int
    user_name: str
    successor: str | None = None
    orgs: int = 0
    resources: int = 0


async def delete_user(tx: Transaction, viewer: Viewer, user: Way, successor: Way | None = None) -> Deleted:
    """Delete a user with all they hold. What they owned goes to the successor, or is nobody's.

    To name a successor gives what the user holds, and so needs as much as to act as the user.
    """
    key = await users.managed(tx, viewer, user) if successor is None else await owning.impersonated(tx, viewer, user)
    policy.require_accounts_here(viewer)
    heir = None if successor is None else await users.found(tx, viewer, successor, "successor")
    if heir == key:
        raise InvalidInput("A user does not succeed herself.", ("successor",))
    hers = select(col(Org.id)).where(col(Org.owner_id) == key).order_by(col(Org.id))
    # Orgs are held before resources: see `holding`.
    orgs = [row[0] for row in await tx.rows(hers.with_for_update(key_share=True))]
    owned = select(col(Resource.id)).where(col(Resource.owner_id) == key).order_by(col(Resource.id))
    # Else a change that is under way writes her into the index again.
    resources = [row[0] for row in await tx.rows(owned.with_for_update())]
    theirs = (col(Resource.owner_id) == key) | among(col(Resource.org_id), integers(orgs))
    await owning.require_unlocked(tx, theirs, "user")
    if heir is not None:
        await owning.require_able(tx, heir, ("successor",))
    await _note_all(tx, key, heir, orgs, resources)
    deleted = Deleted(key, await users.name_by_id(tx, key)) if heir is None else await _bequeath(tx, key, heir)
    await index.forget(tx, Kind.USER, key)
    await tx.rows(delete(Access).where(col(Access.subject) == masks.subject(Kind.OWNER, key)))
    await tx.rows(delete(User).where(col(User.id) == key))
    await roles.keep_an_admin(tx, "user")
    return deleted


async def _note_all(tx: Transaction, key: int, heir: int | None, orgs: Sequence[int], resources: Sequence[int]) -> None:
    """Note all that a user's deletion reaches, for the audit log."""
    await audit.touches(tx, audit.ORG, orgs)
    await audit.touches(tx, audit.RESOURCE, resources)
    await audit.ties(tx, audit.ORG_MEMBERS, to=[key])
    await audit.ties(tx, audit.GROUP_MEMBERS, to=[key])
    await audit.ties(tx, audit.GRANTS, to=[masks.subject(Kind.USER, key)])
    if heir is not None and orgs:
        await audit.ties(tx, audit.ORG_MEMBERS, of=orgs, to=[heir])


async def _bequeath(tx: Transaction, key: int, heir: int) -> Deleted:
    """Make the heir the owner of what a user owns; the owner of an org is no member of it."""
    orgs = await tx.rows(
        update(Org).where(col(Org.owner_id) == key).values(owner_id=heir).returning(col(Org.id)),
    )
    of_these = among(col(OrgMember.org_id), integers(row[0] for row in orgs))
    await tx.rows(delete(OrgMember).where(col(OrgMember.user_id) == heir, of_these))
    owned = await tx.rows(
        update(Resource).where(col(Resource.owner_id) == key).values(owner_id=heir).returning(col(Resource.id)),
    )
    await index.refresh(tx, [row[0] for row in owned])
    return Deleted(key, await users.name_by_id(tx, key), await users.name_by_id(tx, heir), len(orgs), len(owned))
