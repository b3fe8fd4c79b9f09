"""Who sees, writes, deletes and manages an org."""

from typing import Any

from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    Integer,
    and_,
    case,
    func,
    literal_column,
    or_,
    select,
    union_all,
)
from sqlalchemy.orm import aliased

from app.db.tables import Org, OrgMember, col
from app.domain.resource_roles import MemberLevel
from app.domain.viewer import Permission, Viewer
from app.policy.conditions import is_valid_until, sees_all_resources
from app.policy.token_scope import scope_includes_org
from app.query.relations import VIEWER_ID


def manages_all_orgs(viewer: Viewer) -> bool:
    return Permission.ORGS_MANAGE in viewer.permissions


def sees_all_orgs(viewer: Viewer) -> bool:
    """Return whether the viewer sees every org and its members, of those that their token covers."""
    return manages_all_orgs(viewer) or sees_all_resources(viewer)


def my_orgs(viewer: Viewer, least: MemberLevel = MemberLevel.READ_ONLY) -> CompoundSelect[Any]:
    """The ids of orgs that the viewer owns or belongs to at a level or above."""
    member = aliased(OrgMember)
    owned = aliased(Org)
    return union_all(
        select(col(owned.id))
        .where(col(owned.owner_id) == VIEWER_ID, scope_includes_org(viewer, owned.id))
        .correlate_except(owned),
        select(col(member.org_id))
        .where(col(member.user_id) == VIEWER_ID, col(member.level) >= int(least), is_valid_until(member.expires_at))
        .where(scope_includes_org(viewer, member.org_id))
        .correlate_except(member),
    )


def _all_orgs(viewer: Viewer) -> ColumnElement[bool]:
    """Every org that there is for the viewer: all, or those that her token is good for."""
    return scope_includes_org(viewer, Org.id)


def _from(viewer: Viewer, least: MemberLevel) -> ColumnElement[bool]:
    """She manages every org, or belongs to this one at a level or above."""
    return _all_orgs(viewer) if manages_all_orgs(viewer) else col(Org.id).in_(my_orgs(viewer, least))


def belongs_to_org(viewer: Viewer) -> ColumnElement[bool]:
    """One of the org's people, or somebody who manages every org."""
    return _from(viewer, MemberLevel.READ_ONLY)


def sees_org_members(viewer: Viewer) -> ColumnElement[bool]:
    """Sees who belongs to the org: its people do, and who sees every org."""
    return _all_orgs(viewer) if sees_all_orgs(viewer) else belongs_to_org(viewer)


def sees_org(viewer: Viewer) -> ColumnElement[bool]:
    """A public org is seen by everybody, a private one by its people."""
    return _all_orgs(viewer) if sees_all_orgs(viewer) else or_(is_public_org(viewer), belongs_to_org(viewer))


def is_public_org(viewer: Viewer) -> ColumnElement[bool]:
    """Seen by everybody."""
    return and_(col(Org.is_public), _all_orgs(viewer))


def writes_org(viewer: Viewer) -> ColumnElement[bool]:
    """Edits the org and creates resources in it."""
    return _from(viewer, MemberLevel.READ_WRITE)


def deletes_org(viewer: Viewer) -> ColumnElement[bool]:
    """Deletes the org, or any resource in it."""
    return _from(viewer, MemberLevel.READ_WRITE_DELETE)


def manages_org(viewer: Viewer) -> ColumnElement[bool]:
    """Changes who belongs to the org."""
    return _from(viewer, MemberLevel.ADMIN)


def owns_org(viewer: Viewer) -> ColumnElement[bool]:
    """Gives the org to somebody else."""
    return _all_orgs(viewer) if manages_all_orgs(viewer) else and_(col(Org.owner_id) == VIEWER_ID, _all_orgs(viewer))


def org_level(viewer: Viewer) -> ColumnElement[Any]:
    """The viewer's own level in the org of the row, null for none; its owner has the highest."""
    member = aliased(OrgMember)
    level = (
        select(col(member.level))
        .where(col(member.org_id) == col(Org.id), col(member.user_id) == VIEWER_ID, is_valid_until(member.expires_at))
        .correlate(Org)
        .scalar_subquery()
    )
    return case((col(Org.owner_id) == VIEWER_ID, literal_column(str(int(MemberLevel.ADMIN)), Integer)), else_=level)


def number_of_people(org: Any) -> ColumnElement[Any]:
    """Count the memberships of an org that last, and its owner."""
    member, owned = aliased(OrgMember), aliased(Org)
    members = (
        select(func.count()).select_from(member).where(col(member.org_id) == org, is_valid_until(member.expires_at))
    )
    owner = select(func.count(col(owned.owner_id))).where(col(owned.id) == org)
    made: ColumnElement[Any] = (
        members.correlate_except(member).scalar_subquery() + owner.correlate_except(owned).scalar_subquery()
    )
    return made


def sees_membership(viewer: Viewer) -> ColumnElement[bool]:
    """A membership that lasts, of an org whose members the viewer sees; among those are the viewer's own orgs."""
    return and_(is_valid_until(OrgMember.expires_at), sees_org_members(viewer))


def membership_lasts(viewer: Viewer) -> ColumnElement[bool]:
    """A membership of an org that has not ended."""
    return is_valid_until(OrgMember.expires_at)
