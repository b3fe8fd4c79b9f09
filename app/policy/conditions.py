"""Conditions and SQL constructs that the other modules of the policy share."""

from functools import reduce
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Integer, Join, case, func, literal_column, or_, true
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

from app.db.tables import col
from app.domain import resource_roles
from app.domain.viewer import ALL_PERMISSIONS, Permission, Viewer
from app.query.relations import NOW, VIEWER_ID


def unrestricted(viewer: Viewer) -> ColumnElement[bool]:
    """Return true: the parent row was already authorized."""
    return true()


def signed_in(viewer: Viewer) -> ColumnElement[bool]:
    """Return the condition that the viewer is not anonymous: nobody else has permissions."""
    return true() if viewer.holds_any(ALL_PERMISSIONS) else VIEWER_ID.is_not(None)


_SEES_ALL_RESOURCES = Permission.RESOURCES_VIEW | Permission.RESOURCES_MANAGE


def sees_all_resources(viewer: Viewer) -> bool:
    """Return whether the viewer sees every org and every resource within the scope of their token."""
    return viewer.holds_any(_SEES_ALL_RESOURCES)


def asks_about_everybody(viewer: Viewer) -> bool:
    """Return whether the viewer may query the access of every user, within the scope of their token."""
    return viewer.holds_any(Permission.ACCESS_VIEW)


def is_valid_until(expires_at: Any) -> ColumnElement[bool]:
    """Return the condition that an expiry is null or after `NOW`. Expired rows stay for a while."""
    return or_(col(expires_at).is_(None), col(expires_at) > NOW)


def earlier(end: ColumnElement[Any], other: ColumnElement[Any]) -> ColumnElement[Any]:
    """Return the earlier of two expiries, where null means none."""
    return case((other.is_(None), end), (end.is_(None), other), (other < end, other), else_=end)


class OrderedJoin(Join):
    """An inner join whose left side is the outer loop, if the right side compares only `Unindexed` columns.

    Without it, SQLite chooses the outer loop by its statistics, or first reads the right side into a Bloom filter.
    """

    inherit_cache = True


@compiles(OrderedJoin, "sqlite")
def _ordered_on_sqlite(element: Any, compiler: Any, **options: Any) -> str:
    left, right = (compiler.process(side, **(options | {"asfrom": True})) for side in (element.left, element.right))
    return f"{left} CROSS JOIN {right} ON {compiler.process(element.onclause, **(options | {'asfrom': False}))}"


class Unindexed(FunctionElement[Any]):
    """An integer column that the planner must not look up through an index.

    PostgreSQL estimates rows per subject by the average. The subject ANYONE has far more, so an index lookup on it
    would read all of its rows.
    """

    inherit_cache = True
    type = BigInteger()


@compiles(Unindexed, "sqlite")
def _unindexed_on_sqlite(element: Any, compiler: Any, **options: Any) -> str:
    return str(compiler.process(element.clauses, **options))


@compiles(Unindexed, "postgresql")
def _unindexed_on_postgresql(element: Any, compiler: Any, **options: Any) -> str:
    return f"({compiler.process(element.clauses, **options)} + 0)"


class BitOr(FunctionElement[Any]):
    """The union of the masks of many rows; 0 without rows. On SQLite, without BIT_OR, it is the maximum of each bit."""

    inherit_cache = True
    type = Integer()


@compiles(BitOr, "sqlite")
def _bit_or_on_sqlite(element: Any, compiler: Any, **options: Any) -> str:
    (mask,) = element.clauses
    bits: list[ColumnElement[Any]] = [
        func.max(mask.op("&")(literal_column(str(bit), Integer))) for bit in resource_roles.BITS
    ]
    union = func.coalesce(reduce(lambda left, right: left + right, bits), literal_column("0", Integer))
    return str(compiler.process(union, **options))


@compiles(BitOr, "postgresql")
def _bit_or_on_postgresql(element: Any, compiler: Any, **options: Any) -> str:
    return f"coalesce(bit_or({compiler.process(element.clauses, **options)}), 0)"
