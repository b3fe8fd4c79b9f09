"""Types of resources."""

from collections.abc import Iterable

from sqlalchemy import insert, select

from app import policy
from app.db import Transaction, UniqueViolation
from app.db.tables import ResourceType, col
from app.domain import resource_roles
from app.domain.errors import Conflict
from app.domain.viewer import Permission, Viewer
from app.query.relations import among, texts
from app.services import audit, validation


async def create_resource_type(tx: Transaction, viewer: Viewer, name: str, has_data: bool) -> int:
    """Add a type of resource; needs RESOURCES_MANAGE."""
    policy.require(viewer, Permission.RESOURCES_MANAGE)
    validation.raise_problems([*validation.type_name_problems(name)])
    try:
        values = {"name": name, "has_data": has_data, "is_built_in": False}
        key = int(await tx.value(insert(ResourceType).values(**values).returning(col(ResourceType.id))))
    except UniqueViolation:
        raise Conflict(f"The type `{name}` already exists.", ("name",)) from None
    audit.track_new(tx, audit.RESOURCE_TYPE, [key])
    return key


async def load(tx: Transaction, names: Iterable[str]) -> dict[str, tuple[int, int]]:
    """Return the ids of types and the masks of their roles, without the names of no type."""
    valid = [name for name in {*names} if not [*validation.type_name_problems(name)]]
    statement = select(col(ResourceType.name), col(ResourceType.id), col(ResourceType.has_data))
    rows = await tx.rows(statement.where(among(col(ResourceType.name), texts(valid))))
    return {name: (key, resource_roles.ALL if has_data else resource_roles.NON_DATA) for name, key, has_data in rows}
