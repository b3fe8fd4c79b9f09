"""Errors as entries of a response: expected errors with their own message, unexpected ones with an id of the log."""

import logging
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any
from uuid import uuid4

from graphql import FieldNode, GraphQLError, ListValueNode, Node, ObjectValueNode, VariableNode

from app.domain.errors import (
    CODES,
    BadInput,
    ChangeMade,
    Problem,
    Problems,
    RateLimited,
    Refusal,
    TimedOut,
    TooComplex,
    Unavailable,
)
from app.graphql.coercion.variable_usage import FILTER
from app.graphql.documents.cache import MAX_ERRORS, PARSE_FAILED, RESOLUTION_FAILURE, VALIDATION_FAILED
from app.graphql.documents.canonical import SentText
from app.http.deadlines import CHANGE_MADE, is_failure
from app.http.exact_json import path_text
from app.http.middleware import UNEXPECTED
from app.observability import counters

LOG = logging.getLogger("ostiary")

LEFT_OUT = "ERRORS_LEFT_OUT"
"""The code of the last entry of a response that leaves out errors."""

counters.declare("ostiary_limits_exceeded_total", limit=["errors"])
counters.declare(
    "ostiary_errors_total", code=[*CODES, PARSE_FAILED, VALIDATION_FAILED, RESOLUTION_FAILURE, LEFT_OUT, UNEXPECTED]
)

ABORTED = ("Validation aborted.", "Execution aborted.")
"""Ends of the message by which graphql-core reports that it stopped after the maximum of errors."""

MAX_MESSAGE_LENGTH = 1_000
"""Characters of a message. Some messages repeat names that the client chose."""


def format_errors(
    errors: Sequence[GraphQLError],
    *,
    maximum: int = MAX_ERRORS,
    sent: SentText | None = None,
    committed_keys: Collection[str] = (),
) -> list[dict[str, Any]]:
    """Return the `errors` of a response. Unexpected errors are logged under the id that the client gets.

    After `maximum` errors, one entry has the number of the omitted ones. `sent` is the sent text, if the errors have
    positions of its canonical form. `committed_keys` are the response keys of committed mutations: a failure below such
    a key says that the change was made.
    """
    entries, number = list[dict[str, Any]](), 0
    for error in errors:
        if number >= maximum and error.message.endswith(ABORTED):
            return [*entries, _left_out(None)]
        if len(entries) < maximum:
            is_committed = str((error.path or ("",))[0]) in committed_keys and is_failure(_cause(error))
            new = [_add_location(error, entry, sent) for entry in _entries(error)]
            entries += [_mark_committed(entry) for entry in new] if is_committed else new
        number = max(number + 1, len(entries))
    return entries if number <= maximum else [*entries[:maximum], _left_out(number - maximum)]


def _left_out(number: int | None) -> dict[str, Any]:
    """Return the entry for omitted errors; their number is None where graphql-core stopped early."""
    counters.increment("ostiary_limits_exceeded_total", limit="errors")
    quantity = "Further" if number is None else f"{number:,} further"
    return {
        "message": f"{quantity} errors are left out.",
        "extensions": {"code": LEFT_OUT, **({} if number is None else {"leftOut": number})},
    }


def _mark_committed(entry: dict[str, Any]) -> dict[str, Any]:
    return entry | {"message": CHANGE_MADE, "extensions": entry["extensions"] | {"code": ChangeMade.code}}


def format_refusal(refusal: Refusal) -> dict[str, Any]:
    """Return the entry of a refused request."""
    return {"message": refusal.message, "extensions": _extensions(refusal)}


def format_unexpected(error: BaseException) -> dict[str, Any]:
    """Log an unexpected error, and return an entry with its id in the log."""
    error_id = uuid4().hex
    LOG.error("Unexpected error %s", error_id, exc_info=error, extra={"error_id": error_id})
    return {"message": "Unexpected error.", "extensions": {"code": UNEXPECTED, "errorId": error_id}}


