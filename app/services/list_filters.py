"""Filters and orders of lists. A value that the viewer may not see compares as missing."""

from typing import Any

from sqlalchemy import ColumnElement, exists, func, literal_column, select

from app import policy
from app.db.tables import (
    AuditChange,
    AuditEvent,
    Earliest,
    Group,
    GroupMember,
    KeyText,
    Latest,
    Lock,
    Org,
    OrgMember,
    Resource,
    ResourceType,
    Role,
    User,
    UserRole,
    col,
    from_of,
    or_bound,
)
from app.domain.viewer import DEACTIVATED, Viewer
from app.query.filters import FilterSpec
from app.query.relations import OrderSpec, guarded


def _has_role(viewer: Viewer, matches: ColumnElement[bool]) -> ColumnElement[bool]:
    """Return whether the user has a matching role; NULL if the viewer may not see the user's roles."""
    has_role = exists().where(col(UserRole.user_id) == col(User.id), col(Role.id) == col(UserRole.role_id), matches)
    # Without `correlate` the subquery would use the row of `user_roles` of a list that joins this table.
    return guarded(policy.sees_user_details, has_role.correlate(from_of(User)), viewer)


def _is_deactivated(viewer: Viewer) -> ColumnElement[bool]:
    return _has_role(viewer, col(Role.name_key) == DEACTIVATED)


def _is_locked(viewer: Viewer) -> ColumnElement[bool]:
    return exists().where(col(Lock.resource_id) == col(Resource.id))


def of_type(viewer: Viewer, matches: ColumnElement[bool]) -> ColumnElement[bool]:
    return exists().where(col(ResourceType.id) == col(Resource.type_id), matches)


def _in_org(viewer: Viewer, matches: ColumnElement[bool]) -> ColumnElement[bool]:
    """Return whether the resource is in a matching org that the viewer sees."""
    return exists().where(col(Org.id) == col(Resource.org_id), policy.sees_org(viewer), matches)


def _seek_org(viewer: Viewer, matches: ColumnElement[bool]) -> ColumnElement[bool]:
    """Return the condition of `_in_org` for one org, as a comparison that an index answers."""
    return col(Resource.org_id) == select(col(Org.id)).where(policy.sees_org(viewer), matches).scalar_subquery()


def _owned_by(viewer: Viewer, matches: ColumnElement[bool]) -> ColumnElement[bool]:
    """Return whether a matching user owns the resource. The owner is visible with the resource."""
    return exists().where(col(User.id) == col(Resource.owner_id), matches)


def _org_owned_by(viewer: Viewer, matches: ColumnElement[bool]) -> ColumnElement[bool]:
    """Return whether a matching user owns the org. The owner is visible with the org."""
    return exists().where(col(User.id) == col(Org.owner_id), matches)


def _seek_owner(viewer: Viewer, matches: ColumnElement[bool]) -> ColumnElement[bool]:
    """Return the condition of `_owned_by` for one user, as a comparison that an index answers."""
    return col(Resource.owner_id) == select(col(User.id)).where(matches).scalar_subquery()


def _seek_name(viewer: Viewer, matches: ColumnElement[bool]) -> ColumnElement[bool]:
    """Return the condition unchanged: few resources have the same name, so an index seek is fast."""
    return matches


def _viewer_belongs(viewer: Viewer) -> ColumnElement[bool]:
    return col(Org.id).in_(policy.my_orgs(viewer))


def _changes_object(viewer: Viewer, matches: ColumnElement[bool]) -> ColumnElement[bool]:
    """Return whether the event changed a matching object."""
    return col(AuditEvent.id).in_(select(col(AuditChange.event_id)).where(matches))


def _email(viewer: Viewer) -> ColumnElement[Any]:
    return guarded(policy.sees_user_details, col(User.email_key), viewer)


def _last_login(viewer: Viewer) -> ColumnElement[Any]:
    return guarded(policy.sees_user_details, col(User.last_login_at), viewer)


