"""A REST client of the tests."""

from typing import Any

import httpx

from tests.support.client import Api
from tests.support.factories import Person


class Rest:
    """REST over HTTP. `await rest("PUT", "/users/ann", as_=person, json={…})` returns the response."""

    def __init__(self, api: Api) -> None:
        self._api = api

    async def __call__(self, method: str, path: str, as_: Person | None = None, **sent: Any) -> httpx.Response:
        headers = {**self._api.headers(as_), **sent.pop("headers", {})}
        self._api.client.cookies.clear()
        return await self._api.client.request(method, path, headers=headers, **sent)


def parts(*fields: tuple[str, str]) -> list[tuple[str, tuple[None, str]]]:
    """Return the fields of a form as httpx sends them in multipart; a name may occur more than once."""
    return [(name, (None, value)) for name, value in fields]


def is_empty(reply: httpx.Response, status: int = 200) -> bool:
    """Check that the reply is a success with an empty body."""
    return (reply.status_code, reply.content, "content-type" in reply.headers) == (status, b"", False)
