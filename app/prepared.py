"""Statements as the bare drivers want them: a text, values in its order, and what the rows still need."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import Dialect, Insert, bindparam, insert
from sqlalchemy.sql.base import Executable
from sqlalchemy.sql.compiler import SQLCompiler
from sqlmodel import SQLModel

Row = tuple[Any, ...]
Values = Mapping[str, Any]
Change = Callable[[Any], Any]


@dataclass(frozen=True, slots=True, eq=False)
class Prepared:
    """A compiled statement: its text, its values in order, and what the bare driver's rows still need."""

    text: str
    names: tuple[str, ...]
    constants: Values
    writers: Mapping[str, Change]
    readers: tuple[tuple[int, Change], ...]

    def arguments(self, values: Values) -> list[Any]:
        """Put the values in the statement's order; raises KeyError for one that is missing."""
        given = []
        for name in self.names:
            value = values[name] if name in values else self.constants[name]
            write = self.writers.get(name)
            given.append(value if write is None else write(value))
        return given

    def rows(self, raw: Sequence[Any]) -> list[Row]:
        """Turn the driver's rows into tuples of Python values."""
        if not self.readers:
            return [tuple(row) for row in raw]
        rows = []
        for row in raw:
            cells = list(row)
            for at, read in self.readers:
                if cells[at] is not None:
                    cells[at] = read(cells[at])
            rows.append(tuple(cells))
        return rows


def compiled(statement: Executable, dialect: Dialect) -> Prepared:
    """Compile a statement for a database."""
    compiler = statement.compile(dialect=dialect)  # type: ignore[attr-defined]  # every Executable of Core compiles
    assert isinstance(compiler, SQLCompiler)
    names = tuple(compiler.positiontup or ())
    writers = {}
    for name in names:
        write = compiler.binds[name].type.dialect_impl(dialect).bind_processor(dialect)
        if write is not None:
            writers[name] = write
    readers = []
    for at, column in enumerate(_result_types(compiler)):
        read = column.dialect_impl(dialect).result_processor(dialect, None)
        if read is not None:
            readers.append((at, read))
    constants = {name: bind.effective_value for name, bind in compiler.binds.items() if not bind.required}
    return Prepared(str(compiler), names, constants, writers, tuple(readers))


def _result_types(compiler: SQLCompiler) -> list[Any]:
    return [entry.type for entry in compiler._result_columns]  # noqa: SLF001 - the order of RETURNING is nowhere else


@cache
def insertion(table: type[SQLModel], columns: tuple[str, ...]) -> Insert:
    """An INSERT of some columns, with a value to bind for each: `new_` and its name."""
    kinds = SQLModel.metadata.tables[str(table.__tablename__)].c
    return insert(table).values({name: bindparam(f"new_{name}", type_=kinds[name].type) for name in columns})
