"""Describe the built-in role `user` in plain words, unless an administrator has written another description."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"


def upgrade() -> None:
    """Replace the description that the first migration has stored."""
    op.execute(
        sa.text(
            "UPDATE roles SET description = 'May create their own organizations.' "
            "WHERE name_key = 'user' AND description LIKE 'May create organizations of % own.'"
        )
    )
