"""Move ends on the last day of the year 9999 to the day before: that day stands for no end in the order of lists.

The last moment of that day is infinity for PostgreSQL, which Python reads as a time without a zone.
"""

from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op

from app.db.types import UTCDateTime

revision = "0026"
down_revision = "0025"

TABLES = ("grants", "access", "group_members", "org_members", "api_tokens")
LATEST = datetime(9999, 12, 31, tzinfo=UTC)
LAST = datetime(9999, 12, 30, 23, 59, 59, 999999, tzinfo=UTC)


def upgrade() -> None:
    """Replace these ends."""
    for name in TABLES:
        table = sa.table(name, sa.column("expires_at", UTCDateTime()))
        op.execute(table.update().where(table.c.expires_at >= LATEST).values(expires_at=LAST))
