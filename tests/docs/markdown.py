"""Fenced code blocks, headings and links of a Markdown file."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent

ROOT = Path(__file__).parents[2]
FENCE = re.compile(r"^(?P<indent> *)(?P<fence>`{3,})(?P<info>[^`]*)$")
TITLE = re.compile(r'\btitle="([^"]+)"')


@dataclass(frozen=True, slots=True)
class Block:
    """One fenced block; `follows` is true if only blank lines separate it from the block before."""

    line: int
    language: str
    title: str
    text: str
    follows: bool


def pages() -> list[Path]:
    """Return README.md and every Markdown file below docs/."""
    return [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


def name(page: Path) -> str:
    """Return the path of a page from the root of the repository."""
    return page.relative_to(ROOT).as_posix()


def blocks(text: str) -> list[Block]:
    """Return the fenced blocks of a text in their order."""
    return list(_blocks(text.splitlines()))


def _blocks(lines: list[str]) -> Iterator[Block]:
    start: re.Match[str] | None = None
    begin, end = 0, -1
    follows = False
    for number, line in enumerate(lines):
        fence = FENCE.match(line)
        if start is None:
            if fence is not None:
                start, begin = fence, number
                follows = end >= 0 and not any(each.strip() for each in lines[end + 1 : number])
        elif fence is not None and not fence["info"].strip() and len(fence["fence"]) >= len(start["fence"]):
            yield _block(start, begin, lines[begin + 1 : number], follows=follows)
            start, end = None, number
    assert start is None, f"the block that starts on line {begin + 1} has no end"


def _block(start: re.Match[str], begin: int, lines: list[str], *, follows: bool) -> Block:
    title = TITLE.search(start["info"])
    language = (start["info"].split() or [""])[0]
    return Block(begin + 1, language, title[1] if title else "", dedent("\n".join([*lines, ""])), follows)


def prose(text: str) -> str:
    """Return a text without its fenced blocks and code spans."""
    return re.sub(r"(`+)(?!`)[^\n]*?\1", "`code`", _without_blocks(text))


def links(text: str) -> list[str]:
    """Return the targets of the inline links and images of a text."""
    return [match[1] for match in re.finditer(r"\]\(<?([^)\s>]+)>?(?: \"[^\"]*\")?\)", prose(text))]


def anchors(text: str) -> set[str]:
    """Return the anchors that the headings of a text make, as the site and repository viewers do."""
    taken: set[str] = set()
    for heading in re.findall(r"^#{1,6} +(.+?)(?: +#+)?$", _without_blocks(text), re.MULTILINE):
        taken.add(_unique(slug(heading), taken))
    return taken | set(re.findall(r"<a (?:id|name)=\"([^\"]+)\"", text))


def _without_blocks(text: str) -> str:
    outside: list[str] = []
    inside = ""
    for line in text.splitlines():
        fence = FENCE.match(line)
        if not inside and not fence:
            outside.append(line)
        elif fence and not inside:
            inside = fence["fence"]
        elif fence and not fence["info"].strip() and len(fence["fence"]) >= len(inside):
            inside = ""
    return "\n".join(outside)


def _unique(anchor: str, taken: set[str]) -> str:
    if anchor not in taken:
        return anchor
    number = next(each for each in range(1, len(taken) + 2) if f"{anchor}_{each}" not in taken)
    return f"{anchor}_{number}"


def slug(heading: str) -> str:
    """Return the anchor of a heading: letters, digits and `_`, with `-` for blanks."""
    text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading)
    text = re.sub(r"[^\w\s-]", "", text).strip().lower()
    return re.sub(r"[-\s]+", "-", text)


def title(text: str) -> str:
    """Return the first heading of a text."""
    match = re.search(r"^# +(.+)$", _without_blocks(text), re.MULTILINE)
    assert match, "a page begins with a heading of the first level"
    return match[1].replace("`", "")
