"""Connections: pages of rows with cursors, and what lists are ordered and filtered by."""

from collections.abc import Mapping
from datetime import datetime
from functools import cache
from typing import Any, Generic, TypeVar

import strawberry

from app import pages
from app.pages import Page, Wanted
from app.schema.declare import Face, cells, field_type, instance, layout, special
from app.schema.enums import Described, enum
from app.sources import Layout, Source

N = TypeVar("N")
E = TypeVar("E")


@strawberry.type(description="Where a page stands in its list.")
class PageInfo:
    """Where a page stands in its list."""

    has_next_page: bool = strawberry.field(description="Whether more follows this page.")
    has_previous_page: bool = strawberry.field(
        description="Whether something precedes this page: true behind a cursor, exact when paging backward."
    )
    start_cursor: str | None = strawberry.field(description="The cursor of the first row; null on an empty page.")
    end_cursor: str | None = strawberry.field(description="The cursor of the last row; null on an empty page.")


@strawberry.type(description="A row of a page.")
class Edge(Face, Generic[N]):
    """A row of a page with its place, and with facts of the relation as columns."""

    cursor: str = strawberry.field(description="The place of this row, to go on from with `after` or `before`.")
    node: N = strawberry.field(description="The row.")


def _edges(source: Any, info: Any, kwargs: Mapping[str, Any], name: str) -> Any:
    return _load_edges(source, info.context.reader)


def _nodes(source: Any, info: Any, kwargs: Mapping[str, Any], name: str) -> Any:
    return _load_nodes(source, info.context.reader)


def _page_info(source: Any, info: Any, kwargs: Mapping[str, Any], name: str) -> Any:
    return _load_page_info(source, info.context.reader)


def _total_count(source: Any, info: Any, kwargs: Mapping[str, Any], name: str) -> Any:
    at, follow, wanted, key = source.call
    return info.context.reader.count(at, follow, wanted, key)


@strawberry.type(description="A page of a list.")
class Connection(Face, Generic[E, N]):
    """A page of a list. `call` is (place, source, question, key); nothing is read before a field asks."""

    edges: list[E] = special("The rows with their places.", _edges)
    nodes: list[N] = special("The rows alone.", _nodes)
    page_info: PageInfo = special("Where this page stands.", _page_info)
    total_count: int = special(
        "How many rows the whole list has for this viewer; counted only when asked.", _total_count
    )


def _class(source: Any) -> Any:
    return type(source)


async def _rows(source: Any, reader: Any) -> Page:
    at, follow, wanted, key = source.call
    page: Page = await reader.page(at, follow, page_layout(_class(source), follow), wanted, key)
    return page


async def _load_nodes(source: Any, reader: Any) -> list[Any]:
    node = field_type(_class(source), "nodes")
    return [instance(node, row) for row in (await _rows(source, reader)).rows]


async def _load_edges(source: Any, reader: Any) -> list[Any]:
    _, follow, wanted, _ = source.call
    page = await _rows(source, reader)
    edge, node = field_type(_class(source), "edges"), field_type(_class(source), "nodes")
    width = len(layout(node).cells)
    return [_edge(edge, node, row, width, _cursor(follow, wanted, row)) for row in page.rows]


def _edge(edge: Any, node: Any, row: Any, width: int, cursor: str) -> Any:
    made = instance(edge, row, width) if edge.__row__ else object.__new__(edge)
    made.__dict__.update(cursor=cursor, node=instance(node, row))
    return made


async def _load_page_info(source: Any, reader: Any) -> PageInfo:
    _, follow, wanted, _ = source.call
    page = await _rows(source, reader)
    ends = [_cursor(follow, wanted, page.rows[at]) for at in (0, -1)] if page.rows else [None, None]
    return PageInfo(
        has_next_page=page.has_next, has_previous_page=page.has_previous, start_cursor=ends[0], end_cursor=ends[1]
    )


def _cursor(follow: Source, wanted: Wanted, row: Any) -> str:
    """The order values stand before the key, which is last."""
    return pages.cursor(wanted.ask.order, row[-2 - len(wanted.ask.order) : -1])


@cache
def page_layout(connection: Any, follow: Source) -> Layout:
    """The select list of a page: the cells of the node, then the facts of the relation."""
    edge, node = field_type(connection, "edges"), field_type(connection, "nodes")
    facts = tuple((name, cell, follow.anchor) for name, cell in cells(edge).items()) if edge.__row__ else ()
    return Layout((*layout(node).cells, *facts))


@enum("Which way an order runs.")
class OrderDirection(Described):
    """Which way an order runs."""

    ASC = ("ASC", "Smallest, earliest or first in the alphabet first.")
    DESC = ("DESC", "Largest, latest or last in the alphabet first.")


@strawberry.input(description="Compare a text; several comparisons must all hold. At most 100 values in `in`.")
class StringFilter:
    """Compare a text."""

    eq: str | None = strawberry.field(default=None, description="Equal.")
    in_: list[str] | None = strawberry.field(default=None, name="in", description="One of these, at most 100.")
    starts_with: str | None = strawberry.field(default=None, description="Begins with this.")
    contains: str | None = strawberry.field(default=None, description="Has this somewhere in it.")


@strawberry.input(description="Compare a moment; several comparisons must all hold.")
class DateTimeFilter:
    """Compare a moment."""

    gt: datetime | None = strawberry.field(default=None, description="Later than.")
    gte: datetime | None = strawberry.field(default=None, description="At this moment or later.")
    lt: datetime | None = strawberry.field(default=None, description="Earlier than.")
    lte: datetime | None = strawberry.field(default=None, description="At this moment or earlier.")
