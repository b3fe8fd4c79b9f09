"""Password checks in progress, counted beside the wrong passwords."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Add the counts."""
    for name in ("checks", "checks_before", "checks_slot"):
        op.add_column("guesses", sa.Column(name, sa.Integer, nullable=False, server_default="0"))
