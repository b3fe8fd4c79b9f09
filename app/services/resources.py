"""Resources: making, changing, giving away and deleting them; and the order of checks that all changes of one share."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import Any, Literal

from sqlalchemy import (
    Select,
    bindparam,
    case,
    delete,
    exists,
    false,
    insert,
    literal_column,
    null,
    select,
    update,
)

from app import policy
from app.db import Transaction, UniqueViolation
from app.db.tables import Grant, KeyText, Lock, Org, Resource, ResourceType, RowId, Ticket, col, sort_key
from app.domain import resource_roles
from app.domain.errors import Conflict, Forbidden, InvalidInput, Locked, NotFound, Problem
from app.domain.refs import RowRef
from app.domain.viewer import Permission, Viewer
from app.services import access_index, audit, org_locks, ownership, quotas, validation

DEFAULT_MASK = resource_roles.METADATA_READ | resource_roles.DATA_READ
"""What every signed-in user gets on a new resource, of the roles that its type has (design, 1.5)."""

UNINDEXED = {"description", "details"}
"""Columns of which the access index has nothing."""


@dataclass(frozen=True, slots=True)
class ResourceCreate:
    """What a new resource is made of; its owner is the one who makes it."""

    org: RowRef
    type: str
    slug: str
    name: str
    description: str = ""
    metadata: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ResourceUpdate:
    """What an update gives; None leaves it as it is."""

    name: str | None = None
    description: str | None = None
    metadata: dict[str, Any] | None = None

    @property
    def values(self) -> dict[str, Any]:
        """The columns to set."""
        given = {"description": self.description, "details": self.metadata}
        values: dict[str, Any] = {column: value for column, value in given.items() if value is not None}
        name = None if self.name is None else self.name.strip()
        return values if name is None else values | {"name": name, "name_key": sort_key(name)}


@dataclass(frozen=True, slots=True)
class ResourceForUpdate:
    """A resource that the viewer sees, held for a change, and what they may do with it.

    `path` is None for who does not see the org, whose slug it tells.
    """

    id: int
    slug: str
    mask: int
    full_mask: int
    revision: int
    is_locked: bool
    may_delete: bool
    org_id: int
    path: str | None
    size_bytes: int
    until: datetime | None = None
    """When the viewer's ADMIN ends, of a resource that is `administered`."""
    may_transfer: bool = False
    """Of a resource that is about to be transferred."""


async def create_resource(tx: Transaction, viewer: Viewer, new: ResourceCreate) -> int:
    """Make a resource in an org that the viewer writes; every signed-in user gets to read it. Answers its id."""
    owner = policy.require_signed_in(viewer)
    org_id, org_slug = await writable_org(tx, viewer, new.org)
    kind = await _type(tx, new.type)
    name = new.name.strip()
    unknown = [] if kind else [InvalidInput(f"There is no type `{new.type}`.", ("type",))]
    texts = _text_problems(name, new.description, new.metadata)
    validation.raise_problems([*unknown, *validation.slug_problems(new.slug), *texts])
    assert kind is not None
    type_id, full = kind
    values = {
        "org_id": org_id,
        "type_id": type_id,
        "slug": new.slug,
        "path": f"{org_slug}/{new.slug}",
        "name": name,
        "name_key": sort_key(name),
        "description": new.description,
        "details": new.metadata,
        "owner_id": owner,
        "size_bytes": 0,
        "full_mask": full,
        "revision": 1,
        "created_at": tx.now,
        "updated_at": tx.now,
    }
    try:
        key = int(await tx.value(insert(Resource).values(**values).returning(col(Resource.id))))
    except UniqueViolation:
        raise Conflict(f"The org has a resource `{new.slug}` already.", ("slug",)) from None
    await ownership.require_able(tx, owner)
    audit.track_new(tx, audit.RESOURCE, [key])
    await audit.track_links(tx, audit.GRANTS, of=[key])
    general = {"resource_id": key, "subject": resource_roles.GENERAL, "mask": DEFAULT_MASK & full}
    await tx.insert(Grant, [{**general, "group_id": None, "user_id": None, "expires_at": None}])
    await access_index.refresh(tx, [key])
    return key


