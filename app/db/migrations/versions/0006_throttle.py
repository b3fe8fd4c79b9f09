"""Counters of wrong passwords, shared by all workers."""

import sqlalchemy as sa
from alembic import op

from app.db.tables import KeyText, UTCDateTime

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "guesses",
        sa.Column("key", KeyText, nullable=False),
        sa.Column("failures", sa.Integer, nullable=False),
        sa.Column("free_at", UTCDateTime, nullable=False),
        sa.Column("known_until", UTCDateTime),
        sa.Column("kept_until", UTCDateTime, nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_guesses"),
    )
    op.create_index("ix_guesses_kept_until", "guesses", ["kept_until"])
