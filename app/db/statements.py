"""Compiled statements for the drivers: text, positional arguments, and conversions of values and rows."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from operator import itemgetter
from typing import Any, TypeVar
from weakref import WeakSet

from sqlalchemy import (
    ARRAY,
    Delete,
    Dialect,
    Insert,
    Integer,
    Select,
    TextClause,
    Update,
    bindparam,
    cast,
    delete,
    func,
    insert,
    literal_column,
    update,
)
from sqlalchemy.sql.base import Executable
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.selectable import HasPrefixes
from sqlmodel import SQLModel

from app.caching import WeightedLRU

Row = tuple[Any, ...]
Values = Mapping[str, Any]
Convert = Callable[[Any], Any]
E = TypeVar("E", bound=Executable)

SETTLED_EVENT = "settled_event"
"""Name of the bind parameter that ends a read of the audit feed: the id of the last settled event.

An event is settled when no event with a smaller id can still be committed. A database that commits events in the
order of their ids keeps the default, which excludes nothing.
"""


CONDITION = "/* condition */"
"""Prefix of a SELECT that returns no row as long as a condition holds, and otherwise fails with `CONDITION_FAILED`.

It is the last statement of a read, and PostgreSQL executes it first.
"""

CONDITION_FAILED = "ostiary: the viewer has changed meanwhile and is read again, which is no fault"
"""The text that a condition casts to a number if it fails, and thus a part of the error in the log of PostgreSQL."""


@dataclass(frozen=True, slots=True)
class Mergeable:
    """The mark of a SELECT that answers the lists of several reads at once. It binds one list and `now`, nothing else.

    SQLAlchemy does not compare this mark: there must be no other statement of the same structure without it.

    `keys` is the name of the list. `split` returns the rows of each read, from the rows of all lists one after the
    other and the positions at which the lists begin.
    """

    keys: str
    split: Callable[[Sequence[Row], Sequence[int]], list[list[Row]]]

    def mark(self, statement: E) -> E:
        """Return the statement with this mark."""
        return statement.execution_options(mergeable=self)


@dataclass(frozen=True, slots=True, eq=False)
class CompiledStatement:
    """A statement for the driver: text, names of the values, and conversions by position.

    SQLite has a placeholder for each use of a value, such as the time of a check. `spread` repeats the values to these
    places, so that each is converted once; None if every value has one place.
    """

    text: str
    names: tuple[str, ...]
    constants: Values
    writers: tuple[tuple[int, Convert], ...]
    readers: tuple[tuple[int, Convert], ...]
    spread: Callable[[Sequence[Any]], Sequence[Any]] | None = None
    width: int | None = None
    """The number of columns of the rows, 0 for a write without rows; None if unknown, or if a column is an array."""

    is_condition: bool = False
    mergeable: Mergeable | None = None

    @property
    def reads_feed(self) -> bool:
        """Return whether the statement lists audit events: it must return none after one that is not yet committed."""
        return SETTLED_EVENT in self.constants

    def arguments(self, values: Values) -> Sequence[Any]:
        """Return the values in the order of the placeholders; raises KeyError if one is missing."""
        if not self.constants:
            arguments = [*map(values.__getitem__, self.names)]
        else:
            arguments = [values[name] if name in values else self.constants[name] for name in self.names]
        for at, write in self.writers:
            arguments[at] = write(arguments[at])
        return arguments if self.spread is None else self.spread(arguments)

    def rows(self, raw: Sequence[Any]) -> list[Row]:
        """Convert rows of the driver to tuples of Python values."""
        if not self.readers:
            return [*map(tuple, raw)]
        rows = []
        for row in raw:
            values = list(row)
            for at, read in self.readers:
                if values[at] is not None:
                    values[at] = read(values[at])
            rows.append(tuple(values))
        return rows


class StatementCache:
    """A cache of compiled statements for one database, called with a statement; it contains at most `size`.

    A statement that a module builds once is found by its identity, from its second call on. One that is built for each
    call has no second call, so it is not kept with its values, but for the first one of its structure. It is found by
    SQLAlchemy's cache key, which is many times cheaper than compiling. Those that were called last, also at most
    `size`, are in `last`: they are found without a change of the order of the cache.
    """

    def __init__(self, dialect: Dialect, size: int) -> None:
        self.dialect = dialect
        self._size, self.last = size, dict[Executable, CompiledStatement]()
        self._by_identity: WeightedLRU[Executable, CompiledStatement] = WeightedLRU(size)
        self._by_structure: WeightedLRU[Any, tuple[SQLCompiler, CompiledStatement]] = WeightedLRU(size)
        self._called_once = WeakSet[Executable]()

    def __call__(self, statement: Executable) -> CompiledStatement:
        """Return the compiled statement."""
        compiled = self.last.get(statement)
        return self._find(statement) if compiled is None else compiled

    def _find(self, statement: Executable) -> CompiledStatement:
        compiled = self._by_identity.get(statement)
        if compiled is None:
            compiled = self._compile_by_structure(statement)
            if statement not in self._called_once:
                self._called_once.add(statement)
                return compiled
            self._called_once.discard(statement)
            self._by_identity.put(statement, compiled)
        if len(self.last) >= self._size:
            self.last.clear()
        self.last[statement] = compiled
        return compiled

    def _compile_by_structure(self, statement: Executable) -> CompiledStatement:
        key = statement._generate_cache_key()  # type: ignore[attr-defined]  # noqa: SLF001 - SQLAlchemy's engine uses it too
        if key is None:
            return compile_statement(statement, self.dialect)
        cached = self._by_structure.get(key.key)
        if cached is None:
            compiler = _compiler(statement, self.dialect, key)
            self._by_structure.put(key.key, (compiler, compiled := _compiled_statement(compiler, self.dialect)))
            return compiled
        compiler, compiled = cached
        values = compiler.construct_params(extracted_parameters=key.bindparams, escape_names=False, _check=False)
        return replace(compiled, constants={name: values[name] for name in compiled.constants})


def compile_statement(statement: Executable, dialect: Dialect) -> CompiledStatement:
    """Compile a statement for a dialect."""
    return _compiled_statement(_compiler(statement, dialect), dialect)


def _compiler(statement: Executable, dialect: Dialect, key: Any = None) -> SQLCompiler:
    compiler = statement.compile(dialect=dialect, cache_key=key)  # type: ignore[attr-defined]  # all of Core has it
    assert isinstance(compiler, SQLCompiler)
    return compiler


def _compiled_statement(compiler: SQLCompiler, dialect: Dialect) -> CompiledStatement:
    places = compiler.positiontup or ()
    names = tuple(dict.fromkeys(places))
    spread = itemgetter(*map(names.index, places)) if len(names) < len(places) else None
    writers = []
    for at, name in enumerate(names):
        write = compiler.binds[name].type.dialect_impl(dialect).bind_processor(dialect)
        if write is not None:
            writers.append((at, write))
    readers = []
    types = _result_types(compiler)
    for at, column in enumerate(types):
        read = column.dialect_impl(dialect).result_processor(dialect, None)
        if read is not None:
            readers.append((at, read))
    constants = {name: compiler.binds[name].effective_value for name in names if not compiler.binds[name].required}
    text = str(compiler)
    is_unknown = isinstance(compiler.statement, TextClause) or any(isinstance(each, ARRAY) for each in types)
    width = None if is_unknown else len(types)
    mergeable = compiler.statement.get_execution_options().get("mergeable")  # type: ignore[union-attr]  # all have them
    return CompiledStatement(
        text, names, constants, tuple(writers), tuple(readers), spread, width, CONDITION in text, mergeable
    )


def _result_types(compiler: SQLCompiler) -> list[Any]:
    return [entry.type for entry in compiler._result_columns]  # noqa: SLF001 - no public attribute has the order of RETURNING


FEW_ROWS = "/* few rows */"

S = TypeVar("S", bound=HasPrefixes)


def few_rows(statement: S) -> S:
    """Mark a write of at most a few thousand rows, which SQLite executes in the event loop instead of a thread."""
    return statement.prefix_with(FEW_ROWS, dialect="sqlite")


def condition(statement: Select[Any]) -> Select[Any]:
    """Return a condition that fails if a SELECT without a GROUP BY returns its row."""
    # Without the aggregate, PostgreSQL would evaluate the cast when it plans the statement.
    failure = cast(func.concat(literal_column(f"'{CONDITION_FAILED}, '"), func.count()), Integer)
    return statement.with_only_columns(failure).prefix_with(CONDITION)


def _bind_parameters(table: type[SQLModel], columns: Sequence[str]) -> dict[Any, Any]:
    """Return a bind parameter for each column, which is named `new_` and the column."""
    columns_by_name = SQLModel.metadata.tables[str(table.__tablename__)].c
    return {columns_by_name[name]: bindparam(f"new_{name}", type_=columns_by_name[name].type) for name in columns}


@cache
def compile_insert(table: type[SQLModel], columns: tuple[str, ...]) -> Insert:
    """Return an INSERT of these columns, with the parameters of `_bind_parameters`."""
    # Without `inline`, SQLAlchemy adds a RETURNING of the new id.
    return insert(table).values(_bind_parameters(table, columns)).inline()


@cache
def compile_update(
    table: type[SQLModel], keys: tuple[str, ...], columns: tuple[str, ...], incremented: str | None = None
) -> Update:
    """Return an UPDATE of these columns of the row with these keys, with the parameters of `_bind_parameters`.

    The column `incremented` gets its own value and one.
    """
    is_row = (column == value for column, value in _bind_parameters(table, keys).items())
    values = _bind_parameters(table, columns)
    if incremented is not None:
        column = SQLModel.metadata.tables[str(table.__tablename__)].c[incremented]
        values[column] = column + literal_column("1")
    return update(table).where(*is_row).values(values)


@cache
def compile_delete(table: type[SQLModel], keys: tuple[str, ...]) -> Delete:
    """Return a DELETE of the row with these keys, with the parameters of `_bind_parameters`."""
    return delete(table).where(*(column == value for column, value in _bind_parameters(table, keys).items()))
