"""Enums whose members are (value, description), so that the schema's description is next to the member."""

from collections.abc import Sequence
from enum import Enum
from functools import cache
from typing import Any, TypeVar

import strawberry

from app.domain import resource_roles
from app.domain.resource_roles import MemberLevel
from app.graphql.schema.decorators import description_of

T = TypeVar("T", bound="type[DescribedEnum]")
E = TypeVar("E", bound="DescribedEnum")


class DescribedEnum(Enum):
    """An enum that describes its members."""

    def __new__(cls, value: str | int, description: str) -> "DescribedEnum":
        """Store the description beside the value."""
        member = object.__new__(cls)
        member._value_ = value
        member.__dict__["description"] = description
        return member


def of_value(kind: type[E], value: Any) -> E:
    """Return the member with a value. mypy reads the call as the creation of an enum."""
    lookup: Any = kind
    member: E = lookup(value)
    return member


def enum(cls: T) -> T:
    """Put an enum with its descriptions into the schema."""
    strawberry.enum(cls, description=description_of(cls))
    definition: Any = cls.__strawberry_definition__  # type: ignore[attr-defined]  # Strawberry's mark
    for value in definition.values:
        value.value = cls[value.name].value
        value.description = cls[value.name].__dict__["description"]
    return cls


@enum
class ResourceRole(DescribedEnum):
    """Role on a resource. Lists of roles are always in this order."""

    # The bits of `app.domain.resource_roles`.

    METADATA_READ = (
        resource_roles.METADATA_READ,
        "Find the resource and see its metadata, its lock and its lock history.",
    )
    METADATA_WRITE = resource_roles.METADATA_WRITE, "Edit the metadata. Implies METADATA_READ."
    DATASET_DATA_READ = (
        resource_roles.DATA_READ,
        "Download files. Only on resource types with data. Implies METADATA_READ.",
    )
    DATASET_DATA_WRITE = (
        resource_roles.DATA_WRITE,
        (
            "Upload and change files. Only on resource types with data. Implies METADATA_READ and "
            "DATASET_DATA_READ, not METADATA_WRITE."
        ),
    )
    ADMIN = (
        resource_roles.ADMIN,
        "All other roles of the resource type, the access configuration, locks, and deletion.",
    )


@enum
class SubjectKind(DescribedEnum):
    """Kind of subject through which a user receives roles on a resource."""

    # The numbers of `resource_roles.SubjectType`.

    ANYONE = int(resource_roles.SubjectType.ANYONE), "Everyone, signed in or not."
    GENERAL = int(resource_roles.SubjectType.GENERAL), "All signed-in users who are not deactivated."
    GROUP = int(resource_roles.SubjectType.GROUP), "The members of a group."
    USER = int(resource_roles.SubjectType.USER), "One user."
    ORG = int(resource_roles.SubjectType.ORG), "The members of the resource's org, by their level, and its owner."
    OWNER = int(resource_roles.SubjectType.OWNER), "The owner of the resource."
    PERMISSION = int(resource_roles.SubjectType.REGISTRY), "The users with the permission RESOURCES_MANAGE."


@cache
def role_list(mask: int) -> list[ResourceRole]:
    """Return the roles in a mask."""
    return [role for role in ResourceRole if mask & int(role.value)]


def role_mask(roles: Sequence[ResourceRole]) -> int:
    """Return the mask of a list of roles."""
    mask = 0
    for role in roles:
        mask |= int(role.value)
    return mask


def kind_named(number: int) -> SubjectKind:
    """Return the kind with the number of a `SubjectType`."""
    return of_value(SubjectKind, number)


@cache
def subject_kind(number: int) -> SubjectKind:
    """Return the kind in the number of a stored subject."""
    return of_value(SubjectKind, int(resource_roles.subject_type(number)))


@enum
class OrgLevel(DescribedEnum):
    """Level of a member in an org. Each level includes the ones before it."""

    # The names of `resource_roles.MemberLevel`, in its order.

    READ_ONLY = int(MemberLevel.READ_ONLY), "See the org and its members, read its resources and their data."
    READ_WRITE = int(MemberLevel.READ_WRITE), "Edit the org and its resources, and create resources in it."
    READ_WRITE_DELETE = int(MemberLevel.READ_WRITE_DELETE), "Delete the org and its resources."
    ADMIN = int(MemberLevel.ADMIN), "Manage the members. Have the role ADMIN on every resource of the org."


LEVELS = {int(level.value): level for level in OrgLevel}
"""The levels by their stored numbers."""
