"""Claims about planned mutations: plans return what the reference executor returns, and a mutation runs once."""

from collections.abc import Collection, Iterator, Mapping
from inspect import isawaitable
from typing import Any

import pytest
from graphql import ExecutionResult, execute, get_named_type, is_leaf_type, is_object_type, is_required_argument
from starlette.applications import Starlette

from app import db
from app.config import Limits
from app.domain.viewer import ANONYMOUS, Viewer
from app.graphql import schema
from app.graphql.coercion.arguments import NO_VARIABLES
from app.graphql.coercion.variables import VariableCoercion
from app.graphql.compiled import mutations
from app.graphql.compiled.fallback import NotPlannable
from app.graphql.compiled.mutations import MutationExecutor
from app.graphql.compiled.plan_cache import Fallback
from app.graphql.compiled.planner import Planner
from app.graphql.context import GraphQLContext
from app.graphql.documents.cache import DocumentCache
from app.graphql.handler import GraphQLHandler
from app.http import encode_json
from app.security import authentication, session_tokens
from tests.graphql.test_executor import EXECUTOR_HEADER
from tests.oracle.matrix import World
from tests.policy.test_policy import MUTATION_MATRIX
from tests.support.changes import change, unchanged
from tests.support.client import Api, codes
from tests.support.factories import PASSWORD, Make, Person
from tests.support.logged import logged
from tests.support.walking import SCHEMA, mutation_type


def _has_bulk_results(name: str) -> bool:
    results = get_named_type(mutation_type().fields[name].type).fields.get("results")
    return results is not None and "status" in get_named_type(results.type).fields


BULK = {name for name in mutation_type().fields if _has_bulk_results(name)}
"""Mutations with a result for each entry, which has errors of several types."""

UNPLANNED: Mapping[str, str] = {
    **{f"{name}.results": "a field of several types" for name in BULK},
    "moveResources.results": "MoveResourcesResult.resource",
    "login.session": "Session.user",
    "refreshToken.session": "Session.user",
    "changePassword.session": "Session.user",
}
"""The payload fields without a plan, with the reason."""

ANOTHER = {"login", "refreshToken", "logout", "changePassword"}
"""Mutations that change the viewer, so that the plan may not fit the permissions."""

QUERY = "query { viewer { user { userName } } users(first: 2) { totalCount nodes { userName roles { name } } } }"


def _fields(kind: Any, depth: int, without: Collection[str] = ()) -> Iterator[str]:
    """Yield the selections of a type without arguments, down to a depth."""
    for name, field in kind.fields.items():
        below = get_named_type(field.type)
        if name in without or any(map(is_required_argument, field.args.values())):
            continue
        if is_leaf_type(below):
            yield name
        elif below is SCHEMA.query_type:
            yield QUERY
        elif name == "errors":
            yield "errors { code message path }"
        elif depth and is_object_type(below) and (fields := [*_fields(below, depth - 1)]):
            yield f"{name} {{ __typename {' '.join(fields)} }}"


def _text(name: str, fields: str) -> str:
    """Return the text of a mutation with these fields of its payload."""
    arguments = mutation_type().fields[name].args
    variables = ", ".join(f"${each}: {argument.type}" for each, argument in arguments.items())
    call_arguments = ", ".join(f"{each}: ${each}" for each in arguments)
    head, call = (f"mutation ({variables})", f"{name}({call_arguments})") if variables else ("mutation", name)
    return f"{head} {{ it: {call} {{ {fields} }} }}"


def _payload(name: str) -> Any:
    return get_named_type(mutation_type().fields[name].type)


class Both:
    """Both executors, for one mutation."""

    def __init__(self, answering: GraphQLHandler) -> None:
        self._app_context, self._statements = answering.app, answering.statements
        self._documents = DocumentCache(schema.core(), Limits())
        self._variables = VariableCoercion(schema.core())
        self._planner = Planner(schema.core(), self._statements, schema.converted, answering.app)
        self._changes = MutationExecutor(self._planner, at_once=True)

    async def ask(
        self, text: str, viewer: Viewer, input_value: Any
    ) -> tuple[dict[str, Any] | Fallback, dict[str, Any]]:
        """Run a mutation; returns the data of its plan and the data of the reference executor."""
        variables = {} if input_value is None else {"input": input_value}
        validated, context = (
            self._documents.lookup(text, None),
            GraphQLContext(self._app_context, self._statements, viewer),
        )
        coerced = self._variables.coerce(validated, variables, hide_suggestions=False)
        planned = await self._changes.answer(validated, coerced, context)
        execution = execute(schema.core(), validated.document, context_value=context, variable_values=variables)
        result = await execution if isawaitable(execution) else execution
        assert isinstance(result, ExecutionResult)
        assert not result.errors
        assert result.data is not None
        return planned, result.data

    def fallback_reason(self, text: str) -> str:
        """Return the reason why a mutation has no plan."""
        with pytest.raises(NotPlannable) as caught:
            mutations.plan(self._planner, self._documents.lookup(text, None), NO_VARIABLES, ANONYMOUS)
        return caught.value.reason


@pytest.fixture
def both(app: Starlette) -> Both:
    return Both(app.state.answering)


