"""Parsing of queries and bodies to fields: URL-encoded forms, multipart forms and JSON."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import Flag
from typing import Any, NoReturn

from python_multipart import MultipartParser
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import parse_options_header
from starlette.requests import Request

from app import http
from app.config import RequestLimits
from app.domain.errors import BadRequest
from app.http.exact_json import find_problems, path_text
from app.http.urlencoded import TooManyFields, parse_fields

MAX_FIELDS = 1_000

MAX_PART_HEADERS, MAX_PART_HEADER_BYTES, MAX_PART_PARAMETERS = 4, 1_024, 8
"""Most headers of a part of a multipart body, bytes of one, and semicolons in its Content-Disposition.

Browsers and libraries send two headers of two or three parameters. The parsers of headers are written in Python.
"""

JSON = "application/json"
MERGE_PATCH = "application/merge-patch+json"
URLENCODED = "application/x-www-form-urlencoded"
MULTIPART = "multipart/form-data"
FORMS = (URLENCODED, MULTIPART)


class Body(Flag):
    """Kinds of bodies that a route accepts. A route with NONE ignores the body.

    A DOCUMENT is a JSON object with free names, stored unchanged. A PATCH is a JSON merge patch (RFC 7396) of one,
    with the media type of patches or of JSON.
    """

    NONE = 0
    JSON = 1
    FORM = 2
    ANY = JSON | FORM
    DOCUMENT = 4
    PATCH = 8
    FREE = DOCUMENT | PATCH


@dataclass(frozen=True, slots=True)
class Fields:
    """Values of a body or a query by lower-case names, since clients differ in letter case.

    A form may have several values of a name, JSON has one. `document` is the unchanged JSON object of a DOCUMENT or
    PATCH.
    """

    values: Mapping[str, list[Any]]
    is_json: bool = False
    is_form: bool = False
    document: Mapping[str, Any] | None = None


NOTHING = Fields({})


async def read(request: Request, kinds: Body, limits: RequestLimits) -> Fields:
    """Return the fields of the body. Raises BadRequest, UnsupportedMediaType, BodyTooLarge and TooComplex."""
    if not kinds:
        return NOTHING
    accepted = types(kinds)
    headers = http.parse_headers(request.scope)
    if b"content-type" not in headers:
        if await http.body(headers, request.receive, limits.body_bytes):
            raise http.UnsupportedMediaType(f"The body must be {' or '.join(accepted)}.")
        if kinds & Body.FREE:
            raise BadRequest("The body must be a JSON object.")
        return NOTHING
    kind = http.media_type(headers, tuple(accepted))
    limit, maximum = ("form_bytes", limits.form_bytes) if kind in FORMS else ("body_bytes", limits.body_bytes)
    body = await http.body(headers, request.receive, maximum, limit)
    if kind in (JSON, MERGE_PATCH):
        return _parse_json(body, limits.variable_values, is_document=bool(kinds & Body.FREE))
    multipart = request.headers["content-type"]
    pairs = _parse_urlencoded(body) if kind == URLENCODED else _parse_multipart(body, multipart)
    return replace(_group(pairs), is_form=True)


def query(request: Request) -> Fields:
    """Return the fields of the query. Raises BadRequest if it is not UTF-8."""
    raw: bytes = request.scope["query_string"]
    return _group(_parse_urlencoded(raw)) if raw else NOTHING


def _group(pairs: Iterable[tuple[str, str]]) -> Fields:
    values: dict[str, list[Any]] = {}
    for name, value in pairs:
        values.setdefault(name.lower(), []).append(value)
    return Fields(values)


def types(kinds: Body) -> list[str]:
    """Return the media types of these kinds."""
    forms = [*FORMS] if Body.FORM in kinds else []
    patches = [MERGE_PATCH] if Body.PATCH in kinds else []
    return [*forms, *patches, JSON] if kinds & (Body.JSON | Body.FREE) else forms


def _parse_json(body: bytes, max_values: int, *, is_document: bool) -> Fields:
    value = http.json_value(body, "The body")
    if not isinstance(value, dict):
        raise BadRequest("The body must be a JSON object.")
    http.require_few_values(value, max_values, len(body))
    if is_document:
        _require_exact(body, max_values)
        return Fields({}, is_json=True, document=value)
    # The second parser detects repeated names, which orjson accepts silently.
    json.loads(body, object_pairs_hook=_require_unique, parse_int=str, parse_float=str)
    pairs = _require_unique((name.lower(), value) for name, value in value.items())
    return Fields({name: [value] for name, value in pairs}, is_json=True)


def _require_exact(body: bytes, max_values: int) -> None:
    """Raise BadRequest for a number or a name that parsing has changed, so that the document would change."""
    for problem in find_problems(body, max_values):
        raise BadRequest(f"The body: `{path_text(problem.path)}` {problem.reason}")


def _require_unique(pairs: Iterable[tuple[str, Any]]) -> list[tuple[str, Any]]:
    """Return the pairs of an object. Raises BadRequest for a repeated name."""
    members = list(pairs)
    if len(dict(members)) < len(members):
        raise BadRequest("The body has a name more than once.")
    return members


def _parse_urlencoded(body: bytes) -> list[tuple[str, str]]:
    try:
        return parse_fields(body, MAX_FIELDS)
    except UnicodeDecodeError:
        raise BadRequest("A form or query is not UTF-8.") from None
    except TooManyFields:
        raise BadRequest(f"A form or query has more than {MAX_FIELDS:,} fields.") from None


def _parse_multipart(body: bytes, content_type: str) -> list[tuple[str, str]]:
    try:
        parts = _Parts()
        boundary = parse_options_header(content_type)[1][b"boundary"]
        parser = MultipartParser(
            boundary, parts.callbacks(), max_header_count=MAX_PART_HEADERS, max_header_size=MAX_PART_HEADER_BYTES
        )
        parser.write(body)
    except (KeyError, FormParserError):
        _refuse_multipart()
    if not parts.has_ended:
        _refuse_multipart()
    try:
        return [(_part_name(disposition), data.decode()) for disposition, data in parts.parts]
    except (KeyError, UnicodeDecodeError):
        _refuse_multipart()


def _refuse_multipart() -> NoReturn:
    raise BadRequest(
        "The body cannot be read as multipart in UTF-8. "
        f"A part has at most {MAX_PART_HEADERS} headers of {MAX_PART_HEADER_BYTES:,} bytes."
    ) from None


def _part_name(disposition: bytes) -> str:
    if disposition.count(b";") > MAX_PART_PARAMETERS:
        raise BadRequest(f"A part of the form has more than {MAX_PART_PARAMETERS} parameters in its header.")
    _, options = parse_options_header(disposition)
    if b"filename" in options:
        raise BadRequest("Files are not accepted here. Send form fields only.")
    return options[b"name"].decode()


@dataclass(slots=True)
class _Parts:
    """Callbacks of the multipart parser, which collect the Content-Disposition and the bytes of each part."""

    parts: list[tuple[bytes, bytearray]] = field(default_factory=list)
    has_ended: bool = False
    _name: bytes = b""
    _value: bytes = b""

    def callbacks(self) -> Any:
        """Return the callbacks by the names of the parser."""
        return {
            "on_part_begin": self._begin,
            "on_header_field": self._header_name,
            "on_header_value": self._header_value,
            "on_header_end": self._header_end,
            "on_part_data": self._data,
            "on_end": self._end,
        }

    def _begin(self) -> None:
        if len(self.parts) == MAX_FIELDS:
            raise BadRequest(f"The form has more than {MAX_FIELDS:,} fields.")
        self.parts.append((b"", bytearray()))

    def _header_name(self, data: bytes, start: int, end: int) -> None:
        self._name += data[start:end]

    def _header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _header_end(self) -> None:
        if self._name.lower() == b"content-disposition":
            self.parts[-1] = (self._value, self.parts[-1][1])
        self._name = self._value = b""

    def _data(self, data: bytes, start: int, end: int) -> None:
        self.parts[-1][1].extend(data[start:end])

    def _end(self) -> None:
        self.has_ended = True
