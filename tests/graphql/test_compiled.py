"""Claims about the compiled executor: its answers equal the reference ones, and it falls back for custom code only."""

from collections.abc import Iterator
from random import Random
from typing import Any

import pytest
from graphql import GraphQLInterfaceType, GraphQLObjectType, get_named_type
from starlette.applications import Starlette

from app import db
from app.domain import refs
from app.domain.viewer import Viewer
from app.graphql.handler import GraphQLHandler
from tests.oracle.naive.capabilities import GROUP_CONTACT
from tests.oracle.questions import BAD_CURSORS, BAD_IDS, Asker
from tests.oracle.questions.complete import complete_questions, probes
from tests.oracle.selections import SDL
from tests.oracle.worlds import Question, World, crowded
from tests.support.differential import UNPLANNED, Both, viewers_of
from tests.support.runs import compare_in_world

SMALL = (0, 1)
"""Numbers of worlds: one has odd values, one is almost empty."""

MOST = 700
"""Questions after which plans have returned every field; a third of them are needed."""

SIZE = 25


@pytest.fixture
def overrides() -> dict[str, str]:
    """Set what would be null by default."""
    return {"OSTIARY_GROUP_CONTACT": GROUP_CONTACT}


@pytest.fixture
def both(app: Starlette) -> Both:
    """Return both executors for the database of the test. They share compiled statements with other tests."""
    answering: GraphQLHandler = app.state.answering
    return Both(answering.app, answering.statements)


@pytest.fixture
async def world(database: db.Database) -> World:
    """Return a world with objects of every type."""
    crowd = crowded(Random(8), SIZE)
    await crowd.write(database)
    return crowd


@pytest.fixture
async def viewers(database: db.Database, world: World) -> dict[str, Viewer]:
    """Return the viewers of the world."""
    return await viewers_of(database, world)


async def test_every_question_is_answered_alike_and_by_plans_where_that_can_be(
    both: Both, world: World, viewers: dict[str, Viewer]
) -> None:
    random = Random(8)
    for question in complete_questions(SDL):
        await both.ask(question, viewers["admin"], "admin")
    for question in probes(Asker(SDL, random, world)):
        await both.ask(question, viewers["admin"], "admin")
    for at in range(MOST):
        if not (missed := EXPECTED - both.tally.features.keys()):
            break
        question = Asker(SDL, random, world, both.cursors, missed).question()
        kind = "admin" if at % 3 else random.choice(sorted(viewers))
        await both.ask(question, viewers[kind], kind)
    assert EXPECTED - both.tally.features.keys() == set()
    assert set(both.tally.questions) <= {"compiled", *UNPLANNED}
    assert both.tally.share >= 0.97


@pytest.mark.parametrize("number", SMALL)
async def test_both_executors_answer_every_viewer_alike_in_small_worlds(
    both: Both, database: db.Database, number: int
) -> None:
    assert [failure async for failure in compare_in_world(both, database, number, 10)] == []


async def test_both_executors_page_through_lists_alike_in_every_order_forward_and_back(
    both: Both, world: World, viewers: dict[str, Viewer]
) -> None:
    for at, (name, order) in enumerate(_orders()):
        viewer = viewers["admin" if at % 3 else "plain, limited"]
        forth = await _all_ids(both, viewer, FORWARD % (name, order % "ASC"), "endCursor")
        back = await _all_ids(both, viewer, BACKWARD % (name, order % "DESC"), "startCursor")
        assert len(forth) == len(set(forth))
        assert {*forth} == {*back}
    assert set(both.tally.questions) == {"compiled"}


PAGE = "{ pageInfo { hasNextPage hasPreviousPage startCursor endCursor } edges { cursor node { id } } }"
FORWARD = f"query ($at: String) {{ list: %s(first: 20, after: $at%s) {PAGE} }}"
BACKWARD = f"query ($at: String) {{ list: %s(last: 20, before: $at%s) {PAGE} }}"


def _orders() -> Iterator[tuple[str, str]]:
    """Yield a query for each list under `Query` and each of its order fields, without the direction."""
    for name, field in _fields(SDL.query_type).items():
        if "first" not in field.args:
            continue
        if "orderBy" not in field.args:
            yield name, "%.0s"
            continue
        by: Any = get_named_type(field.args["orderBy"].type)
        for each in get_named_type(by.fields["field"].type).values:
            yield name, f", orderBy: {{field: {each}, direction: %s}}"


async def _all_ids(both: Both, viewer: Viewer, text: str, end: str) -> list[str]:
    """Return the ids of all pages of a list."""
    ids: list[str] = []
    at = None
    while True:
        reply = await both.ask(Question(text, {"at": at}), viewer, "somebody")
        assert reply is not None
        page = reply["data"]["list"] or {"edges": []}
        if not page["edges"]:
            return ids
        ids += [edge["node"]["id"] for edge in page["edges"]]
        at = page["pageInfo"][end]


SERVED = """query ($id: ID!, $first: Int, $after: String, $name: String, $down: OrderDirection!, $bare: Boolean!) {
    viewer { user { userName groups(first: $first) { totalCount nodes { slug } } } }
    node(id: $id) { id ... on User { userName @skip(if: $bare) } ... on Org { name @include(if: $bare) } }
    users(first: $first, after: $after, filter: {userName: {contains: $name}},
        orderBy: [{field: USER_NAME, direction: $down}]) { totalCount edges { cursor node { userName } } } }"""


