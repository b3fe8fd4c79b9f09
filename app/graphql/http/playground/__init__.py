"""The GraphQL playground: one page with its scripts and styles, read once from this folder."""

from functools import cache
from importlib import resources

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)

_MEDIA_TYPES = {"css": "text/css; charset=utf-8", "js": "text/javascript; charset=utf-8", "svg": "image/svg+xml"}


def page() -> bytes:
    """Return the page. Its asset paths are relative to its address, `…/graphql`."""
    return _page()


def asset(name: str) -> tuple[bytes, str] | None:
    """Return the content and the media type of an asset; None if the folder had no such file at the first call."""
    return _assets().get(name)


@cache
def _page() -> bytes:
    return resources.files(__name__).joinpath("index.html").read_bytes()


@cache
def _assets() -> dict[str, tuple[bytes, str]]:
    files = ((file, file.name.rpartition(".")[2]) for file in resources.files(__name__).iterdir() if file.is_file())
    return {file.name: (file.read_bytes(), _MEDIA_TYPES[kind]) for file, kind in files if kind in _MEDIA_TYPES}
