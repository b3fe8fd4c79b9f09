"""Compare schema.graphql with that of the last release: scripts/compatibility

It names each change that can break a client, and says whether docs/deprecation.md allows it: a break is allowed before
1.0, and in a new major version, when the changelog names the element under "Unreleased", "Breaking".
The exit code is 1 when a break is not allowed.
"""

import argparse
import re
import sys
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from graphql import GraphQLSchema, build_schema
from graphql.utilities import BreakingChange, DangerousChange, find_breaking_changes, find_dangerous_changes

HOME = Path(__file__).parents[2]
SCHEMA = HOME / "schema.graphql"
CHANGELOG = HOME / "CHANGELOG.md"
PROJECT = HOME / "pyproject.toml"
RELEASES = HOME / "docs" / "releases"
RELEASED = re.compile(r"schema-(\d+)\.(\d+)\.(\d+)\.graphql$")
MEMBER = re.compile(r"@\w+(?:\(\w+:\))?|\b\w+\.\w+(?:\(\w+:\))?")
"""The coordinate of a directive, a field, an argument or an enum value in a description of graphql-core."""

OWNER = re.compile(r"(?:union type|implemented by) (\w+)")
TYPE = re.compile(r"(?:Standard scalar )?(\w+)")
DESCRIPTION = re.compile(r'^ *"""(?s:.*?)"""\n', re.MULTILINE)
CODE = re.compile(r"`([^`\n]+)`")
SECTION = re.compile(r"^## +\[?Unreleased\]?.*?(?=^## |\Z)", re.MULTILINE | re.DOTALL)
BREAKING = re.compile(r"^### +Breaking\s*$(.*?)(?=^### |\Z)", re.MULTILINE | re.DOTALL)

Version = tuple[int, int, int]


@dataclass(frozen=True)
class Break:
    """One breaking change, with the coordinate of its element and what the policy says of it."""

    element: str
    description: str
    is_named: bool
    is_allowed: bool

    def __str__(self) -> str:
        if self.is_allowed:
            return f"allowed      {self.description}"
        reason = (
            "a break needs a new major version" if self.is_named else f"the changelog does not name `{self.element}`"
        )
        return f"NOT ALLOWED  {self.description} ({reason})"


@dataclass(frozen=True)
class Release:
    """The schema of a release."""

    version: Version
    schema: GraphQLSchema

    def __str__(self) -> str:
        return ".".join(map(str, self.version))


def last_release(folder: Path = RELEASES) -> Release:
    """Return the release with the highest version of which the folder has the schema."""
    versions: dict[Version, Path] = {}
    for path in folder.iterdir():
        if match := RELEASED.match(path.name):
            versions[_version(".".join(match.groups()))] = path
    newest = max(versions)
    return Release(newest, build_schema(versions[newest].read_text()))


def present_version(project: Path = PROJECT) -> Version:
    """Return the version that the project file gives."""
    return _version(tomllib.loads(project.read_text())["project"]["version"])


def named_breaks(changelog: str) -> set[str]:
    """Return the inline code of the section "Breaking" of the version to come."""
    unreleased = SECTION.search(changelog)
    breaking = BREAKING.search(unreleased[0]) if unreleased else None
    return set(CODE.findall(breaking[1])) if breaking else set()


def breaks(released: Release, schema: GraphQLSchema, changelog: str, version: Version) -> list[Break]:
    """Return every breaking change since the release, with the judgement of the policy."""
    named = named_breaks(changelog)
    may_break = released.version[0] == 0 or version[0] > released.version[0]
    judged = []
    for change in find_breaking_changes(released.schema, schema):
        element = coordinate(change)
        is_named = element in named
        judged.append(Break(element, change.description, is_named, is_named and may_break))
    return judged


def coordinate(change: BreakingChange | DangerousChange) -> str:
    """Return the schema coordinate of the element that a change is about, as in `User.roles(first:)`."""
    text = change.description
    if member := MEMBER.search(text):
        return member[0]
    match = OWNER.search(text) or TYPE.match(text)
    assert match is not None, text
    return match[1]


def report(released: Release, schema: GraphQLSchema, judged: Sequence[Break]) -> Iterator[str]:
    """Return the lines that a person reads: breaks, dangerous changes, and a sum."""
    yield from map(str, judged)
    dangerous = find_dangerous_changes(released.schema, schema)
    for change in dangerous:
        yield f"may surprise {change.description}"
    refused = sum(not each.is_allowed for each in judged)
    yield f"{len(judged)} breaking changes since {released}, {refused} not allowed; {len(dangerous)} that may surprise"
    if refused:
        yield 'Undo the change, or name its element in CHANGELOG.md under "Unreleased", "Breaking".'
        yield "The rules are in docs/deprecation.md."


def without_descriptions(sdl: str) -> str:
    """Return a printed schema without its descriptions: no comparison reads them."""
    return DESCRIPTION.sub("", sdl)


def _version(text: str) -> Version:
    major, minor, patch = (int(part) for part in text.split("."))
    return major, minor, patch


def main(argv: Sequence[str] | None = None) -> int:
    """Print the comparison, and return the exit code."""
    parser = argparse.ArgumentParser("scripts/compatibility", description=__doc__)
    parser.add_argument(
        "--release", action="store_true", help="add the present schema, without descriptions, to docs/releases"
    )
    if parser.parse_args(argv).release:
        version = ".".join(map(str, present_version()))
        (RELEASES / f"schema-{version}.graphql").write_text(without_descriptions(SCHEMA.read_text()))
        return 0
    released, schema = last_release(), build_schema(SCHEMA.read_text())
    judged = breaks(released, schema, CHANGELOG.read_text(), present_version())
    for line in report(released, schema, judged):
        print(line)
    return 1 if any(not each.is_allowed for each in judged) else 0


if __name__ == "__main__":
    sys.exit(main())
