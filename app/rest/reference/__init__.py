"""The page on which people read the description, kept beside this file; no part of it comes from elsewhere."""

from functools import cache
from importlib import resources

HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "same-origin",
    "X-Frame-Options": "DENY",
}
"""What keeps foreign scripts out of the page, and the page out of foreign frames."""

MEDIA_TYPES = {
    "reference.css": "text/css; charset=utf-8",
    "reference.js": "text/javascript; charset=utf-8",
}
"""The parts of the page that are served beside it."""


@cache
def content(name: str) -> bytes:
    """What a file of the page holds."""
    return resources.files(__name__).joinpath(name).read_bytes()
