"""Parameters of routes in the body or the query: one declaration for parsing and for the OpenAPI description."""

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
    """A type of values: its JSON Schema, and a parser that raises ValueError with the requirement.

    With `many`, the parser gets all values of a name, which a form may repeat; else a second value is refused.
    """

    schema: Mapping[str, Any]
    read: Callable[[Any], Any]
    many: bool = False


@dataclass(frozen=True, slots=True)
class Field:
    """A parameter. Its name matches in any letter case.

    `in_empty_form` is the text that an empty form of DroneDB's own clients stands for. `input_fields` are
    the fields of the GraphQL input that it stands for, which the services name in their problems.
    """

    name: str
    kind: Kind
    about: str
    required: bool = False
    in_empty_form: str | None = None
    input_fields: tuple[str, ...] = ()


MAX_TEXTS = 1_000
"""Most texts in a list."""


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError("must be text")
    return value


_WORDS = {"true": True, "1": True, "on": True, "false": False, "0": False}


def _flag(value: Any) -> bool:
    flag = value if isinstance(value, bool) else _WORDS.get(value.lower()) if isinstance(value, str) else None
    if flag is None:
        raise ValueError("must be true or false")
    return flag


def _texts(values: list[Any]) -> list[str]:
    """Return a list; a form repeats the name, or has it once with a JSON list."""
    texts = values[0] if len(values) == 1 else values
    if isinstance(texts, str):
        texts = _parse_list(texts)
    if isinstance(texts, list) and len(texts) > MAX_TEXTS:
        raise ValueError(f"must be a list of at most {MAX_TEXTS:,} texts")
    if not isinstance(texts, list) or not all(isinstance(value, str) for value in texts):
        raise ValueError("must be a list of texts")
    return texts


def _parse_list(text: str) -> Any:
    if not text.startswith("["):
        return [text]
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return None


def text(**limits: str | int) -> Kind:
    """Return a text type with JSON Schema limits, which are for the description only: the services check them."""
    return Kind({"type": "string", **limits}, _text)


TEXT = text()
PASSWORD = text(maxLength=PASSWORD_CHARACTERS)
NEW_PASSWORD = text(maxLength=PASSWORD_CHARACTERS)
"""Its minimum length is a setting."""
USER_NAME = text(pattern=f"^{validation.USER_NAME.pattern}$")
ROLE_NAME = text(pattern="^[^/]+$", maxLength=validation.MAX_ROLE_NAME)
SLUG = text(pattern=f"^{validation.SLUG.pattern}$")
TITLE = text(maxLength=validation.MAX_TITLE)
DESCRIPTION = text(maxLength=validation.MAX_DESCRIPTION)
EMAIL = text(maxLength=validation.MAX_EMAIL)
FLAG = Kind({"type": "boolean"}, _flag)
TEXTS = Kind({"type": "array", "items": {"type": "string"}, "maxItems": MAX_TEXTS}, _texts, many=True)


def choice(*names: str, by_name: bool = False) -> Kind:
    """Return a type of choices, sent as the number from 0 or as the name in any letter case, parsed to the number.

    The description has one of both, numbers or names, since generated clients cope badly with a union of types.
    """
    numbers = {name.lower(): number for number, name in enumerate(names)}
    numbers |= {str(number): number for number in range(len(names))}
    choices = ", ".join(f"{number} ({name})" for number, name in enumerate(names))

    def read(value: Any) -> int:
        text = str(value).lower() if isinstance(value, str | int) and not isinstance(value, bool) else ""
        if text not in numbers:
            raise ValueError(f"must be one of {choices}")
        return numbers[text]

    if by_name:
        return Kind({"type": "string", "enum": list(names)}, read)
    return Kind({"type": "integer", "enum": list(range(len(names)))}, read)


def fill_empty_form(declared: Sequence[Field], sent: Fields) -> Fields:
    """Return what an empty form of DroneDB's own clients stands for, and any other body unchanged."""
    if not sent.is_form or sent.values:
        return sent
    return Fields({each.name.lower(): [each.in_empty_form] for each in declared if each.in_empty_form is not None})


def bind(declared: Sequence[Field], sent: Fields) -> dict[str, Any]:
    """Return the parsed values by their declared names. What is absent or null is missing.

    Raises Problems with every value that is missing or invalid.
    """
    values: dict[str, Any] = {}
    problems: list[Problem] = []
    for field in declared:
        try:
            values.update(_bind_field(field, sent))
        except ValueError as error:
            problems.append(InvalidInput(f"`{field.name}` {error}.", (field.name,)))
    validation.raise_problems(problems)
    return values


def _bind_field(field: Field, sent: Fields) -> Iterator[tuple[str, Any]]:
    values = sent.values.get(field.name.lower(), [])
    if field.required and values in ([], [None], [""]):
        raise ValueError("is missing")
    if values in ([], [None]):
        return
    if field.kind.many:
        if sent.is_json and not isinstance(values[0], list):  # a text alone is a list in a form, not in JSON
            raise ValueError("must be a list of texts")
        yield field.name, field.kind.read(values)
    elif len(values) > 1:
        raise ValueError("is sent more than once")
    else:
        yield field.name, field.kind.read(values[0])
