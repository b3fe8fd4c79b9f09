"""Find the words that the language rules ban: python -m tests.rules.words [paths]

Without paths it reads the package, the console, the schema, both READMEs, the changelog and the docs.
Each line of its output is `path:line: word — rule, suggestion`. The exit code is 1 when it prints one.
"""

import argparse
import ast
import io
import re
import sys
import tokenize
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import graphql

from tests.rules import markdown
from tests.support import sources

HOME = Path(__file__).parents[2]
DEFAULT_PATHS = ("app", "schema.graphql", "README.md", "CHANGELOG.md", "docs")
SUFFIXES = {".py", ".graphql", ".md", ".js", ".ts", ".tsx", ".css", ".html"}
CONSOLE_WORDS = re.compile(r"(?:^|/)(?:words|\w+Words)\.ts$")
"""The files of the console with its English texts."""

SKIPPED = ("docs/releases/", "tests/rules/words.py", "tests/rules/test_words.py")
"""Texts that stay as they were released, and the files that have the words themselves."""

OLD_NAMES = ("CHANGELOG.md", "docs/decisions/", "docs/deprecation.md", "docs/glossary.md")
"""Texts that may name in inline code what an earlier version had."""

EXCEPTIONS: dict[str, tuple[str, str]] = {
    "face": ("app/db/tables/records.py", "the name of a SQL column"),
    "her": ("app/db/migrations/versions/0001_users_and_roles.py", "a migration stores this text"),
}
"""Words that one file may use: `{word: (path, reason)}`, for texts of the demo and REST wire names."""

MAX_EXCEPTIONS = 10
MAX_SENTENCE_WORDS = 32
QUOTED_WORDS = 6
"""Words of a long sentence that the output quotes, so that the writer finds it."""

PROSE = re.compile(
    r"\b(she|hers?|herself|he|him|his|whoever|whomever|anew|hangs?\s+on|stands?\s+(?:in|against)|goes\s+before"
    r"|dear(?:er|est)?|stock)\b",
    re.IGNORECASE,
)
PROSE_SUGGESTIONS = {
    "she": "the user, they",
    "he": "the user, they",
    "her": "their, them, the user's",
    "his": "their, the user's",
    "him": "them, the user",
    "hers": "theirs, the user's",
    "herself": "the user, themselves",
    "whoever": "a user who, each user",
    "whomever": "a user whom, each user",
    "anew": "again",
    "hang": "depend on",
    "stand": "be in, conflict with",
    "goes": "come before, take precedence over",
    "dear": "expensive, slow",
    "stock": "reference",
}

NAMES = {
    "found": "row, rows, user, match",
    "given": "value, argument, input",
    "made": "created, generated",
    "told": "reported, recorded",
    "held": "roles, permissions",
    "kept": "stored, cached",
    "asked": "requested, query",
    "known": "cached, existing, authenticate_cached",
    "wrong": "problem, error, invalid",
    "shown": "visible, selected, fields",
    "sought": "key, normalize_key",
    "whole": "all, complete, BufferedResponse",
    "front": "router, FastRouter",
    "heads": "headers",
    "desk": "AppContext, context",
    "house": "AppContext",
    "lane": "AdmissionQueue, queue",
    "patience": "SlowReadPool, timeout",
    "walk": "IndexScan, scan",
    "cell": "FieldSpec, field",
    "face": "api, channel",
    "way": "RowRef, path",
    "of": "sql, table, for_database, changes_of",
}
DOCSTRING_STARTS = {"what", "who", "whose", "whom", "whether", "how", "where", "why", "when"}
FIRST_WORD = re.compile(r"\W*(\w+)")
CLASS_SCOPE = {"self", "cls"}


@dataclass(frozen=True, order=True)
class Finding:
    """One place that breaks a rule."""

    path: str
    line: int
    word: str
    rule: str
    suggestion: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.word} — {self.rule}, {self.suggestion}"


Part = tuple[int, str]
"""A text with the line where it begins."""


