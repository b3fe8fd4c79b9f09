"""Coercion of variables, with the results and errors of graphql-core, but without a call for each valid value.

For a list of a thousand ids, graphql-core makes a thousand calls; the fast coercion checks their types at once. Values
that are not obviously valid go to `FullCoercion`, which reports the errors.
"""

from collections.abc import Mapping
from functools import partial
from itertools import islice
from typing import Any, NoReturn
from weakref import WeakKeyDictionary

from graphql import (
    GraphQLError,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLSchema,
    Undefined,
    VariableDefinitionNode,
    get_named_type,
    get_variable_values,
    is_input_object_type,
    is_list_type,
    is_non_null_type,
    is_required_input_field,
)
from graphql.execution.get_variable_signature import GraphQLVariableSignature, get_variable_signature
from graphql.execution.values import VariableValues, VariableValueSource
from graphql.utilities import coerce_input_value, validate_input_value
from graphql.utilities.coerce_input_value import coerce_default_value

from app.graphql.coercion.arguments import NO_VARIABLES
from app.graphql.coercion.explanations import Place, explain
from app.graphql.coercion.fast import MAX_OBJECTS, FastCoercion, NeedsCoercion, is_recursive, number_of_objects
from app.graphql.coercion.list_lengths import DEFAULT_MAX_ITEMS, declared_max_items, max_items_of_variables
from app.graphql.coercion.variable_usage import filter_variables
from app.graphql.documents.cache import MAX_ERRORS, Invalid, ValidatedDocument
from app.http.exact_json import MAX_VALUES, RequestJson, find_problems, is_unchanged, may_repeat, quote_names

Path = list[str | int]


class _TooMany(Exception):
    """The maximum number of errors is reached."""


class VariableCoercion:
    """Coercion of the variables of one schema. It reports `max_errors` errors at most.

    Raises TooComplex if the check for what parsing changes would take more than `max_values`.
    """

    def __init__(self, schema: GraphQLSchema, max_errors: int = MAX_ERRORS, max_values: int = MAX_VALUES) -> None:
        self._schema = schema
        self._max_values = max_values
        self._max_errors = max_errors
        self._fast = FastCoercion()
        self._plans: WeakKeyDictionary[ValidatedDocument, list[_Variable]] = WeakKeyDictionary()

    def coerce(
        self,
        document: ValidatedDocument,
        values: Mapping[str, Any],
        sent: RequestJson | None = None,
        *,
        hide_suggestions: bool,
    ) -> VariableValues:
        """Return the coerced variables of a request; raises Invalid.

        `sent` is the JSON text of the request. It shows what parsing has changed: names that an object repeats, of
        which the last one would count, and numbers of documents that were rounded.
        """
        if not document.operation.variable_definitions:
            return NO_VARIABLES
        plan = self._plans.get(document)
        if plan is None:
            plan = self._plans[document] = self._plan(document)
        if sent is not None and _may_be_changed(plan, sent):
            self._require_exact(plan, sent.text)
        try:
            variables = _coerce_fast(plan, values)
        except NeedsCoercion:
            variables = self._coerce_fully(plan, values, hide_suggestions)
        _require_filter_values(plan, variables)
        return variables

    def _require_exact(self, plan: "list[_Variable]", text: bytes) -> None:
        """Raise Invalid for numbers and names that parsing has changed."""
        variables = {variable.signature.name: variable for variable in plan}
        errors = []
        for problem in islice(find_problems(text, self._max_values), self._max_errors):
            root, name, *path = (*problem.path, "", "")[: max(2, len(problem.path))]
            if root == "variables" and name in variables:
                node = variables[str(name)].node
                errors.append(Place("variable", str(name)).error(path, problem.reason, node))
        if errors:
            raise Invalid(errors, "BAD_USER_INPUT")

    def _coerce_fully(
        self, plan: "list[_Variable]", values: Mapping[str, Any], hide_suggestions: bool
    ) -> VariableValues:
        full = FullCoercion(self._fast, self._max_errors, hide_suggestions)
        sources, coerced = {}, {}
        try:
            for variable in plan:
                name, signature = variable.signature.name, variable.signature
                if name in values:
                    sources[name] = VariableValueSource(signature, values[name])
                    coerced[name] = full.value(variable, values[name])
                else:
                    absent = self._absent(variable, full, hide_suggestions)
                    sources |= absent.sources
                    coerced |= absent.coerced
        except _TooMany:
            pass
        if full.errors:
            raise Invalid(full.errors, "BAD_USER_INPUT")
        return VariableValues(sources, coerced)

    def _absent(self, variable: "_Variable", full: "FullCoercion", hide_suggestions: bool) -> VariableValues:
        """Return the default of an absent variable, or nothing, and add its errors to `full`."""
        result = get_variable_values(self._schema, [variable.node], {}, hide_suggestions=hide_suggestions)
        if isinstance(result, VariableValues):
            return result
        place = Place("variable", variable.signature.name)
        for _ in result:  # the literal of a default is valid, so the variable is missing
            full.add(place.error([], "is missing.", variable.node))
        return NO_VARIABLES

    def _plan(self, document: ValidatedDocument) -> "list[_Variable]":
        nodes = document.operation.variable_definitions or ()
        signatures = [get_variable_signature(self._schema, node) for node in nodes]
        has_lists = any(isinstance(each, GraphQLVariableSignature) and _is_list(each.type) for each in signatures)
        maximum = max_items_of_variables(self._schema, document.document) if has_lists else {}
        in_filters = filter_variables(document.document)
        plan = []
        for node, signature in zip(nodes, signatures, strict=True):
            if isinstance(signature, GraphQLError):
                raise Invalid([signature], "BAD_USER_INPUT")
            variable = _Variable(node, signature, self._fast, maximum.get(signature.name))
            variable.place = in_filters.get(signature.name)
            plan.append(variable)
        return plan


