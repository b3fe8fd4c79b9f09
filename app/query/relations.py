"""Declarations of the read graph: field specs, relations, lookups, and the SQL expressions they consist of.

A `FieldSpec` declares which value a field takes from its row. A `Relation` declares an edge of the read graph: the
rows of a key, the condition under which a viewer sees them, and their order. Both are frozen and contain no viewer.
The text of a statement depends on the relation, the field specs, the viewer's permissions and the `QueryShape`. The
id of the viewer and the current time are bound values.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal

import orjson
from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    CompoundSelect,
    Dialect,
    FromClause,
    Integer,
    Text,
    bindparam,
    case,
    false,
    literal_column,
    null,
    true,
)
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import NullType, TypeDecorator, TypeEngine
from sqlmodel import SQLModel

from app.db import tables
from app.db.statements import SETTLED_EVENT
from app.db.tables import col, from_of
from app.domain.viewer import Viewer

if TYPE_CHECKING:
    from app.query.filters import FilterSpec
    from app.query.virtual_rows import VirtualRows

VIEWER_ID = bindparam("viewer_id", type_=tables.RowId())
"""The id of the viewer, bound so that all viewers with the same permissions share one statement."""

NOW = bindparam("now", type_=tables.UTCDateTime())
"""The time of the request; memberships and grants expire by it."""

SETTLED = bindparam(SETTLED_EVENT, 2**63 - 1, type_=BigInteger())
"""Id of the last settled audit event; PostgreSQL's reads of the audit feed bind it (`db.postgresql`)."""

ROOT_KEY = 0
"""The key of a list that has no parent row."""

PRESENT = literal_column("1", Integer)
"""The value that a guarded part selects where the guard holds; otherwise the column is null."""

Table = type[SQLModel]
Substitutions = Mapping[Any, ColumnElement[Any]]
"""Columns that a statement already has, by the function that would otherwise compute the same expression."""
Condition = Callable[[Viewer], ColumnElement[bool]]
Within = Callable[[Viewer, ColumnElement[bool]], ColumnElement[bool]]
Comparisons = Sequence[tuple[str, str]]
"""Pairs of an operator and the name of the bind parameter of its value."""
Via = Callable[[ColumnElement[Any]], ColumnElement[Any]]
Expression = ColumnElement[Any] | Callable[[Viewer], ColumnElement[Any]]


def resolve(sql: Any, viewer: Viewer, substitutions: Substitutions = MappingProxyType({})) -> ColumnElement[Any]:
    """Return a column unchanged; call a function with the viewer, unless a substitution exists for it."""
    if isinstance(sql, ColumnElement) or not callable(sql):
        return col(sql)
    if sql in substitutions:
        return substitutions[sql]
    expression: ColumnElement[Any] = sql(viewer)
    return expression


@dataclass(frozen=True, slots=True)
class OrderSpec:
    """An order by an expression that depends on the viewer. It is never NULL, so that a cursor can continue it.

    A missing or hidden value is a text before all others, or a time before or after all others.
    """

    sql: Callable[[Viewer], ColumnElement[Any]]


ANONYMOUS = Viewer(None)


def order_column(relation: "Relation", name: str, viewer: Viewer) -> ColumnElement[Any]:
    """Return the column or expression of an order."""
    order = relation.orders[name]
    return order.sql(viewer) if isinstance(order, OrderSpec) else col(order)


@dataclass(frozen=True, slots=True, eq=False)
class Reference:
    """A reference to the rows of a small table: each row of a relation has the id of one in `column`."""

    table: Table
    column: Any


@dataclass(frozen=True, slots=True, eq=False)
class PartialVisibility:
    """The rows of a small table that a viewer sees who does not see all: the public ones, and those with some ids."""

    visible_ids: Callable[[Viewer], CompoundSelect[Any]]


