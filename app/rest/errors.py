"""Error responses of the REST API: a status and `{"error", "noRetry"}`. Unexpected errors reveal only an error id."""

import logging
import re
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from types import MappingProxyType
from uuid import uuid4

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from app import http
from app.domain.errors import (
    ChangeMade,
    Forbidden,
    OutdatedRevision,
    Problem,
    Problems,
    QuotaExceeded,
    Refusal,
    TimedOut,
    Unauthenticated,
)
from app.http.deadlines import reported_error
from app.observability import counters, request_stats
from app.services.mutation_keys import KeyReused

LOG = logging.getLogger("ostiary")

HEADERS = {
    **http.NO_STORE,
    "Referrer-Policy": "strict-origin-when-cross-origin",
    "X-Frame-Options": "SAMEORIGIN",
}
"""Headers of every response of the REST API."""

NO_SUCH_PATH = "There is nothing at this path."


class WrongLogin(Unauthenticated):
    """A failed sign-in. Its message is the same for every reason, since clients compare it, and they may try again."""

    def __init__(self) -> None:
        super().__init__("Unauthorized")


def error_response(
    error: Exception,
    *,
    as_400: tuple[type[Problem], ...] = (),
    names: Mapping[str, str] = MappingProxyType({}),
    drone_db_clients: bool,
    max_errors: int = 50,
) -> Response:
    """Return the response to an error with at most `max_errors` messages. DroneDB's clients get 401 for 403.

    `names` are the fields of the body by the names that the services use for them.
    """
    headers: Mapping[str, str] = {}
    error = reported_error(error, LOG)
    request_stats.current_request().codes += _codes(error)
    match error:
        case Refusal():
            status, message, headers = error.status, error.message, http.headers(error)
        case Problem():
            status, message = _status(error, as_400), _rename(error, names)
        case Problems():
            status = _status(error.problems[0], as_400)
            message = "|".join(_message(error.problems, names, max_errors))
        case TimeoutError():
            status, message = 503, "The request took too long and was stopped. Request less data."
        case _:
            status, message = 500, _unexpected(error)
    if status == HTTPStatus.FORBIDDEN and drone_db_clients:
        status, headers = HTTPStatus.UNAUTHORIZED, {"WWW-Authenticate": "Bearer"}
    return _response(message, status, headers, no_retry=_is_final(error))


def _message(problems: Sequence[Problem], names: Mapping[str, str], maximum: int) -> list[str]:
    messages = [_rename(problem, names) for problem in problems[:maximum]]
    if (omitted := len(problems) - len(messages)) > 0:
        counters.increment("ostiary_limits_exceeded_total", limit="errors")
        messages.append(f"{omitted:,} further errors are left out.")
    return messages


def _rename(problem: Problem, names: Mapping[str, str]) -> str:
    """Return the message of a problem with the name of the field in the body.

    A problem of one entry of a list names a value and not the field, as do some others: the field goes in front.
    """
    message = problem.message
    if not problem.path or (field := names.get(str(problem.path[0]))) is None:
        return message
    if len(problem.path) == 1:
        renamed = _NAME.sub(lambda match: f"`{names.get(match[1], match[1])}`", message)
        if renamed != message:
            return renamed
    return f"`{field}`: {message}"


_NAME = re.compile(r"`(\w+)`")


def _codes(error: Exception) -> list[str]:
    """Return the GraphQL codes of an error, so that logs and metrics are the same for both APIs."""
    match error:
        case Refusal() | Problem():
            return [error.code]
        case Problems():
            return [problem.code for problem in error.problems]
        case TimeoutError():
            return [TimedOut.code]
    return ["INTERNAL_SERVER_ERROR"]


def _status(problem: Problem, as_400: tuple[type[Problem], ...]) -> int:
    is_400 = isinstance(problem, as_400) and not isinstance(problem, OutdatedRevision | KeyReused)
    return HTTPStatus.BAD_REQUEST if is_400 else problem.status


def _is_final(error: Exception) -> bool:
    """Return `noRetry`: DroneDB's clients then show a login or stop uploads. Invalid input is no such error."""
    is_final = isinstance(error, Unauthenticated | Forbidden | QuotaExceeded | ChangeMade)
    return is_final and not isinstance(error, WrongLogin)


def _unexpected(error: Exception) -> str:
    error_id = uuid4().hex
    LOG.error("Unexpected error %s", error_id, exc_info=error, extra={"error_id": error_id})
    return f"Unexpected error. The log has it as {error_id}."


def _response(message: str, status: int, headers: Mapping[str, str], *, no_retry: bool = False) -> Response:
    body = http.encode_json({"error": message, "noRetry": no_retry})
    return Response(body, status, {**HEADERS, **headers}, "application/json")


async def unexpected_response(request: Request, error: Exception) -> Response:
    """Return the response to an HTTPException of Starlette: an unknown path or an unsupported method."""
    assert isinstance(error, HTTPException)
    message = NO_SUCH_PATH if error.status_code == HTTPStatus.NOT_FOUND else f"{error.detail}."
    return _response(message, error.status_code, error.headers or {})
