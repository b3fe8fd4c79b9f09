"""Tickets for uploads and downloads, and the stored bytes of each org."""

import sqlalchemy as sa
from alembic import op

from app.db.tables import KeyText, UTCDateTime

revision = "0003"
down_revision = "0002"

TOTALS = """
UPDATE orgs SET size_bytes = coalesce((SELECT sum(size_bytes) FROM resources WHERE resources.org_id = orgs.id), 0)
"""


def upgrade() -> None:
    """Create the table, and compute the stored bytes of existing orgs."""
    op.add_column("orgs", sa.Column("size_bytes", sa.BigInteger, nullable=False, server_default="0"))
    op.execute(TOTALS)
    op.create_table(
        "tickets",
        sa.Column("key", KeyText, nullable=False),
        sa.Column("resource_id", sa.Integer, nullable=False),
        sa.Column("org_id", sa.Integer, nullable=False),
        sa.Column("user_id", sa.Integer),
        sa.Column("is_upload", sa.Boolean, nullable=False),
        sa.Column("bytes", sa.BigInteger, nullable=False),
        sa.Column("stage", sa.Integer, nullable=False),
        sa.Column("created_at", UTCDateTime, nullable=False),
        sa.Column("expires_at", UTCDateTime, nullable=False),
        sa.Column("final_bytes", sa.BigInteger),
        sa.Column("replaced_bytes", sa.BigInteger),
        sa.ForeignKeyConstraint(["resource_id"], ["resources.id"], name="fk_tickets_resource_id", ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["user_id"], ["users.id"], name="fk_tickets_user_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("key", name="pk_tickets"),
    )
    op.create_index("ix_tickets_expires_at", "tickets", ["expires_at"])
    op.create_index(
        "ix_tickets_org_id_is_upload_stage_expires_at", "tickets", ["org_id", "is_upload", "stage", "expires_at"]
    )
    op.create_index("ix_tickets_resource_id", "tickets", ["resource_id"])
    op.create_index("ix_tickets_user_id", "tickets", ["user_id"])
