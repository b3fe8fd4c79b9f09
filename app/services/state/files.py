"""Documents as files: YAML for people, and JSON Lines with one object a line for big registries."""

import json
import re
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import IO, Any

import orjson
import yaml  # type: ignore[import-untyped]  # PyYAML has no types

from app.services.state.model import SECTIONS, VERSION, Doc, Fault, Location, Reader
from app.services.state.yaml_text import flow

Progress = Callable[[str, int], None]
"""Called with the kind of the objects and the number that is done."""


class Format(StrEnum):
    """The two forms of a document."""

    YAML = "yaml"
    JSONL = "jsonl"


SUFFIXES = {
    ".yaml": Format.YAML,
    ".yml": Format.YAML,
    ".json": Format.YAML,
    ".jsonl": Format.JSONL,
    ".ndjson": Format.JSONL,
}
"""Formats by the end of a file's name. JSON is YAML."""

HEADER = "registry"
"""The kind of the first line of JSON Lines, which has the version."""

HAS_END, END = "hasEnd", "end"
"""Names at the beginning and at the end of an export. A document that has the first alone was cut off in a pipe: it
looks like a smaller registry, and `--prune` would remove the rest."""


def format_of(path: Path) -> Format | None:
    """Return the format that the name of a file says, None for another name."""
    return SUFFIXES.get(path.suffix.lower())


_MAX_LEVELS = 300
"""Levels of a YAML document: those of metadata, and of what is around it."""

_TOP_LEVEL = 2
"""The level of the values of a document."""

_MAX_ALIASED = 100_000
"""Values for which all aliases of a YAML document stand: few lines of aliases may stand for billions."""

_SCALARS: dict[str, Callable[[str], Any]] = {
    "bool": lambda text: text.lower() == "true",
    "null": lambda _: None,
    "int": int,
    "float": float,
    "str": str,
}
_TAG = "tag:yaml.org,2002:"
_PLAIN_SCALARS = (
    ("null", re.compile("|~|null|Null|NULL")),
    ("bool", re.compile("true|false|True|False|TRUE|FALSE")),
    ("int", re.compile("[-+]?(?:0|[1-9][0-9]*)")),
    ("float", re.compile(r"[-+]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]+)?")),
)
"""The scalars of YAML 1.2 that are no texts: `no` and `on` are texts, and so are dates and sexagesimal numbers."""

_NO_TEXT_BEGINS = frozenset("~nNtTfF-+.0123456789")


class Located(dict[str, Any]):
    """An object with the number of its line. The one of a whole document has also the lines of its names."""

    line: int
    lines: dict[str, int]


class _Unreadable(ValueError):
    """A file is no valid YAML or JSON."""


