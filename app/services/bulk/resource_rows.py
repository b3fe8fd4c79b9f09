"""Loading many resources, orgs and their locks, each with a constant number of statements."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import Select, bindparam, select

from app import policy
from app.db import Transaction
from app.db.tables import KeyText, Org, Resource, RowId, col
from app.domain.refs import RowRef
from app.domain.viewer import Viewer
from app.query.relations import Keys, among, flag_sql
from app.services import resources, validation
from app.services.resources import Purpose, ResourceForUpdate

_IDS = bindparam("ids", type_=Keys(RowId()))
_TEXTS = bindparam("texts", type_=Keys(KeyText()))
_KEYS = bindparam("keys", type_=Keys(RowId()))
_MATCHES_RESOURCE = among(col(Resource.id), _IDS) | among(col(Resource.path), _TEXTS)
_LOCK_RESOURCES = (
    select(col(Resource.id), col(Resource.path)).where(_MATCHES_RESOURCE).order_by(col(Resource.id)).with_for_update()
)
_LOCK_ORGS_OF_RESOURCES = (
    select(col(Org.id))
    .where(col(Org.id).in_(select(col(Resource.org_id)).where(_MATCHES_RESOURCE)))
    .order_by(col(Org.id))
    .with_for_update(key_share=True)
)
_LOCK_ORGS = (
    select(col(Org.id), col(Org.slug))
    .where(among(col(Org.id), _IDS) | among(col(Org.slug), _TEXTS))
    .order_by(col(Org.id))
    .with_for_update(read=True, key_share=True)
)


@dataclass(frozen=True, slots=True)
class OrgOfResources:
    """An org that the viewer may see, locked against deletion."""

    id: int
    slug: str
    is_writable: bool


def _split(refs: Sequence[RowRef]) -> dict[str, list[Any]]:
    return {
        "ids": [key for by, key in refs if by == "id"],
        "texts": [key for by, key in refs if by != "id"],
    }


async def lock_orgs(tx: Transaction, refs: Sequence[RowRef]) -> None:
    """Lock the orgs of resources, before their stored bytes change."""
    await tx.rows(_LOCK_ORGS_OF_RESOURCES, **_split(refs))


async def load_resources(
    tx: Transaction, viewer: Viewer, refs: Sequence[RowRef], purpose: Purpose = "change"
) -> tuple[list[ResourceForUpdate | None], set[RowRef]]:
    """Return resources with their rows locked, None for each that the viewer may not see; and all that exist.

    A first statement takes the row locks, so that the second reads the state after the previous holder's commit.
    """
    policy.require_signed_in(viewer)
    locked = await tx.rows(_LOCK_RESOURCES, **_split(refs))
    statement = _select_resources(viewer.permission_profile, purpose)
    rows = await tx.rows(statement, keys=[key for key, _ in locked], **viewer.bind_values, now=tx.now)
    visible = {row[0]: resources.read_row(row) for row in rows}
    keys: dict[RowRef, int] = {}
    for key, path in locked:
        keys |= {("id", key): key, ("path", path): key}
    return [visible.get(keys.get(ref, 0)) for ref in refs], {*keys}


@cache
def _select_resources(viewer: Viewer, purpose: Purpose) -> Select[Any]:
    return resources.columns_for_update(viewer, purpose).where(among(col(Resource.id), _KEYS))


async def load_orgs(tx: Transaction, viewer: Viewer, refs: Iterable[RowRef]) -> list[OrgOfResources | None]:
    """Return orgs, locked against deletion, None for each that the viewer may not see."""
    normalized = validation.normalize_refs([*refs])
    locked = await tx.rows(_LOCK_ORGS, **_split(normalized))
    statement = _select_orgs(viewer.permission_profile)
    rows = await tx.rows(statement, keys=[key for key, _ in locked], **viewer.bind_values, now=tx.now)
    by_ref: dict[RowRef, OrgOfResources] = {}
    for key, slug, is_writable in rows:
        org = OrgOfResources(key, slug, bool(is_writable))
        by_ref |= {("id", key): org, ("slug", slug): org}
    return [by_ref.get(ref) for ref in normalized]


@cache
def _select_orgs(viewer: Viewer) -> Select[Any]:
    may_write = flag_sql(policy.writes_org(viewer))
    return select(col(Org.id), col(Org.slug), may_write).where(among(col(Org.id), _KEYS), policy.sees_org(viewer))
