"""Permissions to view, the visibility of group members, and the user names of those who granted or locked."""

import sqlalchemy as sa
from alembic import op

from app.db.tables import KeyText

revision = "0012"
down_revision = "0010"

EVERYTHING_BEFORE = 255
"""All earlier permissions; a role or token with all of them receives the new ones too."""

EVERYTHING = 2047

NAMES = (
    ("org_members", "granted_by", "granted_by_name"),
    ("group_members", "added_by", "added_by_name"),
    ("locks", "user_id", "user_name"),
    ("lock_events", "user_id", "user_name"),
)
"""Tables with the id of an acting user, and the new column of the user name, which outlives the account."""


def upgrade() -> None:
    """Extend complete permission sets, add the columns, and fill in the names of existing users."""
    for table in ("roles", "api_tokens"):
        op.execute(_widened(table))
    op.add_column("groups", sa.Column("members_seen_by", KeyText, nullable=False, server_default="MEMBERS"))
    for table, key, name in NAMES:
        op.add_column(table, sa.Column(name, sa.Text))
        op.execute(_filled(table, key, name))


def _widened(table: str) -> sa.Update:
    """Return an UPDATE that adds the new permissions to sets with all earlier ones."""
    rows = sa.table(table, sa.column("permissions"))
    return sa.update(rows).where(rows.c.permissions == EVERYTHING_BEFORE).values(permissions=EVERYTHING)


def _filled(table: str, key: str, name: str) -> sa.Update:
    """Return an UPDATE that copies the user names of the ids."""
    users = sa.table("users", sa.column("id"), sa.column("user_name"))
    rows = sa.table(table, sa.column(key), sa.column(name))
    user_name = sa.select(users.c.user_name).where(users.c.id == rows.c[key]).scalar_subquery()
    return sa.update(rows).where(rows.c[key].is_not(None)).values({name: user_name})
