"""Errors become entries of a response here: expected ones say themselves, surprises keep their mouth shut."""

import logging
from collections.abc import Collection, Iterator, Sequence
from typing import Any
from uuid import uuid4

from graphql import FieldNode, GraphQLError

from app.deadlines import MADE, is_failure
from app.errors import BadInput, ChangeMade, Problem, Problems, RateLimited, Refusal

LOG = logging.getLogger("ostiary")


def formatted(
    errors: Sequence[GraphQLError], log: logging.Logger = LOG, *, made: Collection[str] = ()
) -> list[dict[str, Any]]:
    """The `errors` of a response; surprises are logged on the way, each with the id that the asker gets.

    `made` are the keys of the answer whose changes are committed: a failure below one of them says so.
    """
    return [
        _of_a_change(entry) if error.path and error.path[0] in made and is_failure(_cause(error)) else entry
        for error in errors
        for entry in _entries(error, log)
    ]


def _of_a_change(entry: dict[str, Any]) -> dict[str, Any]:
    return entry | {"message": MADE, "extensions": entry["extensions"] | {"code": ChangeMade.code}}


def refused(refusal: Refusal) -> dict[str, Any]:
    """The entry for a request that was refused as a whole."""
    return {"message": refusal.message, "extensions": _extensions(refusal)}


def unexpected(error: BaseException, log: logging.Logger = LOG) -> dict[str, Any]:
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
        yield _placed(error, refused(cause))
    elif isinstance(cause, Problem | Problems):
        # A read has no payload to put a problem into: it is the input that was wrong.
        for problem in cause.problems if isinstance(cause, Problems) else (cause,):
            yield _placed(error, {"message": problem.message, "extensions": {"code": BadInput.code}})
    elif isinstance(cause, GraphQLError) and _is_expected(error, cause):
        yield _placed(
            error, {"message": cause.message, "extensions": {"code": BadInput.code} | (cause.extensions or {})}
        )
    else:
        yield _placed(error, unexpected(cause, log))


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
    return extensions


def _placed(error: GraphQLError, entry: dict[str, Any]) -> dict[str, Any]:
    placed: dict[str, Any] = {"message": entry["message"]}
    if error.locations:
        placed["locations"] = [location.formatted for location in error.locations]
    if error.path is not None:
        placed["path"] = list(error.path)
    return placed | {"extensions": entry["extensions"]}
