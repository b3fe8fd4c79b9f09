"""Construction of the SELECT statements for a relation, a layout and a list query."""

from collections.abc import Callable
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Dialect,
    Integer,
    Select,
    any_,
    bindparam,
    func,
    lateral,
    literal,
    literal_column,
    select,
    true,
)
from sqlalchemy.sql.base import Executable
from sqlalchemy.types import TypeEngine

from app import db
from app.caching import WeightedLRU
from app.db import tables
from app.db.statements import CompiledStatement, compile_statement
from app.db.tables import col, from_of
from app.domain.viewer import Viewer
from app.query import index_scan, virtual_rows
from app.query.pagination import ListQuery
from app.query.predicates import (
    LIMIT,
    apply_filters,
    apply_order,
    directed,
    filter_condition,
    list_conditions,
    seek_predicates,
)
from app.query.relations import (
    ROOT_KEY,
    Keys,
    Layout,
    PartialVisibility,
    Relation,
    among,
    order_column,
    without_referred_rows,
)


class SelectBuilder:
    """A builder of the SELECT statements of relations, with a bounded cache of the compiled ones but `page_of_keys`."""

    def __init__(self, database: db.Database, size: int = 4096) -> None:
        self.dialect = database.dialect
        self._statements: WeightedLRU[Any, CompiledStatement] = WeightedLRU(size)

    def select_by_keys(self, relation: Relation, layout: Layout, viewer: Viewer) -> CompiledStatement:
        """Return the statement for the rows of many keys; binds `keys`. The last column is the key."""
        return self._remember(
            ("by_keys", relation, layout, viewer.permission_profile),
            lambda: by_keys(relation, layout, viewer, self.dialect),
        )

    def select_by_key(self, relation: Relation, layout: Layout, viewer: Viewer) -> CompiledStatement:
        """Return the statement for the rows of one key; binds `key`. It is faster than a list of one key."""
        return self._remember(
            ("by_key", relation, layout, viewer.permission_profile), lambda: by_key(relation, layout, viewer)
        )

    def select_all(self, relation: Relation, layout: Layout, viewer: Viewer) -> CompiledStatement:
        """Return the statement for all rows of a list without a parent, in the default order."""
        return self._remember(
            ("all", relation, layout, viewer.permission_profile), lambda: all_rows(relation, layout, viewer)
        )

    def visible_ids(self, seen: PartialVisibility, viewer: Viewer) -> CompiledStatement:
        """Return the statement for the ids of rows that a viewer sees, beside the public ones."""
        return self._remember(("own ids", seen, viewer.permission_profile), lambda: seen.visible_ids(viewer))

    def referring_page(self, relation: Relation, layout: Layout, viewer: Viewer, maximum: int) -> CompiledStatement:
        """Return the statement for up to `maximum` rows of all keys, in any order, without the rows they refer to."""
        return self._remember(
            ("referring", relation, layout, viewer.permission_profile, maximum),
            lambda: by_keys(without_referred_rows(relation), layout, viewer, self.dialect).limit(maximum),
        )

    def page(
        self, relation: Relation, layout: Layout, viewer: Viewer, query: ListQuery, *, has_cursors: bool = True
    ) -> CompiledStatement:
        """Return the statement for a page, or for one page per key; binds `limit`, `keys` and the query's values.

        The last columns are the order values and the key. Without `has_cursors` the order values may be missing.
        """
        return self._remember(
            ("page", relation, layout, viewer.permission_profile, query, has_cursors),
            lambda: page(relation, layout, viewer, query, self.dialect, has_cursors=has_cursors),
        )

    def page_of_keys(
        self,
        relation: Relation,
        layout: Layout,
        viewer: Viewer,
        query: ListQuery,
        stored: tuple[int, ...],
        *,
        has_cursors: bool,
    ) -> CompiledStatement | None:
        """Return the statement for a page without its columns `stored`, which are numbers of columns of the table.

        The last columns are the order values and the id. None if the page is not read from an index alone.
        """
        if not _uses_index_scan(relation, viewer, query, self.dialect):
            return None
        rows = index_scan.page_of_keys(relation, layout, viewer, query, self.dialect, stored, has_cursors=has_cursors)
        return None if rows is None else compile_statement(rows, self.dialect)

    def count(self, relation: Relation, viewer: Viewer, query: ListQuery) -> CompiledStatement:
        """Return the statement that counts the rows of each key; binds `keys` and the filter's values."""
        return self._remember(
            ("count", relation, viewer.permission_profile, query.filter),
            lambda: count(relation, viewer, query, self.dialect),
        )

    def _remember(self, key: Any, build: Callable[[], Executable]) -> CompiledStatement:
        statement = self._statements.get(key)
        if statement is None:
            self._statements.put(key, statement := compile_statement(build(), self.dialect))
        return statement


