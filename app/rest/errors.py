"""The one place where errors become REST: a status and `{"error", "noRetry"}`. Surprises keep their mouth shut."""

import logging
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from uuid import uuid4

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from app import http
from app.db import ForeignKeyViolation
from app.domain.errors import Conflict, Forbidden, Problem, Problems, QuotaExceeded, Refusal, TimedOut, Unauthenticated
from app.http.deadlines import reported_error
from app.observability import counters, request_stats

LOG = logging.getLogger("ostiary")

HEADERS = {
    **http.NO_STORE,
    "Referrer-Policy": "strict-origin-when-cross-origin",
    "X-Frame-Options": "SAMEORIGIN",
}
"""What every answer of this face says of itself."""

NO_SUCH_PATH = "There is nothing at this path."


class WrongLogin(Unauthenticated):
    """Told in one word whatever was wrong: a client may look for it, and may try again."""

    def __init__(self) -> None:
        super().__init__("Unauthorized")


def error_response(
    error: Exception, *, as_400: tuple[type[Problem], ...] = (), drone_db_clients: bool, most_errors: int = 50
) -> Response:
    """The response to an error; DroneDB's clients know no 403 and take 401 for it. So many errors are told at most."""
    headers: Mapping[str, str] = {}
    error = reported_error(error, LOG)
    request_stats.current_request().codes += _codes(error)
    match error:
        case Refusal():
            status, message, headers = error.status, error.message, http.headers(error)
        case Problem():
            status, message = _status(error, as_400), error.message
        case Problems():
            status = _status(error.problems[0], as_400)
            message = "|".join(_message(error.problems, most_errors))
        case ForeignKeyViolation():
            status, message = 409, "Something that this change needs was deleted at this moment. Try again."
        case TimeoutError():
            status, message = 503, "This took too long and was stopped."
        case _:
            status, message = 500, _unexpected(error)
    if status == HTTPStatus.FORBIDDEN and drone_db_clients:
        status, headers = HTTPStatus.UNAUTHORIZED, {"WWW-Authenticate": "Bearer"}
    return _response(message, status, headers, no_retry=_is_final(error))


def _message(problems: Sequence[Problem], most: int) -> list[str]:
    told = [problem.message for problem in problems[:most]]
    if (left_out := len(problems) - len(told)) > 0:
        counters.increment("ostiary_limits_exceeded_total", limit="errors")
        told.append(f"{left_out:,} further errors are left out.")
    return told


def _codes(error: Exception) -> list[str]:
    """The codes of GraphQL for the same errors: what is counted and logged is the same on both faces."""
    match error:
        case Refusal() | Problem():
            return [error.code]
        case Problems():
            return [problem.code for problem in error.problems]
        case ForeignKeyViolation():
            return [Conflict.code]
        case TimeoutError():
            return [TimedOut.code]
    return ["INTERNAL_SERVER_ERROR"]


def _status(problem: Problem, as_400: tuple[type[Problem], ...]) -> int:
    return HTTPStatus.BAD_REQUEST if isinstance(problem, as_400) else problem.status


def _is_final(error: Exception) -> bool:
    """Whether asking again as the same one is useless: DroneDB's clients go to their login page, or stop uploading."""
    return isinstance(error, Unauthenticated | Forbidden | QuotaExceeded) and not isinstance(error, WrongLogin)


def _unexpected(error: Exception) -> str:
    error_id = uuid4().hex
    LOG.error("Unexpected error %s", error_id, exc_info=error, extra={"error_id": error_id})
    return f"Unexpected error. The log has it as {error_id}."


def _response(message: str, status: int, headers: Mapping[str, str], *, no_retry: bool = False) -> Response:
    body = http.encode_json({"error": message, "noRetry": no_retry})
    return Response(body, status, {**HEADERS, **headers}, "application/json")


async def unexpected_response(request: Request, error: Exception) -> Response:
    """The response where no route answers: an unknown path, or a method that a known one does not take."""
    assert isinstance(error, HTTPException)
    message = NO_SUCH_PATH if error.status_code == HTTPStatus.NOT_FOUND else f"{error.detail}."
    return _response(message, error.status_code, error.headers or {})
