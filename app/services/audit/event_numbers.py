"""The numbers of events after a backup is restored: none is given again, so that no reader of the feed misses an event.

A reader continues after the number of the last event that it has read. A restored backup begins with smaller numbers.
"""

from datetime import UTC, datetime, timedelta

from sqlalchemy import text

from app.db import Transaction

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_ADVANCE = {
    "sqlite": (
        "INSERT INTO sqlite_sequence (name, seq)"
        " SELECT 'audit_events', 0 WHERE NOT EXISTS (SELECT * FROM sqlite_sequence WHERE name = 'audit_events')",
        "UPDATE sqlite_sequence SET seq = max(seq, :number) WHERE name = 'audit_events'",
    ),
    "postgresql": (
        "SELECT setval('audit_events_id_seq', greatest(last_value, CAST(:number AS BIGINT))) FROM audit_events_id_seq",
    ),
}

_MAY_ADVANCE = "SELECT has_sequence_privilege('audit_events_id_seq', 'UPDATE')"


async def advance(tx: Transaction, dialect: str) -> bool:
    """Continue with numbers above all that were ever given; return whether the role of the database may do that.

    The next number is the time in microseconds since 1970. Nobody makes a million changes a second, so it is above
    each number that was given since the first start, or since the last call.
    """
    if dialect == "postgresql" and not await tx.value(text(_MAY_ADVANCE)):
        return False
    number = (tx.now - _EPOCH) // timedelta(microseconds=1)
    for statement in _ADVANCE[dialect]:
        await tx.rows(text(statement), **({"number": number} if ":number" in statement else {}))
    return True
