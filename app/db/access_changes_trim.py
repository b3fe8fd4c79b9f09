"""Removal of the rows of `access_changes` that every cache has read."""

from sqlalchemy import BigInteger, Integer, TextClause, bindparam, text

from app.db.interface import Database, Freshness

REMAINING = 10_000
"""Rows that stay for caches that have not read them yet. A cache that has missed rows is emptied."""

MAX_REMOVED = 4_000
"""Rows that one call removes; SQLite takes 20 ms for them."""


async def remove_old(database: Database, remaining: int = REMAINING) -> bool:
    """Remove up to MAX_REMOVED rows and return whether there may be more."""
    ((number,),) = await database.ask(_NUMBER, freshness=Freshness.PRIMARY)
    if number <= 2 * remaining:
        return False
    async with database.write() as tx:
        await tx.rows(_REMOVE[database.dialect.name], remaining=remaining, maximum=MAX_REMOVED)
    return bool(number > 2 * remaining + MAX_REMOVED)


def _with_limits(statement: str) -> TextClause:
    return text(statement).bindparams(bindparam("remaining", type_=Integer()), bindparam("maximum", type_=Integer()))


_FIRST, _LAST = "(SELECT min(id) FROM access_changes WHERE id > 0)", "(SELECT max(id) FROM access_changes)"
"""The ids at both ends. SQLite finds each at its end of the index only if it is alone in its query."""

_NUMBER = text(f"SELECT coalesce({_LAST} - {_FIRST}, 0) AS number").columns(number=BigInteger())
_REMOVE = {
    "sqlite": _with_limits(
        f"DELETE FROM access_changes WHERE id < min({_LAST} - :remaining, {_FIRST} + :maximum)"  # noqa: S608 - of constants
    ),
    # The row 0 tells caches the newest transaction whose rows were removed.
    "postgresql": _with_limits(f"""
        WITH removed AS (
            DELETE FROM access_changes
            WHERE id > 0 AND id < least({_LAST} - :remaining, {_FIRST} + :maximum)
            AND xid < pg_snapshot_xmin(pg_current_snapshot())::text::bigint
            RETURNING xid
        )
        UPDATE access_changes SET xid = greatest(xid, (SELECT max(xid) FROM removed)) WHERE id = 0
    """),  # noqa: S608 - of constants
}
