"""Documents as files: YAML for people, and JSON Lines with one object a line for big registries."""

import re
from collections.abc import Callable, Iterable, Iterator
from enum import StrEnum
from pathlib import Path
from typing import IO, Any

import orjson
import yaml  # type: ignore[import-untyped]  # PyYAML has no types

from app.services.state.model import SECTIONS, VERSION, Doc, Fault, Location, Reader

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


def format_of(path: Path) -> Format | None:
    """Return the format that the name of a file says, None for another name."""
    return SUFFIXES.get(path.suffix.lower())


class _Loader(yaml.CSafeLoader):  # type: ignore[misc]  # PyYAML has no types
    """A loader of YAML 1.2 scalars: `no` and `on` are texts, and so are dates and sexagesimal numbers."""

    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012 - the attribute of PyYAML


def _resolve(tag: str, pattern: str, first: str) -> None:
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{tag}", re.compile(f"(?:{pattern})$"), list(first))


_resolve("bool", "true|false|True|False|TRUE|FALSE", "tfTF")
_resolve("null", "~|null|Null|NULL", "~nN")
_resolve("int", "[-+]?(?:0|[1-9][0-9]*)", "-+0123456789")
_resolve("float", r"[-+]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]+)?", "-+.0123456789")
_SCALARS: dict[str, Callable[[str], Any]] = {
    "tag:yaml.org,2002:bool": lambda text: text.lower() == "true",
    "tag:yaml.org,2002:null": lambda _: None,
    "tag:yaml.org,2002:int": int,
    "tag:yaml.org,2002:float": float,
    "tag:yaml.org,2002:str": str,
}


class Located(dict[str, Any]):
    """An object with the number of its line."""

    line: int


class _Unreadable(ValueError):
    """A file is no valid YAML or JSON."""


def _build(node: Any) -> Any:
    """Return the value of a YAML node."""
    if isinstance(node, yaml.ScalarNode):
        if (read := _SCALARS.get(node.tag)) is None:
            if node.tag == "tag:yaml.org,2002:value":
                return node.value
            raise _Unreadable(f"line {node.start_mark.line + 1}: the tag {node.tag} is not supported.")
        # A plain empty scalar is null in YAML; the loader resolves it as a text.
        return None if node.value == "" and not node.style else read(node.value)
    if isinstance(node, yaml.SequenceNode):
        return [_build(each) for each in node.value]
    built = Located()
    built.line = node.start_mark.line + 1
    for key_node, value_node in node.value:
        key = key_node.value if isinstance(key_node, yaml.ScalarNode) else None
        line = key_node.start_mark.line + 1
        if key is None:
            raise _Unreadable(f"line {line}: a name must be a text.")
        if key in built:
            raise _Unreadable(f"line {line}: `{key}` is listed twice. Remove one of them.")
        built[key] = _build(value_node)
    return built


def read(file: IO[bytes], form: Format) -> Reader:
    """Read a document; the reader has its items and its faults."""
    reader = Reader()
    try:
        (_read_yaml if form is Format.YAML else _read_lines)(reader, file)
    except yaml.MarkedYAMLError as error:
        line = None if error.problem_mark is None else error.problem_mark.line + 1
        reader.faults.append(Fault(f"This is not YAML: {error.problem}.", Location("", line)))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        reader.faults.append(Fault(f"This is not YAML: {str(error).splitlines()[0]}.", Location("")))
    except _Unreadable as error:
        reader.faults.append(Fault(str(error), Location("")))
    except RecursionError:
        reader.faults.append(Fault("The document has too many levels.", Location("")))
    return reader


def _read_yaml(reader: Reader, file: IO[bytes]) -> None:
    loader = _Loader(file)
    try:
        node = loader.get_single_node()
    finally:
        loader.dispose()
    document = None if node is None else _build(node)
    if not isinstance(document, dict):
        names = ", ".join(SECTIONS)
        reader.faults.append(Fault(f"The document must be an object with `version` and any of {names}.", Location("")))
        return
    _check_version(reader, document.pop("version", None), Location("version", getattr(document, "line", None)))
    for section, objects in document.items():
        if section not in SECTIONS:
            text = f"There is no section `{section}`. The sections are {', '.join(SECTIONS)}."
            reader.faults.append(Fault(text, Location(section)))
        elif objects is not None:
            reader.add_section(section, objects)


