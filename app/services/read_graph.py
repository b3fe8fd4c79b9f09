"""The read graph: a relation for each edge between types. Each relation has the policy condition of its rows."""

from typing import Any

from sqlalchemy import ColumnElement, FromClause, and_, select

from app import policy
from app.db.access_changes import resource_scope, user_scope
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
    from_of,
)
from app.domain.viewer import Viewer
from app.query.filters import FilterSpec
from app.query.relations import FieldSpec, IndexScan, PartialVisibility, Reference, Relation
from app.query.virtual_rows import VirtualRows
from app.services.list_filters import (
    AUDIT_FILTERS,
    BY_GROUP_MEMBERSHIP,
    BY_NAME,
    BY_ORG_MEMBERSHIP,
    BY_USER_NAME,
    GROUP_FILTERS,
    GROUP_MEMBER_FILTERS,
    GROUP_ORDERS,
    ORG_FILTERS,
    ORG_MEMBER_FILTERS,
    ORG_ORDERS,
    RESOURCE_FILTERS,
    RESOURCE_ORDERS,
    ROLE_FILTERS,
    USER_FILTERS,
    of_type,
)


def _is_dataset(viewer: Viewer) -> ColumnElement[bool]:
    """Return whether the viewer sees the resource and its type is the one of the REST API."""
    return and_(policy.sees_resource(viewer), of_type(viewer, col(ResourceType.name) == "DATASET"))


def _with_group(viewer: Viewer) -> FromClause:
    return from_of(Grant).join(from_of(Group), col(Group.id) == col(Grant.group_id))


def _with_user(viewer: Viewer) -> FromClause:
    return from_of(Grant).join(from_of(User), col(User.id) == col(Grant.user_id))


_named, _newest = ("name",), ("created_at",)

user = Relation("one", User, User.id, policy.knows_user)
user_named = Relation("one", User, User.user_key, policy.finds_user)
user_emailed = Relation("one", User, User.email_key, policy.sees_user_details)
user_shown = Relation("one", User, User.id, policy.unrestricted)
users = Relation("page", User, None, policy.knows_user, ("user_name",), orders=BY_USER_NAME, filters=USER_FILTERS)

role = Relation("one", Role, Role.id, policy.sees_role)
role_named = Relation("one", Role, Role.name_key, policy.sees_role)
roles = Relation("page", Role, None, policy.sees_role, _named, orders=BY_NAME, filters=ROLE_FILTERS)
user_roles = Relation(
    "many",
    Role,
    UserRole.user_id,
    policy.unrestricted,
    _named,
    UserRole,
    col(Role.id) == col(UserRole.role_id),
    BY_NAME,
    refers=Reference(Role, UserRole.role_id),
    scope=user_scope,
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

org = Relation("one", Org, Org.id, policy.sees_org, seen=PartialVisibility(policy.my_orgs))
org_slugged = Relation("one", Org, Org.slug, policy.sees_org)
orgs = Relation("page", Org, None, policy.sees_org, _named, orders=ORG_ORDERS, filters=ORG_FILTERS)
my_orgs = Relation("page", Org, None, policy.has_org_access, _named, orders=ORG_ORDERS)
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
    is_short=True,
    refers=Reference(Org, OrgMember.org_id),
    scope=user_scope,
)
org_members = Relation(
    "page",
    User,
    OrgMember.org_id,
    policy.membership_lasts,
    ("user_name",),
    OrgMember,
    col(User.id) == col(OrgMember.user_id),
    BY_ORG_MEMBERSHIP,
    ORG_MEMBER_FILTERS,
)
org_resources = Relation(
    "page", Resource, Resource.org_id, policy.sees_resource, _named, orders=RESOURCE_ORDERS, filters=RESOURCE_FILTERS
)
owned_resources = Relation(
    "page", Resource, Resource.owner_id, policy.sees_resource, _named, orders=RESOURCE_ORDERS, filters=RESOURCE_FILTERS
)
granted_resources = Relation(
    "page",
    Resource,
    Grant.user_id,
    policy.sees_user_grant,
    _named,
    Grant,
    col(Resource.id) == col(Grant.resource_id),
    RESOURCE_ORDERS,
    RESOURCE_FILTERS,
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
    is_short=True,
    refers=Reference(Group, GroupMember.group_id),
    scope=user_scope,
)
group_members = Relation(
    "page",
    User,
    GroupMember.group_id,
    policy.group_membership_lasts,
    ("user_name",),
    GroupMember,
    col(User.id) == col(GroupMember.user_id),
    BY_GROUP_MEMBERSHIP,
    GROUP_MEMBER_FILTERS,
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
    virtual_rows=VirtualRows(policy.subjects_sql, User.id, User.user_key, policy.are_many_subjects),
)


def type_of_resource(column: ColumnElement[Any]) -> ColumnElement[Any]:
    """Return a column of the type of the resource in the row."""
    return select(column).where(col(ResourceType.id) == col(Resource.type_id)).correlate(Resource).scalar_subquery()


org_owner_name = FieldSpec(
    sql=select(col(User.user_name)).where(col(User.id) == col(Org.owner_id)).correlate(Org).scalar_subquery()
)
"""The owner's user name, which is visible with the org."""

granter_name = FieldSpec(sql=col(OrgMember.granted_by_name))
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
general_grant = Relation("one", Grant, Grant.resource_id, policy.is_general, scope=resource_scope)
anyone_grant = Relation("one", Grant, Grant.resource_id, policy.is_anyone, scope=resource_scope)
group_grants = Relation(
    "many",
    Grant,
    Grant.resource_id,
    policy.unrestricted,
    ("name", "group"),
    orders=_grant_orders,
    custom_from=_with_group,
    refers=Reference(Group, Grant.group_id),
    scope=resource_scope,
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
