"""Declared fields: an entity type names its table, and each of its fields is one call of this module.

`column` reads a column of the row, `edge` follows a key, `part` is an object from the same row or from a joined
table, `identity` is the global id, `lookup` finds one row, `viewer_value` is computed from the viewer, `app_value` from
the app context. All of them return `Any`, so that mypy and Strawberry read the annotation. A field keeps its
`FieldSpec` in its metadata; no field has a resolver.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any, ClassVar, ParamSpec, TypeVar

import strawberry
from graphql import GraphQLOutputType, get_named_type
from strawberry.annotation import StrawberryAnnotation
from strawberry.types.arguments import StrawberryArgument
from strawberry.types.field import StrawberryField

from app.domain import refs
from app.domain.viewer import Viewer
from app.graphql.schema.directives import Permission, RequiresPermission
from app.graphql.schema.instances import instance, layout
from app.query import pagination
from app.query.relations import PRESENT, ROOT_KEY, Condition, Expression, FieldSpec, Lookup, Relation, Table, Via

P = ParamSpec("P")
R = TypeVar("R")

NODE_TYPES: dict[str, Any] = {}
"""The types that implement `Node`, by name. Each type adds itself."""

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
    sql: Expression | Any = None,
    guard: Condition | None = None,
    read: Callable[[Any], Any] | None = None,
    requires: Permission | None = None,
    unless: str | None = None,
    name: str | None = None,
) -> Any:
    """Declare a column of the row. `sql` replaces the column of this name; the field is null unless `guard` holds."""
    spec = FieldSpec(sql=sql, guard=guard, read=read)
    return strawberry.field(
        description=description, metadata={"spec": spec}, directives=_requirement(requires, unless), name=name
    )


def identity(description: str) -> Any:
    """Declare the global id of the row."""
    return strawberry.field(description=description, metadata={"spec": FieldSpec(identity=True)})


def part(
    description: str,
    *,
    table: Table | None = None,
    via: Via | None = None,
    reference: Any = None,
    guard: Condition | None = None,
    requires: Permission | None = None,
    unless: str | None = None,
) -> Any:
    """Declare an object from the same row, or from `table`, which is joined or read by the subquery `via`.

    `reference` is the column of this row with the id of the row that `via` reads. It is null unless `guard` holds.
    """
    spec = FieldSpec(
        sql=None if guard is None else PRESENT, guard=guard, part=True, joined=table, via=via, reference=reference
    )
    return strawberry.field(description=description, metadata={"spec": spec}, directives=_requirement(requires, unless))


def viewer_value(description: str, value_for: Callable[[Viewer], Any]) -> Any:
    """Declare a value that is computed from the viewer, without a row."""
    return declare_field(description, FieldSpec(viewer_value=value_for), _viewer_value)


def app_value(description: str, value_in: Callable[[Any], Any]) -> Any:
    """Declare a value that is computed from the app context, the same for every viewer."""
    return declare_field(description, FieldSpec(app_value=value_in), _app_value)


def own_part(description: str) -> Any:
    """Declare an object without a row, in a type without a row."""
    return declare_field(description, FieldSpec(part=True), _own_part)


def edge(  # noqa: PLR0913 - a declaration, all by name
    description: str,
    relation: Relation,
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
    viewer_key = key if callable(key) and not hasattr(key, "property") else None
    spec = FieldSpec(sql=None if viewer_key else key, guard=guard, read=read, follow=relation, viewer_value=viewer_key)
    arguments = [*_page_arguments(filter, order), *narrow] if relation.kind == "page" else ()
    resolve = _follow_page if relation.kind == "page" else _follow
    return declare_field(description, spec, resolve, arguments, _requirement(requires, unless))


def lookup(description: str, find: Lookup, *arguments: Argument) -> Any:
    """Declare one row, by one of several keys. It is null if the row does not exist or the viewer may not see it."""
    return declare_field(description, FieldSpec(lookup=find), _lookup, arguments)


def lookups(description: str, find: Lookup, *arguments: Argument) -> Any:
    """Declare several rows in the order of their keys, with null for each missing row."""
    return declare_field(description, FieldSpec(lookup=find), _lookup_each, arguments)


def service_field(description: str, call: Callable[..., Any], *arguments: Argument) -> Any:
    """Declare a leaf value that a service computes, called with (database, viewer, arguments)."""
    return declare_field(description, FieldSpec(service_field=call), _call_service, arguments)


def computed_field(description: str) -> Callable[[Callable[P, R]], R]:
    """Declare a field with a resolver of its own. It does not compile, so a test limits the number of these fields."""
    field: Any = strawberry.field(description=description, metadata={"computed": True})
    decorator: Callable[[Callable[P, R]], R] = field
    return decorator


def declare_field(
    description: str,
    spec: FieldSpec | None,
    resolve: Callable[..., Any],
    arguments: Sequence[Argument] = (),
    directives: Sequence[object] = (),
    change: Callable[..., Any] | None = None,
    keys: Sequence[str] = (),
) -> Any:
    """Declare a field that `resolve` returns to the reference executor, called with (parent, info, arguments, name).

    `change` runs the mutation of the field, called with (context, name, payload, arguments). `keys` are the fields of
    an outcome from which a payload takes the key of this field.
    """
    metadata = {"spec": spec, "resolve": resolve, "change": change, "keys": tuple(keys)}
    field = DeclaredField(description=description, metadata=metadata, directives=directives, default=None)
    field.init = False
    field.arguments = [_argument(*each) for each in arguments]
    return field


def connection_field(description: str, resolve: Callable[..., Any]) -> Any:
    """Declare a field of a connection, whose parent reads it."""
    return declare_field(description, None, resolve)


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
    return field_spec(info).viewer_value(info.context.viewer)  # type: ignore[misc]  # `viewer_value` sets it


def _app_value(source: Any, info: Any, kwargs: Mapping[str, Any], name: str) -> Any:
    return field_spec(info).app_value(info.context.app)  # type: ignore[misc]  # `app_value` sets it


def _own_part(source: Any, info: Any, kwargs: Mapping[str, Any], name: str) -> Any:
    return object.__new__(origin(output(info)))


def _key(source: Any, info: Any, spec: FieldSpec, name: str) -> Any:
    if spec.viewer_value is not None:
        return spec.viewer_value(info.context.viewer)
    return source.__dict__[name]


def _follow(source: Any, info: Any, kwargs: Mapping[str, Any], name: str) -> Any:
    spec = field_spec(info)
    key = _key(source, info, spec, name)
    if key is None or spec.follow is None:
        return None
    entity = _entity_type(info)
    rows = info.context.reader.related(response_location(info), spec.follow, layout(entity), key)
    return _make_instances(rows, entity) if spec.follow.kind == "many" else _make_instance(rows, entity)


async def _make_instance(row: Any, entity: type) -> Any:
    return instance(entity, await row)


async def _make_instances(rows: Any, entity: type) -> list[Any]:
    return [instance(entity, row) for row in await rows]


def _follow_page(source: Any, info: Any, kwargs: Mapping[str, Any], name: str) -> Any:
    spec = field_spec(info)
    relation = spec.follow
    assert relation is not None
    key = ROOT_KEY if relation.by is None and spec.viewer_value is None else _key(source, info, spec, name)
    if key is None:
        return None
    connection = object.__new__(_entity_type(info))
    connection.__dict__["call"] = (
        response_location(info),
        relation,
        pagination.parse_page_request(relation.types, relation.default_order, pagination.fold_arguments(kwargs)),
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
    ref = find.choose(kwargs)
    if ref is None:
        return None
    name, key = ref
    entity = NODE_TYPES.get(name) or _entity_type(info)
    row = info.context.reader.related(response_location(info), find.relations[name], layout(entity), key)
    return _make_instance(row, entity)


def _call_service(source: Any, info: Any, kwargs: Mapping[str, Any], name: str) -> Any:
    call = field_spec(info).service_field
    assert call is not None
    return call(info.context.database, info.context.viewer, kwargs)


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
    spec: FieldSpec = info.field.metadata["spec"]
    return spec


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
