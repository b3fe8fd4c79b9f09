"""Claims about the compatibility of the schema: a break since the last release is named, or it is an error."""

from pathlib import Path

import pytest
from graphql import build_schema
from graphql.utilities import find_breaking_changes

from tests.rules import compatibility
from tests.rules.compatibility import Release

OLD = """
directive @cost(value: Int) on FIELD_DEFINITION
type Query { user(id: ID!, name: String): User, search: Match, role: Role, gone(by: By): Int, score: Float }
interface Named { name: String }
type User implements Named { name: String, age: Int }
type Org { slug: String }
union Match = User | Org
enum Role { ADMIN USER }
input By { id: ID }
"""
BREAKS = {
    ("directive @cost(value: Int) on FIELD_DEFINITION", ""): {"@cost"},
    ("@cost(value: Int)", "@cost"): {"@cost(value:)"},
    ("name: String, age: Int", "name: String"): {"User.age"},
    ("age: Int", "age: String"): {"User.age"},
    (", name: String)", ")"): {"Query.user(name:)"},
    (", name: String)", ", name: String!)"): {"Query.user(name:)"},
    ("ADMIN USER", "ADMIN"): {"Role.USER"},
    ("User | Org", "User"): {"Match"},
    ("User implements Named", "User"): {"User"},
    ("{ id: ID }", "{ id: ID, name: ID! }"): {"By.name"},
    ("type Org { slug: String }", "input Org { slug: String }"): {"Org"},
    (", gone(by: By): Int", ""): {"Query.gone"},
    (", score: Float", ""): {"Query.score", "Float"},
    ("age: Int", "age: Int, more: Int"): set(),
}
RELEASE = Release((0, 4, 2), build_schema(OLD))
FIRST = Release((1, 0, 0), build_schema(OLD))
WITHOUT_AGE = build_schema(OLD.replace("age: Int", ""))
NAMED = "# Changelog\n\n## [Unreleased]\n\n### Breaking\n\n- `User.age` is gone.\n\n### Added\n\n- Nothing.\n"


@pytest.mark.parametrize("edit", BREAKS)
def test_each_break_is_named_by_its_coordinate(edit: tuple[str, str]) -> None:
    assert edit[0] in OLD
    present = build_schema(OLD.replace(*edit), assume_valid=True)

    judged = compatibility.breaks(RELEASE, present, "", (0, 5, 0))

    assert {each.element for each in judged} == BREAKS[edit]
    assert not any(each.is_allowed for each in judged)


@pytest.mark.parametrize(
    "changelog",
    [
        "",
        "## Unreleased\n\n### Added\n\n- `User.age`\n",
        "## Unreleased\n\n### Breaking\n\n- User.age\n",
        "## Unreleased\n\n### Breaking\n\n- `User`, `age` and `User.ages`\n",
        "## Unreleased\n\n### Changed\n\n- Text\n\n## 0.1.0\n\n### Breaking\n\n- `User.age`\n",
    ],
)
def test_a_break_that_the_changelog_does_not_name_is_refused_by_name(changelog: str) -> None:
    judged = compatibility.breaks(RELEASE, WITHOUT_AGE, changelog, (0, 5, 0))

    lines = list(compatibility.report(RELEASE, WITHOUT_AGE, judged))

    assert lines[0] == "NOT ALLOWED  Field User.age was removed. (the changelog does not name `User.age`)"
    assert lines[1].startswith("1 breaking changes since 0.4.2, 1 not allowed")


@pytest.mark.parametrize("changelog", [NAMED, NAMED.replace("[Unreleased]", "Unreleased")])
def test_a_break_before_1_0_is_allowed_when_the_changelog_names_it(changelog: str) -> None:
    judged = compatibility.breaks(RELEASE, WITHOUT_AGE, changelog, (0, 4, 2))

    lines = list(compatibility.report(RELEASE, WITHOUT_AGE, judged))

    assert lines == [
        "allowed      Field User.age was removed.",
        "1 breaking changes since 0.4.2, 0 not allowed; 0 that may surprise",
    ]


@pytest.mark.parametrize(("version", "allowed"), [((1, 0, 1), False), ((1, 9, 0), False), ((2, 0, 0), True)])
def test_a_break_from_1_0_on_needs_a_new_major_version_too(version: tuple[int, int, int], allowed: bool) -> None:
    (judged,) = compatibility.breaks(FIRST, WITHOUT_AGE, NAMED, version)
    (silent,) = compatibility.breaks(FIRST, WITHOUT_AGE, "", version)

    assert judged.is_allowed is allowed
    assert ("a break needs a new major version" in str(judged)) is not allowed
    assert not silent.is_allowed


def test_an_addition_that_may_surprise_a_client_is_told_and_allowed() -> None:
    present = build_schema(OLD.replace("ADMIN USER", "ADMIN USER GUEST"))

    assert list(compatibility.report(RELEASE, present, [])) == [
        "may surprise Enum value Role.GUEST was added.",
        "0 breaking changes since 0.4.2, 0 not allowed; 1 that may surprise",
    ]


def test_the_last_release_is_the_highest_version(tmp_path: Path) -> None:
    for name in ("schema-0.9.0.graphql", "schema-0.10.0.graphql", "schema-0.10.graphql", "notes.md"):
        (tmp_path / name).write_text(OLD)

    assert compatibility.last_release(tmp_path).version == (0, 10, 0)


def test_every_break_since_the_last_release_is_allowed(capsys: pytest.CaptureFixture[str]) -> None:
    code = compatibility.main([])

    assert code == 0, capsys.readouterr().out


def test_a_schema_without_descriptions_is_the_same_schema() -> None:
    text = compatibility.SCHEMA.read_text()
    bare = compatibility.without_descriptions(text)

    assert '"""' in text
    assert '"""' not in bare
    full, stripped = build_schema(text), build_schema(bare)
    assert find_breaking_changes(full, stripped) == find_breaking_changes(stripped, full) == []
