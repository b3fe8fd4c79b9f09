"""Asking REST at the front door as somebody, in one line."""

import re
from typing import Any

import httpx

from tests.asking import Api
from tests.make import Person

MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,7})?Z")
"""A moment as the documented API writes it."""


async def ask(api: Api, line: str, as_: Person | None = None, **sent: Any) -> httpx.Response:
    """`GET /orgs` or the like; `sent` is what httpx takes beside it."""
    method, path = line.split(" ", 1)
    api.client.cookies.clear()
    headers = {**api.headers(as_), **sent.pop("headers", {})}
    return await api.client.request(method, path, headers=headers, **sent)


class Rest:
    """REST as many would ask it: `await rest("PUT", "/users/ann", as_=person, json={…})`."""

    def __init__(self, api: Api) -> None:
        self._api = api

    async def __call__(self, method: str, path: str, as_: Person | None = None, **sent: Any) -> httpx.Response:
        return await ask(self._api, f"{method} {path}", as_, **sent)


def parts(*fields: tuple[str, str]) -> list[tuple[str, tuple[None, str]]]:
    """Fields in multipart, a name as often as it is there."""
    return [(name, (None, value)) for name, value in fields]


def multipart(fields: dict[str, str]) -> dict[str, tuple[None, str]]:
    """Fields as a browser's FormData sends them: `files=multipart(…)`."""
    return {name: (None, value) for name, value in fields.items()}


def is_empty(reply: httpx.Response, status: int = 200) -> bool:
    """A success without a body, and without a type of one."""
    return (reply.status_code, reply.content, reply.headers.get("content-type")) == (status, b"", None)