def findings(paths: Iterable[Path] | None = None) -> list[Finding]:
    """Return all places in these files and folders that break a rule, sorted."""
    chosen = paths or [HOME / path for path in DEFAULT_PATHS]
    files = {file for path in chosen for file in _files(path)}
    return sorted({each for file in files for each in check_file(file) if not _is_excepted(each)})


def check_file(file: Path) -> Iterator[Finding]:
    """Return the findings of one file, the excepted ones included."""
    path = _name(file)
    yield from check_text(path, file.read_text(encoding="utf-8"))


def check_text(path: str, text: str) -> Iterator[Finding]:
    """Return the findings of a text, read as the suffix of its path says."""
    if path.endswith(".py"):
        yield from _python(path, text)
    elif path.endswith(".graphql"):
        yield from _prose(path, [(1, text)])
        yield from _identifiers(path, _schema_names(text))
    elif path.endswith(".md"):
        yield from _markdown(path, text)
    else:
        yield from _prose(path, [(1, text)])
        if path.endswith((".ts", ".tsx")):
            yield from _identifiers(path, _typescript_names(text))
        if CONSOLE_WORDS.search(path):
            yield from _console_sentences(path, text)


def _files(path: Path) -> Iterator[Path]:
    if not path.exists():
        raise FileNotFoundError(path)
    inside = sources.files(path) if path.is_dir() else [path]
    for file in inside:
        if file.suffix in SUFFIXES and not _name(file).startswith(SKIPPED):
            yield file


def _name(file: Path) -> str:
    file = file.resolve()
    return (file.relative_to(HOME) if file.is_relative_to(HOME) else file).as_posix()


def _is_excepted(each: Finding) -> bool:
    return EXCEPTIONS.get(each.word.lower(), ("",))[0] == each.path


def _python(path: str, text: str) -> Iterator[Finding]:
    tree = ast.parse(text)
    yield from _identifiers(path, [(1, Path(path).stem), *_python_names(tree)])
    yield from _docstring_starts(path, tree)
    yield from _prose(path, _strings(tree))
    if PROSE.search(text):  # else no comment can match, and to find the comments is slow
        yield from _prose(path, _comments(text))


def _strings(tree: ast.AST) -> Iterator[Part]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.lineno, node.value


def _comments(text: str) -> Iterator[Part]:
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string


def _prose(path: str, parts: Iterable[Part]) -> Iterator[Finding]:
    for line, text in parts:
        for match in PROSE.finditer(text):
            word = " ".join(match[0].split())
            at = line + text.count("\n", 0, match.start())
            yield Finding(path, at, word, "banned in prose", f"say: {_prose_suggestion(word.lower())}")


def _prose_suggestion(word: str) -> str:
    exact = PROSE_SUGGESTIONS.get(word)
    return exact or next(text for start, text in PROSE_SUGGESTIONS.items() if word.startswith(start) and len(start) > 3)


def _docstring_starts(path: str, tree: ast.AST) -> Iterator[Finding]:
    """Read every string that is a statement: docstrings of modules, classes and functions, and of the names above."""
    for node in ast.walk(tree):
        if not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)):
            continue
        match = FIRST_WORD.match(node.value.value) if isinstance(node.value.value, str) else None
        if match and match[1].lower() in DOCSTRING_STARTS:
            yield Finding(
                path, node.lineno, match[1], "first word of a docstring", "begin with a verb or a noun phrase"
            )


def _identifiers(path: str, names: Iterable[Part]) -> Iterator[Finding]:
    for line, name in names:
        suggestion = NAMES.get(name.strip("_").lower())
        if suggestion:
            yield Finding(path, line, name, "says nothing as a name", f"name it by what it is: {suggestion}")


def _python_names(tree: ast.AST) -> Iterator[Part]:
    """Return what a module defines: functions, classes, parameters, attributes, variables and import aliases."""
    for node in ast.walk(tree):
        for name in _defined(node):
            yield getattr(node, "lineno", 1), name


