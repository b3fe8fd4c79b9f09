"""What a route is given by name, in its body or its query: declared once, to be read by and to be described by."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from app.config import PASSWORD_CHARACTERS
from app.domain.errors import InvalidInput, Problem
from app.rest.request_bodies import Fields
from app.services import validation


@dataclass(frozen=True, slots=True)
class Kind:
    """What a value may be, as JSON Schema says it, and how it is read: ValueError says what it must be.

    `many` is read from all values of a name, which come several times in a form; else a second one is refused.
    """

    schema: Mapping[str, Any]
    read: Callable[[Any], Any]
    many: bool = False


@dataclass(frozen=True, slots=True)
class Field:
    """One value by its name, which is found in any letter case."""

    name: str
    kind: Kind
    about: str
    required: bool = False


MOST_TEXTS = 1_000
"""Texts in a list."""


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError("must be text")
    return value


_WORDS = {"true": True, "1": True, "on": True, "false": False, "0": False}


def _flag(value: Any) -> bool:
    known = value if isinstance(value, bool) else _WORDS.get(value.lower()) if isinstance(value, str) else None
    if known is None:
        raise ValueError("must be true or false")
    return known


def _texts(values: list[Any]) -> list[str]:
    """A list; in a form the name several times, or once with a list in JSON."""
    whole = values[0] if len(values) == 1 else values
    if isinstance(whole, str):
        whole = _listed(whole)
    if isinstance(whole, list) and len(whole) > MOST_TEXTS:
        raise ValueError(f"must be a list of at most {MOST_TEXTS:,} texts")
    if not isinstance(whole, list) or not all(isinstance(value, str) for value in whole):
        raise ValueError("must be a list of texts")
    return whole


def _listed(text: str) -> Any:
    if not text.startswith("["):
        return [text]
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return None


def text(**limits: str | int) -> Kind:
    """Text with limits as JSON Schema says them: for who reads the description, since the services hold them."""
    return Kind({"type": "string", **limits}, _text)


TEXT = text()
PASSWORD = text(maxLength=PASSWORD_CHARACTERS)
NEW_PASSWORD = text(maxLength=PASSWORD_CHARACTERS)
"""Its least length is the operator's to say."""
USER_NAME = text(pattern=f"^{validation.USER_NAME.pattern}$")
ROLE_NAME = text(pattern="^[^/]+$", maxLength=validation.MAX_ROLE_NAME)
SLUG = text(pattern=f"^{validation.SLUG.pattern}$")
TITLE = text(maxLength=validation.MAX_TITLE)
DESCRIPTION = text(maxLength=validation.MAX_DESCRIPTION)
EMAIL = text(maxLength=validation.MAX_EMAIL)
FLAG = Kind({"type": "boolean"}, _flag)
TEXTS = Kind({"type": "array", "items": {"type": "string"}}, _texts, many=True)


def choice(*names: str) -> Kind:
    """One of some words, by its number from 0 or by its name in any letter case; read as the number."""
    numbers = {name.lower(): number for number, name in enumerate(names)}
    numbers |= {str(number): number for number in range(len(names))}
    listed = ", ".join(f"{number} ({name})" for number, name in enumerate(names))

    def read(value: Any) -> int:
        text = str(value).lower() if isinstance(value, str | int) and not isinstance(value, bool) else ""
        if text not in numbers:
            raise ValueError(f"must be one of {listed}")
        return numbers[text]

    schema = {"anyOf": [{"type": "integer", "enum": list(range(len(names)))}, {"type": "string", "enum": list(names)}]}
    return Kind(schema, read)


def bound(declared: Sequence[Field], given: Fields) -> dict[str, Any]:
    """The values that were given, by the names as declared: absent ones are missing, null is None.

    Raises Problems that name every value that is missing or of another kind.
    """
    values: dict[str, Any] = {}
    problems: list[Problem] = []
    for field in declared:
        try:
            values.update(_bound(field, given))
        except ValueError as wrong:
            problems.append(InvalidInput(f"`{field.name}` {wrong}.", (field.name,)))
    validation.raise_problems(problems)
    return values


def _bound(field: Field, given: Fields) -> Iterator[tuple[str, Any]]:
    found = given.values.get(field.name.lower(), [])
    if field.required and found in ([], [None], [""]):
        raise ValueError("is missing")
    if not found:
        return
    if found == [None]:
        yield field.name, None
    elif field.kind.many:
        yield field.name, field.kind.read(_as_list(found, given))
    elif len(found) > 1:
        raise ValueError("stands there twice")
    else:
        yield field.name, field.kind.read(found[0])


def _as_list(found: list[Any], given: Fields) -> list[Any]:
    """In JSON a text alone is no list; in a form it is the only one of its name."""
    if given.is_json and not isinstance(found[0], list):
        raise ValueError("must be a list of texts")
    return found
