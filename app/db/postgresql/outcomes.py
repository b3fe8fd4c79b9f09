"""Lookup of the outcome of a PostgreSQL transaction whose connection was lost during the commit."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

import asyncpg

from app.domain.errors import OutcomeUnknown

MAX_SECONDS = 10.0
"""Seconds after which the lookup gives up."""

FIRST_PAUSE_SECONDS = 0.05
MAX_PAUSE_SECONDS = 1.0
"""Seconds between two lookups, first and at most: a transaction is in progress until its server process ends."""

STATUS = "SELECT pg_xact_status($1::text::xid8)"

AWAY = (OSError, asyncpg.PostgresConnectionError, asyncpg.OperatorInterventionError, asyncpg.TooManyConnectionsError)
"""Exceptions while the server is not yet available again."""

Connect = Callable[[], Awaitable[Any]]


async def was_committed(connect: Connect, xid: str | None, error: Exception) -> bool:
    """Return whether a transaction was committed; raises OutcomeUnknown if the lookup does not succeed in time."""
    unknown = OutcomeUnknown(
        "The connection to the database was lost during the commit, and it is unknown whether the change was made."
        " Reload the data before you try again."
    )
    if xid is None:
        raise unknown from error
    try:
        async with asyncio.timeout(MAX_SECONDS):
            status = await _final_status(connect, xid)
    except TimeoutError:
        raise unknown from error
    if status not in ("committed", "aborted"):
        raise unknown from error
    return status == "committed"


async def _final_status(connect: Connect, xid: str) -> str | None:
    """Return the status once the transaction has ended; None for one that the server does not know."""
    pause = FIRST_PAUSE_SECONDS
    while True:
        with suppress(*AWAY):
            if (status := await _status(connect, xid)) != "in progress":
                return status
        await asyncio.sleep(pause)
        pause = min(2 * pause, MAX_PAUSE_SECONDS)


async def _status(connect: Connect, xid: str) -> str | None:
    connection = await connect()
    try:
        status: str | None = await connection.fetchval(STATUS, xid)
    except asyncpg.InvalidParameterValueError:  # the id is in the future: this is another server
        return None
    finally:
        connection.terminate()
    return status
