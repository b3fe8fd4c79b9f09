"""Tells of refused credentials: a line in the log for each, and a counter by reason.

A flood does not fill the disk: of one reason and kind of credential, a second has few lines, and a later line says how
many were left out.
"""

import asyncio
import logging
from contextlib import suppress
from contextvars import Context
from dataclasses import dataclass
from enum import StrEnum
from time import monotonic

from app.observability import counters, request_stats

LOG = logging.getLogger("ostiary.sign_in")

LINES_A_SECOND = 10
"""How many lines there are of one reason and kind of credential."""

MOST_CHARACTERS = 127
"""How many characters of a name are told: as many as a user name has at most."""


class Credential(StrEnum):
    """Kinds of credentials. A refresh is told as such, with whatever token it came."""

    PASSWORD = "password"  # noqa: S105 - a label
    SESSION_TOKEN = "session_token"  # noqa: S105 - a label
    API_TOKEN = "api_token"  # noqa: S105 - a label
    PROVIDER_TOKEN = "provider_token"  # noqa: S105 - a label
    REFRESH = "refresh"


class Reason(StrEnum):
    """Reasons for which a credential is refused. The client is never told which it was."""

    UNKNOWN_USER = "unknown_user"
    WRONG_PASSWORD = "wrong_password"  # noqa: S105 - a label
    DEACTIVATED = "deactivated"
    NOT_ALLOWED = "not_allowed"
    THROTTLED = "throttled"
    QUEUE_FULL = "queue_full"
    EXPIRED = "expired"
    NOT_YET_VALID = "not_yet_valid"
    REVOKED = "revoked"
    MALFORMED = "malformed"
    UNKNOWN_KEY = "unknown_key"
    BAD_SIGNATURE = "bad_signature"
    UNKNOWN_TOKEN = "unknown_token"  # noqa: S105 - a label
    WRONG_GENERATION = "wrong_generation"
    WRONG_PLACE = "wrong_place"
    PROVIDER_REFUSED = "provider_refused"
    PROVIDER_AWAY = "provider_away"
    NO_PROVIDER = "no_provider"


@dataclass(slots=True)
class _Second:
    """A second in which something was refused, and what was told of it."""

    began: float
    told: int = 0
    suppressed: int = 0


_SECONDS: dict[tuple[str, Reason], _Second] = {}


def log_refusal(credential: str, reason: Reason, user_name: str | None = None) -> None:
    """Count and log that a credential was refused to the client of the current request."""
    about = request_stats.current_request()
    api = about.api.upper()
    counters.increment("ostiary_sign_ins_refused_total", api=api, credential=credential, reason=reason)
    second = _second(credential, reason)
    if second.told >= LINES_A_SECOND:
        _suppress(second, credential, reason)
        return
    second.told += 1
    _log(
        {"api": api, "credential": credential, "reason": reason, "address": about.address, "userName": _cut(user_name)}
    )


def _second(credential: str, reason: Reason) -> _Second:
    """Return the current second of this kind."""
    now, second = monotonic(), _SECONDS.get((credential, reason))
    if second is None or now >= second.began + 1:
        _tell_suppressed(credential, reason)
        second = _SECONDS[credential, reason] = _Second(now)
    return second


def _suppress(second: _Second, credential: str, reason: Reason) -> None:
    second.suppressed += 1
    if second.suppressed == 1:
        with suppress(RuntimeError):  # outside of a loop, the next line tells
            asyncio.get_running_loop().call_later(1, _tell_suppressed, credential, reason, context=Context())


def _tell_suppressed(credential: str, reason: Reason) -> None:
    """Tell how many were left out, if any were."""
    second = _SECONDS.get((credential, reason))
    if second is not None and second.suppressed:
        number, second.suppressed = second.suppressed, 0
        _log({"credential": credential, "reason": reason, "suppressed": number}, "refused credentials, left out")


def _log(fields: dict[str, object], message: str = "refused credential") -> None:
    LOG.warning(message, extra={"fields": fields})


def _cut(text: str | None) -> str | None:
    return text if text is None or len(text) <= MOST_CHARACTERS else text[:MOST_CHARACTERS] + "…"
