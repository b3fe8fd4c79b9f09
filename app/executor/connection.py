"""The fields of a connection as they are planned."""

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from graphql import GraphQLObjectType

from app.executor.causes import Unplanned
from app.executor.kinds import Place, declared, object_of, row_of
from app.executor.paging import Found, Give, PageStatements, cursor_of
from app.executor.shape import Columns, Draft, Objects, Shape
from app.executor.steps import bare
from app.pages import Ask
from app.sources import Source

if TYPE_CHECKING:
    from app.executor.plan import Planning

SHAPES_OF_A_PAGE = 64
"""How many shapes of questions, as filters make them, a page's statements are remembered for."""


PLACES = {"start_cursor", "end_cursor"}


class Connection:
    """The fields of a connection as they are planned: all its lists are made of the rows of one statement."""

    def __init__(self, planning: "Planning", source: Source, kind: GraphQLObjectType) -> None:
        self._planning = planning
        self._source = source
        self._kind = kind
        self._columns = Columns()
        self.shapes: list[tuple[str, Shape]] = []
        self.is_read = False
        self.is_counted = False

    def give(self, key: str, details: Sequence[Any]) -> Give:
        """What makes a field of the connection."""
        name = details[0].node.name.value
        if name == "__typename":
            return lambda found: self._kind.name
        told = declared(self._kind.fields[name]).python_name
        match told:
            case "edges" | "nodes":
                return self._list(key, name, details)
            case "page_info":
                self.is_read = True
                return self._page_info(object_of(self._kind.fields[name].type), details)
            case "total_count":
                self.is_counted = True
                return lambda found: found.count
        raise Unplanned(f"{self._kind.name}.{name}")

    def _list(self, key: str, name: str, details: Sequence[Any]) -> Give:
        self.is_read = True
        planning, source = self._planning, self._source
        kind, draft = object_of(self._kind.fields[name].type), Draft(self._columns)
        node = object_of(self._kind.fields["nodes"].type)
        place = Place(node, row_of(node), draft)
        if kind is not node:
            place = Place(kind, source.anchor, draft, node=place)
        shape = draft.shape(planning.object(place, planning.below(kind, details)))
        self.shapes.append((key, shape))
        make = shape.make

        def rows(found: Found) -> Objects:
            return make(found.page.rows, found.cursor, found.viewer)

        return rows

    def _page_info(self, kind: GraphQLObjectType, details: Sequence[Any]) -> Give:
        ways: Mapping[str, Give] = {
            "has_next_page": lambda found: found.page.has_next,
            "has_previous_page": lambda found: found.page.has_previous,
            "start_cursor": lambda found: found.end(0),
            "end_cursor": lambda found: found.end(-1),
        }
        given: list[tuple[str, Give]] = []
        for key, each in self._planning.below(kind, details).items():
            name = each[0].node.name.value
            if name == "__typename":
                given.append((key, lambda found: kind.name))
                continue
            way = declared(kind.fields[name]).python_name
            self._columns.are_placed |= way in PLACES
            given.append((key, ways[way]))
        return lambda found: {key: give(found) for key, give in given}

    def statements(self) -> Callable[[Ask], PageStatements]:
        """The statements of each shape that is asked of this page."""
        layout, source, viewer = self._columns.layout(), self._source, self._planning.viewer
        built, is_counted, are_placed = self._planning.planner.statements, self.is_counted, self._columns.are_placed

        @lru_cache(maxsize=SHAPES_OF_A_PAGE)
        def of(ask: Ask) -> PageStatements:
            page = built.page(source, layout, viewer, ask, are_placed=are_placed)
            count = built.count(source, viewer, ask) if is_counted else None
            return PageStatements(bare(page), count, cursor_of(ask, page, len(layout.cells)))

        return of
