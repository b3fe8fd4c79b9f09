"""Visibility and management of orgs and their members."""

from typing import Any

from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    Integer,
    and_,
    case,
    false,
    func,
    literal_column,
    or_,
    select,
    union_all,
)

from app.db.tables import Org, OrgMember, aliased, col
from app.domain.resource_roles import MemberLevel
from app.domain.viewer import Permission, Viewer
from app.policy.conditions import is_valid_until, sees_all_resources
from app.policy.token_scope import scope_includes_org
from app.query.relations import VIEWER_ID


def manages_all_orgs(viewer: Viewer) -> bool:
    return Permission.ORGS_MANAGE in viewer.permissions


def sees_all_orgs(viewer: Viewer) -> bool:
    """Return whether the viewer sees every org and its members within the scope of their token."""
    return manages_all_orgs(viewer) or sees_all_resources(viewer)


def my_orgs(viewer: Viewer, least: MemberLevel = MemberLevel.READ_ONLY) -> CompoundSelect[Any]:
    """Return the ids of the orgs that the viewer owns, or belongs to with at least this level."""
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
    """Return true, or the scope of the viewer's token if it is limited."""
    return scope_includes_org(viewer, Org.id)


def _has_level(viewer: Viewer, least: MemberLevel) -> ColumnElement[bool]:
    """Return the condition that the viewer has at least this level in the org, or manages all orgs."""
    return _all_orgs(viewer) if manages_all_orgs(viewer) else col(Org.id).in_(my_orgs(viewer, least))


def has_org_access(viewer: Viewer) -> ColumnElement[bool]:
    """Return the condition that the viewer belongs to the org, or manages all orgs."""
    return _has_level(viewer, MemberLevel.READ_ONLY)


def sees_org_members(viewer: Viewer) -> ColumnElement[bool]:
    """Return the condition for seeing the members of the org: membership, or a permission to see all orgs."""
    return _all_orgs(viewer) if sees_all_orgs(viewer) else has_org_access(viewer)


def sees_org(viewer: Viewer) -> ColumnElement[bool]:
    """Return the condition for seeing the org: it is public, or the viewer belongs to it or sees all orgs."""
    return _all_orgs(viewer) if sees_all_orgs(viewer) else or_(is_public_org(viewer), col(Org.id).in_(my_orgs(viewer)))


def is_public_org(viewer: Viewer) -> ColumnElement[bool]:
    """Return the condition that the org is public, within the scope of the token."""
    return and_(col(Org.is_public), _all_orgs(viewer))


def writes_org(viewer: Viewer) -> ColumnElement[bool]:
    """Return the condition for editing the org and creating resources in it."""
    return _has_level(viewer, MemberLevel.READ_WRITE)


def names_resources_in_org(viewer: Viewer) -> ColumnElement[bool]:
    """Return the condition for giving slugs to existing resources of the org, which reveals whether a slug is taken."""
    return _all_orgs(viewer) if Permission.RESOURCES_MANAGE in viewer.permissions else writes_org(viewer)


def deletes_org(viewer: Viewer) -> ColumnElement[bool]:
    """Return the condition for deleting the org and any resource in it."""
    return _has_level(viewer, MemberLevel.READ_WRITE_DELETE)


def manages_org(viewer: Viewer) -> ColumnElement[bool]:
    """Return the condition for managing the members of the org."""
    return _has_level(viewer, MemberLevel.ADMIN)


def transfers_org(viewer: Viewer) -> ColumnElement[bool]:
    """Return the condition for transferring the org to another owner."""
    return _all_orgs(viewer) if manages_all_orgs(viewer) else and_(col(Org.owner_id) == VIEWER_ID, _all_orgs(viewer))


def governs_orgs(viewer: Viewer) -> ColumnElement[bool]:
    """Return the condition for changes of orgs that their own administrators may not make: ORGS_MANAGE."""
    return _all_orgs(viewer) if manages_all_orgs(viewer) else false()


def org_level(viewer: Viewer) -> ColumnElement[Any]:
    """Return the viewer's level in the org of the row, or null; the owner has the highest."""
    member = aliased(OrgMember)
    level = (
        select(col(member.level))
        .where(col(member.org_id) == col(Org.id), col(member.user_id) == VIEWER_ID, is_valid_until(member.expires_at))
        .correlate(Org)
        .scalar_subquery()
    )
    return case((col(Org.owner_id) == VIEWER_ID, literal_column(str(int(MemberLevel.ADMIN)), Integer)), else_=level)


def is_org_owner(viewer: Viewer) -> ColumnElement[bool]:
    """Return the condition that the viewer is the owner of the org of the row; no permission replaces that."""
    return and_(col(Org.owner_id).is_not(None), col(Org.owner_id) == VIEWER_ID)


def number_of_members_of_org(viewer: Viewer) -> ColumnElement[Any]:
    """Return the number of current memberships of the org of the row, without its owner."""
    return _number_of_members(col(Org.id))


def _number_of_members(org: Any) -> ColumnElement[Any]:
    member = aliased(OrgMember)
    counted = (
        select(func.count()).select_from(member).where(col(member.org_id) == org, is_valid_until(member.expires_at))
    )
    return counted.correlate_except(member).scalar_subquery()


def number_of_people(org: Any) -> ColumnElement[Any]:
    """Return the number of current memberships of an org plus its owner."""
    owned = aliased(Org)
    owner = select(func.count(col(owned.owner_id))).where(col(owned.id) == org)
    number: ColumnElement[Any] = _number_of_members(org) + owner.correlate_except(owned).scalar_subquery()
    return number


def sees_membership(viewer: Viewer) -> ColumnElement[bool]:
    """Return the condition for a current membership of an org whose members the viewer sees."""
    return and_(is_valid_until(OrgMember.expires_at), sees_org_members(viewer))


def membership_lasts(viewer: Viewer) -> ColumnElement[bool]:
    """Return the condition that an org membership has not expired."""
    return is_valid_until(OrgMember.expires_at)
