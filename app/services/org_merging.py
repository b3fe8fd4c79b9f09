"""Merging an org into another one: its resources, its members, and then the org itself."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import bindparam, delete, select

from app import policy
from app.db import Transaction
from app.db.tables import Org, OrgMember, RowId, col
from app.domain.refs import RowRef
from app.domain.resource_roles import MemberLevel
from app.domain.viewer import Viewer
from app.query.relations import among, integers
from app.services import audit, quotas, resource_moves, users
from app.services.resource_moves import Move, OnSlugConflict, OrgPair

NEVER = datetime.max.replace(tzinfo=UTC)

Member = dict[str, Any]
"""The columns of a row of `org_members`."""

_COLUMNS = ("org_id", "user_id", "level", "granted_at", "granted_by", "granted_by_name", "expires_at")


@dataclass(frozen=True, slots=True)
class MergedOrgs:
    """The ids of both orgs, the move of each resource, and whether the source was deleted."""

    source: int
    destination: int
    moves: Sequence[Move]
    is_source_deleted: bool


async def merge_orgs(
    tx: Transaction,
    viewer: Viewer,
    source: RowRef,
    destination: RowRef,
    on_conflict: OnSlugConflict,
    storage_policy: quotas.StoragePolicy,
    *,
    deletes_source: bool = True,
) -> MergedOrgs:
    """Move all resources and members of an org to another one, then delete the org if nothing is left in it.

    Needs ORGS_MANAGE. None of the resources may be locked. A user who is in both orgs keeps the higher level, and of
    two equal ones the one that ends later. The owner of the source becomes a member with the level ADMIN.
    """
    pair = await resource_moves.lock_pair(tx, viewer, source, destination)
    moves = await resource_moves.move_all(tx, pair, on_conflict, storage_policy)
    await _unite_members(tx, pair)
    is_deleted = deletes_source and all(move.problem is None for move in moves)
    if is_deleted:
        await audit.track(tx, audit.ORG, [pair.source.id])
        await tx.rows(delete(Org).where(col(Org.id) == bindparam("key", type_=RowId())), key=pair.source.id)
    return MergedOrgs(pair.source.id, pair.destination.id, moves, is_deleted)


async def _unite_members(tx: Transaction, pair: OrgPair) -> None:
    source, destination = pair.source, pair.destination
    await audit.track_links(tx, audit.ORG_MEMBERS, source=[source.id, destination.id])
    joining = await _load(tx, source.id)
    if source.owner_id is not None:
        joining[source.owner_id] = await _owner_as_member(tx, pair)
    present = await _load(tx, destination.id)
    joining.pop(destination.owner_id or 0, None)
    better = {user: row for user, row in joining.items() if user not in present or _rank(present[user]) < _rank(row)}
    has_row = among(col(OrgMember.user_id), integers(better))
    await tx.rows(delete(OrgMember).where(col(OrgMember.org_id) == destination.id, has_row))
    await tx.insert(OrgMember, [{**row, "org_id": destination.id} for row in better.values()])


async def _load(tx: Transaction, org: int) -> dict[int, Member]:
    """Return the current members of an org by the id of the user."""
    rows = await tx.rows(_MEMBERS, org=org, now=tx.now)
    members = (dict(zip(_COLUMNS, row, strict=False)) for row in rows)
    return {member["user_id"]: member for member in members}


async def _owner_as_member(tx: Transaction, pair: OrgPair) -> Member:
    granted = tx.now, pair.viewer.user_id, await users.name_of(tx, pair.viewer)
    return dict(
        zip(_COLUMNS, (pair.source.id, pair.source.owner_id, int(MemberLevel.ADMIN), *granted, None), strict=True)
    )


def _rank(member: Member) -> tuple[int, datetime]:
    return member["level"], member["expires_at"] or NEVER


_MEMBERS = select(*(col(getattr(OrgMember, name)) for name in _COLUMNS)).where(
    col(OrgMember.org_id) == bindparam("org", type_=RowId()), policy.is_valid_until(OrgMember.expires_at)
)
