"""How a read is described: cells, sources, lookups, and the conditions and expressions that they are made of.

A *cell* is what one field takes from its row. A *source* is an edge of the read graph: which rows hang on a key,
through which condition, in which order. Both are frozen values without a viewer in them; a statement depends on the
source, the cells, the viewer's permissions and the shape of the question, never on who asks: she is a bound value, as
is the clock.
"""

import operator as operators
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Any, Literal

import orjson
from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    Dialect,
    FromClause,
    Integer,
    Text,
    and_,
    bindparam,
    case,
    false,
    func,
    literal_column,
    null,
    true,
)
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import TypeDecorator, TypeEngine
from sqlmodel import SQLModel

from app.db import tables
from app.db.statements import SETTLED_EVENT
from app.db.tables import col
from app.domain.viewer import Viewer

VIEWER_ID = bindparam("viewer_id", type_=tables.RowId())
"""The viewer. Bound, so that a statement is the same for everybody with the same permissions."""

NOW = bindparam("now", type_=tables.UTCDateTime())
"""The moment of the question: what ends, ends by this clock."""

SETTLED = bindparam(SETTLED_EVENT, 2**63 - 1, type_=BigInteger())
"""Number of the last settled event; PostgreSQL's reads of the audit feed bind it (`db.postgresql`)."""

ROOT_KEY = 0
"""The key of a listing that hangs on nothing."""

PRESENT = literal_column("1", Integer)
"""What the cell of a part with a guard has, unless it is null."""

Table = type[SQLModel]
Substitutions = Mapping[Any, ColumnElement[Any]]
"""What a statement has already of what cells and conditions would work out, by the functions that would."""
Condition = Callable[[Viewer], ColumnElement[bool]]
Within = Callable[[Viewer, ColumnElement[bool]], ColumnElement[bool]]
Comparisons = Sequence[tuple[str, str]]
"""Operators, each with the name by which its value is bound."""
Expression = ColumnElement[Any] | Callable[[Viewer], ColumnElement[Any]]


def _expression(given: Any, viewer: Viewer, substitutions: Substitutions = MappingProxyType({})) -> ColumnElement[Any]:
    """A column as it is, or what a function makes of the viewer's permissions."""
    if isinstance(given, ColumnElement) or not callable(given):
        return col(given)
    if given in substitutions:
        return substitutions[given]
    made: ColumnElement[Any] = given(viewer)
    return made


@dataclass(frozen=True, slots=True)
class FilterSpec:
    """What a list can be narrowed by. `fold` compares keys of names; `within` says where the comparison belongs.

    `sorts` is for a column of sort keys: equal names are found by the whole key, parts of names without accents.

    `bits`: the value is a bit that a mask must have. Asked for beside all else, and not within `or` or `not`, it is the
    mask of an entry where a walk is gone; on a walk by user it is asked for nowhere else.

    `begins` is for a value that few rows have: a condition that is true of no other rows than those which
    compare `eq` with it, and by which a database finds them.
    """

    of: Any
    fold: bool = False
    sorts: bool = False
    bits: bool = False
    within: Within | None = None
    access_path: Within | None = None

    def condition(self, viewer: Viewer, comparisons: Comparisons, dialect: Dialect) -> ColumnElement[bool]:
        """Compare, by each operator, with the value that will be bound by the name beside it; all must hold of one."""
        compared = self._compared(viewer, comparisons, dialect)
        return self.within(viewer, compared) if self.within else compared

    def seek_predicate(self, viewer: Viewer, comparisons: Comparisons, dialect: Dialect) -> ColumnElement[bool] | None:
        """Where to begin, if there is a value for that; the condition has to be asked besides."""
        named = [(operator, name) for operator, name in comparisons if operator == "eq"]
        return self.access_path(viewer, self._compared(viewer, named, dialect)) if self.access_path and named else None

    def _compared(self, viewer: Viewer, comparisons: Comparisons, dialect: Dialect) -> ColumnElement[bool]:
        column = _expression(self.of, viewer)
        each = [
            has_bit(column, name)
            if self.bits
            else _compare(column, self._type(column, operator), operator, name, dialect)
            for operator, name in comparisons
        ]
        return and_(true(), *each)

    def _type(self, column: ColumnElement[Any], operator: str) -> TypeEngine[Any]:
        """Return the type by which a value is written as the column has it."""
        if self.sorts:
            return tables.SearchText() if operator in {"starts_with", "contains"} else tables.SortKeyText()
        return tables.CaseFolded() if self.fold else column.type


