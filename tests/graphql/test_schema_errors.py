"""Claims about errors in responses: expected errors have their own message, unexpected ones a generic one."""

import logging
from collections.abc import AsyncIterator

import httpx
import pytest

from app.config import RequestLimits
from tests.support import toy
from tests.support.toy import GRAPHQL, code, post


@pytest.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    async with toy.client(limits=RequestLimits(body_bytes=200_000)) as client:
        yield client


async def test_expected_errors_have_their_message_and_are_not_logged(
    http: httpx.AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    reply = await post(
        http, {"query": '{ a: fails(how: "forbidden") b: fails(how: "limited") c: fails(how: "coded") }'}
    )

    entries = reply.json()["errors"]
    assert reply.status_code == 200
    assert entries[0] == {
        "message": "Not for you.",
        "locations": [{"line": 1, "column": 3}],
        "path": ["a"],
        "extensions": {"code": "FORBIDDEN"},
    }
    assert entries[1]["extensions"] == {"code": "RATE_LIMITED", "retryAfter": 7}
    assert entries[2]["extensions"] == {"code": "OWN"}
    assert not caplog.records


async def test_problems_of_a_read_are_bad_input(http: httpx.AsyncClient) -> None:
    reply = await post(http, {"query": '{ a: fails(how: "missing") b: fails(how: "many") }'})

    problems = [(entry["message"], entry["extensions"]["code"]) for entry in reply.json()["errors"]]
    assert problems == [("No such thing.", "BAD_USER_INPUT"), ("One.", "BAD_USER_INPUT"), ("Two.", "BAD_USER_INPUT")]


@pytest.mark.parametrize("field", ['fails(how: "bug")', 'fails(how: "graphql")', "count(of: -1)"])
async def test_an_unexpected_error_is_masked_and_logged(
    http: httpx.AsyncClient, caplog: pytest.LogCaptureFixture, field: str
) -> None:
    reply = await post(http, {"query": f"{{ a: {field} }}"})

    (entry,) = reply.json()["errors"]
    assert entry["message"] == "Unexpected error."
    assert entry["path"] == ["a"]
    assert entry["extensions"]["code"] == "INTERNAL_SERVER_ERROR"
    (record,) = caplog.records
    assert (record.name, record.levelno) == ("ostiary", logging.ERROR)
    assert entry["extensions"]["errorId"] in record.getMessage()
    assert record.exc_info


async def test_a_refused_request_has_its_status(http: httpx.AsyncClient) -> None:
    unknown = await post(http, {"query": "{hello}"}, x_raise="unknown")
    forbidden = await post(http, {"query": "{hello}"}, x_raise="forbidden")
    limited = await post(http, {"query": "{hello}"}, x_raise="limited")

    assert (unknown.status_code, unknown.headers["www-authenticate"]) == (401, "Bearer")
    assert (forbidden.status_code, code(forbidden)) == (403, "FORBIDDEN")
    assert (limited.status_code, limited.headers["retry-after"]) == (429, "7")


async def test_an_unexpected_error_of_the_request_is_a_masked_500(
    http: httpx.AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    reply = await post(http, {"query": "{hello}"}, x_raise="bug", accept=GRAPHQL)

    assert reply.status_code == 500
    assert code(reply) == "INTERNAL_SERVER_ERROR"
    assert "secret" not in reply.text
    assert "the secret is 42" in caplog.text


async def test_invalid_variables_are_bad_input(http: httpx.AsyncClient) -> None:
    query = "query ($of: Int!) { count(of: $of) }"
    reply = await post(http, {"query": query, "variables": {"of": "five"}}, accept=GRAPHQL)

    assert reply.status_code == 400
    assert code(reply) == "BAD_USER_INPUT"


async def test_cookies_are_restricted_to_this_site(http: httpx.AsyncClient) -> None:
    reply = await post(http, {"query": "{hello}"})

    assert reply.headers["set-cookie"] == "session=abc; HttpOnly; Max-Age=60; Path=/; SameSite=strict; Secure"
