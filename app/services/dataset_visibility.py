"""The three levels of visibility that the REST API gives a dataset, stored as grants."""

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from enum import IntEnum

from sqlalchemy import ColumnElement, Integer, and_, bindparam, case, exists, literal_column, or_, select

from app import policy
from app.db import Transaction
from app.db.tables import Grant, Resource, RowId, col
from app.domain import resource_roles
from app.domain.errors import OutdatedRevision
from app.domain.refs import RowRef
from app.domain.resource_roles import SubjectType
from app.domain.viewer import Viewer
from app.services import access, audit, resources
from app.services.access import GrantEntry
from app.services.resources import DEFAULT_MASK


class Visibility(IntEnum):
    """The users who find and download a dataset without a grant of their own."""

    PRIVATE = 0
    UNLISTED = 1
    """Every signed-in user; for DroneDB's clients anyone, signed in or not."""
    PUBLIC = 2
    """Anyone, signed in or not."""


Subjects = Set[SubjectType]


@dataclass(frozen=True, slots=True)
class VisibilityGrants:
    """The grants that stand for each visibility, in one meaning of UNLISTED.

    `readers` are the subjects with a grant at each visibility. `levels` tells a visibility by the grants: the first one
    whose subjects all have a grant, else PRIVATE.
    """

    readers: Mapping[Visibility, Subjects]
    levels: Sequence[tuple[Subjects, Visibility]]

    def level(self, subjects: Subjects) -> Visibility:
        """Return the visibility of a dataset on which these subjects have grants."""
        return next((level for needed, level in self.levels if needed <= subjects), Visibility.PRIVATE)

    def level_sql(self, viewer: Viewer) -> ColumnElement[int]:
        """Return the visibility by a resource's grants. It reveals no more than an anonymous request can find out."""
        entries = {SubjectType.ANYONE: policy.is_anyone(viewer), SubjectType.GENERAL: policy.is_general(viewer)}
        cases = [
            (and_(*(_exists(entries[kind]) for kind in sorted(needed))), literal_column(str(int(level)), Integer))
            for needed, level in self.levels
        ]
        return case(*cases, else_=literal_column(str(int(Visibility.PRIVATE)), Integer))


_ANYONE, _GENERAL = frozenset({SubjectType.ANYONE}), frozenset({SubjectType.GENERAL})
_NONE, _BOTH = frozenset[SubjectType](), _ANYONE | _GENERAL

FOR_SIGNED_IN = VisibilityGrants(
    {Visibility.PRIVATE: _NONE, Visibility.UNLISTED: _GENERAL, Visibility.PUBLIC: _BOTH},
    ((_ANYONE, Visibility.PUBLIC), (_GENERAL, Visibility.UNLISTED)),
)
"""UNLISTED is for every signed-in user."""

FOR_ANYONE = VisibilityGrants(
    {Visibility.PRIVATE: _NONE, Visibility.UNLISTED: _ANYONE, Visibility.PUBLIC: _BOTH},
    ((_BOTH, Visibility.PUBLIC), (_ANYONE, Visibility.UNLISTED), (_GENERAL, Visibility.UNLISTED)),
)
"""UNLISTED is for anyone, as for DroneDB's clients; the grant to all signed-in users tells it from PUBLIC. REST lists
the datasets of an org to those who see the org alone; GraphQL lists whatever the viewer may read. A dataset that only
signed-in users read is UNLISTED too: there is no other level for it."""


def _exists(entry: ColumnElement[bool]) -> ColumnElement[bool]:
    is_valid = and_(col(Grant.mask) != 0, policy.is_valid_until(Grant.expires_at))
    return exists().where(col(Grant.resource_id) == col(Resource.id), entry, is_valid).correlate(Resource)


@dataclass(frozen=True, slots=True)
class VisibilityChange:
    """A new visibility in its meaning. For a new dataset (`is_new`) no visibility is current.

    `if_revisions` are the revisions of the access configuration that the client accepts, None for any.
    """

    level: Visibility
    meaning: VisibilityGrants
    is_new: bool = False
    if_revisions: frozenset[int] | None = None


async def set_visibility(tx: Transaction, viewer: Viewer, resource: RowRef, new: VisibilityChange) -> None:
    """Change the grants of a dataset to exactly this visibility; needs ADMIN.

    A grant that already gives enough keeps its roles and its end. Grants to groups and users do not change. The current
    visibility needs METADATA_WRITE alone and changes nothing, since clients send back what they read. Another one needs
    the revision of the access configuration that the client has read.
    """
    row = await resources.load_for_update(tx, viewer, resource)
    rows = await tx.rows(_SELECT_GRANTS, resource=row.id, now=tx.now)
    stored = {resource_roles.subject_type(subject): (mask, end) for subject, mask, end in rows}
    is_current = not new.is_new and new.meaning.level(stored.keys()) is new.level
    role = resource_roles.METADATA_WRITE if is_current else resource_roles.ADMIN
    policy.require_role(row.mask, role, resource_roles.NAMES[role])
    await audit.require_current(tx, audit.RESOURCE, row.id)
    if is_current:
        return
    if new.if_revisions is not None and row.revision not in new.if_revisions:
        text = "The access to the dataset may have changed since it was read. Read it again and retry."
        raise OutdatedRevision(text, ("visibility",))
    readers = new.meaning.readers[new.level]
    for kind in (SubjectType.ANYONE, SubjectType.GENERAL):
        mask, end = stored.get(kind, (0, None))
        if kind not in readers and mask:
            await access.revoke_access(tx, viewer, resource, GrantEntry(kind, 0))
        elif kind in readers and resource_roles.effective(mask, resource_roles.ALL) & DEFAULT_MASK != DEFAULT_MASK:
            current = mask if end is None else 0  # else roles that were granted until `end` would never end
            await access.grant_access(tx, viewer, resource, GrantEntry(kind, current | DEFAULT_MASK))


_SELECT_GRANTS = select(col(Grant.subject), col(Grant.mask), col(Grant.expires_at)).where(
    col(Grant.resource_id) == bindparam("resource", type_=RowId()),
    or_(col(Grant.subject) == resource_roles.GENERAL, col(Grant.subject) == resource_roles.ANYONE),
    col(Grant.mask) != 0,
    policy.is_valid_until(Grant.expires_at),
)
