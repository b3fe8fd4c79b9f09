"""The harness finds what it looks for: a wrong answer, a failing command, a broken link."""

import tomllib
from pathlib import Path

import pytest

from scripts.documentation.__main__ import prepare
from scripts.documentation.navigation import navigation
from tests.docs import markdown
from tests.docs.compare import is_same_json, is_same_text
from tests.docs.session import Session, decoded
from tests.docs.steps import run


@pytest.mark.parametrize(
    ("printed", "real", "is_same"),
    [
        ({"a": "x…"}, {"a": "xyz"}, True),
        ({"a": "…"}, {"a": 5}, True),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}, False),
        ({"a": 1}, {"a": 1, "b": 2}, False),
        ({"a": 1}, {"a": True}, False),
        ({"mtime": 1.5}, {"mtime": 7}, True),
        ({"mtime": 1.5}, {"mtime": "7"}, False),
        ({"size": 1}, {"size": 2}, False),
        ([1, "…"], [1, 2, 3], True),
        ([1, "…"], [2, 2, 3], False),
        ([1], [1, 2], False),
    ],
)
def test_json_is_compared_with_its_keys_in_order(printed: object, real: object, is_same: bool) -> None:
    assert is_same_json(printed, real) is is_same


@pytest.mark.parametrize(
    ("printed", "real", "is_same"),
    [
        ("a\nb", "a\nb\n", True),
        ("a … c", "a b c", True),
        ("a\n…\nd", "a\nb\nc\nd", True),
        ("a\n…\nd", "a\nd", True),
        ("a", "a\nb", False),
        ("a … c", "a b\nb c", False),
    ],
)
def test_text_is_compared_by_lines(printed: str, real: str, is_same: bool) -> None:
    assert is_same_text(printed, real) is is_same


def test_answers_are_read_one_after_the_other() -> None:
    assert decoded('{"a": 1}{"b": 2}\n[3]') == [{"a": 1}, {"b": 2}, [3]]


def test_a_block_knows_its_title_and_whether_it_follows() -> None:
    text = '```sh\nls\n```\n\n```json title="a.json"\n{}\n```\nwords\n  ```text\n  x\n    y\n  ```\n'
    first, second, third = markdown.blocks(text)

    assert (first.language, first.line, first.follows) == ("sh", 1, False)
    assert (second.language, second.title, second.follows) == ("json", "a.json", True)
    assert (third.language, third.text, third.follows) == ("text", "x\n  y\n", False)


def test_a_block_without_an_end_is_refused() -> None:
    with pytest.raises(AssertionError, match="line 3"):
        markdown.blocks("# Page\n\n```sh\nls\n")


def test_a_command_that_fails_fails_the_page(tmp_path: Path) -> None:
    with Session(tmp_path, "") as session, pytest.raises(AssertionError, match="code 1"):
        session.shell("false\necho never\n")


def test_variables_and_the_folder_stay(tmp_path: Path) -> None:
    with Session(tmp_path, "") as session:
        session.shell("NAME=reef\nmkdir inner && cd inner\n")

        assert session.shell('echo "$NAME" "$(basename "$PWD")"\n') == "reef inner\n"


def test_programs_get_only_exported_variables(tmp_path: Path) -> None:
    with Session(tmp_path, "") as session:
        session.shell("PLAIN=$'a\n\"b\"'\nexport OUTER=reef\n")

        assert session.shell('echo "$PLAIN"; bash -c \'echo "${PLAIN-unset} $OUTER"\'\n') == 'a\n"b"\nunset reef\n'


@pytest.mark.parametrize(
    ("page", "step"),
    [
        ("```sh\necho a\n```\n```text\nb\n```\n", 1),
        ("```sh\necho '[1]'\n```\n\n```json\n[2]\n```\n", 1),
        ("```sh\ntrue\n```\n```sh\necho a\n```\n\n```text\nb\n```\n", 4),
    ],
)
def test_a_wrong_answer_fails_the_page_and_names_the_step(page: str, step: int, tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match=f"the step on line {step} "):
        run(page, tmp_path)


def test_a_wrong_answer_to_an_operation_fails_the_page(tmp_path: Path) -> None:
    page = "# Page\n```graphql\n# {user}\n{{ viewer {{ user {{ userName }} }} }}\n```\n```json\n{answer}\n```\n"
    admin = '{"data": {"viewer": {"user": {"userName": "admin"}}}}'
    nobody = '{"data": {"viewer": {"user": null}}}'

    for name in ("right", "wrong"):
        (tmp_path / name).mkdir()
    run(page.format(user="admin", answer=admin) + page.format(user="anonymous", answer=nobody), tmp_path / "right")
    with pytest.raises(AssertionError, match="the step on line 2 "):
        run(page.format(user="admin", answer=nobody), tmp_path / "wrong")


def test_a_script_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with Session(tmp_path, "") as session, pytest.raises(AssertionError, match="scripts/nonsense"):
        session.shell("scripts/nonsense\n")


def test_links_in_code_are_none() -> None:
    text = "[a](b.md#c) `[no](no.md)`\n```text\n[no](no.md)\n```\n![d](e.svg)\n"

    assert markdown.links(text) == ["b.md#c", "e.svg"]


def test_anchors_are_made_as_by_the_site() -> None:
    assert markdown.anchors("# One `two`, three!\n\n## A [link](x.md)\n") == {"one-two-three", "a-link"}


def test_the_generator_gets_the_pages_the_style_and_the_navigation(tmp_path: Path) -> None:
    prepare(tmp_path)
    settings = tomllib.loads((tmp_path / "zensical.toml").read_text())

    assert settings["project"]["nav"] == navigation(markdown.ROOT / "docs")
    assert settings["project"]["theme"]["font"] is False
    assert {each.name for each in (tmp_path / "docs").iterdir()} >= {"index.md", "how-to", "style.css"}


def test_a_section_has_the_order_of_the_links_in_its_index(tmp_path: Path) -> None:
    folder = tmp_path / "how-to"
    folder.mkdir()
    for name in ("a", "b", "c"):
        (folder / f"{name}.md").write_text(f"# Page {name}\n")
    (folder / "index.md").write_text("# Guides\n[c](c.md) [a](a.md)\n")
    (tmp_path / "index.md").write_text("# Start\n")

    section = ["how-to/index.md", {"Page c": "how-to/c.md"}, {"Page a": "how-to/a.md"}, {"Page b": "how-to/b.md"}]
    assert navigation(tmp_path) == [{"Start": "index.md"}, {"How-to guides": section}]
