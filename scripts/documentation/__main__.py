"""Prepares the folder that the generator reads: python -m scripts.documentation FOLDER."""

import json
import shutil
import sys
from pathlib import Path
from typing import Any

from scripts.documentation.navigation import navigation

ROOT = Path(__file__).parents[2]
HERE = Path(__file__).parent


def prepare(folder: Path) -> None:
    """Copy the pages, the style and the settings into a folder."""
    copy = folder / "docs"
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(ROOT / "docs", copy)
    shutil.copy(HERE / "style.css", copy)
    head, project, rest = (HERE / "zensical.toml").read_text().partition("[project]\n")
    settings = f"{head}{project}nav = {_toml(navigation(copy))}\n{rest}"
    (folder / "zensical.toml").write_text(settings)


def _toml(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(key)} = {_toml(each)}" for key, each in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_toml, value)) + "]"
    return json.dumps(value)


if __name__ == "__main__":
    prepare(Path(sys.argv[1]))
