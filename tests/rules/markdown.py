"""Read the sentences of a Markdown text, without its code, tables, links and markup."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

FENCE = re.compile(r"\s*(```+|~~~+)")
ITEM = re.compile(r"\s*(?:[-*+]|\d+[.)])\s+")
ADMONITION = re.compile(r"\s*(?:!!!|\?\?\?\+?|===)(?:\s|$)")
NO_PROSE = re.compile(r"\s*(?:\||\[[^\]]+\]:|:?-{3,}|={3,}\s*$)")
INDENTED = re.compile(r" {4}|\t")
FRONT_MATTER = re.compile(r"\A---\n.*?\n---\n", re.DOTALL)
COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
CODE = re.compile(r"(`+)(?!`).+?(?<!`)\1(?!`)", re.DOTALL)
ADDRESS = re.compile(r"<?https?://[^\s>)]+>?")
LINK = re.compile(r"!?\[([^\]]*)\](?:\([^)]*\)|\[[^\]]*\])")
TAG = re.compile(r"</?[a-zA-Z][^>]*>")
ABBREVIATION = re.compile(r"\b(?:e\.g|i\.e|cf|vs)\.$")
SENTENCE_END = re.compile(r"(?<=[.!?])[\"')”*_]*\s+(?=[^a-z\s])")
WORD = re.compile(r"\S*[^\W_]\S*")


@dataclass
class Sentence:
    """One sentence with the line where it begins."""

    line: int
    text: str

    @property
    def words(self) -> list[str]:
        """Return its words; punctuation alone is no word."""
        return WORD.findall(self.text)


@dataclass
class _Blocks:
    """Paragraphs, list items and headings of a text, each with its first line."""

    blocks: list[tuple[int, str]] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    first: int = 0
    fence: str = ""
    is_nested: bool = False
    """True below a list item or an admonition, where an indented line is prose and no code."""

    def read(self, text: str) -> list[tuple[int, str]]:
        for number, line in enumerate(text.split("\n"), 1):
            self._line(number, line.removeprefix(">").removeprefix(" ") if line.startswith(">") else line)
        self._flush()
        return self.blocks

    def _line(self, number: int, line: str) -> None:
        if self._in_fence(line):
            return
        if item := ITEM.match(line):
            self._flush()
            self.is_nested = True
            self._add(number, line[item.end() :])
        elif ADMONITION.match(line):
            self._flush()
            self.is_nested = True
        elif not line.strip() or NO_PROSE.match(line):
            self._flush()
        elif line.startswith("#"):
            self._flush()
            self._add(number, line.lstrip("#"))
            self._flush()
        else:
            self._prose(number, line)

    def _in_fence(self, line: str) -> bool:
        mark = FENCE.match(line)
        if self.fence:
            if mark and mark[1].startswith(self.fence) and not line[mark.end() :].strip():
                self.fence = ""
            return True
        if mark:
            self._flush()
            self.fence = mark[1]
        return bool(mark)

    def _prose(self, number: int, line: str) -> None:
        is_indented = bool(INDENTED.match(line))
        if not self.lines and not is_indented and not line.startswith(" "):
            self.is_nested = False
        if self.lines or not is_indented or self.is_nested:
            self._add(number, line.strip())

    def _add(self, number: int, line: str) -> None:
        self.first = self.first if self.lines else number
        self.lines.append(line)

    def _flush(self) -> None:
        if self.lines:
            self.blocks.append((self.first, "\n".join(self.lines)))
            self.lines = []


def blank(match: re.Match[str], text: str = "") -> str:
    """Return a replacement for a match that keeps its line ends, so that line numbers stay true."""
    return text + "\n" * match[0].count("\n")


def without_code(text: str) -> str:
    """Return the text with a placeholder for each piece of inline code."""
    return CODE.sub(lambda match: blank(match, "Code"), text)


def without_addresses(text: str) -> str:
    """Return the text with the words of its links, without their targets."""
    return ADDRESS.sub("Link", LINK.sub(lambda match: blank(match, match[1].replace("\n", " ")), text))


def sentences(text: str) -> Iterator[Sentence]:
    """Return each sentence of a Markdown text; a list item and a heading end one."""
    for pattern in (FRONT_MATTER, COMMENT):
        text = pattern.sub(blank, text)
    for line, block in _Blocks().read(text):
        yield from _split(line, TAG.sub(blank, without_addresses(without_code(block))))


def _split(line: int, block: str) -> Iterator[Sentence]:
    begin = 0
    for end in SENTENCE_END.finditer(block):
        if not ABBREVIATION.search(block[: end.start()]):
            yield Sentence(line + block.count("\n", 0, begin), block[begin : end.end()].strip())
            begin = end.end()
    if block[begin:].strip():
        yield Sentence(line + block.count("\n", 0, begin), block[begin:].strip())
