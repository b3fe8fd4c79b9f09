"""Permissions to see and to ask, for whom a group lists its members, and the names of those who changed something."""

import sqlalchemy as sa
from alembic import op

from app.db.tables import KeyText

revision = "0012"
down_revision = "0010"

EVERYTHING_BEFORE = 255
"""The sum of the permissions that there were: a role or token that carries all of them means all that there are."""

EVERYTHING = 2047

NAMES = (
    ("org_members", "granted_by", "granted_by_name"),
    ("group_members", "added_by", "added_by_name"),
    ("locks", "user_id", "user_name"),
    ("lock_events", "user_id", "user_name"),
)
"""Tables with the id of who did something, and where the name stands that outlives the account."""


def upgrade() -> None:
    """Widen what carries everything, add the columns, and fill in the names of accounts that are there."""
    for table in ("roles", "api_tokens"):
        op.execute(_widened(table))
    op.add_column("groups", sa.Column("members_seen_by", KeyText, nullable=False, server_default="MEMBERS"))
    for table, key, name in NAMES:
        op.add_column(table, sa.Column(name, sa.Text))
        op.execute(_filled(table, key, name))


def _widened(table: str) -> sa.Update:
    """Let what carried every permission carry the new ones too."""
    rows = sa.table(table, sa.column("permissions"))
    return sa.update(rows).where(rows.c.permissions == EVERYTHING_BEFORE).values(permissions=EVERYTHING)


def _filled(table: str, key: str, name: str) -> sa.Update:
    """Copy the user names to where the ids stand."""
    users = sa.table("users", sa.column("id"), sa.column("user_name"))
    rows = sa.table(table, sa.column(key), sa.column(name))
    found = sa.select(users.c.user_name).where(users.c.id == rows.c[key]).scalar_subquery()
    return sa.update(rows).where(rows.c[key].is_not(None)).values({name: found})
