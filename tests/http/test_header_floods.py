"""Tests of headers and paths that are made to be expensive: each is read with a bounded number of calls."""

from typing import Any

import pytest

from app.graphql.http import accept
from app.http.weights import MAX_VALUES, weights
from tests.support.client import Api
from tests.support.effort import counted

SIZE = 60_000
MAX_CALLS = 12_000
"""Calls for one request, of the client and the test too, that all have without the flood: about 4,000."""

HEADERS = (
    "accept",
    "accept-encoding",
    "accept-language",
    "authorization",
    "cookie",
    "forwarded",
    "idempotency-key",
    "if-match",
    "if-none-match",
    "origin",
    "range",
    "referer",
    "sec-fetch-site",
    "traceparent",
    "tracestate",
    "x-forwarded-for",
    "x-request-id",
)
FILLERS = (",", ";", "=", "/", '"', "%41", "a,", "a/b;q=0.1,", "a=b; ", '"a", ', "for=1,", "Bearer ", " ")
REQUESTS: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("POST", "/graphql", {"json": {"query": "{ __typename }"}}),
    ("GET", "/login", {}),
    ("GET", "/users", {}),
)


@pytest.mark.parametrize(("method", "path", "more"), REQUESTS, ids=lambda each: str(each)[:12])
@pytest.mark.parametrize("header", HEADERS)
async def test_a_long_header_takes_few_calls(
    api: Api, header: str, method: str, path: str, more: dict[str, Any]
) -> None:
    await api.client.request(method, path, **more)
    for filler in FILLERS:
        value = f"1{filler * (SIZE // len(filler))}"
        with counted() as effort:
            reply = await api.client.request(method, path, headers={header: value}, **more)
        assert reply.status_code < 500
        assert effort.calls < MAX_CALLS, f"{header} of {filler!r}: {effort.calls}"


@pytest.mark.parametrize("root", ["", "/orgs", "/datasets/a"])
@pytest.mark.parametrize("segment", ["/", "/a", "/%41", "/%ff", "/.."])
async def test_a_long_path_takes_few_calls(api: Api, root: str, segment: str) -> None:
    path = root + segment * (SIZE // len(segment))
    await api.client.get("/users")
    with counted() as effort:
        reply = await api.client.get("/", extensions={"target": path.encode()})
    assert reply.status_code < 500
    assert effort.calls < MAX_CALLS


def test_the_first_values_of_a_long_list_count_and_it_is_not_remembered() -> None:
    assert len([*weights("a/b," * SIZE)]) == MAX_VALUES
    assert dict(weights("text/html;q=0.5" + "," * SIZE))["text/html"] == 0.5
    before = accept._cached_choice.cache_info().currsize
    offers = (accept.JSON, accept.GRAPHQL)
    long_header = f"{accept.JSON}{',' * SIZE}".encode()
    assert accept.negotiate({b"accept": long_header}, offers) == accept.JSON  # type: ignore[arg-type]  # it has `get`
    assert accept._cached_choice.cache_info().currsize == before
