"""Password guesses from many addresses. Verifications are counted, and take no time."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette

from app import db
from app.security.passwords import PasswordHasher, Verification
from tests.support.factories import PASSWORD

LOGIN = "/users/authenticate"
ALIASES = 40
"""The number of guesses in one document."""

WRONG_PASSWORD = "wrong"


class Clock:
    """A clock that a test moves."""

    def __init__(self, database: db.Database) -> None:
        self.now = datetime(2031, 1, 1, tzinfo=UTC)
        database.clock = lambda: self.now

    def wait(self, seconds: float) -> None:
        """Let time pass."""
        self.now += timedelta(seconds=seconds)


class Verifications:
    """A replacement of the password hasher, which records the verified passwords."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.at: list[str] = []
        monkeypatch.setattr(PasswordHasher, "verify", self._verify)

    async def _verify(self, password: str, stored: str | None) -> Verification:
        self.at.append(password)
        return Verification(ok=stored is not None and password == PASSWORD, needs_rehash=False)


class Guesser:
    """A client that guesses passwords from any address."""

    def __init__(self, app: Starlette) -> None:
        self._app = app

    def client(self, address: str) -> httpx.AsyncClient:
        """Return a client with an address."""
        transport = httpx.ASGITransport(self._app, client=(address, 4000))
        return httpx.AsyncClient(transport=transport, base_url="http://testserver")

    async def rest(self, address: str, user_name: str, password: str = WRONG_PASSWORD) -> httpx.Response:
        """Send a guess over REST."""
        async with self.client(address) as client:
            return await client.post(LOGIN, json={"username": user_name, "password": password})

    async def graphql(self, address: str, user_name: str, *passwords: str) -> Any:
        """Send one or more guesses in a GraphQL document, and return the errors at the top."""
        guesses = [
            f'g{at}: login(input: {{userName: "{user_name}", password: "{each}"}}) {{ session {{ token }} }}'
            for at, each in enumerate(passwords)
        ]
        return (await self.ask(address, f"mutation {{ {' '.join(guesses)} }}")).json()["errors"]

    async def ask(self, address: str, query: str, token: str | None = None) -> httpx.Response:
        """Ask GraphQL."""
        headers = {} if token is None else {"authorization": f"Bearer {token}"}
        async with self.client(address) as client:
            return await client.post("/graphql", json={"query": query}, headers=headers)


def outcomes(replies: Sequence[httpx.Response]) -> list[tuple[int, str | None]]:
    """Return the status of each reply, and the seconds in its `Retry-After`."""
    return [(reply.status_code, reply.headers.get("retry-after")) for reply in replies]
