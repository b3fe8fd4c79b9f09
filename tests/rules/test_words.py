"""Claims about the language of the product: the package, its schema and its docs use no banned word.

The first tests show that the lint finds what it must and nothing else; the last one runs it over everything.
"""

from pathlib import Path

import pytest

from tests.rules import markdown, words
from tests.support.sources import files

ENFORCED = True
"""True once every text is rewritten: until then the last test is skipped."""

BAD_PYTHON = {
    '"""Return the row that she sees."""': "1 she",
    "x = 1  # Whoever comes next": "1 Whoever",
    "x = 'this stands ' 'against the change'": "1 stands against",
    "x = f'{1} goes before {2}'": "1 goes before",
    '"""Open it.\n\nIt hangs\non the request.\n"""': "3 hangs on",
    "log = 'The dearest query of the stock executor'": "1 dearest, 1 stock",
    '"""What a row holds."""': "1 What",
    'class Row:\n    """\n    Whether it is so."""': "2 Whether",
    'LIMIT = 1\n"""How many rows there are."""': "2 How",
    "def held_by(given): ...": "1 given",
    "def known(): ...": "1 known",
    "class Patience: ...": "1 Patience",
    "class Row:\n    shown: bool = True": "2 shown",
    "class Row:\n    def __init__(self):\n        self._told = 1": "3 _told",
    "import sqlalchemy as desk": "1 desk",
    "for row, (found, _) in x: ...": "1 found",
    "if (wrong := 1): ...": "1 wrong",
    "with x as cell: ...": "1 cell",
    "x = [way for way in y]": "1 way",
    "x = lambda face: 1": "1 face",
    "try: ...\nexcept ValueError as wrong: ...": "2 wrong",
    "match x:\n    case {'a': walk, **whole}: ...": "2 walk, 2 whole",
}
GOOD_PYTHON = (
    '"""Return whether a known row was found, and how it was made."""',
    "x = 'other there here heroes shell history this the-hers_ sheet cash'",
    "x = 'a standing order; it stands; standard in; stocks; endearing; hanging'",
    "held_by = given_name = 1",
    "print(other.found, known, row.shown)",
    "from x import front",
    "call(given=1)",
    "other.kept = 1",
)
BAD_SCHEMA = {
    '"""Roles that she holds."""\ntype User { id: ID! }': "1 she",
    "type Row { face: ID! }": "1 face",
    "type Row { row(way: ID): ID! }": "1 way",
    "enum Row { HELD }": "1 HELD",
    "input Row {\n  given: ID\n}": "2 given",
    "directive @desk on FIELD": "1 desk",
    'type Row { id: ID! @a(unless: "it is her own") }\ndirective @a(unless: String) on OBJECT': "1 her",
}
LONG = "word " * 32
BAD_MARKDOWN = {
    f"# Head\n\nOne.\nA {LONG.strip()}. Two.": "4 33 words",
    f"- item\n\n  a {LONG.strip()}\n- item": "3 33 words",
    f'!!! note "Title"\n    a {LONG.strip()}': "2 33 words",
    f"> a {LONG}": "1 33 words",
    "A `he` is\na user": "1 he",
    "```\n$ echo her\n```": "2 her",
    f"[{LONG}](https://example.com/x) end": "1 33 words",
}
GOOD_MARKDOWN = (
    f"{LONG.strip()}. {LONG.strip().title()}! `code` {'word ' * 30}",
    f"```\n{LONG * 2}\n```",
    f"    {LONG * 2}",
    f"| {LONG} | {LONG} |\n|---|---|",
    f"- {LONG}\n- {LONG}\n1. {LONG}",
    f"## {LONG}\n{LONG}",
    f"`{LONG}` and {LONG[:-20]}",
    f"---\ntitle: {LONG * 2}\n---\nText.",
    f"<!-- {LONG * 2} -->",
    "[text](https://example.com/her) and https://example.com/stock#he",
    f"{LONG.strip()} e.g. `x`."[5 * 4 :],
)


BAD_CONSOLE = {
    "export const words = {\n  a: 'Whoever asks.',\n};": "2 Whoever",
    f"a: 1,\nb: '{LONG}word. Short.'": "2 33 words",
    f"a: (n: string) => phrase`{LONG}${{n}}`": "1 33 words",
}
GOOD_CONSOLE = (f"a: '{LONG.strip()}. {LONG.strip()}.',", f"a: 'One.',\nb: phrase`{'word ' * 20}${{one(two, three)}}`")


def _broken(path: str, text: str) -> str:
    return ", ".join(f"{each.line} {each.word}" for each in sorted(words.check_text(path, text)))


@pytest.mark.parametrize(("text", "broken"), BAD_PYTHON.items())
def test_a_banned_word_in_python_is_found_on_its_line(text: str, broken: str) -> None:
    assert _broken("app/module.py", text) == broken


@pytest.mark.parametrize("text", GOOD_PYTHON)
def test_an_allowed_text_in_python_is_no_finding(text: str) -> None:
    assert _broken("app/module.py", text) == ""


def test_the_name_of_a_module_is_a_name() -> None:
    assert _broken("app/http/heads.py", '"""Read headers."""') == "1 heads"