async def test_one_plan_serves_others_who_hold_the_same_with_other_values(
    both: Both, world: World, viewers: dict[str, Viewer]
) -> None:
    named: list[list[str]] = []
    for kind in ("plain", "stranger", "nobody", "plain by a token"):
        for at, down in enumerate(("ASC", "DESC", "ASC")):
            values = {"id": world.ids[at * 9], "first": at + 1, "down": down, "name": "CcC"[at], "bare": at == 2}
            reply = await both.ask(Question(SERVED, values), viewers[kind], kind)
            assert reply is not None
            edges = reply["data"]["users"]["edges"]
            named.append([edge["node"]["userName"] for edge in edges])
            if edges:
                values["after"] = edges[-1]["cursor"]
                await both.ask(Question(SERVED, values), viewers[kind], kind)
    assert len({tuple(names) for names in named}) > 3
    assert set(both.tally.questions) == {"compiled"}
    assert not both.tally.mistaken


async def test_ids_that_name_nothing_are_answered_by_plans(both: Both, viewers: dict[str, Viewer]) -> None:
    for name in (*BAD_IDS, refs.encode("User", 2**31 - 1), refs.encode("Org", 1), refs.encode("PageInfo", 1)):
        text = """query ($id: ID!) { node(id: $id) { id } nodes(ids: [$id, "x"]) { __typename } ticket(id: $id) { id }
            user(by: {id: $id}) { id } org(by: {id: $id}) { id } resource(by: {id: $id}) { id } }"""
        await both.ask(Question(text, {"id": name}), viewers["admin"], "admin")
    assert both.tally.questions == {"compiled": len(BAD_IDS) + 3}


async def test_invalid_arguments_are_refused_by_the_reference_executor(both: Both, viewers: dict[str, Viewer]) -> None:
    pages = [f'after: "{cursor}"' for cursor in BAD_CURSORS]
    pages += ["first: 0", "last: 101", "first: 1, last: 1", 'last: 1, after: "x"', 'before: "x"']
    for page in pages:
        await both.ask(Question(f"{{ users({page}) {{ totalCount }} }}", {}), viewers["admin"], "admin")
    await both.ask(
        Question(f"{{ nodes(ids: {['x'] * 101}) {{ id }} }}".replace("'", '"'), {}), viewers["plain"], "plain"
    )
    assert (both.tally.questions, both.tally.mistaken) == ({}, {"refusal": len(pages) + 1})


async def test_below_null_no_error_is_raised(both: Both, viewers: dict[str, Viewer]) -> None:
    """No resolver runs below a null, so that its invalid arguments raise no error."""
    text = """{ viewer { user { groups(first: 0) { totalCount } } }
        user(by: {id: "x"}) { groups(last: -1) { totalCount } } }"""
    await both.ask(Question(text, {}), viewers["nobody"], "nobody")
    assert both.tally.questions == {"compiled": 1}


@pytest.mark.parametrize("rows", [0, 1])
async def test_below_a_list_an_argument_is_refused_only_for_a_row(
    both: Both, viewers: dict[str, Viewer], rows: int
) -> None:
    """Also on PostgreSQL, which reads the list and what is below it by one statement."""
    condition = "" if rows else '(filter: {userName: {eq: "nobody has this name"}})'
    text = f"{{ users{condition} {{ nodes {{ groups(last: -1) {{ totalCount }} roles {{ name }} }} }} }}"
    await both.ask(Question(text, {}), viewers["admin"], "admin")

    expected = ({}, {"refusal": 1}) if rows else ({"compiled": 1}, {})
    assert (both.tally.questions, both.tally.mistaken) == expected


async def test_just_these_fields_do_not_compile(both: Both, world: World, viewers: dict[str, Viewer]) -> None:
    """The test of every question requires that plans return all other fields."""
    user, resource = world.ready("UserBy")[0]["id"], world.ready("ResourceBy")[0]["id"]
    on = f'resource: {{id: "{resource}"}}'
    for text in (
        f'{{ explainAccess(user: {{id: "{user}"}}, {on}) {{ kind }} }}',
        f'{{ explainDenial(user: {{id: "{user}"}}, {on}, role: ADMIN) {{ cause }} }}',
        f'{{ accessDecision(subject: {{user: {{id: "{user}"}}}}, {on}, role: ADMIN) {{ outcome }} }}',
        f"{{ previewAccess(input: {{{on}, revision: 1}}) {{ changes {{ kind }} }} }}",
    ):
        await both.ask(Question(text, {}), viewers["admin"], "admin")
    assert both.tally.questions == dict.fromkeys(UNPLANNED, 1)


def _fields(kind: Any) -> dict[str, Any]:
    """Return the fields of a type that can be planned."""
    return {name: each for name, each in kind.fields.items() if f"{kind}.{name}" not in UNPLANNED}


def _expected() -> Iterator[str]:
    """Yield the features that plans must have executed, so that fallbacks cannot make this test pass."""
    yield from ("alias", "variable", "fragment", "inline fragment", "@skip", "@include", "__typename")
    for kind in _readable():
        yield from ([f"on {kind}"] if kind.interfaces else [])
        for name, each in _fields(kind).items():
            yield f"{kind}.{name}"
            yield from (f"{kind}.{name}({argument}:)" for argument in each.args)


def _readable() -> list[GraphQLObjectType]:
    """Return the object types that planned queries can reach."""
    types: dict[str, Any] = {}
    waiting: list[Any] = [SDL.query_type]
    while waiting:
        kind = waiting.pop()
        if kind.name not in types and isinstance(kind, GraphQLObjectType | GraphQLInterfaceType):
            types[kind.name] = kind
            waiting += [get_named_type(each.type) for each in _fields(kind).values()]
            waiting += [] if isinstance(kind, GraphQLObjectType) else SDL.get_possible_types(kind)
    return [kind for kind in types.values() if isinstance(kind, GraphQLObjectType)]


EXPECTED = frozenset(_expected())
