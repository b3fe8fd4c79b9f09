"""The audit log, which triggers of the database make append-only."""

import sqlalchemy as sa
from alembic import op

from app.db.tables import JSONDocument, KeyText, UTCDateTime

revision = "0004"
down_revision = "0003"

TABLES = ("audit_events", "audit_changes")
REFUSAL = "the audit log is append-only"

ON_POSTGRESQL = f"""
CREATE FUNCTION refuse_audit_change() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION '{REFUSAL}' USING ERRCODE = 'restrict_violation'; END $$
"""


def upgrade() -> None:
    """Create the tables and the triggers that make them append-only."""
    _events()
    _changes()
    if op.get_bind().dialect.name == "postgresql":
        op.execute(ON_POSTGRESQL)
        for table in TABLES:
            op.execute(
                f"CREATE TRIGGER {table}_stay BEFORE UPDATE OR DELETE OR TRUNCATE ON {table}"
                " FOR EACH STATEMENT EXECUTE FUNCTION refuse_audit_change()"
            )
        return
    for table in TABLES:
        for operation in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER {table}_stay_{operation.lower()} BEFORE {operation} ON {table}"
                f" BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END"
            )


def _events() -> None:
    op.create_table(
        "audit_events",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("at", UTCDateTime, nullable=False),
        sa.Column("actor_id", sa.Integer),
        sa.Column("actor_name", sa.Text),
        sa.Column("actor_key", KeyText),
        sa.Column("face", KeyText, nullable=False),
        sa.Column("address", sa.Text),
        sa.Column("request_id", sa.Text),
        sa.Column("action", KeyText, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_audit_events"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_audit_events_action_at_id", "audit_events", ["action", "at", "id"])
    op.create_index("ix_audit_events_actor_key_at_id", "audit_events", ["actor_key", "at", "id"])
    op.create_index("ix_audit_events_at_id", "audit_events", ["at", "id"])


def _changes() -> None:
    op.create_table(
        "audit_changes",
        sa.Column("id", sa.Integer, nullable=False),
        sa.Column("event_id", sa.Integer, nullable=False),
        sa.Column("at", UTCDateTime, nullable=False),
        sa.Column("kind", KeyText, nullable=False),
        sa.Column("key", sa.Integer, nullable=False),
        sa.Column("subject", KeyText, nullable=False),
        sa.Column("name", KeyText, nullable=False),
        sa.Column("before", JSONDocument),
        sa.Column("after", JSONDocument),
        sa.ForeignKeyConstraint(["event_id"], ["audit_events.id"], name="fk_audit_changes_event_id"),
        sa.PrimaryKeyConstraint("id", name="pk_audit_changes"),
        sqlite_autoincrement=True,
    )
    op.create_index("ix_audit_changes_event_id_name_id", "audit_changes", ["event_id", "name", "id"])
    op.create_index("ix_audit_changes_subject_at_event_id", "audit_changes", ["subject", "at", "event_id"])
