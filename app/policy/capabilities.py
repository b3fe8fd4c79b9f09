"""Capabilities of a viewer with an object: facts, packed into one number of its row, and the capabilities they give.

A fact is a condition that the services check before a change. The functions `…_capabilities` read the bits of the
number, so that a row has one column however many capabilities there are. A capability is about the viewer and the
object: a change can still be rejected for its input, for a quota, or for another object that it names.
"""

from collections.abc import Callable, Mapping
from functools import reduce
from operator import add
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Integer,
    and_,
    case,
    exists,
    false,
    func,
    literal_column,
    or_,
    select,
    true,
)

from app.db.tables import Lock, Org, OrgMember, Resource, Role, User, UserRole, aliased, col, from_of
from app.domain import resource_roles
from app.domain.viewer import ADMIN, DEACTIVATED, Permission, Viewer
from app.policy.audit import reads_audit
from app.policy.conditions import OrderedJoin, asks_about_everybody, is_valid_until, sees_all_resources
from app.policy.effective_subjects import is_active
from app.policy.groups import manages_group_members, sees_group_members
from app.policy.impersonation import compares_access, has_more_than_viewer
from app.policy.orgs import deletes_org, manages_org, sees_org_members, transfers_org, writes_org
from app.policy.resources import deletes_in_org, effective_mask, may_ask_of_user, transfers_resource
from app.policy.token_scope import TOKEN
from app.policy.users import sees_all_users, sees_user_details
from app.query.relations import VIEWER_ID

Capabilities = Mapping[str, bool]
"""The capabilities by name, each with whether the viewer has it."""

Facts = Mapping[int, Callable[[Viewer], ColumnElement[bool]]]
"""The condition of each bit."""


def _pack(viewer: Viewer, facts: Facts) -> ColumnElement[Any]:
    """Return the sum of the bits whose conditions hold."""
    return reduce(add, (_bit(number, condition(viewer)) for number, condition in facts.items()))


def _bit(number: int, condition: ColumnElement[bool]) -> ColumnElement[Any]:
    return case((condition, literal_column(str(number), Integer)), else_=literal_column("0", Integer))


def _constant(holds: bool) -> ColumnElement[bool]:
    return true() if holds else false()


def _any_is_locked(resource: Any, *conditions: ColumnElement[bool]) -> ColumnElement[bool]:
    """Return the condition that one of some resources is locked. These resources are the outer loop.

    So a page of orgs costs at most one look-up for each resource of these orgs, however many locks there are.
    """
    lock = aliased(Lock)
    rows = OrderedJoin(from_of(resource), from_of(lock), col(lock.resource_id) == col(resource.id))
    one: Any = literal_column("1")
    return select(one).select_from(rows).where(*conditions).correlate_except(resource, lock).exists()


# Users

_MANAGES, _IS_LOCAL, _HAS_SESSION, _HOLDS_MORE = 1, 2, 4, 8
_IS_ADMIN, _NO_OTHER_ADMIN, _OWNS_LOCKED, _IS_SERVICE = 16, 32, 64, 128
_IS_SELF, _IS_DEACTIVATED, _SEES_DETAILS, _ASKS = 256, 512, 1024, 2048


def user_facts(viewer: Viewer) -> ColumnElement[Any]:
    """Return the facts about the viewer and the user of the row, for `user_capabilities`."""
    return _pack(viewer, _USER_FACTS)


def user_capabilities(facts: int) -> Capabilities:
    """Return what the viewer can do with the account of the user."""
    manages, is_local = bool(facts & _MANAGES), bool(facts & _IS_LOCAL)
    changes, is_deactivated = manages and is_local, bool(facts & _IS_DEACTIVATED)
    acts_as, has_session = manages and not facts & _HOLDS_MORE, bool(facts & _HAS_SESSION)
    is_service = bool(facts & _IS_SERVICE)
    keeps_an_admin = not facts & _NO_OTHER_ADMIN
    return {
        "update": changes,
        "rename": changes,
        "set_metadata": manages,
        "assign_roles": changes,
        "deactivate": changes and not is_deactivated and (keeps_an_admin or not facts & _IS_ADMIN),
        "reactivate": changes and is_deactivated,
        "reset_password": acts_as and is_local and has_session and not is_service,
        "create_api_tokens": has_session and (bool(facts & _IS_SELF) or (is_service and acts_as)),
        "delete": changes and keeps_an_admin and not facts & _OWNS_LOCKED,
        "see_details": bool(facts & _SEES_DETAILS),
        "see_accessible_resources": bool(facts & _ASKS),
    }


def _manages_user(viewer: Viewer) -> ColumnElement[bool]:
    """Return the condition of USERS_MANAGE for a user with no permission that the viewer lacks."""
    if viewer.is_limited or Permission.USERS_MANAGE not in viewer.permissions:
        return false()
    missing = ~viewer.permissions
    if not missing:
        return true()
    assigned, role = aliased(UserRole), aliased(Role)
    has_missing = col(role.permissions).op("&")(literal_column(str(missing.value), Integer)) != 0
    exceeds = exists().where(col(assigned.user_id) == col(User.id), col(role.id) == col(assigned.role_id), has_missing)
    return ~exceeds.correlate_except(assigned, role)


