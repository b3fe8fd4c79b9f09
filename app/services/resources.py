"""Resources: making, changing, giving away and deleting them; and the order of checks that all changes of one share."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from sqlalchemy import Integer, Select, bindparam, case, delete, exists, insert, literal_column, select, update

from app import masks, policy
from app.auth import Permission, Viewer
from app.db import Duplicate, Transaction
from app.errors import Conflict, Forbidden, InvalidInput, Locked, NotFound, Problem
from app.services import index, names, users
from app.services.roles import Way
from app.tables import Grant, Key, Lock, Org, Resource, ResourceType, col, sortable

DEFAULT_MASK = masks.METADATA_READ | masks.DATA_READ
"""What every signed-in user gets on a new resource, of the roles that its type has (design, 1.5)."""

ROLE_NAMES = {
    masks.METADATA_READ: "METADATA_READ",
    masks.METADATA_WRITE: "METADATA_WRITE",
    masks.DATA_READ: "DATASET_DATA_READ",
    masks.DATA_WRITE: "DATASET_DATA_WRITE",
    masks.ADMIN: "ADMIN",
}


@dataclass(frozen=True, slots=True)
class NewResource:
    """What a new resource is made of; its owner is the one who makes it."""

    org: Way
    type: str
    slug: str
    name: str
    description: str = ""
    metadata: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Changes:
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
        return values if name is None else values | {"name": name, "name_key": sortable(name)}


@dataclass(frozen=True, slots=True)
class Found:
    """A resource that the viewer sees, held for a change, and what she may do with it."""

    id: int
    slug: str
    mask: int
    full_mask: int
    revision: int
    is_locked: bool
    may_delete: bool


async def create_resource(tx: Transaction, viewer: Viewer, new: NewResource) -> int:
    """Make a resource in an org that the viewer writes; every signed-in user gets to read it. Answers its id."""
    owner = policy.require_signed_in(viewer)
    org_id, org_slug = await writable_org(tx, viewer, new.org)
    kind = await _type(tx, new.type)
    name = new.name.strip()
    unknown = [] if kind else [InvalidInput(f"There is no type `{new.type}`.", ("type",))]
    texts = _text_problems(name, new.description, new.metadata)
    names.refuse([*unknown, *names.slug_problems(new.slug), *texts])
    assert kind is not None
    type_id, full = kind
    values = {
        "org_id": org_id,
        "type_id": type_id,
        "slug": new.slug,
        "path": f"{org_slug}/{new.slug}",
        "name": name,
        "name_key": sortable(name),
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
    except Duplicate:
        raise Conflict(f"The org has a resource `{new.slug}` already.", ("slug",)) from None
    general = {"resource_id": key, "subject": masks.GENERAL, "mask": DEFAULT_MASK & full}
    await tx.put(Grant, [{**general, "group_id": None, "user_id": None, "expires_at": None}])
    await index.refresh(tx, [key])
    return key


async def update_resource(tx: Transaction, viewer: Viewer, resource: Way, changes: Changes) -> int:
    """Change what is given of the metadata; needs METADATA_WRITE and no lock."""
    found_ = await writable(tx, viewer, resource, masks.METADATA_WRITE)
    values = changes.values
    metadata = {} if changes.metadata is None else changes.metadata
    names.refuse([*_text_problems(values.get("name", "-"), changes.description or "", metadata)])
    await _write(tx, found_, values)
    return found_.id


async def transfer_resource(
    tx: Transaction, viewer: Viewer, resource: Way, owner: Way | None = None, org: Way | None = None
) -> int:
    """Give a resource to another owner, or move it to another org that the viewer writes; needs ADMIN and no lock."""
    found_ = await writable(tx, viewer, resource, masks.ADMIN)
    values: dict[str, Any] = {}
    if owner is not None:
        values["owner_id"] = await users.found(tx, viewer, owner, "owner")
    if org is not None:
        org_id, org_slug = await writable_org(tx, viewer, org)
        values |= {"org_id": org_id, "path": f"{org_slug}/{found_.slug}"}
    try:
        await _write(tx, found_, values)
    except Duplicate:
        raise Conflict("The org has a resource with this slug already.", ("org",)) from None
    return found_.id


async def _write(tx: Transaction, found_: Found, values: dict[str, Any]) -> None:
    """Set columns, if there are any, and make the index anew."""
    if values:
        await tx.rows(update(Resource).where(col(Resource.id) == found_.id).values(**values, updated_at=tx.now))
        await index.refresh(tx, [found_.id])


async def delete_resource(tx: Transaction, viewer: Viewer, resource: Way) -> int:
    """Delete a resource with its grants and history; needs ADMIN, or READ_WRITE_DELETE on the org, and no lock."""
    found_ = await found(tx, viewer, resource)
    if not (found_.may_delete or found_.mask & masks.ADMIN):
        raise Forbidden("This needs ADMIN on the resource, or READ_WRITE_DELETE on its org.")
    require_unlocked(found_)
    await tx.rows(delete(Resource).where(col(Resource.id) == found_.id))
    return found_.id


async def create_resource_type(tx: Transaction, viewer: Viewer, name: str, has_data: bool) -> int:
    """Add a type of resource; needs RESOURCES_MANAGE."""
    policy.require(viewer, Permission.RESOURCES_MANAGE)
    names.refuse([*names.type_name_problems(name)])
    try:
        values = {"name": name, "has_data": has_data, "is_built_in": False}
        return int(await tx.value(insert(ResourceType).values(**values).returning(col(ResourceType.id))))
    except Duplicate:
        raise Conflict(f"There is a type `{name}` already.", ("name",)) from None


async def writable(tx: Transaction, viewer: Viewer, resource: Way, role: int) -> Found:
    """A resource on which the viewer holds a role that a lock stops."""
    found_ = await found(tx, viewer, resource)
    policy.require_role(found_.mask, role, ROLE_NAMES[role])
    require_unlocked(found_)
    return found_


async def administered(tx: Transaction, viewer: Viewer, resource: Way) -> Found:
    """A resource whose access configuration and locks are the viewer's to change, locked or not."""
    found_ = await found(tx, viewer, resource)
    policy.require_role(found_.mask, masks.ADMIN, "ADMIN")
    return found_


