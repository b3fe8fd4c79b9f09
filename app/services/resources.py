"""Creating, updating, transferring and deleting resources, and the checks that all changes of a resource share."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import Any, Literal

from sqlalchemy import Select, bindparam, case, delete, exists, false, insert, null, select, update

from app import policy
from app.db import Transaction, UniqueViolation
from app.db.statements import Row
from app.db.tables import Lock, Org, Resource, RowId, Ticket, col, sort_key
from app.domain import resource_roles
from app.domain.errors import Conflict, Forbidden, InvalidInput, Locked, NotFound, Problem
from app.domain.refs import RowRef
from app.domain.viewer import Viewer
from app.query.relations import flag_sql
from app.services import (
    access_index,
    audit,
    grants,
    ownership,
    quotas,
    resource_types,
    row_locks,
    tracked_rows,
    validation,
)

DEFAULT_MASK = resource_roles.METADATA_READ | resource_roles.DATA_READ
"""Roles of every signed-in user on a new resource, if its type has them."""

UNINDEXED = {"description", "details"}
"""Columns that the access index does not contain."""


@dataclass(frozen=True, slots=True)
class ResourceCreate:
    """Values of a new resource. The viewer becomes its owner."""

    org: RowRef
    type: str
    slug: str
    name: str
    description: str = ""
    metadata: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ResourceUpdate:
    """New values of a resource; None leaves a value unchanged."""

    name: str | None = None
    description: str | None = None
    metadata: dict[str, Any] | None = None

    @property
    def values(self) -> dict[str, Any]:
        """Return the columns to set."""
        columns = {"description": self.description, "details": self.metadata}
        values: dict[str, Any] = {column: value for column, value in columns.items() if value is not None}
        name = None if self.name is None else self.name.strip()
        return values if name is None else values | {"name": name, "name_key": sort_key(name)}


@dataclass(frozen=True, slots=True)
class ResourceForUpdate:
    """A locked resource row that the viewer may see, with the viewer's rights.

    `path` contains the org's slug, so it is None if the viewer may not see the org.
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
    """End of the viewer's role ADMIN; set by `require_administered` only."""
    may_transfer: bool = False
    """Set for a transfer only."""


async def create_resource(tx: Transaction, viewer: Viewer, new: ResourceCreate) -> int:
    """Create a resource with DEFAULT_MASK for every signed-in user, and return its id.

    Needs the level READ_WRITE in the org.
    """
    owner = policy.require_signed_in(viewer)
    org_id, org_slug = await require_writable_org(tx, viewer, new.org)
    resource_type = (await resource_types.load(tx, [new.type])).get(new.type)
    name = new.name.strip()
    type_problems = [] if resource_type else [InvalidInput(f"There is no type `{new.type}`.", ("type",))]
    problems = text_problems(name, new.description, new.metadata)
    validation.raise_problems([*type_problems, *validation.slug_problems(new.slug), *problems])
    assert resource_type is not None
    values = row(tx, new, (org_id, org_slug), resource_type) | {"owner_id": owner}
    try:
        key = int(await tx.value(insert(Resource).values(**values).returning(col(Resource.id))))
    except UniqueViolation:
        raise slug_conflict(new.slug) from None
    await ownership.require_active(tx, owner)
    await finish_creation(tx, viewer, {key: resource_type[1]})
    return key


def row(tx: Transaction, new: ResourceCreate, org: tuple[int, str], resource_type: tuple[int, int]) -> dict[str, Any]:
    """Return the columns of a new resource but the owner; `org` has its id and slug, the type its id and mask."""
    name = new.name.strip()
    return {
        "org_id": org[0],
        "type_id": resource_type[0],
        "slug": new.slug,
        "path": f"{org[1]}/{new.slug}",
        "name": name,
        "name_key": sort_key(name),
        "description": new.description,
        "details": new.metadata,
        "size_bytes": 0,
        "full_mask": resource_type[1],
        "revision": 1,
        "created_at": tx.now,
        "updated_at": tx.now,
    }


