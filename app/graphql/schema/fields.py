"""Declared fields: an entity type names its table, and each of its fields is one call of this module.

`column` reads a column of the row, `edge` follows a key, `part` is an object from the same row or from a joined
table, `identity` is the global id, `lookup` finds one row, `viewer_value` is computed from the viewer. All of them
return `Any`, so that mypy and Strawberry read the annotation. A field keeps its `FieldSpec` in its metadata; no field
has a resolver.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import cache, lru_cache
from typing import Any, ClassVar, ParamSpec, TypeVar

import strawberry
from graphql import GraphQLOutputType, get_named_type
from strawberry.annotation import StrawberryAnnotation
from strawberry.types.arguments import StrawberryArgument
from strawberry.types.field import StrawberryField

from app.domain import refs
from app.domain.viewer import Viewer
from app.graphql.schema.directives import Permission, RequiresPermission
from app.query import pagination
from app.query.relations import ROOT_KEY, SHOWN, Condition, Expression, FieldSpec, Layout, Lookup, Relation, Table

P = ParamSpec("P")
R = TypeVar("R")

NODE_TYPES: dict[str, Any] = {}  # the types that implement Node, by name; each adds itself

Argument = tuple[str, Any, str]
"""Python name, type and description of an argument."""


class EntityType:
    """Base of all declared types. `row` is the table of its rows; None for a type without rows."""

    __row__: ClassVar[Table | None] = None

    def __init_subclass__(cls, row: Table | None = None, **rest: Any) -> None:
        super().__init_subclass__(**rest)
        if row is not None:
            cls.__row__ = row


class DeclaredField(StrawberryField):
    """A field that is resolved from its metadata. Strawberry copies fields, so the field itself stores nothing."""

    @property
    def is_basic_field(self) -> bool:
        """Return False, since the field needs the request's context."""
        return False


def _requirement(requires: Permission | None, unless: str | None) -> Sequence[object]:
    return () if requires is None else (RequiresPermission(permission=requires, unless=unless),)


def column(
    description: str,
    *,
    of: Expression | Any = None,
    guard: Condition | None = None,
    read: Callable[[Any], Any] | None = None,
    requires: Permission | None = None,
    unless: str | None = None,
    name: str | None = None,
) -> Any:
    """Declare a column of the row. `of` replaces the column of this name; the field is null unless `guard` holds."""
    cell = FieldSpec(of=of, guard=guard, read=read)
    return strawberry.field(
        description=description, metadata={"cell": cell}, directives=_requirement(requires, unless), name=name
    )


def identity(description: str) -> Any:
    """Declare the global id of the row."""
    return strawberry.field(description=description, metadata={"cell": FieldSpec(identity=True)})


def part(
    description: str,
    *,
    of: Table | None = None,
    guard: Condition | None = None,
    requires: Permission | None = None,
    unless: str | None = None,
) -> Any:
    """Declare an object from the same row, or from the joined table `of`. It is null unless `guard` holds."""
    cell = FieldSpec(of=None if guard is None else SHOWN, guard=guard, part=True, joined=of)
    return strawberry.field(description=description, metadata={"cell": cell}, directives=_requirement(requires, unless))


def viewer_value(description: str, of: Callable[[Viewer], Any]) -> Any:
    """Declare a value that is computed from the viewer, without a row."""
    return declared(description, FieldSpec(given=of), _viewer_value)


def own_part(description: str) -> Any:
    """Declare an object without a row, in a type without a row."""
    return declared(description, FieldSpec(part=True), _own_part)


def edge(  # noqa: PLR0913 - a declaration, all by name
    description: str,
    follow: Relation,
    key: Any = None,
    *,
    guard: Condition | None = None,
    requires: Permission | None = None,
    unless: str | None = None,
    filter: Any = None,  # noqa: A002 - the name of the argument in the API
    order: Any = None,
    narrow: Sequence[Argument] = (),
    read: Callable[[Any], Any] | None = None,
) -> Any:
    """Declare a key into a relation: the column with the key, or a function of the viewer on a type without a row.

    `read` converts the value of the column into the key. `narrow` are additional arguments, each named like a filter
    of the relation.
    """
    given_key = key if callable(key) and not hasattr(key, "property") else None
    cell = FieldSpec(of=None if given_key else key, guard=guard, read=read, follow=follow, given=given_key)
    arguments = [*_page_arguments(filter, order), *narrow] if follow.kind == "page" else ()
    resolve = {"one": _follow_one, "many": _follow_many, "page": _follow_page}[follow.kind]
    return declared(description, cell, resolve, arguments, _requirement(requires, unless))


def lookup(description: str, find: Lookup, *arguments: Argument) -> Any:
    """Declare one row, by one of several keys. It is null if the row does not exist or the viewer may not see it."""
    return declared(description, FieldSpec(find=find), _lookup, arguments)


