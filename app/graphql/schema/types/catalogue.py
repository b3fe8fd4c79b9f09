"""Catalogues for forms: the roles of a resource type, the levels of orgs and the permissions, with labels."""

from functools import cache

import strawberry

from app.domain import resource_roles
from app.domain.viewer import Viewer
from app.graphql.schema.decorators import object_type
from app.graphql.schema.directives import Permission
from app.graphql.schema.enums import OrgLevel, ResourceRole, role_list
from app.services.resources import DEFAULT_MASK

ROLE_TEXTS = {
    ResourceRole.METADATA_READ: ("Metadata Read", "Discover the resource and view its metadata."),
    ResourceRole.METADATA_WRITE: ("Metadata Write", "Edit the resource metadata."),
    ResourceRole.DATASET_DATA_READ: ("Dataset Data Read", "Download the dataset files."),
    ResourceRole.DATASET_DATA_WRITE: ("Dataset Data Write", "Upload and modify dataset files."),
    ResourceRole.ADMIN: ("Admin", "All roles and permissions, and access to locks and access control."),
}
"""Label and description of each role."""

LEVEL_LABELS = {
    OrgLevel.READ_ONLY: "Read Only",
    OrgLevel.READ_WRITE: "Read and Write",
    OrgLevel.READ_WRITE_DELETE: "Read, Write and Delete",
    OrgLevel.ADMIN: "Admin",
}

PERMISSION_LABELS = {
    Permission.USERS_VIEW: "View Users",
    Permission.USERS_MANAGE: "Manage Users",
    Permission.ROLES_MANAGE: "Manage Roles",
    Permission.ORGS_CREATE: "Create Organizations",
    Permission.ORGS_MANAGE: "Manage Organizations",
    Permission.GROUPS_MANAGE: "Manage Groups",
    Permission.RESOURCES_MANAGE: "Manage Resources",
    Permission.AUDIT_VIEW: "View the Audit Log",
    Permission.ACCESS_VIEW: "View Access",
    Permission.GROUPS_VIEW: "View Groups",
    Permission.RESOURCES_VIEW: "View Resources",
}

TYPE_TEXTS = {
    "DATASET": ("Dataset", "Data files with their metadata."),
    "MODEL": ("Model", "A model, described by metadata."),
    "MODEL_RUN": ("Model Run", "One run of a model, described by metadata."),
    "WORKFLOW": ("Workflow", "Steps that process data, described by metadata."),
    "STUDY": ("Study", "A study, described by metadata."),
    "PERSON": ("Person", "A person, described by metadata. It is no account."),
    "ORGANISATION": ("Organization", "An organization, described by metadata. It contains no resources."),
}
"""Label and description of each built-in type of resources."""


@object_type
class ResourceRoleInfo:
    """A role that resources of a type have, with texts for people."""

    role: ResourceRole = strawberry.field(description="The role.")
    label: str = strawberry.field(description="Name for display, such as `Dataset Data Read`.")
    description: str = strawberry.field(description="What the role allows.")
    implied_roles: list[ResourceRole] = strawberry.field(
        description="Other roles of the type that the role includes. They need no grant of their own."
    )
    is_default: bool = strawberry.field(description="Whether all signed-in users have the role on a new resource.")
    grantable_to_anyone: bool = strawberry.field(
        description="Whether the role can be granted to `anyone`, which includes users who are not signed in. Only "
        "read roles can."
    )


@object_type
class OrgLevelInfo:
    """A level of org members, with texts for people."""

    level: OrgLevel = strawberry.field(description="The level.")
    label: str = strawberry.field(description="Name for display, such as `Read Only`.")
    description: str = strawberry.field(description="What the level adds to the ones before it.")


@object_type
class PermissionInfo:
    """A permission with its description."""

    permission: Permission = strawberry.field(description="The permission.")
    label: str = strawberry.field(description="Name for display, such as `Manage Users`.")
    description: str = strawberry.field(description="Description of the permission.")


@cache
def roles_of_type(has_data: bool) -> list[ResourceRoleInfo]:
    """Return the roles of a resource type with or without files, in the order of the enum."""
    full = resource_roles.ALL if has_data else resource_roles.NON_DATA
    return [_role_info(role, full) for role in role_list(full)]


def _role_info(role: ResourceRole, full: int) -> ResourceRoleInfo:
    bit = int(role.value)
    label, description = ROLE_TEXTS[role]
    return ResourceRoleInfo(
        role=role,
        label=label,
        description=description,
        implied_roles=role_list(resource_roles.effective(bit, full) & ~bit),
        is_default=bool(bit & DEFAULT_MASK),
        grantable_to_anyone=bool(bit & resource_roles.READ),
    )


def type_label(name: str) -> str:
    """Return the label of a resource type; that of a type which is not built in is made of its name."""
    return TYPE_TEXTS[name][0] if name in TYPE_TEXTS else name.replace("_", " ").title()


def type_description(name: str) -> str | None:
    """Return the description of a resource type; None for a type which is not built in."""
    return TYPE_TEXTS[name][1] if name in TYPE_TEXTS else None


def org_levels(viewer: Viewer) -> list[OrgLevelInfo]:
    """Return all levels, each of which includes the ones before it."""
    return list(_ORG_LEVELS)


def permissions(viewer: Viewer) -> list[PermissionInfo]:
    """Return all permissions, in the order of the enum."""
    return list(_PERMISSIONS)


_ORG_LEVELS = tuple(
    OrgLevelInfo(level=each, label=LEVEL_LABELS[each], description=each.__dict__["description"]) for each in OrgLevel
)
_PERMISSIONS = tuple(
    PermissionInfo(permission=each, label=PERMISSION_LABELS[each], description=each.__dict__["description"])
    for each in Permission
)