def slug_conflict(slug: str) -> Problem:
    """Return the problem of a slug that another resource of the org has."""
    return Conflict(f"The org already has a resource `{slug}`. Choose another slug.", ("slug",))


async def finish_creation(tx: Transaction, viewer: Viewer, full_masks: Mapping[int, int]) -> None:
    """Give new resources, by their ids, their default grants and their rows of the access index."""
    audit.track_new(tx, audit.RESOURCE, full_masks)
    await audit.track_links(tx, audit.GRANTS, source=full_masks)
    await grants.create(tx, viewer, {key: DEFAULT_MASK & full_mask for key, full_mask in full_masks.items()})
    await access_index.refresh(tx, full_masks)


async def update_resource(tx: Transaction, viewer: Viewer, resource: RowRef, changes: ResourceUpdate) -> int:
    """Change values of an unlocked resource; needs METADATA_WRITE."""
    target = await require_writable(tx, viewer, resource, resource_roles.METADATA_WRITE)
    await audit.require_current(tx, audit.RESOURCE, target.id)
    await audit.track(tx, audit.RESOURCE, [target.id])
    values = changes.values
    metadata = {} if changes.metadata is None else changes.metadata
    validation.raise_problems([*text_problems(values.get("name", "-"), changes.description or "", metadata)])
    await _write(tx, target, values)
    return target.id


@dataclass(frozen=True, slots=True)
class Transfer:
    """New owner and new org of a resource; None leaves a value unchanged."""

    owner: RowRef | None = None
    org: RowRef | None = None


async def transfer_resource(
    tx: Transaction, viewer: Viewer, resource: RowRef, transfer: Transfer, storage_policy: quotas.StoragePolicy
) -> int:
    """Change the owner of an unlocked resource, or move it with its stored and reserved bytes to another org.

    Needs to own the resource, ADMIN in its org, or RESOURCES_MANAGE, and the level READ_WRITE in the new org. A role
    on the resource does not suffice: a grantee must not take the resource from its owner.
    """
    if transfer.org is not None:
        await row_locks.lock_orgs(tx, resource, transfer.org)
    target = await _require_transferable(tx, viewer, resource)
    await audit.require_current(tx, audit.RESOURCE, target.id)
    await audit.track(tx, audit.RESOURCE, [target.id])
    values: dict[str, Any] = {}
    if transfer.owner is not None:
        values["owner_id"] = await ownership.load_new_owner(tx, viewer, transfer.owner)
    if transfer.org is not None:
        org_id, org_slug = await require_writable_org(tx, viewer, transfer.org)
        values |= {"org_id": org_id, "path": f"{org_slug}/{target.slug}"}
        if org_id != target.org_id:
            await _move_bytes(tx, viewer, target, org_id, storage_policy)
    try:
        await _write(tx, target, values)
    except UniqueViolation:
        raise Conflict("The org already has a resource with this slug.", ("org",)) from None
    return target.id


async def _require_transferable(tx: Transaction, viewer: Viewer, resource: RowRef) -> ResourceForUpdate:
    policy.require_signed_in(viewer)
    target = await _load_for_update(tx, viewer, resource, ("resource",), _LOCK, "transfer")
    if not target.may_transfer:
        raise Forbidden("This needs to own the resource, ADMIN in its org without an end, or RESOURCES_MANAGE.")
    require_unlocked(target)
    return target


