"""The canonical text of a document: its tokens with one space between them, whatever blanks and comments it came with.

Texts that differ in ignored characters alone are one document, which is read and remembered once. Errors speak of the
text as it was sent: `Sent` finds there what stands in the canonical one.
"""

import re
from bisect import bisect_right
from collections.abc import Sequence

from graphql import GraphQLError, Source, SourceLocation

WHOLE_STRING = r'"""(?:\\"""|(?!""").)*+"""|"(?!"")(?:[^"\\\n\r]|\\.)*+"'

# Blanks, then what the lexer would read, comments too; at the end of the text, nothing. An unclosed string is the rest
# of the text: no lexer reads on, and to look for more strings in it would take the square of its length.
TOKEN = re.compile(
    rf'[ \t\n\r,\ufeff]*+({WHOLE_STRING}|".*+|#[^\n\r]*+|\.\.\.|-?[0-9][\w.+-]*+|\w++|[^ \t\n\r,\ufeff]|\Z)',
    re.ASCII | re.DOTALL,
)
STRING = re.compile(WHOLE_STRING, re.ASCII | re.DOTALL)
LINE_END = re.compile(r"\r\n|[\n\r]")
BLOCK = '"""'


def tokens_of(text: str) -> list[str]:
    """Return the tokens of a text, its comments too, in linear time."""
    tokens: list[str] = TOKEN.findall(text)
    while tokens and not tokens[-1]:
        tokens.pop()  # the end, once after the last token and once after the last blanks
    return tokens


def number_of(tokens: Sequence[str]) -> int:
    """Return how many tokens these count for: a line of a block string is one, and so is a quote of an unclosed one."""
    number = len(tokens) + sum(each.count("\n") + each.count("\r") for each in tokens if each.startswith(BLOCK))
    return number + (tokens[-1].count('"') if _is_open(tokens) else 0)


def canonical(text: str, tokens: Sequence[str]) -> str:
    """Return the canonical text; one with an unclosed string, which no lexer reads to its end, stays as it is."""
    return text if _is_open(tokens) else " ".join([each for each in tokens if each[0] != "#"])


def _is_open(tokens: Sequence[str]) -> bool:
    return bool(tokens) and tokens[-1][0] == '"' and STRING.fullmatch(tokens[-1]) is None


class SentText:
    """A text as it was sent, beside its canonical form."""

    __slots__ = ("_canonical", "_lines", "_starts", "_text")

    def __init__(self, text: str, canonical_text: str) -> None:
        self._text, self._canonical = text, canonical_text
        self._starts: tuple[list[int], list[int]] | None = None
        self._lines: list[int] | None = None

    @property
    def source(self) -> Source:
        """The text as graphql-core wants it."""
        return Source(self._text)

    def locations(self, error: GraphQLError) -> list[SourceLocation]:
        """Return the places of an error; its positions are those of the canonical text."""
        if not error.positions or self._text == self._canonical:
            return list(error.locations or ())
        return [self._location(self.position(each)) for each in error.positions]

    def position(self, position: int) -> int:
        """Return where in the sent text a position of the canonical one is."""
        if position >= len(self._canonical):
            return len(self._text)
        if self._starts is None:
            self._starts = _starts(self._canonical), _starts(self._text)
        ours, theirs = self._starts
        at = max(0, bisect_right(ours, position) - 1)
        return theirs[at] + position - ours[at]

    def _location(self, position: int) -> SourceLocation:
        if self._lines is None:
            self._lines = [0, *(match.end() for match in LINE_END.finditer(self._text))]
        line = bisect_right(self._lines, position)
        return SourceLocation(line, position - self._lines[line - 1] + 1)


def _starts(text: str) -> list[int]:
    return [each.start(1) for each in TOKEN.finditer(text) if each[1] and each[1][0] != "#"]
