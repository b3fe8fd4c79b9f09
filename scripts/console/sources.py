"""The files of the console that a build is made from, and the digest that says whether a build is of them."""

from collections.abc import Iterator
from fnmatch import fnmatch
from hashlib import sha256
from pathlib import Path

ROOT = Path(__file__).parents[2]

NOT_SOURCES = {"dist", "dist.before", "node_modules", "tests"}
"""Folders of app/console that a build does not depend on."""

GENERATED = ("*.generated.d.ts", "*.tsbuildinfo", "*.test.ts", "*.test.tsx")
"""Names of files that tools write, and of tests."""


class Console:
    """The paths of a console below the root of a checkout."""

    def __init__(self, root: Path = ROOT) -> None:
        self.root = root
        self.folder = root / "app" / "console"
        self.dist = self.folder / "dist"
        self.packages = self.folder / "node_modules"
        self.schema = root / "schema.graphql"

    @property
    def stamp(self) -> Path:
        """The file in a build with the digest of its sources."""
        return self.dist / ".sources"

    @property
    def packages_stamp(self) -> Path:
        """The file among the packages with the digest of the lock that they are of."""
        return self.packages / ".lock"

    def is_current(self) -> bool:
        """Return whether the build is of these sources."""
        return _text(self.stamp) == self.digest()

    def has_packages(self) -> bool:
        """Return whether the packages of the lock are installed."""
        return _text(self.packages_stamp) == self.lock_digest()

    def digest(self) -> str:
        """Return the digest of all sources, by name and content."""
        return _digest(self.root, [*self._sources(), self.schema])

    def lock_digest(self) -> str:
        """Return the digest of what npm installs from."""
        return _digest(self.root, [self.folder / name for name in ("package.json", "package-lock.json", ".npmrc")])

    def _sources(self) -> Iterator[Path]:
        for entry in sorted(self.folder.iterdir()):
            if entry.name not in NOT_SOURCES:
                yield from (file for file in [entry, *sorted(entry.rglob("*"))] if _is_source(file))


def _is_source(file: Path) -> bool:
    return file.is_file() and not any(fnmatch(file.name, pattern) for pattern in GENERATED)


def _digest(root: Path, files: list[Path]) -> str:
    total = sha256()
    for file in files:
        content = sha256(file.read_bytes()).hexdigest()
        total.update(f"{content} {file.relative_to(root).as_posix()}\n".encode())
    return total.hexdigest()


def _text(file: Path) -> str | None:
    return file.read_text() if file.is_file() else None
