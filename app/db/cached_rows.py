"""Rows of small tables that change rarely, kept in the worker for as long as no commit changes them.

A read that uses them ends with the statement that selects what has changed since they were read. It is in the snapshot
of the read, so cached rows and read rows are always of one moment.
"""

import logging
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from time import monotonic
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import select

from app.db.access_changes import NOT_RECORDED, TABLE_SCOPES, AccessChanges
from app.db.cached_lists import CachedLists, OpenedLists
from app.db.first_read import AppendingDatabase
from app.db.interface import BoundStatement, Database
from app.db.statements import Row
from app.db.tables import col
from app.domain import errors

log = logging.getLogger(__name__)

MAX_ROWS = 2_000
"""Rows that a table may have to be cached."""

MAX_OBJECTS = 100_000
"""Objects made of cached rows that one worker keeps. Beyond that it drops them all; they are made again when needed."""

BACKOFF_SECONDS = 1.0
"""Time to wait before a changed table is read again. Until then nothing is cached of it."""

MAX_BACKOFF_SECONDS = 300.0
"""The longest time, for a table that had too many rows, or whose rows were used too rarely before they changed."""

ROWS_PER_USE = 50
"""One use saves what it costs to read this many rows: N rows are worth reading for N / 50 uses."""


def columns_of(table: Any) -> list[str]:
    """Return the names of the columns that are cached."""
    return [column.name for column in table.__table__.c if column.name not in NOT_RECORDED]


class TableRows:
    """All rows of a table at one moment."""

    def __init__(self, table: Any, rows: Sequence[Row]) -> None:
        names = columns_of(table)
        key = names.index("id")
        self._public = names.index("is_public") if "is_public" in names else None
        self.by_id: Mapping[int, Row] = {row[key]: row for row in rows}
        self.rank_by_id: Mapping[int, int] = {key: rank for rank, key in enumerate(self.by_id)}
        """The rank of each id in the order of lists, by name and id."""

    @cached_property
    def public(self) -> Collection[int]:
        """The ids of the rows that everybody sees."""
        at = self._public
        return frozenset() if at is None else frozenset(key for key, row in self.by_id.items() if row[at])


@dataclass(slots=True, eq=False)
class CachedTable:
    """The cached rows of one table; None if there are none."""

    table: Any
    rows: TableRows | None = None
    uses: int = 0
    backoff_seconds: float = 0.0
    retry_at: float = 0.0

    @property
    def scope(self) -> int:
        """Return the scope of changes of the table."""
        return TABLE_SCOPES[self.table]

    def fill(self, rows: Sequence[Row]) -> None:
        """Keep these rows, unless they are too many."""
        if len(rows) > MAX_ROWS:
            self.back_off(MAX_BACKOFF_SECONDS)
        else:
            self.rows, self.uses = TableRows(self.table, rows), 0

    def drop(self) -> None:
        """Drop the rows, and back off: each time twice as long, if they were used too rarely."""
        if self.rows is not None:
            was_worth_it = self.uses * ROWS_PER_USE >= len(self.rows.by_id)
            self.rows = None
            self.back_off(
                BACKOFF_SECONDS
                if was_worth_it
                else min(max(BACKOFF_SECONDS, 2 * self.backoff_seconds), MAX_BACKOFF_SECONDS)
            )

    def back_off(self, seconds: float) -> None:
        """Let nothing be read for this time."""
        self.backoff_seconds, self.retry_at = seconds, monotonic() + seconds


class LazyObjects(dict[int, Any]):
    """The objects that a selection makes of cached rows, by id. Each is made when it is first needed."""

    __slots__ = ("_make", "_rows", "_tables")

    def __init__(self, rows: TableRows, make: Callable[[Row], Any], tables: "CachedTables") -> None:
        super().__init__()
        self._rows, self._make, self._tables = rows, make, tables

    def __missing__(self, key: int) -> Any:
        """Make the object of a row; raises KeyError without a row."""
        value = self[key] = self._make(self._rows.by_id[key])
        self._tables.objects += 1
        return value


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class Selection:
    """Columns of a small table: `make` makes an object of a row with all columns that are cached."""

    table: Any
    make: Callable[[Row], Any]


@dataclass(slots=True)
class OpenedSelection:
    """The objects of a selection, and the rows of which they are made."""

    by_id: Mapping[int, Any]
    rows: TableRows

    @property
    def rank_by_id(self) -> Mapping[int, int]:
        """Return the rank of each id in the order of lists."""
        return self.rows.rank_by_id

    @property
    def public(self) -> Collection[int]:
        """Return the ids of the rows that everybody sees."""
        return self.rows.public


class RowsChanged(Exception):
    """A commit has changed rows that the answer of a read was to be completed with."""


