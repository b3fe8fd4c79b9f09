"""The reference page of the REST API. All its files are in this folder."""

from functools import cache
from importlib import resources

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "same-origin",
    "X-Frame-Options": "DENY",
}
"""Headers that forbid scripts of other origins and frames."""

MEDIA_TYPES = {
    "favicon.svg": "image/svg+xml",
    "reference.css": "text/css; charset=utf-8",
    "reference.js": "text/javascript; charset=utf-8",
}
"""Files of the page that are served separately."""


@cache
def content(name: str) -> bytes:
    """Return the bytes of a file of the page."""
    return resources.files(__name__).joinpath(name).read_bytes()
