"""The table of error codes: codes and statuses come from the classes of errors, the conditions are written here."""

from collections.abc import Iterator, Mapping
from itertools import chain

from app.domain.errors import Problem, Refusal
from app.graphql.documents.cache import PARSE_FAILED, RESOLUTION_FAILURE, VALIDATION_FAILED
from app.graphql.errors import LEFT_OUT
from app.graphql.http import messages
from app.http import responses
from app.http.middleware import UNEXPECTED
from scripts.reference_tables.markdown import code, table

CLASSES_WITH_STATUSES_OF_THEIR_OWN = (
    messages.NotAcceptable,
    responses.MethodNotAllowed,
    responses.UnsupportedMediaType,
)
"""Named here so that they are defined before the subclasses of `Refusal` are listed."""

PAYLOAD = "`errors` of a payload"
TOP = "top"

CHANGES: Mapping[str, str] = {
    "INVALID_INPUT": "A value has the wrong form or size.",
    "NOT_FOUND": "The object does not exist, or the viewer may not see it.",
    "CONFLICT": "The change conflicts with the current state: a taken name, a stale revision, a lock that exists.",
    "LOCKED": "The resource is locked.",
    "QUOTA_EXCEEDED": "The bytes exceed the quota of the owner of the org.",
    "PROTECTED": "The object is built in, is the last active administrator, or is kept by the identity provider.",
}
"""Conditions under which a change is rejected."""

REQUESTS: Mapping[str, str] = {
    "UNAUTHENTICATED": "The viewer is not signed in, the password is wrong, or the token is no longer valid.",
    "FORBIDDEN": "The viewer may see the object, but may not do this.",
    "NOT_FOUND": "A question about access names a user or a resource that does not exist for the viewer.",
    "BAD_USER_INPUT": "An argument of a read is wrong: a page size, a cursor, a filter, a variable.",
    "BAD_REQUEST": "The request is wrong: its body, its method (405), its `Accept` (406), its media type (415).",
    "BODY_TOO_LARGE": "The body exceeds `RequestLimits.BodyBytes`, or a form `RequestLimits.FormBytes`.",
    "HEADERS_TOO_LARGE": "The request line and the header fields exceed `RequestLimits.HeaderBytes` or `HeaderFields`.",
    "REQUEST_TIMEOUT": "The server did not receive the header fields or the body in time.",
    "OPERATION_TOO_COMPLEX": "The document or its variables exceed a limit. `extensions` has `limit`, `maximum` and "
    "`value`.",
    "PERSISTED_QUERY_NOT_FOUND": "The server has no text for this hash. Send the text.",
    "PERSISTED_QUERY_NOT_SUPPORTED": "The version of the hash is not 1.",
    "RATE_LIMITED": "Too many passwords were wrong, or too many requests wait. `extensions.retryAfter` has the seconds "
    "to wait.",
    "TIMEOUT": "The operation took too long, or the database does not respond.",
    "CHANGE_MADE": "The change is committed, but its response failed. Do not repeat it.",
    "OUTCOME_UNKNOWN": "The connection to the database was lost during the commit. Look before you repeat the change.",
    "RETRY": "Other requests changed the same data, also when the server tried again. Nothing was changed. Send the "
    "same request again.",
    "SERVICE_UNAVAILABLE": "The server is stopping or overloaded, or the database or the identity provider is down.",
}
"""Conditions under which a field or a request is refused."""

DOCUMENTS: Mapping[str, tuple[str, str]] = {
    PARSE_FAILED: ("200, 400", "The document is not GraphQL."),
    VALIDATION_FAILED: ("200, 400", "The document does not fit the schema."),
    RESOLUTION_FAILURE: ("200, 400", "The document has several operations, and the request names none of them."),
    LEFT_OUT: ("", "More errors happened than the response lists. `extensions.leftOut` has their number, if known."),
    UNEXPECTED: ("500", "The server failed unexpectedly. `extensions.errorId` is in the log too."),
}
"""Codes without a class, with their statuses and conditions."""


def codes() -> str:
    """Return every code with the place where it is found, its status and its condition."""
    rows = chain(_of(Problem, PAYLOAD, CHANGES), _of(Refusal, TOP, REQUESTS), _without_class())
    return table(["code", "where", "status", "when"], rows)


def _of(base: type[Problem] | type[Refusal], where: str, conditions: Mapping[str, str]) -> Iterator[list[str]]:
    """Yield a row for each code of the classes below a base. A class without a condition here is a KeyError."""
    statuses: dict[str, set[int]] = {}
    for kind in _below(base):
        statuses.setdefault(kind.code, set()).add(kind.status)
    for name, numbers in statuses.items():
        yield [code(name), where, ", ".join(map(str, sorted(numbers))), conditions[name]]


def _below(base: type[Problem] | type[Refusal]) -> Iterator[type[Problem] | type[Refusal]]:
    """Yield every class of the server below a base."""
    for kind in base.__subclasses__():
        if kind.__module__.startswith("app."):
            yield kind
        yield from _below(kind)


def _without_class() -> Iterator[list[str]]:
    taken = {kind.code for kind in _below(Refusal)}
    for name, (status, when) in DOCUMENTS.items():
        if name not in taken:
            yield [code(name), TOP, status, when]
