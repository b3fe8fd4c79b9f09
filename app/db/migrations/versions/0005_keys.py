"""Signing keys, API tokens, and service accounts."""

import sqlalchemy as sa
from alembic import op

from app.db.tables import KeyText, UTCDateTime

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Create the tables."""
    _make_keys()
    op.add_column("users", sa.Column("is_service_account", sa.Boolean, nullable=False, server_default=sa.false()))
    _make_tokens()
    _make_limits("api_token_orgs", "org_id", "orgs.id")
    _make_limits("api_token_resources", "resource_id", "resources.id")


def _make_keys() -> None:
    op.create_table(
        "signing_keys",
        sa.Column("kid", KeyText, nullable=False),
        sa.Column("sealed", sa.Text, nullable=False),
        sa.Column("created_at", UTCDateTime, nullable=False),
        sa.Column("retired_at", UTCDateTime),
        sa.Column("ends_at", UTCDateTime),
        sa.PrimaryKeyConstraint("kid", name="pk_signing_keys"),
    )


def _make_tokens() -> None:
    op.create_table(
        "api_tokens",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("user_id", sa.Integer, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("name_key", KeyText, nullable=False),
        sa.Column("prefix", sa.Text, nullable=False),
        sa.Column("hash", KeyText, nullable=False),
        sa.Column("permissions", sa.Integer, nullable=False),
        sa.Column("is_limited", sa.Boolean, nullable=False),
        sa.Column("created_at", UTCDateTime, nullable=False),
        sa.Column("expires_at", UTCDateTime),
        sa.Column("last_used_at", UTCDateTime),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_api_tokens_user_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_api_tokens"),
        sa.UniqueConstraint("hash", name="uq_api_tokens_hash"),
        sa.UniqueConstraint("user_id", "name_key", name="uq_api_tokens_user_id_name_key"),
        sqlite_autoincrement=True,
    )


def _make_limits(table: str, column: str, parent: str) -> None:
    """Create a table for the scope of limited tokens."""
    op.create_table(
        table,
        sa.Column("token_id", sa.Integer, nullable=False),
        sa.Column(column, sa.Integer, nullable=False),
        sa.ForeignKeyConstraint(["token_id"], ["api_tokens.id"], name=f"fk_{table}_token_id", ondelete="CASCADE"),
        sa.ForeignKeyConstraint([column], [parent], name=f"fk_{table}_{column}", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("token_id", column, name=f"pk_{table}"),
    )
    op.create_index(f"ix_{table}_{column}", table, [column])
