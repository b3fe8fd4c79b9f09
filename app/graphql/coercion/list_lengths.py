"""How many items a list among the variables may have: told by the schema, or the same number for all other lists."""

from graphql import (
    ArgumentNode,
    GraphQLArgument,
    GraphQLInputField,
    GraphQLSchema,
    ObjectFieldNode,
    TypeInfo,
    TypeInfoVisitor,
    VariableNode,
    Visitor,
    get_named_type,
    is_input_object_type,
    is_list_type,
    visit,
)
from graphql.language import DocumentNode

DEFAULT_MAX_ITEMS = 1_000
_KEY = "most_items"

ListLocation = GraphQLArgument | GraphQLInputField
"""Where a list may stand."""


def set_max_items(place: ListLocation, most: int | None) -> None:
    """Declare that what takes this list refuses a longer one itself."""
    if most is not None:
        place.extensions[_KEY] = most


def declared_max_items(place: ListLocation | None) -> int | None:
    """Return the largest number of items that was declared for a list."""
    return None if place is None else place.extensions.get(_KEY)


def max_items_of_variables(schema: GraphQLSchema, document: DocumentNode) -> dict[str, int]:
    """Return the largest number of items that was declared where each variable stands, the larger one of several."""
    found = _Places(types := TypeInfo(schema))
    visit(document, TypeInfoVisitor(types, found))
    return {name: most for name, most in found.most.items() if most is not None}


class _Places(Visitor):
    def __init__(self, types: TypeInfo) -> None:
        super().__init__()
        self._types = types
        self.most: dict[str, int | None] = {}

    def enter_variable(self, node: VariableNode, _key: object, parent: object, *_: object) -> None:
        """Note what was declared for the place of a variable; a list in one that declares nothing has the default."""
        place: ListLocation | None = None
        if isinstance(parent, ArgumentNode):
            place = self._types.get_argument()
        elif isinstance(parent, ObjectFieldNode):
            kind = get_named_type(self._types.get_parent_input_type())
            place = kind.fields.get(parent.name.value) if is_input_object_type(kind) else None
        if place is None or not is_list_type(_nullable(place)):
            return
        most, name = declared_max_items(place), node.name.value
        before = self.most.get(name, most)
        self.most[name] = None if most is None or before is None else max(before, most)


def _nullable(place: ListLocation) -> object:
    return getattr(place.type, "of_type", None) if not is_list_type(place.type) else place.type
