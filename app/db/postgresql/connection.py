"""The connection class of PostgreSQL: prepared statements, combined reads, and BEGIN without its own round trip."""

import asyncio
import re
import struct
from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any

import asyncpg

from app.caching import WeightedLRU
from app.db.interface import STATEMENTS_CACHED, Below, BoundStatement, ConditionFailed, count_statements
from app.db.postgresql.joined_writes import JoiningTransport
from app.db.postgresql.wal_position import Cluster, Replayed
from app.db.statements import CONDITION_FAILED, CompiledStatement, Row

READ_SECONDS = 15.0
"""Timeout of one read."""

COMMIT_SECONDS = 60.0
"""Timeout of a commit, with the writes that are sent with it."""

PREPARED_PER_CONNECTION = 512
"""Number of prepared statements per connection; each takes memory of the server."""

OUTDATED = (asyncpg.InvalidCachedStatementError, asyncpg.OutdatedSchemaCacheError)
"""Exceptions of a prepared statement whose tables have changed."""

KEYS = "keys"
"""Name of the bind parameter of the keys of a statement."""

MAX_JOINED = 6
"""Statements of a combined one that are arrays of columns. They are a join, which takes long to plan for more."""

READ = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
CHANGE = "BEGIN"
COMMIT = "COMMIT"
ROLLBACK = "ROLLBACK"

Sent = tuple[str, Sequence[Any]]
"""The text of a statement, and its arguments."""


_BIND = struct.Struct("!hh").pack
_LENGTH = struct.Struct("!i").pack
_NULL = _LENGTH(-1)
_EXECUTE = b"E" + _LENGTH(9) + b"\0" + _LENGTH(0)


@lru_cache
def _start_unread(text: str) -> bytes:
    """Return the messages Parse, Bind and Execute of a statement. Without Sync the server does not respond yet."""
    if not text:
        return b""
    body = b"\0" + text.encode() + b"\0\0\0"
    return b"P" + _LENGTH(len(body) + 4) + body + _execute_unread("", ())


def _execute_unread(name: str, arguments: Sequence[Any]) -> bytes:
    """Return the messages Bind and Execute of a prepared statement, with its arguments as text."""
    values = b"".join(map(_argument, arguments))
    body = b"\0" + name.encode() + b"\0" + _BIND(0, len(arguments)) + values + b"\0\0"
    return b"B" + _LENGTH(len(body) + 4) + body + _EXECUTE


_AS_TEXT = frozenset({type(None), bool, int, str, datetime})
"""Types of arguments that PostgreSQL reads as Python writes them."""


MAX_KEYS = 100
"""Keys of a statement that is sent before another one. With more it may take long, so it has a timeout of its own."""


def can_be_unread(arguments: Sequence[Any]) -> bool:
    """Return whether a statement with these arguments can be sent before another one."""
    return all(type(each) in _AS_TEXT or _are_few_keys(each) for each in arguments)


def _are_few_keys(value: Any) -> bool:
    return type(value) is list and len(value) <= MAX_KEYS and all(type(each) is int for each in value)


def _argument(value: Any) -> bytes:
    if value is None:
        return _NULL
    text = f"{{{','.join(map(str, value))}}}" if type(value) is list else str(value)
    encoded = text.encode()
    return _LENGTH(len(encoded)) + encoded


