"""The read graph: a relation for each edge between types. Each relation has the policy condition of its rows."""

from typing import Any

from sqlalchemy import ColumnElement, FromClause, and_, exists, select

from app import policy
from app.db.tables import (
    Access,
    ApiToken,
    ApiTokenOrg,
    ApiTokenResource,
    AuditChange,
    AuditEvent,
    Grant,
    Group,
    GroupMember,
    Lock,
    LockEvent,
    Org,
    OrgMember,
    Resource,
    ResourceType,
    Role,
    Ticket,
    User,
    UserRole,
    col,
)
from app.domain.viewer import DEACTIVATED, Viewer
from app.query.relations import FieldSpec, FilterSpec, IndexScan, Relation, from_of, guarded


def _has_role(viewer: Viewer, matches: ColumnElement[bool]) -> ColumnElement[bool]:
    """Return whether the user has a matching role; NULL if the viewer may not see the user's roles."""
    has_role = exists().where(col(UserRole.user_id) == col(User.id), col(Role.id) == col(UserRole.role_id), matches)
    # Without `correlate` the subquery would use the row of `user_roles` of a list that joins this table.
    return guarded(policy.sees_user_details, has_role.correlate(from_of(User)), viewer)


def _is_deactivated(viewer: Viewer) -> ColumnElement[bool]:
    return _has_role(viewer, col(Role.name_key) == DEACTIVATED)


def _is_locked(viewer: Viewer) -> ColumnElement[bool]:
    return exists().where(col(Lock.resource_id) == col(Resource.id))


def _of_type(viewer: Viewer, matches: ColumnElement[bool]) -> ColumnElement[bool]:
    return exists().where(col(ResourceType.id) == col(Resource.type_id), matches)


def _is_dataset(viewer: Viewer) -> ColumnElement[bool]:
    """Return whether the viewer sees the resource and its type is the one of the REST API."""
    return and_(policy.sees_resource(viewer), _of_type(viewer, col(ResourceType.name) == "DATASET"))


def _in_org(viewer: Viewer, matches: ColumnElement[bool]) -> ColumnElement[bool]:
    """Return whether the resource is in a matching org that the viewer sees."""
    return exists().where(col(Org.id) == col(Resource.org_id), policy.sees_org(viewer), matches)


def _seek_org(viewer: Viewer, matches: ColumnElement[bool]) -> ColumnElement[bool]:
    """Return the condition of `_in_org` for one org, as a comparison that an index answers."""
    return col(Resource.org_id) == select(col(Org.id)).where(policy.sees_org(viewer), matches).scalar_subquery()


def _owned_by(viewer: Viewer, matches: ColumnElement[bool]) -> ColumnElement[bool]:
    """Return whether a matching user owns the resource. The owner is visible with the resource."""
    return exists().where(col(User.id) == col(Resource.owner_id), matches)


def _seek_owner(viewer: Viewer, matches: ColumnElement[bool]) -> ColumnElement[bool]:
    """Return the condition of `_owned_by` for one user, as a comparison that an index answers."""
    return col(Resource.owner_id) == select(col(User.id)).where(matches).scalar_subquery()


def _seek_name(viewer: Viewer, matches: ColumnElement[bool]) -> ColumnElement[bool]:
    """Return the condition unchanged: few resources have the same name, so an index seek is fast."""
    return matches


def _viewer_belongs(viewer: Viewer) -> ColumnElement[bool]:
    return col(Org.id).in_(policy.my_orgs(viewer))


def _with_group(viewer: Viewer) -> FromClause:
    return from_of(Grant).join(from_of(Group), col(Group.id) == col(Grant.group_id))


def _with_user(viewer: Viewer) -> FromClause:
    return from_of(Grant).join(from_of(User), col(User.id) == col(Grant.user_id))


def _changes_object(viewer: Viewer, matches: ColumnElement[bool]) -> ColumnElement[bool]:
    """Return whether the event changed a matching object."""
    return col(AuditEvent.id).in_(select(col(AuditChange.event_id)).where(matches))


