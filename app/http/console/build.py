"""The files that the build of the console made, read once."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from app.http.responses import entity_tag

FOLDER = Path(__file__).parents[2] / "console" / "dist"

INDEX = "index.html"
GRAPHIQL = "graphiql.html"
COMPRESSED = ".gz"
"""`scripts/console` adds these files to a build."""

MEDIA_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".ico": "image/x-icon",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".ttf": "font/ttf",
    ".txt": "text/plain; charset=utf-8",
    ".webmanifest": "application/manifest+json",
    ".woff2": "font/woff2",
}
"""Files with other endings are not served."""

HASHED = "/assets/"
"""Files below this path have a digest of their content in their names."""

IMMUTABLE = "public, max-age=31536000, immutable"
REVALIDATED = "no-cache"


@dataclass(frozen=True, slots=True)
class Variant:
    """The bytes of a file in one encoding, with their ETag."""

    content: bytes
    tag: str

    @classmethod
    def from_content(cls, content: bytes) -> Self:
        """Return the variant with these bytes."""
        return cls(content, entity_tag(content))


@dataclass(frozen=True, slots=True)
class Asset:
    """A file of the build. `compressed` has it in gzip, if the build made that."""

    media_type: str
    cache_control: str
    plain: Variant
    compressed: Variant | None

    @classmethod
    def read(cls, file: Path, path: str) -> Self:
        """Read a file that is served at this path."""
        packed = file.with_name(file.name + COMPRESSED)
        return cls(
            MEDIA_TYPES[file.suffix],
            IMMUTABLE if path.startswith(HASHED) else REVALIDATED,
            Variant.from_content(file.read_bytes()),
            Variant.from_content(packed.read_bytes()) if packed.is_file() else None,
        )


@dataclass(frozen=True, slots=True)
class Build:
    """The pages and the assets by path. Without an `index` there is no build."""

    index: str | None = None
    graphiql: str | None = None
    assets: Mapping[str, Asset] = field(default_factory=dict)

    @classmethod
    def read(cls, folder: Path | None = None) -> Self:
        """Read a build. Its paths are fixed from then on, so that no request can lead to another file."""
        folder = folder or FOLDER
        if not (folder / INDEX).is_file():
            return cls()
        page = folder / GRAPHIQL
        files = ((file, f"/{file.relative_to(folder).as_posix()}") for file in sorted(folder.rglob("*")))
        return cls(
            (folder / INDEX).read_text("utf-8"),
            page.read_text("utf-8") if page.is_file() else None,
            {path: Asset.read(file, path) for file, path in files if _is_served(file, path)},
        )


def _is_served(file: Path, path: str) -> bool:
    return file.suffix in MEDIA_TYPES and "/." not in path and file.is_file() and not file.is_symlink()
