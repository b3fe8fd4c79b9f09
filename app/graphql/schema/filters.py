"""Filters and orders of lists of users, orgs, groups and resources. They import no types of these lists."""

import strawberry

from app.graphql.schema.connections import (
    BigIntFilter,
    DateTimeFilter,
    IDFilter,
    NullableDateTimeFilter,
    NullableStringFilter,
    OrderDirection,
    StringFilter,
)
from app.graphql.schema.decorators import input_type, optional
from app.graphql.schema.enums import DescribedEnum, ResourceRole, enum

SEARCH = (
    "Words, separated by spaces. Each must be part of the {}, without regard to letter case and accents. `%`, `_` "
    "and `\\` have no special meaning. At most 8 words and 200 characters; a text without words matches everything. No "
    "index answers it, so the list is read until the page is full."
)


@enum
class UserOrderField(DescribedEnum):
    """Field by which users can be sorted."""

    USER_NAME = ("user_name", "The user name, without regard to letter case.")
    DISPLAY_NAME = (
        "display_name",
        "The display name, or the user name of users without one, without regard to letter case.",
    )
    CREATED_AT = ("created_at", "When the account was created.")
    LAST_LOGIN_AT = (
        "last_login_at",
        "When the user last signed in. Users who never did, or whose last sign-in the viewer may not see, count as the "
        "earliest.",
    )
    EMAIL = (
        "email",
        "The e-mail address, without regard to letter case. Users without one, or whose address the viewer may not "
        "see, come before all others in ascending order.",
    )


@input_type
class UserOrder:
    """One sort key of users."""

    field: UserOrderField = strawberry.field(description="The field to sort by.")
    direction: OrderDirection = strawberry.field(default=OrderDirection.ASC, description="The direction.")


@input_type
class UserFilter:
    """Conditions on a user. All of them must match.

    At most 4 levels deep and 50 comparisons. Values that the viewer may not see count as missing. Null is refused.
    """

    user_name: StringFilter | None = optional("The user name, without regard to letter case.")
    display_name: NullableStringFilter | None = optional(
        "The display name, or the user name of users without one, without regard to letter case. "
        "`startsWith` and `contains` ignore accents as well. `isNull` finds users without a display name."
    )
    email: NullableStringFilter | None = optional("The e-mail address, without regard to letter case.")
    created_at: DateTimeFilter | None = optional("When the account was created.")
    last_login_at: NullableDateTimeFilter | None = optional(
        "When the user last signed in. Missing for users who never did."
    )
    id: IDFilter | None = optional("The global id.")
    is_service_account: bool | None = optional("Whether it is a service account.")
    search: str | None = optional(
        SEARCH.format("user name, the display name, or an e-mail address that the viewer may see")
    )
    role_name: StringFilter | None = optional("The name of a role of the user.")
    is_deactivated: bool | None = optional("Whether the user has the role `deactivated`.")
    and_: list["UserFilter"] | None = optional("All of these must match.", name="and")
    or_: list["UserFilter"] | None = optional("At least one of these must match.", name="or")
    not_: "UserFilter | None" = optional("This must not match.", name="not")


@enum
class OrgOrderField(DescribedEnum):
    """Field by which orgs can be sorted."""

    NAME = ("name", "The name, without regard to letter case. Only its first 200 characters count.")
    CREATED_AT = ("created_at", "When it was created.")


@input_type
class OrgOrder:
    """One sort key of orgs."""

    field: OrgOrderField = strawberry.field(description="The field to sort by.")
    direction: OrderDirection = strawberry.field(default=OrderDirection.ASC, description="The direction.")