USER_FILTERS = {
    "user_name": FilterSpec(User.user_key, fold=True),
    "display_name": FilterSpec(User.display_key, sorts=True),
    "email": FilterSpec(lambda viewer: guarded(policy.sees_user_details, col(User.email_key), viewer), fold=True),
    "created_at": FilterSpec(User.created_at),
    "last_login_at": FilterSpec(lambda viewer: guarded(policy.sees_user_details, col(User.last_login_at), viewer)),
    "role_name": FilterSpec(Role.name_key, fold=True, within=_has_role),
    "is_deactivated": FilterSpec(_is_deactivated),
}
ORG_FILTERS = {
    "slug": FilterSpec(Org.slug, fold=True),
    "name": FilterSpec(Org.name_key, sorts=True),
    "is_public": FilterSpec(Org.is_public),
    "viewer_belongs": FilterSpec(_viewer_belongs),
}
GROUP_FILTERS = {
    "slug": FilterSpec(Group.slug, fold=True),
    "display_name": FilterSpec(Group.name_key, sorts=True),
    "viewer_belongs": FilterSpec(policy.is_my_group),
}
RESOURCE_FILTERS = {
    "type": FilterSpec(ResourceType.name, within=_of_type),
    "org_slug": FilterSpec(Org.slug, fold=True, within=_in_org, access_path=_seek_org),
    "owner_user_name": FilterSpec(User.user_key, fold=True, within=_owned_by, access_path=_seek_owner),
    "name": FilterSpec(Resource.name_key, sorts=True, access_path=_seek_name),
    "slug": FilterSpec(Resource.slug, fold=True),
    "is_locked": FilterSpec(_is_locked),
    "viewer_role": FilterSpec(policy.effective_mask, bits=True),
}
AUDIT_FILTERS = {
    "actor_name": FilterSpec(AuditEvent.actor_key, fold=True),
    "action": FilterSpec(AuditEvent.action),
    "object_id": FilterSpec(AuditChange.subject, within=_changes_object),
    "created_at": FilterSpec(AuditEvent.at),
}
BY_USER_NAME = {"user_name": User.user_key, "display_name": User.display_key, "created_at": User.created_at}
BY_NAME = {"name": Role.name_key}
ORG_ORDERS = {"name": Org.name_key, "created_at": Org.created_at}
GROUP_ORDERS = {"display_name": Group.name_key, "created_at": Group.created_at}
RESOURCE_ORDERS = {"name": Resource.name_key, "created_at": Resource.created_at, "updated_at": Resource.updated_at}

_named, _newest = ("name",), ("created_at",)

user = Relation("one", User, User.id, policy.knows_user)
user_named = Relation("one", User, User.user_key, policy.finds_user)
user_shown = Relation("one", User, User.id, policy.unrestricted)
users = Relation("page", User, None, policy.knows_user, ("user_name",), orders=BY_USER_NAME, filters=USER_FILTERS)

role = Relation("one", Role, Role.id, policy.sees_role)
role_named = Relation("one", Role, Role.name_key, policy.sees_role)
roles = Relation("page", Role, None, policy.sees_role, _named, orders=BY_NAME)
user_roles = Relation(
    "many",
    Role,
    UserRole.user_id,
    policy.unrestricted,
    _named,
    UserRole,
    col(Role.id) == col(UserRole.role_id),
    BY_NAME,
)
role_users = Relation(
    "page",
    User,
    UserRole.role_id,
    policy.knows_user,
    ("user_name",),
    UserRole,
    col(User.id) == col(UserRole.user_id),
    BY_USER_NAME,
    USER_FILTERS,
)

