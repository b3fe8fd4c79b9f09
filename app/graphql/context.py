"""What one request carries: who asks, the database, and the batches of what is being read for her."""

from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Any

from aiodataloader import DataLoader

from app import db
from app.domain.viewer import ANONYMOUS, Viewer
from app.http.deadlines import Deadlines
from app.query.pagination import Page, PageRequest
from app.query.reader import ListReader
from app.query.relations import Layout, Relation
from app.query.sql import SelectBuilder
from app.services import audit
from app.services.app_context import AppContext
from app.services.session import Session

FieldPath = tuple[str, ...]
"""Where an edge stands in the query."""


@dataclass(slots=True)
class BatchReader:
    """Reads for one viewer at one moment: what one edge of the query asks for all its parents goes in one statement."""

    reads: ListReader
    _batches: dict[Any, DataLoader[Any, Any]] = field(default_factory=dict)

    def related(self, at: FieldPath, source: Relation, layout: Layout, key: Any) -> Any:
        """A future of the row (`one`) or the rows (`many`) of a key."""
        batch = self._batches.get((at, source, layout))
        if batch is None:

            async def load(keys: list[Any]) -> list[Any]:
                return await self._related(source, layout, keys)

            batch = self._batches[at, source, layout] = DataLoader(load)
        return batch.load(key)

    def page(self, at: FieldPath, source: Relation, layout: Layout, wanted: PageRequest, key: Any) -> Any:
        """A future of the `Page` below a key."""
        batch = self._batches.get((at, source, layout, wanted))
        if batch is None:

            async def load(keys: list[Any]) -> list[Any]:
                return await self._page(source, layout, wanted, keys)

            batch = self._batches[at, source, layout, wanted] = DataLoader(load)
        return batch.load(key)

    def count(self, at: FieldPath, source: Relation, wanted: PageRequest, key: Any) -> Any:
        """A future of the number of rows below a key, on all pages."""
        batch = self._batches.get((at, source, wanted))
        if batch is None:

            async def load(keys: list[Any]) -> list[int]:
                return await self._count(source, wanted, keys)

            batch = self._batches[at, source, wanted] = DataLoader(load)
        return batch.load(key)

    async def _related(self, source: Relation, layout: Layout, keys: list[Any]) -> list[Any]:
        found = await self.reads.related(source, layout, keys)
        if source.kind == "one":
            return [found[key][0] if key in found else None for key in keys]
        return [found.get(key, []) for key in keys]

    async def _page(self, source: Relation, layout: Layout, wanted: PageRequest, keys: list[Any]) -> list[Page]:
        found = await self.reads.page(source, layout, wanted, keys)
        return [wanted.page(found.get(key, [])) for key in keys]

    async def _count(self, source: Relation, wanted: PageRequest, keys: list[Any]) -> list[int]:
        numbers = await self.reads.counts(source, keys, wanted)
        return [numbers.get(key, 0) for key in keys]


@dataclass(slots=True)
class GraphQLContext:
    """What one request carries. `session` is set when somebody signed in or out: the face turns it into a cookie.

    `action` is the mutation that is being answered; they are answered one after the other. `outcome` is that of one
    which was made before the stock executor came to it: its payload, or what was raised. `made` are the keys of the
    answer whose changes are committed.
    """

    app: AppContext
    statements: SelectBuilder
    viewer: Viewer
    session: Session | None = None
    signed_out: bool = False
    action: str = ""
    outcome: Any = None
    most_errors: int = 50
    times: Deadlines = field(default_factory=Deadlines)
    made: set[str] = field(default_factory=set)
    freshness: db.Freshness = db.Freshness.PRIMARY
    """That of the reads of a payload; a query takes its viewer's."""
    _reader: BatchReader | None = None

    @property
    def reader(self) -> BatchReader:
        """What reads for the viewer, since something was changed last."""
        if self._reader is None:
            now = self.database.clock()
            self._reader = BatchReader(ListReader(self.database, self.statements, self.viewer, now, self.freshness))
        return self._reader

    @property
    def database(self) -> db.Database:
        """The door."""
        return self.app.database

    def change(self, *, dry_run: bool = False) -> AbstractAsyncContextManager[db.Transaction]:
        """Open the transaction of the mutation that is being answered."""
        return audit.transaction(self.database, self.viewer, self.action, dry_run=dry_run)

    def refresh(self) -> None:
        """Forget what was read, since something may have changed."""
        self._reader = None

    def set_viewer(self, session: Session) -> None:
        """Go on as the one who signed in."""
        self.viewer, self.session, self.signed_out = session.viewer, session, False
        self.refresh()

    def clear_viewer(self) -> None:
        """Go on as nobody."""
        self.viewer, self.session, self.signed_out = ANONYMOUS, None, True
        self.refresh()
