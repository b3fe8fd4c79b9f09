"""Record each change of a grant for its resource, so that workers may keep the grants of a resource.

The access index records changes too, but it has no row for a grant without effect, and not who granted it and when.
"""

from alembic import op

revision = "0023"
down_revision = "0022"

TABLE = "grants"
EVERYTHING = 0
MOST = 1_000
"""The numbers of migration 0020."""


def upgrade() -> None:
    """Create the triggers."""
    is_sqlite = op.get_bind().dialect.name == "sqlite"
    for operation, rows in (("INSERT", ["NEW"]), ("UPDATE", ["OLD", "NEW"]), ("DELETE", ["OLD"])):
        (_on_sqlite if is_sqlite else _on_postgresql)(operation, rows)
    if not is_sqlite:
        _create_function("truncate", f"SELECT {EVERYTHING}")
        op.execute(
            f"CREATE TRIGGER {_name('truncate')} AFTER TRUNCATE ON {TABLE}"
            f" FOR EACH STATEMENT EXECUTE FUNCTION {_name('truncate')}()"
        )


def _name(operation: str) -> str:
    return f"{TABLE}_changes_access_{operation.lower()}"


def _on_sqlite(operation: str, rows: list[str]) -> None:
    scope, moved = f"2 * {rows[-1]}.resource_id + 1", ""
    if len(rows) > 1:
        moved = (
            " INSERT INTO access_changes (scope) SELECT 2 * OLD.resource_id + 1"
            " WHERE OLD.resource_id <> NEW.resource_id;"
        )
    op.execute(
        f"CREATE TRIGGER {_name(operation)} AFTER {operation} ON {TABLE} BEGIN"  # noqa: S608 - of constants
        f" INSERT INTO access_changes (scope) VALUES ({scope});{moved} END"
    )


def _on_postgresql(operation: str, rows: list[str]) -> None:
    tables = {row: "before" if row == "OLD" else "now" for row in rows}
    scopes = " UNION ".join(f"SELECT 2 * resource_id + 1 FROM {table}" for table in tables.values())  # noqa: S608 - of constants
    _create_function(operation, scopes)
    references = " ".join(f"{row} TABLE AS {table}" for row, table in tables.items())
    op.execute(
        f"CREATE TRIGGER {_name(operation)} AFTER {operation} ON {TABLE}"
        f" REFERENCING {references} FOR EACH STATEMENT EXECUTE FUNCTION {_name(operation)}()"
    )


def _create_function(operation: str, scopes: str) -> None:
    op.execute(f"CREATE FUNCTION {_name(operation)}() RETURNS trigger LANGUAGE plpgsql AS $$ {_body(scopes)} $$")


def _body(scopes: str) -> str:
    return f"""
DECLARE
    scopes bigint[] := ARRAY(SELECT DISTINCT scope FROM ({scopes}) AS rows (scope) LIMIT {MOST + 1});
BEGIN
    IF cardinality(scopes) > {MOST} THEN scopes := ARRAY[{EVERYTHING}]; END IF;
    IF cardinality(scopes) > 0 THEN
        INSERT INTO access_changes (scope, xid) SELECT unnest(scopes), pg_current_xact_id()::text::bigint;
    END IF;
    RETURN NULL;
END
"""  # noqa: S608 - of constants
