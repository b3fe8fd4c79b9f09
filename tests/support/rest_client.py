"""Asking REST at the front door as somebody, in one line each."""

from typing import Any

import httpx

from tests.support.client import Api
from tests.support.factories import Person


class Rest:
    """REST over HTTP. `await rest("PUT", "/users/ann", as_=person, json={…})` answers the response."""

    def __init__(self, api: Api) -> None:
        self._api = api

    async def __call__(self, method: str, path: str, as_: Person | None = None, **sent: Any) -> httpx.Response:
        headers = {**self._api.headers(as_), **sent.pop("headers", {})}
        self._api.client.cookies.clear()
        return await self._api.client.request(method, path, headers=headers, **sent)


def parts(*fields: tuple[str, str]) -> list[tuple[str, tuple[None, str]]]:
    """The fields of a form as httpx sends them in multipart, a name as often as it is there."""
    return [(name, (None, value)) for name, value in fields]


def is_empty(reply: httpx.Response, status: int = 200) -> bool:
    """Whether this is a success that says nothing but that."""
    return (reply.status_code, reply.content, "content-type" in reply.headers) == (status, b"", False)
