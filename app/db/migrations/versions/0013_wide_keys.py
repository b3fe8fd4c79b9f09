"""Give every id, and every reference to one, 64 bits on PostgreSQL. On SQLite they already have them.

PostgreSQL rewrites each table; the server starts after that. docs/operations.md has the measured times.
"""

import logging

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"

log = logging.getLogger(__name__)

COLUMNS = {
    "users": ("id",),
    "roles": ("id",),
    "user_roles": ("user_id", "role_id"),
    "orgs": ("id", "owner_id"),
    "org_members": ("org_id", "user_id", "granted_by"),
    "groups": ("id",),
    "group_members": ("group_id", "user_id", "added_by"),
    "resource_types": ("id",),
    "resources": ("id", "org_id", "type_id", "owner_id"),
    "locks": ("resource_id", "user_id"),
    "lock_events": ("id", "resource_id", "user_id"),
    "grants": ("id", "resource_id", "group_id", "user_id"),
    "access": ("resource_id", "type_id"),
    "api_tokens": ("id", "user_id"),
    "api_token_orgs": ("token_id", "org_id"),
    "api_token_resources": ("token_id", "resource_id"),
    "tickets": ("resource_id", "org_id", "user_id"),
    "audit_events": ("id", "actor_id"),
    "audit_changes": ("id", "event_id", "key"),
}

MANY = 1_000_000
"""Number of rows from which the migration logs a warning, since it then takes a minute or more."""


def upgrade() -> None:
    """Widen the columns of ids and their sequences, with one statement per table."""
    if op.get_bind().dialect.name != "postgresql":
        return
    for table, columns in COLUMNS.items():
        _tell_large(table)
        op.execute(f"ALTER TABLE {table} " + ", ".join(f"ALTER COLUMN {column} TYPE bigint" for column in columns))
        if "id" in columns:
            op.execute(f"ALTER SEQUENCE {table}_id_seq AS bigint")


def _tell_large(table: str) -> None:
    estimate = sa.text("SELECT reltuples::bigint FROM pg_class WHERE oid = CAST(:name AS regclass)")
    rows = op.get_bind().execute(estimate, {"name": table}).scalar_one()
    if rows >= MANY:
        log.warning("migration 0013 rewrites table=%s rows=%d", table, rows)
