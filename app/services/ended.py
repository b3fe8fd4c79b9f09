"""Removal of what ended long ago: memberships, grants to users and groups, and API tokens.

It has no effect on anybody's rights, since these count only until their end. Grants to all users stay: a configuration
has them always.
"""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any

from sqlalchemy import Integer, bindparam, delete, exists, literal_column, or_, select

from app.db import Database, Freshness, Transaction
from app.db.tables import ApiToken, Grant, Group, GroupMember, Lock, Org, OrgMember, Resource, UTCDateTime, col
from app.domain.viewer import SYSTEM
from app.query.relations import among, integers
from app.services import audit, grants, members
from app.services.members import MemberTable

ACTION = "removeEnded"

MOST = 200
"""Rows of one kind that one call removes."""


async def remove(database: Database, before: datetime) -> int:
    """Remove up to MOST rows of each kind that ended before a moment, each kind with its event; return their number."""
    statements = [(database.prepare(statement), {"before": before}) for statement in _ANY]
    matches = await database.read(statements, freshness=Freshness.PRIMARY)
    removed = 0
    for rows, work in zip(matches, _WORK, strict=True):
        if rows:
            async with audit.transaction(database, SYSTEM, ACTION) as tx:
                removed += await work(tx, before)
    return removed


async def _remove_tokens(tx: Transaction, before: datetime) -> int:
    ids = [row[0] for row in await tx.rows(_TOKENS, before=before)]
    await audit.track(tx, audit.API_TOKEN, ids)
    await tx.rows(delete(ApiToken).where(among(col(ApiToken.id), integers(ids))))
    return len(ids)


async def _remove_org_members(tx: Transaction, before: datetime) -> int:
    return await _remove_members(tx, before, Org, members.ORGS)


async def _remove_group_members(tx: Transaction, before: datetime) -> int:
    return await _remove_members(tx, before, Group, members.GROUPS)


async def _remove_members(tx: Transaction, before: datetime, container: Any, member_table: MemberTable) -> int:
    """Remove members. Their orgs or groups are locked first, as by every change of members."""
    table, column = member_table.table, member_table.column
    ended = col(table.expires_at) <= _BEFORE
    oldest = select(column).where(ended).order_by(col(table.expires_at)).limit(MOST)
    locked = select(col(container.id)).where(col(container.id).in_(oldest)).order_by(col(container.id))
    keys = [row[0] for row in await tx.rows(locked.with_for_update(key_share=True), before=before)]
    oldest_members = select(column, col(table.user_id)).where(ended, among(column, integers(keys))).limit(MOST)
    pairs = await tx.rows(oldest_members, before=before)
    await members.remove(tx, member_table, [{member_table.key: key, "user_id": user} for key, user in pairs])
    return len(pairs)


async def _remove_grants(tx: Transaction, before: datetime) -> int:
    """Remove grants. The revisions of the configurations are incremented, so that clients read them again."""
    resources = [row[0] for row in await tx.rows(_LOCK_RESOURCES, before=before)]
    ended = await tx.rows(_GRANTS.where(among(col(Grant.resource_id), integers(resources))), before=before)
    if ended:
        await grants.write_many(tx, SYSTEM, dict.fromkeys(ended))
    return len(ended)


_BEFORE = bindparam("before", type_=UTCDateTime())
_ONE = literal_column("1", Integer)

_is_locked = exists().where(col(Lock.resource_id) == col(Grant.resource_id)).correlate(Grant)
_ENDED_GRANT = (
    col(Grant.expires_at) <= _BEFORE,
    or_(col(Grant.user_id).is_not(None), col(Grant.group_id).is_not(None)),
    ~_is_locked,
)
_GRANTS = select(col(Grant.resource_id), col(Grant.subject)).where(*_ENDED_GRANT).limit(MOST)
_OLDEST = select(col(Grant.resource_id)).where(*_ENDED_GRANT).order_by(col(Grant.expires_at)).limit(MOST)
_LOCK_RESOURCES = (
    select(col(Resource.id)).where(col(Resource.id).in_(_OLDEST)).order_by(col(Resource.id)).with_for_update()
)
_TOKENS = (
    select(col(ApiToken.id))
    .where(col(ApiToken.expires_at) <= _BEFORE)
    .order_by(col(ApiToken.expires_at))
    .limit(MOST)
    .with_for_update(skip_locked=True)
)

_Work = Callable[[Transaction, datetime], Awaitable[int]]
_WORK: tuple[_Work, ...] = (_remove_tokens, _remove_org_members, _remove_group_members, _remove_grants)
_ANY = (
    *(select(_ONE).where(col(table.expires_at) <= _BEFORE).limit(1) for table in (ApiToken, OrgMember, GroupMember)),
    select(_ONE).select_from(Grant).where(*_ENDED_GRANT).limit(1),
)
"""One statement for each work, which finds a row if there is something to do."""
