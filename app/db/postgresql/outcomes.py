"""Finds out what became of a transaction of PostgreSQL whose connection was lost during its commit."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

import asyncpg

from app.domain.errors import OutcomeUnknown

LONGEST = 10.0
"""Seconds for which the server is asked again and again."""

PAUSE = 0.05
LONGEST_PAUSE = 1.0
"""Seconds between two questions, first and later: a transaction goes on until its server process has ended it."""

STATUS = "SELECT pg_xact_status($1::text::xid8)"

AWAY = (
    OSError,
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.TooManyConnectionsError,
)
"""What is raised while the server is not there again."""

Connect = Callable[[], Awaitable[Any]]


async def was_committed(connect: Connect, xid: str | None, error: Exception) -> bool:
    """Whether a transaction was committed; raises OutcomeUnknown where nobody can tell in time."""
    unknown = OutcomeUnknown(
        "The connection to the database was lost while the change was committed, and whether the change was made"
        " could not be found out. Look before you ask for it again."
    )
    if xid is None:
        raise unknown from error
    try:
        async with asyncio.timeout(LONGEST):
            status = await _final_status(connect, xid)
    except TimeoutError:
        raise unknown from error
    if status not in ("committed", "aborted"):
        raise unknown from error
    return status == "committed"


async def _final_status(connect: Connect, xid: str) -> str | None:
    """The status once the transaction is over; None for one that the server no longer knows, or has never known."""
    pause = PAUSE
    while True:
        with suppress(*AWAY):
            if (status := await _status(connect, xid)) != "in progress":
                return status
        await asyncio.sleep(pause)
        pause = min(2 * pause, LONGEST_PAUSE)


async def _status(connect: Connect, xid: str) -> str | None:
    connection = await connect()
    try:
        found: str | None = await connection.fetchval(STATUS, xid)
    except asyncpg.InvalidParameterValueError:  # it lies in the future: another server than that one answers
        return None
    finally:
        connection.terminate()
    return found
