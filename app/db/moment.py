"""The moment of a statement, selected beside its rows, so that a later read is saved if nothing has changed since."""

from typing import Any

from sqlalchemy import ColumnElement, Text
from sqlalchemy.ext.compiler import compiles


class Moment(ColumnElement[Any]):
    """A column with the snapshot and the server of a statement as one text; NULL on SQLite, where asking costs little.

    `Database.is_state_of` compares it.
    """

    inherit_cache = True
    type = Text()


@compiles(Moment, "postgresql")
def _moment_on_postgresql(*_: Any, **__: Any) -> str:
    return "pg_current_snapshot()::text || ' ' || pg_postmaster_start_time()::text"


@compiles(Moment, "sqlite")
def _moment_on_sqlite(*_: Any, **__: Any) -> str:
    return "NULL"
