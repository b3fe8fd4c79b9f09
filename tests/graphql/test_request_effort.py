"""Claims about large requests that anonymous callers may send: a value takes a few calls, wherever it is."""

import asyncio
from typing import Any

import httpx
import pytest

from app.query.sql import SelectBuilder
from tests.support.client import Api
from tests.support.effort import counted

VERSION = "{ registry { version } }"
SET = "mutation ($i: SetUserMetadataInput!) { setUserMetadata(input: $i) { errors { code } } }"
MAX_CALLS = {"members": 11, "floats": 7, "floats in lists": 9, "floats in objects": 11}
"""Calls for one value; with an escape in the text, each value must be checked."""

VALUES = 48_000


def _set(metadata: Any) -> tuple[str, dict[str, Any]]:
    return SET, {"i": {"user": {"userName": "eve"}, "metadata": {"a": metadata}}}


LARGE: dict[str, tuple[str, dict[str, Any]]] = {
    "undeclared variables": (VERSION, {f"v{at}": 1 for at in range(VALUES)}),
    "undeclared lists": (VERSION, {f"v{at}": [1] for at in range(VALUES // 2)}),
    "an undeclared list": (VERSION, {"v": [0.1] * VALUES}),
    "undeclared nested lists": (VERSION, {"v": [[1]] * (VALUES // 2)}),
    "floats": _set([0.1] * VALUES),
    "integers": _set([1] * VALUES),
    "floats in objects": _set([{"b": 0.5}] * (VALUES // 2)),
    "floats in lists": _set([[0.5]] * (VALUES // 2)),
    "members": _set({f"m{at}": 0.5 for at in range(VALUES)}),
}


@pytest.mark.parametrize("name", LARGE)
@pytest.mark.parametrize("tail", ["", ', "\\u0041": 1'])
async def test_a_large_request_takes_few_calls(api: Api, name: str, tail: str) -> None:
    """The tail is an escape, after which names must be compared with care."""
    text, variables = LARGE[name]
    body = httpx.Request("POST", "http://x", json={"query": text, "variables": variables}).read()[:-1]
    body += tail.encode() + b"}"
    await api(text, **(variables if text == SET else {}))

    with counted() as effort:
        reply = await api.client.post("/graphql", content=body, headers={"content-type": "application/json"})

    assert reply.status_code == 200
    assert effort.calls < 5_000 + (11 if tail else MAX_CALLS.get(name, 3)) * VALUES


async def test_values_that_a_repeated_name_hides_are_refused(api: Api) -> None:
    body = b'{"query": "{ __typename }", "variables": {"a": [%s], "\\u0061": 1}}' % b",".join([b"1"] * 400_000)

    with counted() as effort:
        reply = await api.client.post("/graphql", content=body, headers={"content-type": "application/json"})

    (error,) = reply.json()["errors"]
    assert (reply.status_code, error["extensions"]["limit"]) == (400, "variable_values")
    assert effort.calls < 5_000 + 11 * 50_000


LISTS = 20
WITH_FILTERS = "query ({}) {{ {} }}".format(
    ", ".join(f"$f{at}: ResourceFilter" for at in range(LISTS)),
    " ".join(f"r{at}: resources(first: 1, filter: $f{at}) {{ totalCount nodes {{ name }} }}" for at in range(LISTS)),
)


@pytest.mark.parametrize("overrides", [{}, {"OSTIARY_EXECUTOR": "reference"}], ids=["compiled", "reference"])
async def test_other_requests_run_between_the_statements_of_one(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each filter takes milliseconds to become a statement, and one request has twenty of them."""
    built, most = 0, 0
    build = SelectBuilder.page

    def counted_page(*arguments: Any, **options: Any) -> Any:
        nonlocal built
        built += 1
        return build(*arguments, **options)

    async def watch() -> None:
        nonlocal most
        while True:
            before = built
            await asyncio.sleep(0)
            most = max(most, built - before)

    monkeypatch.setattr("app.db.loop_yield.SLICE", 0)
    await api(WITH_FILTERS, **_filters("first"))
    monkeypatch.setattr(SelectBuilder, "page", counted_page)
    watcher = asyncio.create_task(watch())
    reply = await api(WITH_FILTERS, **_filters("second"))
    watcher.cancel()

    assert "errors" not in reply
    assert built == LISTS
    assert most == 1


def _filters(word: str) -> dict[str, Any]:
    """Return filters of as many comparisons as one may have, with statements of their own."""
    return {f"f{at}": {"or": [{"name": {"eq": word}}] * (at + 30)} for at in range(LISTS)}
