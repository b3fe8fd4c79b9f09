"""Record the commits that change orgs, groups, roles or resource types, so that workers may keep these rows.

The rows of the log have the negative scopes of `app/db/access_changes.py`, which concern no user and no resource.
"""

from alembic import op

revision = "0022"
down_revision = "0021"

TABLES = (
    (
        "orgs",
        -1,
        ("id", "slug", "name", "name_key", "description", "owner_id", "is_public", "quota_bytes", "revision"),
    ),
    ("groups", -2, ("id", "slug", "display_name", "name_key", "description", "members_seen_by", "revision")),
    ("roles", -3, ("id", "name", "name_key", "description", "permissions", "is_built_in", "revision")),
    ("resource_types", -4, ("id", "name", "has_data", "is_built_in")),
)
"""The tables, with their scopes and the columns that workers may keep. The time of a creation never changes.

The size of an org changes with its resources, so workers do not keep it.
"""


def upgrade() -> None:
    """Create the triggers."""
    is_sqlite = op.get_bind().dialect.name == "sqlite"
    for table, scope, columns in TABLES:
        for operation in ("INSERT", f"UPDATE OF {', '.join(columns)}", "DELETE"):
            (_on_sqlite if is_sqlite else _on_postgresql)(table, scope, operation)
        if not is_sqlite:
            _on_postgresql(table, scope, "TRUNCATE")


def _name(table: str, operation: str) -> str:
    return f"{table}_changes_rows_{operation.partition(' ')[0].lower()}"


def _on_sqlite(table: str, scope: int, operation: str) -> None:
    op.execute(
        f"CREATE TRIGGER {_name(table, operation)} AFTER {operation} ON {table} BEGIN"  # noqa: S608 - of constants
        f" INSERT INTO access_changes (scope) VALUES ({scope}); END"
    )


def _on_postgresql(table: str, scope: int, operation: str) -> None:
    name = _name(table, operation)
    op.execute(f"CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$ {_body(scope)} $$")
    op.execute(f"CREATE TRIGGER {name} AFTER {operation} ON {table} FOR EACH STATEMENT EXECUTE FUNCTION {name}()")


def _body(scope: int) -> str:
    return f"""
BEGIN
    INSERT INTO access_changes (scope, xid) VALUES ({scope}, pg_current_xact_id()::text::bigint);
    RETURN NULL;
END
"""  # noqa: S608 - of constants
