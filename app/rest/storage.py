"""How much a user stores, and may store (U14, U15)."""

from collections.abc import Sequence
from typing import Any

from app.reads import Reads
from app.rest.routing import Route


async def storage_by_user(reads: Reads, users: Sequence[int]) -> dict[int, dict[str, Any]]:
    return {key: {"total": None, "used": 0} for key in users}


ROUTES: tuple[Route, ...] = ()
