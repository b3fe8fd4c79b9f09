"""Requests with refused credentials, and the log of refusals in both formats."""

import io
import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
import jwt
from starlette.applications import Starlette

from app.observability import sign_in_log
from app.observability.logs import JsonLines, Lines
from app.services.app_context import AppContext
from tests.conftest import SECRET
from tests.support.client import Api
from tests.support.factories import Make
from tests.support.password_guessing import Guesser

EVIL = "203.0.113.66"
WHO = "{ viewer { user { userName } } }"


@dataclass
class Log:
    """The lines of the log in both formats, one of each for each record."""

    shapes: dict[str, io.StringIO] = field(default_factory=lambda: {"console": io.StringIO(), "json": io.StringIO()})

    def lines(self, shape: str = "json") -> list[str]:
        return self.shapes[shape].getvalue().splitlines()

    @property
    def refusals(self) -> list[dict[str, Any]]:
        """Return the refusals."""
        return [line for line in map(json.loads, self.lines()) if line["logger"] == "ostiary.sign_in"]


@contextmanager
def written() -> Iterator[Log]:
    """Record the log in both formats; each test has its own budget of lines."""
    sign_in_log._SECONDS.clear()
    log, root = Log(), logging.getLogger()
    handlers = []
    for shape, formatter in (("console", Lines()), ("json", JsonLines())):
        handler = logging.StreamHandler(log.shapes[shape])
        handler.setFormatter(formatter)
        handlers.append(handler)
        root.addHandler(handler)
    yield log
    for handler in handlers:
        root.removeHandler(handler)


@dataclass
class Scene:
    """A client at an address, with tokens that are refused."""

    app: Starlette
    api: Api
    make: Make

    @property
    def context(self) -> AppContext:
        context: AppContext = self.app.state.answering.app
        return context

    @property
    def guess(self) -> Guesser:
        return Guesser(self.app)

    async def send(self, token: str, *, cookie: bool = False, path: str = "") -> httpx.Response:
        """Query the viewer with a token, or send a REST request to a path."""
        headers = {"cookie": f"jwtToken={token}"} if cookie else {"authorization": f"Bearer {token}"}
        async with self.guess.client(EVIL) as client:
            if path:
                return await client.post(path, headers=headers)
            return await client.post("/graphql", json={"query": WHO}, headers=headers)

    def signed(self, secret: str = SECRET, kid: str | None = None, **changes: Any) -> str:
        """Return a token of ann with other claims, or with another secret."""
        now = int(self.context.database.clock().timestamp())
        claims = {"sub": "1", "unique_name": "ann", "admin": False, "gen": 0, "jti": "x"}
        times = {"iat": now, "nbf": now, "exp": now + 60}
        header = None if kid is None else {"kid": kid}
        return jwt.encode({**claims, **times, **changes}, secret, "HS256", header)
