"""Why not? The reasons for which a user does not hold a role on a resource."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Integer, and_, bindparam, cast, literal_column, null, or_, select, union_all

from app import policy
from app.db import Database, Freshness
from app.db.tables import Grant, GroupMember, OrgMember, Resource, User, UTCDateTime, col
from app.domain import resource_roles
from app.domain.refs import RowRef
from app.domain.resource_roles import MemberLevel, SubjectType
from app.domain.viewer import Viewer
from app.services import checks


class Cause(StrEnum):
    """What stands between a user and a role."""

    DEACTIVATED = "DEACTIVATED"
    ENDED = "ENDED"
    WITHOUT_ROLE = "WITHOUT_ROLE"
    NOT_OF_TYPE = "NOT_OF_TYPE"
    NO_ENTRY = "NO_ENTRY"


@dataclass(frozen=True, slots=True)
class Denial:
    """One reason; of an entry or a membership, as whom the user has it, its roles, and when it ended."""

    cause: Cause
    kind: SubjectType | None = None
    key: int = 0
    granted: int = 0
    ended_at: datetime | None = None


async def explain_denial(database: Database, viewer: Viewer, user: RowRef, resource: RowRef, role: int) -> list[Denial]:
    """Return why a user does not hold a role, none if the user does; asked as `checks.check_access` is.

    Who asks for themselves about a resource that they do not see is told that there is no entry, whatever there was.
    """
    user_id, resource_id = await checks.user_key(database, user), await checks.resource_key(database, resource)
    triples = [(user_id, resource_id, bit) for bit in (role, resource_roles.METADATA_READ)]
    holds, sees = await checks.check_access_batch(database, viewer, triples)
    if holds:
        return []
    if user_id == viewer.user_id and not (sees or policy.sees_all_resources(viewer)):
        return [Denial(Cause.NO_ENTRY)]
    if not await database.ask(_ACTIVE, freshness=Freshness.PRIMARY, user=user_id):
        return [Denial(Cause.DEACTIVATED)]
    if not any(
        full & role for (full,) in await database.ask(_OF_TYPE, freshness=Freshness.PRIMARY, resource=resource_id)
    ):
        return [Denial(Cause.NOT_OF_TYPE)]
    rows = await database.ask(_ENTRIES, freshness=Freshness.PRIMARY, user=user_id, resource=resource_id)
    found = [denial for row in rows for denial in _denials(row, role, database.clock())]
    return found or [Denial(Cause.NO_ENTRY)]


def _denials(row: Any, role: int, now: datetime) -> Iterator[Denial]:
    """Read an entry or a membership: it has ended, or it gives other roles."""
    subject, granted, level, *ends = row
    mask = granted if level is None else resource_roles.CAPS[MemberLevel(level)]
    kind, key = resource_roles.subject_type(subject), resource_roles.subject_key(subject)
    ended = min((end for end in ends if end is not None and end <= now), default=None)
    if ended is not None:
        yield Denial(Cause.ENDED, kind, key, mask, ended)
    elif not resource_roles.effective(mask, resource_roles.ALL) & role and (mask or kind is not SubjectType.GENERAL):
        yield Denial(Cause.WITHOUT_ROLE, kind, key, mask)


_ACTIVE = select(col(User.id)).where(col(User.id) == bindparam("user", type_=Integer()), policy.is_active(col(User.id)))

_OF_TYPE = select(col(Resource.full_mask)).where(col(Resource.id) == bindparam("resource", type_=Integer()))

_USER = bindparam("user", type_=Integer())
_HERE = bindparam("resource", type_=Integer())
_IN_GROUP = and_(col(GroupMember.group_id) == col(Grant.group_id), col(GroupMember.user_id) == _USER)

_ENTRIES = union_all(
    select(
        col(Grant.subject).label("subject"),
        col(Grant.mask),
        cast(null(), Integer),
        col(Grant.expires_at),
        col(GroupMember.expires_at),
    )
    .select_from(Grant)
    .outerjoin(GroupMember, _IN_GROUP)
    .where(
        col(Grant.resource_id) == _HERE,
        or_(
            policy.is_general(Viewer(None)),
            policy.is_anyone(Viewer(None)),
            col(Grant.user_id) == _USER,
            col(GroupMember.user_id).is_not(None),
        ),
    ),
    select(
        policy.subject(SubjectType.ORG, col(OrgMember.org_id)),
        literal_column("0", Integer),
        col(OrgMember.level),
        col(OrgMember.expires_at),
        cast(null(), UTCDateTime),
    )
    .join(Resource, col(Resource.org_id) == col(OrgMember.org_id))
    .where(col(Resource.id) == _HERE, col(OrgMember.user_id) == _USER),
).order_by(literal_column("1"))
"""Entries of a resource for a user, and the membership of its org: (subject, mask, level, end, end of membership)."""
