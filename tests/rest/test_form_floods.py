"""Claims about forms that are made to be expensive: none takes more calls than a few for each field that is allowed."""

from typing import Any

import pytest

from app.config import RequestLimits
from app.domain.errors import BadRequest
from app.http import media_type
from app.http.headers import RequestHeaders
from app.rest.request_bodies import FORMS, MAX_FIELDS, MAX_PART_PARAMETERS
from tests.support.client import Api
from tests.support.effort import counted
from tests.support.rest_toy import FORM, MULTIPART, boundary

LIMIT = RequestLimits().form_bytes
DISPOSITION = 'Content-Disposition: form-data; name="a"'
CALLS_FOR_A_FIELD = 180
"""What a field takes with as many headers and parameters as it may have."""


def _parts(head: str, number: int = MAX_FIELDS - 1) -> bytes:
    parts = boundary(f"{head}\r\n\r\nv")[: -len("--x--\r\n")]
    return parts * min(number, (LIMIT - 10) // len(parts)) + b"--x--\r\n"


def _filled(text: bytes) -> bytes:
    return text * (LIMIT // len(text))


FLOODS: dict[str, tuple[str, bytes]] = {
    **{f"form of {each!r}": (FORM, _filled(each)) for each in (b"%", b"%2", b"%41", b"%c3%bc", b"&", b"=", b"+")},
    "form of fields": (FORM, b"&".join([b"a=%41"] * MAX_FIELDS)),
    "form of many fields": (FORM, _filled(b"a=b&")),
    "form of values": (FORM, b"username=a&password=" + b"%" * (LIMIT - 30)),
    "parts": (MULTIPART, _parts(DISPOSITION)),
    "parts with parameters": (MULTIPART, _parts(DISPOSITION + "; x=y" * (MAX_PART_PARAMETERS - 2))),
    "parts with many parameters": (MULTIPART, _parts(DISPOSITION + "; x=y" * 200)),
    "parts with quotes": (MULTIPART, _parts(DISPOSITION + ';"' * 200)),
    "parts with headers": (MULTIPART, _parts(DISPOSITION + "\r\na: b" * 3)),
    "parts with many headers": (MULTIPART, _parts(DISPOSITION + "\r\na: b" * 50)),
    "a part with a long header": (MULTIPART, _parts(DISPOSITION + "; x=" + "y" * 50_000)),
    "a part of dashes": (MULTIPART, _parts(DISPOSITION + "\r\n\r\n" + "\r\n--" * 20_000, 1)),
}
TYPES = (MULTIPART + ";" * 60_000, MULTIPART + ';"' * 30_000, FORM + ";a=b" * 15_000, MULTIPART + "x" * 60_000)
TOO_LONG = [(FORM, b"a=" + b"%" * LIMIT), (MULTIPART, _parts(DISPOSITION) + b" " * LIMIT)]


@pytest.mark.parametrize("kind", TYPES)
def test_a_long_type_is_refused_before_it_is_parsed(kind: str) -> None:
    headers = RequestHeaders([(b"content-type", kind.encode())])

    with counted() as effort, pytest.raises(BadRequest, match="Content-Type exceeds 1,024 bytes"):
        media_type(headers, FORMS)

    assert effort.calls < 1_000


@pytest.mark.parametrize("name", FLOODS)
async def test_a_sign_in_with_a_large_form_is_answered_in_few_calls(api: Api, name: str) -> None:
    kind, body = FLOODS[name]
    await _sign_in(api, FORM, b"a=b")

    with counted() as effort:
        status, _ = await _sign_in(api, kind, body)

    assert 400 <= status < 500
    assert effort.calls < 20_000 + CALLS_FOR_A_FIELD * MAX_FIELDS


@pytest.mark.parametrize(("kind", "body"), TOO_LONG)
async def test_a_form_beyond_its_limit_is_a_413_that_says_the_limit(api: Api, kind: str, body: bytes) -> None:
    status, text = await _sign_in(api, kind, body)

    assert (status, f"{LIMIT:,} bytes" in text) == (413, True)


@pytest.mark.parametrize(
    ("kind", "body", "problem"),
    [
        (MULTIPART, _parts(DISPOSITION + "; x=y" * 10, 1), f"more than {MAX_PART_PARAMETERS} parameters"),
        (MULTIPART, _parts(DISPOSITION + "\r\na: b" * 4, 1), "at most 4 headers"),
        (MULTIPART + ";" * 1_024, _parts(DISPOSITION, 1), "Content-Type exceeds 1,024 bytes"),
    ],
)
async def test_what_is_too_much_is_named(api: Api, kind: str, body: bytes, problem: str) -> None:
    status, text = await _sign_in(api, kind, body)

    assert (status, problem in text) == (400, True)


async def _sign_in(api: Api, kind: str, body: Any) -> tuple[int, str]:
    reply = await api.client.post("/users/authenticate", content=body, headers={"content-type": kind})
    return reply.status_code, reply.json()["error"]
