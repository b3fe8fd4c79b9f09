"""What both faces need of HTTP: bodies in, refusals, cookies and files out, and whose pages may ask."""

from app.web.asking import note_origin
from app.web.callers import authenticate, extract_credentials, require_own_page
from app.web.cors import cors
from app.web.files import cached_response
from app.web.front import FastRouter
from app.web.heads import RequestHeaders, parse_headers
from app.web.origin import from_foreign_page
from app.web.reading import body, json_value, media_type
from app.web.refusals import MethodNotAllowed, UnsupportedMediaType, headers
from app.web.values import require_few_uses, require_few_values
from app.web.watching import RequestLog, RequestMiddleware
from app.web.whole import BufferedResponse
from app.web.writing import NO_SNIFFING, UNKEPT, Cookie, encode_json, set_cookie

__all__ = [
    "NO_SNIFFING",
    "UNKEPT",
    "BufferedResponse",
    "Cookie",
    "FastRouter",
    "MethodNotAllowed",
    "RequestHeaders",
    "RequestLog",
    "RequestMiddleware",
    "UnsupportedMediaType",
    "authenticate",
    "body",
    "cached_response",
    "cors",
    "encode_json",
    "extract_credentials",
    "from_foreign_page",
    "headers",
    "json_value",
    "media_type",
    "note_origin",
    "parse_headers",
    "require_few_uses",
    "require_few_values",
    "require_own_page",
    "set_cookie",
]
