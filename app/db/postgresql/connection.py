"""The connection class of PostgreSQL: prepared statements, combined reads, and BEGIN without its own round trip."""

import re
import struct
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import asyncpg

from app.caching import WeightedLRU
from app.db.interface import STATEMENTS_CACHED, BoundStatement, count
from app.db.statements import Row

READ_SECONDS = 15.0
"""Timeout of one read."""

PREPARED_PER_CONNECTION = 256
"""Number of prepared statements per connection; each takes memory of the server."""

OUTDATED = (asyncpg.InvalidCachedStatementError, asyncpg.OutdatedSchemaCacheError)
"""Exceptions of a prepared statement whose tables have changed."""

READ = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"


def _start_unread(text: str) -> bytes:
    """Return the messages Parse, Bind and Execute of a statement. Without Sync the server does not respond yet."""
    parts = (
        (b"P", b"\0" + text.encode() + b"\0" + struct.pack("!h", 0)),
        (b"B", b"\0\0" + struct.pack("!hhh", 0, 0, 0)),
        (b"E", b"\0" + struct.pack("!i", 0)),
    )
    return b"".join(kind + struct.pack("!i", len(body) + 4) + body for kind, body in parts)


class PostgresConnection(asyncpg.Connection):
    """A connection with its prepared statements, which can begin a transaction without an additional round trip."""

    _begin = _start_unread(READ)

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._prepared: WeightedLRU[str, Any] = WeightedLRU(PREPARED_PER_CONNECTION)
        self.keeps_statements = True
        """False behind a pooler, which may run each transaction on another connection of its own."""

    async def rows(self, text: str, arguments: Sequence[Any], *, begins: bool = False) -> Sequence[Any]:
        """Execute a statement; `begins` first opens a read-only transaction.

        asyncpg has no pipeline mode. But if BEGIN is sent immediately before a prepared statement, asyncpg reads the
        server's response to it as a part of the statement's response.
        """
        prepared = self._prepared.get(text)
        if begins and prepared is not None:
            self._transport.write(self._begin)  # type: ignore[attr-defined]  # the stubs leave it out
        elif begins:
            await self.execute(READ)
        if not self.keeps_statements:
            unprepared: Sequence[Any] = await self.fetch(text, *arguments, timeout=READ_SECONDS)
            return unprepared
        if prepared is None:
            self._prepared.put(text, prepared := await self.prepare(text))
        try:
            rows: Sequence[Any] = await prepared.fetch(*arguments, timeout=READ_SECONDS)
        except OUTDATED:
            self._prepared.discard(text)
            raise
        return rows

    async def fetch_all(self, statements: Sequence[BoundStatement], *, begins: bool = False) -> list[list[Row]]:
        """Execute several SELECT statements in one round trip, combined into one prepared statement."""
        count(len(statements))
        arguments = [compiled.arguments(values) for compiled, values in statements]
        if len(arguments) == 1:
            raw = [await self.rows(statements[0][0].text, arguments[0], begins=begins)]
        elif arguments:
            text = _combine(tuple(compiled.text for compiled, _ in statements))
            raw = list((await self.rows(text, [each for values in arguments for each in values], begins=begins))[0])
        else:
            raw = []
        return [compiled.rows(rows) for (compiled, _), rows in zip(statements, raw, strict=True)]


_VALUE = re.compile(r"\$(\d+)")


@lru_cache(STATEMENTS_CACHED)
def _combine(texts: tuple[str, ...]) -> str:
    """Return one statement that selects one row of arrays; each array contains the rows of one statement.

    ARRAY(SELECT …) preserves the order of the rows. asyncpg reads each element as a tuple.
    """
    parts, before = [], 0
    for text in texts:
        parts.append(f"ARRAY(SELECT q FROM ({_shift_parameters(text, before)}) AS q)")  # noqa: S608 - statements of ours
        before += max(map(int, _VALUE.findall(text)), default=0)
    return f"SELECT {', '.join(parts)}"


def _shift_parameters(text: str, by: int) -> str:
    """Return the text with the numbers of its bind parameters increased."""
    return _VALUE.sub(lambda match: f"${int(match[1]) + by}", text)