@dataclass(frozen=True, slots=True, eq=False)
class Relation:
    """An edge of the read graph.

    `one`: the row with this key; `many`: all rows of a key, few by nature; `page`: a connection, below a key or (`by`
    None) of all. `via` is the table between, joined by `on`. `orders` are what it can be ordered by, NOT NULL each.
    `through` replaces the rows by a join of its own; `derived` gives the rows of a page where no table has them: (k,
    o0, key, mask, …) of the bound `keys`. `newest_first`: its own order runs downward.
    """

    kind: Literal["one", "many", "page"]
    table: Table
    by: Any
    sees: Condition
    order: tuple[str, ...] = ()
    join_table: Table | None = None
    join_on: ColumnElement[bool] | None = None
    orders: Mapping[str, Any] = field(default_factory=dict)
    filters: Mapping[str, FilterSpec] = field(default_factory=dict)
    index_scan: "IndexScan | None" = None
    custom_from: Callable[[Viewer], FromClause] | None = None
    virtual_rows: Callable[[Viewer], FromClause] | None = None
    newest_first: bool = False

    @property
    def anchor(self) -> Table:
        """The table that holds the key."""
        return self.join_table or self.table

    def rows(self, viewer: Viewer) -> FromClause:
        """The table, with the one between."""
        if self.custom_from is not None:
            return self.custom_from(viewer)
        if self.join_table is None:
            return from_of(self.table)
        assert self.join_on is not None
        return from_of(self.join_table).join(from_of(self.table), self.join_on)

    @property
    def types(self) -> dict[str, type]:
        """The Python types of the values in a cursor."""
        return {name: _python_type(col(column)) for name, column in self.orders.items()} | {"id": int}

    @property
    def default_order(self) -> tuple[tuple[str, bool], ...]:
        """The order when none is asked."""
        return tuple((name, self.newest_first) for name in self.order)


@dataclass(frozen=True, slots=True, eq=False)
class IndexScan:
    """How a page is found along an index of entries substitutions of its own table: the merge of one walk for each subject.

    `acting` gives (user, subject, cap) for the viewer, or for each key of the question (`by_user`). `entries` is the
    index: rows of a subject, the key of the row, what is `held` while it `holds`, and what it is sorted by.

    A walk meets every entry of the rows that it finds, so that it can carry what they come to: `carried` are columns,
    made of an entry and `united` over all of a row; `substitutions` says for which functions they stand. Not for walks by
    user, which are about somebody else. `unless`: for whom the index is not needed. `lists` narrows a walk by user to
    what the viewer may see of it, by the key of an entry.
    """

    subjects: Callable[[Viewer], FromClause]
    entries: Table
    key: str
    matches: Callable[[FromClause, Any], ColumnElement[bool]]
    roles: Callable[[FromClause, Any], ColumnElement[Any]]
    by_user: bool = False
    payload: Mapping[str, Callable[[FromClause, Any], ColumnElement[Any]]] = field(default_factory=dict)
    bit_or: Callable[[ColumnElement[Any]], ColumnElement[Any]] | None = None
    is_unneeded: Callable[[Viewer], bool] | None = None
    substitutions: Mapping[Any, tuple[str, Callable[[ColumnElement[Any]], ColumnElement[Any]]]] = field(
        default_factory=dict
    )
    is_visible: Callable[[Viewer, Any], ColumnElement[bool]] | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Lookup:
    """A lookup: the ways to find one row, and which one the arguments mean."""

    relations: Mapping[str, Relation]
    choose: Callable[[Mapping[str, Any]], tuple[str, Any] | None]


@dataclass(frozen=True, slots=True, eq=False)
class FieldSpec:
    """What a field is of its row: a value kept or read, a key followed, a part, an identity, a way to find.

    A part has a cell of its own only where it has a guard: `PRESENT`, or null as the whole part is. One of a `joined`
    table is made of what every source of such rows reads beside them.

    Without a row: what is `given` by the viewer, and what a service `asks`, called with (database, viewer, arguments).
    """

    of: Expression | None = None
    guard: Condition | None = None
    read: Callable[[Any], Any] | None = None
    follow: Relation | None = None
    part: bool = False
    joined: Table | None = None
    identity: bool = False
    lookup: Lookup | None = None
    viewer_value: Callable[[Viewer], Any] | None = None
    service_field: Callable[[Any, Viewer, Mapping[str, Any]], Any] | None = None

    def expression(
        self, name: str, table: Table, viewer: Viewer, substitutions: Substitutions = MappingProxyType({})
    ) -> ColumnElement[Any]:
        """The cell in a select list; null where the viewer may not see it."""
        value = _expression(self.of if self.of is not None else getattr(table, name), viewer, substitutions)
        return value if self.guard is None else guarded(self.guard, value, viewer, substitutions)


def guarded(
    guard: Condition, value: ColumnElement[Any], viewer: Viewer, substitutions: Substitutions = MappingProxyType({})
) -> ColumnElement[Any]:
    """A value, or null where the condition does not hold."""
    allowed = _expression(guard, viewer, substitutions)
    if isinstance(allowed, type(true())):
        return value
    return null() if isinstance(allowed, type(false())) else case((allowed, value), else_=None)


