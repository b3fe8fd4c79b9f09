"""Maximum lengths of lists in variables: declared in the schema, or one default for all other lists."""

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
_KEY = "max_items"

ListLocation = GraphQLArgument | GraphQLInputField
"""An argument or input field that may take a list."""


def set_max_items(location: ListLocation, maximum: int | None) -> None:
    """Declare the maximum length of a list, which its service checks itself."""
    if maximum is not None:
        location.extensions[_KEY] = maximum


def declared_max_items(location: ListLocation | None) -> int | None:
    """Return the declared maximum length of a list, None if there is none."""
    return None if location is None else location.extensions.get(_KEY)


def max_items_of_variables(schema: GraphQLSchema, document: DocumentNode) -> dict[str, int]:
    """Return the declared maximum length for each variable; of several locations, the largest."""
    visitor = _ListLocations(types := TypeInfo(schema))
    visit(document, TypeInfoVisitor(types, visitor))
    return {name: maximum for name, maximum in visitor.maximum.items() if maximum is not None}


class _ListLocations(Visitor):
    def __init__(self, types: TypeInfo) -> None:
        super().__init__()
        self._types = types
        self.maximum: dict[str, int | None] = {}

    def enter_variable(self, node: VariableNode, _key: object, parent: object, *_: object) -> None:
        """Record the declared maximum of a location. A location without one gives the variable the default."""
        location: ListLocation | None = None
        if isinstance(parent, ArgumentNode):
            location = self._types.get_argument()
        elif isinstance(parent, ObjectFieldNode):
            kind = get_named_type(self._types.get_parent_input_type())
            location = kind.fields.get(parent.name.value) if is_input_object_type(kind) else None
        if location is None or not is_list_type(_nullable(location)):
            return
        maximum, name = declared_max_items(location), node.name.value
        before = self.maximum.get(name, maximum)
        self.maximum[name] = None if maximum is None or before is None else max(before, maximum)


def _nullable(location: ListLocation) -> object:
    return getattr(location.type, "of_type", None) if not is_list_type(location.type) else location.type