class PostgresConnection(asyncpg.Connection):
    """A connection with its prepared statements, which can send several of them in one round trip."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._prepared: WeightedLRU[str, Any] = WeightedLRU(PREPARED_PER_CONNECTION)
        self.cluster: Cluster | None = None
        """Identity of the tables, where there are replicas."""
        self.replayed: Replayed | None = None
        """The last position that a replica is known to have replayed."""
        self.keeps_statements = True
        """False behind a pooler, which may run each transaction on another connection of its own."""

    def use_loop(self, loop: asyncio.AbstractEventLoop) -> None:
        """Use an event loop after connecting by a `JoiningLoop`: asyncpg looks up the tasks of its loop."""
        self._loop = loop

    async def rows(
        self,
        text: str,
        arguments: Sequence[Any],
        *,
        begin: str = "",
        before: Sequence[Sent] = (),
        timeout: float | None = None,  # noqa: ASYNC109 - of asyncpg
    ) -> Sequence[Any]:
        """Execute a statement, after one that begins a transaction and others that return no rows.

        asyncpg has no pipeline mode. But if statements without rows are sent immediately before a prepared statement,
        asyncpg reads the server's responses to them as a part of that statement's response. An error of any of them is
        raised as an error of the statement, which is not executed then.
        """
        if begin and not (self.keeps_statements and self._are_prepared(text, before)):
            await self.execute(begin)  # asyncpg does not end the transaction in which it prepares a statement
            begin = ""
        if not self.keeps_statements:
            for each in before:
                await self.fetch(each[0], *each[1], timeout=timeout)
            unprepared: Sequence[Any] = await self.fetch(text, *arguments, timeout=timeout)
            return unprepared
        prepared = self._prepared.get(text) or await self._prepare_kept(text)
        unread = _start_unread(begin)
        for each in before:
            unread += _execute_unread(await self._name_of(each[0]), each[1])
        try:
            return await self._fetch_after(unread, prepared, arguments, timeout)
        except OUTDATED:
            for outdated in (text, *(each[0] for each in before)):
                self._prepared.discard(outdated)
            raise

    def _are_prepared(self, text: str, before: Sequence[Sent]) -> bool:
        return all(self._prepared.peek(each) is not None for each in (text, *(sent[0] for sent in before)))

    async def commit(self, before: Sequence[Sent]) -> str:
        """Commit after the given statements; return the status, which is `COMMIT` if nothing has failed."""
        if before and self.keeps_statements:
            await self.rows(COMMIT, (), before=before, timeout=COMMIT_SECONDS)
            committed = self._prepared.get(COMMIT)
            assert committed is not None
            return str(committed.get_statusmsg())
        if before:
            *before, (text, arguments) = before
            await self.rows(text, arguments, before=before)
        return str(await self.execute(COMMIT, timeout=COMMIT_SECONDS))

    async def _fetch_after(
        self, unread: bytes, prepared: Any, arguments: Sequence[Any], seconds: float | None
    ) -> Sequence[Any]:
        """Fetch the rows of a prepared statement, and send messages before it whose answers nobody reads."""
        transport: Any = self._transport  # type: ignore[attr-defined]  # the stubs leave it out
        joins = type(transport) is JoiningTransport
        if unread:
            if self.is_closed():  # asyncpg says so only after the write, which fails in another way
                raise asyncpg.InterfaceError("connection is closed")
            (transport.hold if joins else transport.write)(unread)
        try:
            rows: Sequence[Any] = await prepared.fetch(*arguments, timeout=seconds)
        except asyncpg.PostgresError as error:
            if unread and getattr(error, "severity", None) is None:
                self.terminate()  # asyncpg refused an argument, so the server still waits for the end of the messages
            raise
        finally:
            if joins:
                transport.release()
        return rows

    async def _prepare_kept(self, text: str) -> Any:
        self._prepared.put(text, prepared := await self.prepare(text))
        return prepared

    async def _name_of(self, text: str) -> str:
        """Return the name that a statement has on the server, and prepare it first if it has none."""
        prepared = self._prepared.get(text) or await self._prepare_kept(text)
        name: str = prepared.get_name()
        return name

    async def fetch_all(
        self,
        statements: Sequence[BoundStatement],
        below: Below = (),
        *,
        begins: bool = False,
    ) -> list[list[Row]]:
        """Execute several SELECT statements in one round trip, combined into one prepared statement.

        The keys of those `below` are a column of the rows of the first one. The caller counts those that have a key.
        Raises ConditionFailed if the last one is a condition and fails; it is checked first, and has no rows.
        """
        count_statements(len(statements))
        options: dict[str, Any] = {"begin": READ if begins else "", "timeout": READ_SECONDS}
        if not statements or not statements[-1][0].is_condition:
            return await self._fetch_combined(statements, below, **options)
        *others, (compiled, values) = statements
        condition = compiled.text, compiled.arguments(values)
        try:
            if not others:
                await self.rows(*condition, **options)
                return [[]]
            rows = await self._fetch_combined(others, below, before=[condition], **options)
        except asyncpg.InvalidTextRepresentationError as error:
            if CONDITION_FAILED in str(error):
                raise ConditionFailed from error
            raise
        rows.insert(len(others), [])
        return rows

    async def _fetch_combined(
        self,
        statements: Sequence[BoundStatement],
        below: Below,
        **options: Any,
    ) -> list[list[Row]]:
        arguments = [compiled.arguments(values) for compiled, values in statements]
        if len(arguments) == 1 and not below:
            return [statements[0][0].rows(await self.rows(statements[0][0].text, arguments[0], **options))]
        if not arguments:
            return []
        places = tuple((bound[0].names.index(KEYS), columns) for bound, columns in below)
        for ((compiled, values), _), (keys_at, _) in zip(below, places, strict=True):
            own = compiled.arguments(values)
            arguments.append([*own[:keys_at], *own[keys_at + 1 :]])
        every = [compiled for compiled, _ in (*statements, *(bound for bound, _ in below))]
        widths = _array_widths(every)
        text = _combine(tuple(compiled.text for compiled in every), widths, places)
        (row,) = await self.rows(text, [each for values in arguments for each in values], **options)
        return [compiled.rows(rows) for compiled, rows in zip(every, _separate(row, widths), strict=True)]


def _array_widths(statements: Sequence[CompiledStatement]) -> tuple[int | None, ...]:
    """Return the number of columns of those statements that are arrays of columns, None of the others."""
    widths: list[int | None] = []
    for compiled in statements:
        is_full = sum(width is not None for width in widths) >= MAX_JOINED
        widths.append(None if is_full else compiled.width)
    return tuple(widths)


def _separate(row: Any, widths: Sequence[int | None]) -> Iterator[Sequence[Any]]:
    """Yield the rows of each statement of a combined one."""
    at = 0
    for width in widths:
        if width is not None:
            columns = row[at : at + width]
            yield [] if columns[0] is None else [*zip(*columns, strict=True)]
        else:
            yield row[at]
        at += width or 1


_VALUE = re.compile(r"\$(\d+)")


@lru_cache(STATEMENTS_CACHED)
def _combine(
    texts: tuple[str, ...], widths: tuple[int | None, ...], below: tuple[tuple[int, tuple[int, ...]], ...] = ()
) -> str:
    """Return one statement that selects one row of arrays: an array for each column of each statement.

    A statement whose `width` is None is one array of records, which takes longer. Both array_agg and ARRAY(SELECT …)
    preserve the order of the rows.

    The last statements are `below` the first one: each has the position of its keys among the parameters, and the
    columns of the first statement that select the keys (see `Database.read_joined`).
    """
    parts, before = [], 0
    above = len(texts) - len(below)
    for text in texts[:above]:
        parts.append(_shift_parameters(text, before))
        before += _number_of_parameters(text)
    parent = f"WITH parent AS MATERIALIZED ({parts[0]}) " if below else ""
    if below:
        parts[0] = "SELECT * FROM parent"
    for text, (keys_at, columns) in zip(texts[above:], below, strict=True):
        is_key = " AND ".join(f"c{column} IS NOT NULL" for column in columns)
        keys = f"ARRAY(SELECT DISTINCT c{columns[0]} FROM parent WHERE {is_key})"  # noqa: S608 - numbers
        parts.append(_shift_parameters(text, before, keys_at + 1, keys))
        before += _number_of_parameters(text) - 1
    selected, sources = [], []
    for at, (part, width) in enumerate(zip(parts, widths, strict=True)):
        arrays, source = _arrays(part, width, at)
        selected.append(arrays)
        sources += source
    return f"{parent}SELECT {', '.join(selected)}{' FROM ' * bool(sources)}{', '.join(sources)}"  # noqa: S608 - of ours


def _arrays(text: str, width: int | None, at: int) -> tuple[str, list[str]]:
    """Return what is selected for a statement, and the sources that it is selected from."""
    if width is None:
        return f"ARRAY(SELECT q FROM ({text}) AS q)", []  # noqa: S608 - a statement of ours
    names = [f"a{column}" for column in range(width)]
    arrays = ", ".join(f"array_agg({name}) AS {name}" for name in names)
    return f"s{at}.*", [f"(SELECT {arrays} FROM ({text}) AS q({', '.join(names)})) AS s{at}"]  # noqa: S608 - of ours


def _number_of_parameters(text: str) -> int:
    return max(map(int, _VALUE.findall(text)), default=0)


def _shift_parameters(text: str, by: int, replaced: int = 0, value: str = "") -> str:
    """Return the text with the numbers of its bind parameters increased, and a value for one that is `replaced`."""

    def shift(match: re.Match[str]) -> str:
        number = int(match[1])
        return value if number == replaced else f"${number + by - (0 < replaced < number)}"

    return _VALUE.sub(shift, text)
