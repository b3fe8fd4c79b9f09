"""Pages and counts along an index of entries: the merge of one walk for each subject that somebody acts as.

A row that is among the first n of the merge is among the first n of every subject that has it, so that n of each are
enough: the same at a hundred thousand rows and at a million, on the first page and on a deep one.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Dialect,
    FromClause,
    Integer,
    Select,
    Subquery,
    bindparam,
    distinct,
    func,
    inspect,
    lateral,
    literal,
    literal_column,
    select,
    true,
)
from sqlalchemy.orm import aliased

from app.db.tables import col
from app.domain.viewer import Viewer
from app.query.pagination import ListQuery, QueryShape
from app.query.predicates import OrderTerms, after_cursor, directed, filter_condition
from app.query.relations import ROOT_KEY, IndexScan, Layout, Relation, from_of, has_bit


def page(source: Relation, layout: Layout, viewer: Viewer, ask: ListQuery, dialect: Dialect) -> Select[Any]:
    """A page, or one for each user among the keys: the cells, the order values, the key."""
    walk = _scan_of(source)
    asked = set() if _roles_asked(source, ask) else layout.used(walk.substitutions)
    carried = sorted({walk.substitutions[function][0] for function in asked})
    merged = merge_scans(source, viewer, ask, dialect, carried)
    instead = {
        function: walk.substitutions[function][1](merged.c[walk.substitutions[function][0]]) for function in asked
    }
    places = [merged.c[f"o{at}"] for at in range(len(ask.order))]
    key: ColumnElement[Any] = merged.c.user if walk.by_user else literal(ROOT_KEY)
    values = [place.label(f"o{at}") for at, place in enumerate([*places, merged.c.key])]
    rows = merged.join(from_of(source.table), col(source.table.id) == merged.c.key)  # type: ignore[attr-defined]  # a node
    downs = [down != ask.backward for down in _downs(ask)]
    order = [directed(place, down) for place, down in zip([*places, merged.c.key], downs, strict=True)]
    first = [merged.c.user] if walk.by_user else []
    cells = layout.columns(viewer, instead)
    return select(*cells, *values, key.label("k")).select_from(rows).order_by(*first, *order)


def count(source: Relation, viewer: Viewer, ask: ListQuery, dialect: Dialect) -> Select[Any]:
    """How many rows there are in all, or for each user among the keys: (number, key)."""
    walk = _scan_of(source)
    acting, entry = walk.subjects(viewer), aliased(walk.entries, name="entry")
    key = acting.c.user if walk.by_user else literal(ROOT_KEY)
    chosen = select(func.count(distinct(getattr(entry, walk.key))), key.label("k")).select_from(acting)
    conditions = _conditions(source, viewer, ask, dialect, acting, entry)
    counted = chosen.join(inspect(entry).selectable, true()).where(*conditions)
    return counted.group_by(acting.c.user) if walk.by_user else counted


def _scan_of(source: Relation) -> IndexScan:
    assert source.index_scan is not None
    return source.index_scan


def _downs(ask: ListQuery) -> list[bool]:
    downs = [down for _, down in ask.order]
    return [*downs, downs[-1] if downs else False]


def _terms(source: Relation, ask: ListQuery, entry: Any) -> OrderTerms:
    """What the entries are sorted by: the columns of the same names as in the table, the key last."""
    columns = [getattr(entry, str(col(source.orders[name]).key)) for name, _ in ask.order]
    downs = [down != ask.backward for down in _downs(ask)]
    return list(zip([*columns, getattr(entry, _scan_of(source).key)], downs, strict=True))


def _conditions(
    source: Relation, viewer: Viewer, ask: ListQuery, dialect: Dialect, acting: FromClause, entry: Any
) -> list[ColumnElement[bool]]:
    walk, roles = _scan_of(source), _roles_asked(source, ask)
    held = walk.roles(acting, entry)
    found = [walk.matches(acting, entry), held != 0]
    if walk.is_visible is not None:
        found.append(walk.is_visible(viewer, getattr(entry, walk.key)))
    found += [has_bit(held, name) for _, *pairs in roles for _, name in pairs]
    rest = [term for term in ask.filter[1:] if term not in roles]
    if rest:
        found.append(getattr(entry, walk.key) == col(source.table.id))  # type: ignore[attr-defined]  # a node
        found += filter_condition(source, viewer, ("and", *rest), dialect)
    return found


def _roles_asked(source: Relation, ask: ListQuery) -> list[QueryShape]:
    """The terms of a filter that one entry of a row answers: roles that are asked for beside all else.

    Such a walk leaves out the row's other entries, so that it can carry nothing.
    """
    return [term for term in ask.filter[1:] if term[0] in source.filters and source.filters[term[0]].bits]


def _one(
    source: Relation, viewer: Viewer, ask: ListQuery, dialect: Dialect, acting: FromClause, entry: Any, what: Any
) -> Any:
    """The walk of one subject: its first entries behind the cursor."""
    terms = _terms(source, ask, entry)
    conditions = _conditions(source, viewer, ask, dialect, acting, entry)
    if ask.after:
        conditions.append(after_cursor(terms))
    limit: Any = bindparam("limit", type_=Integer())
    chosen = select(*what).where(*conditions).order_by(*(directed(column, down) for column, down in terms)).limit(limit)
    return chosen.correlate(acting)


def _label(source: Relation, ask: ListQuery, acting: FromClause, entry: Any, carried: Sequence[str]) -> list[Any]:
    columns, walk = [column for column, _ in _terms(source, ask, entry)], _scan_of(source)
    order = [column.label(f"o{at}") for at, column in enumerate(columns[:-1])]
    return [*order, columns[-1].label("key"), *(walk.payload[name](acting, entry).label(name) for name in carried)]


def scan(source: Relation, viewer: Viewer, ask: ListQuery, dialect: Dialect, carried: Sequence[str]) -> Select[Any]:
    """The first entries of every subject: (user, o0, …, key, carried), a row as often as subjects have it."""
    walk = _scan_of(source)
    acting, entry = walk.subjects(viewer), aliased(walk.entries, name="entry")
    if dialect.name == "postgresql":
        one = lateral(
            _one(source, viewer, ask, dialect, acting, entry, _label(source, ask, acting, entry, carried)), "one"
        )
        return select(acting.c.user, *one.c).select_from(acting.join(one, true()))
    inner = aliased(walk.entries, name="found")
    rowid = literal_column("found.rowid", Integer)
    found = _one(source, viewer, ask, dialect, acting, inner, [rowid])
    place = literal_column("entry.rowid", Integer)
    rows = acting.join(inspect(entry).selectable, place.in_(found))
    return select(acting.c.user, *_label(source, ask, acting, entry, carried)).select_from(rows)


def merge_scans(source: Relation, viewer: Viewer, ask: ListQuery, dialect: Dialect, carried: Sequence[str]) -> Subquery:
    """Each row once, cut to the page: for each user by a number, since the rows to number are few.

    What is `carried` is whole: a row among the first n of the merge is among the first n of every subject that has it.
    """
    walk = _scan_of(source)
    walked = scan(source, viewer, ask, dialect, carried).subquery("walked")
    places = [walked.c[f"o{at}"] for at in range(len(ask.order))]
    downs = [down != ask.backward for down in _downs(ask)]
    order = [directed(place, down) for place, down in zip([*places, walked.c.key], downs, strict=True)]
    limit: Any = bindparam("limit", type_=Integer())
    if not walk.by_user:
        return (
            select(*places, walked.c.key, *(_combine(walk, walked.c[name]).label(name) for name in carried))
            .group_by(*places, walked.c.key)
            .order_by(*order)
            .limit(limit)
            .subquery("merged")
        )
    number = func.row_number().over(partition_by=walked.c.user, order_by=order).label("n")
    once = (
        select(walked.c.user, *places, walked.c.key, number)
        .group_by(walked.c.user, *places, walked.c.key)
        .subquery("once")
    )
    return select(once).where(once.c.n <= limit).subquery("merged")


def _combine(walk: IndexScan, column: ColumnElement[Any]) -> ColumnElement[Any]:
    assert walk.bit_or is not None
    return walk.bit_or(column)


VIRTUAL = "derived"
"""The name under which the cells of a type find their columns."""


def virtual_rows(rows: FromClause, layout: Layout, viewer: Viewer, ask: ListQuery) -> Select[Any]:
    """A page below each key of rows that were worked out: (k, o0, key, mask, …)."""
    down = ask.order[0][1] != ask.backward
    terms: OrderTerms = [(rows.c.o0, down), (rows.c.key, down)]
    order = [directed(column, way) for column, way in terms]
    number = func.row_number().over(partition_by=rows.c.k, order_by=order).label("n")
    conditions = [*_roles(rows, ask), *([after_cursor(terms)] if ask.after else [])]
    numbered = select(*rows.c, number).where(*conditions).subquery(VIRTUAL)
    limit: Any = bindparam("limit", type_=Integer())
    chosen = select(*layout.columns(viewer), numbered.c.o0, numbered.c.key.label("o1"), numbered.c.k)
    places = [directed(column, down) for column in (numbered.c.o0, numbered.c.key)]
    return chosen.select_from(numbered).where(numbered.c.n <= limit).order_by(numbered.c.k, *places)


def count_virtual_rows(rows: FromClause, ask: ListQuery) -> Select[Any]:
    """How many there are below each key: (number, key)."""
    counted: Select[Any] = select(func.count(), rows.c.k)
    return counted.where(*_roles(rows, ask)).group_by(rows.c.k)


def _roles(rows: FromClause, ask: ListQuery) -> list[ColumnElement[bool]]:
    return [has_bit(rows.c.mask, name) for _, *pairs in ask.filter[1:] for _, name in pairs]


def virtual_column(name: str) -> ColumnElement[Any]:
    """A column of whole numbers of the rows, for the cells of their type."""
    made: ColumnElement[Any] = literal_column(f"{VIRTUAL}.{name}", Integer)
    return made
