"""Facts about expressions that decide whether cached rows can replace them."""

from typing import Any

from sqlalchemy import Column, ColumnElement, true
from sqlalchemy.sql import visitors

from app.db.access_changes import NOT_RECORDED
from app.domain.viewer import Viewer
from app.query.relations import Layout, Relation, Table


def sees_all(relation: Relation, viewer: Viewer) -> bool:
    """Return whether viewers with these permissions see all rows of a relation."""
    return isinstance(relation.sees(viewer), type(true()))


def reads_table(expression: ColumnElement[Any], table: Table) -> bool:
    """Return whether an expression contains a column of a table, also in a subquery."""
    return any(isinstance(each, Column) and _is_of(each, table) for each in visitors.iterate(expression))


def has_only_columns(layout: Layout, table: Table, viewer: Viewer) -> bool:
    """Return whether a select list has only columns of the table itself whose changes are recorded."""
    return all(_is_recorded(spec.expression(name, anchor, viewer), table) for name, spec, anchor in layout.fields)


def _is_recorded(expression: Any, table: Table) -> bool:
    column = expression.__clause_element__() if hasattr(expression, "__clause_element__") else expression
    return isinstance(column, Column) and _is_of(column, table) and column.name not in NOT_RECORDED


def _is_of(column: Column[Any], table: Table) -> bool:
    return getattr(column.table, "name", None) == table.__tablename__