def require_unlocked(found_: Found) -> None:
    """Raises Locked: nobody writes to a locked resource, administrators included."""
    if found_.is_locked:
        raise Locked("The resource is locked.", ("resource",))


async def found(tx: Transaction, viewer: Viewer, resource: Way, path: Sequence[str | int] = ("resource",)) -> Found:
    """The resource, held until the transaction ends; raises NotFound unless the viewer sees it.

    It is held by a statement of its own: what the next one reads is then as the transaction before left it.
    """
    policy.require_signed_in(viewer)
    way, key = resource
    held = await tx.value(_HOLD[way], key=key)
    seen = _seen(viewer.permissions)
    row = None if held is None else await tx.row(seen, key=held, viewer_id=viewer.user_id, now=tx.now)
    if row is None:
        raise NotFound("There is no such resource.", path)
    number, slug, mask, full, revision, is_locked, may_delete = row
    return Found(number, slug, mask, full, revision, bool(is_locked), bool(may_delete))


async def writable_org(tx: Transaction, viewer: Viewer, org: Way) -> tuple[int, str]:
    """The id and the slug of an org in which the viewer creates resources; nobody deletes it meanwhile."""
    way, key = org
    held = await tx.value(_KEEP[way], key=key if way == "id" else names.sought(str(key)))
    seen = _seen_org(viewer.permissions)
    row = None if held is None else await tx.row(seen, key=held, viewer_id=viewer.user_id, now=tx.now)
    if row is None:
        raise NotFound("There is no such org.", ("org",))
    if not row[1]:
        raise Forbidden("This needs READ_WRITE on the org.")
    return int(row[0]), str(row[2])


def _named(table: Any, column: Any, *, shared: bool = False) -> Select[Any]:
    """The id of the row that is named, which stays: for this change alone, or beside others that need it too."""
    named = col(column) == bindparam("key", type_=col(column).type)
    return select(col(table.id)).where(named).with_for_update(read=shared, key_share=shared)


_HOLD = {"id": _named(Resource, Resource.id), "path": _named(Resource, Resource.path)}
_KEEP = {"id": _named(Org, Org.id, shared=True), "slug": _named(Org, Org.slug, shared=True)}


@cache
def _seen(permissions: Permission) -> Select[Any]:
    viewer = Viewer(None, permissions)
    return select(
        col(Resource.id),
        col(Resource.slug),
        policy.mask(viewer),
        col(Resource.full_mask),
        col(Resource.revision),
        exists().where(col(Lock.resource_id) == col(Resource.id)),
        policy.deletes_in_org(viewer),
    ).where(col(Resource.id) == bindparam("key", type_=Integer()), policy.sees_resource(viewer))


@cache
def _seen_org(permissions: Permission) -> Select[Any]:
    viewer = Viewer(None, permissions)
    writes = case((policy.writes_org(viewer), literal_column("1")), else_=literal_column("0"))
    chosen = select(col(Org.id), writes, col(Org.slug))
    return chosen.where(col(Org.id) == bindparam("key", type_=Integer()), policy.sees_org(viewer))


_TYPE = select(col(ResourceType.id), col(ResourceType.has_data)).where(
    col(ResourceType.name) == bindparam("name", type_=Key())
)


async def _type(tx: Transaction, name: str) -> tuple[int, int] | None:
    """The id of a type and the mask of its roles; what cannot be a name is not looked for."""
    row = None if [*names.type_name_problems(name)] else await tx.row(_TYPE, name=name)
    return None if row is None else (int(row[0]), masks.ALL if row[1] else masks.WITHOUT_DATA)


def _text_problems(name: str, description: str, metadata: Any) -> Iterator[Problem]:
    yield from names.title_problems(name)
    yield from names.description_problems(description)
    yield from names.document_problems(metadata)