@dataclass(frozen=True, slots=True, eq=False)
class Relation:
    """An edge of the read graph.

    - `kind`: `one` is the row with this key, `many` all rows of a key without pagination, `page` a connection.
    - `by`: the column that the key equals; None for a connection without a parent row.
    - `sees`: the condition under which the viewer sees a row.
    - `order`, `newest_first`: the default order as names of `orders`, and whether it is descending.
    - `join_table`, `join_on`: a table between the key and the rows, and the condition that joins it.
    - `orders`: the columns that a client can sort by, each of them NOT NULL, or an `OrderSpec`.
    - `index_scan`: the index through which pages and counts are read.
    - `custom_from`: returns the FROM clause that replaces the table and its join.
    - `virtual_rows`: the computed rows of a page without a table.
    - `is_short`: a key has so few rows that a page may read all of them, as of the groups of a user.
    - `seen`: what `sees` means for viewers who do not see all rows, unless their token is limited.
    - `refers`: how all rows of a key refer to rows of a small table, whose order by name and id is theirs.
    - `scope`: returns the scope, in the log of changes, of every change of the rows of a key.
    """

    kind: Literal["one", "many", "page"]
    table: Table
    by: Any
    sees: Condition
    order: tuple[str, ...] = ()
    join_table: Table | None = None
    join_on: ColumnElement[bool] | None = None
    orders: Mapping[str, Any] = field(default_factory=dict)
    filters: "Mapping[str, FilterSpec]" = field(default_factory=dict)
    index_scan: "IndexScan | None" = None
    custom_from: Callable[[Viewer], FromClause] | None = None
    virtual_rows: "VirtualRows | None" = None
    newest_first: bool = False
    is_short: bool = False
    seen: PartialVisibility | None = None
    refers: Reference | None = None
    scope: Callable[[int], int] | None = None

    @property
    def anchor(self) -> Table:
        """Return the table that holds the key."""
        return self.join_table or self.table

    def rows(self, viewer: Viewer) -> FromClause:
        """Return the FROM clause: the table, joined to the join table if there is one."""
        if self.custom_from is not None:
            return self.custom_from(viewer)
        if self.join_table is None:
            return from_of(self.table)
        assert self.join_on is not None
        return from_of(self.join_table).join(from_of(self.table), self.join_on)

    @property
    def types(self) -> dict[str, type]:
        """Return the Python type of each value in a cursor by its name."""
        return {name: _python_type(order_column(self, name, ANONYMOUS)) for name in self.orders} | {"id": int}

    @property
    def default_order(self) -> tuple[tuple[str, bool], ...]:
        """Return the pairs (name, descending) that apply when the client gives no order."""
        return tuple((name, self.newest_first) for name in self.order)


@cache
def without_referred_rows(relation: Relation) -> Relation:
    """Return a relation of the same rows in any order, which does not read the rows that they refer to."""
    refers = relation.refers
    assert refers is not None
    return Relation(
        "many", relation.anchor, relation.by, lambda viewer: relation.sees(viewer) & col(refers.column).is_not(None)
    )


