"""Roles on resources and levels in orgs by their names: the masks of `app.masks` as the API shows them."""

from collections.abc import Sequence
from functools import cache

from app import masks
from app.masks import MemberLevel
from app.schema.enums import DescribedEnum, enum, of_value


@enum
class ResourceRole(DescribedEnum):
    """What somebody may do with a resource. Sets of roles are always listed in this order."""

    # The roles of `app.masks`.

    METADATA_READ = masks.METADATA_READ, "Discover the resource, see its metadata, its lock and lock history."
    METADATA_WRITE = masks.METADATA_WRITE, "Edit the metadata. Implies METADATA_READ."
    DATASET_DATA_READ = masks.DATA_READ, "Download files; types with data only. Implies METADATA_READ."
    DATASET_DATA_WRITE = (
        masks.DATA_WRITE,
        "Upload and change files; types with data only. Implies the two read roles, not METADATA_WRITE.",
    )
    ADMIN = masks.ADMIN, "Every role of the type, the access configuration, locks and deletion."


@enum
class SubjectKind(DescribedEnum):
    """As whom somebody comes to roles on a resource."""

    # The kinds of `app.masks`.

    ANYONE = int(masks.SubjectType.ANYONE), "Everybody, signed in or not."
    GENERAL = int(masks.SubjectType.GENERAL), "Every signed-in user that is not deactivated."
    GROUP = int(masks.SubjectType.GROUP), "A member of a group."
    USER = int(masks.SubjectType.USER), "She herself."
    ORG = int(masks.SubjectType.ORG), "A member of the resource's org, up to her level, or its owner."
    OWNER = int(masks.SubjectType.OWNER), "The owner of the resource."
    PERMISSION = int(masks.SubjectType.REGISTRY), "Who holds RESOURCES_MANAGE."


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
    return of_value(SubjectKind, int(masks.subject_type(number)))


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
