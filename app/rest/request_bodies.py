"""Reads a body down to its fields, whichever of the kinds it is of: form, multipart or JSON."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import Flag
from typing import Any, NoReturn
from urllib.parse import parse_qsl

from python_multipart import MultipartParser
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import parse_options_header
from starlette.requests import Request

from app import http
from app.config import RequestLimits
from app.domain.errors import BadRequest

MOST_FIELDS = 1_000

LEAST, MOST = -(2**63), 2**64 - 1
"""Whole numbers that are read as such."""

MOST_DIGITS = len(str(MOST))
"""Of a number with its sign. Longer ones take long to read."""

JSON = "application/json"
URLENCODED = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data"


class Body(Flag):
    """Which kinds of body a route takes; one that takes NONE ignores whatever comes.

    A DOCUMENT is a JSON object that is kept as it came: its names are its own.
    """

    NONE = 0
    JSON = 1
    FORM = 2
    ANY = JSON | FORM
    DOCUMENT = 4


@dataclass(frozen=True, slots=True)
class Fields:
    """What a body or a query says, by names in lower case: its clients spell them each in their own way.

    In a form a name may come several times; in JSON it has one value. A `document` is a JSON body as it came.
    """

    values: Mapping[str, list[Any]]
    is_json: bool = False
    document: Mapping[str, Any] | None = None


NOTHING = Fields({})


async def read(request: Request, kinds: Body, limits: RequestLimits) -> Fields:
    """The fields of a request's body; raises BadRequest and its kin for one that cannot be understood."""
    if not kinds:
        return NOTHING
    accepted = types(kinds)
    found = http.parse_headers(request.scope)
    if b"content-type" not in found:
        if await http.body(found, request.receive, limits.body_bytes):
            raise http.UnsupportedMediaType(f"The body must be {' or '.join(accepted)}.")
        if Body.DOCUMENT in kinds:
            raise BadRequest("The body must be a JSON object.")
        return NOTHING
    kind = http.media_type(found, tuple(accepted))
    body = await http.body(found, request.receive, limits.body_bytes)
    if kind == JSON:
        return _from_json(body, limits.variable_values, is_document=Body.DOCUMENT in kinds)
    return _gathered(_urlencoded(body) if kind == URLENCODED else _multipart(body, request.headers["content-type"]))


def query(request: Request) -> Fields:
    """The fields of a request's query; raises BadRequest for one that is not UTF-8."""
    raw: bytes = request.scope["query_string"]
    return _gathered(_urlencoded(raw)) if raw else NOTHING


def _gathered(pairs: Iterable[tuple[str, str]]) -> Fields:
    values: dict[str, list[Any]] = {}
    for name, value in pairs:
        values.setdefault(name.lower(), []).append(value)
    return Fields(values)


def types(kinds: Body) -> list[str]:
    """The media types of these kinds."""
    forms = [URLENCODED, MULTIPART] if Body.FORM in kinds else []
    return [*forms, JSON] if kinds & (Body.JSON | Body.DOCUMENT) else forms


def _from_json(body: bytes, most_values: int, *, is_document: bool) -> Fields:
    value = http.json_value(body, "The body")
    if not isinstance(value, dict):
        raise BadRequest("The body must be a JSON object.")
    http.require_few_values(value, most_values, len(body))
    # Read once more for what the fast reader keeps quiet about.
    json.loads(body, object_pairs_hook=_once, parse_int=_whole if is_document else str, parse_float=str)
    if is_document:
        return Fields({}, is_json=True, document=value)
    return Fields(
        {name: [value] for name, value in _once((name.lower(), value) for name, value in value.items())}, is_json=True
    )


def _whole(digits: str) -> None:
    """Refuse a number that the fast reader has made a float, which would not come back as it came."""
    if len(digits) > MOST_DIGITS or not LEAST <= int(digits) <= MOST:
        raise BadRequest("A whole number in the body has more than 64 bits.")


def _once(pairs: Iterable[tuple[str, Any]]) -> list[tuple[str, Any]]:
    """The pairs of an object, each name of which is its only one."""
    found = list(pairs)
    if len(dict(found)) < len(found):
        raise BadRequest("A name stands in the body twice.")
    return found


def _urlencoded(body: bytes) -> list[tuple[str, str]]:
    try:
        return parse_qsl(body.decode(), keep_blank_values=True, errors="strict", max_num_fields=MOST_FIELDS)
    except ValueError:
        raise BadRequest("A form or query is not UTF-8, or has too many fields.") from None


def _multipart(body: bytes, content_type: str) -> list[tuple[str, str]]:
    try:
        parts = _Parts()
        parser = MultipartParser(parse_options_header(content_type)[1][b"boundary"], parts.callbacks())
        parser.write(body)
    except (KeyError, FormParserError):
        _refuse_multipart()
    if not parts.ended:
        _refuse_multipart()
    try:
        return [(_name(head), data.decode()) for head, data in parts.found]
    except (KeyError, UnicodeDecodeError):
        _refuse_multipart()


def _refuse_multipart() -> NoReturn:
    raise BadRequest("The body cannot be read as multipart in UTF-8.") from None


def _name(head: bytes) -> str:
    _, options = parse_options_header(head)
    if b"filename" in options:
        raise BadRequest("No files are taken here.")
    return options[b"name"].decode()


@dataclass(slots=True)
class _Parts:
    """Gathers what the parser meets: of each part its Content-Disposition and its bytes."""

    found: list[tuple[bytes, bytearray]] = field(default_factory=list)
    ended: bool = False
    _name: bytes = b""
    _value: bytes = b""

    def callbacks(self) -> Any:
        """What the parser calls, under its own names."""
        return {
            "on_part_begin": self._begin,
            "on_header_field": self._header_name,
            "on_header_value": self._header_value,
            "on_header_end": self._header_end,
            "on_part_data": self._data,
            "on_end": self._end,
        }

    def _begin(self) -> None:
        if len(self.found) == MOST_FIELDS:
            raise BadRequest("The form has too many fields.")
        self.found.append((b"", bytearray()))

    def _header_name(self, data: bytes, start: int, end: int) -> None:
        self._name += data[start:end]

    def _header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _header_end(self) -> None:
        if self._name.lower() == b"content-disposition":
            self.found[-1] = (self._value, self.found[-1][1])
        self._name = self._value = b""

    def _data(self, data: bytes, start: int, end: int) -> None:
        self.found[-1][1].extend(data[start:end])

    def _end(self) -> None:
        self.ended = True
