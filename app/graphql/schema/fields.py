"""How a type is declared: it names its row, and a field is one line.

`column` keeps or reads a cell of the row, `edge` follows a key, `part` is an object of the same row, or of one that is
joined to it, `identity` the global id, `lookup` finds one row, `given` comes from the viewer. They return `Any`, so
that the annotation is what mypy, Strawberry and the reader see. What a field is stands in its metadata as a `Cell`; no
field has a resolver.
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
from app.query.relations import PRESENT, ROOT_KEY, Condition, Expression, FieldSpec, Layout, Lookup, Relation, Table

P = ParamSpec("P")
R = TypeVar("R")

NODE_TYPES: dict[str, Any] = {}  # the types that implement Node, by name; each adds itself

Argument = tuple[str, Any, str]
"""The Python name of an argument, its type, its description."""


class EntityType:
    """The base of every declared type. `row` is the table whose rows it shows; none for what belongs to the viewer."""

    __row__: ClassVar[Table | None] = None

    def __init_subclass__(cls, row: Table | None = None, **rest: Any) -> None:
        super().__init_subclass__(**rest)
        if row is not None:
            cls.__row__ = row


class DeclaredField(StrawberryField):
    """A field that is resolved by what its metadata says; nothing is kept on it, since Strawberry copies fields."""

    @property
    def is_basic_field(self) -> bool:
        """It needs the request's context."""
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
    """A cell of the row. `of`: another expression than the column of this name; `guard`: null unless it holds."""
    cell = FieldSpec(of=of, guard=guard, read=read)
    return strawberry.field(
        description=description, metadata={"cell": cell}, directives=_requirement(requires, unless), name=name
    )


def identity(description: str) -> Any:
    """The global id of the row."""
    return strawberry.field(description=description, metadata={"cell": FieldSpec(identity=True)})


def part(
    description: str,
    *,
    of: Table | None = None,
    guard: Condition | None = None,
    requires: Permission | None = None,
    unless: str | None = None,
) -> Any:
    """An object of the same row. `of`: of what is joined to it, from another table; `guard`: null unless it holds."""
    cell = FieldSpec(of=None if guard is None else PRESENT, guard=guard, part=True, joined=of)
    return strawberry.field(description=description, metadata={"cell": cell}, directives=_requirement(requires, unless))


def viewer_value(description: str, of: Callable[[Viewer], Any]) -> Any:
    """A value that follows from who asks, without a row."""
    return declared(description, FieldSpec(viewer_value=of), _viewer_value)


def own_part(description: str) -> Any:
    """An object without a row, below another one without a row."""
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
    """A key into a source: the column that holds it, or a function of the viewer on a type without a row.

    `read` makes the key of what the column holds. `narrow` are arguments of its own, each with the name of a filter of
    the source.
    """
    given_key = key if callable(key) and not hasattr(key, "property") else None
    cell = FieldSpec(of=None if given_key else key, guard=guard, read=read, follow=follow, viewer_value=given_key)
    arguments = [*_page_arguments(filter, order), *narrow] if follow.kind == "page" else ()
    resolve = {"one": _follow_one, "many": _follow_many, "page": _follow_page}[follow.kind]
    return declared(description, cell, resolve, arguments, _requirement(requires, unless))


def lookup(description: str, find: Lookup, *arguments: Argument) -> Any:
    """One row by one of several ways; null when there is none that the viewer may see."""
    return declared(description, FieldSpec(lookup=find), _lookup, arguments)


def lookups(description: str, find: Lookup, *arguments: Argument) -> Any:
    """Several rows in the order of their keys, null for each that there is none of."""
    return declared(description, FieldSpec(lookup=find), _lookup_each, arguments)


def service_field(description: str, asks: Callable[..., Any], *arguments: Argument) -> Any:
    """A leaf value that a service answers, called with (database, viewer, arguments)."""
    return declared(description, FieldSpec(service_field=asks), _call_service, arguments)


def computed(description: str) -> Callable[[Callable[P, R]], R]:
    """A field with code of its own. It does not compile, so a test keeps the list of them short."""
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
    """A field that `resolve` answers for the stock executor, called with (parent, info, arguments, name).

    `change` makes the change that the field stands for: see `executor.changes.Make`.
    """
    told = {"cell": cell, "resolve": resolve, "change": change}
    field = DeclaredField(description=description, metadata=told, directives=directives, default=None)
    field.init = False
    field.arguments = [_argument(*each) for each in arguments]
    return field


def special(description: str, resolve: Callable[..., Any]) -> Any:
    """A field of a connection, whose parent knows how to read it."""
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
            f"How many from the start (or after `after`), {size}; {pagination.DEFAULT_SIZE} unless told.",
        ),
        ("after", str | None, "Start behind this cursor. Goes with `first`."),
        ("last", int | None, f"How many from the end (or before `before`), {size}."),
        ("before", str | None, "End ahead of this cursor. Goes with `last`."),
    ]
    if filter_type is not None:
        arguments.append(("filter", filter_type | None, "Keep only what matches."))
    if order_type is not None:
        arguments.append(("order_by", list[order_type] | None, "In this order; the id decides between equals."))
    return arguments


