"""Orgs: making, changing, giving away and deleting them, who belongs to them, and the order of checks of all that."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import Select, case, delete, insert, literal_column, not_, null, or_, select, update
from sqlalchemy import bindparam as bound
from sqlalchemy.types import Integer

from app import policy
from app.db import Transaction, UniqueViolation
from app.db.tables import KeyText, Org, OrgMember, Resource, RowId, User, col, sort_key
from app.domain.errors import Conflict, Forbidden, NotFound, Problem
from app.domain.refs import RowRef
from app.domain.resource_roles import MemberLevel
from app.domain.viewer import Permission, Viewer
from app.query.relations import Condition, among, integers, texts
from app.services import audit, expiry, ownership, users, validation


@dataclass(frozen=True, slots=True)
class OrgCreate:
    """What a new org is made of. Its owner is the viewer unless named."""

    slug: str
    name: str
    description: str = ""
    is_public: bool = False
    owner: RowRef | None = None


@dataclass(frozen=True, slots=True)
class OrgUpdate:
    """What an update gives; None leaves it as it is."""

    name: str | None = None
    description: str | None = None
    is_public: bool | None = None

    @property
    def values(self) -> dict[str, Any]:
        """The columns to set."""
        given = {"name": self.name, "description": self.description, "is_public": self.is_public}
        values: dict[str, Any] = {column: value for column, value in given.items() if value is not None}
        return values if self.name is None else values | {"name_key": sort_key(self.name)}


@dataclass(frozen=True, slots=True)
class Membership:
    """How a member belongs; what an update leaves out stays."""

    level: MemberLevel | None = None
    expires_at: datetime | None = None
    keeps_end: bool = False


@dataclass(frozen=True, slots=True)
class OrgForUpdate:
    """An org that the viewer sees, held for a change, and whether she may make that change.

    `until` is when the viewer's right to manage its members ends, None for never or where there is none.
    """

    id: int
    owner_id: int | None
    may: bool
    until: datetime | None = None


class OwnerIsNoMember(Conflict):
    """Who owns an org belongs to it already, and not as a member. The documented API has a status of its own for it."""


async def create_org(tx: Transaction, viewer: Viewer, new: OrgCreate) -> int:
    """Make an org; needs ORGS_CREATE, and ORGS_MANAGE to make it for somebody else. Answers its id."""
    user_id = policy.require(viewer, Permission.ORGS_CREATE)
    owner_id = user_id if new.owner is None else await users.load_visible(tx, viewer, new.owner, "owner")
    if owner_id != user_id:
        policy.require(viewer, Permission.ORGS_MANAGE)
    name = new.name.strip()
    validation.raise_problems(
        [*validation.slug_problems(new.slug, validation.RESERVED_ORG_SLUGS), *_text_problems(name, new.description)]
    )
    values = {
        "slug": new.slug,
        "name": name,
        "name_key": sort_key(name),
        "description": new.description,
        "owner_id": owner_id,
        "is_public": new.is_public,
        "created_at": tx.now,
    }
    try:
        key = int(await tx.value(insert(Org).values(**values).returning(col(Org.id))))
    except UniqueViolation:
        raise Conflict(f"The slug `{new.slug}` is taken.", ("slug",)) from None
    await ownership.require_able(tx, owner_id)
    audit.track_new(tx, audit.ORG, [key])
    return key


async def update_org(tx: Transaction, viewer: Viewer, org: RowRef, changes: OrgUpdate) -> int:
    """Change what is given; needs READ_WRITE."""
    held = await require(tx, viewer, org, policy.writes_org, "the level READ_WRITE in the org")
    await audit.track(tx, audit.ORG, [held.id])
    name = None if changes.name is None else changes.name.strip()
    validation.raise_problems(_text_problems("-" if name is None else name, changes.description or ""))
    if values := OrgUpdate(name, changes.description, changes.is_public).values:
        await tx.update(Org, held.id, values)
    return held.id


async def delete_org(tx: Transaction, viewer: Viewer, org: RowRef) -> tuple[int, int]:
    """Delete an org with its resources; needs READ_WRITE_DELETE. Answers the id it had, and how many resources went.

    The resources are held first, so that none is locked between the count and the deletion.
    """
    held = await require(tx, viewer, org, policy.deletes_org, "the level READ_WRITE_DELETE in the org")
    of_org = col(Resource.org_id) == held.id
    resources = await tx.rows(select(col(Resource.id)).where(of_org).order_by(col(Resource.id)).with_for_update())
    await ownership.require_unlocked(tx, of_org, "org")
    await _note_all(tx, held.id, [row[0] for row in resources])
    await tx.rows(delete(Org).where(col(Org.id) == held.id))
    return held.id, len(resources)


async def _note_all(tx: Transaction, key: int, resources: Sequence[int]) -> None:
    """Note all that an org's deletion reaches, for the audit log."""
    await audit.track(tx, audit.ORG, [key])
    await audit.track(tx, audit.RESOURCE, resources)
    await audit.track_links(tx, audit.ORG_MEMBERS, of=[key])
    await audit.track_links(tx, audit.GRANTS, of=resources)


