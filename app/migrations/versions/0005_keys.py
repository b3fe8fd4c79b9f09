"""Keys that sign tokens."""

import sqlalchemy as sa
from alembic import op

from app.tables import Instant, Key

revision = "0005"
down_revision = "0003"


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "signing_keys",
        sa.Column("kid", Key, nullable=False),
        sa.Column("sealed", sa.Text, nullable=False),
        sa.Column("created_at", Instant, nullable=False),
        sa.Column("retired_at", Instant),
        sa.Column("ends_at", Instant),
        sa.PrimaryKeyConstraint("kid", name="pk_signing_keys"),
    )
