"""Random valid queries over all readable fields, from the schema alone: a new type needs no change here."""

import json
import re
from base64 import urlsafe_b64decode
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field
from datetime import UTC, timedelta
from random import Random
from typing import Any

from graphql import (
    GraphQLArgument,
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLSchema,
    get_named_type,
    get_nullable_type,
    is_composite_type,
    is_list_type,
    is_required_argument,
    is_required_input_field,
)

from tests.oracle.worlds import Question, World

BUDGET = 500
"""The largest number of rows of a branch of a query if every page is full."""

MOST = 30
"""The approximate number of fields of a query; other tests check the limits of documents."""

SMALL = 50
"""The budget of a fragment, which may occur in many places."""

BAD_CURSORS = ("", "x", "!!!", "W10", "WyJ1c2VyX25hbWUiLDEsMl0", "WyJ1c2VyX25hbWUiLCJhIiwidHJ1ZSJd")
BAD_IDS = ("", "VXNlcg", "VXNlcjow", "VXNlcjo5OTk5OTk5OTk5OTk", "Tm9ib2R5OjE", "User:1")
VARIABLE = re.compile(r"\$v[0-9]+")
CHECKED = {"users": "UserBy", "resources": "ResourceBy"}
"""Arguments with ids of one type, by the input of that type."""

BATCH_COLUMNS = (("users", "userNames"), ("resources", "resourcePaths"))
"""Arguments of a batch of checks of which it has one each."""

PAGES = frozenset({"first", "last", "after", "before"})


class Word(str):
    """A name of an enum, or of a variable with its `$`: printed without quotes."""

    __slots__ = ()


