"""Seals of the audit log, and triggers that let a transaction with a permit change the log.

A permit is a row of `audit_permits` that the transaction itself writes and deletes, so no other one ever sees it.
"""

import sqlalchemy as sa
from alembic import op

from app.db.tables import KeyText, RowId, UTCDateTime

revision = "0016"
down_revision = "0015"

REFUSAL = "the audit log is append-only"
LOG = ("audit_events", "audit_changes")
SEALS = "audit_seals"

ON_POSTGRESQL = f"""
CREATE OR REPLACE FUNCTION refuse_audit_change() RETURNS trigger LANGUAGE plpgsql AS
$$
BEGIN
    IF TG_OP = 'TRUNCATE' OR NOT EXISTS (SELECT FROM audit_permits) THEN
        RAISE EXCEPTION '{REFUSAL}' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NULL;
END
$$
"""


def upgrade() -> None:
    """Create the tables. The seals are as protected as the log, and are never deleted."""
    op.create_table(
        SEALS,
        sa.Column("number", RowId, nullable=False, autoincrement=False),
        sa.Column("first_event", RowId, nullable=False),
        sa.Column("last_event", RowId, nullable=False),
        sa.Column("events", sa.Integer, nullable=False),
        sa.Column("digest", KeyText, nullable=False),
        sa.Column("previous", KeyText, nullable=False),
        sa.Column("hash", KeyText, nullable=False),
        sa.Column("sealed_at", UTCDateTime, nullable=False),
        sa.Column("entries", sa.LargeBinary, nullable=False),
        sa.Column("amended_at", UTCDateTime),
        sa.Column("is_rewritten", sa.Boolean, nullable=False),
        sa.Column("key_id", KeyText, nullable=False),
        sa.Column("signature", KeyText, nullable=False),
        sa.PrimaryKeyConstraint("number", name="pk_audit_seals"),
    )
    op.create_index("ix_audit_seals_last_event", SEALS, ["last_event"])
    op.create_table(
        "audit_permits",
        sa.Column("number", RowId, nullable=False, autoincrement=False),
        sa.PrimaryKeyConstraint("number", name="pk_audit_permits"),
    )
    if op.get_bind().dialect.name == "postgresql":
        _on_postgresql()
        return
    for table in LOG:
        for operation in ("UPDATE", "DELETE"):
            op.execute(f"DROP TRIGGER {table}_stay_{operation.lower()}")
            _refuse_on_sqlite(table, operation, " WHEN NOT EXISTS (SELECT 1 FROM audit_permits)")
    _refuse_on_sqlite(SEALS, "UPDATE", " WHEN NOT EXISTS (SELECT 1 FROM audit_permits)")
    _refuse_on_sqlite(SEALS, "DELETE", "")


def _refuse_on_sqlite(table: str, operation: str, condition: str) -> None:
    op.execute(
        f"CREATE TRIGGER {table}_stay_{operation.lower()} BEFORE {operation} ON {table}{condition}"
        f" BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END"
    )


def _on_postgresql() -> None:
    op.execute(ON_POSTGRESQL)
    op.execute(
        "CREATE FUNCTION refuse_seal_change() RETURNS trigger LANGUAGE plpgsql AS"
        f" $$ BEGIN RAISE EXCEPTION '{REFUSAL}' USING ERRCODE = 'restrict_violation'; END $$"
    )
    for event, function in (("UPDATE", "refuse_audit_change"), ("DELETE OR TRUNCATE", "refuse_seal_change")):
        name = f"{SEALS}_stay_{event.partition(' ')[0].lower()}"
        op.execute(f"CREATE TRIGGER {name} BEFORE {event} ON {SEALS} FOR EACH STATEMENT EXECUTE FUNCTION {function}()")
