"""Store all that a check reads of the access index in the index by resource, so that it does not read the rows."""

from alembic import op

revision = "0018"
down_revision = "0017"

READ = ("granted", "mask", "expires_at")
"""The columns that a check reads, besides the key."""


def upgrade() -> None:
    """Add an index on SQLite, and make the primary key of PostgreSQL again with these columns.

    SQLite cannot add columns to a key. On PostgreSQL a second index would slow down each change of a resource.
    """
    if op.get_bind().dialect.name == "sqlite":
        op.create_index("ix_access_by_resource", "access", ["resource_id", "subject", *READ])
        return
    op.execute(
        "ALTER TABLE access DROP CONSTRAINT pk_access, "
        f"ADD CONSTRAINT pk_access PRIMARY KEY (resource_id, subject) INCLUDE ({', '.join(READ)})"
    )
