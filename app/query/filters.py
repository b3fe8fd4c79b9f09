"""Filters of lists: which values are compared, and how."""

import operator as operators
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Dialect, and_, bindparam, func, or_, true
from sqlalchemy.types import TypeDecorator, TypeEngine

from app.db import tables
from app.domain import refs
from app.domain.viewer import Viewer
from app.query.relations import Comparisons, Keys, Within, among, has_bit, resolve


@dataclass(frozen=True, slots=True)
class FilterSpec:
    """A filter of a list: a column or expression, and the way its values are compared.

    - `fold`: the values are case-folded before the comparison.
    - `sorts`: the column holds sort keys. `eq` compares the complete key; `starts_with` and `contains` ignore accents.
    - `bits`: the value is one bit, which the mask `sql` must contain. At the top level of a filter (not within `or` or
      `not`), an index scan compares it with the mask of an index entry. A scan by user supports it only there.
    - `within`: wraps the comparison, e.g. in an EXISTS over another table.
    - `access_path`: a condition that an index answers and that holds only for rows whose column equals the value.
    - `node`: the column is the row id of this type, and the values are global ids.
    - `searches`: the columns of a search. Each value is a word, which one of them must contain.
    - `absent`: the column that is NULL where the value is missing; by default the one of `sql`.

    A comparison with a missing or hidden value may be NULL in SQL. `predicates` takes it as false, under `not` too.
    """

    sql: Any
    fold: bool = False
    sorts: bool = False
    bits: bool = False
    within: Within | None = None
    access_path: Within | None = None
    node: str | None = None
    searches: Sequence[Any] = ()
    absent: Any = None

    def condition(self, viewer: Viewer, comparisons: Comparisons, dialect: Dialect) -> ColumnElement[bool]:
        """Return the conjunction of all comparisons, wrapped by `within`; all of them must hold for the same row."""
        if self.searches:
            return self._search(viewer, [name for _, name in comparisons], dialect)
        questions = [operator for operator, _ in comparisons if operator in ABSENCE]
        values = [each for each in comparisons if each[0] not in ABSENCE]
        conditions = [self._is_absent(viewer, operator) for operator in questions]
        if values or not questions:
            condition = self._compare(viewer, values, dialect)
            conditions.append(self.within(viewer, condition) if self.within else condition)
        return and_(*conditions)

    def _is_absent(self, viewer: Viewer, operator: str) -> ColumnElement[bool]:
        value = resolve(self.sql if self.absent is None else self.absent, viewer)
        return value.is_(None) if operator == "is_null" else value.is_not(None)

    def _search(self, viewer: Viewer, words: Sequence[str], dialect: Dialect) -> ColumnElement[bool]:
        """Return the condition that each word is part of one of the columns."""
        columns, kind = [resolve(each, viewer) for each in self.searches], tables.SearchText()
        in_columns = [[_compare(column, kind, "contains", word, dialect) for column in columns] for word in words]
        return and_(true(), *(or_(*conditions) for conditions in in_columns))

    def seek_predicate(self, viewer: Viewer, comparisons: Comparisons, dialect: Dialect) -> ColumnElement[bool] | None:
        """Return the condition that an index answers, or None without an `eq`; `condition` must be applied as well."""
        few = {"eq", "in"} if self.node else {"eq"}
        equal = [(operator, name) for operator, name in comparisons if operator in few]
        return self.access_path(viewer, self._compare(viewer, equal, dialect)) if self.access_path and equal else None

    def _compare(self, viewer: Viewer, comparisons: Comparisons, dialect: Dialect) -> ColumnElement[bool]:
        column = resolve(self.sql, viewer)
        conditions = [
            has_bit(column, name)
            if self.bits
            else _compare(column, self._type(column, operator), operator, name, dialect)
            for operator, name in comparisons
        ]
        return and_(true(), *conditions)

    def _type(self, column: ColumnElement[Any], operator: str) -> TypeEngine[Any]:
        """Return the type that converts a bound value to the form in which the column stores it."""
        if self.node is not None:
            return GlobalId(self.node)
        if self.sorts:
            return tables.SearchText() if operator in {"starts_with", "contains"} else tables.SortKeyText()
        return tables.CaseFolded() if self.fold else column.type


class GlobalId(TypeDecorator[Any]):
    """A row id that is bound as the global id of one type. An id of another type is 0, which no row has."""

    impl = BigInteger
    cache_ok = True

    def __init__(self, node: str) -> None:
        super().__init__()
        self.node = node

    def process_bind_param(self, value: Any, dialect: Dialect) -> int:
        """Return the row id."""
        return refs.key_of(self.node, value or "") or 0


def _compare(
    column: ColumnElement[Any], bind_type: TypeEngine[Any], operator: str, name: str, dialect: Dialect
) -> ColumnElement[bool]:
    value = bindparam(name, type_=bind_type)
    condition: ColumnElement[bool]
    match operator:
        case "in":
            condition = among(column, bindparam(name, type_=Keys(bind_type)))
        case "starts_with":
            condition = func.substr(column, 1, func.length(value)) == value
        case "contains":
            position = func.strpos if dialect.name == "postgresql" else func.instr
            condition = position(column, value) > 0
        case _:
            condition = COMPARISONS[operator](column, value)
    return condition


ABSENCE = frozenset({"is_null", "is_not_null"})
"""Operators that ask whether a value is missing. They have no bound value."""

COMPARISONS: Mapping[str, Callable[[Any, Any], Any]] = {
    "eq": operators.eq,
    "gt": operators.gt,
    "gte": operators.ge,
    "lt": operators.lt,
    "lte": operators.le,
}
