"""Creating, updating, transferring and deleting orgs, and their members."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import Delete, Select, delete, insert, not_, null, or_, select, update
from sqlalchemy import bindparam as bound

from app import policy
from app.db import Transaction, UniqueViolation
from app.db.tables import Org, OrgMember, Resource, RowId, col, sort_key
from app.domain.errors import Conflict, Forbidden, NotFound, Problem
from app.domain.refs import RowRef
from app.domain.resource_roles import MemberLevel
from app.domain.viewer import Permission, Viewer
from app.query.relations import Condition, among, flag_sql, integers, texts
from app.services import audit, expiry, members, ownership, row_locks, users, validation


@dataclass(frozen=True, slots=True)
class OrgCreate:
    """Values of a new org. The owner None means the viewer."""

    slug: str
    name: str
    description: str = ""
    is_public: bool = False
    owner: RowRef | None = None


@dataclass(frozen=True, slots=True)
class OrgUpdate:
    """New values of an org; None leaves a value unchanged."""

    name: str | None = None
    description: str | None = None
    is_public: bool | None = None

    @property
    def values(self) -> dict[str, Any]:
        """Return the columns to set."""
        columns = {"name": self.name, "description": self.description, "is_public": self.is_public}
        values: dict[str, Any] = {column: value for column, value in columns.items() if value is not None}
        return values if self.name is None else values | {"name_key": sort_key(self.name)}


@dataclass(frozen=True, slots=True)
class Membership:
    """Level and end of a membership. In an update, the level None and `keeps_end` leave the value unchanged.

    `if_current` is the membership that the client has read; another one by now is a conflict.
    """

    level: MemberLevel | None = None
    expires_at: datetime | None = None
    keeps_end: bool = False
    if_current: members.MemberState | None = None


@dataclass(frozen=True, slots=True)
class OrgForUpdate:
    """A locked org that the viewer may see, with the result of a permission check."""

    id: int
    owner_id: int | None
    is_permitted: bool
    until: datetime | None = None
    """End of the viewer's right to manage the members; None for no end, and for other rights."""


class OwnerIsNoMember(Conflict):
    """The owner of an org cannot be its member. The REST API has its own status for this case."""


async def create_org(tx: Transaction, viewer: Viewer, new: OrgCreate) -> int:
    """Create an org and return its id; needs ORGS_CREATE, and ORGS_MANAGE for another owner."""
    user_id = policy.require(viewer, Permission.ORGS_CREATE)
    owner_id = user_id if new.owner is None else await users.load_visible(tx, viewer, new.owner, "owner")
    if owner_id != user_id:
        policy.require(viewer, Permission.ORGS_MANAGE)
    validation.raise_problems([*slug_problems(new.slug), *text_problems(new.name.strip(), new.description)])
    try:
        key = int(await tx.value(insert(Org).values(**row(tx, new, owner_id)).returning(col(Org.id))))
    except UniqueViolation:
        raise slug_conflict(new.slug) from None
    await ownership.require_active(tx, owner_id)
    audit.track_new(tx, audit.ORG, [key])
    return key


def row(tx: Transaction, new: OrgCreate, owner_id: int | None) -> dict[str, Any]:
    """Return the columns of a new org."""
    name = new.name.strip()
    return {
        "slug": new.slug,
        "name": name,
        "name_key": sort_key(name),
        "description": new.description,
        "owner_id": owner_id,
        "is_public": new.is_public,
        "created_at": tx.now,
    }


def slug_problems(slug: str) -> Iterator[Problem]:
    """Yield the problems of a new org's slug."""
    return validation.slug_problems(slug, validation.RESERVED_ORG_SLUGS)


def slug_conflict(slug: str) -> Problem:
    """Return the problem of a slug that another org has."""
    return Conflict(f"The slug `{slug}` is taken. Choose another.", ("slug",))


async def update_org(tx: Transaction, viewer: Viewer, org: RowRef, changes: OrgUpdate) -> int:
    """Change values of an org; needs the level READ_WRITE."""
    target = await require(tx, viewer, org, policy.writes_org, "the level READ_WRITE in the org")
    await audit.require_current(tx, audit.ORG, target.id)
    await audit.track(tx, audit.ORG, [target.id])
    name = None if changes.name is None else changes.name.strip()
    validation.raise_problems(text_problems("-" if name is None else name, changes.description or ""))
    if values := OrgUpdate(name, changes.description, changes.is_public).values:
        await tx.update(Org, target.id, values)
    return target.id


async def delete_org(tx: Transaction, viewer: Viewer, org: RowRef) -> tuple[int, int]:
    """Delete an org with its resources, and return its id and the number of resources.

    Needs the level READ_WRITE_DELETE. The rows of the resources are locked first, so that no user locks a resource
    between the check and the deletion.
    """
    target = await require(tx, viewer, org, policy.deletes_org, "the level READ_WRITE_DELETE in the org")
    await audit.require_current(tx, audit.ORG, target.id)
    of_org = col(Resource.org_id) == target.id
    resources = await tx.rows(select(col(Resource.id)).where(of_org).order_by(col(Resource.id)).with_for_update())
    await ownership.require_unlocked(tx, of_org, "org")
    await _track_all(tx, target.id, [row[0] for row in resources])
    await tx.rows(delete(Org).where(col(Org.id) == target.id))
    return target.id, len(resources)


