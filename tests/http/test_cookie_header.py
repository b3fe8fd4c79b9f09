"""Claims about reading the header Cookie: a cookie is read as a plain definition reads it, in linear time."""

import sys
from collections.abc import Callable
from functools import partial
from types import FrameType
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as some

from app.http import cookies
from app.http.headers import RequestHeaders
from tests.support.client import Api
from tests.support.factories import Make

NAME = b"jwtToken"
WHO = "{ viewer { user { userName } } }"

PARTS = some.sampled_from(
    [NAME, b"=", b";", b"; ", b" ", b"\t", b'"', b"a", b"jwt", b"jwtToken=", b",", b"\\", b"\xe9", b"$Path=/", b"x=y"]
)
HEADERS = some.lists(PARTS, max_size=30).map(b"".join) | some.binary(max_size=50)


def plainly(header: bytes, name: bytes) -> bytes | None:
    """Return the value of the first pair of this name, without blanks and quotes around it."""
    for pair in header.split(b";"):
        pair_name, equals, value = pair.strip(b" \t").partition(b"=")
        value = value.strip(b" \t")
        if equals and pair_name == name:
            return value[1:-1] if len(value) > 1 and value[:1] == value[-1:] == b'"' else value
    return None


@given(HEADERS)
def test_a_cookie_is_read_as_a_plain_definition_reads_it(header: bytes) -> None:
    assert cookies.extract(header, NAME) == plainly(header, NAME)


HOSTILE: dict[str, Callable[[int], bytes]] = {
    "quotes": lambda size: b'jwtToken="' + b'"' * size,
    "quotes of another": lambda size: b'other="' + b"\\" * size + b"; jwtToken=a",
    "names within names": lambda size: b"xjwtToken=" * (size // 10),
    "blanks before names": lambda size: (b"x" + b" " * 90 + b"jwtToken=") * (size // 100),
    "blanks": lambda size: b" " * size + b"x",
    "blanks before one name": lambda size: b"x" + b" " * size + b"jwtToken=a",
    "semicolons": lambda size: b";" * size,
    "pairs": lambda size: b"a=b; " * (size // 5),
}


@pytest.mark.parametrize("header_of", HOSTILE.values(), ids=HOSTILE)
def test_a_header_that_is_longer_takes_as_much_longer(header_of: Callable[[int], bytes]) -> None:
    small, large = (steps(partial(cookies.extract, header_of(size), NAME)) for size in (8_000, 64_000))

    assert large <= 8 * small + 100


def steps(act: Callable[[], Any]) -> int:
    """Return the number of Python lines that an action runs."""
    number = 0

    def trace(frame: FrameType, event: str, _: Any) -> Any:
        nonlocal number
        number += event == "line"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        act()
    finally:
        sys.settrace(before)
    return number


def test_lines_of_cookies_are_one_header() -> None:
    headers = RequestHeaders([(b"cookie", b"a=b"), (b"accept", b"a"), (b"cookie", b"jwtToken=x"), (b"accept", b"b")])

    assert headers == {b"cookie": b"a=b; jwtToken=x", b"accept": b"a, b"}


@pytest.mark.parametrize(
    ("cookie", "is_known"),
    [
        ("jwtToken={}", True),
        ('jwtToken="{}"', True),
        ("a=b; jwtToken={}; c=d", True),
        ("a=b;jwtToken={};", True),
        ("jwtToken={}; jwtToken=another", True),
        ("jwtToken=another; jwtToken={}", False),
        ("jwttoken={}", False),
        ("ajwtToken={}", False),
        ('a="; jwtToken={}"', False),
        ('a="b; jwtToken={}', True),
        ("a=b, jwtToken={}", False),
    ],
)
async def test_the_first_cookie_of_our_name_counts(
    api: Api, make: Make, client: httpx.AsyncClient, cookie: str, is_known: bool
) -> None:
    token = api.token(await make.user("ann"))

    reply = await client.post("/graphql", json={"query": WHO}, headers={"cookie": cookie.format(token)})

    assert reply.json() == {"data": {"viewer": {"user": {"userName": "ann"} if is_known else None}}}


async def test_a_cookie_in_a_line_of_its_own_counts(api: Api, make: Make, client: httpx.AsyncClient) -> None:
    token = api.token(await make.user("ann"))
    lines = [("cookie", "a=b"), ("cookie", f"jwtToken={token}"), ("cookie", "c=d")]

    reply = await client.post("/graphql", json={"query": WHO}, headers=lines)

    assert reply.json() == {"data": {"viewer": {"user": {"userName": "ann"}}}}
