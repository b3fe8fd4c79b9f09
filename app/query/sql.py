"""The one place that turns a source, the cells of a type and the shape of a question into SQL."""

from collections.abc import Callable
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Dialect,
    Integer,
    Select,
    bindparam,
    func,
    lateral,
    literal,
    literal_column,
    select,
    true,
)
from sqlalchemy.types import TypeEngine

from app import db
from app.caching import WeightedLRU
from app.db import tables
from app.db.statements import CompiledStatement, compile_statement
from app.db.tables import col
from app.domain.viewer import Viewer
from app.query import index_scan
from app.query.pagination import ListQuery
from app.query.predicates import apply_filters, apply_order, directed, filter_condition, seek_predicates
from app.query.relations import ROOT_KEY, Keys, Layout, Relation, among, from_of


class SelectBuilder:
    """Every statement that was built, compiled once for one database; bounded."""

    def __init__(self, database: db.Database, size: int = 4096) -> None:
        self.dialect = database.dialect
        self._built: WeightedLRU[Any, CompiledStatement] = WeightedLRU(size)

    def select_by_keys(self, source: Relation, layout: Layout, viewer: Viewer) -> CompiledStatement:
        """The rows of many keys; binds `keys`. The key is the last cell."""
        return self._remember(
            ("related", source, layout, viewer.permission_profile), lambda: related(source, layout, viewer)
        )

    def select_by_key(self, source: Relation, layout: Layout, viewer: Viewer) -> CompiledStatement:
        """The same for a lone key; binds `key`. A list of one takes a database longer to look through."""
        return self._remember(("lone", source, layout, viewer.permission_profile), lambda: lone(source, layout, viewer))

    def select_all(self, source: Relation, layout: Layout, viewer: Viewer) -> CompiledStatement:
        """All rows of a list that hangs on nothing, in its own order."""
        return self._remember(
            ("whole", source, layout, viewer.permission_profile), lambda: whole(source, layout, viewer)
        )

    def page(
        self, source: Relation, layout: Layout, viewer: Viewer, ask: ListQuery, *, are_placed: bool = True
    ) -> CompiledStatement:
        """A page, or one below each key; binds `limit`, `keys` and the ask's values. Order values and key last.

        Where nobody wants to know the rows' places, they need not be `placed`: then the order values may be missing.
        """
        return self._remember(
            ("page", source, layout, viewer.permission_profile, ask, are_placed),
            lambda: page(source, layout, viewer, ask, self.dialect, are_placed=are_placed),
        )

    def count(self, source: Relation, viewer: Viewer, ask: ListQuery) -> CompiledStatement:
        """How many rows the whole list has, below each key; binds `keys` and the filter's values."""
        return self._remember(
            ("count", source, viewer.permission_profile, ask.filter), lambda: count(source, viewer, ask, self.dialect)
        )

    def _remember(self, key: Any, build: Callable[[], Select[Any]]) -> CompiledStatement:
        prepared = self._built.get(key)
        if prepared is None:
            self._built.put(key, prepared := compile_statement(build(), self.dialect))
        return prepared


def related(source: Relation, layout: Layout, viewer: Viewer) -> Select[Any]:
    """The statement behind `Statements.related`."""
    by = col(source.by)
    return _of_keys(source, layout, viewer, among(by, _keys(by)))


def lone(source: Relation, layout: Layout, viewer: Viewer) -> Select[Any]:
    """The statement behind `Statements.lone`."""
    by = col(source.by)
    return _of_keys(source, layout, viewer, by == bindparam("key", type_=_kind(by)))


def _of_keys(source: Relation, layout: Layout, viewer: Viewer, is_asked: ColumnElement[bool]) -> Select[Any]:
    order = [col(source.orders[name]) for name in source.order]
    found = select(*layout.columns(viewer), col(source.by).label("k")).select_from(source.rows(viewer))
    return found.where(is_asked, source.sees(viewer)).order_by(*order)


def whole(source: Relation, layout: Layout, viewer: Viewer) -> Select[Any]:
    """The statement behind `Statements.whole`."""
    order = [directed(column, down) for column, down in apply_order(source, ListQuery(source.default_order))]
    chosen = select(*layout.columns(viewer)).select_from(source.rows(viewer))
    return chosen.where(source.sees(viewer)).order_by(*order)


