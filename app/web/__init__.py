"""What both faces need of HTTP: bodies in, refusals, cookies and files out, and whose pages may ask."""

from app.web.asking import note_origin
from app.web.files import kept
from app.web.heads import head, heads
from app.web.middleware import middleware
from app.web.origin import from_foreign_page, same_origin
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
    "from_foreign_page",
    "head",
    "headers",
    "heads",
    "json_value",
    "kept",
    "media_type",
    "middleware",
    "note_origin",
    "same_origin",
    "set_cookie",
]
