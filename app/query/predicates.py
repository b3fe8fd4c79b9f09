"""The WHERE, ORDER BY and LIMIT clauses of a list: visibility, filter, cursor, order and page size."""

from collections.abc import Sequence
from functools import reduce
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Dialect,
    Integer,
    Select,
    and_,
    bindparam,
    false,
    or_,
    true,
    tuple_,
)
from sqlalchemy.sql.functions import FunctionElement

from app.db.tables import col
from app.domain.viewer import Viewer
from app.query.pagination import ListQuery, QueryShape
from app.query.relations import Relation, order_column

LIMIT: Any = bindparam("limit", type_=Integer())
"""The number of rows that a page reads, one more than it shows."""

OrderTerms = Sequence[tuple[ColumnElement[Any], bool]]
"""Pairs of a column and whether it is descending."""


def apply_filters(
    rows: Select[Any], relation: Relation, viewer: Viewer, query: ListQuery, dialect: Dialect, ordered: "OrderTerms"
) -> Select[Any]:
    """Return the visible rows that match the filter, after the cursor, in order; `limit` is one more than the page."""
    conditions = list_conditions(relation, viewer, query, dialect, ordered)
    return rows.where(*conditions).order_by(*(directed(column, down) for column, down in ordered)).limit(LIMIT)


def list_conditions(
    relation: Relation, viewer: Viewer, query: ListQuery, dialect: Dialect, ordered: "OrderTerms"
) -> list[ColumnElement[bool]]:
    """Return the conditions of the rows that are visible, match the filter and come after the cursor."""
    conditions = [relation.sees(viewer), *filter_condition(relation, viewer, query.filter, dialect)]
    if query.after:
        conditions.append(after_cursor(ordered))
    return conditions


def apply_order(relation: Relation, viewer: Viewer, query: ListQuery) -> OrderTerms:
    """Return the terms of the order, the id last; a backward page reverses every direction."""
    terms = [(order_column(relation, name, viewer), down) for name, down in query.order]
    last = (col(relation.table.id), terms[-1][1] if terms else False)  # type: ignore[attr-defined]  # every node has one
    return [(column, down != query.backward) for column, down in [*terms, last]]


def after_cursor(ordered: OrderTerms) -> ColumnElement[bool]:
    """Return the condition for rows after the cursor.

    If all terms have one direction it is one row comparison, which an index can answer.
    """
    if len(ordered) > 1 and ordered[-1][0] is ordered[-2][0]:
        ordered = ordered[:-1]  # a list that is ordered by the id needs no tie-breaker
    binds = [bindparam(f"a{at}", type_=column.type) for at, (column, _) in enumerate(ordered)]
    directions = {down for _, down in ordered}
    if len(directions) == 1:
        left, right = tuple_(*(column for column, _ in ordered)), tuple_(*binds)
        is_down = directions.pop()
        is_after = left < right if is_down else left > right
        first = ordered[0][0]
        if not isinstance(first, FunctionElement):
            return is_after
        # SQLite seeks an expression only by a comparison of its own, not by that of a row.
        return and_(first <= binds[0] if is_down else first >= binds[0], is_after)
    steps = []
    for at, (column, down) in enumerate(ordered):
        same = [before == bind for (before, _), bind in zip(ordered[:at], binds, strict=False)]
        steps.append(and_(*same, column < binds[at] if down else column > binds[at]))
    return or_(*steps)


def directed(column: Any, down: bool) -> ColumnElement[Any]:
    """Return the column as a term of ORDER BY."""
    term: ColumnElement[Any] = column.desc() if down else column.asc()
    return term


def filter_condition(
    relation: Relation, viewer: Viewer, shape: QueryShape, dialect: Dialect
) -> list[ColumnElement[bool]]:
    """Return the conditions of a filter: its seek predicates, then the complete filter."""
    seeks = seek_predicates(relation, viewer, shape, dialect)
    return [*seeks, _condition(relation, viewer, shape, dialect)] if shape else []


def seek_predicates(
    relation: Relation, viewer: Viewer, shape: QueryShape, dialect: Dialect
) -> list[ColumnElement[bool]]:
    """Return the conditions of the top-level terms that select few rows through an index."""
    specs = [(relation.filters[name], rest) for name, *rest in shape[1:] if name in relation.filters]
    predicates = [spec.seek_predicate(viewer, rest, dialect) for spec, rest in specs]
    return [predicate for predicate in predicates if predicate is not None]


def _condition(relation: Relation, viewer: Viewer, shape: QueryShape, dialect: Dialect) -> ColumnElement[bool]:
    operator, *rest = shape
    if operator in {"and", "or", "not"}:
        terms = [_condition(relation, viewer, term, dialect) for term in rest]
        if operator == "not":
            return terms[0].is_not(true())  # the complement: a comparison with a missing value is NULL in SQL
        return reduce(and_, terms, true()) if operator == "and" else reduce(or_, terms, false())
    return relation.filters[operator].condition(viewer, rest, dialect)
