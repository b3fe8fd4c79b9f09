"""Reads of tests past the API: they always see the latest."""

from typing import Any

from sqlalchemy.sql.base import Executable

from app.db import Database, Freshness
from app.db.statements import Row


async def fetch(database: Database, statement: Executable, **values: Any) -> list[Row]:
    """Return the rows of one statement."""
    return await database.ask(statement, freshness=Freshness.PRIMARY, **values)
