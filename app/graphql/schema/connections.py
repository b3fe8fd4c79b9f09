"""Connections (pages of items with cursors) and the inputs that every filter and order uses."""

from collections.abc import Callable
from datetime import datetime
from functools import cache
from typing import Any, Generic

import strawberry
from typing_extensions import TypeVar  # typing has defaults from Python 3.13 on

from app.graphql.schema.decorators import description_of, input_type, object_type, optional
from app.graphql.schema.enums import DescribedEnum, enum
from app.graphql.schema.fields import EntityType, connection_field
from app.graphql.schema.instances import field_specs, field_type, instance, layout
from app.graphql.schema.scalars import BigInt
from app.query import pagination
from app.query.pagination import Page, PageRequest
from app.query.relations import Layout, Relation

N = TypeVar("N")
F = TypeVar("F", default=EntityType)


@object_type
class PageInfo:
    """Position of a page in its list."""

    has_next_page: bool = strawberry.field(description="Whether the list has more items after this page.")
    has_previous_page: bool = strawberry.field(
        description="Whether the list has items before this page: always true after a cursor, exact when "
        "paging backward."
    )
    start_cursor: str | None = strawberry.field(description="Cursor of the first item. Null on an empty page.")
    end_cursor: str | None = strawberry.field(description="Cursor of the last item. Null on an empty page.")


class Connection(EntityType, Generic[N, F]):
    """Base of all connections. `Connection[User]` is the type of a page of users.

    The edges of `Connection[User, GroupMemberFacts]` have those fields as well, and both types are named after the
    facts. `call` is (response location, relation, page request, key). Nothing is read before a field is resolved.
    """

    def __class_getitem__(cls, types: Any) -> Any:
        """Return the connection of a type, with the facts of its edges if there are two types.

        mypy sees a generic class.
        """
        return connection_of(*types) if isinstance(types, tuple) else connection_of(types)


@cache
def connection_of(node: type, edge: type = EntityType) -> type:
    """Build the connection of a type and its edge. The fields of `edge` are facts of the relation."""
    has_facts = edge is not EntityType
    name = edge.__name__.removesuffix("Facts") if has_facts else node.__name__
    description = description_of(edge) if has_facts else f"Item of a page of `{node.__name__}`."
    edges = _build_type(
        f"{name}Edge",
        description,
        edge,
        cursor=(str, strawberry.field(description="Cursor of this item, for `after` or `before`.")),
        node=(node, strawberry.field(description="The item.")),
    )
    return _build_type(
        f"{name}Connection",
        f"Page of a list of `{node.__name__}`.",
        Connection,
        edges=(list[edges], _field("Items with their cursors.", _load_edges)),  # type: ignore[valid-type]  # made here
        nodes=(list[node], _field("Items without their cursors.", _load_nodes)),  # type: ignore[valid-type]  # made here
        page_info=(PageInfo, _field("Pagination details.", _load_page_info)),
        total_count=(int, _field("Number of items the viewer can see. Computed only when selected.", _load_count)),
    )


def _field(description: str, load: Callable[[Any, Any], Any]) -> Any:
    """Declare a field that is loaded from a connection by the reader of the request."""
    return connection_field(description, lambda source, info, *_: load(source, info.context.reader))


def _build_type(name: str, description: str | None, base: type, **fields: tuple[Any, Any]) -> type:
    """Build an object type from its fields, each with its annotation."""
    namespace = {name: field for name, (_, field) in fields.items()}
    annotations = {name: kind for name, (kind, _) in fields.items()}
    return object_type(type(name, (base,), {"__doc__": description, "__annotations__": annotations, **namespace}))


def _class(source: Any) -> Any:
    return type(source)


async def _rows(source: Any, reader: Any) -> Page:
    location, relation, request, key = source.call
    page: Page = await reader.page(location, relation, page_layout(_class(source), relation), request, key)
    return page


