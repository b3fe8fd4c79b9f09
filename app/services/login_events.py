"""The audit event of a sign-in, with the times of the previous sign-in and of this one."""

from collections.abc import Sequence

from app.db import Transaction
from app.db.statements import Row
from app.db.types import format_instant
from app.services import audit

LAST_LOGIN = 8
"""The column of `session_statements.USER_WITH_ROLES` with the moment of the last sign-in."""


def note_login(tx: Transaction, user_id: int, user_name: str, rows: Sequence[Row]) -> None:
    """Record a sign-in at the time of the transaction; `rows` are those of the user with their roles."""
    last = rows[0][LAST_LOGIN]
    # Equal values would make no event, and the sign-in would not be recorded: the clock may not have advanced.
    before = None if last == tx.now else {"lastLoginAt": last and format_instant(last)}
    audit.note(tx, audit.USER, user_id, {"lastLoginAt": format_instant(tx.now)}, before, name=user_name)