def _check_version(reader: Reader, version: Any, location: Location) -> None:
    if version != VERSION or isinstance(version, bool):
        reader.faults.append(Fault(f"`version: {VERSION}` is missing. This version reads no other.", location))


_SECTION_OF = {kind: section for section, kind in SECTIONS.items()}


def _read_lines(reader: Reader, file: IO[bytes]) -> None:
    counts: dict[str, int] = {}
    is_first = True
    for line, text in enumerate(file, 1):
        if not text.strip():
            continue
        try:
            value = orjson.loads(text)
        except orjson.JSONDecodeError as error:
            raise _Unreadable(f"line {line}: this is not JSON: {error}.") from None
        kind = value.pop("kind", None) if isinstance(value, dict) else None
        if is_first:
            version = value.get("version") if kind == HEADER else None
            _check_version(reader, version, Location("version", line))
            is_first = False
        elif kind not in _SECTION_OF:
            kinds = ", ".join(_SECTION_OF)
            reader.faults.append(Fault(f"`kind` must be one of {kinds}.", Location("kind", line)))
        else:
            at = counts.get(kind, 0)
            counts[kind] = at + 1
            reader.add(kind, value, Location(f"{_SECTION_OF[kind]}[{at}]", line))
    if is_first:
        _check_version(reader, None, Location("version"))


_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9_/.@-]*")
_WORDS = frozenset({"true", "false", "null", "yes", "no", "on", "off", "y", "n"})
_LONG = 0x10000


def _quote(text: str) -> str:
    """Return a text as a scalar: plain where every YAML parser reads the same, else in double quotes."""
    if _PLAIN.fullmatch(text) and text.lower() not in _WORDS:
        return text
    return f'"{"".join(map(_escape, text))}"'


def _escape(character: str) -> str:
    if character in '"\\':
        return f"\\{character}"
    if character == "\n":
        return "\\n"
    if character == "\t":
        return "\\t"
    if character.isprintable():
        return character
    code = ord(character)
    return f"\\u{code:04x}" if code < _LONG else f"\\U{code:08x}"


def _flow(value: Any) -> str:
    """Return a value in one line."""
    if isinstance(value, str):
        return _quote(value)
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_quote(key)}: {_flow(each)}" for key, each in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_flow, value)) + "]"
    if isinstance(value, float):
        text = repr(value)  # YAML 1.1 reads a number without a point as a text
        return text.replace("e", ".0e") if "e" in text and "." not in text else text
    return orjson.dumps(value).decode()


_BLOCKS = frozenset({"members", "grants", "groups", "users"})
"""Fields whose parts have a line each."""


def _block(value: Doc, indent: str) -> Iterator[str]:
    """Yield the lines of an object."""
    for name, each in value.items():
        if name not in _BLOCKS or not each:
            yield f"{indent}{name}: {_flow(each)}"
        elif isinstance(each, dict):
            yield f"{indent}{name}:"
            yield from _block(each, f"{indent}  ")
        else:
            yield f"{indent}{name}:"
            yield from (f"{indent}  - {_flow(entry)}" for entry in each)


class Writer:
    """Writes a document object by object."""

    def __init__(self, file: IO[str], form: Format) -> None:
        self._file, self._form, self._section = file, form, ""
        if form is Format.YAML:
            file.write(f"version: {VERSION}\n")
        else:
            self._write_line({"kind": HEADER, "version": VERSION})

    def write(self, kind: str, objects: Iterable[Doc]) -> None:
        """Write some objects of a kind. All objects of one kind come one after the other."""
        for each in objects:
            if self._form is Format.JSONL:
                self._write_line({"kind": kind, **each})
                continue
            if self._section != kind:
                self._section = kind
                self._file.write(f"{_SECTION_OF[kind]}:\n")
            first, *rest = _block(each, "    ")
            self._file.write("\n".join([f"  - {first[4:]}", *rest, ""]))

    def _write_line(self, value: Doc) -> None:
        self._file.write(orjson.dumps(value).decode() + "\n")
