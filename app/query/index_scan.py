"""Pages and counts of resources, read by one scan of the access index for each subject and merged.

A row among the first n of the merge is among the first n of each subject that has an entry for it. So each scan reads
at most n entries, independent of the number of resources and of the depth of the page.

For viewers with many subjects that is still far more than a page. The first few entries of every subject are then read
before: the n-th of them in order bounds the page, and each scan stops there (`_bound`).
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Dialect,
    FromClause,
    Integer,
    Select,
    Subquery,
    case,
    distinct,
    func,
    lateral,
    literal,
    literal_column,
    select,
    true,
)

from app.db.tables import KeyText, aliased, col, from_of
from app.domain.viewer import Viewer
from app.query.cached_rows import reads_table
from app.query.pagination import ListQuery, QueryShape
from app.query.predicates import LIMIT, OrderTerms, after_cursor, directed, filter_condition
from app.query.relations import ROOT_KEY, IndexScan, Layout, Relation, has_bit

MANY_SUBJECTS = 16
"""From this number of subjects on a page has a bound. For fewer, a bound costs more than it saves."""

LEADING = (1, 2), (3, 6)
"""Entries of each subject that are read for the bound: 1, and 2 times the subject's equal share of the page.

If these are too few rows, since many subjects have the same ones, then three times as many.
"""

_GREATEST_TEXT = {"sqlite": "x'ff'", "postgresql": "repeat(chr(1114111), 5000)"}
"""SQL values after all texts. SQLite sorts binary values last; no sort key has 5,000 of the last character."""


@dataclass(frozen=True, slots=True)
class _Stop:
    """The end of the scan of one subject: a number of entries, and the bound of the page if it has one."""

    limit: Any
    bound: Any = None


def page(
    relation: Relation, layout: Layout, viewer: Viewer, query: ListQuery, dialect: Dialect, *, has_cursors: bool
) -> Select[Any]:
    """Return the statement of a page, or of one per bound user: the selected columns, the order values, the key.

    The order values are left out without `has_cursors`.
    """
    merged, columns = _merge(relation, layout, viewer, query, dialect)
    key: ColumnElement[Any] = merged.c.user if _scan_of(relation).by_user else literal(ROOT_KEY)
    values = [place.label(f"o{at}") for at, place in enumerate(_places(query, merged)) if has_cursors]
    rows = merged.join(from_of(relation.table), col(relation.table.id) == merged.c.key)  # type: ignore[attr-defined]  # a node
    return select(*columns, *values, key.label("k")).select_from(rows).order_by(*_order(relation, query, merged))


def page_of_keys(
    relation: Relation,
    layout: Layout,
    viewer: Viewer,
    query: ListQuery,
    dialect: Dialect,
    stored: Collection[int],
    *,
    has_cursors: bool,
) -> Select[Any] | None:
    """Return the statement of a page without the columns `stored` of the table: the others, the order values, the key.

    Return None if one of the other columns needs the table.
    """
    merged, columns = _merge(relation, layout, viewer, query, dialect)
    others = [column for at, column in enumerate(columns) if at not in stored]
    if any(reads_table(column, relation.table) for column in others):
        return None
    values = [place.label(f"o{at}") for at, place in enumerate(_places(query, merged)) if has_cursors]
    keys = select(*others, *values, merged.c.key.label("k")).select_from(merged)
    return keys.order_by(*_order(relation, query, merged))


def _merge(
    relation: Relation, layout: Layout, viewer: Viewer, query: ListQuery, dialect: Dialect
) -> tuple[Subquery, list[ColumnElement[Any]]]:
    """Return the merged scans of a page, and its columns: of the table, or computed from the entries."""
    index = _scan_of(relation)
    functions = set() if _role_terms(relation, query) else layout.select_used(index.substitutions)
    substitutions = {function: index.substitutions[function] for function in functions}
    payload = sorted({name for name, _ in substitutions.values()})
    merged = merge_scans(relation, viewer, query, dialect, payload)
    converted = {each: convert(merged.c[name]) for each, (name, convert) in substitutions.items()}
    return merged, layout.columns(viewer, converted)


def _places(query: ListQuery, merged: Subquery) -> list[ColumnElement[Any]]:
    """Return the order values and the key."""
    return [*(merged.c[f"o{at}"] for at in range(len(query.order))), merged.c.key]


def _order(relation: Relation, query: ListQuery, merged: Subquery) -> list[ColumnElement[Any]]:
    user = [merged.c.user] if _scan_of(relation).by_user else []
    downs = (down != query.backward for down in _downs(query))
    return [*user, *(directed(place, down) for place, down in zip(_places(query, merged), downs, strict=True))]


def count(relation: Relation, viewer: Viewer, query: ListQuery, dialect: Dialect) -> Select[Any]:
    """Return the statement that counts all rows, or those of each bound user: (number, key)."""
    index = _scan_of(relation)
    subjects, entry = index.subjects(viewer), aliased(index.entries, name="entry")
    key = subjects.c.user if index.by_user else literal(ROOT_KEY)
    chosen = select(func.count(distinct(getattr(entry, index.key))), key.label("k")).select_from(subjects)
    conditions = _conditions(relation, viewer, query, dialect, subjects, entry)
    counted = chosen.join(from_of(entry), true()).where(*conditions)
    return counted.group_by(subjects.c.user) if index.by_user else counted


def _scan_of(relation: Relation) -> IndexScan:
    assert relation.index_scan is not None
    return relation.index_scan


def _downs(query: ListQuery) -> list[bool]:
    downs = [down for _, down in query.order]
    return [*downs, downs[-1] if downs else False]


def _terms(relation: Relation, query: ListQuery, entry: Any) -> OrderTerms:
    """Return the order of the entries: the columns named as in the table, and the key last."""
    columns = [_order_column(relation, name, entry) for name, _ in query.order]
    downs = [down != query.backward for down in _downs(query)]
    return list(zip([*columns, getattr(entry, _scan_of(relation).key)], downs, strict=True))


def _order_column(relation: Relation, name: str, entry: Any) -> Any:
    """Return the column of an order: that of the entry, or that of the table if the index lacks it."""
    column = col(relation.orders[name])
    return getattr(entry, str(column.key), column)


def _reads_table(relation: Relation, query: ListQuery) -> bool:
    """Return whether the index lacks an order. Such a scan reads every row of a subject, and sorts them."""
    index = _scan_of(relation)
    return any(not hasattr(index.entries, str(col(relation.orders[name]).key)) for name, _ in query.order)


def _is_row_of(relation: Relation, entry: Any) -> ColumnElement[bool]:
    """Return the condition that an entry is about the row of the table."""
    is_row: ColumnElement[bool] = getattr(entry, _scan_of(relation).key) == col(relation.table.id)  # type: ignore[attr-defined]  # a node
    return is_row


def _conditions(
    relation: Relation, viewer: Viewer, query: ListQuery, dialect: Dialect, subjects: FromClause, entry: Any
) -> list[ColumnElement[bool]]:
    index, role_terms = _scan_of(relation), _role_terms(relation, query)
    roles = index.roles(subjects, entry)
    conditions = [index.matches(subjects, entry), roles != 0]
    if index.is_visible is not None:
        conditions.append(index.is_visible(viewer, getattr(entry, index.key)))
    conditions += [has_bit(roles, name) for _, *pairs in role_terms for _, name in pairs]
    rest = [term for term in query.filter[1:] if term not in role_terms]
    if rest:
        conditions.append(_is_row_of(relation, entry))
        conditions += filter_condition(relation, viewer, ("and", *rest), dialect)
    return conditions


def _role_terms(relation: Relation, query: ListQuery) -> list[QueryShape]:
    """Return the top-level terms of a filter that compare roles; each entry answers them alone.

    Such a scan skips the other entries of a row, so it has no payload.
    """
    return [term for term in query.filter[1:] if term[0] in relation.filters and relation.filters[term[0]].bits]


def _select_entries(
    relation: Relation,
    viewer: Viewer,
    query: ListQuery,
    dialect: Dialect,
    subjects: FromClause,
    entry: Any,
    what: Any,
    stop: _Stop,
) -> Any:
    """Return the scan of one subject: its first entries after the cursor, up to where it stops."""
    terms = _terms(relation, query, entry)
    conditions = _conditions(relation, viewer, query, dialect, subjects, entry)
    if query.after:
        conditions.append(after_cursor(terms))
    if _reads_table(relation, query):
        conditions.append(_is_row_of(relation, entry))
    if stop.bound is not None:
        column, down = terms[0]
        conditions.append(column >= stop.bound if down else column <= stop.bound)
    order = (directed(column, down) for column, down in terms)
    return select(*what).where(*conditions).order_by(*order).limit(stop.limit).correlate(subjects)


def _bound(relation: Relation, viewer: Viewer, query: ListQuery, dialect: Dialect) -> Any:
    """Return the first order value after which no row of the page can be, as a subquery; None if it is not worth it.

    It is the n-th value among the first entries of all subjects. All of these are rows of the list, so at least n rows
    are at it or before it. With fewer rows, or few subjects, it is a value after all others.

    A filter by columns of the table has no bound: to find few rows, the scans would read all entries twice.
    """
    is_filtered = len(query.filter[1:]) > len(_role_terms(relation, query))
    if _scan_of(relation).by_user or not query.order or is_filtered or _reads_table(relation, query):
        return None
    down = _downs(query)[0] != query.backward
    last = _last_value(col(relation.orders[query.order[0][0]]), dialect, down)
    number = select(func.count()).select_from(_scan_of(relation).subjects(viewer)).scalar_subquery()
    bounds = []
    for entries, share in LEADING:
        stop = _Stop(LIMIT * share // number + entries)
        leading = _scan(relation, viewer, query, dialect, (), stop, names=("leading_entry", "seen")).subquery("leading")
        values = select(leading.c.o0, leading.c.key).distinct().subquery("first")
        nth = select(values.c.o0).order_by(directed(values.c.o0, down)).limit(literal_column("1")).offset(LIMIT - 1)
        bounds.append(nth.scalar_subquery())
    return select(case((number >= MANY_SUBJECTS, func.coalesce(*bounds, last)), else_=last)).scalar_subquery()


def _last_value(column: ColumnElement[Any], dialect: Dialect, down: bool) -> ColumnElement[Any]:
    """Return a value after all values of a column in a direction: of a sort key or a time, which `access` contains."""
    is_text = isinstance(column.type, KeyText) or dialect.name == "sqlite"  # SQLite stores times as texts
    text = ("''" if down else _GREATEST_TEXT[dialect.name]) if is_text else f"'{'-' * down}infinity'::timestamptz"
    return literal_column(text, column.type)


def _labelled_columns(
    relation: Relation, query: ListQuery, subjects: FromClause, entry: Any, payload: Sequence[str]
) -> list[Any]:
    columns, index = [column for column, _ in _terms(relation, query, entry)], _scan_of(relation)
    order = [column.label(f"o{at}") for at, column in enumerate(columns[:-1])]
    return [*order, columns[-1].label("key"), *(index.payload[name](subjects, entry).label(name) for name in payload)]


def scan(relation: Relation, viewer: Viewer, query: ListQuery, dialect: Dialect, payload: Sequence[str]) -> Select[Any]:
    """Return the first entries of every subject: (user, o0, …, key, payload). A row repeats once per subject."""
    bound = _bound(relation, viewer, query, dialect)
    return _scan(relation, viewer, query, dialect, payload, _Stop(LIMIT, bound), names=("entry", "found"))


def _scan(
    relation: Relation,
    viewer: Viewer,
    query: ListQuery,
    dialect: Dialect,
    payload: Sequence[str],
    stop: _Stop,
    *,
    names: tuple[str, str],
) -> Select[Any]:
    index = _scan_of(relation)
    outer_name, inner_name = names
    subjects, entry = index.subjects(viewer), aliased(index.entries, name=outer_name)
    if dialect.name == "postgresql":
        columns = _labelled_columns(relation, query, subjects, entry, payload)
        entries = _select_entries(relation, viewer, query, dialect, subjects, entry, columns, stop)
        one = lateral(entries, f"one_{outer_name}")
        return select(subjects.c.user, *one.c).select_from(subjects.join(one, true()))
    inner = aliased(index.entries, name=inner_name)
    rowid = literal_column(f"{inner_name}.rowid", Integer)
    rowids = _select_entries(relation, viewer, query, dialect, subjects, inner, [rowid], stop)
    rows = subjects.join(from_of(entry), literal_column(f"{outer_name}.rowid", Integer).in_(rowids))
    if _reads_table(relation, query):
        rows = rows.join(from_of(relation.table), _is_row_of(relation, entry))
    return select(subjects.c.user, *_labelled_columns(relation, query, subjects, entry, payload)).select_from(rows)


def merge_scans(
    relation: Relation, viewer: Viewer, query: ListQuery, dialect: Dialect, payload: Sequence[str]
) -> Subquery:
    """Return each row once, limited to the page; a scan by user limits the rows of each user by a row number.

    The payload is complete: a row among the first n of the merge is among the first n of each of its subjects.
    """
    index = _scan_of(relation)
    scanned = scan(relation, viewer, query, dialect, payload).subquery("walked")
    places = [scanned.c[f"o{at}"] for at in range(len(query.order))]
    downs = [down != query.backward for down in _downs(query)]
    order = [directed(place, down) for place, down in zip([*places, scanned.c.key], downs, strict=True)]
    if not index.by_user:
        return (
            select(*places, scanned.c.key, *(_combine(index, scanned.c[name]).label(name) for name in payload))
            .group_by(*places, scanned.c.key)
            .order_by(*order)
            .limit(LIMIT)
            .subquery("merged")
        )
    number = func.row_number().over(partition_by=scanned.c.user, order_by=order).label("n")
    once = (
        select(scanned.c.user, *places, scanned.c.key, number)
        .group_by(scanned.c.user, *places, scanned.c.key)
        .subquery("once")
    )
    return select(once).where(once.c.n <= LIMIT).subquery("merged")


def _combine(index: IndexScan, column: ColumnElement[Any]) -> ColumnElement[Any]:
    assert index.bit_or is not None
    return index.bit_or(column)
