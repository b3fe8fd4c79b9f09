"""Row locks: on a row that a change loads, and on the orgs of resources.

Every transaction locks orgs before resources, so that none deadlocks.
"""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Select, bindparam, or_, select

from app import policy
from app.db import Transaction
from app.db.statements import Row
from app.db.tables import Org, Resource, col
from app.domain.refs import RowRef
from app.domain.viewer import Viewer
from app.services import validation


def select_locks(table: Any, name: str, *, is_shared: bool = False) -> dict[str, Select[Any]]:
    """Return the statements that lock a row and select its id, by the id and by the column `name`.

    A shared lock only prevents deletion.
    """
    columns = {by: col(getattr(table, by)) for by in ("id", name)}
    return {
        by: select(col(table.id))
        .where(column == bindparam("key", type_=column.type))
        .with_for_update(read=is_shared, key_share=is_shared)
        for by, column in columns.items()
    }


async def load_visible(
    tx: Transaction, viewer: Viewer, locks: Mapping[str, Select[Any]], ref: RowRef, visible: Select[Any]
) -> Row | None:
    """Return a row, locked until the transaction ends, as `visible` selects it by `key`; None if the viewer sees none.

    A first statement takes the row lock, so that the second reads the state after the previous holder's commit.
    """
    by, key = validation.normalize_ref(ref)
    row_id = await tx.value(locks[by], key=key)
    return None if row_id is None else await tx.row(visible, key=row_id, **viewer.bind_values, now=tx.now)


async def lock_orgs(tx: Transaction, resource: RowRef, org: RowRef | None = None) -> None:
    """Lock the org of a resource, and another org if given, before the stored bytes of both change."""
    by, key = resource
    org_by, org_key = validation.normalize_ref(org or ("id", 0))
    await tx.rows(_LOCK_ORGS[by, org_by], key=key, org=org_key)


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
