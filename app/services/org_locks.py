"""Holding the orgs of resources, before the resources: the order for all who hold both."""

from typing import Any

from sqlalchemy import Select, bindparam, or_, select

from app import policy
from app.db import Transaction
from app.db.tables import Org, Resource, col
from app.domain.refs import RowRef
from app.domain.viewer import Viewer
from app.services import validation


async def hold_orgs(tx: Transaction, resource: RowRef, org: RowRef | None = None) -> None:
    """Hold the org of a resource, and another one, before the resource: their totals are about to change.

    Who deletes an org holds it before its resources, too, and two who wait for each other would both be refused.
    """
    way, key = resource
    org_way, org_key = org or ("id", 0)
    bound = org_key if org_way == "id" else validation.normalize_key(str(org_key))
    await tx.rows(_HOLD_ORGS[way, org_way], key=key, org=bound)


async def keep_org(tx: Transaction, viewer: Viewer, resource: RowRef) -> int | None:
    """Hold the org of a resource beside others who do so, against those who change its owner; answers its id."""
    policy.require_signed_in(viewer)
    key: int | None = await tx.value(_KEEP_ORG[resource[0]], key=resource[1])
    return key


def _orgs_of(resource: Any, org: Any) -> Select[Any]:
    """The org of a resource and one that is named, in one order for all who hold two."""
    home = select(col(Resource.org_id)).where(col(resource) == bindparam("key", type_=col(resource).type))
    chosen = or_(col(Org.id) == home.scalar_subquery(), col(org) == bindparam("org", type_=col(org).type))
    return select(col(Org.id)).where(chosen).order_by(col(Org.id)).with_for_update(key_share=True)


_HOLD_ORGS = {
    (way, org_way): _orgs_of(resource, org)
    for way, resource in (("id", Resource.id), ("path", Resource.path))
    for org_way, org in (("id", Org.id), ("slug", Org.slug))
}

_KEEP_ORG = {
    way: select(col(Org.id))
    .join(Resource, col(Resource.org_id) == col(Org.id))
    .where(col(column) == bindparam("key", type_=col(column).type))
    .with_for_update(read=True, of=Org)
    for way, column in (("id", Resource.id), ("path", Resource.path))
}
