"""A check that the server may use every table, in one cheap statement: a write of one table shows nothing of others."""

from collections.abc import Iterator, Mapping

from sqlalchemy import TextClause, text
from sqlmodel import SQLModel

from app.db import tables
from app.db.failures import Failure
from app.db.interface import Database, Freshness

RIGHTS = ("SELECT", "INSERT", "UPDATE", "DELETE")

APPEND_ONLY = frozenset(table.__tablename__ for table in (tables.AuditEvent, tables.AuditChange, tables.AuditSeal))
"""Tables whose rows an operator may protect from changes; only the pruning of the audit log needs the other rights."""


def _needed() -> Iterator[tuple[str, str]]:
    for name in sorted(SQLModel.metadata.tables):
        yield from ((name, right) for right in (RIGHTS[:2] if name in APPEND_ONLY else RIGHTS))


_PAIRS = ", ".join(f"('{name}', '{right}')" for name, right in _needed())
_NAMES = ", ".join(f"('{name}')" for name in sorted(SQLModel.metadata.tables))

_STATEMENTS: Mapping[str, TextClause] = {
    "postgresql": text(
        "SELECT name, to_regclass(quote_ident(name)) IS NULL"  # noqa: S608 - the names are those of the code
        f" FROM (VALUES {_PAIRS}) AS needed (name, allowed)"
        " WHERE has_table_privilege(to_regclass(quote_ident(name)), allowed) IS NOT TRUE"
        " UNION ALL SELECT relname, false"
        f" FROM (VALUES {_NAMES}) AS named (name)"
        " JOIN pg_depend ON refobjid = to_regclass(quote_ident(name)) AND deptype = 'a'"
        " JOIN pg_class ON pg_class.oid = objid"
        " WHERE CASE relkind WHEN 'S' THEN NOT has_sequence_privilege(pg_class.oid, 'USAGE') ELSE false END"
    ),
    "sqlite": text(
        f"SELECT column1, true FROM (VALUES {_NAMES})"  # noqa: S608 - the same
        " WHERE column1 NOT IN (SELECT name FROM sqlite_master)"
    ),
}
"""Select the tables and sequences that are missing or that the role may not use, and whether they are missing."""


async def find_failure(database: Database) -> Failure | None:
    """Return WRONG_SCHEMA if a table is missing, DENIED if the role lacks a right to one, or None."""
    rows = await database.ask(_STATEMENTS[database.dialect.name], freshness=Freshness.PRIMARY)
    if any(row[1] for row in rows):
        return Failure.WRONG_SCHEMA
    return Failure.DENIED if rows else None
