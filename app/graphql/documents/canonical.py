"""The canonical text of a document: its tokens with one space between them, without comments.

Texts that differ only in ignored characters share one cached document. Errors have positions of the sent text:
`SentText` maps positions of the canonical text to them.
"""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from functools import cached_property

from graphql import GraphQLError, Source, SourceLocation

CLOSED_STRING = r'"""(?:\\"""|(?!""").)*+"""|"(?!"")(?:[^"\\\n\r]|\\.)*+"'

# Ignored characters, then a token of the lexer or a comment; at the end of the text, an empty match. An unclosed string
# takes the rest of the text: a search for more strings in it would take quadratic time.
TOKEN = re.compile(
    rf'[ \t\n\r,\ufeff]*+({CLOSED_STRING}|".*+|#[^\n\r]*+|\.\.\.|-?[0-9][\w.+-]*+|\w++|[^ \t\n\r,\ufeff]|\Z)',
    re.ASCII | re.DOTALL,
)
STRING = re.compile(CLOSED_STRING, re.ASCII | re.DOTALL)
LINE_END = re.compile(r"\r\n|[\n\r]")
BLOCK = '"""'


def tokens_of(text: str) -> list[str]:
    """Return the tokens of a text, its comments too, in linear time."""
    tokens: list[str] = TOKEN.findall(text)
    while tokens and not tokens[-1]:
        tokens.pop()  # empty matches at the end of the text
    return tokens


def number_of(tokens: Sequence[str]) -> int:
    """Return the number of tokens. Each line of a block string and each quote of an unclosed string counts as one."""
    number = len(tokens) + sum(each.count("\n") + each.count("\r") for each in tokens if each.startswith(BLOCK))
    return number + (tokens[-1].count('"') if _is_open(tokens) else 0)


def canonical(text: str, tokens: Sequence[str]) -> str:
    """Return the canonical text. A text with an unclosed string, which does not parse, is returned unchanged."""
    return text if _is_open(tokens) else " ".join([each for each in tokens if each[0] != "#"])


def _is_open(tokens: Sequence[str]) -> bool:
    return bool(tokens) and tokens[-1][0] == '"' and STRING.fullmatch(tokens[-1]) is None


class IndexedSource(Source):
    """A source that finds its line starts once; graphql-core searches the text again for each error."""

    @cached_property
    def _line_ends(self) -> tuple[list[int], list[int]]:
        spans = [match.span() for match in LINE_END.finditer(self.body)]
        return [start for start, _ in spans], [0, *(end for _, end in spans)]

    def get_location(self, position: int) -> SourceLocation:
        """Return the line and column of a position, as `Source` does, also between CR and LF."""
        ends, line_starts = self._line_ends
        index = bisect_left(ends, position)
        return SourceLocation(index + 1, position - line_starts[index] + 1)


class SentText:
    """A sent text with its canonical form. Only errors need its source and its tokens."""

    def __init__(self, text: str, canonical_text: str) -> None:
        self._text, self._canonical = text, canonical_text

    @cached_property
    def source(self) -> IndexedSource:
        """The source of the sent text."""
        return IndexedSource(self._text)

    @cached_property
    def _token_starts(self) -> tuple[list[int], list[int]]:
        return _starts(self._canonical), _starts(self._text)

    def locations(self, error: GraphQLError) -> list[SourceLocation]:
        """Return the locations of an error whose positions are those of the canonical text."""
        if not error.positions or self._text == self._canonical:
            return list(error.locations or ())
        return [self.source.get_location(self.position(each)) for each in error.positions]

    def position(self, position: int) -> int:
        """Return the position in the sent text of a position in the canonical text."""
        if position >= len(self._canonical):
            return len(self._text)
        canonical_starts, sent_starts = self._token_starts
        index = max(0, bisect_right(canonical_starts, position) - 1)
        return sent_starts[index] + position - canonical_starts[index]


def _starts(text: str) -> list[int]:
    return [each.start(1) for each in TOKEN.finditer(text) if each[1] and each[1][0] != "#"]
