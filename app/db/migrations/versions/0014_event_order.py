"""Make the ids of audit events follow the order of commits, and index the log by id.

On PostgreSQL a statement that inserts events first acquires the lock `FEED_LOCK`, shared, until its transaction ends.
A reader takes the last value of the sequence and waits for the transactions that have the lock. After that, no event up
to this value can still be committed. SQLite has one writer, so its ids are already in order.
"""

from alembic import op

revision = "0014"
down_revision = "0013"

FEED_LOCK = 0x6F73_7401
"""Key of the advisory lock, below 2^32: "ost" in ASCII, then 1."""

EVENTS = "audit_events"
INDEXES = (
    ("ix_audit_events_action_at_id", "ix_audit_events_action_id", EVENTS, ["action", "id"]),
    ("ix_audit_events_actor_key_at_id", "ix_audit_events_actor_key_id", EVENTS, ["actor_key", "id"]),
    (
        "ix_audit_changes_subject_at_event_id",
        "ix_audit_changes_subject_event_id",
        "audit_changes",
        ["subject", "event_id"],
    ),
)

HOLD = f"""
CREATE FUNCTION hold_event_order() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN PERFORM pg_advisory_xact_lock_shared({FEED_LOCK}); RETURN NULL; END $$
"""

# pg_locks is read after the sequence, since a transaction acquires the lock before it takes a value.
SETTLED = """
CREATE FUNCTION settled_event(seconds double precision) RETURNS bigint LANGUAGE plpgsql AS
$$
DECLARE
    last bigint;
    holders text[];
    until timestamptz := clock_timestamp() + make_interval(secs => seconds);
BEGIN
    SELECT last_value INTO last FROM audit_events_id_seq;
    holders := ARRAY(SELECT virtualtransaction FROM event_writers);
    WHILE cardinality(holders) > 0 LOOP
        IF clock_timestamp() > until THEN RETURN NULL; END IF;
        PERFORM pg_sleep(0.002);
        holders := ARRAY(SELECT virtualtransaction FROM event_writers WHERE virtualtransaction = ANY(holders));
    END LOOP;
    RETURN last;
END
$$
"""

WRITERS = f"""
CREATE VIEW event_writers AS
SELECT virtualtransaction FROM pg_locks
WHERE locktype = 'advisory' AND classid = 0 AND objid = {FEED_LOCK} AND objsubid = 1 AND granted
AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""  # noqa: S608 - of constants


def upgrade() -> None:
    """Replace the indexes; on PostgreSQL also create the trigger and the function for readers."""
    for old, new, table, columns in INDEXES:
        op.drop_index(old, table)
        op.create_index(new, table, columns)
    if op.get_bind().dialect.name != "postgresql":
        return
    for statement in (WRITERS, SETTLED, HOLD):
        op.execute(statement)
    op.execute(
        f"CREATE TRIGGER {EVENTS}_order BEFORE INSERT ON {EVENTS}"
        " FOR EACH STATEMENT EXECUTE FUNCTION hold_event_order()"
    )
