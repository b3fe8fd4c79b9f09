"""Claims about large requests that anonymous callers may send: a value takes a few calls, wherever it is."""

from typing import Any

import httpx
import pytest

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
