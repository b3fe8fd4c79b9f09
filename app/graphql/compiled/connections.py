"""The fields of a connection as they are planned."""

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from graphql import GraphQLObjectType

from app.graphql.compiled.connection_step import PageRows, PageStatements, PageWriter, cursor_of
from app.graphql.compiled.fallback import NotPlannable
from app.graphql.compiled.row_builder import BuilderSource, Columns, Objects, RowBuilder
from app.graphql.compiled.steps import bare
from app.graphql.compiled.type_info import FieldLocation, declared_fields, object_of, row_of
from app.query.pagination import ListQuery
from app.query.relations import Relation

if TYPE_CHECKING:
    from app.graphql.compiled.planner import PlanBuilder

ROW_BUILDERS_PER_PAGE = 64
"""How many shapes of questions, as filters make them, a page's statements are remembered for."""


PLACES = {"start_cursor", "end_cursor"}


class ConnectionPlanner:
    """The fields of a connection as they are planned: all its lists are made of the rows of one statement."""

    def __init__(self, planning: "PlanBuilder", source: Relation, kind: GraphQLObjectType) -> None:
        self._planning = planning
        self._source = source
        self._kind = kind
        self._columns = Columns()
        self.shapes: list[tuple[str, RowBuilder]] = []
        self.is_read = False
        self.is_counted = False

    def plan_field(self, key: str, details: Sequence[Any]) -> PageWriter:
        """What makes a field of the connection."""
        name = details[0].node.name.value
        if name == "__typename":
            return lambda found: self._kind.name
        told = declared_fields(self._kind.fields[name]).python_name
        match told:
            case "edges" | "nodes":
                return self._list(key, name, details)
            case "page_info":
                self.is_read = True
                return self._page_info(object_of(self._kind.fields[name].type), details)
            case "total_count":
                self.is_counted = True
                return lambda found: found.count
        raise NotPlannable(f"{self._kind.name}.{name}")

    def _list(self, key: str, name: str, details: Sequence[Any]) -> PageWriter:
        self.is_read = True
        planning, source = self._planning, self._source
        kind, draft = object_of(self._kind.fields[name].type), BuilderSource(self._columns)
        node = object_of(self._kind.fields["nodes"].type)
        place = FieldLocation(node, row_of(node), draft)
        if kind is not node:
            place = FieldLocation(kind, source.anchor, draft, node=place)
        shape = draft.build(planning.object(place, planning.below(kind, details)))
        self.shapes.append((key, shape))
        make = shape.make

        def rows(found: PageRows) -> Objects:
            return make(found.page.rows, found.cursor, found.viewer)

        return rows

    def _page_info(self, kind: GraphQLObjectType, details: Sequence[Any]) -> PageWriter:
        ways: Mapping[str, PageWriter] = {
            "has_next_page": lambda found: found.page.has_next,
            "has_previous_page": lambda found: found.page.has_previous,
            "start_cursor": lambda found: found.end(0),
            "end_cursor": lambda found: found.end(-1),
        }
        given: list[tuple[str, PageWriter]] = []
        for key, each in self._planning.below(kind, details).items():
            name = each[0].node.name.value
            if name == "__typename":
                given.append((key, lambda found: kind.name))
                continue
            way = declared_fields(kind.fields[name]).python_name
            self._columns.are_placed |= way in PLACES
            given.append((key, ways[way]))
        return lambda found: {key: give(found) for key, give in given}

    def statements(self) -> Callable[[ListQuery], PageStatements]:
        """The statements of each shape that is asked of this page."""
        layout, source, viewer = self._columns.layout(), self._source, self._planning.viewer
        built, is_counted, are_placed = self._planning.planner.statements, self.is_counted, self._columns.are_placed

        @lru_cache(maxsize=ROW_BUILDERS_PER_PAGE)
        def of(ask: ListQuery) -> PageStatements:
            page = built.page(source, layout, viewer, ask, are_placed=are_placed)
            count = built.count(source, viewer, ask) if is_counted else None
            return PageStatements(bare(page), count, cursor_of(ask, page, len(layout.fields)))

        return of
