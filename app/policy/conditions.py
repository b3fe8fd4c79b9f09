"""Conditions that are about no subject of their own."""

from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Join,
    case,
    or_,
    true,
)
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

from app.db.tables import col
from app.domain.viewer import Permission, Viewer
from app.query.relations import NOW, VIEWER_ID


def everybody(viewer: Viewer) -> ColumnElement[bool]:
    """No condition: the row that leads here was seen already."""
    return true()


def signed_in(viewer: Viewer) -> ColumnElement[bool]:
    """Somebody, not nobody."""
    return VIEWER_ID.is_not(None)


def sees_all_resources(viewer: Viewer) -> bool:
    """Return whether the viewer sees every org and every resource, of those that their token covers."""
    return bool(viewer.permissions & (Permission.RESOURCES_VIEW | Permission.RESOURCES_MANAGE))


def asks_about_everybody(viewer: Viewer) -> bool:
    """Return whether the viewer asks about everybody's access, to what their token covers."""
    return Permission.ACCESS_VIEW in viewer.permissions


def is_valid_until(expires_at: Any) -> ColumnElement[bool]:
    """Has not ended by the clock of the question; no job has to run."""
    return or_(col(expires_at).is_(None), col(expires_at) > NOW)


def earlier(end: ColumnElement[Any], other: ColumnElement[Any]) -> ColumnElement[Any]:
    """The first of two ends; null is no end."""
    return case((other.is_(None), end), (end.is_(None), other), (other < end, other), else_=end)


class OrderedJoin(Join):
    """An inner join that begins at its left side, if the right one finds nothing there but by `Beside`.

    SQLite would else begin where its statistics let it guess, or read the whole right side for a Bloom filter first.
    """

    inherit_cache = True


@compiles(OrderedJoin, "sqlite")
def _ahead_on_sqlite(element: Any, compiler: Any, **options: Any) -> str:
    left, right = (compiler.process(side, **(options | {"asfrom": True})) for side in (element.left, element.right))
    return f"{left} CROSS JOIN {right} ON {compiler.process(element.onclause, **(options | {'asfrom': False}))}"


class Unindexed(FunctionElement[Any]):
    """A column of whole numbers by which nothing is looked for.

    PostgreSQL knows how many rows there are for a number on average, which says nothing of the subject that everybody
    is, and would else begin at all of its rows.
    """

    inherit_cache = True
    type = BigInteger()


@compiles(Unindexed, "sqlite")
def _beside_on_sqlite(element: Any, compiler: Any, **options: Any) -> str:
    return str(compiler.process(element.clauses, **options))


@compiles(Unindexed, "postgresql")
def _beside_on_postgresql(element: Any, compiler: Any, **options: Any) -> str:
    return f"({compiler.process(element.clauses, **options)} + 0)"
