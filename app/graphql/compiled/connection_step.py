"""The step that reads the pages of a connection: rows, counts and cursors."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from app.db import BoundStatement
from app.db.statements import CompiledStatement, Row
from app.graphql.coercion.arguments import Arguments
from app.graphql.compiled.plan_run import Objects, PlanRun
from app.graphql.compiled.row_builder import OpenedStep, PlanLevel, RowBuilder
from app.graphql.compiled.steps import NO_STATEMENTS, CachedOrder, fill, keys_of, none
from app.query import pagination
from app.query.pagination import ListQuery, Page, PageRequest
from app.query.reader import group_by_key
from app.query.relations import Relation


@dataclass(slots=True)
class PageRows:
    """The page of one key, the number of rows on all pages, and the function that writes cursors.

    Not frozen, since frozen dataclasses are slow to create, and there is one of these for each parent.
    """

    page: Page
    count: int
    cursor: Callable[[Row], str]
    run: PlanRun

    def cursor_at(self, index: int) -> str | None:
        """Return the cursor of the first row (0) or the last row (-1), None on an empty page."""
        return self.cursor(self.page.rows[index]) if self.page.rows else None


@dataclass(frozen=True, slots=True, eq=False)
class KeysStatement:
    """The statement of a page without its stored columns, whose last column is the id.

    `complete` returns a row of the page, given a row of this statement followed by the stored columns.
    """

    statement: CompiledStatement
    complete: Callable[[Sequence[Any]], Row]


@dataclass(frozen=True, slots=True, eq=False)
class PageStatements:
    """The statements of one query shape; `cursor` writes the cursor of a row.

    `keys` selects the page without its stored columns, which may be cached.
    """

    page: CompiledStatement
    count: CompiledStatement | None
    cursor: Callable[[Row], str]
    keys: KeysStatement | None = None


PageWriter = Callable[[PageRows], Any]
"""A function that makes the value of one field of a connection."""


@dataclass(frozen=True, slots=True, eq=False)
class ConnectionStep:
    """An edge to a page of rows for each key.

    `writers` make the fields of the connection; `builders` are the row builders of its lists, `edges` and `nodes`.
    """

    response_key: str
    relation: Relation
    is_required: bool
    arguments: Arguments
    writers: tuple[tuple[str, PageWriter], ...]
    builders: tuple[tuple[str, RowBuilder], ...]
    reads_rows: bool
    reads_count: bool
    statements: Callable[[ListQuery], PageStatements]
    types: Mapping[str, type]

    is_joinable: ClassVar[bool] = True

    @property
    def row_builders(self) -> Sequence[RowBuilder]:
        """Return the builders of the rows of the page."""
        return [builder for _, builder in self.builders]

    @property
    def has_children(self) -> bool:
        """True if steps follow."""
        return any(builder.children for _, builder in self.builders)

    @property
    def has_only_lists(self) -> bool:
        """True if all fields are lists of rows, which are then built for all keys at once."""
        return len(self.builders) == len(self.writers)

    def open(self, run: PlanRun, parents: Objects) -> OpenedStep:
        """Return the statements for the page and, if selected, the count of each key, and their target."""
        keys = keys_of(parents, self.response_key)
        if not keys:
            fill(parents, self.response_key, {}, none, self.is_required)
            return NO_STATEMENTS
        page_request, selects, bound = self._bind(run, keys)

        def fill_lists(results: Sequence[Sequence[Row]]) -> PlanLevel:
            by_key: dict[Any, dict[str, Any]] = {key: {} for key in keys}
            size, rows = page_request.size, self.rows_of(results[0], selects, run) if self.builders else ()
            for name, builder in self.builders:
                objects = builder.make(rows, selects.cursor, run)
                lists = {keys[0]: objects} if self.relation.by is None else group_by_key(rows, objects)
                for key, connection in by_key.items():
                    connection[name] = lists[key][:size] if key in lists else []
            fill(parents, self.response_key, by_key, none, self.is_required)
            return self._next_level(list(by_key.values()))

        def target(results: Sequence[Sequence[Row]]) -> PlanLevel:
            rows = group_by_key(self.rows_of(results[0], selects, run)) if self.reads_rows else {}
            counts = {key: count for count, key in results[-1]} if self.reads_count else {}
            by_key = {}
            for key in keys:
                page = PageRows(page_request.page(rows.get(key, [])), counts.get(key, 0), selects.cursor, run)
                by_key[key] = {name: write(page) for name, write in self.writers}
            fill(parents, self.response_key, by_key, none, self.is_required)
            return self._next_level(list(by_key.values()))

        return bound, fill_lists if self.has_only_lists and not page_request.query.backward else target

    def open_unkeyed(self, run: PlanRun) -> list[BoundStatement]:
        """Return the statements of `open` for the keys that another statement selects."""
        return self._bind(run, ())[2]

    def _bind(self, run: PlanRun, keys: Sequence[Any]) -> tuple[PageRequest, PageStatements, list[BoundStatement]]:
        page_request = self.arguments.page_request(run.variables, self.relation, self.types)
        selects = self.statements(page_request.query)
        values = {**run.bind_values, "keys": keys, **page_request.bind_values}
        bound: list[BoundStatement] = [(self.statement(selects, run), values)] if self.reads_rows else []
        if selects.count is not None:
            bound.append((selects.count, values))
        return page_request, selects, bound

    def statement(self, selects: PageStatements, run: PlanRun) -> CompiledStatement:
        """Return the statement of the page."""
        return selects.page

    def rows_of(self, rows: Sequence[Row], selects: PageStatements, run: PlanRun) -> Sequence[Row]:
        """Return the rows of the page, made of those of its statement: the same ones, in the same order."""
        return rows

    def _next_level(self, connections: Objects) -> PlanLevel:
        level = PlanLevel()
        for name, builder in self.builders:
            if builder.children:
                level += builder.next_level([each for connection in connections for each in connection[name]])
        return level


class TooManyRows(Exception):
    """The keys of a page have more rows than a statement without their order may read."""


MAX_REFERRING = 3_000
"""Rows of all keys together that may be read in any order, to be sorted by the cached rows they refer to."""


@dataclass(frozen=True, slots=True, eq=False)
class ReferringPageStep(ConnectionStep):
    """A connection of short lists in the order of the cached rows that their rows refer to.

    Its statement reads all rows of the keys: the first page of each is made here.
    """

    order: CachedOrder

    def rows_of(self, rows: Sequence[Row], selects: PageStatements, run: PlanRun) -> Sequence[Row]:
        """Return the rows in the order of the cached rows; raises TooManyRows."""
        if len(rows) > MAX_REFERRING:
            raise TooManyRows
        return self.order.sort(rows, run)


def cursor_writer(query: ListQuery, statement: CompiledStatement, width: int) -> Callable[[Row], str]:
    """Return a function that writes the cursor of a row: after `width` fields, a row has its sort keys, then the id."""
    readers = dict(statement.readers)
    sort_keys = [(index, readers.get(index)) for index in range(width, width + len(query.order) + 1)]

    def cursor(row: Row) -> str:
        values = [row[index] if read is None else read(row[index]) for index, read in sort_keys]
        return pagination.cursor(query.order, values)

    return cursor
