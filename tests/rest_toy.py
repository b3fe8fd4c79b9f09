"""A small REST face over no database, for claims about the face alone."""

from collections.abc import Sequence
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import httpx
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.responses import Response

from app import rest
from app.rest.answers import json
from app.rest.bodies import Body
from app.rest.fields import Field
from app.rest.routing import Call, Face, House, Route, Who
from app.settings import Settings

NOTHING: Any = None
HOUSE = House(SimpleNamespace(database=NOTHING, signer=NOTHING), NOTHING, Settings())  # type: ignore[arg-type]  # none is asked


async def echo(call: Call) -> Response:
    """Answers what was understood."""
    return json({"words": dict(call.words), "query": call.query, "given": call.given, "document": call.document})


def route(
    method: str, path: str, body: Body = Body.NONE, fields: tuple[Field, ...] = (), query: tuple[Field, ...] = ()
) -> Route:
    return Route(method, path, echo, Who.UNASKED, "Says what it understood.", body, fields, query)


def client(*table: Route, drone_db_clients: bool = False) -> httpx.AsyncClient:
    """A client of an application with this table alone."""
    face = Face(table, lambda _: replace(HOUSE, settings=Settings(drone_db_clients=drone_db_clients)))
    app = Starlette(routes=[face], exception_handlers={HTTPException: rest.unanswered})
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://here")


def refusal(reply: httpx.Response) -> tuple[int, bool]:
    """Status and `noRetry`; every refusal has the same two members and says something."""
    body: dict[str, Any] = reply.json()
    assert list(body) == ["error", "noRetry"]
    assert body["error"]
    assert reply.headers["content-type"] == "application/json"
    assert reply.headers["cache-control"] == "no-store"
    return reply.status_code, body["noRetry"]


def boundary(*parts: str) -> bytes:
    """A multipart body of these parts, each with its headers, divided by `x`."""
    return "".join(f"--x\r\n{part}\r\n" for part in parts).encode() + b"--x--\r\n"


def named(parts: Sequence[tuple[str, str]]) -> bytes:
    """A multipart body of these fields."""
    return boundary(*(f'Content-Disposition: form-data; name="{name}"\r\n\r\n{value}' for name, value in parts))
