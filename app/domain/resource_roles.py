"""Roles on a resource as bit masks, and subjects as numbers.

Roles are closed under implication. The closure of a union is the union of the closures, so the closed
roles of several subjects are combined with OR.
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
"""Names of the roles in the APIs, by bit."""

BITS = tuple(IMPLIED)
"""The bits of the roles, in the order of every list of roles."""


def names(mask: int) -> list[str]:
    """Return the names of some roles in their order."""
    return [name for bit, name in NAMES.items() if mask & bit]


def effective(granted: int, full: int) -> int:
    """Return the granted roles with their implied roles, limited to the roles of the resource's type (`full`)."""
    closed = 0
    for bit in BITS:
        if granted & bit:
            closed |= IMPLIED[bit]
    return closed & full


class MemberLevel(IntEnum):
    """Level of a member in an org. The numbers are those of the REST API."""

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
"""Roles of a level on every resource of the org."""


SUBJECT_TYPES = 8


class SubjectType(IntEnum):
    """Type of a subject, the lowest three bits of its number."""

    ANYONE = 0
    GENERAL = 1
    GROUP = 2
    USER = 3
    ORG = 4
    OWNER = 5
    REGISTRY = 6


ANYONE = int(SubjectType.ANYONE)
"""Subject of all requests, signed in or not."""

GENERAL = int(SubjectType.GENERAL)
"""Subject of every signed-in user who is not deactivated."""

REGISTRY = int(SubjectType.REGISTRY)
"""Subject of the users with RESOURCES_MANAGE."""


def subject_id(kind: SubjectType, key: int = 0) -> int:
    """Return the number of a group, a user, the members of an org, or the owner of a resource."""
    return key * SUBJECT_TYPES + kind


def subject_type(number: int) -> SubjectType:
    return SubjectType(number % SUBJECT_TYPES)


def subject_key(number: int) -> int:
    """Return the row id in the number of a subject."""
    return number // SUBJECT_TYPES