@input_type
class OrgFilter:
    """Conditions on an org. All of them must match. At most 4 levels deep and 50 comparisons. Null is refused."""

    id: IDFilter | None = optional("The global id.")
    search: str | None = optional(SEARCH.format("slug or the name"))
    owner_user_name: NullableStringFilter | None = optional("The user name of the owner. Missing if there is no owner.")
    created_at: DateTimeFilter | None = optional("When it was created.")
    slug: StringFilter | None = optional("The slug.")
    name: StringFilter | None = optional(
        "The name, without regard to letter case. `startsWith` and `contains` ignore accents as well."
    )
    is_public: bool | None = optional("Whether every viewer can see it.")
    viewer_belongs: bool | None = optional("Whether the viewer owns it or is a member.")
    and_: list["OrgFilter"] | None = optional("All of these must match.", name="and")
    or_: list["OrgFilter"] | None = optional("At least one of these must match.", name="or")
    not_: "OrgFilter | None" = optional("This must not match.", name="not")


@enum
class GroupOrderField(DescribedEnum):
    """Field by which groups can be sorted."""

    DISPLAY_NAME = (
        "display_name",
        "The display name, without regard to letter case. Only its first 200 characters count.",
    )
    CREATED_AT = ("created_at", "When it was created.")


@input_type
class GroupOrder:
    """One sort key of groups."""

    field: GroupOrderField = strawberry.field(description="The field to sort by.")
    direction: OrderDirection = strawberry.field(default=OrderDirection.ASC, description="The direction.")


@input_type
class GroupFilter:
    """Conditions on a group. All of them must match. At most 4 levels deep and 50 comparisons. Null is refused."""

    id: IDFilter | None = optional("The global id.")
    search: str | None = optional(SEARCH.format("slug or the display name"))
    created_at: DateTimeFilter | None = optional("When it was created.")
    slug: StringFilter | None = optional("The slug.")
    display_name: StringFilter | None = optional(
        "The display name, without regard to letter case. `startsWith` and `contains` ignore accents as well."
    )
    viewer_belongs: bool | None = optional("Whether the viewer is a member.")
    and_: list["GroupFilter"] | None = optional("All of these must match.", name="and")
    or_: list["GroupFilter"] | None = optional("At least one of these must match.", name="or")
    not_: "GroupFilter | None" = optional("This must not match.", name="not")


@enum
class ResourceOrderField(DescribedEnum):
    """Field by which resources can be sorted."""

    NAME = "name", "The name, without regard to letter case. Only its first 200 characters count."
    CREATED_AT = "created_at", "When it was created."
    UPDATED_AT = "updated_at", "When it last changed."
    SIZE = "size", "The total size of its files."


@input_type
class ResourceOrder:
    """One sort key of resources."""

    field: ResourceOrderField = strawberry.field(description="The field to sort by.")
    direction: OrderDirection = strawberry.field(default=OrderDirection.ASC, description="The direction.")


@input_type
class ResourceFilter:
    """Conditions on a resource. All of them must match.

    At most 4 levels deep and 50 comparisons. Values that the viewer may not see count as missing. Null is refused.
    """

    type: StringFilter | None = optional("The name of the resource type.")
    org_slug: StringFilter | None = optional("The slug of the org.")
    owner_user_name: NullableStringFilter | None = optional("The user name of the owner. Missing if there is no owner.")
    name: StringFilter | None = optional(
        "The name, without regard to letter case. `startsWith` and `contains` ignore accents as well."
    )
    slug: StringFilter | None = optional("The slug.")
    id: IDFilter | None = optional("The global id.")
    search: str | None = optional(SEARCH.format("slug or the name"))
    created_at: DateTimeFilter | None = optional("When it was created.")
    updated_at: DateTimeFilter | None = optional("When it last changed.")
    size_bytes: BigIntFilter | None = optional("The size of its files, in bytes.")
    is_locked: bool | None = optional("Whether it is locked.")
    viewer_role: ResourceRole | None = optional("A role that the viewer has on it.")
    and_: list["ResourceFilter"] | None = optional("All of these must match.", name="and")
    or_: list["ResourceFilter"] | None = optional("At least one of these must match.", name="or")
    not_: "ResourceFilter | None" = optional("This must not match.", name="not")
