"""Record a changed row of access only if a column changes that decides: not for a new name or time of a resource.

An edited resource dropped its cached decisions, and wrote a row for each of its entries.
"""

from collections.abc import Sequence

from alembic import op

revision = "0021"
down_revision = "0020"

MOST = 1_000
EVERYTHING = 0
"""The numbers of migration 0020."""

USER, RESOURCE = "2 * {}", "2 * {} + 1"

DECIDING = (
    (
        "access",
        RESOURCE.format("{}resource_id"),
        ("resource_id", "subject", "granted", "mask", "type_id", "expires_at"),
    ),
    ("orgs", USER.format("{}owner_id"), ("id", "owner_id")),
    ("roles", str(EVERYTHING), ("id", "name_key", "permissions")),
)
"""The tables with other columns too: the scope of a row, and its columns that decide, with those of its key.

The name key of a role decides too: that of `deactivated`.
"""


def upgrade() -> None:
    """Replace the triggers of updates."""
    for table, scope, columns in DECIDING:
        if op.get_bind().dialect.name == "sqlite":
            _on_sqlite(table, scope, columns)
        else:
            _on_postgresql(table, scope, columns)


def _on_sqlite(table: str, scope: str, columns: Sequence[str]) -> None:
    name = f"{table}_changes_access_update"
    scopes = " UNION ".join(f"SELECT {scope.format(f'{row}.')} AS scope" for row in ("OLD", "NEW"))
    op.execute(f"DROP TRIGGER {name}")
    op.execute(
        f"CREATE TRIGGER {name} AFTER UPDATE OF {', '.join(columns)} ON {table} BEGIN"  # noqa: S608 - of constants
        f" INSERT INTO access_changes (scope) SELECT scope FROM ({scopes}) WHERE scope IS NOT NULL; END"
    )


def _on_postgresql(table: str, scope: str, columns: Sequence[str]) -> None:
    """Replace the function of the trigger, which has the rows of the whole statement and no list of columns."""
    before, now = (f"SELECT {', '.join(columns)} FROM {rows}" for rows in ("before", "now"))  # noqa: S608 - of constants
    differing = f"({before} EXCEPT {now}) UNION ALL ({now} EXCEPT {before})"
    scopes = f"SELECT {scope.format('')} FROM ({differing}) AS differing"  # noqa: S608 - of constants
    op.execute(
        f"CREATE OR REPLACE FUNCTION {table}_changes_access_update() RETURNS trigger LANGUAGE plpgsql AS $$"
        f" {_body(scopes)} $$"
    )


def _body(scopes: str) -> str:
    return f"""
DECLARE
    scopes bigint[] := ARRAY(
        SELECT DISTINCT scope FROM ({scopes}) AS rows (scope) WHERE scope IS NOT NULL LIMIT {MOST + 1}
    );
BEGIN
    IF cardinality(scopes) > {MOST} THEN scopes := ARRAY[{EVERYTHING}]; END IF;
    IF cardinality(scopes) > 0 THEN
        INSERT INTO access_changes (scope, xid) SELECT unnest(scopes), pg_current_xact_id()::text::bigint;
    END IF;
    RETURN NULL;
END
"""  # noqa: S608 - of constants
