"""A GraphQL client of the tests, and functions that read its replies."""

import re
from typing import Any

import httpx

from app.security import session_tokens
from app.services.app_context import AppContext
from tests.support.factories import Person

MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,7})?Z")
"""The format of a time in the documented API."""


class Api:
    """GraphQL over HTTP. `await api(query, as_=person, name=value)` returns the complete reply."""

    def __init__(self, client: httpx.AsyncClient, context: AppContext) -> None:
        self.client = client
        self._context = context

    async def __call__(self, query: str, as_: Person | str | None = None, **variables: Any) -> dict[str, Any]:
        response = await self.post(query, as_, **variables)
        reply: dict[str, Any] = response.json()
        return reply

    async def post(self, query: str, as_: Person | str | None = None, **variables: Any) -> httpx.Response:
        """Send a query, and return the response; a text is an API token."""
        body = {"query": query, "variables": variables}
        self.client.cookies.clear()
        return await self.client.post("/graphql", json=body, headers=self.headers(as_))

    async def statements(self, query: str, as_: Person | None = None, **variables: Any) -> int:
        """Return the number of SQL statements of a query; the reply must have no errors."""
        reply = (await self.post_with_stats(query, as_, **variables)).json()
        assert "errors" not in reply, reply
        number: int = reply["extensions"]["stats"]["statements"]
        return number

    async def post_with_stats(self, query: str, as_: Person | None = None, **variables: Any) -> httpx.Response:
        """Return the response with `extensions.stats`."""
        headers = {**self.headers(as_), "ostiary-stats": "1"}
        return await self.client.post("/graphql", json={"query": query, "variables": variables}, headers=headers)

    def headers(self, as_: Person | str | None) -> dict[str, str]:
        """Return the header with the token of a user; none for an anonymous request."""
        token = self.token(as_) if isinstance(as_, Person) else as_
        return {} if token is None else {"authorization": f"Bearer {token}"}

    def token(self, as_: Person) -> str:
        """Return a session token, as login does, without the time that a password takes."""
        claims = session_tokens.TokenClaims(as_.id, as_.user_name, False, as_.generation)
        return self._context.signer.issue(claims, self._context.database.clock()).token


def codes(reply: dict[str, Any]) -> list[str]:
    """Return the codes of all errors: at the top, and in the payloads."""
    top = [error["extensions"]["code"] for error in reply.get("errors", [])]
    return top + [error["code"] for payload in (reply.get("data") or {}).values() for error in _errors(payload)]


def paths(reply: dict[str, Any]) -> list[str]:
    """Return the paths in the errors of the payloads, with dots."""
    payloads = (reply.get("data") or {}).values()
    return [".".join(error["path"]) for payload in payloads for error in _errors(payload)]


def _errors(payload: Any) -> list[dict[str, Any]]:
    return payload.get("errors", []) if isinstance(payload, dict) else []
