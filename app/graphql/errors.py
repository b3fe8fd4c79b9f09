"""Errors become entries of a response here: expected ones say themselves, surprises keep their mouth shut."""

import logging
from collections.abc import Collection, Iterator, Sequence
from typing import Any
from uuid import uuid4

from graphql import FieldNode, GraphQLError

from app.domain.errors import BadInput, ChangeMade, Problem, Problems, RateLimited, Refusal, TooComplex
from app.graphql.documents.cache import MAX_ERRORS
from app.graphql.documents.canonical import SentText
from app.http.deadlines import CHANGE_MADE, is_failure
from app.observability import counters

LOG = logging.getLogger("ostiary")

LEFT_OUT = "ERRORS_LEFT_OUT"
"""The code of the last entry where more went wrong than is told."""

ABORTED = ("Validation aborted.", "Execution aborted.")
"""How the last error of graphql-core ends, where it has stopped to look for more."""

LONGEST = 1_000
"""Characters of a message: names of any length are repeated in some."""


def format_errors(
    errors: Sequence[GraphQLError],
    log: logging.Logger = LOG,
    *,
    most: int = MAX_ERRORS,
    sent: SentText | None = None,
    made: Collection[str] = (),
) -> list[dict[str, Any]]:
    """The `errors` of a response; surprises are logged on the way, each with the id that the asker gets.

    At most so many are told, and then how many are left out. `sent` is the text that was sent, where the errors speak
    of its canonical form. `made` are the keys of the answer whose changes are committed: a failure below one says so.
    """
    told, number = list[dict[str, Any]](), 0
    for error in errors:
        if number >= most and error.message.endswith(ABORTED):
            return [*told, _left_out(None)]
        if len(told) < most:
            is_made = str((error.path or ("",))[0]) in made and is_failure(_cause(error))
            entries = [_placed(error, entry, sent) for entry in _entries(error, log)]
            told += [_of_a_change(entry) for entry in entries] if is_made else entries
        number = max(number + 1, len(told))
    return told if number <= most else [*told[:most], _left_out(number - most)]


def _left_out(number: int | None) -> dict[str, Any]:
    """Return the entry that says how many errors are left out; graphql-core stops before it knows."""
    counters.increment("ostiary_limits_exceeded_total", limit="errors")
    how_many = "Further" if number is None else f"{number:,} further"
    return {
        "message": f"{how_many} errors are left out.",
        "extensions": {"code": LEFT_OUT, **({} if number is None else {"leftOut": number})},
    }


def _of_a_change(entry: dict[str, Any]) -> dict[str, Any]:
    return entry | {"message": CHANGE_MADE, "extensions": entry["extensions"] | {"code": ChangeMade.code}}


def format_refusal(refusal: Refusal) -> dict[str, Any]:
    """The entry for a request that was refused as a whole."""
    return {"message": refusal.message, "extensions": _extensions(refusal)}


def format_unexpected(error: BaseException, log: logging.Logger = LOG) -> dict[str, Any]:
    """The entry for a surprise; its story goes to the log."""
    error_id = uuid4().hex
    log.error("Unexpected error %s", error_id, exc_info=error, extra={"error_id": error_id})
    return {
        "message": "Unexpected error.",
        "extensions": {"code": "INTERNAL_SERVER_ERROR", "errorId": error_id},
    }


def _entries(error: GraphQLError, log: logging.Logger) -> Iterator[dict[str, Any]]:
    cause = _cause(error)
    if isinstance(cause, Refusal):
        yield format_refusal(cause)
    elif isinstance(cause, Problem | Problems):
        # A read has no payload to put a problem into: it is the input that was wrong.
        for problem in cause.problems if isinstance(cause, Problems) else (cause,):
            yield {"message": problem.message, "extensions": {"code": BadInput.code}}
    elif isinstance(cause, GraphQLError) and _is_expected(error, cause):
        yield {"message": cause.message, "extensions": {"code": BadInput.code} | (cause.extensions or {})}
    else:
        yield format_unexpected(cause, log)


def _cause(error: GraphQLError) -> Exception:
    """What was first raised: graphql-core wraps its own errors too, when it learns their path."""
    cause: Exception = error
    while isinstance(cause, GraphQLError) and cause.original_error is not None:
        cause = cause.original_error
    return cause


def _is_expected(error: GraphQLError, cause: GraphQLError) -> bool:
    """Before execution all of graphql-core's complaints concern the request; within it, only those about arguments."""
    if error.path is None or "code" in (cause.extensions or {}):
        return True
    return any(not isinstance(node, FieldNode) for node in cause.nodes or ())


def _extensions(refusal: Refusal) -> dict[str, Any]:
    extensions: dict[str, Any] = {"code": refusal.code}
    if isinstance(refusal, RateLimited):
        extensions["retryAfter"] = refusal.retry_after
    elif isinstance(refusal, TooComplex):
        extensions |= {"limit": refusal.limit, "maximum": refusal.most, "value": refusal.value}
    return extensions


def _placed(error: GraphQLError, entry: dict[str, Any], sent: SentText | None) -> dict[str, Any]:
    message: str = entry["message"]
    placed: dict[str, Any] = {"message": message if len(message) <= LONGEST else f"{message[:LONGEST]}…"}
    locations = error.locations if sent is None else sent.locations(error)
    if locations:
        placed["locations"] = [location.formatted for location in locations]
    if error.path is not None:
        placed["path"] = list(error.path)
    return placed | {"extensions": entry["extensions"]}
