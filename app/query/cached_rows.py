"""Facts about expressions that decide whether cached rows can replace them."""

from collections.abc import Collection
from typing import Any

from sqlalchemy import BindParameter, Column, ColumnClause, ColumnElement, true
from sqlalchemy.sql import visitors
from sqlalchemy.sql.expression import Selectable

from app.db.cached_rows import columns_of
from app.domain.viewer import Viewer
from app.query.relations import NOW, Layout, Relation, Table
from app.query.selected_columns import belongs_to, own_column


def sees_all(relation: Relation, viewer: Viewer) -> bool:
    """Return whether viewers with these permissions see all rows of a relation."""
    return isinstance(relation.sees(viewer), type(true()))


def reads_table(expression: ColumnElement[Any], table: Table) -> bool:
    """Return whether an expression contains a column of a table, also in a subquery."""
    return any(isinstance(each, Column) and belongs_to(each, table) for each in visitors.iterate(expression))


def reads_only(expression: ColumnElement[Any], table: Table) -> bool:
    """Return whether all columns in an expression are of a table itself, without any subquery."""
    return all(
        not isinstance(each, Selectable)
        and (not isinstance(each, ColumnClause) or each.is_literal or belongs_to(each, table))
        for each in visitors.iterate(expression)
    )


def reads_time(expression: ColumnElement[Any]) -> bool:
    """Return whether an expression compares with the time of the request."""
    return any(isinstance(each, BindParameter) and each.key == NOW.key for each in visitors.iterate(expression))


def column_indexes(layout: Layout, table: Table, viewer: Viewer) -> list[int] | None:
    """Return the places of the columns of a select list in a cached row; None if one of them is not cached."""
    names = columns_of(table)
    columns = [own_column(spec.expression(name, anchor, viewer), table) for name, spec, anchor in layout.fields]
    selected = [each.name for each in columns if each is not None and each.name in names]
    return [*map(names.index, selected)] if len(selected) == len(columns) else None


def stored_columns(layout: Layout, table: Table, viewer: Viewer, recorded: Collection[str]) -> tuple[int, ...]:
    """Return the places of those columns of a select list that are columns of the table with one of these names."""
    columns = [own_column(spec.expression(name, anchor, viewer), table) for name, spec, anchor in layout.fields]
    return tuple(at for at, column in enumerate(columns) if column is not None and column.name in recorded)
