"""Claims about the canonical text: it has the tokens of graphql-core, and errors have positions of the sent text."""

from random import Random
from typing import Any

import pytest
from graphql import GraphQLSyntaxError, Lexer, Source, TokenKind, parse
from hypothesis import example, given
from hypothesis import strategies as some

from app.config import Limits
from app.graphql.documents.cache import SEARCHED_CHARACTERS, DocumentCache, Invalid
from app.graphql.documents.canonical import IndexedSource, SentText, canonical, number_of, tokens_of
from tests.support.client import Api
from tests.support.factories import Make
from tests.support.walking import SCHEMA

PIECES = [
    *(
        "{",
        "}",
        "(",
        ")",
        "[",
        "]",
        ":",
        "=",
        "!",
        "$",
        "@",
        "|",
        "&",
        "...",
        "..",
        ".",
        "-",
        "+",
        "\\",
        "é",
        "\f",
        "\x00",
    ),
    *("a", "query", "_b1", "7", "-7", "1.5", "1e9", "01", "1.", '"', '"a"', '""', '"\\""', '"\\u0041"', '"a # b"'),
    *('"""', '""""""', '"""a\n  b # c"""', '"""\\""""""', '"a,  b"', "'", "\\"),
    *(" ", "  ", "\t", ",", ",,", "\n", "\r\n", "\r", "\ufeff", "# c\n", '# "c\r', "#", "#\n#\n"),
]


def _read(text: str) -> list[tuple[Any, ...]] | str:
    """Return the tokens of graphql-core, or its syntax error."""
    lexer = Lexer(Source(text))
    tokens = []
    try:
        while lexer.advance().kind is not TokenKind.EOF:
            tokens.append((lexer.token.kind, lexer.token.value, text[lexer.token.start : lexer.token.end]))
    except GraphQLSyntaxError as error:
        return error.message
    return tokens


@pytest.mark.parametrize("seed", range(40))
def test_a_canonical_text_has_the_tokens_of_the_text_or_both_have_none(seed: int) -> None:
    random = Random(seed)
    for _ in range(250):
        text = "".join(random.choices(PIECES, k=random.randrange(12)))
        shortened = canonical(text, tokens_of(text))
        before, after = _read(text), _read(shortened)
        assert isinstance(before, str) == isinstance(after, str), (text, shortened)
        assert isinstance(before, str) or before == after, (text, shortened)
        assert canonical(shortened, tokens_of(shortened)) == shortened


@pytest.mark.parametrize("seed", range(20))
def test_positions_in_the_canonical_text_map_to_the_sent_text(seed: int) -> None:
    random = Random(seed)
    good = [each for each in PIECES if isinstance(_read(each), list)]
    for _ in range(100):
        text = "".join(random.choices(good, k=12))
        shortened = canonical(text, tokens_of(text))
        sent = SentText(text, shortened)
        ours, theirs = (_starts(each) for each in (shortened, text))
        if ours is not None:
            assert [sent.position(each) for each in ours] == theirs


def _starts(text: str) -> list[int] | None:
    lexer, starts = Lexer(Source(text)), []
    try:
        while lexer.advance().kind is not TokenKind.EOF:
            starts.append(lexer.token.start)
    except GraphQLSyntaxError:
        return None
    return [*starts, len(text)]


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("", 0),
        (" ,\n", 0),
        ("{ a } # b", 4),
        ('"""a\nb\nc"""', 3),
        ('"""' + '"' * 2, 6),
        ('"a\n"a\n', 3),
        ("# a\n# b", 2),
    ],
)
def test_tokens_are_counted_with_comments_and_lines_of_block_strings(text: str, number: int) -> None:
    assert number_of(tokens_of(text)) == number


UNCLOSED = {
    "a block of escapes": '"""' + '\\"""' * 49_000,
    "nothing but quotes": '"' * 190_000,
    "quotes by three": '"""' * 60_001,
    "escapes": '"\\' * 90_000,
    "quotes at the ends of lines": "'\"a\n" * 40_000,
    "blocks and quotes": '""" "' * 39_000,
}