class _Composer:
    """Builds the value of a YAML document from its events.

    The composer of PyYAML recurses without a limit: a deep document ends the process.
    """

    def __init__(self, file: IO[bytes], progress: Progress) -> None:
        self._events, self._progress = yaml.parse(file, yaml.CBaseLoader), progress
        self._anchors: dict[str, tuple[Any, int] | None] = {}
        self._built = self._aliased = 0
        self.line: int | None = None

    def document(self) -> Any:
        """Return the only document, None for an empty file. Raises _Unreadable and the errors of PyYAML."""
        next(self._events)
        if isinstance(next(self._events), yaml.StreamEndEvent):
            return None
        first = next(self._events)
        self.line = first.start_mark.line + 1
        value = self._value(first, 1)
        next(self._events)
        if not isinstance(event := next(self._events), yaml.StreamEndEvent):
            raise _unreadable(event, "a file has one document, and here another one begins.")
        return value

    def _value(self, event: Any, level: int) -> Any:
        if isinstance(event, yaml.AliasEvent):
            return self._alias(event)
        first, self._built = self._built, self._built + 1
        if event.anchor is not None:
            self._anchors[event.anchor] = None
        if isinstance(event, yaml.ScalarEvent):
            value = _scalar(event)
        else:
            if level > _MAX_LEVELS:
                raise _unreadable(event, "the document has too many levels.")
            if event.tag not in {None, "!", f"{_TAG}map", f"{_TAG}seq"}:
                raise _unreadable(event, f"the tag {event.tag} is not supported.")
            value = (self._list if isinstance(event, yaml.SequenceStartEvent) else self._object)(event, level + 1)
        if event.anchor is not None:
            self._anchors[event.anchor] = value, self._built - first
        return value

    def _list(self, _: Any, level: int) -> list[Any]:
        values = []
        while not isinstance(event := next(self._events), yaml.SequenceEndEvent):
            values.append(self._value(event, level))
        return values

    def _object(self, start: Any, level: int) -> Located:
        values = Located()
        values.line = start.start_mark.line + 1
        if level == _TOP_LEVEL:
            values.lines = {}
        self._progress("read lines", values.line)
        while not isinstance(event := next(self._events), yaml.MappingEndEvent):
            if not isinstance(event, yaml.ScalarEvent):
                raise _unreadable(event, "a name must be a text.")
            name = event.value
            if name in values:
                raise _unreadable(event, f"`{name}` is listed twice. Remove one of them.")
            if level == _TOP_LEVEL:
                values.lines[name] = event.start_mark.line + 1
            values[name] = self._value(next(self._events), level)
        return values

    def _alias(self, event: Any) -> Any:
        anchored = self._anchors.get(event.anchor)
        if anchored is None:
            reason = "is inside of its own anchor" if event.anchor in self._anchors else "has no anchor before it"
            raise _unreadable(event, f"the alias `{event.anchor}` {reason}.")
        value, size = anchored
        self._built, self._aliased = self._built + size, self._aliased + size
        if self._aliased > _MAX_ALIASED:
            raise _unreadable(event, f"the aliases stand for more than {_MAX_ALIASED:,} values.")
        return value


def _scalar(event: Any) -> Any:
    text = str(event.value)
    plain, quoted = event.implicit
    kind = "str"
    if plain:
        if not text or text[0] in _NO_TEXT_BEGINS:
            kind = next((name for name, pattern in _PLAIN_SCALARS if pattern.fullmatch(text)), "str")
    elif not quoted and event.tag != "!":
        kind = event.tag.removeprefix(_TAG)
        if kind not in _SCALARS:
            raise _unreadable(event, f"the tag {event.tag} is not supported.")
    try:
        return _SCALARS[kind](text)
    except ValueError:  # Python reads no number of thousands of digits
        raise _unreadable(event, f"`{text[:20]}` is no number that can be read.") from None


def _unreadable(event: Any, reason: str) -> _Unreadable:
    return _Unreadable(f"line {event.start_mark.line + 1}: {reason}")


def silent(_: str, __: int) -> None:
    """Show no progress."""


def read(
    file: IO[bytes],
    form: Format,
    reader: Reader | None = None,
    progress: Progress = silent,
    *,
    must_have_end: bool = False,
) -> Reader:
    """Read a document, into a reader that may have others; the reader has its items and its faults.

    With `must_have_end`, a document without `hasEnd` is a fault too.
    """
    reader = reader or Reader()
    try:
        has_end, end = (_read_yaml if form is Format.YAML else _read_lines)(reader, file, progress)
        _check_end(reader, has_end, end, is_required=must_have_end)
    except yaml.MarkedYAMLError as error:
        line = None if error.problem_mark is None else error.problem_mark.line + 1
        reader.faults.append(Fault(f"This is not YAML: {error.problem}.", Location("", line)))
    except yaml.reader.ReaderError as error:
        reader.faults.append(Fault(_explain_unreadable(error), Location("")))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        reader.faults.append(Fault(f"This is not YAML: {str(error).splitlines()[0]}.", Location("")))
    except _Unreadable as error:
        reader.faults.append(Fault(str(error), Location("")))
    return reader


def _explain_unreadable(error: Any) -> str:
    """Return a text about bytes that are no text, or about a character that YAML does not allow."""
    if "octet" in error.reason:  # of UTF-8
        return f"This is no text in UTF-8, near byte {error.position:,}. Save the file as UTF-8."
    return f"This is not YAML: {error.reason}, at character {error.position + 1:,}."