USER_FILTERS = {
    "user_name": FilterSpec(User.user_key, fold=True),
    "display_name": FilterSpec(User.display_key, sorts=True, absent=User.display_name),
    "email": FilterSpec(_email, fold=True),
    "created_at": FilterSpec(User.created_at),
    "last_login_at": FilterSpec(_last_login),
    "role_name": FilterSpec(Role.name_key, fold=True, within=_has_role),
    "is_deactivated": FilterSpec(_is_deactivated),
    "id": FilterSpec(User.id, node="User"),
    "is_service_account": FilterSpec(User.is_service_account),
    "search": FilterSpec(None, searches=(User.user_key, User.display_key, _email)),
}
ORG_MEMBER_FILTERS = USER_FILTERS | {
    "level": FilterSpec(OrgMember.level),
    "added_at": FilterSpec(OrgMember.granted_at),
    "expires_at": FilterSpec(OrgMember.expires_at),
}
GROUP_MEMBER_FILTERS = USER_FILTERS | {
    "is_manager": FilterSpec(GroupMember.is_manager),
    "added_at": FilterSpec(GroupMember.added_at),
    "expires_at": FilterSpec(GroupMember.expires_at),
}
ROLE_FILTERS = {
    "id": FilterSpec(Role.id, node="Role"),
    "name": FilterSpec(Role.name_key, fold=True),
    "is_built_in": FilterSpec(Role.is_built_in),
}
ORG_FILTERS = {
    "slug": FilterSpec(Org.slug, fold=True),
    "name": FilterSpec(Org.name_key, sorts=True),
    "is_public": FilterSpec(Org.is_public),
    "viewer_belongs": FilterSpec(_viewer_belongs),
    "id": FilterSpec(Org.id, node="Org"),
    "owner_user_name": FilterSpec(User.user_key, fold=True, within=_org_owned_by, absent=Org.owner_id),
    "created_at": FilterSpec(Org.created_at),
    "search": FilterSpec(None, searches=(Org.slug, Org.name_key)),
}
GROUP_FILTERS = {
    "slug": FilterSpec(Group.slug, fold=True),
    "display_name": FilterSpec(Group.name_key, sorts=True),
    "viewer_belongs": FilterSpec(policy.is_my_group),
    "id": FilterSpec(Group.id, node="Group"),
    "created_at": FilterSpec(Group.created_at),
    "search": FilterSpec(None, searches=(Group.slug, Group.name_key)),
}
RESOURCE_FILTERS = {
    "type": FilterSpec(ResourceType.name, within=of_type),
    "org_slug": FilterSpec(Org.slug, fold=True, within=_in_org, access_path=_seek_org),
    "owner_user_name": FilterSpec(
        User.user_key, fold=True, within=_owned_by, access_path=_seek_owner, absent=Resource.owner_id
    ),
    "name": FilterSpec(Resource.name_key, sorts=True, access_path=_seek_name),
    "slug": FilterSpec(Resource.slug, fold=True),
    "is_locked": FilterSpec(_is_locked),
    "viewer_role": FilterSpec(policy.effective_mask, bits=True),
    "id": FilterSpec(Resource.id, node="Resource", access_path=_seek_name),
    "created_at": FilterSpec(Resource.created_at),
    "updated_at": FilterSpec(Resource.updated_at),
    "size_bytes": FilterSpec(Resource.size_bytes),
    "search": FilterSpec(None, searches=(Resource.slug, Resource.name_key)),
}
AUDIT_FILTERS = {
    "actor_name": FilterSpec(AuditEvent.actor_key, fold=True),
    "action": FilterSpec(AuditEvent.action),
    "object_id": FilterSpec(AuditChange.subject, within=_changes_object),
    "created_at": FilterSpec(AuditEvent.at),
}


def _email_or_empty(viewer: Viewer) -> ColumnElement[Any]:
    """Return the e-mail address as far as the viewer sees it, or else an empty text, before all others."""
    return func.coalesce(_email(viewer), literal_column("''", KeyText), type_=KeyText())


BY_USER_NAME = {
    "user_name": User.user_key,
    "display_name": User.display_key,
    "created_at": User.created_at,
    "last_login_at": OrderSpec(lambda viewer: or_bound(_last_login(viewer), Earliest())),
    "email": OrderSpec(_email_or_empty),
}
BY_ORG_MEMBERSHIP = BY_USER_NAME | {
    "level": OrgMember.level,
    "added_at": OrgMember.granted_at,
    "expires_at": OrderSpec(lambda viewer: or_bound(col(OrgMember.expires_at), Latest())),
}
BY_GROUP_MEMBERSHIP = BY_USER_NAME | {
    "added_at": GroupMember.added_at,
    "expires_at": OrderSpec(lambda viewer: or_bound(col(GroupMember.expires_at), Latest())),
}
BY_NAME = {"name": Role.name_key, "created_at": Role.created_at}
ORG_ORDERS = {"name": Org.name_key, "created_at": Org.created_at}
GROUP_ORDERS = {"display_name": Group.name_key, "created_at": Group.created_at}
RESOURCE_ORDERS = {
    "name": Resource.name_key,
    "created_at": Resource.created_at,
    "updated_at": Resource.updated_at,
    "size": Resource.size_bytes,
}
