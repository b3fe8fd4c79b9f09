"""An item of a list with its cursor, found by its id: for the payload of the change that created the item."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import bindparam

from app.db import tables
from app.db.tables import col
from app.query import pagination
from app.query.relations import FieldSpec, Relation, Table

OWNER = bindparam("owner", None, type_=tables.RowId())
"""The parent of the list, such as the org of a membership, if its items have no id of their own."""


@dataclass(frozen=True, slots=True, eq=False)
class ListEdge:
    """An item of `list`, whose default order its cursor is of, as the relation `row` finds it by a key.

    If the items have no id of their own, the key is a pair, and `row` compares its first value as `OWNER`.
    """

    list: Relation
    row: Relation


def split_key(key: Any) -> tuple[dict[str, Any], Any]:
    """Return the values to bind beside the key, and the key of the row."""
    return ({"owner": key[0]}, key[1]) if isinstance(key, tuple) else ({}, key)


@cache
def cursor_specs(edge: ListEdge) -> tuple[tuple[str, FieldSpec, Table], ...]:
    """Return the columns of the cursor, the id last."""
    table: Any = edge.list.table
    columns = [(name, edge.list.orders[name]) for name, _ in edge.list.default_order]
    return tuple((f"cursor_{name}", FieldSpec(sql=col(column)), table) for name, column in [*columns, ("id", table.id)])


def cursor_of(edge: ListEdge, values: Sequence[Any]) -> str:
    """Return the cursor of the item from the values of `cursor_specs`."""
    return pagination.cursor(edge.list.default_order, values)