def _holds_more(viewer: Viewer) -> ColumnElement[bool]:
    if not compares_access(viewer):
        return false()
    return and_(_manages_user(viewer), col(User.id) != VIEWER_ID, has_more_than_viewer(viewer, col(User.id)))


def _is_admin(viewer: Viewer) -> ColumnElement[bool]:
    assigned, role = aliased(UserRole), aliased(Role)
    return (
        exists()
        .where(
            col(assigned.user_id) == col(User.id), col(role.id) == col(assigned.role_id), col(role.name_key) == ADMIN
        )
        .correlate_except(assigned, role)
    )


def _no_other_admin(viewer: Viewer) -> ColumnElement[bool]:
    """Return the condition that no other user is an active administrator who can sign in.

    The only administrator is the same for all rows, so it is read once. The conditions are scalar subqueries, since
    PostgreSQL makes joins of others: it expects many users of each role, and then reads all users.
    """
    assigned, other, person = aliased(UserRole), aliased(UserRole), aliased(User)
    user_id = col(assigned.user_id)
    is_service = select(col(person.is_service_account)).where(col(person.id) == user_id).correlate_except(person)
    deactivated = select(col(other.role_id)).where(
        col(other.user_id) == user_id, col(other.role_id) == _role(DEACTIVATED)
    )
    lowest, highest = (
        select(bound(user_id))
        .where(
            col(assigned.role_id) == _role(ADMIN),
            is_service.scalar_subquery().is_(False),
            deactivated.correlate_except(other).scalar_subquery().is_(None),
        )
        .scalar_subquery()
        for bound in (func.min, func.max)
    )
    is_only = and_(lowest == col(User.id), highest == col(User.id))
    return and_(_manages_user(viewer), or_(lowest.is_(None), is_only))


def _role(name_key: str) -> ColumnElement[Any]:
    role = aliased(Role)
    return select(col(role.id)).where(col(role.name_key) == name_key).correlate_except(role).scalar_subquery()


def _owns_locked(viewer: Viewer) -> ColumnElement[bool]:
    """Return the condition that a resource of the user, or in an org of the user, is locked."""
    own, there, org = aliased(Resource), aliased(Resource), aliased(Org)
    owned = select(col(org.id)).where(col(org.owner_id) == col(User.id)).correlate_except(org)
    locked = _any_is_locked(own, col(own.owner_id) == col(User.id))
    return and_(_manages_user(viewer), or_(locked, _any_is_locked(there, col(there.org_id).in_(owned))))


_USER_FACTS: Facts = {
    _MANAGES: _manages_user,
    _IS_LOCAL: lambda viewer: _constant(not viewer.externally_managed),
    _HAS_SESSION: lambda viewer: and_(VIEWER_ID.is_not(None), TOKEN.is_(None)),
    _HOLDS_MORE: _holds_more,
    _IS_ADMIN: _is_admin,
    _NO_OTHER_ADMIN: _no_other_admin,
    _OWNS_LOCKED: _owns_locked,
    _IS_SERVICE: lambda viewer: col(User.is_service_account),
    _IS_SELF: lambda viewer: col(User.id) == VIEWER_ID,
    _IS_DEACTIVATED: lambda viewer: and_(_manages_user(viewer), ~is_active(col(User.id))),
    _SEES_DETAILS: sees_user_details,
    _ASKS: may_ask_of_user,
}


# Orgs

_WRITES, _DELETES, _MANAGES_MEMBERS, _OWNS, _HAS_LOCKED, _IS_MEMBER, _SEES_MEMBERS = 1, 2, 4, 8, 16, 32, 64


def org_facts(viewer: Viewer) -> ColumnElement[Any]:
    """Return the facts about the viewer and the org of the row, for `org_capabilities`."""
    return _pack(viewer, _ORG_FACTS)


def org_capabilities(facts: int) -> Capabilities:
    """Return what the viewer can do with the org."""
    is_free = not facts & _HAS_LOCKED
    return {
        "update": bool(facts & _WRITES),
        "delete": bool(facts & _DELETES) and is_free,
        "transfer": bool(facts & _OWNS) and is_free,
        "manage_members": bool(facts & _MANAGES_MEMBERS),
        "leave": bool(facts & _IS_MEMBER),
        "create_resources": bool(facts & _WRITES),
        "see_members": bool(facts & _SEES_MEMBERS),
    }


def _has_locked(viewer: Viewer) -> ColumnElement[bool]:
    resource = aliased(Resource)
    locked = _any_is_locked(resource, col(resource.org_id) == col(Org.id))
    return and_(or_(deletes_org(viewer), transfers_org(viewer)), locked)


