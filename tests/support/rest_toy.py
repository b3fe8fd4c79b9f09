"""A small REST face over no database, for claims about the face alone; and bodies that no face understands."""

from collections.abc import Sequence
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import httpx
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.responses import Response

from app import rest
from app.config import Settings
from app.rest.parameters import Field
from app.rest.request_bodies import Body
from app.rest.responses import json
from app.rest.routing import AuthMode, Call, RestContext, RestRouter, Route

JSON = "application/json"
FORM = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data; boundary=x"

NOTHING: Any = None
CONTEXT = RestContext(SimpleNamespace(database=NOTHING, signer=NOTHING), NOTHING, Settings())  # type: ignore[arg-type]  # none is asked


async def echo(call: Call) -> Response:
    """Answers what was understood."""
    return json(
        {"words": dict(call.path_parameters), "query": call.query, "given": call.fields, "document": call.document}
    )


def route(
    method: str, path: str, body: Body = Body.NONE, fields: tuple[Field, ...] = (), query: tuple[Field, ...] = ()
) -> Route:
    return Route(method, path, echo, AuthMode.NONE, "Says what it understood.", body, fields, query)


def client(*table: Route, drone_db_clients: bool = False) -> httpx.AsyncClient:
    """A client of an application with this table alone."""
    router = RestRouter(table, lambda _: replace(CONTEXT, settings=Settings(drone_db_clients=drone_db_clients)))
    app = Starlette(routes=[router], exception_handlers={HTTPException: rest.unexpected_response})
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


MALFORMED: dict[str, tuple[str, bytes]] = {
    "nothing": (JSON, b""),
    "null": (JSON, b"null"),
    "a number": (JSON, b"5"),
    "a list": (JSON, b"[]"),
    "a text": (JSON, b'"x"'),
    "half": (JSON, b'{"a":'),
    "Latin-1": (JSON, '{"a":"ü"}'.encode("latin-1")),
    "UTF-16": (JSON, '{"a":"b"}'.encode("utf-16")),
    "NaN": (JSON, b'{"a":NaN}'),
    "half a character": (JSON, b'{"a":"\\ud800"}'),
    "brackets": (JSON, b"[" * 100_000),
    "depth": (JSON, b'{"a":' * 500 + b"1" + b"}" * 500),
    "a name twice": (JSON, b'{"a":1,"a":1}'),
    "a name in two spellings": (JSON, b'{"roles":1,"Roles":1}'),
    "a name twice, deeper": (JSON, b'{"a":[{"b":1,"b":2}]}'),
    "another encoding": (f"{JSON}; charset=latin-1", b"{}"),
    "form in Latin-1": (FORM, b"a=%fc"),
    "form in raw Latin-1": (FORM, b"a=\xfc"),
    "form of another encoding": (f"{FORM}; charset=latin-1", b"a=b"),
    "a form of too many fields": (FORM, b"&".join([b"a=b"] * 1_001)),
    "parts in Latin-1": (MULTIPART, named([("a", "ü")]).decode().encode("latin-1")),
    "a part's name in Latin-1": (MULTIPART, named([("ü", "a")]).decode().encode("latin-1")),
    "a part without a name": (MULTIPART, boundary("Content-Disposition: form-data\r\n\r\nb")),
    "a part without a head": (MULTIPART, boundary("\r\nb")),
    "a file": (MULTIPART, boundary('Content-Disposition: form-data; name="a"; filename="f"\r\n\r\nb')),
    "no boundary": ("multipart/form-data", named([("a", "b")])),
    "an empty boundary": ("multipart/form-data; boundary=", b"--\r\n"),
    "a long boundary": (f"multipart/form-data; boundary={'x' * 300}", b""),
    "another boundary": ("multipart/form-data; boundary=y", named([("a", "b")])),
    "no end": (MULTIPART, named([("a", "b")])[:-6]),
    "no parts": (MULTIPART, b""),
    "too many parts": (MULTIPART, named([("a", "b")] * 1_001)),
}
"""Bodies of each kind that no route understands."""
