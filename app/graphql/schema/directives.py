"""Permissions as the API names them, and how the SDL says which one a field needs."""

from functools import cache, reduce
from operator import or_

import strawberry
from strawberry.schema_directive import Location

from app.domain import viewer as viewers
from app.graphql.schema.enums import DescribedEnum, enum


@enum
class Permission(DescribedEnum):
    """What a role allows in the registry as a whole."""

    # The names of `auth.Permission`, in its order.

    USERS_VIEW = ("USERS_VIEW", "See every user with e-mail, metadata, roles and last login.")
    USERS_MANAGE = (
        "USERS_MANAGE",
        "Create, change and delete users, reset passwords, assign roles that carry no more than one holds.",
    )
    ROLES_MANAGE = ("ROLES_MANAGE", "Create, change and delete roles that carry no more than one holds.")
    ORGS_CREATE = ("ORGS_CREATE", "Create organizations.")
    ORGS_MANAGE = ("ORGS_MANAGE", "See and manage every organization and its members.")
    GROUPS_MANAGE = ("GROUPS_MANAGE", "Create, change and delete groups and their members.")
    RESOURCES_MANAGE = ("RESOURCES_MANAGE", "Hold ADMIN on every resource.")
    AUDIT_VIEW = ("AUDIT_VIEW", "Read the record of every change.")
    ACCESS_VIEW = (
        "ACCESS_VIEW",
        "Ask about everybody's access: check and explain it, and list what a user reaches and who reaches a resource.",
    )
    GROUPS_VIEW = ("GROUPS_VIEW", "See the members of every group. GROUPS_MANAGE includes it.")
    RESOURCES_VIEW = (
        "RESOURCES_VIEW",
        "See every organization with its members, and every resource with its access configuration and lock; it gives "
        "no role on them. RESOURCES_MANAGE includes it.",
    )


@cache
def permission_list(mask: int) -> list[Permission]:
    """The names in a stored mask."""
    return [Permission[str(each.name)] for each in viewers.Permission(mask)]


def permission_mask(names: list[Permission]) -> viewers.Permission:
    """The flag of some names."""
    return reduce(or_, (viewers.Permission[each.name] for each in names), viewers.Permission.NONE)


REQUIRES = {
    "permission": "One of the roles that the viewer holds must carry it.",
    "unless": "When the viewer does not need it.",
}
"""What the arguments of `@requiresPermission` mean."""


@strawberry.schema_directive(
    locations=[Location.FIELD_DEFINITION],
    description="The permission that the viewer must hold. Without it a mutation is refused and a field is null.",
)
class RequiresPermission:
    """The permission that a field or mutation needs."""

    permission: Permission = strawberry.directive_field(name="permission")
    unless: str | None = strawberry.directive_field(name="unless", default=None)
