"""Statements as the bare drivers want them: a text, values in its order, and what the rows still need."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, TypeVar

from sqlalchemy import Dialect, Insert, Update, bindparam, insert, update
from sqlalchemy.sql.base import Executable
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.selectable import HasPrefixes
from sqlmodel import SQLModel

from app.caching import WeightedLRU

Row = tuple[Any, ...]
Values = Mapping[str, Any]
Change = Callable[[Any], Any]

SETTLED_EVENT = "settled_event"
"""Name of the bound value that ends a read of the audit feed: the number of the last settled event.

An event is settled when no event with a smaller number can still be committed. A database that commits events in the
order of their numbers leaves the default, which excludes nothing.
"""


@dataclass(frozen=True, slots=True, eq=False)
class CompiledStatement:
    """A compiled statement: its text, its values in order, and what the bare driver's rows still need."""

    text: str
    names: tuple[str, ...]
    constants: Values
    writers: tuple[tuple[int, Change], ...]
    readers: tuple[tuple[int, Change], ...]

    @property
    def reads_feed(self) -> bool:
        """Whether the statement must not pass the last settled event."""
        return SETTLED_EVENT in self.constants

    def arguments(self, values: Values) -> list[Any]:
        """Put the values in the statement's order; raises KeyError for one that is missing."""
        if not self.constants:
            given = [*map(values.__getitem__, self.names)]
        else:
            given = [values[name] if name in values else self.constants[name] for name in self.names]
        for at, write in self.writers:
            given[at] = write(given[at])
        return given

    def rows(self, raw: Sequence[Any]) -> list[Row]:
        """Turn the driver's rows into tuples of Python values."""
        if not self.readers:
            return [*map(tuple, raw)]
        rows = []
        for row in raw:
            cells = list(row)
            for at, read in self.readers:
                if cells[at] is not None:
                    cells[at] = read(cells[at])
            rows.append(tuple(cells))
        return rows


class StatementCache:
    """Compiles statements for one database, and remembers the last `size` of them.

    A statement that a module builds once is known by itself; one that is built anew for each call by its structure,
    with its own values taken out: SQLAlchemy's cache key, which is many times cheaper than compiling.
    """

    def __init__(self, dialect: Dialect, size: int) -> None:
        self.dialect = dialect
        self._by_itself: WeightedLRU[Executable, CompiledStatement] = WeightedLRU(size)
        self._by_structure: WeightedLRU[Any, tuple[SQLCompiler, CompiledStatement]] = WeightedLRU(size)

    def __call__(self, statement: Executable) -> CompiledStatement:
        """The statement as the driver wants it."""
        prepared = self._by_itself.get(statement)
        if prepared is None:
            self._by_itself.put(statement, prepared := self._same_shape(statement))
        return prepared

    def _same_shape(self, statement: Executable) -> CompiledStatement:
        key = statement._generate_cache_key()  # type: ignore[attr-defined]  # noqa: SLF001 - what its own engine asks
        if key is None:
            return compile_statement(statement, self.dialect)
        cached = self._by_structure.get(key.key)
        if cached is None:
            compiler = _compiler(statement, self.dialect, key)
            self._by_structure.put(key.key, (compiler, prepared := _compiled_statement(compiler, self.dialect)))
            return prepared
        compiler, alike = cached
        values = compiler.construct_params(extracted_parameters=key.bindparams, escape_names=False, _check=False)
        return replace(alike, constants={name: values[name] for name in alike.constants})


def compile_statement(statement: Executable, dialect: Dialect) -> CompiledStatement:
    """Compile a statement for a database."""
    return _compiled_statement(_compiler(statement, dialect), dialect)


def _compiler(statement: Executable, dialect: Dialect, key: Any = None) -> SQLCompiler:
    compiler = statement.compile(dialect=dialect, cache_key=key)  # type: ignore[attr-defined]  # all of Core has it
    assert isinstance(compiler, SQLCompiler)
    return compiler


def _compiled_statement(compiler: SQLCompiler, dialect: Dialect) -> CompiledStatement:
    names = tuple(compiler.positiontup or ())
    writers = []
    for at, name in enumerate(names):
        write = compiler.binds[name].type.dialect_impl(dialect).bind_processor(dialect)
        if write is not None:
            writers.append((at, write))
    readers = []
    for at, column in enumerate(_result_types(compiler)):
        read = column.dialect_impl(dialect).result_processor(dialect, None)
        if read is not None:
            readers.append((at, read))
    constants = {name: compiler.binds[name].effective_value for name in names if not compiler.binds[name].required}
    return CompiledStatement(str(compiler), names, constants, tuple(writers), tuple(readers))


def _result_types(compiler: SQLCompiler) -> list[Any]:
    return [entry.type for entry in compiler._result_columns]  # noqa: SLF001 - the order of RETURNING is nowhere else


FEW_ROWS = "/* few rows */"

S = TypeVar("S", bound=HasPrefixes)


def few_rows(statement: S) -> S:
    """Mark a write that its caller bounds to some thousand rows: SQLite runs it in the event loop, without a thread."""
    return statement.prefix_with(FEW_ROWS, dialect="sqlite")


@cache
def compile_insert(table: type[SQLModel], columns: tuple[str, ...]) -> Insert:
    """An INSERT of some columns, with a value to bind for each: `new_` and its name."""
    kinds = SQLModel.metadata.tables[str(table.__tablename__)].c
    return insert(table).values({name: bindparam(f"new_{name}", type_=kinds[name].type) for name in columns})


@cache
def compile_update(table: type[SQLModel], columns: tuple[str, ...]) -> Update:
    """An UPDATE of some columns of the row with an id, `key`, with values to bind as for an insertion."""
    kinds = SQLModel.metadata.tables[str(table.__tablename__)].c
    values = {name: bindparam(f"new_{name}", type_=kinds[name].type) for name in columns}
    return update(table).where(kinds["id"] == bindparam("key", type_=kinds["id"].type)).values(values)