def _defined(node: ast.AST) -> list[str]:
    names: list[str | None] = []
    match node:
        case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef() | ast.ExceptHandler():
            names = [node.name]
        case ast.MatchAs() | ast.MatchStar():
            names = [node.name]
        case ast.MatchMapping():
            names = [node.rest]
        case ast.arg():
            names = [node.arg]
        case ast.alias():
            names = [node.asname]
        case ast.Name(ctx=ast.Store()):
            names = [node.id]
        case ast.Attribute(ctx=ast.Store(), value=ast.Name(id=owner)) if owner in CLASS_SCOPE:
            names = [node.attr]
    return [name for name in names if name]


_DECLARED = re.compile(r"\b(?:const|let|function|class|interface|type)\s+(?:\[\s*)?(\w+)")


def _typescript_names(text: str) -> Iterator[Part]:
    """Return the names of functions, types and variables, without those that a pattern takes out of an object."""
    for match in _DECLARED.finditer(text):
        yield 1 + text.count("\n", 0, match.start()), match[1]


def _schema_names(text: str) -> Iterator[Part]:
    """Return every name that a schema defines: types, fields, arguments, values and directives."""
    source = graphql.parse(text)
    waiting: list[graphql.Node] = list(source.definitions)
    while waiting:
        node = waiting.pop()
        name = getattr(node, "name", None)
        if name is not None and name.loc:
            yield name.loc.start_token.line, name.value
        for key in ("fields", "arguments", "values"):
            waiting += [each for each in getattr(node, key, None) or () if type(each).__name__.endswith("Node")]


def _markdown(path: str, text: str) -> Iterator[Finding]:
    prose = markdown.without_addresses(markdown.without_code(text) if path.startswith(OLD_NAMES) else text)
    yield from _prose(path, [(1, prose)])
    for sentence in markdown.sentences(text):
        if len(sentence.words) > MAX_SENTENCE_WORDS:
            yield _too_long(path, sentence.line, sentence.words)


def _too_long(path: str, line: int, words: Sequence[str]) -> Finding:
    begin = " ".join(words[:QUOTED_WORDS])
    rule = f"sentence of more than {MAX_SENTENCE_WORDS} words"
    return Finding(path, line, f"{len(words)} words", rule, f'split it: "{begin} …"')


_CONSOLE_TEXT = re.compile(r"'((?:[^'\\\n]|\\.)*)'|`([^`]*)`")
_PLACEHOLDER = re.compile(r"\$\{[^}]*\}")
_SENTENCE_END = re.compile(r"(?<=[.:?!])\s+")


def _console_sentences(path: str, text: str) -> Iterator[Finding]:
    """Return the sentences of the console that are too long; a placeholder counts as one word."""
    for match in _CONSOLE_TEXT.finditer(text):
        line = 1 + text.count("\n", 0, match.start())
        for sentence in _SENTENCE_END.split(_PLACEHOLDER.sub("…", match[1] or match[2] or "")):
            words = sentence.split()
            if len(words) > MAX_SENTENCE_WORDS:
                yield _too_long(path, line, words)


def _folder(path: str) -> str:
    return Path(path).parent.as_posix()


def main(argv: Sequence[str] | None = None) -> int:
    """Print the findings with their number for each folder, and return the exit code."""
    parser = argparse.ArgumentParser("python -m tests.rules.words", description=__doc__)
    parser.add_argument("paths", type=Path, nargs="*", help=f"files and folders ({' '.join(DEFAULT_PATHS)})")
    arguments = parser.parse_args(argv)
    try:
        broken = findings(arguments.paths)
    except FileNotFoundError as error:
        parser.error(f"{error} does not exist")
    for each in broken:
        print(each)
    for folder, number in sorted(Counter(_folder(each.path) for each in broken).items()):
        print(f"{number:6,}  {folder}/")
    print(f"{len(broken):6,}  in all")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