org = Relation("one", Org, Org.id, policy.sees_org)
org_slugged = Relation("one", Org, Org.slug, policy.sees_org)
orgs = Relation("page", Org, None, policy.sees_org, _named, orders=ORG_ORDERS, filters=ORG_FILTERS)
my_orgs = Relation("page", Org, None, policy.belongs_to_org, _named, orders=ORG_ORDERS)
public_orgs = Relation("page", Org, None, policy.is_public_org, _named, orders=ORG_ORDERS)
owned_orgs = Relation("page", Org, Org.owner_id, policy.sees_org, _named, orders=ORG_ORDERS, filters=ORG_FILTERS)
member_orgs = Relation(
    "page",
    Org,
    OrgMember.user_id,
    policy.sees_membership,
    _named,
    OrgMember,
    col(Org.id) == col(OrgMember.org_id),
    ORG_ORDERS,
    ORG_FILTERS,
)
org_members = Relation(
    "page",
    User,
    OrgMember.org_id,
    policy.membership_lasts,
    ("user_name",),
    OrgMember,
    col(User.id) == col(OrgMember.user_id),
    BY_USER_NAME,
    USER_FILTERS,
)
org_resources = Relation(
    "page", Resource, Resource.org_id, policy.sees_resource, _named, orders=RESOURCE_ORDERS, filters=RESOURCE_FILTERS
)
org_datasets = Relation("page", Resource, Resource.org_id, _is_dataset, _named, orders=RESOURCE_ORDERS)

group = Relation("one", Group, Group.id, policy.sees_group)
group_slugged = Relation("one", Group, Group.slug, policy.sees_group)
groups = Relation("page", Group, None, policy.sees_group, ("display_name",), orders=GROUP_ORDERS, filters=GROUP_FILTERS)
member_groups = Relation(
    "page",
    Group,
    GroupMember.user_id,
    policy.sees_group_membership,
    ("display_name",),
    GroupMember,
    col(Group.id) == col(GroupMember.group_id),
    GROUP_ORDERS,
    GROUP_FILTERS,
)
group_members = Relation(
    "page",
    User,
    GroupMember.group_id,
    policy.group_membership_lasts,
    ("user_name",),
    GroupMember,
    col(User.id) == col(GroupMember.user_id),
    BY_USER_NAME,
    USER_FILTERS,
)


def _itself(column: ColumnElement[Any]) -> ColumnElement[Any]:
    return column


_viewer_rows = IndexScan(
    policy.viewer_subjects,
    Access,
    "resource_id",
    policy.holds_access,
    policy.roles_sql,
    payload={"held": policy.roles_sql, "granted": policy.granted_sql},
    bit_or=policy.bit_or,
    is_unneeded=policy.lists_resources_by_table,
    substitutions={
        policy.effective_mask: ("held", _itself),
        policy.granted_mask: ("granted", _itself),
        policy.administers_resource: ("held", policy.administered),
        policy.sees_configuration: ("held", policy.administered),
    },
)
_user_rows = IndexScan(
    policy.user_subjects,
    Access,
    "resource_id",
    policy.holds_access,
    policy.roles_sql,
    by_user=True,
    is_visible=policy.lists_reached,
)
resource = Relation("one", Resource, Resource.id, policy.sees_resource)
resource_at = Relation("one", Resource, Resource.path, policy.sees_resource)
dataset_by_id = Relation("one", Resource, Resource.id, _is_dataset)
dataset_at = Relation("one", Resource, Resource.path, _is_dataset)
resources = Relation(
    "page",
    Resource,
    None,
    policy.lists_resource,
    _named,
    orders=RESOURCE_ORDERS,
    filters=RESOURCE_FILTERS,
    index_scan=_viewer_rows,
)
accessible = Relation(
    "page",
    Resource,
    User.id,
    policy.lists_reached,
    _named,
    orders=RESOURCE_ORDERS,
    filters={"role": RESOURCE_FILTERS["viewer_role"], "type": RESOURCE_FILTERS["type"]},
    index_scan=_user_rows,
)
accessors = Relation(
    "page",
    User,
    Resource.id,
    policy.unrestricted,
    ("user_name",),
    orders={"user_name": User.user_key},
    filters={"role": FilterSpec(policy.effective_mask, bits=True)},
    virtual_rows=policy.subjects_sql,
)