def _read_yaml(reader: Reader, file: IO[bytes], progress: Progress) -> tuple[Any, Any]:
    """Read a document, and return its values of `hasEnd` and `end`."""
    composer = _Composer(file, progress)
    document = composer.document()
    if not isinstance(document, Located):
        names = ", ".join(SECTIONS)
        text = f"The document must be an object with `version` and any of {names}."
        reader.faults.append(Fault(text, Location("", composer.line)))
        return None, None
    version = document.pop("version", None)
    _check_version(reader, version, Location("version", document.lines.get("version", document.line)))
    has_end, end = document.pop(HAS_END, None), document.pop(END, None)
    for section, objects in document.items():
        line = document.lines[section]
        if section not in SECTIONS:
            text = f"There is no section `{section}`. The sections are {', '.join(SECTIONS)}."
            reader.faults.append(Fault(text, Location(section, line)))
        elif objects is not None:
            reader.add_section(section, objects, line)
    return has_end, end


def _check_version(reader: Reader, version: Any, location: Location) -> None:
    if version != VERSION or isinstance(version, bool):
        text = f"`version` must be {VERSION}, not {flow(version)[:_MAX_SHOWN]}."
        if version is None:
            text = f"`version: {VERSION}` is missing. This version reads no other."
        reader.faults.append(Fault(text, location))


def _check_end(reader: Reader, has_end: Any, end: Any, *, is_required: bool) -> None:
    if has_end and not end:
        text = "The document was cut off: it begins with `hasEnd`, and has no `end`. Export it again."
        reader.faults.append(Fault(text, Location(HAS_END)))
    elif is_required and not end and not reader.faults:
        text = (
            "With --prune, a document from a pipe must begin with `hasEnd` and have an `end`, as an export has them:"
            " what is cut off would be removed. Add them, or read a file."
        )
        reader.faults.append(Fault(text, Location(HAS_END)))


_MAX_SHOWN = 40
"""Characters of a wrong version that a fault repeats."""

SECTION_OF = {kind: section for section, kind in SECTIONS.items()}
"""The section of each kind."""


def _read_lines(reader: Reader, file: IO[bytes], progress: Progress) -> tuple[Any, Any]:
    """Read the lines of a document, and return the value of `hasEnd` and whether a line `end` is there."""
    counts: dict[str, int] = {}
    header: Doc | None = None
    has_ended = False
    for line, text in enumerate(file, 1):
        if not text.strip():
            continue
        progress("read lines", line)
        value = _read_line(text.removeprefix(b"\xef\xbb\xbf") if line == 1 else text, line)
        kind = value.pop("kind", None) if isinstance(value, dict) else None
        if header is None:
            header = value if kind == HEADER else {}
            _check_version(reader, header.get("version"), Location("version", line))
        elif kind == END:
            has_ended = True
        elif not isinstance(kind, str) or kind not in SECTION_OF:
            kinds = ", ".join(SECTION_OF)
            reader.faults.append(Fault(f"`kind` must be one of {kinds}.", Location("kind", line)))
        else:
            at = counts.get(kind, 0)
            counts[kind] = at + 1
            reader.add(kind, value, Location(f"{SECTION_OF[kind]}[{at}]", line))
    if header is None:
        _check_version(reader, None, Location("version"))
        return None, None
    return header.get(HAS_END), has_ended


def _read_line(text: bytes, line: int) -> Any:
    try:
        return parse_json(text)
    except ValueError as error:
        raise _Unreadable(f"line {line}: {error}.") from None


def parse_json(text: bytes) -> Any:
    """Return the value of a JSON text. Raises ValueError.

    The strict parser refuses what is no JSON; the other one sees repeated names.
    """
    try:
        orjson.loads(text)
        return json.loads(text, object_pairs_hook=_unique_names)
    except orjson.JSONDecodeError as error:
        raise ValueError(f"this is not JSON: {error}") from None
    except RecursionError:
        raise ValueError("the object has too many levels") from None


def _unique_names(pairs: list[tuple[str, Any]]) -> Doc:
    values = dict(pairs)
    if len(values) < len(pairs):
        name = next(name for at, (name, _) in enumerate(pairs) if name in dict(pairs[:at]))
        raise ValueError(f"`{name}` is listed twice. Remove one of them")
    return values
