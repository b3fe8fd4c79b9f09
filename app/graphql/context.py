"""The context of one GraphQL request: the viewer, the database, and batched reads."""

from collections.abc import Callable, Coroutine, Iterator
from contextlib import AbstractAsyncContextManager, contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from aiodataloader import DataLoader

from app import db
from app.domain.viewer import ANONYMOUS, Viewer
from app.http.deadlines import Deadlines
from app.query.list_edges import ListEdge, split_key
from app.query.pagination import Page, PageRequest
from app.query.reader import ListReader
from app.query.relations import Layout, Relation
from app.query.sql import SelectBuilder
from app.services import audit
from app.services.app_context import AppContext
from app.services.session import Session

FieldPath = tuple[str, ...]
"""The response keys that lead to an edge of the query."""


@dataclass(slots=True)
class BatchReader:
    """Batched reads for one viewer: all parents of one edge of the query share one statement."""

    reader: ListReader
    _batches: dict[Any, DataLoader[Any, Any]] = field(default_factory=dict)

    def related(self, at: FieldPath, relation: Relation, layout: Layout, key: Any) -> Any:
        """Return a future of the row (`one`) or the rows (`many`) of a key."""
        return self._load((at, relation, layout), partial(self._related, relation, layout), key)

    def _load(self, batch_key: Any, load: Callable[[list[Any]], Coroutine[Any, Any, list[Any]]], key: Any) -> Any:
        """Return a future of what `load` returns for a key, which it receives with all keys of its batch."""
        batch = self._batches.get(batch_key)
        if batch is None:
            batch = self._batches[batch_key] = DataLoader(load)
        return batch.load(key)

    def item(self, at: FieldPath, edge: ListEdge, layout: Layout, key: Any) -> Any:
        """Return a future of the row of an item of a list."""
        values, row_key = split_key(key)
        load = partial(self._related, edge.row, layout, **values)
        return self._load((at, edge, layout, *values.items()), load, row_key)

    def page(self, at: FieldPath, relation: Relation, layout: Layout, page_request: PageRequest, key: Any) -> Any:
        """Return a future of the `Page` of a key."""
        load = partial(self._page, relation, layout, page_request)
        return self._load((at, relation, layout, page_request), load, key)

    def count(self, at: FieldPath, relation: Relation, page_request: PageRequest, key: Any) -> Any:
        """Return a future of the number of rows of a key, on all pages."""
        return self._load((at, relation, page_request), partial(self._count, relation, page_request), key)

    async def _related(self, relation: Relation, layout: Layout, keys: list[Any], **values: Any) -> list[Any]:
        rows_by_key = await self.reader.related(relation, layout, keys, **values)
        if relation.kind == "one":
            return [rows_by_key[key][0] if key in rows_by_key else None for key in keys]
        return [rows_by_key.get(key, []) for key in keys]

    async def _page(self, relation: Relation, layout: Layout, page_request: PageRequest, keys: list[Any]) -> list[Page]:
        rows_by_key = await self.reader.page(relation, layout, page_request, keys)
        return [page_request.page(rows_by_key.get(key, [])) for key in keys]

    async def _count(self, relation: Relation, page_request: PageRequest, keys: list[Any]) -> list[int]:
        counts = await self.reader.counts(relation, keys, page_request)
        return [counts.get(key, 0) for key in keys]


@dataclass(slots=True)
class GraphQLContext:
    """The context of one request.

    `session` and `signed_out` are set by mutations that sign the viewer in or out; the handler writes the cookie.
    `action` is the name of the current mutation; mutations of one document run one after the other. `outcome` is the
    payload or exception of a mutation that ran before the fallback to the reference executor, which then only reports
    it. `committed_keys` are the response keys whose mutations are committed.
    """

    app: AppContext
    statements: SelectBuilder
    viewer: Viewer
    session: Session | None = None
    signed_out: bool = False
    action: str = ""
    outcome: Any = None
    max_errors: int = 50
    times: Deadlines = field(default_factory=Deadlines)
    committed_keys: set[str] = field(default_factory=set)
    freshness: db.Freshness = db.Freshness.PRIMARY
    """The freshness of reads. Payloads need the primary; the handler sets that of a query."""
    _reader: BatchReader | None = None

    @property
    def reader(self) -> BatchReader:
        """The batches of reads since the last change."""
        if self._reader is None:
            now = self.database.clock()
            self._reader = BatchReader(ListReader(self.database, self.statements, self.viewer, now, self.freshness))
        return self._reader

    @property
    def database(self) -> db.Database:
        """The database of the app context."""
        return self.app.database

    def change(
        self, *, dry_run: bool = False, if_revision: int | None = None
    ) -> AbstractAsyncContextManager[db.Transaction]:
        """Open the audited transaction of the current mutation. For `if_revision`, see `revisions`."""
        expected = None if if_revision is None else frozenset([(None, if_revision)])
        return audit.transaction(self.database, self.viewer, self.action, dry_run=dry_run, if_revisions=expected)

    def refresh(self) -> None:
        """Drop all batches, since their rows may have changed."""
        self._reader = None

    def set_viewer(self, session: Session) -> None:
        """Continue as the user who signed in."""
        self.viewer, self.session, self.signed_out = session.viewer, session, False
        self.refresh()

    @contextmanager
    def restored_after_errors(self) -> Iterator[None]:
        """Continue as the same viewer if a change with an idempotency key fails, whose commit comes last."""
        before = self.viewer, self.session, self.signed_out
        try:
            yield
        except BaseException:
            self.viewer, self.session, self.signed_out = before
            raise

    def clear_viewer(self) -> None:
        """Continue as an anonymous viewer."""
        self.viewer, self.session, self.signed_out = ANONYMOUS, None, True
        self.refresh()
