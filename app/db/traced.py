"""A database that records a span for each of its reads, statements and commits. Used only if traces are exported."""

import re
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, AbstractContextManager, asynccontextmanager, nullcontext
from functools import lru_cache
from types import TracebackType
from typing import Any

from app.db.access_changes import AccessChanges
from app.db.interface import Below, BoundStatement, ConditionFailed, Database, Freshness, Read, Transaction
from app.db.statements import Row
from app.db.wrapped import WrappedDatabase
from app.observability import traces
from app.observability.traces import Kind, Value

MAX_TEXT = 4_000
"""Most characters of the statements of a span. They contain placeholders, never values."""

CACHED = 1_000
"""Number of summaries, and of texts, that are cached."""

_PARENTHESES = re.compile(r"\([^()]*\)|/\*.*?\*/")
_SUMMARY = re.compile(
    r'(?:WITH\b.*?)?\b(?:(UPDATE)|(SELECT|INSERT|DELETE)\b.*?\b(?:FROM|INTO))\s+(?!AS\b)"?(\w+)', re.DOTALL
)
"""Matches the operation of a statement without parentheses, and the first table that it names."""


class TracedDatabase(WrappedDatabase):
    """A database around another one, which records what passes.

    A trace has one span for each read, however many statements it sends, for each statement of a transaction, and for
    its begin and its end, which include waits for a connection, a turn or a commit.
    """

    def __init__(self, inner: Database) -> None:
        super().__init__(inner)
        inner.clock = lambda: self.clock()  # noqa: PLW0108 - both have one clock, also after a test replaces it
        self._system = inner.dialect.name

    async def read(self, statements: Sequence[BoundStatement], *, freshness: Freshness) -> list[list[Row]]:
        with self._span(statements):
            return await self._inner.read(statements, freshness=freshness)

    async def read_joined(
        self,
        statements: Sequence[BoundStatement],
        below: Below,
        *,
        freshness: Freshness,
    ) -> list[list[Row]]:
        with self._span([*statements, *(bound for bound, _ in below)]):
            return await self._inner.read_joined(statements, below, freshness=freshness)

    async def commit_version(self) -> Any:
        if not self.waits or traces.CURRENT.get() is None:
            return await self._inner.commit_version()
        with traces.span("read the commit version", Kind.CLIENT, self._attributes()):
            return await self._inner.commit_version()

    async def read_with_changes(
        self, since: Any, statements: Sequence[BoundStatement] = ()
    ) -> tuple[AccessChanges, list[list[Row]]]:
        is_quick = not self.waits and not statements  # no statement that could take long
        if is_quick or traces.CURRENT.get() is None:
            return await self._inner.read_with_changes(since, statements)
        texts = _joined(tuple(compiled.text for compiled, _ in statements))
        attributes = self._attributes(texts, len(statements) + 1)
        with traces.span("read the changes of access", Kind.CLIENT, attributes, expected=ConditionFailed):
            return await self._inner.read_with_changes(since, statements)

    @asynccontextmanager
    async def snapshot(self, *, freshness: Freshness) -> AsyncIterator[Read]:
        async with self._inner.snapshot(freshness=freshness) as read:

            async def traced(statements: Sequence[BoundStatement]) -> list[list[Row]]:
                with self._span(statements):
                    return await read(statements)

            yield traced

    def write(self, *, dry_run: bool = False, is_large: bool = False) -> AbstractAsyncContextManager[Transaction]:
        return _TracedWrite(self._inner.write(dry_run=dry_run, is_large=is_large), self, undoes=dry_run)

    def control(self, word: str) -> AbstractContextManager[None]:
        """Record the block as the span of a statement that controls a transaction."""
        if traces.CURRENT.get() is None:
            return nullcontext()
        return traces.span(word, Kind.CLIENT, self._attributes(word))

    async def send(self, send: Callable[..., Awaitable[Any]], text: str, arguments: Any) -> Any:
        """Send a statement of a transaction."""
        if traces.CURRENT.get() is None:
            return await send(text, arguments)
        with traces.span(_summary(text), Kind.CLIENT, self._attributes(_joined((text,)))):
            return await send(text, arguments)

    def _span(self, statements: Sequence[BoundStatement]) -> AbstractContextManager[None]:
        """Record the block as the span of a read."""
        if not statements or traces.CURRENT.get() is None:
            return nullcontext()
        texts = tuple(compiled.text for compiled, _ in statements)
        attributes = self._attributes(_joined(texts), len(texts))
        return traces.span(_summary(texts[0]), Kind.CLIENT, attributes, expected=ConditionFailed)

    def _attributes(self, texts: str = "", number: int = 1) -> dict[str, Value]:
        attributes: dict[str, Value] = {"db.system.name": self._system}
        if texts:
            attributes[traces.QUERY_TEXT] = texts
        if number > 1:
            attributes["db.operation.batch.size"] = number
        return attributes


class _TracedWrite(AbstractAsyncContextManager[Transaction]):
    """A transaction whose begin, statements and end are spans."""

    def __init__(self, slot: AbstractAsyncContextManager[Transaction], database: TracedDatabase, undoes: bool) -> None:
        self._slot, self._database, self._undoes = slot, database, undoes
        self._transaction: Transaction | None = None

    async def __aenter__(self) -> Transaction:
        with self._database.control("BEGIN"):
            self._transaction = await self._slot.__aenter__()
        if traces.CURRENT.get() is not None:
            self._transaction.observe(self._database.send)
        return self._transaction

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool | None:
        assert self._transaction is not None
        undoes = self._undoes or kind is not None or self._transaction.is_undone
        with self._database.control("ROLLBACK" if undoes else "COMMIT"):
            return await self._slot.__aexit__(kind, error, trace)


@lru_cache(CACHED)
def _joined(texts: tuple[str, ...]) -> str:
    """Return the statements as one text of at most `MAX_TEXT` characters, which all their spans share."""
    text = "; ".join(texts)
    return text if len(text) <= MAX_TEXT else f"{text[: MAX_TEXT - 3]}..."


@lru_cache(CACHED)
def _summary(text: str) -> str:
    """Return the operation of a statement with its table, as in `SELECT users`; the operation alone without a table."""
    outer, inner = _PARENTHESES.sub(" ", text), text
    while outer != inner:
        outer, inner = _PARENTHESES.sub(" ", outer), outer
    match = _SUMMARY.match(outer)
    return " ".join(filter(None, match.groups())) if match else text.split(maxsplit=1)[0]
