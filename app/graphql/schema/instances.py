"""Instances of declared types for the reference executor: the columns it selects and the objects it builds."""

from collections.abc import Callable
from functools import cache
from typing import Any

from app.domain import refs
from app.query.referred_rows import reached_by
from app.query.relations import FieldSpec, Layout, Table, Via


@cache
def layout(entity: Any) -> Layout:
    """Return all columns of a type as one select list: the reference executor reads these of a row."""
    return Layout(tuple(_columns(entity, entity.__row__)))


def field_specs(entity: Any) -> dict[str, FieldSpec]:
    """Return the field specs of a type by the Python names of its fields."""
    fields = entity.__strawberry_definition__.fields
    return {field.python_name: spec for field in fields if (spec := field.metadata.get("spec")) is not None}


def _columns(entity: Any, row: Table, via: Via | None = None) -> list[tuple[str, FieldSpec, Table]]:
    specs = []
    for name, spec in _row_specs(entity):
        if spec.part:
            specs += [] if spec.guard is None else [_column(name, spec, row, via)]
            specs += _columns(field_type(entity, name), spec.joined or row, spec.via or via)
        else:
            specs.append(_column("id" if spec.identity else name, spec, row, via))
    return specs


def _column(name: str, spec: FieldSpec, row: Table, via: Via | None) -> tuple[str, FieldSpec, Table]:
    return name, spec if via is None else reached_by(via, name, spec, row), row


def _row_specs(entity: Any) -> list[tuple[str, FieldSpec]]:
    """Return the field specs that need the row."""
    return [
        (name, spec)
        for name, spec in field_specs(entity).items()
        if not any((spec.viewer_value, spec.app_value, spec.lookup, spec.service_field)) and not _is_root_page(spec)
    ]


def _is_root_page(spec: FieldSpec) -> bool:
    return spec.follow is not None and spec.follow.by is None


@cache
def field_type(entity: Any, name: str) -> Any:
    """Return the class of the value of a field, without lists and nulls."""
    definition = entity.__strawberry_definition__
    field = next(field for field in definition.fields if field.python_name == name)
    kind = field.resolve_type(type_definition=definition)
    while hasattr(kind, "of_type"):
        kind = kind.of_type
    return kind.resolve_type() if hasattr(kind, "resolve_type") else kind


def instance(entity: Any, row: Any, start: int = 0) -> Any:
    """Return an instance of a type from a row laid out by `layout`; None if there is no row."""
    return None if row is None else instance_builder(entity)(row, start)[0]


@cache
def instance_builder(entity: Any) -> Callable[[Any, int], tuple[Any, int]]:
    """Return a function from (row, first column) to (instance, next column) that sets all attributes at once."""
    converters = [(name, spec, _converter(entity, name, spec)) for name, spec in _row_specs(entity)]

    def build(row: Any, index: int) -> tuple[Any, int]:
        new = object.__new__(entity)
        attributes = new.__dict__
        for name, _, read in converters:
            if isinstance(read, _Part):
                attributes[name], index = read.build(row, index)
                continue
            value = row[index]
            attributes[name] = value if read is None or value is None else read(value)
            index += 1
        return new, index

    return build


class _Part:
    """A field that is an object of the same row. With a guard, the column before it is null if the object is absent."""

    def __init__(self, entity: Any, *, has_guard: bool) -> None:
        self._build = instance_builder(entity)
        self._has_guard = has_guard
        self._width = len(layout(entity).fields) + has_guard

    def build(self, row: Any, index: int) -> tuple[Any, int]:
        """Return the object, or None, and the next column."""
        if self._has_guard and row[index] is None:
            return None, index + self._width
        return self._build(row, index + self._has_guard)


def _converter(entity: Any, name: str, spec: FieldSpec) -> Any:
    if spec.part:
        return _Part(field_type(entity, name), has_guard=spec.guard is not None)
    return refs.encoder(entity.__name__) if spec.identity else spec.read