@dataclass(frozen=True, slots=True, eq=False)
class Layout:
    """The select list of one type: the cells of a row, and those of the row between for facts of a relation."""

    fields: tuple[tuple[str, FieldSpec, Table], ...]

    def columns(self, viewer: Viewer, substitutions: Substitutions = MappingProxyType({})) -> list[ColumnElement[Any]]:
        """The select list for a viewer, labelled c0, c1, …"""
        return [
            cell.expression(name, table, viewer, substitutions).label(f"c{at}")
            for at, (name, cell, table) in enumerate(self.fields)
        ]

    def used(self, functions: Iterable[Any]) -> set[Any]:
        """Which of these functions its cells would have worked out."""
        asked = {cell.of for _, cell, _ in self.fields if callable(cell.of)} | {
            cell.guard for _, cell, _ in self.fields
        }
        return {function for function in functions if function in asked}


def layout(table: Table, *names: str, **cells: FieldSpec) -> Layout:
    """The select list of a shape without a type: a row's columns by name, then cells of its own."""
    plain = {name: FieldSpec() for name in names}
    return Layout(tuple((name, cell, table) for name, cell in (plain | cells).items()))


def flag(condition: Condition) -> FieldSpec:
    """Whether a condition holds of the row: 1 or 0."""
    yes, no = literal_column("1", Integer), literal_column("0", Integer)
    return FieldSpec(of=lambda viewer: case((condition(viewer), yes), else_=no))


class Keys(TypeDecorator[Any]):
    """Any number of keys as one bound value: an array, or JSON on SQLite."""

    impl = Text
    cache_ok = True

    def __init__(self, item: TypeEngine[Any]) -> None:
        super().__init__()
        self.item = item

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Choose the form."""
        return ARRAY(self.item) if dialect.name == "postgresql" else Text()

    def bind_processor(self, dialect: Dialect) -> Callable[[Any], Any]:
        """Write the keys, each as its own type is written."""
        write = self.item.dialect_impl(dialect).bind_processor(dialect)
        is_array = dialect.name == "postgresql"

        def written(value: Any) -> Any:
            keys = list(value) if write is None else [write(key) for key in value]
            return keys if is_array else orjson.dumps(keys).decode()

        return written


class _Each(FunctionElement[Any]):
    """The values in an array as rows."""

    inherit_cache = True


@compiles(_Each, "sqlite")
def _each_on_sqlite(element: Any, compiler: Any, **options: Any) -> str:
    return f"(SELECT value FROM json_each({compiler.process(element.clauses, **options)}))"  # noqa: S608 - of SQLAlchemy's own


@compiles(_Each, "postgresql")
def _each_on_postgresql(element: Any, compiler: Any, **options: Any) -> str:
    return f"(SELECT unnest({compiler.process(element.clauses, **options)}))"


def among(column: ColumnElement[Any], values: Any) -> ColumnElement[bool]:
    """The column is one of many values that travel as one bound value of type `Keys`.

    Written as an operator: a function that is compared becomes `f(x) = 1` on SQLite, and no index is used.
    """
    made: ColumnElement[bool] = column.op("IN", is_comparison=True)(_Each(values))
    return made


def integers(values: Iterable[int]) -> Any:
    """A bound list of integers, for `among`."""
    return bindparam(None, list(values), type_=Keys(BigInteger()), unique=True)


def texts(values: Iterable[str]) -> Any:
    """A bound list of keys, for `among`."""
    return bindparam(None, list(values), type_=Keys(tables.KeyText()), unique=True)


def has_bit(mask: ColumnElement[Any], name: str) -> ColumnElement[bool]:
    """A mask has the bit that will be bound by this name."""
    made: ColumnElement[bool] = mask.op("&")(bindparam(name, type_=tables.RowId())) != 0
    return made


def _compare(
    column: ColumnElement[Any], kind: TypeEngine[Any], operator: str, name: str, dialect: Dialect
) -> ColumnElement[bool]:
    value = bindparam(name, type_=kind)
    made: ColumnElement[bool]
    match operator:
        case "in":
            made = among(column, bindparam(name, type_=Keys(kind)))
        case "starts_with":
            made = func.substr(column, 1, func.length(value)) == value
        case "contains":
            find = func.strpos if dialect.name == "postgresql" else func.instr
            made = find(column, value) > 0
        case _:
            made = COMPARISONS[operator](column, value)
    return made


COMPARISONS: Mapping[str, Callable[[Any, Any], Any]] = {
    "eq": operators.eq,
    "gt": operators.gt,
    "gte": operators.ge,
    "lt": operators.lt,
    "lte": operators.le,
}


def _python_type(column: ColumnElement[Any]) -> type:
    if isinstance(column.type, tables.UTCDateTime):
        return datetime
    return int if isinstance(column.type, Integer) else str


def from_of(table: Table) -> FromClause:
    clause: FromClause = table.__table__  # type: ignore[attr-defined]  # every mapped class has one
    return clause