async def _load_nodes(source: Any, reader: Any) -> list[Any]:
    node = field_type(_class(source), "nodes")
    return [instance(node, row) for row in (await _rows(source, reader)).rows]


async def _load_edges(source: Any, reader: Any) -> list[Any]:
    _, relation, request, _ = source.call
    page = await _rows(source, reader)
    edge, node = field_type(_class(source), "edges"), field_type(_class(source), "nodes")
    width = len(layout(node).fields)
    return [edge_of_row(edge, node, row, width, _cursor(relation, request, row)) for row in page.rows]


def edge_of_row(edge: Any, node: Any, row: Any, width: int, cursor: str) -> Any:
    """Return an edge with its node; the columns of the node are the first `width` ones, and the facts follow."""
    item = instance(edge, row, width) if edge.__row__ else object.__new__(edge)
    item.__dict__.update(cursor=cursor, node=instance(node, row))
    return item


async def _load_page_info(source: Any, reader: Any) -> PageInfo:
    _, relation, request, _ = source.call
    page = await _rows(source, reader)
    cursors = [_cursor(relation, request, page.rows[index]) for index in (0, -1)] if page.rows else [None, None]
    return PageInfo(
        has_next_page=page.has_next, has_previous_page=page.has_previous, start_cursor=cursors[0], end_cursor=cursors[1]
    )


def _load_count(source: Any, reader: Any) -> Any:
    location, relation, request, key = source.call
    return reader.count(location, relation, request, key)


def _cursor(relation: Relation, request: PageRequest, row: Any) -> str:
    """Return the cursor of a row; the sort values precede the key, which is the last column."""
    return pagination.cursor(request.query.order, row[-2 - len(request.query.order) : -1])


@cache
def page_layout(connection: Any, relation: Relation) -> Layout:
    """Return the select list of a page: the field specs of the node, then the facts of the relation."""
    edge, node = field_type(connection, "edges"), field_type(connection, "nodes")
    facts = tuple((name, spec, relation.anchor) for name, spec in field_specs(edge).items()) if edge.__row__ else ()
    return Layout((*layout(node).fields, *facts))


@enum
class OrderDirection(DescribedEnum):
    """Direction of a sort order."""

    ASC = ("ASC", "Ascending: smallest, earliest or alphabetically first value first.")
    DESC = ("DESC", "Descending: largest, latest or alphabetically last value first.")


@input_type
class StringFilter:
    """Conditions on a text. All of them must match."""

    eq: str | None = optional("Equal.")
    in_: list[str] | None = optional("Equal to one of these values, at most 100.", name="in")
    starts_with: str | None = optional("Starts with this text.")
    contains: str | None = optional("Contains this text.")


@input_type
class NullableStringFilter(StringFilter):
    """Conditions on a text that may be missing. All of them must match."""

    is_null: bool | None = optional("Whether the text is missing, or the viewer may not see it.")


@input_type
class IDFilter:
    """Conditions on a global id. All of them must match."""

    eq: strawberry.ID | None = optional("Equal.")
    in_: list[strawberry.ID] | None = optional(
        "Equal to one of these ids, at most 100. Unknown ids match nothing.", name="in"
    )


@input_type
class BigIntFilter:
    """Conditions on a number. All of them must match."""

    eq: BigInt | None = optional("Equal.")
    gt: BigInt | None = optional("Greater than this number.")
    gte: BigInt | None = optional("At least this number.")
    lt: BigInt | None = optional("Less than this number.")
    lte: BigInt | None = optional("At most this number.")


@input_type
class DateTimeFilter:
    """Conditions on a point in time. All of them must match."""

    gt: datetime | None = optional("Later than this time.")
    gte: datetime | None = optional("At or later than this time.")
    lt: datetime | None = optional("Earlier than this time.")
    lte: datetime | None = optional("At or earlier than this time.")


@input_type
class NullableDateTimeFilter(DateTimeFilter):
    """Conditions on a point in time that may be missing. All of them must match."""

    is_null: bool | None = optional("Whether the time is missing, or the viewer may not see it.")