async def update_resource(tx: Transaction, viewer: Viewer, resource: RowRef, changes: ResourceUpdate) -> int:
    """Change what is given of the metadata; needs METADATA_WRITE and no lock."""
    found_ = await writable(tx, viewer, resource, resource_roles.METADATA_WRITE)
    await audit.track(tx, audit.RESOURCE, [found_.id])
    values = changes.values
    metadata = {} if changes.metadata is None else changes.metadata
    validation.raise_problems([*_text_problems(values.get("name", "-"), changes.description or "", metadata)])
    await _write(tx, found_, values)
    return found_.id


@dataclass(frozen=True, slots=True)
class Transfer:
    """Whose a resource is to be, and where; None leaves it as it is."""

    owner: RowRef | None = None
    org: RowRef | None = None


async def transfer_resource(
    tx: Transaction, viewer: Viewer, resource: RowRef, given: Transfer, terms: quotas.StoragePolicy
) -> int:
    """Give a resource to another owner, or move it to another org that the viewer writes; no lock may stand.

    Needs to own the resource, ADMIN in its org, or RESOURCES_MANAGE: a grant takes nothing from an owner. The org that
    it moves to receives its bytes, and those that uploads have reserved for it.
    """
    if given.org is not None:
        await org_locks.hold_orgs(tx, resource, given.org)
    found_ = await _transferable(tx, viewer, resource)
    await audit.track(tx, audit.RESOURCE, [found_.id])
    values: dict[str, Any] = {}
    if given.owner is not None:
        values["owner_id"] = await ownership.new_owner(tx, viewer, given.owner)
    if given.org is not None:
        org_id, org_slug = await writable_org(tx, viewer, given.org)
        values |= {"org_id": org_id, "path": f"{org_slug}/{found_.slug}"}
        if org_id != found_.org_id:
            await _move_bytes(tx, viewer, found_, org_id, terms)
    try:
        await _write(tx, found_, values)
    except UniqueViolation:
        raise Conflict("The org has a resource with this slug already.", ("org",)) from None
    return found_.id


async def _transferable(tx: Transaction, viewer: Viewer, resource: RowRef) -> ResourceForUpdate:
    policy.require_signed_in(viewer)
    found_ = await _load_for_update(tx, viewer, resource, ("resource",), _HOLD, "transfer")
    if not found_.may_transfer:
        raise Forbidden("This needs to own the resource, ADMIN in its org without an end, or RESOURCES_MANAGE.")
    require_unlocked(found_)
    return found_


async def _move_bytes(
    tx: Transaction, viewer: Viewer, found_: ResourceForUpdate, org_id: int, terms: quotas.StoragePolicy
) -> None:
    if terms.enforced:
        row = await tx.row(_MOVED, key=found_.id, old=found_.org_id, new=org_id, now=tx.now)
        assert row is not None
        reserved, loser, receiver = row
        if receiver != loser:
            more = found_.size_bytes + quotas.whole_megabytes(reserved)
            await quotas.require_room(tx, viewer, receiver, viewer.user_id, more, ("org",))
    await quotas.add_bytes(tx, found_.org_id, -found_.size_bytes)
    await quotas.add_bytes(tx, org_id, found_.size_bytes, ("org",))
    await tx.rows(update(Ticket).where(col(Ticket.resource_id) == found_.id).values(org_id=org_id))


async def _write(tx: Transaction, found_: ResourceForUpdate, values: dict[str, Any]) -> None:
    """Set columns, if there are any, and make the index anew."""
    if not values:
        return
    await tx.update(Resource, found_.id, {**values, "updated_at": tx.now})
    if values.keys() <= UNINDEXED:
        await access_index.refresh_change(tx, found_.id)
    else:
        await access_index.refresh(tx, [found_.id])


