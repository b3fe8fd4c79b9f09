"""Rewrite random documents so that the server accepts them: with existing objects, and within the limits."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any, TypeVar

import graphql
from graphql import (
    ArgumentNode,
    DocumentNode,
    FieldNode,
    GraphQLInputObjectType,
    GraphQLList,
    GraphQLNonNull,
    InlineFragmentNode,
    IntValueNode,
    ListValueNode,
    NameNode,
    NullValueNode,
    ObjectFieldNode,
    ObjectValueNode,
    OperationDefinitionNode,
    SelectionSetNode,
    StringValueNode,
    ValueNode,
)

Node = TypeVar("Node", bound=graphql.Node)

SENSIBLE = 0.9
"""The share of values that are replaced by a plausible or an odd one, and not left as generated."""

ODD = 0.1
"""The share of odd values: small, so that the other values are valid and the server executes the document."""

NUL = r'"\u0000"', r'"a\u0000b"', r'"f\u0000"'
ODDITIES = {
    "String": (
        *NUL,
        '""',
        '" "',
        f'"{"x" * 5000}"',
        r'"\uD83D\uDC1F"',
        r'"\u{10FFFF}\uFFFF"',
        '"%_\'\\\\"',
        '"ﬀİ\u202e"',
    ),
    "ID": (*NUL, '""', "0", "-1", "9" * 400, '"VXNlcjow"', '"VXNlcjo5OTk5OTk5OTk5OTk5OTk5OTk5"', '"\u0661"'),
    "Int": ("0", "-1", "2147483647", "-2147483648"),
    "BigInt": ("-1", "9007199254740991", "9007199254740992", "9223372036854775808", "1e15", "1e999", "0.5"),
    "DateTime": (
        '"0001-01-01T00:00:00+14:00"',
        '"0001-01-01T00:00:00Z"',
        '"9999-12-31T23:59:59.999999Z"',
        '"9999-12-31T23:59:59.999999-14:00"',
        '"2099-01-01T00:00:00.000000001+23:59"',
    ),
    "JSON": (
        "{a: 18446744073709551616}",
        "{a: -9223372036854775809}",
        "{a: 1e999}",
        "{a: 1.7976931348623157e308, b: 5e-324, c: -0.0}",
        r'{a: "\u0000", b: ["\u0000"]}',
        "{maxStorageMB: 1e300, roles: []}",
        "{maxStorageMB: 9007199254740993}",
        r'{roles: ["\u0000"]}',
        "{a: " + "[" * 40 + "]" * 40 + "}",
        "[]",
        "null",
    ),
}
"""Values at the edge of what their types can be, as literals."""

LONGEST_LIST = 5
PAGE_SIZES = (1, 1, 2, 3, 5, 100)
PASSWORDS = ("A long enough passphrase 1", "Πάσσουορντ-with-ümlauts-7", "x" * 1024)
NEW = 50
"""The number of names for new objects: few, so that later requests change them, conflict with them and delete them."""

BYTES = (0, 1, 1000, 2**31, 2**53 - 1)
TEXTS = ("Reef", "Äpfel & Öl", "日本の海", "🐟 of the shelf", "a" * 200, 'o\'Neill "quoted" \\ %_', "İı ſß ﬁ")

IDS = {
    "UserBy": "User",
    "OrgBy": "Org",
    "GroupBy": "Group",
    "RoleBy": "Role",
    "ResourceBy": "Resource",
    "checkAccessBatch.users": "User",
    "checkAccessBatch.resources": "Resource",
    "ticket": "Ticket",
    "CancelUploadInput": "Ticket",
    "FinishUploadInput": "Ticket",
    "RevokeApiTokenInput": "ApiToken",
}
"""The type of an id by its place; other ids are of any type."""

NAMES = {
    "userName": "User",
    "UserBy.userName": "User",
    "OrgBy.slug": "Org",
    "GroupBy.slug": "Group",
    "RoleBy.name": "Role",
    "roles": "Role",
    "type": "ResourceType",
    "UserFilter": "User",
    "OrgFilter": "Org",
    "GroupFilter": "Group",
    "ResourceFilter": "Resource",
    "AuditEventFilter": "AuditEvent",
}
FREE = frozenset({"name", "displayName", "description", "reason"})


class Sensible:
    """A rewriter of documents; the same chance and document give the same result."""

    def __init__(self, schema: graphql.GraphQLSchema, world: Mapping[str, Any]) -> None:
        self._schema = schema
        self._world = world

    def __call__(self, document: DocumentNode, chance: Random) -> DocumentNode:
        """Return a similar document about existing objects."""
        definitions = [
            _with(node, selection_set=self._selections(node.selection_set, self._root(node), chance))
            if isinstance(node, OperationDefinitionNode)
            else node
            for node in document.definitions
        ]
        return _with(document, definitions=tuple(definitions))

    def _root(self, operation: OperationDefinitionNode) -> Any:
        return self._schema.get_root_type(operation.operation)

    def _selections(self, selection_set: SelectionSetNode, parent: Any, chance: Random) -> SelectionSetNode:
        nodes: list[Any] = []
        for node in selection_set.selections:
            if isinstance(node, FieldNode) and node.name.value in getattr(parent, "fields", {}):
                nodes.append(self._field(node, parent, chance))
            elif isinstance(node, InlineFragmentNode) and node.type_condition:
                inside = self._schema.type_map[node.type_condition.name.value]
                nodes.append(_with(node, selection_set=self._selections(node.selection_set, inside, chance)))
            else:
                nodes.append(node)
        if parent.name.endswith("Payload"):
            nodes.append(CODES)
        return SelectionSetNode(selections=tuple(nodes))

    def _field(self, node: FieldNode, parent: Any, chance: Random) -> FieldNode:
        field = parent.fields[node.name.value]
        target = graphql.get_named_type(field.type)
        arguments = []
        for each in node.arguments or ():
            name = each.name.value
            arguments.append(_with(each, value=self._value(each.value, field.args[name].type, (name,), node, chance)))
        if target.name.endswith("Connection") and chance.random() < SENSIBLE:
            arguments = self._page(arguments, target.name.removesuffix("Connection"), chance)
        if node.selection_set is None:
            return _with(node, arguments=tuple(arguments))
        below = self._selections(node.selection_set, target, chance)
        return _with(node, arguments=tuple(arguments), selection_set=below)

    def _page(self, arguments: Iterable[ArgumentNode], kind: str, chance: Random) -> list[ArgumentNode]:
        """Return arguments for one direction of paging, sometimes with a cursor, mostly with a filter."""
        dropped = {"first", "last", "after", "before"}
        if chance.random() < 0.2:
            dropped.add("filter")
        if chance.random() < 0.5:
            dropped.add("orderBy")
        page_arguments = [each for each in arguments if each.name.value not in dropped]
        size, cursor = chance.choice([("first", "after"), ("last", "before")])
        page_arguments.append(_argument(size, IntValueNode(value=str(chance.choice(PAGE_SIZES)))))
        cursors = self._world["cursors"].get(kind, ())
        if cursors and "orderBy" in dropped and chance.random() < 0.3:
            page_arguments.append(_argument(cursor, StringValueNode(value=chance.choice(cursors))))
        return page_arguments

    def _value(self, node: ValueNode, kind: Any, place: tuple[str, ...], field: FieldNode, chance: Random) -> ValueNode:
        if isinstance(kind, GraphQLNonNull):
            kind = kind.of_type
        if isinstance(node, NullValueNode):
            return node
        if isinstance(kind, GraphQLList) and isinstance(node, ListValueNode):
            values = [self._value(each, kind.of_type, place, field, chance) for each in node.values[:LONGEST_LIST]]
            return ListValueNode(values=tuple(values))
        if isinstance(kind, GraphQLInputObjectType) and isinstance(node, ObjectValueNode):
            return self._object(node, kind, place, field, chance)
        leaf, luck = graphql.get_named_type(kind).name, chance.random()
        if luck < (SENSIBLE / 2 if leaf == "JSON" else ODD) and leaf in ODDITIES:
            return graphql.parse_value(chance.choice(ODDITIES[leaf]))
        return (self._leaf(leaf, place, field, chance) if luck < SENSIBLE else None) or node

    def _object(
        self, node: ObjectValueNode, kind: Any, place: tuple[str, ...], field: FieldNode, chance: Random
    ) -> ValueNode:
        if kind.name == "ResourcePath" and chance.random() < SENSIBLE:
            org, slug = chance.choice(self._world["paths"])
            return _object({"orgSlug": StringValueNode(value=org), "slug": StringValueNode(value=slug)})
        fields = {each.name.value: each.value for each in node.fields}
        if kind.name == "LoginInput" and chance.random() < 0.5:
            fields = {"userName": StringValueNode(value=""), "password": StringValueNode(value="")}
        if kind.is_one_of and chance.random() < 0.97:
            return self._one_of(fields, kind, field, chance)
        if kind.name.endswith("Filter") and chance.random() < 0.9:
            fields = self._narrowed(fields, kind, chance)
        inner = {
            name: self._value(value, kind.fields[name].type, (*place, kind.name, name), field, chance)
            for name, value in fields.items()
        }
        return _object(inner)

    def _one_of(self, fields: Mapping[str, ValueNode], kind: Any, field: FieldNode, chance: Random) -> ValueNode:
        """Return one reference to an object, with a value."""
        name = chance.choice(sorted(kind.fields))
        wanted = kind.fields[name].type
        value = fields.get(name, NULL)
        if isinstance(value, NullValueNode):
            value = _blank(wanted)
        return _object({name: self._value(value, wanted, (kind.name, name), field, chance)})

    def _narrowed(self, fields: Mapping[str, ValueNode], kind: Any, chance: Random) -> dict[str, ValueNode]:
        """Return one new condition and at most one of the previous ones: few objects match many."""
        conditions = [(name, value) for name, value in fields.items() if not isinstance(value, NullValueNode)][:1]
        name = chance.choice(sorted(kind.fields))
        return dict(conditions) | {name: _blank(kind.fields[name].type)}

    def _leaf(self, kind: str, place: tuple[str, ...], field: FieldNode, chance: Random) -> ValueNode | None:
        if kind == "ID":
            return self._id(place, field, chance)
        if kind == "String":
            text = self._text(place, chance)
            return None if text is None else StringValueNode(value=text)
        if kind == "DateTime":
            days = chance.randint(1, 300) * (1 if place[-1] == "expiresAt" else -1)
            return StringValueNode(value=(datetime.now(UTC) + timedelta(days=days)).isoformat())
        if kind == "Int" and place[-1] == "revision":
            return IntValueNode(value=str(chance.randint(0, 4)))
        if kind == "BigInt":
            return IntValueNode(value=str(chance.choice(BYTES)))
        return None

    def _id(self, place: tuple[str, ...], field: FieldNode, chance: Random) -> ValueNode:
        inside = place[-2] if len(place) > 1 else ""
        wanted = IDS.get(inside) or IDS.get(f"{field.name.value}.{place[-1]}") or IDS.get(field.name.value)
        ids = self._world["ids"]
        return StringValueNode(value=chance.choice(ids[wanted or chance.choice([kind for kind in ids if ids[kind]])]))

    def _text(self, place: tuple[str, ...], chance: Random) -> str | None:
        name, inside = place[-1], place[-2] if len(place) > 1 else ""
        if name in {"password", "newPassword", "oldPassword"}:
            right = self._world["passwords"]
            return str(chance.choice((*PASSWORDS, *right) if name == "newPassword" else right))
        new = f"f{chance.randrange(NEW)}"
        if inside == "CreateResourceTypeInput":
            return new.upper()
        if name == "email":
            return f"{new}@example.org"
        if inside.startswith(("Create", "New")) and name in {"slug", "userName"}:
            return new
        return self._existing_name(place, new, chance)

    def _existing_name(self, place: tuple[str, ...], new: str, chance: Random) -> str | None:
        """Return the name of an existing object, or one that a new object may have."""
        name, inside = place[-1], place[-2] if len(place) > 1 else ""
        kind = NAMES.get(f"{inside}.{name}") or NAMES.get(name)
        if inside == "StringFilter":
            kind = next((NAMES[each] for each in reversed(place) if each in NAMES), None)
        if kind is not None and self._world["names"].get(kind):
            return new if chance.random() < 0.2 else str(chance.choice(self._world["names"][kind]))
        return chance.choice(TEXTS) if name in FREE and chance.random() < 0.7 else None


NULL = NullValueNode()
_ERRORS = graphql.parse("{ errors { code } }").definitions[0]
assert isinstance(_ERRORS, OperationDefinitionNode)
CODES = _ERRORS.selection_set.selections[0]
"""The selection of the error codes of a change, for the statistics."""


def _with(node: Node, **changes: Any) -> Node:
    """Return a copy of a node with other parts."""
    return type(node)(**{key: getattr(node, key) for key in node.keys} | changes)


def _blank(kind: Any) -> ValueNode:
    """Return a default value of a type."""
    if isinstance(kind, GraphQLNonNull):
        return _blank(kind.of_type)
    if isinstance(kind, GraphQLList):
        return ListValueNode(values=(_blank(kind.of_type),))
    if isinstance(kind, GraphQLInputObjectType):
        needed = {name: each for name, each in kind.fields.items() if graphql.is_required_input_field(each)}
        return _object({name: _blank(each.type) for name, each in needed.items()})
    if isinstance(kind, graphql.GraphQLEnumType):
        return graphql.EnumValueNode(value=next(iter(kind.values)))
    return graphql.BooleanValueNode(value=True) if kind.name == "Boolean" else StringValueNode(value="none")


def _argument(name: str, value: ValueNode) -> ArgumentNode:
    return ArgumentNode(name=NameNode(value=name), value=value)


def _object(fields: Mapping[str, ValueNode]) -> ObjectValueNode:
    nodes = [ObjectFieldNode(name=NameNode(value=name), value=value) for name, value in fields.items()]
    return ObjectValueNode(fields=tuple(nodes))