async def _track_all(tx: Transaction, key: int, resources: Sequence[int]) -> None:
    """Track everything that is deleted with an org, for the audit log."""
    await audit.track(tx, audit.ORG, [key])
    await audit.track(tx, audit.RESOURCE, resources)
    await audit.track_links(tx, audit.ORG_MEMBERS, source=[key])
    await audit.track_links(tx, audit.GRANTS, source=resources)


async def transfer_org(tx: Transaction, viewer: Viewer, org: RowRef, owner: RowRef) -> int:
    """Make another user the owner; needs to own the org, or ORGS_MANAGE. The old owner becomes a member, as ADMIN."""
    target = await require(tx, viewer, org, policy.transfers_org, _OWNERSHIP)
    await audit.require_current(tx, audit.ORG, target.id)
    new = await ownership.load_new_owner(tx, viewer, owner)
    if new == target.owner_id:
        audit.discard(tx)
    else:
        await _transfer(tx, viewer, target, new)
    return target.id


async def keep_or_transfer_org(tx: Transaction, viewer: Viewer, org: RowRef, owner: RowRef) -> int:
    """Transfer an org, or do nothing if the user already owns it, for clients that send unchanged values back."""
    target = await load_for_update(tx, viewer, org, policy.transfers_org)
    new = await users.load_visible(tx, viewer, owner, "owner")
    if new != target.owner_id:
        if not target.is_permitted:
            raise Forbidden(f"This needs {_OWNERSHIP}.")
        await ownership.require_active(tx, new)
        await _transfer(tx, viewer, target, new)
    return target.id


_OWNERSHIP = "to own the org, or ORGS_MANAGE"


async def _transfer(tx: Transaction, viewer: Viewer, target: OrgForUpdate, new: int) -> None:
    """Change the owner of a locked org row. The row lock prevents a concurrent lock of its resources."""
    await ownership.require_unlocked(tx, col(Resource.org_id) == target.id, "org")
    await audit.track(tx, audit.ORG, [target.id])
    await audit.track_links(tx, audit.ORG_MEMBERS, source=[target.id], target=[new, target.owner_id or new])
    await tx.rows(_delete_member(target.id, new))
    if target.owner_id is not None:
        await tx.rows(_delete_member(target.id, target.owner_id))
        await tx.insert(
            OrgMember, [await member_row(tx, viewer, target.id, target.owner_id, Membership(MemberLevel.ADMIN))]
        )
    await tx.update(Org, target.id, {"owner_id": new})


def owner_is_no_member() -> Problem:
    """Return the problem of a new member who owns the org."""
    return OwnerIsNoMember("This user owns the org. The owner is not a member.", ("user",))


def _delete_member(org_id: int, user_id: int) -> Delete:
    return delete(OrgMember).where(col(OrgMember.org_id) == org_id, col(OrgMember.user_id) == user_id)


ADMIN = "the level ADMIN in the org"


async def add_org_member(
    tx: Transaction, viewer: Viewer, org: RowRef, user: RowRef, membership: Membership
) -> tuple[int, int]:
    """Add a member, replacing an expired membership, and return the ids of org and user; needs the level ADMIN."""
    target = await require(tx, viewer, org, policy.manages_org, ADMIN)
    user_id = await users.load_visible(tx, viewer, user)
    end = membership.expires_at
    validation.raise_problems([*validation.end_problems(end, tx.now), *expiry.problems(end, target.until)])
    if user_id == target.owner_id:
        raise owner_is_no_member()
    await audit.track_links(tx, audit.ORG_MEMBERS, source=[target.id], target=[user_id])
    await tx.rows(_delete_member(target.id, user_id).where(col(OrgMember.expires_at) <= tx.now))
    try:
        await tx.insert(OrgMember, [await member_row(tx, viewer, target.id, user_id, membership)])
    except UniqueViolation:
        raise Conflict("This user is already a member.", ("user",)) from None
    return target.id, user_id


async def update_org_member(
    tx: Transaction, viewer: Viewer, org: RowRef, user: RowRef, membership: Membership
) -> tuple[int, int]:
    """Change the level or the end of a membership, and return the ids of org and user; needs the level ADMIN.

    The viewer and the time of the change replace those of the first grant.
    """
    target = await require(tx, viewer, org, policy.manages_org, ADMIN)
    user_id, level, end = member = await members.load(tx, viewer, members.ORGS, target.id, user)
    members.require_current(member, membership.if_current)
    validation.raise_problems([*validation.end_problems(membership.expires_at, tx.now)])
    new_end = end if membership.keeps_end else membership.expires_at
    if expiry.is_later(new_end, end) or (membership.level is not None and membership.level > level):
        validation.raise_problems([*expiry.problems(new_end, target.until)])
    await audit.track_links(tx, audit.ORG_MEMBERS, source=[target.id], target=[user_id])
    values: dict[str, Any] = {"granted_at": tx.now, "granted_by": viewer.user_id}
    values["granted_by_name"] = await users.name_of(tx, viewer)
    if membership.level is not None:
        values["level"] = int(membership.level)
    if not membership.keeps_end:
        values["expires_at"] = membership.expires_at
    row = col(OrgMember.org_id) == target.id, col(OrgMember.user_id) == user_id
    await tx.rows(update(OrgMember).where(*row).values(**values))
    return target.id, user_id


