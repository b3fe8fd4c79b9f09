"""The files of the repository, without what tools write between them."""

import ast
import os
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

HOME = Path(__file__).parents[2]
WRITTEN = {"__pycache__", "dist", "dist.before", "node_modules"}
"""Folders that are not in git: the packages of npm alone have 30,000 files."""


def files(folder: Path) -> Iterator[Path]:
    """Yield every file below a folder, in order."""
    for place, folders, names in os.walk(folder):
        folders[:] = sorted({*folders} - WRITTEN)
        yield from (Path(place, name) for name in sorted(names))


@cache
def trees() -> Mapping[str, ast.Module]:
    """Return the syntax tree of every Python file of the application and of the tests, by path.

    To parse them takes seconds, so that nothing does it while the tests are collected.
    """
    paths = (path for folder in ("app", "tests") for path in files(HOME / folder) if path.suffix == ".py")
    return {path.relative_to(HOME).as_posix(): ast.parse(path.read_text()) for path in paths}
