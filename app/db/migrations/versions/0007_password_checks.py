"""Counters of password checks in progress."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Add the counters."""
    for name in ("checks", "checks_before", "checks_slot"):
        op.add_column("guesses", sa.Column(name, sa.Integer, nullable=False, server_default="0"))