async def transfer_org(tx: Transaction, viewer: Viewer, org: RowRef, owner: RowRef) -> int:
    """Give an org to somebody else; needs to be its owner, or ORGS_MANAGE. Who owned it stays, as ADMIN."""
    held = await require(tx, viewer, org, policy.owns_org, _OWNING)
    new = await ownership.new_owner(tx, viewer, owner)
    if new == held.owner_id:
        raise Conflict("She owns the org already.", ("owner",))
    await _transfer(tx, viewer, held, new)
    return held.id


async def keep_or_transfer_org(tx: Transaction, viewer: Viewer, org: RowRef, owner: RowRef) -> int:
    """The same, and nothing at all when she owns it already: for clients that send back what they were shown."""
    held = await load_for_update(tx, viewer, org, policy.owns_org)
    new = await users.load_visible(tx, viewer, owner, "owner")
    if new != held.owner_id:
        if not held.may:
            raise Forbidden(f"This needs {_OWNING}.")
        await ownership.require_able(tx, new)
        await _transfer(tx, viewer, held, new)
    return held.id


_OWNING = "to own the org, or ORGS_MANAGE"


async def _transfer(tx: Transaction, viewer: Viewer, held: OrgForUpdate, new: int) -> None:
    """Change the owner; the org is held, so that none of its resources is locked meanwhile."""
    await ownership.require_unlocked(tx, col(Resource.org_id) == held.id, "org")
    await audit.track(tx, audit.ORG, [held.id])
    await audit.track_links(tx, audit.ORG_MEMBERS, of=[held.id], to=[new, held.owner_id or new])
    await tx.rows(_members(held.id, new))
    if held.owner_id is not None:
        await tx.rows(_members(held.id, held.owner_id))
        await tx.insert(OrgMember, [await _row(tx, viewer, held.id, held.owner_id, Membership(MemberLevel.ADMIN))])
    await tx.update(Org, held.id, {"owner_id": new})


def _members(org_id: int, user_id: int) -> Any:
    return delete(OrgMember).where(col(OrgMember.org_id) == org_id, col(OrgMember.user_id) == user_id)


_ADMIN = "the level ADMIN in the org"


async def add_org_member(
    tx: Transaction, viewer: Viewer, org: RowRef, user: RowRef, membership: Membership
) -> tuple[int, int]:
    """Let a user belong to an org; needs ADMIN. Answers the ids of both.

    A membership that has ended is no membership.
    """
    held = await require(tx, viewer, org, policy.manages_org, _ADMIN)
    user_id = await users.load_visible(tx, viewer, user)
    end = membership.expires_at
    validation.raise_problems([*validation.end_problems(end, tx.now), *expiry.problems(end, held.until)])
    if user_id == held.owner_id:
        raise OwnerIsNoMember("She owns the org: the owner is no member.", ("user",))
    await audit.track_links(tx, audit.ORG_MEMBERS, of=[held.id], to=[user_id])
    await tx.rows(_members(held.id, user_id).where(col(OrgMember.expires_at) <= tx.now))
    try:
        await tx.insert(OrgMember, [await _row(tx, viewer, held.id, user_id, membership)])
    except UniqueViolation:
        raise Conflict("She is a member already.", ("user",)) from None
    return held.id, user_id


async def update_org_member(
    tx: Transaction, viewer: Viewer, org: RowRef, user: RowRef, membership: Membership
) -> tuple[int, int]:
    """Change the level or the end of a membership, which counts as granted anew; needs ADMIN."""
    held = await require(tx, viewer, org, policy.manages_org, _ADMIN)
    user_id, level, end = await _member(tx, held.id, user)
    validation.raise_problems([*validation.end_problems(membership.expires_at, tx.now)])
    wanted = end if membership.keeps_end else membership.expires_at
    if expiry.is_later(wanted, end) or (membership.level is not None and membership.level > level):
        validation.raise_problems([*expiry.problems(wanted, held.until)])
    await audit.track_links(tx, audit.ORG_MEMBERS, of=[held.id], to=[user_id])
    values: dict[str, Any] = {"granted_at": tx.now, "granted_by": viewer.user_id}
    values["granted_by_name"] = await users.name_of(tx, viewer)
    if membership.level is not None:
        values["level"] = int(membership.level)
    if not membership.keeps_end:
        values["expires_at"] = membership.expires_at
    member = col(OrgMember.org_id) == held.id, col(OrgMember.user_id) == user_id
    await tx.rows(update(OrgMember).where(*member).values(**values))
    return held.id, user_id


async def remove_org_member(tx: Transaction, viewer: Viewer, org: RowRef, user: RowRef) -> tuple[int, int]:
    """Let a user belong to an org no longer; needs ADMIN, or to be that user."""
    held = await load_for_update(tx, viewer, org, policy.manages_org)
    if not (held.may or await users.is_viewer(tx, viewer, user)):
        raise Forbidden(f"This needs {_ADMIN}, or to be that member.")
    user_id, *_ = await _member(tx, held.id, user)
    await audit.track_links(tx, audit.ORG_MEMBERS, of=[held.id], to=[user_id])
    await tx.rows(_members(held.id, user_id))
    return held.id, user_id