def refusal_of_all(errors: Iterable[GraphQLError]) -> Refusal | None:
    """Return the refusal of the complete query, if the database or the time did not suffice for one of its fields.

    A plan refuses such a query too, so the status does not depend on the executor.
    """
    return next((cause for error in errors if isinstance(cause := _cause(error), TimedOut | Unavailable)), None)


def _entries(error: GraphQLError) -> Iterator[dict[str, Any]]:
    cause = _cause(error)
    if isinstance(cause, Refusal):
        yield _name_variable(format_refusal(cause), error.nodes or ())
    elif isinstance(cause, Problem | Problems):
        # Queries have no payload for problems: report invalid input.
        for problem in cause.problems if isinstance(cause, Problems) else (cause,):
            yield {"message": problem.message, "extensions": {"code": BadInput.code}}
    elif isinstance(cause, GraphQLError) and _is_expected(error, cause):
        yield {"message": cause.message, "extensions": {"code": BadInput.code} | (cause.extensions or {})}
    else:
        yield format_unexpected(cause)


def _name_variable(entry: dict[str, Any], nodes: Collection[Node]) -> dict[str, Any]:
    """Return an entry whose place in a filter is that of the variable, if the invalid value is inside of one."""
    extensions = entry["extensions"]
    if extensions.get("argument") != FILTER:
        return entry
    arguments = (each for node in nodes if isinstance(node, FieldNode) for each in node.arguments or ())
    value: Any = next((each.value for each in arguments if each.name.value == FILTER), None)
    path = [int(part) if part.isdigit() else part for part in extensions["path"]]
    argument_label = f"Argument `{FILTER}`: `{path_text(path)}`"
    while path and not isinstance(value, VariableNode):
        value = _child(value, path.pop(0))
    if not isinstance(value, VariableNode):
        return entry
    others = {name: each for name, each in extensions.items() if name not in {"argument", "path"}}
    name = value.name.value
    message = entry["message"].replace(
        argument_label, f"Variable `${name}`: `{path_text(path)}`" if path else f"Variable `${name}`"
    )
    return {"message": message, "extensions": {**others, "variable": name, "path": [*map(str, path)]}}


def _child(value: Any, part: str | int) -> Any:
    """Return the literal of a field or an item. One value is a list of one."""
    if isinstance(value, ObjectValueNode) and isinstance(part, str):
        return next((field.value for field in value.fields if field.name.value == part), None)
    return value.values[int(part)] if isinstance(value, ListValueNode) else value if isinstance(part, int) else None


def _cause(error: GraphQLError) -> Exception:
    """Return the original exception. graphql-core also wraps its own errors, to add their path."""
    cause: Exception = error
    while isinstance(cause, GraphQLError) and cause.original_error is not None:
        cause = cause.original_error
    return cause


def _is_expected(error: GraphQLError, cause: GraphQLError) -> bool:
    """Return whether the request caused an error of graphql-core: before execution always, then only in arguments."""
    if error.path is None or "code" in (cause.extensions or {}):
        return True
    return any(not isinstance(node, FieldNode) for node in cause.nodes or ())


def _extensions(refusal: Refusal) -> dict[str, Any]:
    extensions: dict[str, Any] = {"code": refusal.code}
    if isinstance(refusal, RateLimited | Unavailable):
        extensions["retryAfter"] = refusal.retry_after
    elif refusal.place:
        argument, *path = map(str, refusal.place)
        extensions |= {"argument": argument, "path": path}
    elif isinstance(refusal, TooComplex):
        extensions |= {"limit": refusal.limit, "maximum": refusal.maximum, "value": refusal.value}
    return extensions


def _add_location(error: GraphQLError, entry: dict[str, Any], sent: SentText | None) -> dict[str, Any]:
    message: str = entry["message"]
    located: dict[str, Any] = {
        "message": message if len(message) <= MAX_MESSAGE_LENGTH else f"{message[:MAX_MESSAGE_LENGTH]}…"
    }
    locations = error.locations if sent is None else sent.locations(error)
    if locations:
        located["locations"] = [location.formatted for location in locations]
    if error.path is not None:
        located["path"] = list(error.path)
    return located | {"extensions": entry["extensions"]}
