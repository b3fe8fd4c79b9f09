"""Claims about the REST API: which route a path leads to, and what an error becomes."""

import logging

import pytest
from starlette.responses import Response

from app.domain import errors
from app.rest import TABLE
from app.rest.routing import AuthMode, Call, Route
from tests.support import rest_toy
from tests.support.rest_toy import refusal, route

PLACES = (
    route("GET", "/users"),
    route("POST", "/users"),
    route("PUT", "/users/{userName}"),
    route("DELETE", "/users/{userName}"),
    route("GET", "/users/{userName}/storage"),
    route("PUT", "/users/{userName}/orgs/{orgSlug}"),
    route("GET", "/users/roles"),
    route("DELETE", "/users/roles/{roleName}"),
)


@pytest.mark.parametrize(
    ("method", "path", "words"),
    [
        ("GET", "/users", {}),
        ("GET", "/USERS/", {}),
        ("GET", "/users/Roles", {}),
        ("DELETE", "/users/Ann", {"userName": "Ann"}),
        ("DELETE", "/users/Ann/", {"userName": "Ann"}),
        ("GET", "/users/Ann/sToRaGe", {"userName": "Ann"}),
        ("DELETE", "/users/roles/storage", {"roleName": "storage"}),
        ("DELETE", "/users/roles/A%20b%2Fc%C3%BC", {"roleName": "A b/cü"}),
        ("PUT", "/users/Ann/orgs/my-org?permissions=2", {"userName": "Ann", "orgSlug": "my-org"}),
    ],
)
async def test_a_path_is_found_in_any_letter_case_and_with_a_slash_at_its_end(
    method: str, path: str, words: dict[str, str]
) -> None:
    async with rest_toy.client(*PLACES) as http:
        assert (await http.request(method, path)).json()["words"] == words


@pytest.mark.parametrize(
    "path", ["/", "/user", "/users//", "/users//storage", "/users/a/b", "/users/a/b/c/d", "/users/%ff"]
)
async def test_any_other_path_is_a_404(path: str) -> None:
    async with rest_toy.client(*PLACES) as http:
        assert refusal(await http.delete(path)) == (404, False)


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("DELETE", "/users", "GET, HEAD, POST"),
        ("OPTIONS", "/users", "GET, HEAD, POST"),
        ("POST", "/users/Ann", "DELETE, PUT"),
        ("DELETE", "/users/rOLES", "GET, HEAD"),
    ],
)
async def test_a_method_that_is_not_taken_is_a_405_that_names_the_others(method: str, path: str, allowed: str) -> None:
    async with rest_toy.client(*PLACES) as http:
        reply = await http.request(method, path)

    assert refusal(reply) == (405, False)
    assert reply.headers["allow"] == allowed


async def test_head_is_answered_where_get_is() -> None:
    async with rest_toy.client(*PLACES) as http:
        assert (await http.head("/users")).status_code == 200
        assert (await http.head("/users/Ann")).status_code == 405


def test_the_table_lists_no_route_twice() -> None:
    with pytest.raises(AssertionError, match="GET /users is in the table twice"):
        rest_toy.client(*PLACES, route("GET", "/users"))


def test_the_fixed_words_of_the_table_are_in_lower_case() -> None:
    words = [word for each in TABLE for word in each.path.split("/") if not word.startswith("{")]

    assert words == [word.lower() for word in words]


ERRORS: list[tuple[Exception, int, bool, str]] = [
    (errors.Unauthenticated("Sign in."), 401, True, "Sign in."),
    (errors.Forbidden("Not you."), 403, True, "Not you."),
    (errors.BadInput("Too many."), 400, False, "Too many."),
    (errors.RateLimited("Slowly.", 7), 429, False, "Slowly."),
    (errors.TimedOut("Too long."), 503, False, "Too long."),
    (errors.InvalidInput("A digit.", ("password",)), 400, False, "A digit."),
    (errors.NotFound("No such user."), 404, False, "No such user."),
    (errors.Conflict("Taken."), 409, False, "Taken."),
    (errors.Protected("Built in."), 409, False, "Built in."),
    (errors.Problems([errors.InvalidInput("One."), errors.InvalidInput("Two.")]), 400, False, "One.|Two."),
    (errors.Problems([errors.Conflict("One."), errors.InvalidInput("Two.")]), 409, False, "One.|Two."),
]

HEADERS = {401: ("www-authenticate", "Bearer"), 429: ("retry-after", "7")}


def failing(error: Exception) -> Route:
    async def fail(call: Call) -> Response:
        raise error

    return Route("GET", "/fails", fail, AuthMode.NONE, "Fails.")


@pytest.mark.parametrize("drone_db_clients", [False, True])
@pytest.mark.parametrize(("error", "status", "no_retry", "text"), ERRORS)
async def test_an_error_has_a_status_a_text_and_says_whether_to_try_again(
    error: Exception, status: int, no_retry: bool, text: str, drone_db_clients: bool
) -> None:
    async with rest_toy.client(failing(error), drone_db_clients=drone_db_clients) as http:
        reply = await http.get("/fails")

    wanted = 401 if status == 403 and drone_db_clients else status
    assert refusal(reply) == (wanted, no_retry)
    assert reply.json()["error"] == text
    name, value = HEADERS.get(wanted, ("retry-after", None))
    assert reply.headers.get(name) == value


async def test_a_surprise_keeps_its_mouth_shut_and_the_log_has_it(caplog: pytest.LogCaptureFixture) -> None:
    async with rest_toy.client(failing(RuntimeError("the secret is 42"))) as http:
        reply = await http.get("/fails")

    (record,) = caplog.records
    error_id = vars(record)["error_id"]
    assert refusal(reply) == (500, False)
    assert reply.json()["error"] == f"Unexpected error. The log has it as {error_id}."
    assert (record.levelno, error_id in record.getMessage()) == (logging.ERROR, True)
    assert record.exc_info
    assert "the secret is 42" in caplog.text
