"""Row locks on the orgs of resources. Every transaction locks orgs before resources, so that none deadlocks."""

from typing import Any

from sqlalchemy import Select, bindparam, or_, select

from app import policy
from app.db import Transaction
from app.db.tables import Org, Resource, col
from app.domain.refs import RowRef
from app.domain.viewer import Viewer
from app.services import validation


async def lock_orgs(tx: Transaction, resource: RowRef, org: RowRef | None = None) -> None:
    """Lock the org of a resource, and another org if given, before the stored bytes of both change."""
    by, key = resource
    org_by, org_key = org or ("id", 0)
    bound = org_key if org_by == "id" else validation.normalize_key(str(org_key))
    await tx.rows(_LOCK_ORGS[by, org_by], key=key, org=bound)


async def lock_org_shared(tx: Transaction, viewer: Viewer, resource: RowRef) -> int | None:
    """Lock the org of a resource against a change of its owner, but not against other shared locks; return its id."""
    policy.require_signed_in(viewer)
    key: int | None = await tx.value(_LOCK_ORG_SHARED[resource[0]], key=resource[1])
    return key


def _select_orgs(resource: Any, org: Any) -> Select[Any]:
    """Return the statement that locks the org of a resource and another org, in the order of their ids."""
    org_id = select(col(Resource.org_id)).where(col(resource) == bindparam("key", type_=col(resource).type))
    matches = or_(col(Org.id) == org_id.scalar_subquery(), col(org) == bindparam("org", type_=col(org).type))
    return select(col(Org.id)).where(matches).order_by(col(Org.id)).with_for_update(key_share=True)


_LOCK_ORGS = {
    (by, org_by): _select_orgs(resource, org)
    for by, resource in (("id", Resource.id), ("path", Resource.path))
    for org_by, org in (("id", Org.id), ("slug", Org.slug))
}

_LOCK_ORG_SHARED = {
    by: select(col(Org.id))
    .join(Resource, col(Resource.org_id) == col(Org.id))
    .where(col(column) == bindparam("key", type_=col(column).type))
    .with_for_update(read=True, of=Org)
    for by, column in (("id", Resource.id), ("path", Resource.path))
}
