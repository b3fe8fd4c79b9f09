"""The files of the repository, without what tools write between them."""

import os
from collections.abc import Iterator
from pathlib import Path

WRITTEN = {"__pycache__", "dist", "dist.before", "node_modules"}
"""Folders that are not in git: the packages of npm alone have 30,000 files."""


def files(folder: Path) -> Iterator[Path]:
    """Yield every file below a folder, in order."""
    for place, folders, names in os.walk(folder):
        folders[:] = sorted({*folders} - WRITTEN)
        yield from (Path(place, name) for name in sorted(names))
