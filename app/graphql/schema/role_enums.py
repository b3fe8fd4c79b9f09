"""Roles on resources and levels in orgs by their names: the masks of `app.domain.resource_roles` as the API shows them."""

from collections.abc import Sequence
from functools import cache

from app.domain import resource_roles
from app.domain.resource_roles import MemberLevel
from app.graphql.schema.enums import DescribedEnum, enum, of_value


@enum
class ResourceRole(DescribedEnum):
    """What somebody may do with a resource. Sets of roles are always listed in this order."""

    # The roles of `app.domain.resource_roles`.

    METADATA_READ = resource_roles.METADATA_READ, "Discover the resource, see its metadata, its lock and lock history."
    METADATA_WRITE = resource_roles.METADATA_WRITE, "Edit the metadata. Implies METADATA_READ."
    DATASET_DATA_READ = resource_roles.DATA_READ, "Download files; types with data only. Implies METADATA_READ."
    DATASET_DATA_WRITE = (
        resource_roles.DATA_WRITE,
        "Upload and change files; types with data only. Implies the two read roles, not METADATA_WRITE.",
    )
    ADMIN = resource_roles.ADMIN, "Every role of the type, the access configuration, locks and deletion."


@enum
class SubjectKind(DescribedEnum):
    """As whom somebody comes to roles on a resource."""

    # The kinds of `app.domain.resource_roles`.

    ANYONE = int(resource_roles.SubjectType.ANYONE), "Everybody, signed in or not."
    GENERAL = int(resource_roles.SubjectType.GENERAL), "Every signed-in user that is not deactivated."
    GROUP = int(resource_roles.SubjectType.GROUP), "A member of a group."
    USER = int(resource_roles.SubjectType.USER), "She herself."
    ORG = int(resource_roles.SubjectType.ORG), "A member of the resource's org, up to her level, or its owner."
    OWNER = int(resource_roles.SubjectType.OWNER), "The owner of the resource."
    PERMISSION = int(resource_roles.SubjectType.REGISTRY), "Who holds RESOURCES_MANAGE."


@cache
def role_list(mask: int) -> list[ResourceRole]:
    """The names in a mask."""
    return [role for role in ResourceRole if mask & int(role.value)]


def role_mask(roles: Sequence[ResourceRole]) -> int:
    """The mask of some names."""
    mask = 0
    for role in roles:
        mask |= int(role.value)
    return mask


def kind_named(number: int) -> SubjectKind:
    """The kind of a number of its own."""
    return of_value(SubjectKind, number)


@cache
def subject_kind(number: int) -> SubjectKind:
    """The kind in the number of a subject."""
    return of_value(SubjectKind, int(resource_roles.subject_type(number)))


@enum
class OrgLevel(DescribedEnum):
    """How far a member belongs to an org; each level allows what those before it allow."""

    # The names of `masks.Level`, in its order.

    READ_ONLY = int(MemberLevel.READ_ONLY), "See the org and its members, read its resources and their data."
    READ_WRITE = int(MemberLevel.READ_WRITE), "Edit the org and its resources, and create resources in it."
    READ_WRITE_DELETE = int(MemberLevel.READ_WRITE_DELETE), "Delete the org and its resources."
    ADMIN = int(MemberLevel.ADMIN), "Manage its members; ADMIN on each of its resources."


LEVELS = {int(level.value): level for level in OrgLevel}
"""The levels by their stored numbers."""
