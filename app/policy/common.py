"""Conditions that are about no subject of their own."""

from typing import Any

from sqlalchemy import (
    ColumnElement,
    Join,
    or_,
    true,
)
from sqlalchemy.ext.compiler import compiles

from app.auth import Viewer
from app.sources import ME, NOW
from app.tables import col


def everybody(viewer: Viewer) -> ColumnElement[bool]:
    """No condition: the row that leads here was seen already."""
    return true()


def signed_in(viewer: Viewer) -> ColumnElement[bool]:
    """Somebody, not nobody."""
    return ME.is_not(None)


def lasts(expires_at: Any) -> ColumnElement[bool]:
    """Has not ended by the clock of the question; no job has to run."""
    return or_(col(expires_at).is_(None), col(expires_at) > NOW)


class Ahead(Join):
    """An inner join that begins at its left side.

    SQLite would else begin where its statistics let it guess, or read the whole right side for a Bloom filter first.
    """

    inherit_cache = True


@compiles(Ahead, "sqlite")
def _ahead_on_sqlite(element: Any, compiler: Any, **options: Any) -> str:
    left, right = (compiler.process(side, **(options | {"asfrom": True})) for side in (element.left, element.right))
    return f"{left} CROSS JOIN {right} ON {compiler.process(element.onclause, **(options | {'asfrom': False}))}"
