"""What both faces need of HTTP: bodies in, refusals, cookies and files out, and whose pages may ask."""

from app.http.authentication import authenticate, extract_credentials, require_own_page
from app.http.bodies import body, json_value, media_type
from app.http.cached_files import cached_response
from app.http.cors import cors
from app.http.csrf import from_foreign_page
from app.http.fastpath.buffered_response import BufferedResponse
from app.http.fastpath.router import FastRouter
from app.http.headers import RequestHeaders, parse_headers
from app.http.middleware import RequestLog, RequestMiddleware
from app.http.refusals import MethodNotAllowed, UnsupportedMediaType, headers
from app.http.request_origin import note_origin
from app.http.responses import NO_SNIFFING, NO_STORE, Cookie, encode_json, set_cookie
from app.http.value_limits import require_few_uses, require_few_values

__all__ = [
    "NO_SNIFFING",
    "NO_STORE",
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
