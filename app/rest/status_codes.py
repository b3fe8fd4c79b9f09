"""Which statuses a route refuses with, and when: what its line of the table names, and what follows from its kind."""

from collections.abc import Iterator, Mapping

from app.domain.errors import Conflict, NotFound, Protected
from app.rest.routing import SAFE, AuthMode, Route
from app.services.orgs import OwnerIsNoMember

_NAMED = {
    401: "The user name or the password is wrong, or she is deactivated.",
    403: "Signed in, and not permitted.",
    404: "There is no such thing, or none that the asker may know of.",
    409: "What is stored now stands against it.",
    429: "Too many failed sign-in attempts, or too many passwords wait to be checked. `Retry-After` is in seconds.",
    503: "The external provider, where there is one, does not answer or answers nonsense.",
}
_TOLD_AS_400 = {
    NotFound: "There is no such thing, or none that the asker may know of.",
    Conflict: "What is stored now stands against it.",
    Protected: "It is built in.",
    OwnerIsNoMember: "This user owns the org. The owner is not a member.",
}
_TOKEN = {
    AuthMode.NONE: "The token in the header was revoked.",
    AuthMode.OPTIONAL: "The token in the header is not good; or nobody is signed in, where what is asked for needs it.",
    AuthMode.REQUIRED: "Nobody is signed in, or the token is no longer good.",
}


def refusals(route: Route, *, drone_db_clients: bool) -> dict[int, str]:
    """When a route refuses, by status; DroneDB's clients are told 401 for 403."""
    found: dict[int, list[str]] = {}
    for status, when in _each(route):
        told = 401 if drone_db_clients and status == 403 else status  # noqa: PLR2004 - statuses are their own names
        found.setdefault(told, []).append(when)
    return {status: " ".join(found[status]) for status in sorted(found)}


def _each(route: Route) -> Iterator[tuple[int, str]]:
    yield 400, _misread(route)
    yield from ((400, _TOLD_AS_400[kind]) for kind in route.answers_400)
    if route.is_externally_managed:
        yield 400, "An external provider keeps the accounts."
    yield from ((status, _NAMED[status]) for status in route.refusals)
    yield 401, _TOKEN[route.auth_mode]
    if route.parameter_names:
        yield 404, "A word of the path is empty or not UTF-8."
    if route.method not in SAFE:
        yield from _of_changes(route)
    if route.body:
        yield 408, "The body was not received within the setting `RequestLimits.BodySeconds`."
        yield 413, "The body exceeds the setting `RequestLimits.BodyBytes`."
        yield 415, "The body is of another media type, or packed."
    yield 503, "It took too long, or the database does not answer."


def _misread(route: Route) -> str:
    given: Mapping[str, bool] = {"path": bool(route.parameter_names), "body": bool(route.body), "query": True}
    where = [name for name, is_given in given.items() if is_given]
    return f"What the {' or the '.join(where)} says cannot be read, or is not of the form that is wanted."


def _of_changes(route: Route) -> Iterator[tuple[int, str]]:
    if route.auth_mode is not AuthMode.NONE:
        yield 403, "The token came in a cookie, and not from one of this site's own pages."
    yield 409, "It met another change at the same moment; try again."