class _Variable:
    """A variable of an operation with its definition, its fast coercer and its maximum length."""

    __slots__ = ("fast", "has_object", "maximum", "node", "place", "quoted", "signature")

    def __init__(
        self, node: VariableDefinitionNode, signature: GraphQLVariableSignature, fast: FastCoercion, maximum: int | None
    ) -> None:
        self.node, self.signature, self.maximum = node, signature, maximum
        self.fast = fast.coercer(signature.type, maximum)
        named = get_named_type(signature.type)
        self.has_object = isinstance(named, GraphQLInputObjectType) or named.name == "JSON"
        (self.quoted,) = quote_names([signature.name])
        self.place: str | None = None  # in a filter


def _may_be_changed(plan: "list[_Variable]", sent: RequestJson) -> bool:
    """Return False if parsing has certainly not changed the variables."""
    if sent.is_exact:
        return False
    if any(each.has_object for each in plan):
        return not is_unchanged(sent.text, sent.value)
    return not sent.is_flat and may_repeat(sent.text, (each.quoted for each in plan))


def _require_filter_values(plan: "list[_Variable]", variables: VariableValues) -> None:
    """Raise Invalid for variables inside filters that are absent or null."""
    missing = [each for each in plan if each.place and variables.coerced.get(each.signature.name) is None]
    if missing:
        text = "is null or absent, and `{}` compares with it. Use `isNull` to find missing values."
        errors = [
            Place("variable", each.signature.name).error([], text.format(each.place), each.node) for each in missing
        ]
        raise Invalid(errors, "BAD_USER_INPUT")


def _is_list(kind: GraphQLInputType) -> bool:
    return is_list_type(kind.of_type if is_non_null_type(kind) else kind)


def _coerce_fast(plan: "list[_Variable]", values: Mapping[str, Any]) -> VariableValues:
    sources, coerced = {}, {}
    for variable in plan:
        signature = variable.signature
        name = signature.name
        if name in values:
            sources[name] = VariableValueSource(signature, values[name])
            coerced[name] = variable.fast(values[name])
        elif signature.default is None and not is_non_null_type(signature.type):
            sources[name] = VariableValueSource(signature)
        else:
            raise NeedsCoercion
    return VariableValues(sources, coerced)


