"""Indexes of what has an end, so that the server finds what ended long ago."""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"

TABLES = ("api_tokens", "grants", "group_members", "org_members")


def upgrade() -> None:
    """Create the indexes. Rows without an end, which are most, have no entry."""
    has_end = sa.text("expires_at IS NOT NULL")
    for table in TABLES:
        op.create_index(f"ix_{table}_expires_at", table, ["expires_at"], sqlite_where=has_end, postgresql_where=has_end)
