"""Values as YAML that every parser reads the same."""

import re
from collections.abc import Iterator
from typing import Any

import orjson

from app.services.state.model import Doc

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


def flow(value: Any) -> str:
    """Return a value in one line."""
    if isinstance(value, str):
        return _quote(value)
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_quote(key)}: {flow(each)}" for key, each in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(flow, value)) + "]"
    if isinstance(value, float):
        text = repr(value)  # YAML 1.1 reads a number without a point as a text
        return text.replace("e", ".0e") if "e" in text and "." not in text else text
    return orjson.dumps(value).decode()


_BLOCKS = frozenset({"members", "grants", "groups", "users"})
"""Fields whose parts have a line each."""


def block(value: Doc, indent: str) -> Iterator[str]:
    """Yield the lines of an object."""
    for name, each in value.items():
        if name not in _BLOCKS or not each:
            yield f"{indent}{name}: {flow(each)}"
        elif isinstance(each, dict):
            yield f"{indent}{name}:"
            yield from block(each, f"{indent}  ")
        else:
            yield f"{indent}{name}:"
            yield from (f"{indent}  - {flow(entry)}" for entry in each)
