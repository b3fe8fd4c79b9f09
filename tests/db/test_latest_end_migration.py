"""A test of the migration that moves the ends on the last day of the year 9999."""

from datetime import UTC, datetime
from typing import Any

from alembic import command
from sqlalchemy import Connection, text

from app.db import migrations
from app.db.migrations import runner
from tests.db.test_name_keys_migration import _run
from tests.db.test_tables import fresh

__all__ = ["fresh"]

LAST_DAY = "9999-12-31T23:59:59.999999+00:00"
ENDS = {1: LAST_DAY, 2: "9999-12-31T00:00:00.000000+00:00", 3: "9999-12-30T00:00:00.000000+00:00", 4: None}
MOVED = datetime(9999, 12, 30, 23, 59, 59, 999999, UTC)


def test_an_end_on_the_last_day_is_the_day_before(fresh: str) -> None:
    def moment(value: str | None) -> Any:
        if value is None or fresh.startswith("sqlite"):
            return value
        return "infinity" if value == LAST_DAY else value

    def make(connection: Connection) -> None:
        command.upgrade(runner._config(connection), "0025")
        created = "'2024-01-01T00:00:00.000000+00:00'"
        connection.execute(
            text(
                "INSERT INTO groups (id, slug, display_name, name_key, description, created_at, revision,"
                f" members_seen_by) VALUES (1, 'g', 'g', 'g', '', {created}, 1, 'MEMBERS')"
            )
        )
        for key, end in ENDS.items():
            connection.execute(
                text(
                    "INSERT INTO users (id, user_name, user_key, token_generation, details, created_at, revision)"
                    f" VALUES ({key}, 'u{key}', 'u{key}', 0, '{{}}', {created}, 1)"
                )
            )
            value = "NULL" if end is None else f"'{moment(end)}'"
            connection.execute(
                text(
                    "INSERT INTO group_members (group_id, user_id, is_manager, added_at, expires_at)"
                    f" VALUES (1, {key}, false, {created}, {value})"
                )
            )

    _run(fresh, make)
    migrations.upgrade(fresh)

    def read(connection: Connection) -> dict[int, Any]:
        rows = connection.execute(text("SELECT user_id, expires_at FROM group_members ORDER BY user_id")).all()
        return {key: datetime.fromisoformat(end) if isinstance(end, str) else end for key, end in rows}

    assert _run(fresh, read) == {1: MOVED, 2: MOVED, 3: datetime(9999, 12, 30, tzinfo=UTC), 4: None}