def by_keys(relation: Relation, layout: Layout, viewer: Viewer, dialect: Dialect) -> Select[Any]:
    """Return the SELECT of `SelectBuilder.select_by_keys`."""
    by = col(relation.by)
    # An index of PostgreSQL seeks each key of an array. What has no index is faster with `among`, by a hash table.
    has_key = by == any_(_keys(by)) if dialect.name == "postgresql" else among(by, _keys(by))
    return _select_where(relation, layout, viewer, has_key)


def by_key(relation: Relation, layout: Layout, viewer: Viewer) -> Select[Any]:
    """Return the SELECT of `SelectBuilder.select_by_key`."""
    by = col(relation.by)
    return _select_where(relation, layout, viewer, by == bindparam("key", type_=_bind_type(by)))


def _select_where(relation: Relation, layout: Layout, viewer: Viewer, has_key: ColumnElement[bool]) -> Select[Any]:
    order = [order_column(relation, name, viewer) for name in relation.order]
    rows = select(*layout.columns(viewer), col(relation.by).label("k")).select_from(relation.rows(viewer))
    return rows.where(has_key, relation.sees(viewer)).order_by(*order)


def all_rows(relation: Relation, layout: Layout, viewer: Viewer) -> Select[Any]:
    """Return the SELECT of `SelectBuilder.select_all`."""
    order = [
        directed(column, down) for column, down in apply_order(relation, viewer, ListQuery(relation.default_order))
    ]
    rows = select(*layout.columns(viewer)).select_from(relation.rows(viewer))
    return rows.where(relation.sees(viewer)).order_by(*order)


def page(
    relation: Relation, layout: Layout, viewer: Viewer, query: ListQuery, dialect: Dialect, *, has_cursors: bool = True
) -> Select[Any]:
    """Return the SELECT of `SelectBuilder.page`."""
    if _uses_index_scan(relation, viewer, query, dialect):
        return index_scan.page(relation, layout, viewer, query, dialect, has_cursors=has_cursors)
    if relation.virtual_rows is not None:
        return virtual_rows.page(relation.virtual_rows, layout, viewer, query)
    if relation.by is None:
        ordered = apply_order(relation, viewer, query)
        values = [column.label(f"o{at}") for at, (column, _) in enumerate(ordered) if has_cursors]
        rows = select(*layout.columns(viewer), *values, literal(ROOT_KEY).label("k")).select_from(relation.rows(viewer))
        return apply_filters(rows, relation, viewer, query, dialect, ordered)
    if dialect.name == "postgresql":
        if relation.is_short:
            return _ranked(relation, layout, viewer, query, dialect, has_cursors=has_cursors)
        return _lateral(relation, layout, viewer, query, dialect)
    return _by_rowid(relation, layout, viewer, query, dialect, has_cursors=has_cursors)


def _uses_index_scan(relation: Relation, viewer: Viewer, query: ListQuery, dialect: Dialect) -> bool:
    """Return whether a list is read from the access index: not if it is unneeded, nor if the filter finds few rows."""
    index = relation.index_scan
    if index is None or index.by_user:
        return index is not None
    is_needed = index.is_unneeded is None or not index.is_unneeded(viewer)
    return is_needed and not seek_predicates(relation, viewer, query.filter, dialect)