def lookups(description: str, find: Lookup, *arguments: Argument) -> Any:
    """Declare several rows in the order of their keys, with null for each missing row."""
    return declared(description, FieldSpec(find=find), _lookup_each, arguments)


def service_field(description: str, asks: Callable[..., Any], *arguments: Argument) -> Any:
    """Declare a leaf value that a service computes, called with (database, viewer, arguments)."""
    return declared(description, FieldSpec(asks=asks), _call_service, arguments)


def computed(description: str) -> Callable[[Callable[P, R]], R]:
    """Declare a field with a resolver of its own. It does not compile, so a test limits the number of these fields."""
    wrap: Any = strawberry.field(description=description, metadata={"computed": True})
    made: Callable[[Callable[P, R]], R] = wrap
    return made


def declared(
    description: str,
    cell: FieldSpec | None,
    resolve: Callable[..., Any],
    arguments: Sequence[Argument] = (),
    directives: Sequence[object] = (),
    change: Callable[..., Any] | None = None,
) -> Any:
    """Declare a field that `resolve` returns to the reference executor, called with (parent, info, arguments, name).

    `change` runs the mutation of the field, called with (context, name, payload, arguments).
    """
    told = {"cell": cell, "resolve": resolve, "change": change}
    field = DeclaredField(description=description, metadata=told, directives=directives, default=None)
    field.init = False
    field.arguments = [_argument(*each) for each in arguments]
    return field


def special(description: str, resolve: Callable[..., Any]) -> Any:
    """Declare a field of a connection, whose parent reads it."""
    return declared(description, None, resolve)


def _argument(name: str, kind: Any, description: str) -> StrawberryArgument:
    return StrawberryArgument(
        python_name=name, graphql_name=None, type_annotation=StrawberryAnnotation(kind), description=description
    )


def _page_arguments(filter_type: Any, order_type: Any) -> list[Argument]:
    size = f"from 1 to {pagination.MAX_SIZE}"
    arguments: list[Argument] = [
        (
            "first",
            int | None,
            f"Number of items from the start, or after `after`: {size}. The default is {pagination.DEFAULT_SIZE}.",
        ),
        ("after", str | None, "Return items after this cursor. Use with `first`."),
        ("last", int | None, f"Number of items from the end, or before `before`: {size}."),
        ("before", str | None, "Return items before this cursor. Use with `last`."),
    ]
    if filter_type is not None:
        arguments.append(("filter", filter_type | None, "Return only items that match."))
    if order_type is not None:
        arguments.append(("order_by", list[order_type] | None, "Sort order. Ties are broken by id."))
    return arguments


def _viewer_value(source: Any, info: Any, kwargs: Mapping[str, Any], name: str) -> Any:
    return field_spec(info).given(info.context.viewer)  # type: ignore[misc]  # `given` made this field


def _own_part(source: Any, info: Any, kwargs: Mapping[str, Any], name: str) -> Any:
    return object.__new__(origin(output(info)))


def _key(source: Any, info: Any, cell: FieldSpec, name: str) -> Any:
    if cell.given is not None:
        return cell.given(info.context.viewer)
    return source.__dict__[name]


def _follow_one(source: Any, info: Any, kwargs: Mapping[str, Any], name: str) -> Any:
    cell = field_spec(info)
    key = _key(source, info, cell, name)
    if key is None or cell.follow is None:
        return None
    return _make_instance(
        info.context.reader.related(response_location(info), cell.follow, layout(_entity_type(info)), key),
        _entity_type(info),
    )


async def _make_instance(row: Any, face: type) -> Any:
    return instance(face, await row)


def _follow_many(source: Any, info: Any, kwargs: Mapping[str, Any], name: str) -> Any:
    cell = field_spec(info)
    key = _key(source, info, cell, name)
    if key is None or cell.follow is None:
        return None
    return _make_instances(
        info.context.reader.related(response_location(info), cell.follow, layout(_entity_type(info)), key),
        _entity_type(info),
    )


async def _make_instances(rows: Any, face: type) -> list[Any]:
    return [instance(face, row) for row in await rows]


def _follow_page(source: Any, info: Any, kwargs: Mapping[str, Any], name: str) -> Any:
    cell = field_spec(info)
    follow = cell.follow
    assert follow is not None
    key = ROOT_KEY if follow.by is None and cell.given is None else _key(source, info, cell, name)
    if key is None:
        return None
    connection = object.__new__(_entity_type(info))
    connection.__dict__["call"] = (
        response_location(info),
        follow,
        pagination.parse_page_request(follow.types, follow.default_order, pagination.fold_arguments(kwargs)),
        key,
    )
    return connection


def _lookup(source: Any, info: Any, kwargs: Mapping[str, Any], name: str) -> Any:
    find = field_spec(info).find
    assert find is not None
    return _lookup_rows(find, info, kwargs)


def _lookup_each(source: Any, info: Any, kwargs: Mapping[str, Any], name: str) -> Any:
    find = field_spec(info).find
    assert find is not None
    return [_lookup_rows(find, info, {"id": key}) for key in refs.few(kwargs["ids"])]


