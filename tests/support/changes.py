"""Mutations in one line each, and checks of their replies."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx

from app import db, main
from app.config import Settings
from tests.support.client import Api, codes, paths
from tests.support.factories import all_but_the_log, everything


def change(name: str, shows: str = "") -> str:
    """Return a mutation with its input; `shows` selects fields besides its errors."""
    kind = f"{name[0].upper()}{name[1:]}Input"
    return f"mutation ($input: {kind}!) {{ {name}(input: $input) {{ {shows} errors {{ code message path }} }} }}"


def problems(reply: dict[str, Any]) -> set[str]:
    """Return each problem of the payloads as its code and its path in the input."""
    assert "errors" not in reply, reply
    return {f"{code} {path}" for code, path in zip(codes(reply), paths(reply), strict=True)}


def answered(reply: dict[str, Any], name: str) -> Any:
    """Return the payload of a successful mutation."""
    assert codes(reply) == [], reply
    return reply["data"][name]


@asynccontextmanager
async def unchanged(database: db.Database, *, but_the_log: bool = False) -> AsyncIterator[None]:
    """Check that the block changes no stored row; `but_the_log` leaves out the audit log."""
    look = all_but_the_log if but_the_log else everything
    before = await look(database)
    yield
    assert await look(database) == before


@asynccontextmanager
async def another(settings: Settings) -> AsyncIterator[Api]:
    """Start a second worker on the same database, and return its client."""
    app = main.create_app(settings)
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    async with (
        app.router.lifespan_context(app),
        httpx.AsyncClient(transport=transport, base_url="http://two") as client,
    ):
        yield Api(client, app.state.answering.app)
