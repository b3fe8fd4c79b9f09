"""Log of refused credentials: one line and one count for each refusal.

The lines are limited per second, reason and kind of credential, so that an attack does not fill the disk. A later line
gives the number of suppressed lines.
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

MAX_LINES_PER_SECOND = 10
"""Most lines per second for one reason and kind of credential."""

MAX_NAME_CHARACTERS = 127
"""Characters of a user name in a line: the maximum length of a user name."""


class Credential(StrEnum):
    """Kinds of credentials. A refresh counts as `refresh`, whichever kind of token it presents."""

    PASSWORD = "password"  # noqa: S105 - a label
    SESSION_TOKEN = "session_token"  # noqa: S105 - a label
    API_TOKEN = "api_token"  # noqa: S105 - a label
    PROVIDER_TOKEN = "provider_token"  # noqa: S105 - a label
    REFRESH = "refresh"


class Reason(StrEnum):
    """Reasons for which a credential is refused. A response never contains the reason."""

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


FAMILY = "ostiary_sign_ins_refused_total"

counters.declare(FAMILY, api=("graphql", "rest"), credential=Credential, reason=Reason)


@dataclass(slots=True)
class _Second:
    """Lines written and suppressed in one second, for one reason and kind of credential."""

    began: float
    written: int = 0
    suppressed: int = 0


_SECONDS: dict[tuple[str, Reason], _Second] = {}


def log_refusal(credential: str, reason: Reason, user_name: str | None = None) -> None:
    """Count and log a refused credential of the current request."""
    stats = request_stats.current_request()
    counters.increment(FAMILY, api=stats.api, credential=credential, reason=reason)
    second = _second(credential, reason)
    if second.written >= MAX_LINES_PER_SECOND:
        _suppress(second, credential, reason)
        return
    second.written += 1
    name = _truncate(user_name)
    _log({"api": stats.api, "credential": credential, "reason": reason, "address": stats.address, "userName": name})


def _second(credential: str, reason: Reason) -> _Second:
    now, second = monotonic(), _SECONDS.get((credential, reason))
    if second is None or now >= second.began + 1:
        _log_suppressed(credential, reason)
        second = _SECONDS[credential, reason] = _Second(now)
    return second


def _suppress(second: _Second, credential: str, reason: Reason) -> None:
    second.suppressed += 1
    if second.suppressed == 1:
        with suppress(RuntimeError):  # without an event loop, the next refusal logs the number
            asyncio.get_running_loop().call_later(1, _log_suppressed, credential, reason, context=Context())


def _log_suppressed(credential: str, reason: Reason) -> None:
    """Log the number of suppressed lines, if there are any, and reset it."""
    second = _SECONDS.get((credential, reason))
    if second is not None and second.suppressed:
        number, second.suppressed = second.suppressed, 0
        _log({"credential": credential, "reason": reason, "suppressed": number}, "suppressed refused credentials")


def _log(fields: dict[str, object], message: str = "refused credential") -> None:
    LOG.warning(message, extra={"fields": fields})


def _truncate(text: str | None) -> str | None:
    return text if text is None or len(text) <= MAX_NAME_CHARACTERS else text[:MAX_NAME_CHARACTERS] + "…"
