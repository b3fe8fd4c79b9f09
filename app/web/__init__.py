"""What both faces need of HTTP: bodies in, refusals, cookies and files out, and where a request comes from."""

from app.web.asking import note_origin
from app.web.files import kept
from app.web.origin import same_origin
from app.web.reading import body, json_value, media_type
from app.web.refusals import MethodNotAllowed, TooLarge, UnsupportedMediaType, headers
from app.web.watching import Watch, Watching
from app.web.writing import NO_SNIFFING, UNKEPT, Cookie, encoded, set_cookie

__all__ = [
    "NO_SNIFFING",
    "UNKEPT",
    "Cookie",
    "MethodNotAllowed",
    "TooLarge",
    "UnsupportedMediaType",
    "Watch",
    "Watching",
    "body",
    "encoded",
    "headers",
    "json_value",
    "kept",
    "media_type",
    "note_origin",
    "same_origin",
    "set_cookie",
]