async def delete_resource(tx: Transaction, viewer: Viewer, resource: RowRef) -> int:
    """Delete a resource with its grants and history; needs ADMIN, or READ_WRITE_DELETE on the org, and no lock."""
    await org_locks.hold_orgs(tx, resource)
    found_ = await load_for_update(tx, viewer, resource)
    if not (found_.may_delete or found_.mask & resource_roles.ADMIN):
        raise Forbidden("This needs ADMIN on the resource, or READ_WRITE_DELETE on its org.")
    require_unlocked(found_)
    await audit.track(tx, audit.RESOURCE, [found_.id])
    await audit.track_links(tx, audit.GRANTS, of=[found_.id])
    await tx.rows(delete(Resource).where(col(Resource.id) == found_.id))
    await quotas.add_bytes(tx, found_.org_id, -found_.size_bytes)
    return found_.id


async def create_resource_type(tx: Transaction, viewer: Viewer, name: str, has_data: bool) -> int:
    """Add a type of resource; needs RESOURCES_MANAGE."""
    policy.require(viewer, Permission.RESOURCES_MANAGE)
    validation.raise_problems([*validation.type_name_problems(name)])
    try:
        values = {"name": name, "has_data": has_data, "is_built_in": False}
        key = int(await tx.value(insert(ResourceType).values(**values).returning(col(ResourceType.id))))
    except UniqueViolation:
        raise Conflict(f"There is a type `{name}` already.", ("name",)) from None
    audit.track_new(tx, audit.RESOURCE_TYPE, [key])
    return key


async def writable(tx: Transaction, viewer: Viewer, resource: RowRef, role: int) -> ResourceForUpdate:
    """A resource on which the viewer holds a role that a lock stops."""
    found_ = await load_for_update(tx, viewer, resource)
    policy.require_role(found_.mask, role, resource_roles.NAMES[role])
    require_unlocked(found_)
    return found_


async def administered(tx: Transaction, viewer: Viewer, resource: RowRef) -> ResourceForUpdate:
    """A resource whose access configuration and locks are the viewer's to change, locked or not."""
    policy.require_signed_in(viewer)
    found_ = await _load_for_update(tx, viewer, resource, ("resource",), _HOLD, "administer")
    policy.require_role(found_.mask, resource_roles.ADMIN, "ADMIN")
    return found_


def require_unlocked(found_: ResourceForUpdate) -> None:
    """Raises Locked: nobody writes to a locked resource, administrators included."""
    if found_.is_locked:
        raise Locked("The resource is locked.", ("resource",))


async def load_for_update(
    tx: Transaction, viewer: Viewer, resource: RowRef, path: Sequence[str | int] = ("resource",)
) -> ResourceForUpdate:
    """The resource, held until the transaction ends; raises NotFound unless the viewer sees it.

    It is held by a statement of its own: what the next one reads is then as the transaction before left it.
    """
    policy.require_signed_in(viewer)
    return await _load_for_update(tx, viewer, resource, path, _HOLD)


async def readable(tx: Transaction, viewer: Viewer, resource: RowRef, role: int) -> ResourceForUpdate:
    """A resource on which the viewer holds a role that no lock stops; it stays, beside others that need it too.

    Nobody may hold such a role as well. Where she does not, signing in is what she is told, whatever there is.
    """
    try:
        found_ = await _load_for_update(tx, viewer, resource, ("resource",), _STAY)
        policy.require_role(found_.mask, role, resource_roles.NAMES[role])
    except (NotFound, Forbidden):
        policy.require_signed_in(viewer)
        raise
    return found_


Purpose = Literal["change", "administer", "transfer"]
"""What a resource is looked at for: what only some changes need to know is worked out for those."""


async def _load_for_update(
    tx: Transaction,
    viewer: Viewer,
    resource: RowRef,
    path: Sequence[str | int],
    holding: dict[str, Select[Any]],
    purpose: Purpose = "change",
) -> ResourceForUpdate:
    way, key = resource
    held = await tx.value(holding[way], key=key)
    seen = _visible_resource(viewer.permission_profile, purpose)
    row = None if held is None else await tx.row(seen, key=held, **viewer.bind_values, now=tx.now)
    if row is None:
        raise NotFound("There is no such resource.", path)
    number, slug, mask, full, revision, is_locked, may_delete, org_id, path_, size, until, may_transfer = row
    may = bool(may_delete), org_id, path_, size, until, bool(may_transfer)
    return ResourceForUpdate(number, slug, mask, full, revision, bool(is_locked), *may)