async def _move_bytes(
    tx: Transaction, viewer: Viewer, target: ResourceForUpdate, org_id: int, storage_policy: quotas.StoragePolicy
) -> None:
    if storage_policy.enforced:
        row = await tx.row(_RESERVED_AND_OWNER, key=target.id, old=target.org_id, now=tx.now)
        assert row is not None
        more = target.size_bytes + quotas.cap_bytes(row[0])
        charge = quotas.Charge(org_id, more, viewer.user_id, ("org",), paid_by=row[1])
        await quotas.require_room(tx, viewer, charge, storage_policy)
    await quotas.add_bytes(tx, target.org_id, -target.size_bytes)
    await quotas.add_bytes(tx, org_id, target.size_bytes, ("org",))
    await tx.rows(update(Ticket).where(col(Ticket.resource_id) == target.id).values(org_id=org_id))


async def update_many(tx: Transaction, rows: Sequence[dict[str, Any]]) -> None:
    """Set valid values of resources, as rows with the same columns and the id, and refresh the access index."""
    await tracked_rows.update(tx, Resource, [{**row, "updated_at": tx.now} for row in rows])
    await access_index.refresh(tx, [row["id"] for row in rows])


async def _write(tx: Transaction, target: ResourceForUpdate, values: dict[str, Any]) -> None:
    """Set columns, if there are any, and update the access index."""
    if not values:
        return
    revision = audit.claim_revision(tx, audit.RESOURCE, target.id)
    await tx.update(Resource, target.id, {**values, "updated_at": tx.now}, incremented=revision)
    if values.keys() <= UNINDEXED:
        await access_index.refresh_change(tx, target.id)
    else:
        await access_index.refresh(tx, [target.id])


DELETION = "This needs ADMIN on the resource, or READ_WRITE_DELETE on its org."


async def delete_resource(tx: Transaction, viewer: Viewer, resource: RowRef) -> int:
    """Delete an unlocked resource with its grants; needs ADMIN on it, or the level READ_WRITE_DELETE in its org."""
    await row_locks.lock_orgs(tx, resource)
    target = await load_for_update(tx, viewer, resource)
    if not (target.may_delete or target.mask & resource_roles.ADMIN):
        raise Forbidden(DELETION)
    require_unlocked(target)
    await audit.require_current(tx, audit.RESOURCE, target.id)
    await audit.track(tx, audit.RESOURCE, [target.id])
    await audit.track_links(tx, audit.GRANTS, source=[target.id])
    await tx.rows(delete(Resource).where(col(Resource.id) == target.id))
    await quotas.add_bytes(tx, target.org_id, -target.size_bytes)
    return target.id


async def require_writable(tx: Transaction, viewer: Viewer, resource: RowRef, role: int) -> ResourceForUpdate:
    """Return an unlocked resource on which the viewer holds a writing role; raise NotFound, Forbidden or Locked."""
    target = await load_for_update(tx, viewer, resource)
    policy.require_role(target.mask, role, resource_roles.NAMES[role])
    require_unlocked(target)
    return target


async def require_administered(tx: Transaction, viewer: Viewer, resource: RowRef) -> ResourceForUpdate:
    """Return a resource, locked by a user or not, on which the viewer holds ADMIN; raise NotFound or Forbidden."""
    policy.require_signed_in(viewer)
    target = await _load_for_update(tx, viewer, resource, ("resource",), _LOCK, "administer")
    policy.require_role(target.mask, resource_roles.ADMIN, "ADMIN")
    return target


def require_unlocked(target: ResourceForUpdate) -> None:
    """Raise Locked for a locked resource, for administrators too."""
    if target.is_locked:
        raise Locked(path=("resource",))


async def load_for_update(
    tx: Transaction, viewer: Viewer, resource: RowRef, path: Sequence[str | int] = ("resource",)
) -> ResourceForUpdate:
    """Return the resource, its row locked until the transaction ends; raise NotFound if the viewer may not see it.

    A first statement takes the row lock, so that the second reads the state after the previous holder's commit.
    """
    policy.require_signed_in(viewer)
    return await _load_for_update(tx, viewer, resource, path, _LOCK)


