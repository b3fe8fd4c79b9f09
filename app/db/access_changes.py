"""Changes of access by scope: the users and the resources whose access a commit may have changed.

Triggers of the tables that decide about access write a row of `access_changes` for each user and resource concerned
(migration 0020). A cache reads the rows that are new to it and drops what they concern, so a commit elsewhere does not
empty it. Triggers of the tables whose rows workers keep write a row with the scope of the table (migration 0022), and
an edit of a resource writes one with a scope for what is not access (migration 0024).
"""

from collections.abc import Collection, Mapping
from typing import Any, NamedTuple

from sqlmodel import SQLModel

from app.db.tables import Group, Org, Resource, ResourceType, Role

EVERYTHING = 0
"""The scope of a change that may concern everybody, such as a change of a role."""

TABLE_SCOPES: Mapping[Any, int] = {Org: -1, Group: -2, Role: -3, ResourceType: -4}
"""The scopes of the tables whose rows workers keep: a commit has changed a row, but for the columns `NOT_RECORDED`."""

EDITS = -1_000
"""The scopes of edits of resources are below: this number minus the id of the resource."""

NOT_RECORDED = frozenset({"size_bytes"})
"""Columns of these tables whose changes are not recorded, since other changes often write them."""

RECORDED_OF_RESOURCES = frozenset(SQLModel.metadata.tables[Resource.__tablename__].c.keys()) - {
    "size_bytes",
    "revision",
    "edit_revision",
}
"""Columns of a resource whose changes are recorded. The others change with its files and its grants."""

MAX_SCOPES = 2_000
"""Scopes that a cache reads at once. If there are more, it is emptied."""


class AccessChanges(NamedTuple):
    """The state of the access data, and the scopes that have changed since another state; None if anything may have."""

    state: Any
    scopes: Collection[int] | None


def user_scope(user: int) -> int:
    """Return the scope of what changes for one user on all resources."""
    return 2 * user


def resource_scope(resource: int) -> int:
    """Return the scope of what changes on one resource for all users."""
    return 2 * resource + 1


def edit_scope(resource: int) -> int:
    """Return the scope of what changes of one resource itself, such as its name, and not the access to it."""
    return EDITS - resource


def edited(scopes: Collection[int]) -> set[int]:
    """Return the ids of the resources whose edits are among the scopes."""
    return {EDITS - scope for scope in scopes if scope < EDITS}


def is_resource(scope: int) -> bool:
    """Return whether a scope is that of the access to a resource; others are of users, or negative."""
    return scope > 0 and scope % 2 == 1


def key_of(scope: int) -> int:
    """Return the id of the user or the resource of a scope."""
    return scope // 2


def changes_or_everything(state: Any, scopes: Collection[int]) -> AccessChanges:
    """Return changes; None in place of scopes that are too many or contain EVERYTHING."""
    return AccessChanges(state, None if len(scopes) > MAX_SCOPES or EVERYTHING in scopes else scopes)


ON_SQLITE = f"SELECT id, scope FROM access_changes WHERE id >= ? ORDER BY id LIMIT {MAX_SCOPES + 2}"  # noqa: S608 - of a constant
"""Selects the last row that was read, which proves that none was missed, and the rows after it."""

NEWEST_ON_SQLITE = "SELECT max(id) FROM access_changes"

ON_POSTGRESQL = f"""
SELECT pg_current_snapshot()::text, pg_postmaster_start_time()::text, pg_stat_get_bgwriter_stat_reset_time()::text,
CASE WHEN pg_current_snapshot()::text = $1 THEN '{{}}' ELSE ARRAY(
    SELECT scope FROM access_changes WHERE xid >= pg_snapshot_xmax($1::text::pg_snapshot)::text::bigint
    UNION ALL
    SELECT scope FROM access_changes
    WHERE xid = ANY (ARRAY(SELECT running::text::bigint FROM pg_snapshot_xip($1::text::pg_snapshot) AS running))
    UNION ALL
    SELECT scope FROM access_changes WHERE id = 0 AND xid >= pg_snapshot_xmin($1::text::pg_snapshot)::text::bigint
    LIMIT {MAX_SCOPES + 1}
) END
"""  # noqa: S608 - of a constant
"""Selects the snapshot, and the scopes of the transactions that it contains and the given snapshot does not.

These began after that snapshot, or were running then. Both are found by the index, however long one of them takes.

The row 0 has the newest transaction of the rows that were removed, and the scope EVERYTHING. The two times tell one
life of a server from another: a promoted standby, and a server that recovers from a crash, give the numbers of lost
transactions to new ones. Recovery resets the statistics, and so the second time, while the first one stays the same.
"""