async def writable_org(tx: Transaction, viewer: Viewer, org: RowRef) -> tuple[int, str]:
    """The id and the slug of an org in which the viewer creates resources; nobody deletes it meanwhile."""
    way, key = org
    held = await tx.value(_KEEP[way], key=key if way == "id" else validation.normalize_key(str(key)))
    seen = _seen_org(viewer.permission_profile)
    row = None if held is None else await tx.row(seen, key=held, **viewer.bind_values, now=tx.now)
    if row is None:
        raise NotFound("There is no such org.", ("org",))
    if not row[1]:
        raise Forbidden("This needs READ_WRITE on the org.")
    return int(row[0]), str(row[2])


def _lookup_id(table: Any, column: Any, *, shared: bool = False) -> Select[Any]:
    """The id of the row that is named, which stays: for this change alone, or beside others that need it too."""
    named = col(column) == bindparam("key", type_=col(column).type)
    return select(col(table.id)).where(named).with_for_update(read=shared, key_share=shared)


_HOLD = {"id": _lookup_id(Resource, Resource.id), "path": _lookup_id(Resource, Resource.path)}
_STAY = {"id": _lookup_id(Resource, Resource.id, shared=True), "path": _lookup_id(Resource, Resource.path, shared=True)}
_KEEP = {"id": _lookup_id(Org, Org.id, shared=True), "slug": _lookup_id(Org, Org.slug, shared=True)}


_MOVED = select(
    select(policy.sum_of(Ticket.bytes))
    .where(col(Ticket.resource_id) == bindparam("key", type_=RowId()), policy.is_reserved(Ticket))
    .scalar_subquery(),
    *(
        select(col(Org.owner_id)).where(col(Org.id) == bindparam(name, type_=RowId())).scalar_subquery()
        for name in ("old", "new")
    ),
)
"""What uploads have reserved for a resource, and who owns the two orgs."""


@cache
def _visible_resource(viewer: Viewer, purpose: Purpose) -> Select[Any]:
    until = policy.administers_resource_until(viewer) if purpose == "administer" else null()
    transfers = policy.transfers_resource(viewer) if purpose == "transfer" else false()
    return select(
        col(Resource.id),
        col(Resource.slug),
        policy.effective_mask(viewer),
        col(Resource.full_mask),
        col(Resource.revision),
        exists().where(col(Lock.resource_id) == col(Resource.id)),
        policy.deletes_in_org(viewer),
        col(Resource.org_id),
        case((policy.sees_org_of_resource(viewer), col(Resource.path)), else_=null()),
        col(Resource.size_bytes),
        until,
        case((transfers, literal_column("1")), else_=literal_column("0")),
    ).where(col(Resource.id) == bindparam("key", type_=RowId()), policy.sees_resource(viewer))


@cache
def _seen_org(viewer: Viewer) -> Select[Any]:
    writes = case((policy.writes_org(viewer), literal_column("1")), else_=literal_column("0"))
    chosen = select(col(Org.id), writes, col(Org.slug))
    return chosen.where(col(Org.id) == bindparam("key", type_=RowId()), policy.sees_org(viewer))


_TYPE = select(col(ResourceType.id), col(ResourceType.has_data)).where(
    col(ResourceType.name) == bindparam("name", type_=KeyText())
)


async def _type(tx: Transaction, name: str) -> tuple[int, int] | None:
    """The id of a type and the mask of its roles; what cannot be a name is not looked for."""
    row = None if [*validation.type_name_problems(name)] else await tx.row(_TYPE, name=name)
    return None if row is None else (int(row[0]), resource_roles.ALL if row[1] else resource_roles.NON_DATA)


def _text_problems(name: str, description: str, metadata: Any) -> Iterator[Problem]:
    yield from validation.title_problems(name)
    yield from validation.description_problems(description)
    yield from validation.document_problems(metadata)