class CachedTables:
    """The cached rows of one database.

    All of them equal their rows in the database at the moment `state`.
    """

    def __init__(self) -> None:
        self.state: Any = None
        self.lists = CachedLists()
        self.objects = 0
        """The number of objects that were made of the rows."""
        self._tables = {table: CachedTable(table) for table in TABLE_SCOPES}
        self._opened: WeakKeyDictionary[Selection, OpenedSelection] = WeakKeyDictionary()
        self._drops: Counter[int] = Counter()
        self._is_loading = False

    def is_cached(self, table: Any) -> bool:
        """Return whether the rows of a table are cached."""
        return self._tables[table].rows is not None

    async def database_for(
        self, database: Database, selections: Sequence[Selection], visible_ids: Sequence[BoundStatement]
    ) -> "CacheCheckingDatabase | None":
        """Return a database whose first read checks the rows of these selections; None if they are not cached.

        Reads those that are missing, in one round trip. `visible_ids` are statements for the ids that the viewer sees.
        """
        if not database.logs_changes:
            return None
        tables = [self._tables[each.table] for each in selections]
        missing = [*{each: None for each in tables if each.rows is None}]
        if missing and not await self._load(database, missing):
            return None
        if any(each.rows is None for each in tables):
            return None
        if self.objects > MAX_OBJECTS:
            self._forget_objects()
        opened = [self._open(each, table) for each, table in zip(selections, tables, strict=True)]
        return CacheCheckingDatabase(database, self, opened, visible_ids)

    def _open(self, selection: Selection, table: CachedTable) -> OpenedSelection:
        assert table.rows is not None
        table.uses += 1
        opened = self._opened.get(selection)
        if opened is None:
            objects = LazyObjects(table.rows, selection.make, self)
            self._opened[selection] = opened = OpenedSelection(objects, table.rows)
        return opened

    def _forget_objects(self) -> None:
        self._opened.clear()
        self.objects = 0

    async def _load(self, database: Database, missing: Sequence[CachedTable]) -> bool:
        """Read the rows of tables; returns False if this is not the time, or if it fails. Raises ConditionFailed."""
        now, since, drops = monotonic(), self.state, self._drops.copy()
        if self._is_loading or any(now < each.retry_at for each in missing):
            return False
        self._is_loading = True
        selects = [replace(database.prepare(_SELECTS[each.table]), readers=()) for each in missing]
        try:
            changes, results = await database.read_with_changes(since, [(each, {}) for each in selects])
        except errors.Refusal as error:  # the query itself may still be answered
            log.debug("small tables were not read error=%r", error)
            for each in missing:
                each.back_off(BACKOFF_SECONDS)
            return False
        finally:
            self._is_loading = False
        is_alone = self.state is since
        self.note(since, changes)
        for each, rows in zip(missing, results, strict=True):
            # Another read may have noted other changes meanwhile. Then the rows are right only if nothing has changed.
            is_same = changes.scopes is not None and each.scope not in changes.scopes
            if is_alone or (is_same and drops[each.scope] == self._drops[each.scope]):
                each.fill(rows)
            else:
                each.back_off(BACKOFF_SECONDS)
        return True

    def note(self, since: Any, changes: AccessChanges) -> None:
        """Drop the rows that have changed since a state."""
        state, scopes = changes
        self.lists.drop(scopes)
        if scopes is None or not SCOPES.isdisjoint(scopes):
            self._forget_objects()
            for each in self._tables.values():
                if scopes is None or each.scope in scopes:
                    self._drops[each.scope] += 1
                    each.drop()
        if self.state is since:
            self.state = state

    def is_current(self, rows: Sequence[TableRows]) -> bool:
        """Return whether none of these rows has been dropped."""
        current = {id(each.rows) for each in self._tables.values()}
        return all(id(each) in current for each in rows)


class CacheCheckingDatabase(AppendingDatabase):
    """A database for the reads of one query. The first one raises RowsChanged unless the rows of `opened` are right.

    After it, `visible_ids` are the ids that the viewer sees, and `lists` has the lists that are right.
    """

    def __init__(
        self,
        inner: Database,
        tables: CachedTables,
        opened: Sequence[OpenedSelection],
        visible_ids: Sequence[BoundStatement],
    ) -> None:
        self._since = tables.state
        appended = (inner.changes_since(self._since), *visible_ids)
        super().__init__(inner, appended, on_new_snapshot=appended)
        self._tables, self.opened = tables, opened
        self.lists = OpenedLists(tables.lists)
        self.visible_ids: Sequence[Collection[int]] = ()

    def _check(self, results: list[list[Row]]) -> None:
        """Raise RowsChanged if the cached rows are not those of the moment of this read."""
        changes, *visible_ids = results
        self._tables.note(self._since, self._inner.changes_of(self._since, changes))
        self.visible_ids = [{key for (key,) in rows} for rows in visible_ids]
        if not self._tables.is_current([each.rows for each in self.opened]) or self.lists.is_mixed:
            raise RowsChanged
        self.lists.is_confirmed = True


SCOPES = frozenset(TABLE_SCOPES.values())
"""The scopes of the tables whose rows are cached."""


def _select(table: Any) -> Any:
    """Return the statement for all rows, and one more than may be cached, by name and id."""
    name = table.name_key if hasattr(table, "name_key") else table.name
    columns = [table.__table__.c[each] for each in columns_of(table)]
    return select(*columns).order_by(col(name), col(table.id)).limit(MAX_ROWS + 1)


_SELECTS = {table: _select(table) for table in TABLE_SCOPES}
