"""Claims about long lists of REST, which have no pages: other requests have their turn while one is made."""

from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest

from app.db import chunks
from app.rest import responses
from tests.support.factories import Make
from tests.support.rest_client import Rest

NUMBER, PIECE = 12, 4
LISTS = [
    "/orgs",
    "/orgs/public",
    "/users",
    "/users/detailed",
    "/orgs/org0/ds",
    "/orgs/org0/members",
    "/users/owner/orgs",
]


@pytest.mark.parametrize("path", LISTS)
async def test_a_long_list_is_made_in_pieces(
    rest: Rest, make: Make, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    root = await make.user("owner", "admin")
    orgs = [await make.org(f"org{at}", root, is_public=True) for at in range(NUMBER)]
    for person in await make.users([f"user{at}" for at in range(NUMBER)]):
        await make.member(orgs[0], person)
    for at in range(NUMBER):
        await make.resource(orgs[0], slug=f"data{at}")
    whole = (await rest("GET", path, root)).json()
    assert len(whole) >= NUMBER
    parts = list[int]()

    async def noted(items: Sequence[Any], size: int) -> AsyncIterator[Sequence[Any]]:
        async for part in chunks(items, size):
            parts.append(len(part))
            yield part

    monkeypatch.setattr(responses, "ROWS_AT_ONCE", PIECE)
    monkeypatch.setattr(responses, "chunks", noted)
    assert (await rest("GET", path, root)).json() == whole
    assert max(parts) == PIECE
    assert sum(parts) >= len(whole)
