"""Revisions of what is edited whole, display names, quotas of orgs, who granted access, and idempotency keys.

A renamed user keeps the key of the first name.
"""

import sqlalchemy as sa
from alembic import op

from app.db.tables import Earliest, JSONDocument, KeyText, RowId, UTCDateTime, or_bound

revision = "0015"
down_revision = "0014"

REVISIONS = (
    ("users", "revision"),
    ("roles", "revision"),
    ("orgs", "revision"),
    ("groups", "revision"),
    ("resources", "edit_revision"),
)


def upgrade() -> None:
    """Add the columns and the table. A user's display key starts as the user name, which has no accents."""
    for table, column in REVISIONS:
        op.add_column(table, sa.Column(column, sa.Integer, nullable=False, server_default="1"))
    op.add_column("orgs", sa.Column("quota_bytes", sa.BigInteger))
    _add_display_names()
    _add_granting_users()
    op.create_table(
        "mutation_keys",
        sa.Column("actor_id", RowId, nullable=False),
        sa.Column("key_hash", KeyText, nullable=False),
        sa.Column("action", KeyText, nullable=False),
        sa.Column("input_hash", KeyText, nullable=False),
        sa.Column("outcome", JSONDocument, nullable=False),
        sa.Column("created_at", UTCDateTime, nullable=False),
        sa.ForeignKeyConstraint(["actor_id"], ["users.id"], name="fk_mutation_keys_actor_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("actor_id", "key_hash", name="pk_mutation_keys"),
    )
    op.create_index("ix_mutation_keys_created_at", "mutation_keys", ["created_at"])


def _add_display_names() -> None:
    users = sa.table("users", sa.column("user_key"), sa.column("display_key"))
    op.add_column("users", sa.Column("account_key", KeyText))
    op.add_column("users", sa.Column("display_name", sa.Text))
    op.add_column("users", sa.Column("display_key", KeyText, nullable=False, server_default=""))
    op.execute(sa.update(users).values(display_key=users.c.user_key))
    op.create_index("ix_users_display_key_id", "users", ["display_key", "id"])
    op.create_index("ix_users_last_login_at_id", "users", [or_bound(sa.column("last_login_at"), Earliest()), "id"])


def _add_granting_users() -> None:
    op.add_column("grants", sa.Column("granted_at", UTCDateTime))
    op.add_column("grants", sa.Column("granted_by", RowId))
    op.add_column("grants", sa.Column("granted_by_name", sa.Text))
