"""Rows of small tables that change rarely, kept in the worker for as long as no commit changes them.

A read that uses cached rows ends with the statement that selects what has changed since they were read. It is in the
snapshot of the read, so cached rows and read rows are always of one moment.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from time import monotonic
from typing import Any, NamedTuple
from weakref import WeakSet

from app.db.access_changes import TABLE_SCOPES, AccessChanges
from app.db.first_read import FirstReadDatabase
from app.db.interface import BoundStatement, Database
from app.db.statements import CompiledStatement, Row

MOST_ROWS = 5_000
"""Rows that a table may have to be cached."""

MOST_CACHED = 200_000
"""Rows that one worker keeps, of all selections. Beyond that it drops them and begins again."""

REST_SECONDS = 1.0
"""Time after which rows are read again that a commit has changed. Until then, statements read what they need."""

LARGE_SECONDS = 600.0
"""The same for a table that had too many rows."""


TABLES = frozenset(TABLE_SCOPES.values())
"""The scopes of the tables whose rows are cached."""


class CachedObjects(NamedTuple):
    """The objects that were made of the rows of a table, by id, and the places of the ids in the order of a list.

    `public` has the ids of the rows that everybody sees, if the selection tells.
    """

    by_id: Mapping[int, Any]
    places: Mapping[int, int]
    public: Collection[int]


@dataclass(slots=True, eq=False, weakref_slot=True)
class CachedRows:
    """One selection of columns of a small table.

    `statement` selects the columns and the id of up to MOST_ROWS + 1 rows in the order of a list, and `make` makes
    their objects. The statement depends on nothing but its table. If the selection `has_public`, the column before the
    id tells whether everybody sees the row.
    """

    scope: int
    statement: CompiledStatement
    make: Callable[[Sequence[Row]], Sequence[Any]]
    has_public: bool = False
    objects: CachedObjects | None = None
    rests_until: float = 0.0

    def fill(self, rows: Sequence[Row]) -> None:
        """Keep these rows, unless they are too many."""
        if len(rows) > MOST_ROWS:
            self.rests_until = monotonic() + LARGE_SECONDS
            return
        ids = [row[-1] for row in rows]
        by_id = dict(zip(ids, self.make(rows), strict=True))
        public = frozenset(row[-1] for row in rows if row[-2]) if self.has_public else ()
        self.objects = CachedObjects(by_id, {each: place for place, each in enumerate(ids)}, public)

    def drop(self) -> None:
        """Drop the rows, and rest."""
        self.objects, self.rests_until = None, monotonic() + REST_SECONDS


class RowsChanged(Exception):
    """A commit has changed rows that the answer of a read was to be completed with."""


class CachedTables:
    """The cached rows of one database.

    All of them are as of the moment `state`, or no commit has changed them between their own moment and that one.
    """

    def __init__(self) -> None:
        self.state: Any = None
        self._used: WeakSet[CachedRows] = WeakSet()
        self._is_loading = False

    @property
    def size(self) -> int:
        """Return the number of rows of all selections."""
        return sum(len(each.objects.by_id) for each in self._used if each.objects is not None)

    async def open(
        self, database: Database, selections: Sequence[CachedRows], own_ids: Sequence[BoundStatement]
    ) -> "UnchangedDatabase | None":
        """Return the database for reads that the cached rows of these selections complete; None if they are not there.

        Reads those that are missing, in one round trip. `own_ids` are statements for the ids that the viewer sees.
        """
        if not database.logs_changes:
            return None
        missing = [each for each in selections if each.objects is None]
        if missing and not await self._load(database, missing):
            return None
        objects = [each.objects for each in selections if each.objects is not None]
        if len(objects) < len(selections):
            return None
        return UnchangedDatabase(database, self, selections, objects, own_ids)

    async def _load(self, database: Database, missing: Sequence[CachedRows]) -> bool:
        """Read the rows of selections; returns False if this is not the time."""
        now, since = monotonic(), self.state
        if self._is_loading or any(now < each.rests_until for each in missing):
            return False
        self._is_loading = True
        try:
            changes, results = await database.read_with_changes(since, [(each.statement, {}) for each in missing])
        finally:
            self._is_loading = False
        if self.state is not since:  # a commit that another read has noted may be newer than these rows
            return False
        self.note(since, changes)
        if self.size > MOST_CACHED:
            self._drop(None)
        for each, rows in zip(missing, results, strict=True):
            each.fill(rows)
            self._used.add(each)
        return True

    def note(self, since: Any, changes: AccessChanges) -> None:
        """Drop the rows that have changed since a state."""
        state, scopes = changes
        if scopes is None or not TABLES.isdisjoint(scopes):
            self._drop(None if scopes is None else {*scopes})
        if self.state is since:
            self.state = state

    def _drop(self, scopes: set[int] | None) -> None:
        for each in self._used:
            if each.objects is not None and (scopes is None or each.scope in scopes):
                each.drop()


class UnchangedDatabase(FirstReadDatabase):
    """A database for the reads of one query. The first one raises RowsChanged unless the cached `objects` are right.

    After it, `own_ids` are the ids that the viewer sees.
    """

    def __init__(
        self,
        inner: Database,
        tables: CachedTables,
        selections: Sequence[CachedRows],
        objects: Sequence[CachedObjects],
        own_ids: Sequence[BoundStatement],
    ) -> None:
        self._since = tables.state
        super().__init__(inner, inner.changes_since(self._since), *own_ids)
        self._tables, self._selections, self.objects = tables, selections, objects
        self.own_ids: Sequence[Collection[int]] = ()

    def _check(self, results: list[list[Row]]) -> None:
        """Raise RowsChanged if the cached rows are not those of the moment of this read."""
        changes, *own_ids = results
        self._tables.note(self._since, self._inner.changes_of(self._since, changes))
        self.own_ids = [{key for (key,) in rows} for rows in own_ids]
        for each, objects in zip(self._selections, self.objects, strict=True):
            if each.objects is not objects:
                raise RowsChanged
