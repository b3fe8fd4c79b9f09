"""Outcomes of changes: payloads without values, and their JSON form, which is stored for an idempotency key.

An outcome holds the keys of objects and plain values. So a stored outcome has the ids of what was changed, and the
repeated request selects the objects again.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from enum import Enum
from functools import cache
from typing import Any, TypeVar, cast

from strawberry.types.base import StrawberryContainer, StrawberryList, has_object_definition
from strawberry.types.enum import StrawberryEnumDefinition
from strawberry.types.lazy_type import LazyType
from strawberry.types.maybe import Some

from app.db.types import format_instant

T = TypeVar("T")

SECRET: Mapping[str, Any] = {"secret": True}
"""The metadata of a payload field with a secret: it is never stored, so a repeated request answers null."""

COUNTED_FIELDS = frozenset({"deleted_resources", "revoked_from", "orgs_transferred", "resources_transferred"})
"""The numbers of what a deletion takes along, which a form shows before the user confirms."""

TRIED_FIELDS = frozenset({"errors", "query", *COUNTED_FIELDS})
"""The fields of a payload that a change with `validateOnly` answers. `results` are answered with these of its items:"""

TRIED_ITEM_FIELDS = ("index", "errors")


def blank(kind: type[T]) -> T:
    """Return a payload with null in all fields, and no items in lists that are never null."""
    payload, definition = object.__new__(kind), cast("Any", kind)
    payload.__dict__.update(_empty_values(definition))
    return payload


def without_changes(outcome: Mapping[str, Any]) -> dict[str, Any]:
    """Return what `validateOnly` answers: errors and the numbers of a deletion, since nothing was changed."""
    reported = {name: value for name, value in outcome.items() if name in TRIED_FIELDS}
    if "results" in outcome:
        reported["results"] = [_without_change(each) for each in outcome["results"]]
    return reported


def _without_change(result: Any) -> Any:
    tried: Any = blank(type(result))
    tried.__dict__.update({name: vars(result)[name] for name in TRIED_ITEM_FIELDS})
    return tried


def pack_input(data: Any, leave_out: Iterable[str]) -> dict[str, Any]:
    """Return an input as JSON values, without the named fields."""
    return {name: _plain(value) for name, value in vars(data).items() if name not in {*leave_out}}


def pack(payload: Any, outcome: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the outcome of a payload as JSON values without secrets; None if the change was rejected."""
    if outcome.get("errors"):
        return None
    secret = _secret_fields(payload)
    return {name: _plain(value) for name, value in outcome.items() if name not in secret}


def unpack(payload: Any, stored: Mapping[str, Any]) -> dict[str, Any]:
    """Return the outcome that `pack` stored."""
    fields = {field.python_name: field for field in payload.__strawberry_definition__.fields}
    return {name: _unpack_value(fields[name], value) for name, value in stored.items() if name in fields}


def _plain(value: Any) -> Any:
    """Return a value as JSON values; raises TypeError for one that cannot be stored."""
    plain: Any = value
    match value:
        case Enum():
            plain = value.name
        case datetime():
            plain = format_instant(value)
        case Some():
            plain = [_plain(value.value)]
        case Mapping():
            plain = {name: _plain(each) for name, each in value.items()}
        case list() | tuple():
            plain = [_plain(each) for each in value]
        case _ if has_object_definition(type(value)):
            plain = {name: _plain(each) for name, each in vars(value).items() if each is not None}
        case _ if not isinstance(value, bool | int | float | str | None):
            raise TypeError(f"an outcome cannot hold a {type(value).__name__}")
    return plain


def _unpack_value(field: Any, value: Any) -> Any:
    if (spec := field.metadata.get("spec")) is not None and spec.follow is not None:
        return tuple(value) if isinstance(value, list) else value  # a key of several columns
    return _unpack(field.type, value)


def _unpack(kind: Any, value: Any) -> Any:
    """Return a value of a type from its JSON values."""
    unpacked = value
    if isinstance(kind, LazyType):
        unpacked = _unpack(kind.resolve_type(), value)
    elif isinstance(kind, StrawberryList) and value is not None:
        unpacked = [_unpack(kind.of_type, each) for each in value]
    elif isinstance(kind, StrawberryContainer):
        unpacked = _unpack(kind.of_type, value)
    elif isinstance(kind, StrawberryEnumDefinition) and value is not None:
        unpacked = kind.wrapped_cls[value]
    elif kind is datetime and value is not None:
        unpacked = datetime.fromisoformat(value)
    elif isinstance(value, dict) and has_object_definition(kind):
        unpacked = blank(kind)
        unpacked.__dict__.update(unpack(kind, value))
    return unpacked


@cache
def _secret_fields(payload: Any) -> frozenset[str]:
    return frozenset(
        field.python_name for field in payload.__strawberry_definition__.fields if field.metadata.get("secret")
    )


@cache
def _empty_values(kind: Any) -> Mapping[str, tuple[()] | None]:
    fields = kind.__strawberry_definition__.fields
    return {field.python_name: () if isinstance(field.type, StrawberryList) else None for field in fields}
