"""Tables and columns of SQLAlchemy's Core for the mapped classes.

A statement of mapped classes takes about twice as long to build and to compile as one of their tables, and is the same
text: the ORM first translates it. So `col`, `aliased` and `from_of` give what Core takes.
"""

from typing import Any, TypeVar, cast

from sqlalchemy import Alias, ColumnClause, ColumnElement, FromClause
from sqlalchemy.orm import InstrumentedAttribute

T = TypeVar("T")

_COLUMNS: dict[InstrumentedAttribute[Any], ColumnElement[Any]] = {}
"""The columns of the attributes seen so far; there is a fixed number of them."""


def col(attribute: Any) -> ColumnElement[Any]:
    """Return an attribute of a table class as its column; its annotation has the type of the value.

    A column or an expression is returned unchanged.
    """
    if isinstance(attribute, InstrumentedAttribute):
        if (column := _COLUMNS.get(attribute)) is None:
            _COLUMNS[attribute] = column = attribute.property.columns[0]
        return column
    element: ColumnElement[Any] = attribute
    return element


class _Attribute(ColumnClause[Any]):
    """A column of an alias. Beside a column of a table it stays on its side of an operator, unlike its base class."""

    inherit_cache = True


class _Aliased:
    """An alias of a table, with its columns as attributes, which SQLAlchemy takes in place of the alias.

    An attribute is made when it is first read. SQLAlchemy would copy every column of the table at once, with all that
    belongs to it.
    """

    __slots__ = ("__dict__", "__table__")

    def __init__(self, alias: Alias) -> None:
        self.__table__ = alias

    def __getattr__(self, name: str) -> ColumnElement[Any]:
        original = self.__table__.element.c.get(name)
        if original is None:
            raise AttributeError(name)
        attribute = _Attribute(original.name, original.type)
        attribute.table = self.__table__
        self.__dict__[name] = attribute
        return attribute

    def __clause_element__(self) -> Alias:
        return self.__table__


def aliased(table: type[T], name: str | None = None) -> type[T]:
    """Return another occurrence of a table in a statement: an alias, whose attributes are its columns."""
    return cast(type[T], _Aliased(cast(Alias, from_of(table).alias(name))))


def from_of(table: Any) -> FromClause:
    """Return the table of a class, or the alias that `aliased` made."""
    clause: FromClause = table.__table__
    return clause