async def remove_org_member(tx: Transaction, viewer: Viewer, org: RowRef, user: RowRef) -> tuple[int, int]:
    """Remove a member, and return the ids of org and user; needs the level ADMIN, or to be that user."""
    target = await load_for_update(tx, viewer, org, policy.manages_org)
    if not (target.is_permitted or await users.is_viewer(tx, viewer, user)):
        raise Forbidden(f"This needs {ADMIN}, or to be that member.")
    user_id, *_ = await members.load(tx, viewer, members.ORGS, target.id, user)
    await audit.track_links(tx, audit.ORG_MEMBERS, source=[target.id], target=[user_id])
    await tx.rows(_delete_member(target.id, user_id))
    return target.id, user_id


async def set_memberships(tx: Transaction, viewer: Viewer, user: RowRef, slugs: Sequence[str]) -> int:
    """Replace the memberships of a user with these orgs, and return the user's id; needs ORGS_MANAGE.

    Existing memberships keep their level. Orgs that the user owns are skipped.
    """
    policy.require(viewer, Permission.ORGS_MANAGE)
    user_id = await users.load_visible(tx, viewer, user)
    by_slug = _BY_SLUG.where(among(col(Org.slug), texts(map(validation.normalize_key, slugs))))
    owners_by_slug = {slug: (key, owner) for key, slug, owner in await tx.rows(by_slug)}
    missing = [(at, slug) for at, slug in enumerate(slugs) if validation.normalize_key(slug) not in owners_by_slug]
    validation.raise_problems([NotFound(f"There is no org `{slug}`.", ("orgSlugs", at)) for at, slug in missing])
    audit.note(tx, audit.USER, user_id, {})
    await audit.track_links(tx, audit.ORG_MEMBERS, target=[user_id])
    org_ids = [key for key, owner in owners_by_slug.values() if owner != user_id]
    is_users = col(OrgMember.user_id) == user_id
    is_obsolete = or_(not_(among(col(OrgMember.org_id), integers(org_ids))), col(OrgMember.expires_at) <= tx.now)
    await tx.rows(delete(OrgMember).where(is_users, is_obsolete))
    existing = {row[0] for row in await tx.rows(select(col(OrgMember.org_id)).where(is_users))}
    row = await member_row(tx, viewer, 0, user_id, Membership())
    await tx.insert(OrgMember, [{**row, "org_id": key} for key in org_ids if key not in existing])
    return user_id


_BY_SLUG = select(col(Org.id), col(Org.slug), col(Org.owner_id)).order_by(col(Org.id)).with_for_update()


async def member_row(
    tx: Transaction, viewer: Viewer, org_id: int, user_id: int, membership: Membership
) -> dict[str, Any]:
    """Return the columns of a membership that the viewer grants."""
    return {
        "org_id": org_id,
        "user_id": user_id,
        "level": int(MemberLevel.READ_WRITE if membership.level is None else membership.level),
        "granted_at": tx.now,
        "granted_by": viewer.user_id or None,
        "granted_by_name": await users.name_of(tx, viewer),
        "expires_at": membership.expires_at,
    }


async def require(tx: Transaction, viewer: Viewer, org: RowRef, condition: Condition, needs: str) -> OrgForUpdate:
    """Return the locked org if the condition holds; raise NotFound, or Forbidden with what the change needs."""
    org_row = await load_for_update(tx, viewer, org, condition)
    if not org_row.is_permitted:
        raise Forbidden(f"This needs {needs}.")
    return org_row


async def load_for_update(tx: Transaction, viewer: Viewer, org: RowRef, condition: Condition) -> OrgForUpdate:
    """Return the org, locked until the transaction ends; raise NotFound if the viewer may not see it."""
    policy.require_signed_in(viewer)
    row = await row_locks.load_visible(tx, viewer, _LOCK, org, _select_visible(condition, viewer.permission_profile))
    if row is None:
        raise NotFound("There is no such org.", ("org",))
    return OrgForUpdate(row[0], row[1], bool(row[2]), row[3])


_LOCK = row_locks.select_locks(Org, "slug")


@cache
def _select_visible(condition: Condition, viewer: Viewer) -> Select[Any]:
    is_permitted = flag_sql(condition(viewer))
    until = policy.manages_org_until(viewer) if condition is policy.manages_org else null()
    columns = select(col(Org.id), col(Org.owner_id), is_permitted, until)
    return columns.where(col(Org.id) == bound("key", type_=RowId()), policy.sees_org(viewer))


def text_problems(name: str, description: str) -> list[Problem]:
    """Return the problems of an org's name and description."""
    return [*validation.title_problems(name), *validation.description_problems(description)]