async def require_readable(tx: Transaction, viewer: Viewer, resource: RowRef, role: int) -> ResourceForUpdate:
    """Return a resource, its row locked against deletion, on which the viewer holds a reading role.

    An anonymous viewer may hold the role too. Without it they get Unauthenticated, even if the resource does not exist.
    """
    try:
        target = await _load_for_update(tx, viewer, resource, ("resource",), _LOCK_SHARED)
        policy.require_role(target.mask, role, resource_roles.NAMES[role])
    except (NotFound, Forbidden):
        policy.require_signed_in(viewer)
        raise
    return target


Purpose = Literal["change", "administer", "transfer"]
"""Reason to load a resource: some rights are computed only for the changes that need them."""


async def _load_for_update(
    tx: Transaction,
    viewer: Viewer,
    resource: RowRef,
    path: Sequence[str | int],
    locks: dict[str, Select[Any]],
    purpose: Purpose = "change",
) -> ResourceForUpdate:
    by, key = resource
    is_known = by == "id" and not tx.locks_rows
    resource_id = key if is_known else await tx.value(locks[by], key=key)
    statement = _select_visible(viewer.permission_profile, purpose)
    row = None if resource_id is None else await tx.row(statement, key=resource_id, **viewer.bind_values, now=tx.now)
    if row is None:
        raise NotFound("There is no such resource.", path)
    return read_row(row)


def read_row(row: Row) -> ResourceForUpdate:
    """Return a row of `columns_for_update`."""
    key, slug, mask, full_mask, revision, is_locked, may_delete, org_id, path, size, until, may_transfer = row
    rest = bool(may_delete), org_id, path, size, until, bool(may_transfer)
    return ResourceForUpdate(key, slug, mask, full_mask, revision, bool(is_locked), *rest)


async def require_writable_org(tx: Transaction, viewer: Viewer, org: RowRef) -> tuple[int, str]:
    """Return the id and the slug of an org in which the viewer may create resources, locked against deletion."""
    row = await row_locks.load_visible(tx, viewer, _LOCK_ORG, org, _select_visible_org(viewer.permission_profile))
    if row is None:
        raise NotFound("There is no such org.", ("org",))
    if not row[1]:
        raise Forbidden("This needs READ_WRITE on the org.")
    return int(row[0]), str(row[2])


_LOCK = row_locks.select_locks(Resource, "path")
_LOCK_SHARED = row_locks.select_locks(Resource, "path", is_shared=True)
_LOCK_ORG = row_locks.select_locks(Org, "slug", is_shared=True)


_RESERVED_AND_OWNER = select(
    select(policy.sum_of(Ticket.bytes))
    .where(col(Ticket.resource_id) == bindparam("key", type_=RowId()), policy.is_reserved(Ticket))
    .scalar_subquery(),
    select(col(Org.owner_id)).where(col(Org.id) == bindparam("old", type_=RowId())).scalar_subquery(),
)
"""The bytes that uploads have reserved for a resource, and the owner of its org."""


@cache
def _select_visible(viewer: Viewer, purpose: Purpose) -> Select[Any]:
    return columns_for_update(viewer, purpose).where(col(Resource.id) == bindparam("key", type_=RowId()))


def columns_for_update(viewer: Viewer, purpose: Purpose) -> Select[Any]:
    """Return the SELECT of the resources that the viewer may see, for `read_row`."""
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
        flag_sql(transfers),
    ).where(policy.sees_resource(viewer))


@cache
def _select_visible_org(viewer: Viewer) -> Select[Any]:
    may_write = flag_sql(policy.writes_org(viewer))
    columns = select(col(Org.id), may_write, col(Org.slug))
    return columns.where(col(Org.id) == bindparam("key", type_=RowId()), policy.sees_org(viewer))


def text_problems(name: str, description: str, metadata: Any) -> Iterator[Problem]:
    """Yield the problems of a resource's name, description and metadata."""
    yield from validation.title_problems(name)
    yield from validation.description_problems(description)
    yield from validation.document_problems(metadata)
