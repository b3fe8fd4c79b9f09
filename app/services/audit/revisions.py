"""Revisions: a number of each user, role, org, group and resource that every change of its own values increments.

Memberships, grants, locks, the stored bytes, passwords and sign-ins are no values of the object in this sense. A client
sends the revision that it has read with its change, and the change is refused if another one came in between. The audit
log, which compares each object before and after a change, increments the revisions.
"""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from sqlalchemy import Integer, Select, bindparam, select, update
from sqlalchemy.sql.dml import Update

from app.db import Transaction, tables
from app.db.statements import few_rows
from app.db.tables import RowId, col
from app.domain.errors import OutdatedRevision
from app.query.relations import Keys, among
from app.services.audit import states

COLUMNS: Mapping[str, tuple[Any, Any]] = {
    states.USER: (tables.User, tables.User.revision),
    states.ROLE: (tables.Role, tables.Role.revision),
    states.ORG: (tables.Org, tables.Org.revision),
    states.GROUP: (tables.Group, tables.Group.revision),
    states.RESOURCE: (tables.Resource, tables.Resource.edit_revision),
}
"""The table and the column of the revision, by the name of the entity."""

Revision = tuple[states.ObjectRef | None, int]
"""A revision of an object that a client has read; None for the object that its change names."""

NOT_COUNTED: Mapping[str, frozenset[str]] = {states.RESOURCE: frozenset({"lock", "sizeBytes"})}
"""Values in the state of an object that are not its own."""


def column_of(kind: str) -> str:
    """Return the name of the column of the revision."""
    return str(col(COLUMNS[kind][1]).key)


def is_new_revision(kind: str, changed: Sequence[str]) -> bool:
    """Return whether a change of these values increments the revision of an object."""
    return kind in COLUMNS and not NOT_COUNTED.get(kind, frozenset()).issuperset(changed)


async def require_current(tx: Transaction, kind: str, key: int) -> None:
    """Raise OutdatedRevision if the object has none of the revisions that the client accepts.

    The caller has locked the row, and has checked that the viewer may change it: others must not learn the revision.
    """
    accepted, tx.if_revisions = tx.if_revisions, None
    if accepted is None:
        return
    current = await tx.value(_select(kind), key=key)
    if not accepted:
        raise OutdatedRevision(
            "The condition of the request holds for no state of this object. Send the whole ETag that was read.",
            ("ifRevision",),
        )
    if {ref for ref, _ in accepted}.isdisjoint({None, (kind, key)}):
        text = "This is another object than the one that was read. Reload it and retry."
        raise OutdatedRevision(text, ("ifRevision",))
    if accepted.isdisjoint({(None, current), ((kind, key), current)}):
        raise OutdatedRevision(
            f"The object has changed: it is at revision {current}. Reload it and retry.", ("ifRevision",)
        )


async def add(tx: Transaction, kind: str, keys: Sequence[int], number: int) -> None:
    """Add a number to the revisions of some objects of one kind."""
    if len(keys) == 1:
        await tx.send(_add_to_one(kind), key=keys[0], number=number)
    elif keys:
        await tx.send(_add_to_many(kind), keys=list(keys), number=number)


@cache
def _select(kind: str) -> Select[Any]:
    table, column = COLUMNS[kind]
    return select(col(column)).where(col(table.id) == bindparam("key", type_=RowId()))


@cache
def _add_to_one(kind: str) -> Update:
    table, column = COLUMNS[kind]
    return _add(table, column).where(col(table.id) == bindparam("key", type_=RowId()))


@cache
def _add_to_many(kind: str) -> Update:
    table, column = COLUMNS[kind]
    return _add(table, column).where(among(col(table.id), bindparam("keys", type_=Keys(RowId()))))


def _add(table: Any, column: Any) -> Update:
    return few_rows(update(table)).values({col(column).key: col(column) + bindparam("number", type_=Integer())})