def type_of_resource(column: ColumnElement[Any]) -> ColumnElement[Any]:
    """Return a column of the type of the resource in the row."""
    is_type = col(ResourceType.id) == col(Resource.type_id)
    return select(column).where(is_type).correlate(Resource).scalar_subquery()


org_owner_name = FieldSpec(
    of=select(col(User.user_name)).where(col(User.id) == col(Org.owner_id)).correlate(Org).scalar_subquery()
)
"""The owner's user name, which is visible with the org."""

granter_name = FieldSpec(of=col(OrgMember.granted_by_name))
"""The name, at that time, of the user who added a member. It is visible with the members."""

resource_type = Relation("one", ResourceType, ResourceType.id, policy.unrestricted)
resource_types = Relation("page", ResourceType, None, policy.unrestricted, _named, orders={"name": ResourceType.name})

api_token = Relation("one", ApiToken, ApiToken.id, policy.sees_api_token)
api_tokens = Relation("page", ApiToken, None, policy.sees_api_token, _named, orders={"name": ApiToken.name_key})
user_api_tokens = Relation(
    "page", ApiToken, ApiToken.user_id, policy.sees_api_token, _named, orders={"name": ApiToken.name_key}
)
api_token_orgs = Relation(
    "many",
    Org,
    ApiTokenOrg.token_id,
    policy.sees_org,
    ("name", "id"),
    ApiTokenOrg,
    col(Org.id) == col(ApiTokenOrg.org_id),
    {"name": Org.name_key, "id": Org.id},
)
api_token_resources = Relation(
    "many",
    Resource,
    ApiTokenResource.token_id,
    policy.sees_resource,
    ("name", "id"),
    ApiTokenResource,
    col(Resource.id) == col(ApiTokenResource.resource_id),
    {"name": Resource.name_key, "id": Resource.id},
)

storage = Relation("one", User, User.id, policy.unrestricted)
org_storage = Relation("one", Org, Org.id, policy.unrestricted)
"""Edges from a row to the same row: as columns, the sums would be computed for every user or org that is read."""

storage_used = policy.storage_used(col(User.id))
ticket = Relation("one", Ticket, Ticket.key, policy.unrestricted)

lock = Relation("one", Lock, Lock.resource_id, policy.unrestricted)
lock_events = Relation(
    "page", LockEvent, LockEvent.resource_id, policy.unrestricted, _newest, orders={"created_at": LockEvent.created_at}
)

_grant_orders = {"name": Group.name_key, "group": Grant.group_id, "user_name": User.user_key}
general_grant = Relation("one", Grant, Grant.resource_id, policy.is_general)
anyone_grant = Relation("one", Grant, Grant.resource_id, policy.is_anyone)
group_grants = Relation(
    "many",
    Grant,
    Grant.resource_id,
    policy.unrestricted,
    ("name", "group"),
    orders=_grant_orders,
    custom_from=_with_group,
)
user_grants = Relation(
    "many", Grant, Grant.resource_id, policy.unrestricted, ("user_name",), orders=_grant_orders, custom_from=_with_user
)
sources = Relation(
    "many",
    Access,
    Access.resource_id,
    policy.gives_roles,
    ("subject",),
    orders={"subject": Access.subject},
    custom_from=policy.viewer_entries,
)

audit_event = Relation("one", AuditEvent, AuditEvent.id, policy.sees_audit_event)
audit_events = Relation(
    "page",
    AuditEvent,
    None,
    policy.sees_settled_events,
    _newest,
    orders={"created_at": AuditEvent.id},  # ids are in the order of commits, times only approximately
    filters=AUDIT_FILTERS,
    newest_first=True,
)
audit_changes = Relation(
    "page", AuditChange, AuditChange.event_id, policy.unrestricted, _named, orders={"name": AuditChange.name}
)
resource_events = Relation(
    "page",
    AuditEvent,
    AuditChange.subject,
    policy.is_settled_change,
    _newest,
    AuditChange,
    col(AuditEvent.id) == col(AuditChange.event_id),
    {"created_at": AuditChange.event_id},
    newest_first=True,
)
