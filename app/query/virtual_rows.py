"""Pages and counts of computed rows, such as the users with access to a resource: no table contains them.

To compute all of them takes time in proportion to their number. Where they may be many, a page tries its next
candidates first: the rows of a few of them are computed, and all rows only for keys whose page these do not fill.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

from sqlalchemy import (
    CTE,
    ColumnElement,
    FromClause,
    Integer,
    Select,
    Subquery,
    case,
    func,
    literal_column,
    select,
    union_all,
)

from app.db.tables import col
from app.domain.viewer import Viewer
from app.query.pagination import ListQuery
from app.query.predicates import LIMIT, OrderTerms, after_cursor, directed
from app.query.relations import Layout, has_bit

CANDIDATES = 6
"""Candidates that a page tries, for each of its rows. If fewer than one in six is a row, all rows are computed."""

VIRTUAL = "derived"
"""The alias of the subquery that the columns of `virtual_column` refer to."""


class Rows(Protocol):
    """Computes the rows of the bound `keys`: (k, o0, key, mask, …), in the order of `o0` and `key`.

    With `candidates`, a list of (key, o0), it computes only their rows and the few that are not of a candidate. With
    `without`, a SELECT of keys, it leaves these out.
    """

    def __call__(
        self, viewer: Viewer, *, candidates: CTE | None = None, without: Select[Any] | None = None
    ) -> FromClause:
        """Return the rows."""


@dataclass(frozen=True, slots=True)
class VirtualRows:
    """Computed rows. `key` and `order` are columns of the table of candidates; `are_many` is true for many rows."""

    rows: Rows
    key: Any
    order: Any
    are_many: Callable[[], ColumnElement[bool]]


def page(source: VirtualRows, layout: Layout, viewer: Viewer, query: ListQuery) -> Select[Any]:
    """Return the page of each bound key."""
    down = query.order[0][1] != query.backward
    candidates = _candidates(source, query, down)
    near = _numbered(source.rows(viewer, candidates=candidates), query, down).cte("near")
    # After the last candidate there may be rows of other ones.
    last = select((func.min if down else func.max)(candidates.c.o0)).scalar_subquery()
    is_sure = near.c.o0 >= last if down else near.c.o0 <= last
    sure = select(near).where(near.c.n <= LIMIT, is_sure).cte("sure")
    full = select(sure.c.k).group_by(sure.c.k).having(func.count() >= LIMIT).cte("full")
    filled = select(full.c.k)
    rest = _numbered(source.rows(viewer, without=filled), query, down).subquery("rest")
    rows: Subquery = union_all(
        select(sure).where(sure.c.k.in_(filled)), select(rest).where(rest.c.n <= LIMIT)
    ).subquery(VIRTUAL)
    columns = select(*layout.columns(viewer), rows.c.o0, rows.c.key.label("o1"), rows.c.k)
    return columns.select_from(rows).order_by(rows.c.k, *(directed(each, down) for each in (rows.c.o0, rows.c.key)))


def count(source: VirtualRows, viewer: Viewer, query: ListQuery) -> Select[Any]:
    """Return the count of the rows of each bound key: (number, key)."""
    rows = source.rows(viewer)
    counted: Select[Any] = select(func.count(), rows.c.k)
    return counted.where(*_roles(rows, query)).group_by(rows.c.k)


def virtual_column(name: str) -> ColumnElement[Any]:
    """Return an integer column of the computed rows, for the field specs of their type."""
    column: ColumnElement[Any] = literal_column(f"{VIRTUAL}.{name}", Integer)
    return column


def _candidates(source: VirtualRows, query: ListQuery, down: bool) -> CTE:
    """Return the next candidates after the cursor; none if the rows are few."""
    terms: OrderTerms = [(col(source.order), down), (col(source.key), down)]
    rows = select(col(source.key).label("key"), col(source.order).label("o0"))
    rows = rows.where(*([after_cursor(terms)] if query.after else [])).order_by(*(directed(*term) for term in terms))
    number = case((source.are_many(), LIMIT * CANDIDATES), else_=0)
    return rows.limit(number).cte("candidates")


def _numbered(rows: FromClause, query: ListQuery, down: bool) -> Select[Any]:
    """Return the rows after the cursor with their place in the page of their key, `n`."""
    terms: OrderTerms = [(rows.c.o0, down), (rows.c.key, down)]
    order = [directed(column, down) for column, down in terms]
    number = func.row_number().over(partition_by=rows.c.k, order_by=order).label("n")
    conditions = [*_roles(rows, query), *([after_cursor(terms)] if query.after else [])]
    return select(*rows.c, number).where(*conditions)


def _roles(rows: FromClause, query: ListQuery) -> list[ColumnElement[bool]]:
    return [has_bit(rows.c.mask, name) for _, *pairs in query.filter[1:] for _, name in pairs]
