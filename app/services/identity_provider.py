"""Asks the external provider over HTTP who somebody is; what it answers, and where it is, reaches nobody else."""

import asyncio
import logging
import ssl
from http import HTTPStatus
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any, NoReturn

import httpx
import orjson

from app.domain.errors import SettingsError, Unavailable
from app.security.fair_queue import FairQueue

log = logging.getLogger(__name__)

MAX_CONNECTIONS = 20
MAX_QUEUED = 1_024
"""How many sign-ins may wait for their turn to ask."""

CONNECT_SECONDS = 2.0

MAX_ANSWER_SECONDS = 5.0
"""How long an answer may take in all, however slowly it drips."""

IDLE_SECONDS = 2.0
"""How long a connection is kept for the next question: less than servers keep it, so that none closes under one."""

MAX_ANSWER_BYTES = 65_536
"""The largest answer: as much as is kept of it."""

HEADERS = {
    "Accept": "application/json",
    "Accept-Encoding": "identity",  # else a small answer could unpack to a huge one
    "User-Agent": "Ostiary",
}

REFUSED = frozenset({HTTPStatus.BAD_REQUEST, HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN})
"""What a provider says to a wrong password. Other refusals mean the same, and the operator may want to know of them."""


def provider_error(reason: str) -> Unavailable:
    """The refusal of an answer that says yes and cannot be used; the log gets the reason too."""
    log.warning("the authentication provider's answer cannot be used: %s", reason)
    return Unavailable(f"The authentication provider's answer cannot be used: {reason}")


class IdentityProvider:
    """The provider at one address, with a bounded pool of connections.

    It is told a password: so no redirect is followed, no proxy of the environment asked, and no cookie carried from one
    sign-in to the next.
    """

    def __init__(self, url: str, seconds: float = MAX_ANSWER_SECONDS) -> None:
        try:
            self._url = httpx.URL(url)
        except httpx.InvalidURL:
            raise SettingsError("ExternalAuthUrl: is not a URL") from None
        self.seconds = seconds
        self.queue = FairQueue(MAX_CONNECTIONS, MAX_QUEUED)
        self._turns = asyncio.Semaphore(MAX_CONNECTIONS)
        self._client = httpx.AsyncClient(
            headers=HEADERS,
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=())),
            verify=_ssl_context(),
            trust_env=False,
            follow_redirects=False,
            timeout=httpx.Timeout(None, connect=CONNECT_SECONDS),  # `ask` limits the whole
            # The turns bound it. The pool's own limit loses a place for good when somebody gives up waiting for it.
            limits=httpx.Limits(max_connections=None, keepalive_expiry=IDLE_SECONDS),
        )

    async def ask(self, **form: str) -> dict[str, Any] | None:
        """What it says of whom it accepts; None when it refuses her. Raises Unavailable for whatever else it does."""
        try:
            async with asyncio.timeout(self.seconds), self._turns:
                body = await self._answer(form)
        except (OSError, UnicodeError, httpx.HTTPError) as error:
            _is_away(error)
        return None if body is None else _object(body)

    async def _answer(self, form: dict[str, str]) -> bytes | None:
        async with self._client.stream("POST", self._url, data=form) as response:
            if response.is_success:
                return await _body(response)
            _check_refusal(response.status_code)
            return None

    async def close(self) -> None:
        """Let go of every connection."""
        await self._client.aclose()


def _ssl_context() -> ssl.SSLContext:
    """The authorities that everybody trusts, and those of this machine: an organization may have its own."""
    context = httpx.create_ssl_context(trust_env=False)
    context.load_default_certs()
    return context


def _check_refusal(status: int) -> None:
    """Let pass what refuses the person; raises Unavailable for a redirection and an error of the provider's own."""
    if not HTTPStatus(400) <= status < HTTPStatus(500):
        log.warning("the authentication provider answers with status %d", status)
        raise Unavailable("The authentication provider does not work. Try again soon.")
    if status not in REFUSED:
        log.warning("the authentication provider refuses with status %d: is ExternalAuthUrl right?", status)


async def _body(response: httpx.Response) -> bytes:
    body = bytearray()
    async for chunk in response.aiter_raw():
        body += chunk
        if len(body) > MAX_ANSWER_BYTES:
            raise provider_error(f"It has more than {MAX_ANSWER_BYTES:,} bytes.")
    return bytes(body)


def _is_away(error: Exception) -> NoReturn:
    """Say so. Only before a connection stands the text of the error cannot repeat what was sent or answered."""
    cause = type(error).__name__
    if isinstance(error, httpx.ConnectError):
        cause = f"{cause}: {error}"
    log.warning("the authentication provider does not answer: %s", cause)
    raise Unavailable("The authentication provider does not answer. Try again soon.") from None


def _object(body: bytes) -> dict[str, Any]:
    try:
        said = orjson.loads(body)
    except orjson.JSONDecodeError:
        said = None
    if not isinstance(said, dict):
        raise provider_error("It is no JSON object.")
    return said
