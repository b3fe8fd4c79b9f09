"""Record each edit of a resource, so that workers may keep its name and its other columns.

Files and grants change the size and the revisions of a resource. These columns are not recorded. An edit has a scope of
its own, since it does not change the access to the resource.
"""

from alembic import op

revision = "0024"
down_revision = "0023"

COLUMNS = (
    "id",
    "org_id",
    "type_id",
    "slug",
    "path",
    "name",
    "name_key",
    "description",
    "details",
    "owner_id",
    "full_mask",
    "created_at",
    "updated_at",
)
NAME = "resources_changes_rows_update"
EDITS = -1_000
"""The number of `app/db/access_changes.py`."""


def upgrade() -> None:
    """Create the trigger. On PostgreSQL it is one of rows: a trigger of statements cannot leave out columns."""
    event = f"AFTER UPDATE OF {', '.join(COLUMNS)} ON resources"
    if op.get_bind().dialect.name == "sqlite":
        body = f"INSERT INTO access_changes (scope) VALUES ({EDITS} - OLD.id)"  # noqa: S608 - of constants
        op.execute(f"CREATE TRIGGER {NAME} {event} BEGIN {body}; END")
        return
    op.execute(
        f"CREATE FUNCTION {NAME}() RETURNS trigger LANGUAGE plpgsql AS $$"  # noqa: S608 - of constants
        " BEGIN"
        f"  INSERT INTO access_changes (scope, xid) VALUES ({EDITS} - OLD.id, pg_current_xact_id()::text::bigint);"
        "  RETURN NULL;"
        " END $$"
    )
    op.execute(f"CREATE TRIGGER {NAME} {event} FOR EACH ROW EXECUTE FUNCTION {NAME}()")