def count(relation: Relation, viewer: Viewer, query: ListQuery, dialect: Dialect) -> Select[Any]:
    """Return the SELECT of `SelectBuilder.count`: (number, key)."""
    if _uses_index_scan(relation, viewer, query, dialect):
        return index_scan.count(relation, viewer, query, dialect)
    if relation.virtual_rows is not None:
        return virtual_rows.count(relation.virtual_rows, viewer, query)
    conditions = [relation.sees(viewer), *filter_condition(relation, viewer, query.filter, dialect)]
    if relation.by is None:
        counted: Select[Any] = select(func.count(), literal(ROOT_KEY).label("k"))  # type: ignore[assignment]  # of any rows
        return counted.select_from(relation.rows(viewer)).where(*conditions)
    by = col(relation.by)
    return (
        select(func.count(), by.label("k"))
        .select_from(relation.rows(viewer))
        .where(among(by, _keys(by)), *conditions)
        .group_by(by)
    )


def _lateral(relation: Relation, layout: Layout, viewer: Viewer, query: ListQuery, dialect: Dialect) -> Select[Any]:
    """Return the page of each key on PostgreSQL: one ordered LATERAL subquery per key."""
    by = col(relation.by)
    ordered = apply_order(relation, viewer, query)
    key = func.unnest(_keys(by)).table_valued("value", with_ordinality="at", name="k").render_derived()
    values = [column.label(f"o{at}") for at, (column, _) in enumerate(ordered)]
    below = select(*layout.columns(viewer), *values).select_from(relation.rows(viewer)).where(by == key.c.value)
    rows = lateral(apply_filters(below, relation, viewer, query, dialect, ordered).correlate(key), "p")
    places = [directed(rows.c[f"o{at}"], down) for at, (_, down) in enumerate(ordered)]
    return select(*rows.c, key.c.value.label("k")).select_from(key.join(rows, true())).order_by(key.c.at, *places)


def _ranked(
    relation: Relation, layout: Layout, viewer: Viewer, query: ListQuery, dialect: Dialect, *, has_cursors: bool
) -> Select[Any]:
    """Return the page of each key on PostgreSQL for a short relation: one join of all keys, whose rows are numbered."""
    by, ordered = col(relation.by), apply_order(relation, viewer, query)
    values = [column.label(f"o{at}") for at, (column, _) in enumerate(ordered) if has_cursors]
    number = func.row_number().over(partition_by=by, order_by=[directed(column, down) for column, down in ordered])
    numbered = (
        select(*layout.columns(viewer), *values, by.label("k"), number.label("at"))
        .select_from(relation.rows(viewer))
        .where(by == any_(_keys(by)), *list_conditions(relation, viewer, query, dialect, ordered))
        .subquery("p")
    )
    *columns, at = numbered.c
    return select(*columns).where(at <= LIMIT).order_by(numbered.c.k, at)


def _by_rowid(
    relation: Relation, layout: Layout, viewer: Viewer, query: ListQuery, dialect: Dialect, *, has_cursors: bool
) -> Select[Any]:
    """Return the page of each key on SQLite, which has no LATERAL: the rows joined to a subquery of row ids."""
    by, ordered = col(relation.by), apply_order(relation, viewer, query)
    anchor = from_of(relation.anchor)
    rowid: ColumnElement[Any] = literal_column(f"{anchor.name}.rowid", Integer)  # type: ignore[attr-defined]  # a table
    key = func.json_each(_keys(by)).table_valued("key", "value", name="k")
    below = select(rowid).select_from(relation.rows(viewer)).where(by == key.c.value)
    rowids = apply_filters(below, relation, viewer, query, dialect, ordered).correlate(key)
    rows = key.join(anchor, rowid.in_(rowids))
    if relation.join_table is not None:
        assert relation.join_on is not None
        rows = rows.join(from_of(relation.table), relation.join_on)
    values = [column.label(f"o{at}") for at, (column, _) in enumerate(ordered) if has_cursors]
    places = [directed(column, down) for column, down in ordered]
    columns = select(*layout.columns(viewer), *values, key.c.value.label("k"))
    return columns.select_from(rows).order_by(key.c.key, *places)


def _keys(column: ColumnElement[Any]) -> Any:
    return bindparam("keys", type_=Keys(_bind_type(column)))


def _bind_type(column: ColumnElement[Any]) -> TypeEngine[Any]:
    return tables.RowId() if isinstance(column.type, Integer) else tables.KeyText()
