"""Error statuses of each route with their reasons, for the OpenAPI description."""

from collections.abc import Iterator, Mapping

from app.domain.errors import Conflict, NotFound, Protected
from app.rest.request_bodies import Body
from app.rest.routing import SAFE, AuthMode, Route
from app.services.orgs import OwnerIsNoMember

_NAMED = {
    401: "The user name or the password is wrong, or the user is deactivated.",
    403: "The user lacks the permission.",
    404: "The object does not exist, or the viewer may not see it.",
    409: "The change conflicts with the current state.",
    429: "Too many failed attempts, or too many passwords wait to be checked. `Retry-After` has the seconds to wait.",
    503: "The identity provider, if there is one, does not answer or returns an invalid response.",
}
_REASONS_400 = {
    NotFound: "The object does not exist, or the viewer may not see it.",
    Conflict: "The change conflicts with the current state.",
    Protected: "The object is built in.",
    OwnerIsNoMember: "The user owns the org. The owner cannot be a member.",
}
_TOKEN = {
    AuthMode.NONE: "The token in the header was revoked.",
    AuthMode.OPTIONAL: "The token in the header is invalid, or the requested data needs a signed-in user.",
    AuthMode.REQUIRED: "There is no token, or the token is invalid or expired.",
}


def refusals(route: Route, *, drone_db_clients: bool) -> dict[int, str]:
    """Return the reasons of each error status of a route. DroneDB's clients get 401 instead of 403."""
    reasons: dict[int, list[str]] = {}
    for status, reason in _reasons(route):
        sent = 401 if drone_db_clients and status == 403 else status  # noqa: PLR2004 - statuses are their own names
        reasons.setdefault(sent, []).append(reason)
    return {status: " ".join(reasons[status]) for status in sorted(reasons)}


def _reasons(route: Route) -> Iterator[tuple[int, str]]:
    yield 400, _invalid_request(route)
    yield from ((400, _REASONS_400[kind]) for kind in route.answers_400)
    if route.needs_local_accounts:
        yield 400, "An identity provider manages the accounts."
    yield from ((status, _NAMED[status]) for status in route.refusals)
    yield 401, _TOKEN[route.auth_mode]
    if route.parameter_names:
        yield 404, "A path parameter is empty or not UTF-8."
    if route.method not in SAFE:
        yield from _change_reasons(route)
    if route.body:
        yield 408, "The body was not received within the setting `RequestLimits.BodySeconds`."
        yield 413, "The body exceeds the setting `RequestLimits.BodyBytes`."
        if Body.FORM in route.body:
            yield 413, "A form exceeds the setting `RequestLimits.FormBytes`."
        yield 415, "The media type or the encoding of the body is not supported."
    yield 503, "The request took too long, or the database does not answer."


def _invalid_request(route: Route) -> str:
    parts: Mapping[str, bool] = {"path": bool(route.parameter_names), "body": bool(route.body), "query": True}
    return f"The {' or the '.join(name for name, is_used in parts.items() if is_used)} is invalid."


def _change_reasons(route: Route) -> Iterator[tuple[int, str]]:
    if route.auth_mode is not AuthMode.NONE:
        yield 403, "The token came in a cookie from a page of another site."
    if route.has_revision:
        yield 412, "The object has another revision than the one in `If-Match`, or the request has `If-None-Match: *`."
    if route.takes_key:
        yield 409, "The idempotency key belongs to another call of the last 24 hours."
    yield 503, "Other requests change the same data, and nothing was changed. `Retry-After` has the seconds to wait."
