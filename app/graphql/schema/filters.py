"""What lists of users, orgs, groups and resources are ordered and filtered by; apart from the types in those lists."""

import strawberry

from app.graphql.schema.connections import DateTimeFilter, OrderDirection, StringFilter
from app.graphql.schema.decorators import input_type
from app.graphql.schema.enums import DescribedEnum, enum
from app.graphql.schema.role_enums import ResourceRole


@enum
class UserOrderField(DescribedEnum):
    """What users can be ordered by."""

    USER_NAME = ("user_name", "The user name, without regard to letter case.")
    CREATED_AT = ("created_at", "When the account was made.")


@input_type
class UserOrder:
    """One term of an order of users."""

    field: UserOrderField = strawberry.field(description="What to order by.")
    direction: OrderDirection = strawberry.field(default=OrderDirection.ASC, description="Which way.")


@input_type
class UserFilter:
    """Keeps users that match everything given.

    At most 4 levels deep and 50 comparisons. What the viewer may not see of a user never matches.
    """

    user_name: StringFilter | None = strawberry.field(
        default=None, description="The user name, without regard to letter case."
    )
    email: StringFilter | None = strawberry.field(
        default=None, description="The e-mail address, without regard to letter case."
    )
    created_at: DateTimeFilter | None = strawberry.field(default=None, description="When the account was made.")
    last_login_at: DateTimeFilter | None = strawberry.field(default=None, description="When she last signed in.")
    role_name: StringFilter | None = strawberry.field(default=None, description="The name of a role that she holds.")
    is_deactivated: bool | None = strawberry.field(
        default=None, description="Whether she holds the role `deactivated`."
    )
    and_: list["UserFilter"] | None = strawberry.field(default=None, name="and", description="All of these match.")
    or_: list["UserFilter"] | None = strawberry.field(
        default=None, name="or", description="At least one of these matches."
    )
    not_: "UserFilter | None" = strawberry.field(default=None, name="not", description="This does not match.")


@enum
class OrgOrderField(DescribedEnum):
    """What orgs can be ordered by."""

    NAME = ("name", "The name, without regard to letter case; its first 200 characters.")
    CREATED_AT = ("created_at", "When it was made.")


@input_type
class OrgOrder:
    """One term of an order of orgs."""

    field: OrgOrderField = strawberry.field(description="What to order by.")
    direction: OrderDirection = strawberry.field(default=OrderDirection.ASC, description="Which way.")


@input_type
class OrgFilter:
    """Keeps orgs that match everything given. At most 4 levels deep and 50 comparisons."""

    slug: StringFilter | None = strawberry.field(default=None, description="The slug.")
    name: StringFilter | None = strawberry.field(
        default=None, description="The name, without regard to letter case; parts of it without regard to accents too."
    )
    is_public: bool | None = strawberry.field(default=None, description="Whether everybody sees it.")
    viewer_belongs: bool | None = strawberry.field(
        default=None, description="Whether the viewer owns it or belongs to it."
    )
    and_: list["OrgFilter"] | None = strawberry.field(default=None, name="and", description="All of these match.")
    or_: list["OrgFilter"] | None = strawberry.field(
        default=None, name="or", description="At least one of these matches."
    )
    not_: "OrgFilter | None" = strawberry.field(default=None, name="not", description="This does not match.")


@enum
class GroupOrderField(DescribedEnum):
    """What groups can be ordered by."""

    DISPLAY_NAME = ("display_name", "The display name, without regard to letter case; its first 200 characters.")
    CREATED_AT = ("created_at", "When it was made.")


@input_type
class GroupOrder:
    """One term of an order of groups."""

    field: GroupOrderField = strawberry.field(description="What to order by.")
    direction: OrderDirection = strawberry.field(default=OrderDirection.ASC, description="Which way.")


@input_type
class GroupFilter:
    """Keeps groups that match everything given. At most 4 levels deep and 50 comparisons."""

    slug: StringFilter | None = strawberry.field(default=None, description="The slug.")
    display_name: StringFilter | None = strawberry.field(
        default=None,
        description="The display name, without regard to letter case; parts of it without regard to accents too.",
    )
    viewer_belongs: bool | None = strawberry.field(
        default=None, description="True keeps those that the viewer belongs to, false the others."
    )
    and_: list["GroupFilter"] | None = strawberry.field(default=None, name="and", description="All of these match.")
    or_: list["GroupFilter"] | None = strawberry.field(
        default=None, name="or", description="At least one of these matches."
    )
    not_: "GroupFilter | None" = strawberry.field(default=None, name="not", description="This does not match.")


@enum
class ResourceOrderField(DescribedEnum):
    """What resources can be ordered by."""

    NAME = "name", "The name, without regard to letter case; its first 200 characters decide."
    CREATED_AT = "created_at", "When it was made."
    UPDATED_AT = "updated_at", "When it last changed."


@input_type
class ResourceOrder:
    """One term of an order of resources."""

    field: ResourceOrderField = strawberry.field(description="What to order by.")
    direction: OrderDirection = strawberry.field(default=OrderDirection.ASC, description="Which way.")


@input_type
class ResourceFilter:
    """Keeps resources that match everything given.

    At most 4 levels deep and 50 comparisons. What the viewer may not see never matches.
    """

    type: StringFilter | None = strawberry.field(default=None, description="The name of the type.")
    org_slug: StringFilter | None = strawberry.field(default=None, description="The slug of the org.")
    owner_user_name: StringFilter | None = strawberry.field(default=None, description="The user name of the owner.")
    name: StringFilter | None = strawberry.field(
        default=None, description="The name, without regard to letter case; parts of it without regard to accents too."
    )
    slug: StringFilter | None = strawberry.field(default=None, description="The slug.")
    is_locked: bool | None = strawberry.field(default=None, description="Whether a lock stands.")
    viewer_role: ResourceRole | None = strawberry.field(default=None, description="A role that the viewer holds on it.")
    and_: list["ResourceFilter"] | None = strawberry.field(default=None, name="and", description="All of these match.")
    or_: list["ResourceFilter"] | None = strawberry.field(
        default=None, name="or", description="At least one of these matches."
    )
    not_: "ResourceFilter | None" = strawberry.field(default=None, name="not", description="This does not match.")