@dataclass(frozen=True, slots=True, eq=False)
class IndexScan:
    """A read of a page through the access index instead of the table: one scan per subject, merged.

    - `subjects`: returns the subquery (user, subject, cap) of the viewer, or of each bound key if `by_user` is set.
    - `entries`, `key`: the index table and its attribute that refers to the row.
    - `matches`, `roles`: return whether an entry applies to a subject, and the roles that it then gives.
    - `payload`: columns computed from each entry and aggregated with `bit_or` over all entries of a row.
    - `substitutions`: maps a policy function to a payload column and a conversion, whose result replaces its call.
    - `is_unneeded`: returns True for viewers whose lists are read from the table.
    - `is_visible`: restricts a scan by user to the rows that the viewer may see, by the key of an entry.

    A scan by user has no payload, since the policy functions are about the viewer.
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
    """A lookup of one row by an id or a natural key: `choose` maps arguments to (name of a relation, key) or None."""

    relations: Mapping[str, Relation]
    choose: Callable[[Mapping[str, Any]], tuple[str, Any] | None]


@dataclass(frozen=True, slots=True, eq=False)
class FieldSpec:
    """The declaration of one field of a type.

    - `of`: the column or expression; by default the column with the name of the field.
    - `guard`: the condition under which the viewer sees the value; otherwise it is null.
    - `read`: converts the stored value.
    - `follow`: the relation that the value is a key of.
    - `part`: the field is an object of the same row. It selects a column, `PRESENT`, only if it has a guard.
    - `joined`: the table of a part, which every relation to such rows joins, or which `via` reads.
    - `via`: for a part from another row that this one refers to, the subquery for a column of that row.
    - `reference`: the column with the id of that row.
    - `identity`: the field is the global id.
    - `lookup`: the field finds a row by its arguments.
    - `viewer_value`: computes the value from the viewer, without a row.
    - `app_value`: computes the value from the app context, without a row; it is the same for every viewer.
    - `edge`: the `ListEdge` of a field that is an edge of a list, to the row that `follow` finds.
    - `service_field`: computes the value from (database, viewer, arguments), without a row.
    """

    sql: Expression | None = None
    guard: Condition | None = None
    read: Callable[[Any], Any] | None = None
    follow: Relation | None = None
    part: bool = False
    joined: Table | None = None
    via: "Via | None" = None
    reference: Any = None
    identity: bool = False
    lookup: Lookup | None = None
    viewer_value: Callable[[Viewer], Any] | None = None
    app_value: Callable[[Any], Any] | None = None
    service_field: Callable[[Any, Viewer, Mapping[str, Any]], Any] | None = None
    edge: Any = None

    def expression(
        self, name: str, table: Table, viewer: Viewer, substitutions: Substitutions = MappingProxyType({})
    ) -> ColumnElement[Any]:
        """Return the column of the select list, null where the viewer may not see the value."""
        value = resolve(self.sql if self.sql is not None else getattr(table, name), viewer, substitutions)
        return value if self.guard is None else guarded(self.guard, value, viewer, substitutions)


def guarded(
    guard: Condition, value: ColumnElement[Any], viewer: Viewer, substitutions: Substitutions = MappingProxyType({})
) -> ColumnElement[Any]:
    """Return an expression that is the value where the guard holds, and null elsewhere."""
    allowed = resolve(guard, viewer, substitutions)
    if isinstance(allowed, type(true())):
        return value
    return null() if isinstance(allowed, type(false())) else case((allowed, value), else_=None)


def is_null(stored: Any) -> bool:
    """Return whether a SQL type is that of null in place of a value, which viewers with these permissions never see."""
    return isinstance(stored, NullType)


@dataclass(frozen=True, slots=True, eq=False)
class Layout:
    """The select list of one type: (name, field spec, table) of each column, those of a join table last."""

    fields: tuple[tuple[str, FieldSpec, Table], ...]

    def columns(self, viewer: Viewer, substitutions: Substitutions = MappingProxyType({})) -> list[ColumnElement[Any]]:
        """Return the select list for a viewer, with the labels c0, c1, …"""
        return [
            spec.expression(name, table, viewer, substitutions).label(f"c{at}")
            for at, (name, spec, table) in enumerate(self.fields)
        ]

    def select_used(self, functions: Iterable[Any]) -> set[Any]:
        """Return those of the functions that compute a column or guard one."""
        guards = {spec.guard for _, spec, _ in self.fields}
        used = guards | {spec.sql for _, spec, _ in self.fields if callable(spec.sql)}
        return {function for function in functions if function in used}


@cache
def reference(column: Any) -> FieldSpec:
    """Return the field spec of a column with the id of another row."""
    return FieldSpec(sql=column)


def layout(table: Table, *names: str, **specs: FieldSpec) -> Layout:
    """Return a select list without a GraphQL type: columns of the table by name, then the given field specs."""
    plain = {name: FieldSpec() for name in names}
    return Layout(tuple((name, spec, table) for name, spec in (plain | specs).items()))


def flag(condition: Condition) -> FieldSpec:
    """Return a field spec whose value is 1 where the condition holds, and 0 elsewhere."""
    return FieldSpec(sql=lambda viewer: flag_sql(condition(viewer)))


def flag_sql(condition: ColumnElement[bool]) -> ColumnElement[int]:
    """Return the expression that is 1 where the condition holds, and 0 elsewhere."""
    return case((condition, literal_column("1", Integer)), else_=literal_column("0", Integer))


class Keys(TypeDecorator[Any]):
    """A list of keys as one bound value: an array on PostgreSQL, JSON on SQLite."""

    impl = Text
    cache_ok = True

    def __init__(self, item: TypeEngine[Any]) -> None:
        super().__init__()
        self.item = item

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Return ARRAY for PostgreSQL and Text for SQLite."""
        return ARRAY(self.item) if dialect.name == "postgresql" else Text()

    def bind_processor(self, dialect: Dialect) -> Callable[[Any], Any]:
        """Return the function that converts each key by its item type, and the list to the form of the dialect."""
        write = self.item.dialect_impl(dialect).bind_processor(dialect)
        is_array = dialect.name == "postgresql"

        def bind(value: Any) -> Any:
            keys = list(value) if write is None else [write(key) for key in value]
            return keys if is_array else orjson.dumps(keys).decode()

        return bind


class _Elements(FunctionElement[Any]):
    """The elements of an array as rows."""

    inherit_cache = True


@compiles(_Elements, "sqlite")
def _elements_on_sqlite(element: Any, compiler: Any, **options: Any) -> str:
    return f"(SELECT value FROM json_each({compiler.process(element.clauses, **options)}))"  # noqa: S608 - of SQLAlchemy's own


@compiles(_Elements, "postgresql")
def _elements_on_postgresql(element: Any, compiler: Any, **options: Any) -> str:
    return f"(SELECT unnest({compiler.process(element.clauses, **options)}))"


def among(column: ColumnElement[Any], values: Any) -> ColumnElement[bool]:
    """Return `column IN values`, where the values are one bind parameter of type `Keys`.

    It is an operator because SQLAlchemy renders a Boolean function as `f(x) = 1` on SQLite, which uses no index.
    """
    condition: ColumnElement[bool] = column.op("IN", is_comparison=True)(_Elements(values))
    return condition


def integers(values: Iterable[int]) -> Any:
    """Return a bound list of integers for `among`."""
    return bindparam(None, list(values), type_=Keys(BigInteger()), unique=True)


def texts(values: Iterable[str]) -> Any:
    """Return a bound list of text keys for `among`."""
    return bindparam(None, list(values), type_=Keys(tables.KeyText()), unique=True)


def has_bit(mask: ColumnElement[Any], name: str) -> ColumnElement[bool]:
    """Return the condition that a mask contains the bit bound as `name`."""
    return mask.op("&")(bindparam(name, type_=tables.RowId())) != 0


def _python_type(column: ColumnElement[Any]) -> type:
    if isinstance(column.type, tables.UTCDateTime):
        return datetime
    return int if isinstance(column.type, Integer) else str