def _viewer_value(source: Any, info: Any, kwargs: Mapping[str, Any], name: str) -> Any:
    return field_spec(info).viewer_value(info.context.viewer)  # type: ignore[misc]  # `viewer_value` declares it


def _own_part(source: Any, info: Any, kwargs: Mapping[str, Any], name: str) -> Any:
    return object.__new__(origin(output(info)))


def _key(source: Any, info: Any, cell: FieldSpec, name: str) -> Any:
    if cell.viewer_value is not None:
        return cell.viewer_value(info.context.viewer)
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
    key = ROOT_KEY if follow.by is None and cell.viewer_value is None else _key(source, info, cell, name)
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
    find = field_spec(info).lookup
    assert find is not None
    return _lookup_rows(find, info, kwargs)


def _lookup_each(source: Any, info: Any, kwargs: Mapping[str, Any], name: str) -> Any:
    find = field_spec(info).lookup
    assert find is not None
    return [_lookup_rows(find, info, {"id": key}) for key in refs.check_count(kwargs["ids"])]


def _lookup_rows(find: Lookup, info: Any, kwargs: Mapping[str, Any]) -> Any:
    chosen = find.choose(kwargs)
    if chosen is None:
        return None
    way, key = chosen
    face = NODE_TYPES.get(way) or _entity_type(info)
    return _make_instance(
        info.context.reader.related(response_location(info), find.relations[way], layout(face), key), face
    )


def _call_service(source: Any, info: Any, kwargs: Mapping[str, Any], name: str) -> Any:
    asks = field_spec(info).service_field
    assert asks is not None
    return asks(info.context.database, info.context.viewer, kwargs)


def response_location(info: Any) -> tuple[str, ...]:
    """Where a field stands in the query. What stands in one place is read together, whoever answers first elsewhere."""
    path = info.raw.path
    names = []
    while path is not None:
        if isinstance(path.key, str):
            names.append(path.key)
        path = path.prev
    return tuple(names)


def field_spec(info: Any) -> FieldSpec:
    """The declaration of the field that is being resolved."""
    cell: FieldSpec = info.field.metadata["cell"]
    return cell


def output(info: Any) -> GraphQLOutputType:
    """The GraphQL type of the field that is being resolved."""
    kind: GraphQLOutputType = info.raw.return_type
    return kind


def _entity_type(info: Any) -> Any:
    return origin(output(info))


@lru_cache(maxsize=4096)
def origin(kind: GraphQLOutputType) -> Any:
    """The Python class of a GraphQL type; graphql-core keeps Strawberry's definition in its extensions."""
    return get_named_type(kind).extensions["strawberry-definition"].origin


@cache
def layout(face: Any) -> Layout:
    """All cells of a type, in one select list: what the stock executor reads of a row."""
    return Layout(tuple(_field_specs(face, face.__row__)))


def field_specs(face: Any) -> dict[str, FieldSpec]:
    """The cells of a type by the Python names of its fields."""
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
    """The cells that need the row."""
    return [
        (name, cell)
        for name, cell in field_specs(face).items()
        if cell.viewer_value is None and cell.lookup is None and cell.service_field is None and not _is_root_page(cell)
    ]


def _is_root_page(cell: FieldSpec) -> bool:
    return cell.follow is not None and cell.follow.by is None


@cache
def field_type(face: Any, name: str) -> Any:
    """The class that a field of a type leads to, through lists and nulls."""
    definition = face.__strawberry_definition__
    field = next(field for field in definition.fields if field.python_name == name)
    kind = field.resolve_type(type_definition=definition)
    while hasattr(kind, "of_type"):
        kind = kind.of_type
    return kind.resolve_type() if hasattr(kind, "resolve_type") else kind


def instance(face: Any, row: Any, start: int = 0) -> Any:
    """An instance of a type from a row that was laid out by `layout`; None for no row."""
    return None if row is None else maker(face)(row, start)[0]


@cache
def maker(face: Any) -> Callable[[Any, int], tuple[Any, int]]:
    """A function from (row, first cell) to (instance, first cell after it), which fills the attributes at once."""
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
    """A field that is an object of the same row; with a guard, the cell ahead of its own says whether it is there."""

    def __init__(self, face: Any, *, has_guard: bool) -> None:
        self._make = maker(face)
        self._has_guard = has_guard
        self._width = len(layout(face).fields) + has_guard

    def make(self, row: Any, at: int) -> tuple[Any, int]:
        """The object, or None, and the first cell after it."""
        if self._has_guard and row[at] is None:
            return None, at + self._width
        return self._make(row, at + self._has_guard)


def _reading(face: Any, name: str, cell: FieldSpec) -> Any:
    if cell.part:
        return _Part(field_type(face, name), has_guard=cell.guard is not None)
    return refs.encoder(face.__name__) if cell.identity else cell.read
