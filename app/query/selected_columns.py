"""Columns as a plan selects them: one for each value, whatever fields it is the value of."""

from functools import lru_cache
from typing import Any, NamedTuple

from sqlalchemy import Column, ColumnClause, true

from app.domain.viewer import Viewer
from app.query.relations import FieldSpec, Table, reference

MAX_SELECTED_COLUMNS = 10_000
"""Columns that are remembered: all of the schema for twenty combinations of permissions."""


class Selected(NamedTuple):
    """A column of a select list, and its SQL type."""

    name: str
    spec: FieldSpec
    type: Any


def is_guarded(spec: FieldSpec, viewer: Viewer) -> bool:
    """Return whether viewers with these permissions may not see the value in every row."""
    return spec.guard is not None and not isinstance(spec.guard(viewer), type(true()))


@lru_cache(MAX_SELECTED_COLUMNS)
def select_column(spec: FieldSpec, name: str, table: Table, viewer: Viewer) -> Selected:
    """Return the column of a field for all viewers with these permissions.

    To build its expression takes longer than all else in a plan, and a query selects the same columns at many places.
    Fields whose value is the same column of the table have the same one.
    """
    expression = spec.expression(name, table, viewer)
    column = own_column(expression, table)
    if column is None:
        return Selected(name, spec, expression.type)
    return Selected(column.name, reference(getattr(table, column.key)), column.type)


def own_column(expression: Any, table: Table) -> Column[Any] | None:
    """Return the column of the table that an expression is, None if it is anything else."""
    column = expression.__clause_element__() if hasattr(expression, "__clause_element__") else expression
    return column if isinstance(column, Column) and belongs_to(column, table) else None


def belongs_to(column: ColumnClause[Any], table: Table) -> bool:
    """Return whether a column is one of the table itself, not of an alias."""
    return getattr(column.table, "name", None) == table.__tablename__
