"""The HTTP client of the external identity provider. Its address and its answers reach no client of the registry."""

import asyncio
import logging
import ssl
from http import HTTPStatus
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any, NoReturn

import httpx
import orjson

from app.domain.errors import SettingsError, Unavailable
from app.observability import request_stats, traces
from app.observability.traces import Kind
from app.security.fair_queue import FairQueue

log = logging.getLogger(__name__)

MAX_CONNECTIONS = 20
MAX_QUEUED = 1_024
"""Sign-ins that may wait for a connection."""

CONNECT_SECONDS = 2.0

MAX_ANSWER_SECONDS = 5.0
"""The time for one complete answer, including a slow body."""

IDLE_SECONDS = 2.0
"""The time for which an idle connection is reused. Servers wait longer, so none closes during a request."""

MAX_ANSWER_BYTES = 65_536
"""The largest answer, and the largest metadata of a user."""

HEADERS = {
    "Accept": "application/json",
    "Accept-Encoding": "identity",  # else a small answer could decompress to a huge one
    "User-Agent": "Ostiary",
}

REJECTION_STATUSES = frozenset({HTTPStatus.BAD_REQUEST, HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN})
"""Usual answers to a wrong password. Other 4xx statuses reject the user too, but the log names them."""


def provider_error(reason: str) -> Unavailable:
    """Return the error for a positive answer that cannot be used, and log the reason."""
    log.warning("the identity provider's answer cannot be used: %s", reason)
    return Unavailable(f"The identity provider's answer cannot be used: {reason}")


class IdentityProvider:
    """The provider at one address, with a limited number of connections.

    Requests carry passwords. So the client follows no redirect, uses no proxy of the environment and stores no cookie.
    """

    def __init__(self, url: str, seconds: float = MAX_ANSWER_SECONDS) -> None:
        try:
            self._url = httpx.URL(url)
        except httpx.InvalidURL:
            raise SettingsError("ExternalAuthUrl: is not a URL") from None
        self.seconds = seconds
        self.queue = FairQueue(MAX_CONNECTIONS, MAX_QUEUED)
        self._slots = asyncio.Semaphore(MAX_CONNECTIONS)
        self._client = httpx.AsyncClient(
            headers=HEADERS,
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=())),
            verify=_ssl_context(),
            trust_env=False,
            follow_redirects=False,
            timeout=httpx.Timeout(None, connect=CONNECT_SECONDS),  # `ask` limits the total
            # `_slots` limits the connections. The pool's own limit loses one for good when a waiting task is cancelled.
            limits=httpx.Limits(max_connections=None, keepalive_expiry=IDLE_SECONDS),
        )

    async def ask(self, **form: str) -> dict[str, Any] | None:
        """Return the metadata of a user, None if the provider rejects them; raise Unavailable for other results."""
        try:
            async with asyncio.timeout(self.seconds), self._slots:
                body = await self._post(form)
        except (OSError, UnicodeError, httpx.HTTPError) as error:
            _raise_unavailable(error)
        return None if body is None else _parse_object(body)

    async def _post(self, form: dict[str, str]) -> bytes | None:
        with traces.span("ask the identity provider", Kind.CLIENT):
            traceparent = _traceparent()
            headers = {"traceparent": traceparent} if traceparent else None
            async with self._client.stream("POST", self._url, data=form, headers=headers) as response:
                if response.is_success:
                    return await _read_body(response)
                _require_rejection(response.status_code)
                return None

    async def close(self) -> None:
        await self._client.aclose()


def _traceparent() -> str:
    """Return the header that names the current span; the client's header or none if this server does not trace."""
    if (span := traces.CURRENT.get()) is not None:
        return span.traceparent
    stats = request_stats.current_request()
    return stats.traceparent or (traces.unsampled() if stats.is_unsampled else "")


def _ssl_context() -> ssl.SSLContext:
    """Return a context with the public authorities and those of this machine, since an organization may run its own."""
    context = httpx.create_ssl_context(trust_env=False)
    context.load_default_certs()
    return context


def _require_rejection(status: int) -> None:
    """Raise Unavailable unless the status rejects the user: for a redirect or an error of the provider."""
    if not HTTPStatus(400) <= status < HTTPStatus(500):
        log.warning("the identity provider returned an error: status=%d", status)
        raise Unavailable("The identity provider returned an error. Try again later.")
    if status not in REJECTION_STATUSES:
        log.warning("the identity provider rejected a sign-in, check ExternalAuthUrl: status=%d", status)


async def _read_body(response: httpx.Response) -> bytes:
    body = bytearray()
    async for chunk in response.aiter_raw():
        body += chunk
        if len(body) > MAX_ANSWER_BYTES:
            raise provider_error(f"It has more than {MAX_ANSWER_BYTES:,} bytes.")
    return bytes(body)


def _raise_unavailable(error: Exception) -> NoReturn:
    """Log the error and raise Unavailable. Only a connection error's text cannot repeat what was sent or received."""
    reason = type(error).__name__
    if isinstance(error, httpx.ConnectError):
        reason = f"{reason}: {error}"
    log.warning("the identity provider does not answer: %s", reason)
    raise Unavailable("The identity provider does not answer. Try again later.") from None


def _parse_object(body: bytes) -> dict[str, Any]:
    try:
        metadata = orjson.loads(body)
    except orjson.JSONDecodeError:
        metadata = None
    if not isinstance(metadata, dict):
        raise provider_error("It is not a JSON object.")
    return metadata
