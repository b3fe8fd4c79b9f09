"""The step that reads pages: the rows of a connection, their number, and where the page stands."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.db import BoundStatement
from app.db.statements import CompiledStatement, Row
from app.domain.viewer import Viewer
from app.graphql.coercion.arguments import Arguments
from app.graphql.compiled.row_builder import Objects, PlanLevel, RowBuilder
from app.graphql.compiled.steps import UNASKED, Opened, PlanRun, fill, keys_of, none
from app.query import pagination
from app.query.pagination import ListQuery, Page
from app.query.reader import group_by_key
from app.query.relations import Relation


@dataclass(slots=True)
class PageRows:
    """What is below one key: its page, the number of all its rows, and how its cursors are written.

    Not frozen, for the reason that `Page` is not.
    """

    page: Page
    count: int
    cursor: Callable[[Row], str]
    viewer: Viewer

    def end(self, at: int) -> str | None:
        """The cursor of the first row or the last."""
        return self.cursor(self.page.rows[at]) if self.page.rows else None


@dataclass(frozen=True, slots=True, eq=False)
class PageStatements:
    """The statements of a page of one shape; `cursor` writes the place of a row."""

    page: CompiledStatement
    count: CompiledStatement | None
    cursor: Callable[[Row], str]


PageWriter = Callable[[PageRows], Any]


@dataclass(frozen=True, slots=True, eq=False)
class ConnectionStep:
    """An edge to a page below each key: `gives` makes each field of the connection, `shapes` are those of its lists."""

    response_key: str
    source: Relation
    is_required: bool
    arguments: Arguments
    gives: tuple[tuple[str, PageWriter], ...]
    shapes: tuple[tuple[str, RowBuilder], ...]
    is_read: bool
    is_counted: bool
    statements: Callable[[ListQuery], PageStatements]
    types: Mapping[str, type]

    @property
    def goes_on(self) -> bool:
        """Whether steps follow."""
        return any(shape.children for _, shape in self.shapes)

    def open(self, run: PlanRun, holders: Objects) -> Opened:
        """Ask for the page of each key, and for the number of all its rows where that is selected."""
        keys = keys_of(holders, self.response_key)
        if not keys:
            fill(holders, self.response_key, {}, none, self.is_required)
            return UNASKED
        wanted = self.arguments.page_request(run.variables, self.source, self.types)
        statements = self.statements(wanted.query)
        values = {**run.binds, "keys": keys, **wanted.bind_values}
        questions: list[BoundStatement] = [(statements.page, values)] if self.is_read else []
        if statements.count is not None:
            questions.append((statements.count, values))

        def place(answers: Sequence[Sequence[Row]]) -> PlanLevel:
            rows = group_by_key(answers[0]) if self.is_read else {}
            counts = {key: number for number, key in answers[-1]} if self.is_counted else {}
            found = {}
            for key in keys:
                each = PageRows(wanted.page(rows.get(key, [])), counts.get(key, 0), statements.cursor, run.viewer)
                found[key] = {name: give(each) for name, give in self.gives}
            fill(holders, self.response_key, found, none, self.is_required)
            return self._below(list(found.values()))

        return questions, place

    def _below(self, connections: Objects) -> PlanLevel:
        wave = PlanLevel()
        for name, shape in self.shapes:
            if shape.children:
                wave += shape.below([each for connection in connections for each in connection[name]])
        return wave


def cursor_of(ask: ListQuery, prepared: CompiledStatement, width: int) -> Callable[[Row], str]:
    """What writes the place of a row: behind its `width` cells stand the values of the order, then the id."""
    readers = dict(prepared.readers)
    places = [(at, readers.get(at)) for at in range(width, width + len(ask.order) + 1)]

    def cursor(row: Row) -> str:
        return pagination.cursor(ask.order, [row[at] if read is None else read(row[at]) for at, read in places])

    return cursor