@pytest.mark.parametrize("name", UNCLOSED)
def test_unclosed_strings_are_read_in_linear_time(name: str) -> None:
    text = UNCLOSED[name]
    tokens = tokens_of(text)
    assert canonical(text, tokens)


SPREAD = "query # first\n\n  Q {\n\tviewer,,{ user # of all\n { id\r\n  nothing } } }"
GAPS = "query ($n: Int!,\n # how many\n  $m: Int!) {\n\n users(first: $n) { totalCount } }"


def test_errors_speak_of_the_text_as_it_was_sent_whichever_came_first() -> None:
    documents = DocumentCache(SCHEMA, Limits())
    texts = [SPREAD, "query Q { viewer { user { id nothing } } }", SPREAD + "\n\n# again", "\n\n" + SPREAD]
    places = [_places(documents, text) for text in texts * 2]

    assert places == [[(6, 3)], [(1, 30)], [(6, 3)], [(8, 3)]] * 2


def _places(documents: DocumentCache, text: str) -> list[tuple[int, int]]:
    with pytest.raises(Invalid) as caught:
        documents.lookup(text, None)
    return [(each.line, each.column) for error in caught.value.errors for each in error.locations or ()]


@pytest.mark.parametrize(
    "text", ["{ a(b: .5) }", "{ a ..b }", '{ a(b: "x\n") }', "{ a(b: 1a) }", "{\n a # b\n é }", "{ a"]
)
def test_a_syntax_error_has_the_message_of_graphql_core(text: str) -> None:
    with pytest.raises(GraphQLSyntaxError) as expected:
        parse(text)
    with pytest.raises(Invalid) as caught:
        DocumentCache(SCHEMA, Limits()).lookup(text, None)

    (error,) = caught.value.errors
    assert (error.message, error.locations) == (expected.value.message, expected.value.locations)


async def test_errors_of_variables_and_of_fields_are_placed_too(api: Api, make: Make) -> None:
    root = await make.admin()
    query = GAPS.replace(", $m: Int!", "")
    for text in (GAPS, " ".join(GAPS.replace("# how many", "").split()), "\n" + GAPS):
        invalid = await api(text.replace("$m: Int!", ""), as_=root, n="x")
        failed = await api(text.replace("$m: Int!", ""), as_=root, n=101)
        lines = 1 + text[: text.index("$n")].count("\n"), 1 + text[: text.index("users")].count("\n")
        assert [each["locations"][0]["line"] for reply in (invalid, failed) for each in reply["errors"]] == [*lines]
    assert query


def test_blanks_and_comments_make_no_new_document() -> None:
    documents = DocumentCache(SCHEMA, Limits())
    cached = documents.lookup("{ __typename }", None)

    for text in (
        "{__typename}",
        "{ __typename } # again",
        "\ufeff{,__typename,}" + " " * 190_000,
        "#\n" * 4_000 + "{__typename}",
    ):
        assert documents.lookup(text, None) is cached


@given(some.text(alphabet="ab\n\r ", max_size=60), some.integers(min_value=0, max_value=60))
@example("a\r\n", 2)
def test_a_position_has_the_location_that_graphql_core_finds(text: str, position: int) -> None:
    position = min(position, len(text))

    assert IndexedSource(text).get_location(position) == Source(text).get_location(position)


def test_a_long_document_is_searched_for_few_errors() -> None:
    """Validation searches the text for each error, so that errors times characters are bounded."""
    names = [f"U{number}{'x' * 900}" for number in range(150)]
    document = f"query({' '.join(f'$v{at}: {name}' for at, name in enumerate(names))}) {{ __typename }}"
    short = f"query({' '.join(f'$v{at}: U{at}' for at in range(150))}) {{ __typename }}"
    errors = {}

    for text in (document, short):
        with pytest.raises(Invalid) as raised:
            DocumentCache(SCHEMA, Limits()).operation(text, None, {}, introspection=True)
        errors[text] = len(raised.value.errors)

    assert errors[document] * len(document) < 2 * SEARCHED_CHARACTERS
    assert errors[short] > 40