def _lookup_rows(find: Lookup, info: Any, kwargs: Mapping[str, Any]) -> Any:
    chosen = find.choose(kwargs)
    if chosen is None:
        return None
    way, key = chosen
    face = NODE_TYPES.get(way) or _entity_type(info)
    return _make_instance(info.context.reader.related(response_location(info), find.ways[way], layout(face), key), face)


def _call_service(source: Any, info: Any, kwargs: Mapping[str, Any], name: str) -> Any:
    asks = field_spec(info).asks
    assert asks is not None
    return asks(info.context.database, info.context.viewer, kwargs)


def response_location(info: Any) -> tuple[str, ...]:
    """Return the path of a field in the response, without list indexes. Rows of one location are read in one batch."""
    path = info.raw.path
    names = []
    while path is not None:
        if isinstance(path.key, str):
            names.append(path.key)
        path = path.prev
    return tuple(names)


def field_spec(info: Any) -> FieldSpec:
    """Return the field spec of the field that is being resolved."""
    cell: FieldSpec = info.field.metadata["cell"]
    return cell


def output(info: Any) -> GraphQLOutputType:
    """Return the GraphQL type of the field that is being resolved."""
    kind: GraphQLOutputType = info.raw.return_type
    return kind


def _entity_type(info: Any) -> Any:
    return origin(output(info))


@lru_cache(maxsize=4096)
def origin(kind: GraphQLOutputType) -> Any:
    """Return the Python class of a GraphQL type. graphql-core keeps Strawberry's definition in its extensions."""
    return get_named_type(kind).extensions["strawberry-definition"].origin


@cache
def layout(face: Any) -> Layout:
    """Return all columns of a type as one select list: the reference executor reads these of a row."""
    return Layout(tuple(_field_specs(face, face.__row__)))


def field_specs(face: Any) -> dict[str, FieldSpec]:
    """Return the field specs of a type by the Python names of its fields."""
    fields = face.__strawberry_definition__.fields
    return {field.python_name: cell for field in fields if (cell := field.metadata.get("cell")) is not None}


def _field_specs(face: Any, row: Table) -> list[tuple[str, FieldSpec, Table]]:
    found = []
    for name, cell in _plain(face):
        if cell.part:
            found += [] if cell.guard is None else [(name, cell, row)]
            found += _field_specs(field_type(face, name), cell.joined or row)
        else:
            found.append(("id" if cell.identity else name, cell, row))
    return found


def _plain(face: Any) -> list[tuple[str, FieldSpec]]:
    """Return the field specs that need the row."""
    return [
        (name, cell)
        for name, cell in field_specs(face).items()
        if cell.given is None and cell.find is None and cell.asks is None and not _is_root_page(cell)
    ]


def _is_root_page(cell: FieldSpec) -> bool:
    return cell.follow is not None and cell.follow.by is None


@cache
def field_type(face: Any, name: str) -> Any:
    """Return the class of the value of a field, without lists and nulls."""
    definition = face.__strawberry_definition__
    field = next(field for field in definition.fields if field.python_name == name)
    kind = field.resolve_type(type_definition=definition)
    while hasattr(kind, "of_type"):
        kind = kind.of_type
    return kind.resolve_type() if hasattr(kind, "resolve_type") else kind


def instance(face: Any, row: Any, start: int = 0) -> Any:
    """Return an instance of a type from a row laid out by `layout`; None if there is no row."""
    return None if row is None else maker(face)(row, start)[0]


@cache
def maker(face: Any) -> Callable[[Any, int], tuple[Any, int]]:
    """Return a function from (row, first column) to (instance, next column) that sets all attributes at once."""
    plan = [(name, cell, _reading(face, name, cell)) for name, cell in _plain(face)]

    def make(row: Any, at: int) -> tuple[Any, int]:
        made = object.__new__(face)
        attributes = made.__dict__
        for name, _, read in plan:
            if isinstance(read, _Part):
                attributes[name], at = read.make(row, at)
                continue
            value = row[at]
            attributes[name] = value if read is None or value is None else read(value)
            at += 1
        return made, at

    return make


class _Part:
    """A field that is an object of the same row. With a guard, the column before it is null if the object is absent."""

    def __init__(self, face: Any, *, has_guard: bool) -> None:
        self._make = maker(face)
        self._has_guard = has_guard
        self._width = len(layout(face).cells) + has_guard

    def make(self, row: Any, at: int) -> tuple[Any, int]:
        """Return the object, or None, and the next column."""
        if self._has_guard and row[at] is None:
            return None, at + self._width
        return self._make(row, at + self._has_guard)


def _reading(face: Any, name: str, cell: FieldSpec) -> Any:
    if cell.part:
        return _Part(field_type(face, name), has_guard=cell.guard is not None)
    return refs.encoder(face.__name__) if cell.identity else cell.read
