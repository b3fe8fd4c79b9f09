"""Describe the built-in roles `admin` and `deactivated` in plain words, unless an administrator has described them."""

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"

TEXTS = {
    "admin": (
        "Everything. Somebody always holds it.",
        "Has all permissions. At least one active user always has this role.",
    ),
    "deactivated": (
        "Takes everything away: no sign-in, no live token, no access.",
        "Takes everything away: no sign-in, no valid token, no access.",
    ),
}
"""The description of the first migration and the new one, by role."""


def upgrade() -> None:
    """Replace the descriptions that the first migration has stored."""
    statement = sa.text("UPDATE roles SET description = :new WHERE name_key = :role AND description = :old")
    for role, (old, new) in TEXTS.items():
        op.execute(statement.bindparams(role=role, old=old, new=new))