async def _viewer(database: db.Database, person: Person) -> Viewer:
    claims = session_tokens.TokenClaims(person.id, person.user_name, False, person.generation)
    found = await authentication.viewer_from_token(database, claims)
    assert isinstance(found, authentication.Authenticated)
    return found.viewer


@pytest.mark.parametrize("name", sorted(set(MUTATION_MATRIX) - ANOTHER))
async def test_a_plan_tells_of_a_change_what_the_reference_executor_tells(
    both: Both, make: Make, database: db.Database, name: str
) -> None:
    root, scene = await make.admin(), await MUTATION_MATRIX[name].scene(make, World.OPEN)
    without = {field.partition(".")[2] for field in UNPLANNED if field.startswith(f"{name}.")}
    text = _text(name, " ".join(["__typename", *_fields(_payload(name), 2, without)]))

    async with logged(database) as since:
        planned, reference = await both.ask(text, await _viewer(database, root), scene.input)

    assert encode_json(planned) == encode_json(reference)
    assert since.one.action == name
    assert without or any(value for key, value in reference["it"].items() if key not in {"__typename", "query"})


@pytest.mark.parametrize("field", sorted(UNPLANNED))
async def test_the_reference_executor_tells_of_these_from_the_start(both: Both, field: str) -> None:
    name, _, below = field.partition(".")
    fields = " ".join(_fields(get_named_type(_payload(name).fields[below].type), 1))

    assert both.fallback_reason(_text(name, f"{below} {{ {fields} }}")) == UNPLANNED[field]


SIGN_IN = """mutation ($input: LoginInput!) {
    login(input: $input) { session { token } query { viewer { user { userName } } } } }"""


async def test_the_fields_after_a_login_belong_to_the_user_who_signed_in(api: Api, make: Make) -> None:
    await make.user("ann"), await make.user("ben")
    replies = []
    for name in ("ann", "ann", "ben"):
        api.client.cookies.clear()
        value = {"userName": name, "password": PASSWORD}
        response = await api.post_with_stats(SIGN_IN, input=value)
        replies.append(
            (response.headers[EXECUTOR_HEADER], response.json()["data"]["login"]["query"]["viewer"]["user"]["userName"])
        )

    assert replies == [
        ('reference; reason="first request"', "ann"),
        ('reference; reason="another viewer"', "ann"),
        ('reference; reason="another viewer"', "ben"),
    ]


RENAME = change("updateOrg", "org { name }")


async def test_both_executors_return_the_same_refusal(api: Api, make: Make, database: db.Database) -> None:
    root, eve, org = await make.admin(), await make.user(), await make.org(is_public=True)
    other = {"org": {"slug": org.slug}, "name": "Reefs"}
    await api(RENAME, as_=root, input=other), await api(RENAME, as_=eve, input=other)

    async with unchanged(database):
        forbidden = [await api(text, as_=eve, input={**other, "name": "x"}) for text in (RENAME, f" {RENAME}")]
        invalid = [await api(text, as_=root, input={**other, "name": ""}) for text in (RENAME, f" {RENAME}")]

    assert [codes(each) for each in (*forbidden, *invalid)] == [["FORBIDDEN"]] * 2 + [["INVALID_INPUT"]] * 2
    assert invalid[0] == invalid[1]
    assert forbidden[0]["errors"][0]["path"] == forbidden[1]["errors"][0]["path"] == ["updateOrg"]
    assert forbidden[0]["errors"][0]["message"] == forbidden[1]["errors"][0]["message"]


async def test_when_the_plan_fails_the_reference_executor_returns_the_change_and_repeats_nothing(
    api: Api, make: Make, database: db.Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    root, org = await make.admin(), await make.org()
    value = {"org": {"slug": org.slug}, "name": "Reefs"}
    await api(RENAME, as_=root, input=value)

    async def surprised(*_: Any) -> None:
        raise KeyError("gone")

    monkeypatch.setattr(mutations, "execute", surprised)
    async with logged(database) as since:
        response = await api.post_with_stats(RENAME, root, input={**value, "name": "Corals"})

    assert response.headers[EXECUTOR_HEADER] == 'reference; reason="plan failed"'
    assert response.json()["data"] == {"updateOrg": {"org": {"name": "Corals"}, "errors": []}}
    assert since.one.action == "updateOrg"


TWO = """mutation ($a: CreateRoleInput!, $b: CreateRoleInput!, $bare: Boolean!) {
    a: createRole(input: $a) { role { name } query { roles { totalCount } } }
    b: createRole(input: $b) @skip(if: $bare) { role { name } query { roles { totalCount } } } }"""


async def test_several_mutations_run_one_after_the_other_and_a_skipped_one_does_not_count(api: Api, make: Make) -> None:
    root, replies = await make.admin(), []
    for at, bare in enumerate((False, True, False, True)):
        values = {"a": {"name": f"a{at}"}, "b": {"name": f"b{at}"}}
        response = await api.post_with_stats(TWO, root, **values, bare=bare)
        counts = [each["query"]["roles"]["totalCount"] for each in response.json()["data"].values()]
        replies.append((response.headers[EXECUTOR_HEADER], counts))

    assert replies == [
        ('reference; reason="first request"', [4, 5]),
        ('reference; reason="first request"', [6]),
        ('reference; reason="several mutations"', [7, 8]),
        ("compiled", [9]),
    ]
