"""The navigation of the site, from the files of docs/: no page is missing, and none is named that is not there."""

import re
from pathlib import Path
from typing import Any

ORDER = (
    "index.md",
    "quick-start.md",
    "concepts",
    "how-to",
    "reference",
    "operations.md",
    "speed.md",
    "decisions",
    "glossary.md",
)
"""Top level of docs/. What is not listed follows in alphabetical order."""

SECTIONS = {"concepts": "Concepts", "how-to": "How-to guides", "reference": "Reference", "decisions": "Decisions"}
LINK = re.compile(r"\]\(([\w./-]+\.md)")


def navigation(docs: Path) -> list[dict[str, Any]]:
    """Return the entries of all pages below a folder, as zensical.toml takes them."""
    entries = {each.name for each in docs.iterdir() if each.suffix == ".md" or _pages(each)}
    ranked = sorted(entries, key=lambda name: (ORDER.index(name) if name in ORDER else len(ORDER), name))
    return [_page(docs, docs / name) if name.endswith(".md") else _section(docs, docs / name) for name in ranked]


def _section(docs: Path, folder: Path) -> dict[str, Any]:
    name = SECTIONS.get(folder.name, folder.name.capitalize())
    index = folder / "index.md"
    linked = LINK.findall(index.read_text()) if index.exists() else []
    others = sorted(_pages(folder), key=lambda page: (_rank(linked, page.name), page.name))
    own = [index.relative_to(docs).as_posix()] if index.exists() else []
    return {name: own + [_page(docs, page) for page in others if page != index]}


def _pages(folder: Path) -> list[Path]:
    return list(folder.glob("*.md")) if folder.is_dir() else []


def _rank(linked: list[str], name: str) -> int:
    return linked.index(name) if name in linked else len(linked)


def _page(docs: Path, page: Path) -> dict[str, Any]:
    return {_title(page): page.relative_to(docs).as_posix()}


def _title(page: Path) -> str:
    match = re.search(r"^# +(.+)$", page.read_text(), re.MULTILINE)
    if match is None:
        raise SystemExit(f"docs: {page} has no heading of the first level")
    return match[1].replace("`", "")
