"""The step of a page of resources whose rows are completed with cached columns."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from operator import itemgetter

from app.db import ListsMissing, ResourceColumns
from app.db.statements import CompiledStatement, Row
from app.graphql.compiled.connection_step import ConnectionStep, KeysStatement, PageStatements
from app.graphql.compiled.plan_run import PlanRun


@dataclass(frozen=True, slots=True, eq=False)
class StoredColumns:
    """The columns of a page that are columns of its table, cached by id.

    `key` is the number of the column with the id. `take` returns the stored columns of a row of the page, and its key.
    """

    cached: ResourceColumns
    key: int
    take: Callable[[Row], Row]


def stored_columns(stored: Sequence[int], key: int) -> StoredColumns:
    """Return the columns of a page with these numbers; a row ends with the key of the root."""
    return StoredColumns(ResourceColumns(), key, itemgetter(*[*stored, -1]))


def keys_statement(statement: CompiledStatement, stored: Sequence[int], width: int, order_values: int) -> KeysStatement:
    """Return the statement of a page with `width` columns, which selects all but the stored ones, and order values."""
    others = [at for at in range(width) if at not in stored]
    selected = len(others) + order_values + 1
    places = {at: place for place, at in enumerate(others)} | {at: selected + place for place, at in enumerate(stored)}
    order = [places[at] for at in range(width)]
    order += [*range(len(others), len(others) + order_values), selected + len(stored)]
    return KeysStatement(statement, itemgetter(*order))


@dataclass(frozen=True, slots=True, eq=False)
class CompletedPageStep(ConnectionStep):
    """A connection of resources. If the columns of all rows are cached, its statement need not read their table."""

    stored: StoredColumns

    def statement(self, selects: PageStatements, run: PlanRun) -> CompiledStatement:
        """Return the statement of the page, without the stored columns if they are expected to be cached."""
        keys = _expected_keys(selects, run)
        return selects.page if keys is None else keys.statement

    def rows_of(self, rows: Sequence[Row], selects: PageStatements, run: PlanRun) -> Sequence[Row]:
        """Return the rows of the page; raises ListsMissing. Columns that are not yet cached are kept."""
        lists, cached = run.lists, self.stored.cached
        assert lists is not None
        keys = _expected_keys(selects, run)
        if keys is None:
            self._keep_missing(rows, run)
            lists.has_missed |= selects.keys is None
            return rows
        columns, complete = lists.find(cached, [row[-1] for row in rows]), keys.complete
        if len(columns) < len(rows):
            raise ListsMissing
        return [complete((*row, *columns[row[-1]])) for row in rows]

    def _keep_missing(self, rows: Sequence[Row], run: PlanRun) -> None:
        lists, stored = run.lists, self.stored
        assert lists is not None
        by_key = {row[stored.key]: row for row in rows}
        if missing := by_key.keys() - lists.find(stored.cached, by_key):
            lists.has_missed = True
            again = lists.record_misses(stored.cached, missing)
            lists.keep(stored.cached, {key: stored.take(by_key[key]) for key in again})


def _expected_keys(selects: PageStatements, run: PlanRun) -> KeysStatement | None:
    """Return the statement without the stored columns, None if the statement of the page is to be used."""
    return selects.keys if run.lists is not None and run.lists.expects_all else None
