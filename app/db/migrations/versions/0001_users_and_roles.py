"""Users, roles, the roles of users, and revoked tokens."""

from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op

from app.db.tables import JSONDocument, KeyText, UTCDateTime

revision = "0001"
down_revision = None

BUILT_IN = (
    ("admin", "Everything. Somebody always holds it.", 255),
    ("user", "May create organizations of her own.", 8),
    ("deactivated", "Takes everything away: no sign-in, no live token, no access.", 0),
)


def upgrade() -> None:
    """Create the tables and the three built-in roles."""
    _users()
    roles = _roles()
    _relations()
    now = datetime.now(UTC)
    op.bulk_insert(
        roles,
        [
            {
                "name": name,
                "name_key": name,
                "description": description,
                "permissions": mask,
                "is_built_in": True,
                "created_at": now,
            }
            for name, description, mask in BUILT_IN
        ],
    )


def _users() -> None:
    op.create_table(
        "users",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("user_name", sa.Text, nullable=False),
        sa.Column("user_key", KeyText, nullable=False),
        sa.Column("email", sa.Text),
        sa.Column("email_key", KeyText),
        sa.Column("password_hash", sa.Text),
        sa.Column("token_generation", sa.Integer, nullable=False),
        sa.Column("details", JSONDocument, nullable=False),
        sa.Column("created_at", UTCDateTime, nullable=False),
        sa.Column("last_login_at", UTCDateTime),
        sa.PrimaryKeyConstraint("id", name="pk_users"),
        sa.UniqueConstraint("user_key", name="uq_users_user_key"),
        sa.UniqueConstraint("email_key", name="uq_users_email_key"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_users_created_at_id", "users", ["created_at", "id"])


def _roles() -> sa.Table:
    return op.create_table(
        "roles",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("name_key", KeyText, nullable=False),
        sa.Column("description", sa.Text, nullable=False),
        sa.Column("permissions", sa.Integer, nullable=False),
        sa.Column("is_built_in", sa.Boolean, nullable=False),
        sa.Column("created_at", UTCDateTime, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_roles"),
        sa.UniqueConstraint("name_key", name="uq_roles_name_key"),
        sqlite_autoincrement=True,
    )


def _relations() -> None:
    op.create_table(
        "user_roles",
        sa.Column("user_id", sa.Integer, nullable=False),
        sa.Column("role_id", sa.Integer, nullable=False),
        sa.PrimaryKeyConstraint("user_id", "role_id", name="pk_user_roles"),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_user_roles_user_id", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["role_id"], ["roles.id"], name="fk_user_roles_role_id"),
    )
    op.create_index("ix_user_roles_role_id_user_id", "user_roles", ["role_id", "user_id"])
    op.create_table(
        "revoked_tokens",
        sa.Column("jti", KeyText, nullable=False),
        sa.Column("expires_at", UTCDateTime, nullable=False),
        sa.PrimaryKeyConstraint("jti", name="pk_revoked_tokens"),
    )
    op.create_index("ix_revoked_tokens_expires_at", "revoked_tokens", ["expires_at"])
