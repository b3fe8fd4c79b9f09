"""Filters and orders of members, by the user and by the membership, and those of roles."""

import strawberry

from app.graphql.schema.connections import (
    DateTimeFilter,
    IDFilter,
    NullableDateTimeFilter,
    OrderDirection,
    StringFilter,
)
from app.graphql.schema.decorators import input_type, optional
from app.graphql.schema.enums import DescribedEnum, OrgLevel, enum
from app.graphql.schema.filters import UserFilter, UserOrderField

END = "When the membership ends. Missing if it does not end."
BY_END = "expires_at", "When the membership ends. Memberships that do not end count as the latest."
BY_USER = {each.name: (each.value, each.__dict__["description"]) for each in UserOrderField}
"""The orders of users, which are orders of members as well."""


@input_type
class OrgLevelFilter:
    """Conditions on the level of an org member. All of them must match."""

    eq: OrgLevel | None = optional("Equal.")
    in_: list[OrgLevel] | None = optional("Equal to one of these levels, at most 100.", name="in")
    gte: OrgLevel | None = optional("At least this level.")
    lte: OrgLevel | None = optional("At most this level.")


@enum
class OrgMemberOrderField(DescribedEnum):
    """Field by which org members can be sorted."""

    USER_NAME = BY_USER["USER_NAME"]
    DISPLAY_NAME = BY_USER["DISPLAY_NAME"]
    CREATED_AT = BY_USER["CREATED_AT"]
    LAST_LOGIN_AT = BY_USER["LAST_LOGIN_AT"]
    EMAIL = BY_USER["EMAIL"]
    LEVEL = "level", "The level, in the order of the enum."
    ADDED_AT = "added_at", "When the membership was granted or last changed."
    EXPIRES_AT = BY_END


@input_type
class OrgMemberOrder:
    """One sort key of org members."""

    field: OrgMemberOrderField = strawberry.field(description="The field to sort by.")
    direction: OrderDirection = strawberry.field(default=OrderDirection.ASC, description="The direction.")


@input_type
class OrgMemberFilter(UserFilter):
    """Conditions on an org member. All of them must match.

    At most 4 levels deep and 50 comparisons. Values that the viewer may not see count as missing. Null is refused.
    """

    level: OrgLevelFilter | None = optional("The level of the member.")
    added_at: DateTimeFilter | None = optional("When the membership was granted or last changed.")
    expires_at: NullableDateTimeFilter | None = optional(END)
    and_: list["OrgMemberFilter"] | None = optional(  # type: ignore[assignment]  # its own type in GraphQL
        "All of these must match.", name="and"
    )
    or_: list["OrgMemberFilter"] | None = optional(  # type: ignore[assignment]  # as above
        "At least one of these must match.", name="or"
    )
    not_: "OrgMemberFilter | None" = optional("This must not match.", name="not")


@enum
class GroupMemberOrderField(DescribedEnum):
    """Field by which group members can be sorted."""

    USER_NAME = BY_USER["USER_NAME"]
    DISPLAY_NAME = BY_USER["DISPLAY_NAME"]
    CREATED_AT = BY_USER["CREATED_AT"]
    LAST_LOGIN_AT = BY_USER["LAST_LOGIN_AT"]
    EMAIL = BY_USER["EMAIL"]
    ADDED_AT = "added_at", "When the member was added."
    EXPIRES_AT = BY_END


@input_type
class GroupMemberOrder:
    """One sort key of group members."""

    field: GroupMemberOrderField = strawberry.field(description="The field to sort by.")
    direction: OrderDirection = strawberry.field(default=OrderDirection.ASC, description="The direction.")


@input_type
class GroupMemberFilter(UserFilter):
    """Conditions on a group member. All of them must match.

    At most 4 levels deep and 50 comparisons. Values that the viewer may not see count as missing. Null is refused.
    """

    is_manager: bool | None = optional("Whether the member may add and remove members.")
    added_at: DateTimeFilter | None = optional("When the member was added.")
    expires_at: NullableDateTimeFilter | None = optional(END)
    and_: list["GroupMemberFilter"] | None = optional(  # type: ignore[assignment]  # as above
        "All of these must match.", name="and"
    )
    or_: list["GroupMemberFilter"] | None = optional(  # type: ignore[assignment]  # as above
        "At least one of these must match.", name="or"
    )
    not_: "GroupMemberFilter | None" = optional("This must not match.", name="not")


@enum
class RoleOrderField(DescribedEnum):
    """Field by which roles can be sorted."""

    NAME = "name", "The name, without regard to letter case."
    CREATED_AT = "created_at", "When it was created."


@input_type
class RoleOrder:
    """One sort key of roles."""

    field: RoleOrderField = strawberry.field(description="The field to sort by.")
    direction: OrderDirection = strawberry.field(default=OrderDirection.ASC, description="The direction.")


@input_type
class RoleFilter:
    """Conditions on a role. All of them must match. At most 4 levels deep and 50 comparisons. Null is refused."""

    id: IDFilter | None = optional("The global id.")
    name: StringFilter | None = optional("The name, without regard to letter case.")
    is_built_in: bool | None = optional("Whether the role is built in.")
    and_: list["RoleFilter"] | None = optional("All of these must match.", name="and")
    or_: list["RoleFilter"] | None = optional("At least one of these must match.", name="or")
    not_: "RoleFilter | None" = optional("This must not match.", name="not")