def page(
    source: Relation, layout: Layout, viewer: Viewer, ask: ListQuery, dialect: Dialect, *, are_placed: bool = True
) -> Select[Any]:
    """The statement behind `Statements.page`."""
    if _walks(source, viewer, ask, dialect):
        return index_scan.page(source, layout, viewer, ask, dialect)
    if source.virtual_rows is not None:
        return index_scan.virtual_rows(source.virtual_rows(viewer), layout, viewer, ask)
    if source.by is None:
        ordered = apply_order(source, ask)
        values = [column.label(f"o{at}") for at, (column, _) in enumerate(ordered) if are_placed]
        chosen = select(*layout.columns(viewer), *values, literal(ROOT_KEY).label("k")).select_from(source.rows(viewer))
        return apply_filters(chosen, source, viewer, ask, dialect, ordered)
    if dialect.name == "postgresql":
        return _lateral(source, layout, viewer, ask, dialect)
    return _by_rowid(source, layout, viewer, ask, dialect, are_placed=are_placed)


def _walks(source: Relation, viewer: Viewer, ask: ListQuery, dialect: Dialect) -> bool:
    """Whether a list goes along an index of entries: not where it is not needed, or all is about a few rows."""
    walk = source.index_scan
    if walk is None or walk.by_user:
        return walk is not None
    is_needed = walk.is_unneeded is None or not walk.is_unneeded(viewer)
    return is_needed and not seek_predicates(source, viewer, ask.filter, dialect)


def count(source: Relation, viewer: Viewer, ask: ListQuery, dialect: Dialect) -> Select[Any]:
    """The statement behind `Statements.count`: (number, key)."""
    if _walks(source, viewer, ask, dialect):
        return index_scan.count(source, viewer, ask, dialect)
    if source.virtual_rows is not None:
        return index_scan.count_virtual_rows(source.virtual_rows(viewer), ask)
    conditions = [source.sees(viewer), *filter_condition(source, viewer, ask.filter, dialect)]
    if source.by is None:
        whole: Select[Any] = select(func.count(), literal(ROOT_KEY).label("k"))  # type: ignore[assignment]  # of any rows
        return whole.select_from(source.rows(viewer)).where(*conditions)
    by = col(source.by)
    return (
        select(func.count(), by.label("k"))
        .select_from(source.rows(viewer))
        .where(among(by, _keys(by)), *conditions)
        .group_by(by)
    )


def _lateral(source: Relation, layout: Layout, viewer: Viewer, ask: ListQuery, dialect: Dialect) -> Select[Any]:
    """PostgreSQL: an index walk below each key."""
    by = col(source.by)
    ordered = apply_order(source, ask)
    key = func.unnest(_keys(by)).table_valued("value", with_ordinality="at", name="k").render_derived()
    values = [column.label(f"o{at}") for at, (column, _) in enumerate(ordered)]
    walk = select(*layout.columns(viewer), *values).select_from(source.rows(viewer)).where(by == key.c.value)
    rows = lateral(apply_filters(walk, source, viewer, ask, dialect, ordered).correlate(key), "p")
    places = [directed(rows.c[f"o{at}"], down) for at, (_, down) in enumerate(ordered)]
    return select(*rows.c, key.c.value.label("k")).select_from(key.join(rows, true())).order_by(key.c.at, *places)


def _by_rowid(
    source: Relation, layout: Layout, viewer: Viewer, ask: ListQuery, dialect: Dialect, *, are_placed: bool
) -> Select[Any]:
    """SQLite, which has no LATERAL: the same walk gives row ids, and the rows are joined to them."""
    by, ordered = col(source.by), apply_order(source, ask)
    anchor = from_of(source.anchor)
    rowid: ColumnElement[Any] = literal_column(f"{anchor.name}.rowid", Integer)  # type: ignore[attr-defined]
    key = func.json_each(_keys(by)).table_valued("key", "value", name="k")
    walk = select(rowid).select_from(source.rows(viewer)).where(by == key.c.value)
    found = apply_filters(walk, source, viewer, ask, dialect, ordered).correlate(key)
    rows = key.join(anchor, rowid.in_(found))
    if source.join_table is not None:
        assert source.join_on is not None
        rows = rows.join(from_of(source.table), source.join_on)
    values = [column.label(f"o{at}") for at, (column, _) in enumerate(ordered) if are_placed]
    places = [directed(column, down) for column, down in ordered]
    chosen = select(*layout.columns(viewer), *values, key.c.value.label("k"))
    return chosen.select_from(rows).order_by(key.c.key, *places)


def _keys(column: ColumnElement[Any]) -> Any:
    return bindparam("keys", type_=Keys(_kind(column)))


def _kind(column: ColumnElement[Any]) -> TypeEngine[Any]:
    return tables.RowId() if isinstance(column.type, Integer) else tables.KeyText()
