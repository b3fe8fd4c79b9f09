"""Explaining denials: the reasons why a user does not hold a role on a resource."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Integer, and_, bindparam, cast, literal_column, null, or_, select, union_all

from app import policy
from app.db import Database, Freshness
from app.db.tables import Grant, GroupMember, OrgMember, Resource, RowId, User, UTCDateTime, col
from app.domain import resource_roles
from app.domain.refs import RowRef
from app.domain.resource_roles import MemberLevel, SubjectType
from app.domain.viewer import Viewer
from app.services import checks


class Cause(StrEnum):
    """One kind of reason why a user does not hold a role."""

    DEACTIVATED = "DEACTIVATED"
    ENDED = "ENDED"
    WITHOUT_ROLE = "WITHOUT_ROLE"
    NOT_OF_TYPE = "NOT_OF_TYPE"
    NO_ENTRY = "NO_ENTRY"


@dataclass(frozen=True, slots=True)
class Denial:
    """One reason. That of an entry or membership has its subject, its roles as granted, and when it ended."""

    cause: Cause
    kind: SubjectType | None = None
    key: int = 0
    granted: int = 0
    ended_at: datetime | None = None


async def explain_denial(database: Database, viewer: Viewer, user: RowRef, resource: RowRef, role: int) -> list[Denial]:
    """Return why a user does not hold a role, nothing if the user does; raise like `checks.check_access`.

    A viewer who asks about a resource that they do not see gets NO_ENTRY, whatever entries exist.
    """
    user_id, resource_id = (
        await checks.find_user_id(database, viewer, user),
        await checks.find_resource_id(database, resource),
    )
    users, resources, roles = [user_id] * 2, [resource_id] * 2, [role, resource_roles.METADATA_READ]
    async with checks.open_reader(database, viewer, {user_id}) as reader:
        has_role, is_visible = await checks.check(reader, viewer, users, resources, roles, by_name=user[0] != "id")
        if has_role:
            return []
        if user_id == viewer.user_id and not (is_visible or policy.sees_all_resources(viewer)):
            return [Denial(Cause.NO_ENTRY)]
        return await _explain(reader, user_id, resource_id, role)


async def _explain(reader: checks.Reader, user: int, resource: int, role: int) -> list[Denial]:
    if not await reader.ask(_ACTIVE, freshness=Freshness.PRIMARY, user=user):
        return [Denial(Cause.DEACTIVATED)]
    rows = await reader.ask(_FULL_MASK, freshness=Freshness.PRIMARY, resource=resource)
    if not any(full & role for (full,) in rows):
        return [Denial(Cause.NOT_OF_TYPE)]
    rows = await reader.ask(_ENTRIES, freshness=Freshness.PRIMARY, user=user, resource=resource)
    reasons = [denial for row in rows for denial in _denials(row, role, reader.clock())]
    return reasons or [Denial(Cause.NO_ENTRY)]


def _denials(row: Any, role: int, now: datetime) -> Iterator[Denial]:
    """Yield the reason that one entry or membership gives: it has ended, or it has other roles."""
    subject, granted, level, *ends = row
    mask = granted if level is None else resource_roles.CAPS[MemberLevel(level)]
    kind, key = resource_roles.subject_type(subject), resource_roles.subject_key(subject)
    ended = min((end for end in ends if end is not None and end <= now), default=None)
    if ended is not None:
        yield Denial(Cause.ENDED, kind, key, mask, ended)
    elif not resource_roles.effective(mask, resource_roles.ALL) & role and (mask or kind is not SubjectType.GENERAL):
        yield Denial(Cause.WITHOUT_ROLE, kind, key, mask)


_USER_ID = bindparam("user", type_=RowId())
_RESOURCE_ID = bindparam("resource", type_=RowId())

_ACTIVE = select(col(User.id)).where(col(User.id) == _USER_ID, policy.is_active(col(User.id)))
_FULL_MASK = select(col(Resource.full_mask)).where(col(Resource.id) == _RESOURCE_ID)

_IS_IN_GROUP = and_(col(GroupMember.group_id) == col(Grant.group_id), col(GroupMember.user_id) == _USER_ID)

_ENTRIES = union_all(
    select(
        col(Grant.subject).label("subject"),
        col(Grant.mask),
        cast(null(), Integer),
        col(Grant.expires_at),
        col(GroupMember.expires_at),
    )
    .select_from(Grant)
    .outerjoin(GroupMember, _IS_IN_GROUP)
    .where(
        col(Grant.resource_id) == _RESOURCE_ID,
        or_(
            policy.is_general(Viewer(None)),
            policy.is_anyone(Viewer(None)),
            col(Grant.user_id) == _USER_ID,
            col(GroupMember.user_id).is_not(None),
        ),
    ),
    select(
        policy.subject_id(SubjectType.ORG, col(OrgMember.org_id)),
        literal_column("0", Integer),
        col(OrgMember.level),
        col(OrgMember.expires_at),
        cast(null(), UTCDateTime),
    )
    .join(Resource, col(Resource.org_id) == col(OrgMember.org_id))
    .where(col(Resource.id) == _RESOURCE_ID, col(OrgMember.user_id) == _USER_ID),
).order_by(literal_column("1"))
"""Entries of a resource for a user, and the membership of its org: (subject, mask, level, end, end of membership)."""