async def set_memberships(tx: Transaction, viewer: Viewer, user: RowRef, slugs: Sequence[str]) -> int:
    """Make these the orgs that a user is a member of; needs ORGS_MANAGE. Answers her id.

    What she owns stays hers, and a membership that stands keeps its level.
    """
    policy.require(viewer, Permission.ORGS_MANAGE)
    user_id = await users.load_visible(tx, viewer, user)
    named = _SLUGGED.where(among(col(Org.slug), texts(map(validation.normalize_key, slugs))))
    known = {slug: (key, owner) for key, slug, owner in await tx.rows(named)}
    unknown = [(at, slug) for at, slug in enumerate(slugs) if validation.normalize_key(slug) not in known]
    validation.raise_problems([NotFound(f"There is no org `{slug}`.", ("orgSlugs", at)) for at, slug in unknown])
    audit.note(tx, audit.USER, user_id, {})
    await audit.track_links(tx, audit.ORG_MEMBERS, to=[user_id])
    keys = [key for key, owner in known.values() if owner != user_id]
    dropped = not_(among(col(OrgMember.org_id), integers(keys)))
    hers = delete(OrgMember).where(col(OrgMember.user_id) == user_id)
    await tx.rows(hers.where(or_(dropped, col(OrgMember.expires_at) <= tx.now)))
    held = {row[0] for row in await tx.rows(select(col(OrgMember.org_id)).where(col(OrgMember.user_id) == user_id))}
    row = await _row(tx, viewer, 0, user_id, Membership())
    await tx.insert(OrgMember, [{**row, "org_id": key} for key in keys if key not in held])
    return user_id


_SLUGGED = select(col(Org.id), col(Org.slug), col(Org.owner_id)).order_by(col(Org.id)).with_for_update()


async def _row(tx: Transaction, viewer: Viewer, org_id: int, user_id: int, membership: Membership) -> dict[str, Any]:
    return {
        "org_id": org_id,
        "user_id": user_id,
        "level": int(MemberLevel.READ_WRITE if membership.level is None else membership.level),
        "granted_at": tx.now,
        "granted_by": viewer.user_id,
        "granted_by_name": await users.name_of(tx, viewer),
        "expires_at": membership.expires_at,
    }


async def _member(tx: Transaction, org_id: int, user: RowRef) -> tuple[int, int, datetime | None]:
    """The id of a member, the level and the end. Who asks sees all members, or is this one."""
    statement = (
        select(col(User.id), col(OrgMember.level), col(OrgMember.expires_at))
        .join(OrgMember, col(OrgMember.user_id) == col(User.id))
        .where(col(OrgMember.org_id) == org_id, users.ref_by_name(user), policy.is_valid_until(OrgMember.expires_at))
    )
    row = await tx.row(statement, now=tx.now)
    if row is None:
        raise NotFound("The org has no such member.", ("user",))
    return int(row[0]), int(row[1]), row[2]


async def require(tx: Transaction, viewer: Viewer, org: RowRef, may: Condition, needs: str) -> OrgForUpdate:
    """The org, if the viewer may do that with it; raises NotFound, or Forbidden with what it needs."""
    held = await load_for_update(tx, viewer, org, may)
    if not held.may:
        raise Forbidden(f"This needs {needs}.")
    return held


async def load_for_update(tx: Transaction, viewer: Viewer, org: RowRef, may: Condition) -> OrgForUpdate:
    """The org, held until the transaction ends; raises NotFound unless the viewer sees it.

    It is held by a statement of its own: what the next one reads is then as the transaction before left it.
    """
    policy.require_signed_in(viewer)
    way, key = org
    held = await tx.value(_HOLD[way], key=key if way == "id" else validation.normalize_key(str(key)))
    seen = _visible_org(may, viewer.permission_profile)
    row = None if held is None else await tx.row(seen, key=held, **viewer.bind_values, now=tx.now)
    if row is None:
        raise NotFound("There is no such org.", ("org",))
    return OrgForUpdate(row[0], row[1], bool(row[2]), row[3])


_HOLD = {
    "id": select(col(Org.id)).where(col(Org.id) == bound("key", type_=RowId())).with_for_update(),
    "slug": select(col(Org.id)).where(col(Org.slug) == bound("key", type_=KeyText())).with_for_update(),
}


@cache
def _visible_org(may: Condition, viewer: Viewer) -> Select[Any]:
    allowed = case((may(viewer), literal_column("1", Integer)), else_=literal_column("0", Integer))
    until = policy.manages_org_until(viewer) if may is policy.manages_org else null()
    chosen = select(col(Org.id), col(Org.owner_id), allowed, until)
    return chosen.where(col(Org.id) == bound("key", type_=RowId()), policy.sees_org(viewer))


def _text_problems(name: str, description: str) -> list[Problem]:
    return [*validation.title_problems(name), *validation.description_problems(description)]