class FullCoercion:
    """Coercion with errors. Only values that are not obviously valid are passed to graphql-core.

    So an invalid value among thousands costs a few calls. The search ends with the maximum number of errors.
    """

    def __init__(self, fast: FastCoercion, maximum: int, hide_suggestions: bool) -> None:
        self.errors: list[GraphQLError] = []
        self._fast, self._maximum, self._hide_suggestions = fast, maximum, hide_suggestions
        self._variable: _Variable | None = None

    def add(self, error: GraphQLError) -> None:
        """Add an error; raises _TooMany above the maximum."""
        if len(self.errors) >= self._maximum:
            # The message of graphql-core.
            message = "Too many errors processing variables, error limit reached. Execution aborted."
            self.errors.append(GraphQLError(message))
            raise _TooMany
        self.errors.append(error)

    def value(self, variable: _Variable, value: Any) -> Any:
        """Return the coerced value of a variable, and add its errors."""
        self._variable = variable
        return self._coerce(variable.signature.type, value, [], variable.maximum)

    def _coerce(self, kind: GraphQLInputType, value: Any, path: Path, maximum: int | None) -> Any:
        try:
            return self._fast.coercer(kind, maximum)(value)
        except NeedsCoercion:
            return self._coerce_fully(kind, value, path, maximum)

    def _coerce_fully(self, kind: GraphQLInputType, value: Any, path: Path, maximum: int | None) -> Any:
        plain = kind.of_type if is_non_null_type(kind) else kind
        if value is not None and is_list_type(plain):
            return self._list(plain.of_type, value, path, maximum)
        if type(value) is dict and is_input_object_type(plain):
            if is_recursive(plain) and number_of_objects(value) > MAX_OBJECTS:
                self._report(path, f"has more than {MAX_OBJECTS} nested objects.")
            return self._object(plain, value, path)
        coerced = coerce_input_value(value, kind)
        if coerced is Undefined:
            validate_input_value(value, kind, partial(self._record, kind, value, path), self._hide_suggestions)
        return coerced

    def _list(self, inner: GraphQLInputType, value: Any, path: Path, maximum: int | None) -> Any:
        if type(value) is not list:
            return [self._coerce(inner, value, path, None)]
        if len(value) > (maximum or DEFAULT_MAX_ITEMS):
            self._report(path, f"has {len(value):,} items; at most {maximum or DEFAULT_MAX_ITEMS:,} are allowed.")
        fast, items = self._fast.coercer(inner), []
        for index, each in enumerate(value):
            try:
                items.append(fast(each))
            except NeedsCoercion:
                items.append(self._coerce_fully(inner, each, [*path, index], None))
        return items

    def _object(self, kind: GraphQLInputObjectType, value: dict[str, Any], path: Path) -> Any:
        fields = kind.fields
        required = {name for name, field in fields.items() if is_required_input_field(field)}
        if kind.is_one_of or not required <= value.keys() <= fields.keys():
            return self._coerce_part(kind, value, path)
        coerced = {}
        for name, field in fields.items():
            if name in value:
                coerced[name] = self._coerce(field.type, value[name], [*path, name], declared_max_items(field))
            elif (default := coerce_default_value(field)) is not Undefined:
                coerced[name] = default
        return coerced

    def _coerce_part(self, kind: GraphQLInputObjectType, value: dict[str, Any], path: Path) -> Any:
        """Coerce an object with missing or unknown fields: graphql-core gets a part of it with the same errors."""
        part = _cut(kind, value, self._maximum + 1)
        validate_input_value(part, kind, partial(self._record, kind, part, path), self._hide_suggestions)
        return coerce_input_value(part, kind)

    def _record(self, kind: GraphQLInputType, value: Any, path: Path, error: GraphQLError, below: Path) -> None:
        """Add an error of graphql-core `below` a value at a path."""
        inner, requirement = explain(error, kind, value, below, hide_suggestions=self._hide_suggestions)
        self._add([*path, *inner], requirement)

    def _report(self, path: Path, requirement: str) -> NoReturn:
        """Add an error of this module, and stop the search."""
        self._add(path, requirement)
        raise _TooMany

    def _add(self, path: Path, requirement: str) -> None:
        assert self._variable is not None
        self.add(Place("variable", self._variable.signature.name).error(path, requirement, self._variable.node))


def _cut(kind: GraphQLInputType, value: Any, few: int) -> Any:
    """Return a value with at most `few` items of each list and `few` unknown fields of each object."""
    if is_non_null_type(kind):
        return _cut(kind.of_type, value, few)
    if is_list_type(kind) and type(value) is list:
        return [_cut(kind.of_type, each, few) for each in value[:few]]
    if is_input_object_type(kind) and type(value) is dict:
        fields = kind.fields
        unknown = set(islice((name for name in value if name not in fields), few))
        part = ((name, each) for name, each in value.items() if name in fields or name in unknown)
        return {name: _cut(fields[name].type, each, few) if name in fields else each for name, each in part}
    return value
