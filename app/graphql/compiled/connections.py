"""Planning of connections: their lists, their count and their page information."""

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from graphql import GraphQLObjectType

from app.graphql.compiled.completed_page_step import keys_statement
from app.graphql.compiled.connection_step import PageRows, PageStatements, PageWriter, cursor_writer
from app.graphql.compiled.fallback import NotPlannable
from app.graphql.compiled.plan_run import Objects
from app.graphql.compiled.row_builder import BuilderSource, Columns, RowBuilder
from app.graphql.compiled.steps import without_readers
from app.graphql.compiled.type_info import FieldLocation, declaration, object_of, table_of
from app.query.pagination import ListQuery
from app.query.relations import Reference, Relation

if TYPE_CHECKING:
    from app.graphql.compiled.planner import PlanBuilder

MAX_QUERY_SHAPES = 64
"""Shapes of list arguments, as filters make them, whose statements one connection caches."""

CURSOR_FIELDS = {"start_cursor", "end_cursor"}


class ConnectionPlanner:
    """The planner of one connection. All its lists are made of the rows of one statement."""

    def __init__(
        self, plan: "PlanBuilder", relation: Relation, kind: GraphQLObjectType, refers: Reference | None = None
    ) -> None:
        self._plan = plan
        self._relation = relation
        self._kind = kind
        self._refers = refers
        self.columns = Columns()
        self.builders: list[tuple[str, RowBuilder]] = []
        self.reads_rows = False
        self.reads_count = False

    def plan_fields(self, details: Sequence[Any]) -> tuple[tuple[str, PageWriter], ...]:
        """Return the functions that make the selected fields of the connection; raises NotPlannable."""
        fields = self._plan.subfields(self._kind, details)
        return tuple((key, self._plan_field(key, each)) for key, each in fields.items())

    def _plan_field(self, key: str, details: Sequence[Any]) -> PageWriter:
        """Return the function that makes a field of the connection; raises NotPlannable."""
        name = details[0].node.name.value
        if name == "__typename":
            return lambda page: self._kind.name
        match declaration(self._kind.fields[name]).python_name:
            case "edges" | "nodes":
                return self._list(key, name, details)
            case "page_info":
                self.reads_rows = True
                return self._page_info(object_of(self._kind.fields[name].type), details)
            case "total_count":
                self.reads_count = True
                return lambda page: page.count
        raise NotPlannable(f"{self._kind.name}.{name}")

    def _list(self, key: str, name: str, details: Sequence[Any]) -> PageWriter:
        self.reads_rows = True
        plan, kind = self._plan, object_of(self._kind.fields[name].type)
        source, node = BuilderSource(self.columns), object_of(self._kind.fields["nodes"].type)
        location = FieldLocation(node, table_of(node), source, refers=self._refers)
        if kind is not node:
            location = FieldLocation(kind, self._relation.anchor, source, node=location)
        builder = source.build(plan.row_object(location, plan.subfields(kind, details)))
        self.builders.append((key, builder))
        make = builder.make

        def write_list(page: PageRows) -> Objects:
            return make(page.page.rows, page.cursor, page.run)

        return write_list

    def _page_info(self, kind: GraphQLObjectType, details: Sequence[Any]) -> PageWriter:
        writers_by_name: Mapping[str, PageWriter] = {
            "has_next_page": lambda page: page.page.has_next,
            "has_previous_page": lambda page: page.page.has_previous,
            "start_cursor": lambda page: page.cursor_at(0),
            "end_cursor": lambda page: page.cursor_at(-1),
        }
        writers: list[tuple[str, PageWriter]] = []
        for key, each in self._plan.subfields(kind, details).items():
            name = each[0].node.name.value
            if name == "__typename":
                writers.append((key, lambda page: kind.name))
                continue
            python_name = declaration(kind.fields[name]).python_name
            self.columns.has_cursors |= python_name in CURSOR_FIELDS
            writers.append((key, writers_by_name[python_name]))
        return lambda page: {key: write(page) for key, write in writers}

    def statements(self, stored: tuple[int, ...] = ()) -> Callable[[ListQuery], PageStatements]:
        """Return a cached function from a query shape to the statements of its page.

        `stored` are the numbers of the columns that may be cached.
        """
        layout, relation, viewer = self.columns.layout(), self._relation, self._plan.viewer
        selects, reads_count, has_cursors = self._plan.planner.statements, self.reads_count, self.columns.has_cursors

        @lru_cache(maxsize=MAX_QUERY_SHAPES)
        def statements_of(query: ListQuery) -> PageStatements:
            page = selects.page(relation, layout, viewer, query, has_cursors=has_cursors)
            count = selects.count(relation, viewer, query) if reads_count else None
            width = len(layout.fields)
            writer, keys = cursor_writer(query, page, width), None
            if stored and (
                rows := selects.page_of_keys(relation, layout, viewer, query, stored, has_cursors=has_cursors)
            ):
                order_values = len(query.order) + 1 if has_cursors else 0
                keys = keys_statement(without_readers(rows), stored, width, order_values)
            return PageStatements(without_readers(page), count, writer, keys)

        return statements_of