@dataclass
class Asker:
    """A generator of one query. `cursors` are from earlier replies, by type; `missed` are rare features."""

    schema: GraphQLSchema
    random: Random
    world: World
    cursors: Mapping[str, Sequence[str]] = field(default_factory=dict)
    missed: Set[str] = frozenset()
    variables: dict[str, Any] = field(default_factory=dict)
    definitions: dict[str, str] = field(default_factory=dict)
    fragments: dict[str, tuple[str, str]] = field(default_factory=dict)
    plain: dict[str, str] = field(default_factory=dict)
    aliases: int = 0
    field_count: int = 0
    mistakes: bool = True

    def question(self) -> Question:
        """Return a query with its fragments."""
        root = self.schema.query_type
        assert root is not None
        self.mistakes = self.chance(0.25)
        body = self.selections(root, 4, BUDGET)
        self.mistakes, self.field_count = False, 0
        names = self.random.choices(sorted(self.missed), k=4) if self.missed else []
        body = f"{body.removesuffix('}')}{' '.join(self.missed_selection(root, name) for name in names)} }}"
        fragments = "".join(f" fragment {name} on {kind} {text}" for name, (kind, text) in self.fragments.items())
        used = {each.group() for each in VARIABLE.finditer(body + fragments)}
        definitions = ", ".join(f"{name}: {kind}" for name, kind in self.definitions.items() if name in used)
        return Question(f"query Asked{f'({definitions})' if definitions else ''} {body}{fragments}", self.variables)

    def chance(self, of: float) -> bool:
        return self.random.random() < of

    def selections(self, kind: Any, depth: int, budget: int) -> str:
        """Return a selection set of a type, with at least one field."""
        fields = list(kind.fields.items())
        weights = [3 if "first" in each.args else 1 for _, each in fields]
        chosen = self.random.choices(fields, weights, k=self.random.randint(1, 4))
        parts = [self.selection(kind, name, each, depth, budget) for name, each in chosen]
        parts = [part for part in parts if part]
        if self.chance(0.15):
            parts.append(self.directed("__typename"))
        if depth and self.field_count < MOST and self.chance(0.8 if isinstance(kind, GraphQLInterfaceType) else 0.2):
            parts.append(self.fragment(kind, depth, budget))
        return f"{{ {' '.join(parts or ['__typename'])} }}"

    def selection(self, kind: Any, name: str, field_: GraphQLField, depth: int, budget: int) -> str:
        """Return one field with its selection; an empty text when it is too deep."""
        below: Any = get_named_type(field_.type)
        self.field_count += 1
        if self.field_count > MOST and is_composite_type(below):
            return ""
        size, arguments = self.arguments(kind, name, field_, budget)
        many = size or (3 if is_list_type(get_nullable_type(field_.type)) else 1)
        if not is_composite_type(below):
            return self.directed(self.named(name, field_, arguments) + arguments)
        left = depth if name in {"edges", "node", "nodes", "pageInfo"} and not arguments else depth - 1
        if left < 0 or budget // many < 1:
            return ""
        head = self.named(name, field_, arguments) + arguments
        return self.directed(head) + " " + self.selections(below, left, budget // many)

    def named(self, name: str, field_: GraphQLField, arguments: str) -> str:
        """Return a name with a random alias, and always with one where the plain name has another meaning."""
        meaning = f"{arguments}:{field_.type}"
        if not self.chance(0.2) and self.plain.setdefault(name, meaning) == meaning:
            return name
        self.aliases += 1
        return f"a{self.aliases}: {name}"

    def directed(self, text: str) -> str:
        """Add @skip or @include at random."""
        if not self.chance(0.1):
            return text
        name, value = self.random.choice(["skip", "include"]), self.chance(0.5)
        condition = self.variable("Boolean!", value) if self.chance(0.7) else self.literal(value)
        return f"{text} @{name}(if: {condition})"

    def fragment(self, kind: Any, depth: int, budget: int) -> str:
        """Return a fragment on a type, on one of its interfaces, or on a type that implements it."""
        on = self.random.choice(self.near(kind))
        if self.chance(0.4):
            head = "..." if on is kind and self.chance(0.3) else f"... on {on.name}"
            return f"{self.directed(head)} {self.selections(on, depth - 1, budget)}"
        fitting = [name for name, (of_type, _) in self.fragments.items() if of_type == on.name and budget >= SMALL]
        if not fitting or self.chance(0.3):
            text = self.selections(on, min(depth - 1, 1), min(budget, SMALL))
            fitting = [f"F{len(self.fragments)}"]
            self.fragments[fitting[0]] = (on.name, text)
        return self.directed(f"...{self.random.choice(fitting)}")

    def near(self, kind: Any) -> list[Any]:
        """Return the possible types of a fragment here."""
        if isinstance(kind, GraphQLInterfaceType):
            return [kind, *self.schema.get_possible_types(kind)]
        assert isinstance(kind, GraphQLObjectType)
        return [kind, *kind.interfaces]

    def missed_selection(self, root: Any, name: str) -> str:
        """Return a short selection of a missed feature."""
        self.aliases += 1
        kind, _, of = name.partition(".")
        if name.startswith("on "):
            inputs = self.world.ready(f"{name.removeprefix('on ')}By")
            by = self.literal(self.random.choice(inputs)["id"])
            return f"a{self.aliases}: node(id: {by}) {{ ... {name} {{ id }} }}"
        if of and not kind.endswith("Filter"):
            return self.toward(root, kind, of.partition("(")[0], _distances(self.schema, kind), BUDGET)
        kind, _, order = name.partition(" by ")
        about = kind.partition(".")[0]
        lists = [each for each, field_ in root.fields.items() if self.is_about(field_, about)]
        if lower := {} if lists else self.lower_lists(about):
            above, owner = self.random.choice(list(lower.items()))
            below = self.chosen_list(owner, self.random.choice(self.lists_about(owner, about)), order)
            return f"a{self.aliases}: {above}(first: 15) {{ nodes {{ {below} }} }}"
        return self.chosen_list(root, self.random.choice(lists or ["users"]), order)

    def lower_lists(self, about: str) -> dict[str, Any]:
        """Return the lists of the root whose items have a list with a filter or an order of this type."""
        root: Any = self.schema.query_type
        items = {name: _items(field_) for name, field_ in root.fields.items() if "first" in field_.args}
        return {name: kind for name, kind in items.items() if self.lists_about(kind, about)}

    def lists_about(self, kind: Any, about: str) -> list[str]:
        return [name for name, field_ in kind.fields.items() if self.is_about(field_, about)]

    def chosen_list(self, kind: Any, name: str, order: str) -> str:
        """Return a short selection of a list, in an order if one is given."""
        if not order:
            return self.selection(kind, name, kind.fields[name], 1, 20)
        field, _, direction = order.upper().partition(" ")
        by = f"{{field: {field}, direction: {'DESC' if direction == 'DOWN' else 'ASC'}}}"
        self.aliases += 1
        return f"a{self.aliases}: {name}(first: {self.random.randint(2, 5)}, orderBy: {by}) {{ edges {{ cursor }} }}"

    def is_about(self, field_: GraphQLField, kind: str) -> bool:
        """Check that a field is a list with a filter or an order of this type."""
        names = {get_named_type(each.type).name for each in field_.args.values()}
        return bool(names & {kind, f"{kind}Order"})

    def toward(self, kind: Any, target: str, name: str, far: Mapping[str, int], budget: int) -> str:
        """Return one field that leads to a type, or the requested field of that type."""
        if kind.name == target:
            others = [each for each in kind.fields if any(f"{kind}.{each}" == missed for missed in self.missed)]
            few = [name, *self.random.sample(others, min(2, len(others)))]
            return " ".join(self.selection(kind, each, kind.fields[each], 1, budget) for each in dict.fromkeys(few))
        near = [
            each
            for each, field_ in kind.fields.items()
            if far.get(get_named_type(field_.type).name, far[kind.name]) < far[kind.name]
        ]
        weights = [3 if "first" in kind.fields[each].args else 1 for each in near]
        each = self.random.choices(near, weights)[0]
        field_ = kind.fields[each]
        many = self.random.randint(1, max(1, min(budget, 30))) if "first" in field_.args else 1
        arguments = f"(first: {many})" if "first" in field_.args else self.arguments(kind, each, field_, budget)[1]
        below = self.toward(get_named_type(field_.type), target, name, far, budget // many)
        return f"{self.named(each, field_, arguments)}{arguments} {{ {below} __typename }}"

    def arguments(self, kind: Any, name: str, field_: GraphQLField, budget: int) -> tuple[int, str]:
        """Return the number of requested rows, 0 if there is no page, and the arguments as text."""
        if not field_.args:
            return 0, ""
        missed = {each for each in field_.args if f"{kind}.{name}({each}:)" in self.missed}
        values, size = self.page(field_, budget, missed) if "first" in field_.args else (dict[str, Any](), 0)
        for each, argument in field_.args.items():
            if each not in PAGES and (is_required_argument(argument) or self.chance(0.9 if each in missed else 0.5)):
                values[each] = self.value(argument.type, each, 4, variables=True)
        self.agree(field_, values)
        self.align(values)
        parts = [f"{each}: {self.argument(field_.args[each], value)}" for each, value in values.items()]
        return size, f"({', '.join(parts)})" if parts else ""

    def page(self, field_: GraphQLField, budget: int, missed: Set[str]) -> tuple[dict[str, Any], int]:
        """Return sizes and cursors, sometimes out of bounds when this query makes mistakes."""
        backward = self.chance(0.7 if missed & {"last", "before"} else 0.3)
        maximum = min(100, budget)
        size = self.random.choice([1, 2, 3, maximum, self.random.randint(1, maximum)])
        values: dict[str, Any] = {"last" if backward else "first": size}
        if not backward and budget >= 20 and self.chance(0.3):
            values, size = {}, 20
        if (near := self.near_cursors(field_)) and self.chance(0.9 if missed & {"after", "before"} else 0.4):
            values["before" if backward else "after"] = self.random.choice(near)
        if self.mistakes and self.chance(0.3):
            bad: dict[str, Any] = {"first": 0, "after": self.random.choice(BAD_CURSORS), "last": 101}
            name = self.random.choice(list(bad)[: 3 if budget > 100 else 2])
            values[name], size = bad[name], 101 if name == "last" else size
        if self.chance(0.05) and budget >= 20:
            values, size = {name: None if name in {"first", "last"} else value for name, value in values.items()}, 20
        return values, size

    def near_cursors(self, field_: GraphQLField) -> Sequence[str]:
        """Return cursors of lists of the same type; of any type when this query makes mistakes."""
        if self.mistakes and self.chance(0.2):
            return [each for some in self.cursors.values() for each in some]
        connection: Any = get_named_type(field_.type)
        return self.cursors.get(get_named_type(connection.fields["nodes"].type).name, ())

    def agree(self, field_: GraphQLField, values: dict[str, Any]) -> None:
        """Use in most cases the order of the cursor."""
        cursor: Any = values.get("after") or values.get("before")
        if cursor is None or cursor in BAD_CURSORS or "orderBy" not in field_.args or self.chance(0.2):
            return
        signature = json.loads(urlsafe_b64decode(cursor + "==="))[0].split(",")
        terms = [("DESC" if name.startswith("-") else "ASC", name.lstrip("-").upper()) for name in signature]
        values["orderBy"] = [{"field": Word(name), "direction": Word(direction)} for direction, name in terms]
        term: Any = get_named_type(field_.args["orderBy"].type)
        if not all(name in get_named_type(term.fields["field"].type).values for _, name in terms):
            del values["orderBy"]

    def align(self, values: dict[str, Any]) -> None:
        """Give a batch of checks columns of one length, by ids or by names."""
        if "roles" not in values or self.mistakes:
            return
        size = len(values["roles"]) if isinstance(values["roles"], list) else 1
        for ways in BATCH_COLUMNS:
            for way in ways:
                values.pop(way, None)
            way = self.random.choice(ways)
            values[way] = self.random.choices(self.world.checked(way), k=size)

    def argument(self, argument: GraphQLArgument, value: Any) -> str:
        """Return a value as a literal or as a variable."""
        if self.chance(0.3) and not _has_word(value, "$"):
            return self.variable(str(argument.type), value)
        return self.literal(value)

    def variable(self, kind: str, value: Any) -> str:
        """Return a new variable; its value may be its default, or absent where null is allowed."""
        name = f"v{len(self.definitions)}"
        how = self.random.random()
        has_default, is_absent = how < 0.3, how < 0.15 or (value is None and how > 0.6)
        self.definitions[f"${name}"] = f"{kind} = {self.literal(value)}" if has_default else kind
        if not is_absent:
            self.variables[name] = value
        return f"${name}"

    def value(self, kind: Any, name: str, depth: int, *, variables: bool) -> Any:
        """Return a value of an input type; `name` is that of the argument or input field."""
        if not isinstance(kind, GraphQLNonNull) and self.chance(0.03):
            return None
        kind = get_nullable_type(kind)
        if is_list_type(kind):
            few = range(self.random.choice([0, 1, 1, 2, 2, 3]))
            values = [self.value(kind.of_type, name, depth, variables=False) for _ in few]
            if few and not self.mistakes and isinstance(values[0], dict) and "field" in values[0]:
                values = list({each["field"]: each for each in values}.values())
            return values[0] if len(values) == 1 and values[0] is not None and self.chance(0.3) else values
        if isinstance(kind, GraphQLInputObjectType):
            return self.object(kind, name, depth, variables=variables)
        if isinstance(kind, GraphQLEnumType):
            return Word(self.random.choice(list(kind.values)))
        return self.leaf(kind, name)

    def object(self, kind: GraphQLInputObjectType, outer: str, depth: int, *, variables: bool) -> Any:
        """Return an input object: one field of a @oneOf, else some. Its texts are for the outer name or their own."""
        fields = dict(kind.fields)
        is_asked = outer in {"user", "resource"} and not self.mistakes  # a check of what is not there is refused
        if (ready := self.world.ready(kind.name)) and (is_asked or self.chance(0.5)):
            return self.random.choice(ready)
        if kind.is_one_of:
            name, only = self.random.choice(list(fields.items()))
            return {name: self.value(GraphQLNonNull(only.type), name, depth, variables=False)}
        values: dict[str, Any] = {}
        for name in self.some(kind, depth):
            about = name if name in self.world.texts else outer
            inner, wanted = depth - (get_named_type(fields[name].type) is kind), fields[name].type
            if kind.name.endswith("Filter") and not self.mistakes:  # a filter refuses null
                wanted = GraphQLNonNull(get_nullable_type(wanted))
            values[name] = self.value(wanted, about, inner, variables=variables)
            if variables and self.chance(0.1) and values[name] is not None and not _has_word(values[name], "$"):
                values[name] = Word(self.variable(str(fields[name].type), values[name]))
        return self.worded(values)

    def some(self, kind: GraphQLInputObjectType, depth: int) -> list[str]:
        """Return some fields of an object; `depth` limits those of its own type."""
        least = 0 if self.mistakes else 1
        usual = [name for name, each in kind.fields.items() if depth > least or get_named_type(each.type) is not kind]
        some = self.random.sample(usual, min(len(usual), self.random.choice([1, 1, 1, 2, 3])))
        missed = [name for name in usual if {f"{kind}.{name}", f"{kind}.{name} exactly"} & self.missed]
        some += [self.random.choice(missed)] if missed and self.chance(0.7) else []
        return [name for name, each in kind.fields.items() if name in some or is_required_input_field(each)]

    def worded(self, values: dict[str, Any]) -> dict[str, Any]:
        """Replace texts by parts of them where parts are compared."""
        for name in ("startsWith", "contains"):
            if isinstance(text := values.get(name), str) and not isinstance(text, Word):
                start = 0 if name == "startsWith" else self.random.randint(0, len(text) // 2)
                values[name] = text[start : start + self.random.choice([0, 1, 1, 2, len(text)])]
        return values

    def leaf(self, kind: Any, name: str) -> Any:
        match kind.name:
            case "Boolean":
                return self.chance(0.5)
            case "BigInt":
                return self.random.choice([-1, 0, 1, 2, 2**52 + 1])
            case "ID" if name in CHECKED and not self.mistakes:
                return self.random.choice(self.world.ready(CHECKED[name]))["id"]
            case "ID":
                return self.random.choice(self.world.ids if self.chance(0.85) else BAD_IDS)
            case "DateTime":
                near = self.random.choice(self.world.moments) + timedelta(
                    microseconds=self.random.choice([-1, 0, 0, 1])
                )
                return near.astimezone(UTC).isoformat()
            case "String":
                return self.random.choice(self.world.texts.get(name) or ["nothing"])
        raise LookupError(kind.name)

    def literal(self, value: Any) -> str:
        """Return a value as the text of a document."""
        if isinstance(value, Word):
            return str(value)
        if isinstance(value, dict):
            return "{" + ", ".join(f"{name}: {self.literal(each)}" for name, each in value.items()) + "}"
        if isinstance(value, list):
            return "[" + ", ".join(map(self.literal, value)) + "]"
        return json.dumps(value, ensure_ascii=False)


def _items(field_: GraphQLField) -> Any:
    """Return the type of the items of a list."""
    connection: Any = get_named_type(field_.type)
    return get_named_type(connection.fields["nodes"].type)


def _distances(schema: GraphQLSchema, target: str) -> dict[str, int]:
    """Return the number of fields from each object type to the target."""
    far = {target: 0}
    kinds = [kind for kind in schema.type_map.values() if isinstance(kind, GraphQLObjectType)]
    leads = {kind.name: {get_named_type(each.type).name for each in kind.fields.values()} for kind in kinds}
    while nearer := {name for name, names in leads.items() if name not in far and names & far.keys()}:
        far |= dict.fromkeys(nearer, max(far.values()) + 1)
    return far


def _has_word(value: Any, start: str) -> bool:
    if isinstance(value, dict | list):
        return any(_has_word(each, start) for each in (value.values() if isinstance(value, dict) else value))
    return isinstance(value, Word) and value.startswith(start)
