"""Ending all sessions, tickets and API tokens, for example after a backup is restored."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, func, select, text

from app.db import Database, Transaction
from app.db.tables import ApiToken, Ticket, User
from app.domain.viewer import SYSTEM
from app.services import audit
from app.services.audit import event_numbers

# Both generators are cryptographically secure; see migration 0008.
_RENEWALS = {
    "sqlite": "UPDATE users SET token_generation = random() & 9223372036854775807",
    "postgresql": "UPDATE users SET token_generation ="
    " ('x' || left(replace(gen_random_uuid()::text, '-', ''), 16))::bit(64)::bigint & 9223372036854775807",
}


@dataclass(frozen=True, slots=True)
class EndedSessions:
    """Numbers of users whose sessions ended, of deleted tickets, and of deleted API tokens.

    `can_miss_events` is true if readers of the audit feed may miss events: the role may not set the number of events.
    """

    users: int
    tickets: int
    api_tokens: int
    can_miss_events: bool = False


async def end_all(database: Database, *, api_tokens: bool = False) -> EndedSessions:
    """End all sessions and tickets, and with `api_tokens` all API tokens, as one audit event.

    The event names no objects, and its number is above all others, also if the data were restored: a client that
    keeps answers by the audit feed learns by it that they may be of changes that do not exist any more.
    """
    async with audit.transaction(database, SYSTEM, "endSessions") as tx:
        is_advanced = await event_numbers.advance(tx, database.dialect.name)
        users = await _count(tx, User)
        await tx.rows(text(_RENEWALS[database.dialect.name]))
        tickets = await _delete_all(tx, Ticket)
        ended = await _delete_all(tx, ApiToken) if api_tokens else 0
    return EndedSessions(users, tickets, ended, can_miss_events=not is_advanced)


async def _count(tx: Transaction, table: Any) -> int:
    return int(await tx.value(select(func.count()).select_from(table)))


async def _delete_all(tx: Transaction, table: Any) -> int:
    number = await _count(tx, table)
    await tx.rows(delete(table))
    return number
