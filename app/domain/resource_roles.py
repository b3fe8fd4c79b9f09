"""The arithmetic of access: roles on a resource as bits, and those who hold them as numbers. Names are for people.

Roles are closed under implication (design, 1.5), and the closure of a union is the union of closures, so that what
several subjects hold can be added up with OR after each was closed by itself.
"""

from enum import IntEnum

METADATA_READ = 1
METADATA_WRITE = 2
DATA_READ = 4
DATA_WRITE = 8
ADMIN = 16

ALL = 31
NON_DATA = METADATA_READ | METADATA_WRITE | ADMIN
"""Every role of a type without data files."""

READ = METADATA_READ | DATA_READ
WRITE = METADATA_WRITE | DATA_WRITE

IMPLIED = {
    METADATA_READ: METADATA_READ,
    METADATA_WRITE: METADATA_WRITE | METADATA_READ,
    DATA_READ: DATA_READ | METADATA_READ,
    DATA_WRITE: DATA_WRITE | DATA_READ | METADATA_READ,
    ADMIN: ALL,
}

NAMES = {
    METADATA_READ: "METADATA_READ",
    METADATA_WRITE: "METADATA_WRITE",
    DATA_READ: "DATASET_DATA_READ",
    DATA_WRITE: "DATASET_DATA_WRITE",
    ADMIN: "ADMIN",
}
"""What the roles are called where people are told of them."""

BITS = tuple(IMPLIED)
"""The roles in the order in which they are always listed."""


def effective(granted: int, full: int) -> int:
    """What a grant gives: its roles with what they imply, of those that the type has."""
    closed = 0
    for bit in BITS:
        if granted & bit:
            closed |= IMPLIED[bit]
    return closed & full


class MemberLevel(IntEnum):
    """How far somebody belongs to an org; the numbers are those of the REST face."""

    READ_ONLY = 0
    READ_WRITE = 1
    READ_WRITE_DELETE = 2
    ADMIN = 3


CAPS = {
    MemberLevel.READ_ONLY: READ,
    MemberLevel.READ_WRITE: READ | WRITE,
    MemberLevel.READ_WRITE_DELETE: READ | WRITE,
    MemberLevel.ADMIN: ALL,
}
"""What a level gives on every resource of the org."""


SUBJECT_TYPES = 8


class SubjectType(IntEnum):
    """What sort of subject a number is."""

    ANYONE = 0
    GENERAL = 1
    GROUP = 2
    USER = 3
    ORG = 4
    OWNER = 5
    REGISTRY = 6


ANYONE = int(SubjectType.ANYONE)
"""Everybody, signed in or not."""

GENERAL = int(SubjectType.GENERAL)
"""Every signed-in user that is not deactivated."""

REGISTRY = int(SubjectType.REGISTRY)
"""Those who hold RESOURCES_MANAGE."""


def subject_id(kind: SubjectType, key: int = 0) -> int:
    """The number of a group, a user, the people of an org, or the owner of a resource."""
    return key * SUBJECT_TYPES + kind


def subject_type(number: int) -> SubjectType:
    """What sort of subject a number is."""
    return SubjectType(number % SUBJECT_TYPES)


def subject_key(number: int) -> int:
    """The id in the number of a subject."""
    return number // SUBJECT_TYPES
