"""What makes a list smaller and gives it its order: conditions, filters, cursors, limits."""

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
    not_,
    or_,
    true,
    tuple_,
)

from app.db.tables import col
from app.domain.viewer import Viewer
from app.query.pagination import ListQuery, QueryShape
from app.query.relations import Relation

OrderTerms = Sequence[tuple[ColumnElement[Any], bool]]
"""Columns with whether each runs downward."""


def apply_filters(
    chosen: Select[Any], source: Relation, viewer: Viewer, ask: ListQuery, dialect: Dialect, ordered: "OrderTerms"
) -> Select[Any]:
    """What may be seen, matches the filter and comes after the cursor, in order, one row more than the page."""
    conditions = [source.sees(viewer), *filter_condition(source, viewer, ask.filter, dialect)]
    if ask.after:
        conditions.append(after_cursor(ordered))
    limit: Any = bindparam("limit", type_=Integer())
    return chosen.where(*conditions).order_by(*(directed(column, down) for column, down in ordered)).limit(limit)


def apply_order(source: Relation, ask: ListQuery) -> OrderTerms:
    """The columns of the order with their directions, ending in the id; turned round when paging backward."""
    terms = [(col(source.orders[name]), down) for name, down in ask.order]
    last = (col(source.table.id), terms[-1][1] if terms else False)  # type: ignore[attr-defined]  # every node has one
    return [(column, down != ask.backward) for column, down in [*terms, last]]


def after_cursor(ordered: OrderTerms) -> ColumnElement[bool]:
    """The rows after the cursor: one comparison of rows where all run one way, which an index can answer."""
    if len(ordered) > 1 and ordered[-1][0] is ordered[-2][0]:
        ordered = ordered[:-1]  # a list that is ordered by the id needs no tie-breaker
    binds = [bindparam(f"a{at}", type_=column.type) for at, (column, _) in enumerate(ordered)]
    ways = {down for _, down in ordered}
    if len(ways) == 1:
        left, right = tuple_(*(column for column, _ in ordered)), tuple_(*binds)
        return left < right if ways.pop() else left > right
    steps = []
    for at, (column, down) in enumerate(ordered):
        same = [before == bind for (before, _), bind in zip(ordered[:at], binds, strict=False)]
        steps.append(and_(*same, column < binds[at] if down else column > binds[at]))
    return or_(*steps)


def directed(column: Any, down: bool) -> ColumnElement[Any]:
    """A term of an ORDER BY."""
    made: ColumnElement[Any] = column.desc() if down else column.asc()
    return made


def filter_condition(
    source: Relation, viewer: Viewer, shape: QueryShape, dialect: Dialect
) -> list[ColumnElement[bool]]:
    """The conditions of a filter: those to begin with, and the filter as a whole."""
    begun = seek_predicates(source, viewer, shape, dialect)
    return [*begun, _condition(source, viewer, shape, dialect)] if shape else []


def seek_predicates(source: Relation, viewer: Viewer, shape: QueryShape, dialect: Dialect) -> list[ColumnElement[bool]]:
    """Where a database can begin to look, of what is asked for beside all else: few rows, however many there are."""
    named = [(source.filters[name], rest) for name, *rest in shape[1:] if name in source.filters]
    found = [each.seek_predicate(viewer, rest, dialect) for each, rest in named]
    return [condition for condition in found if condition is not None]


def _condition(source: Relation, viewer: Viewer, shape: QueryShape, dialect: Dialect) -> ColumnElement[bool]:
    head, *rest = shape
    if head in {"and", "or", "not"}:
        terms = [_condition(source, viewer, term, dialect) for term in rest]
        if head == "not":
            return not_(terms[0])
        return reduce(and_, terms, true()) if head == "and" else reduce(or_, terms, false())
    return source.filters[head].condition(viewer, rest, dialect)
