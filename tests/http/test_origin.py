"""Claims about the origin of a mutation by cookie."""

import pytest
from starlette.requests import Request

from app.http.csrf import same_origin


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({}, False),
        ({"sec-fetch-site": "same-origin"}, True),
        ({"sec-fetch-site": "same-origin", "origin": "https://here"}, True),
        ({"sec-fetch-site": "same-site", "origin": "https://here"}, False),
        ({"sec-fetch-site": "cross-site", "origin": "https://here"}, False),
        ({"sec-fetch-site": "none"}, True),
        ({"sec-fetch-site": "none", "origin": "https://there"}, False),
        ({"sec-fetch-site": ""}, False),
        ({"origin": "https://here"}, True),
        ({"origin": "https://HERE:443"}, True),
        ({"origin": "http://here"}, True),
        ({"origin": "http://here:80"}, True),
        ({"origin": "https://here:80"}, False),
        ({"origin": "https://here.there"}, False),
        ({"origin": "https://there"}, False),
        ({"origin": "https://me@here"}, False),
        ({"origin": "ftp://here"}, False),
        ({"origin": "null"}, False),
        ({"origin": "https://[here"}, False),
        ({"origin": "https://here:8080", "host": "here:8080"}, True),
        ({"origin": "https://[::1]:8080", "host": "[::1]:8080"}, True),
    ],
)
def test_a_change_by_cookie_proves_its_origin(headers: dict[str, str], expected: bool) -> None:
    pairs = [(name.encode(), value.encode()) for name, value in ({"host": "here"} | headers).items()]

    assert same_origin(Request({"type": "http", "headers": pairs})) is expected


@pytest.mark.parametrize("name", ["host", "origin", "sec-fetch-site"])
def test_a_header_that_stands_there_twice_proves_nothing(name: str) -> None:
    pairs = [(b"host", b"here"), (b"origin", b"https://here"), (b"sec-fetch-site", b"same-origin")]
    doubled = [*pairs, *(pair for pair in pairs if pair[0] == name.encode())]

    assert not same_origin(Request({"type": "http", "headers": doubled}))
