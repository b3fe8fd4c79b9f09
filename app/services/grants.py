"""The rows of grants: an entry that does not change keeps its row, with the time and the user of the grant."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, bindparam, delete, literal_column, select, update

from app.db import Transaction
from app.db.statements import few_rows
from app.db.tables import Grant, Resource, RowId, col
from app.domain import resource_roles
from app.domain.resource_roles import SubjectType
from app.domain.viewer import Viewer
from app.query.relations import Keys, among
from app.services import audit, users

Grants = Mapping[int, tuple[int, datetime | None]]
"""The mask and the end of the grants on a resource, by subject."""


async def load(tx: Transaction, resource: int) -> dict[int, tuple[int, datetime | None]]:
    """Return the grants on a resource."""
    rows = await tx.rows(_SELECT, resource=resource)
    return {subject: (mask, expires_at) for subject, mask, expires_at in rows}


async def create(tx: Transaction, viewer: Viewer, resource: int, grants: Grants) -> None:
    """Write the grants of a new resource."""
    await _insert(tx, viewer, resource, grants)


async def write(
    tx: Transaction, viewer: Viewer, resource: int, grants: Grants, removed: Collection[int] = ()
) -> set[int]:
    """Set some grants and delete those of the `removed` subjects; return the subjects whose grants have changed.

    If any has, the revision of the access configuration is incremented. The caller refreshes the access index.
    """
    stored = await load(tx, resource)
    changed = {subject: grant for subject, grant in grants.items() if stored.get(subject) != grant}
    subjects = {*changed, *(subject for subject in removed if subject in stored and subject not in grants)}
    if subjects:
        await audit.track_links(tx, audit.GRANTS, of=[resource], to=subjects)
        await tx.rows(_DELETE, resource=resource, subjects=list(subjects))
        await _insert(tx, viewer, resource, changed)
        await tx.rows(_INCREMENT_REVISION, resource=resource)
    return subjects


async def _insert(tx: Transaction, viewer: Viewer, resource: int, grants: Grants) -> None:
    if not grants:
        return
    by_whom = {"granted_by": viewer.user_id or None, "granted_by_name": await users.name_of(tx, viewer)}
    common = {"resource_id": resource, "granted_at": tx.now, **by_whom}
    await tx.insert(Grant, [{**common, **_columns(subject, *grant)} for subject, grant in grants.items()])


def _columns(subject: int, mask: int, expires_at: datetime | None) -> dict[str, Any]:
    kind, key = resource_roles.subject_type(subject), resource_roles.subject_key(subject)
    return {
        "subject": subject,
        "group_id": key if kind is SubjectType.GROUP else None,
        "user_id": key if kind is SubjectType.USER else None,
        "mask": mask,
        "expires_at": expires_at,
    }


_RESOURCE = bindparam("resource", type_=RowId())
_SELECT = select(col(Grant.subject), col(Grant.mask), col(Grant.expires_at)).where(col(Grant.resource_id) == _RESOURCE)
_DELETE = few_rows(delete(Grant)).where(
    col(Grant.resource_id) == _RESOURCE,
    among(col(Grant.subject), bindparam("subjects", type_=Keys(BigInteger()))),
)
_INCREMENT_REVISION = (
    update(Resource).where(col(Resource.id) == _RESOURCE).values(revision=col(Resource.revision) + literal_column("1"))
)
