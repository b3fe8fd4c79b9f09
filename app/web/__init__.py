"""What both faces need of HTTP: bodies in, refusals and cookies out, and where a request comes from."""

from app.web.asking import note_origin
from app.web.origin import same_origin
from app.web.reading import body, json_value, media_type
from app.web.refusals import MethodNotAllowed, TooLarge, UnsupportedMediaType, headers
from app.web.writing import NO_SNIFFING, UNKEPT, Cookie, encoded, set_cookie

__all__ = [
    "NO_SNIFFING",
    "UNKEPT",
    "Cookie",
    "MethodNotAllowed",
    "TooLarge",
    "UnsupportedMediaType",
    "body",
    "encoded",
    "headers",
    "json_value",
    "media_type",
    "note_origin",
    "same_origin",
    "set_cookie",
]
