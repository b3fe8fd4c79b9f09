"""New slugs of resources. The slug of a resource is part of its path, which is unique in the registry."""

from functools import cache
from typing import Any

from sqlalchemy import Select, bindparam, case, literal_column, select

from app import policy
from app.db import Transaction, UniqueViolation
from app.db.tables import Org, Resource, RowId, col
from app.domain import resource_roles
from app.domain.errors import Conflict, Forbidden
from app.domain.refs import RowRef
from app.domain.viewer import Viewer
from app.services import access_index, audit, resources, row_locks, validation


async def rename_resource(tx: Transaction, viewer: Viewer, resource: RowRef, slug: str) -> int:
    """Change the slug, and with it the path, of an unlocked resource, and return its id.

    Needs METADATA_WRITE on the resource, and READ_WRITE in its org or RESOURCES_MANAGE. A role on the resource does
    not suffice: a Conflict would reveal the slugs of resources in an org that the viewer may not see.
    """
    await row_locks.lock_orgs(tx, resource)
    target = await resources.load_for_update(tx, viewer, resource)
    role = resource_roles.METADATA_WRITE
    policy.require_role(target.mask, role, resource_roles.NAMES[role])
    statement = _select_org(viewer.permission_profile)
    org_slug = await tx.value(statement, key=target.org_id, **viewer.bind_values, now=tx.now)
    if org_slug is None:
        raise Forbidden("This needs READ_WRITE in the org of the resource, or RESOURCES_MANAGE.")
    await audit.require_current(tx, audit.RESOURCE, target.id)
    resources.require_unlocked(target)
    validation.raise_problems([*validation.slug_problems(slug)])
    if slug == target.slug:
        return target.id
    await audit.track(tx, audit.RESOURCE, [target.id])
    values = {"slug": slug, "path": f"{org_slug}/{slug}", "updated_at": tx.now}
    try:
        await tx.update(Resource, target.id, values)
    except UniqueViolation:
        raise Conflict(f"The org already has a resource `{slug}`. Choose another slug.", ("slug",)) from None
    await access_index.refresh_change(tx, target.id)
    return target.id


@cache
def _select_org(viewer: Viewer) -> Select[Any]:
    """Return the statement of the slug of an org, null if the viewer may not give slugs to its resources."""
    names = policy.names_resources_in_org(viewer)
    slug = case((names, col(Org.slug)), else_=literal_column("NULL"))
    return select(slug).where(col(Org.id) == bindparam("key", type_=RowId()))
