"""What both faces need of HTTP: bodies in, refusals, cookies and files out, and whose pages may ask."""

from app.web.asking import note_origin
from app.web.callers import identified, presented, require_own_page
from app.web.cors import cors
from app.web.files import kept
from app.web.front import Front
from app.web.heads import Heads, heads
from app.web.origin import from_foreign_page
from app.web.reading import body, json_value, media_type
from app.web.refusals import MethodNotAllowed, UnsupportedMediaType, headers
from app.web.values import require_few_uses, require_few_values
from app.web.watching import Watch, Watching
from app.web.whole import Whole
from app.web.writing import NO_SNIFFING, UNKEPT, Cookie, encoded, set_cookie

__all__ = [
    "NO_SNIFFING",
    "UNKEPT",
    "Cookie",
    "Front",
    "Heads",
    "MethodNotAllowed",
    "UnsupportedMediaType",
    "Watch",
    "Watching",
    "Whole",
    "body",
    "cors",
    "encoded",
    "from_foreign_page",
    "headers",
    "heads",
    "identified",
    "json_value",
    "kept",
    "media_type",
    "note_origin",
    "presented",
    "require_few_uses",
    "require_few_values",
    "require_own_page",
    "set_cookie",
]