@pytest.mark.parametrize(("text", "broken"), BAD_SCHEMA.items())
def test_a_banned_word_in_the_schema_is_found_on_its_line(text: str, broken: str) -> None:
    assert _broken("schema.graphql", text) == broken


@pytest.mark.parametrize(("text", "broken"), BAD_MARKDOWN.items())
def test_a_banned_word_or_a_long_sentence_in_a_document_is_found_on_its_line(text: str, broken: str) -> None:
    assert _broken("docs/page.md", text) == broken


@pytest.mark.parametrize("text", GOOD_MARKDOWN)
def test_code_tables_links_and_short_sentences_of_a_document_are_no_findings(text: str) -> None:
    assert _broken("docs/page.md", text) == ""


def test_a_name_of_an_earlier_version_stands_as_code_in_the_changelog_alone() -> None:
    text = "- `stock` is `reference`."

    assert _broken("CHANGELOG.md", text) == ""
    assert _broken("docs/page.md", text) == "1 stock"


def test_the_sentences_of_a_document_are_those_a_reader_sees() -> None:
    text = "# Head\nOne `a. B` two. Three, e.g. Four!\n\n```\nCode. Code.\n```\n* five\n* [six](x.y)? Seven (*8*.) Nine"

    parts = [(each.line, each.text) for each in markdown.sentences(text)]

    assert parts == [
        (1, "Head"),
        (2, "One Code two."),
        (2, "Three, e.g. Four!"),
        (7, "five"),
        (8, "six?"),
        (8, "Seven (*8*.)"),
        (8, "Nine"),
    ]


@pytest.mark.parametrize(("text", "broken"), BAD_CONSOLE.items())
def test_a_banned_word_or_a_long_sentence_of_the_console_is_found_on_its_line(text: str, broken: str) -> None:
    assert _broken("app/console/src/access/peopleWords.ts", text) == broken


@pytest.mark.parametrize("text", GOOD_CONSOLE)
def test_short_sentences_of_the_console_are_no_findings(text: str) -> None:
    assert _broken("app/console/src/access/words.ts", text) == ""


@pytest.mark.parametrize(
    ("text", "broken"),
    {
        "const a = 1;\nlet found = a;": "2 found",
        "const [shown, setShown] = useState(null);": "1 shown",
        "export function told(): void {}": "1 told",
        "interface Held { readonly a: 1 }": "1 Held",
        "/** What she sees. */": "1 she",
        "const { cell } = column;\nrows.map((found) => found);": "",
        "const isShown = true;": "",
    }.items(),
)
def test_a_name_or_a_comment_of_the_console_is_found_on_its_line(text: str, broken: str) -> None:
    assert _broken("app/console/src/access/Panel.tsx", text) == broken


def test_every_default_text_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    read: set[str] = set()
    monkeypatch.setattr(words, "check_text", lambda path, _: read.add(path) or ())  # type: ignore[func-returns-value]

    words.findings()

    package = {path.relative_to(words.HOME).as_posix() for path in files(words.HOME / "app") if path.suffix == ".py"}
    assert read > package | {"schema.graphql", "README.md", "app/README.md", "CHANGELOG.md", "docs/how-to/fail2ban.md"}
    assert read > {"app/console/src/access/words.ts", "app/console/src/access/peopleWords.ts"}
    assert not [path for path in read if path.startswith(words.SKIPPED)]


def test_the_tool_prints_each_finding_and_a_count_of_each_folder(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bad, good = tmp_path / "bad.py", tmp_path / "good.py"
    bad.write_text('"""Open it."""\n\nfound = 1  # she\n')
    good.write_text('"""Open it."""\n')

    assert words.main([str(tmp_path)]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert words.main([str(good)]) == 0

    assert lines == [
        f"{bad}:3: found — says nothing as a name, name it by what it is: row, rows, user, match",
        f"{bad}:3: she — banned in prose, say: the user, they",
        f"     2  {tmp_path}/",
        "     2  in all",
    ]


def test_an_exception_holds_for_one_word_in_one_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file, other = tmp_path / "file.py", tmp_path / "other.py"
    for each in (file, other):
        each.write_text('"""Tell her and him."""\n')
    monkeypatch.setattr(words, "EXCEPTIONS", {"her": (file.as_posix(), "a demo text")})

    broken = [(Path(each.path).name, each.word) for each in words.findings([tmp_path])]

    assert broken == [("file.py", "him"), ("other.py", "her"), ("other.py", "him")]


def test_a_path_that_does_not_exist_is_an_error(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        words.main(["no/such/folder"])

    assert stopped.value.code == 2
    assert "no/such/folder does not exist" in capsys.readouterr().err


def test_exceptions_are_few_have_a_reason_and_are_needed() -> None:
    assert len(words.EXCEPTIONS) <= words.MAX_EXCEPTIONS
    for word, (path, reason) in words.EXCEPTIONS.items():
        assert reason
        assert word in {each.word.lower() for each in words.check_file(words.HOME / path)}, f"{word}: not needed"


def test_no_text_has_a_banned_word() -> None:
    if not ENFORCED:
        pytest.skip("the texts are being rewritten")

    broken = words.findings()

    assert not broken, "\n".join(["see python -m tests.rules.words", *map(str, broken)])