def _is_member(viewer: Viewer) -> ColumnElement[bool]:
    member = aliased(OrgMember)
    own = exists().where(
        col(member.org_id) == col(Org.id), col(member.user_id) == VIEWER_ID, is_valid_until(member.expires_at)
    )
    return own.correlate_except(member)


_ORG_FACTS: Facts = {
    _WRITES: writes_org,
    _DELETES: deletes_org,
    _MANAGES_MEMBERS: manages_org,
    _OWNS: transfers_org,
    _HAS_LOCKED: _has_locked,
    _IS_MEMBER: _is_member,
    _SEES_MEMBERS: sees_org_members,
}


# Groups

_MANAGES_GROUPS, _IS_MANAGER, _SEES_GROUP_MEMBERS = 1, 2, 4


def group_facts(viewer: Viewer) -> ColumnElement[Any]:
    """Return the facts about the viewer and the group of the row, for `group_capabilities`."""
    return _pack(viewer, _GROUP_FACTS)


def group_capabilities(facts: int) -> Capabilities:
    """Return what the viewer can do with the group."""
    return {
        "update": bool(facts & _MANAGES_GROUPS),
        "delete": bool(facts & _MANAGES_GROUPS),
        "manage_members": bool(facts & _IS_MANAGER),
        "see_members": bool(facts & _SEES_GROUP_MEMBERS),
    }


_GROUP_FACTS: Facts = {
    _MANAGES_GROUPS: lambda viewer: _constant(_holds(viewer, Permission.GROUPS_MANAGE)),
    _IS_MANAGER: manages_group_members,
    _SEES_GROUP_MEMBERS: sees_group_members,
}


# Resources. The lowest bits are the roles of the viewer.

_IS_LOCKED, _DELETES_IN_ORG, _TRANSFERS, _SEES_ALL, _READS_AUDIT, _ASKS_ABOUT_ALL = 32, 64, 128, 256, 512, 1024


def resource_facts(viewer: Viewer) -> ColumnElement[Any]:
    """Return the facts about the viewer and the resource of the row, for `resource_capabilities`."""
    facts: ColumnElement[Any] = effective_mask(viewer) + _pack(viewer, _RESOURCE_FACTS)
    return facts


def resource_capabilities(facts: int) -> Capabilities:
    """Return what the viewer can do with the resource."""
    is_free, is_admin = not facts & _IS_LOCKED, bool(facts & resource_roles.ADMIN)
    return {
        "update_metadata": bool(facts & resource_roles.METADATA_WRITE) and is_free,
        "download": bool(facts & resource_roles.DATA_READ),
        "upload": bool(facts & resource_roles.DATA_WRITE) and is_free,
        "see_access": is_admin or bool(facts & _SEES_ALL),
        "change_access": is_admin,
        "see_access_subjects": is_admin or bool(facts & _ASKS_ABOUT_ALL),
        "see_audit_events": is_admin or bool(facts & _READS_AUDIT),
        "lock": is_admin and is_free,
        "unlock": is_admin and not is_free,
        "transfer": bool(facts & _TRANSFERS) and is_free,
        "delete": (is_admin or bool(facts & _DELETES_IN_ORG)) and is_free,
    }


def _is_locked(viewer: Viewer) -> ColumnElement[bool]:
    lock = aliased(Lock)
    return exists().where(col(lock.resource_id) == col(Resource.id)).correlate_except(lock)


_RESOURCE_FACTS: Facts = {
    _IS_LOCKED: _is_locked,
    _DELETES_IN_ORG: deletes_in_org,
    _TRANSFERS: transfers_resource,
    _SEES_ALL: lambda viewer: _constant(sees_all_resources(viewer)),
    _READS_AUDIT: lambda viewer: _constant(reads_audit(viewer)),
    _ASKS_ABOUT_ALL: lambda viewer: _constant(asks_about_everybody(viewer)),
}


# The registry as a whole


def viewer_capabilities(viewer: Viewer) -> Capabilities:
    """Return what the viewer can do apart from a single object."""
    has_session = viewer.user_id is not None and viewer.token_id is None
    is_local = not viewer.externally_managed
    return {
        "create_users": _holds(viewer, Permission.USERS_MANAGE) and is_local,
        "create_roles": _holds(viewer, Permission.ROLES_MANAGE) and is_local,
        "create_orgs": _holds(viewer, Permission.ORGS_CREATE),
        "create_groups": _holds(viewer, Permission.GROUPS_MANAGE),
        "create_resource_types": _holds(viewer, Permission.RESOURCES_MANAGE),
        "create_api_tokens": has_session,
        "change_password": has_session and is_local,
        "see_all_users": sees_all_users(viewer),
        "see_all_orgs_and_resources": sees_all_resources(viewer),
        "see_audit_events": reads_audit(viewer),
        "see_all_access": asks_about_everybody(viewer),
    }


def _holds(viewer: Viewer, permission: Permission) -> bool:
    """Return whether `require` accepts the viewer: a limited token never has a permission about the registry."""
    return permission in viewer.permissions and not viewer.is_limited
