"""The enum of registry permissions and the directive that names the permission a field requires."""

from functools import cache, reduce
from operator import or_

import strawberry
from strawberry.schema_directive import Location

from app.domain import viewer as viewers
from app.graphql.schema.enums import DescribedEnum, enum


@enum
class Permission(DescribedEnum):
    """Permission of a role in the registry as a whole."""

    # The names of `viewers.Permission`, in its order.

    USERS_VIEW = ("USERS_VIEW", "See every user with email address, metadata, roles and last login.")
    USERS_MANAGE = (
        "USERS_MANAGE",
        (
            "Create, change and delete users, reset passwords, assign roles with no more permissions than the "
            "viewer has."
        ),
    )
    ROLES_MANAGE = ("ROLES_MANAGE", "Create, change and delete roles with no more permissions than the viewer has.")
    ORGS_CREATE = ("ORGS_CREATE", "Create organizations.")
    ORGS_MANAGE = ("ORGS_MANAGE", "See and manage every organization and its members.")
    GROUPS_MANAGE = ("GROUPS_MANAGE", "Create, change and delete groups and their members.")
    RESOURCES_MANAGE = ("RESOURCES_MANAGE", "Have the role ADMIN on every resource.")
    AUDIT_VIEW = ("AUDIT_VIEW", "Read the audit log.")
    ACCESS_VIEW = (
        "ACCESS_VIEW",
        (
            "Query the access of every user: check and explain it, list the resources that a user can access and "
            "the users who can access a resource."
        ),
    )
    GROUPS_VIEW = ("GROUPS_VIEW", "See the members of every group. GROUPS_MANAGE includes it.")
    RESOURCES_VIEW = (
        "RESOURCES_VIEW",
        (
            "See every organization with its members, and every resource with its access configuration and lock. "
            "It grants no role on them. RESOURCES_MANAGE includes it."
        ),
    )


@cache
def permission_list(mask: int) -> list[Permission]:
    """Return the permissions in a stored mask."""
    return [Permission[str(each.name)] for each in viewers.Permission(mask)]


def permission_mask(names: list[Permission]) -> viewers.Permission:
    """Return the flag of a list of permissions."""
    return reduce(or_, (viewers.Permission[each.name] for each in names), viewers.Permission.NONE)


REQUIRES = {
    "permission": "At least one role of the viewer must include this permission.",
    "unless": "Condition under which the permission is not needed.",
}
"""Descriptions of the arguments of `@requiresPermission`."""


@strawberry.schema_directive(
    locations=[Location.FIELD_DEFINITION],
    description="The permission that the viewer needs. Without it, a mutation is rejected and a field is null.",
)
class RequiresPermission:
    """The permission that a field or mutation requires."""

    permission: Permission = strawberry.directive_field(name="permission")
    unless: str | None = strawberry.directive_field(name="unless", default=None)
