"""The GraphQL operations of the console have plans, and a number of statements that does not grow with the rows.

The operations are read from the sources of the console. A query with a new variable needs a value in `_values`.
"""

import re
from collections.abc import Iterator
from itertools import count
from typing import Any

import graphql
from graphql import FragmentDefinitionNode, OperationDefinitionNode, OperationType

from app.domain import resource_roles
from app.domain.resource_roles import MemberLevel
from app.graphql import schema
from scripts.console.sources import Console
from tests.support.client import Api
from tests.support.factories import Entity, Make, Person

TAGGED = re.compile(r"\bgraphql\(\s*`([^`]*)`")
SOURCES = Console().folder / "src"
WITHOUT_PLAN = {"CheckPerson", "PreviewAccess", "UserWhy", "Why"}
"""Questions about the access of one user or one draft, which services answer. They are asked in dialogs."""

OF_MANY = re.compile(r"(?:^|/)(?:Bulk\w+\.tsx|offboard/\w+\.tsx?)$")
"""Files whose acts set one value of many objects, whatever it was."""

ROWS = 12
"""Rows that a list has more in the second measurement."""


def _documents() -> Iterator[graphql.DocumentNode]:
    for path in sorted(SOURCES.rglob("*.ts*")):
        if "starters" not in path.name:
            yield from map(graphql.parse, TAGGED.findall(path.read_text()))


def _operations() -> dict[str, str]:
    """Return the text of each operation by its name, with the fragments that it uses."""
    definitions = [each for document in _documents() for each in document.definitions]
    fragments = {each.name.value: each for each in definitions if isinstance(each, FragmentDefinitionNode)}
    operations = [each for each in definitions if isinstance(each, OperationDefinitionNode) and each.name]
    return {each.name.value: _text(each, fragments) for each in operations if each.name}


def _text(operation: OperationDefinitionNode, fragments: dict[str, FragmentDefinitionNode]) -> str:
    used: dict[str, str] = {}
    waiting = [graphql.print_ast(operation)]
    while waiting:
        text = waiting.pop()
        for name in re.findall(r"\.\.\.(\w+)", text):
            if name in fragments and name not in used:
                used[name] = graphql.print_ast(fragments[name])
                waiting.append(used[name])
    return "\n".join([graphql.print_ast(operation), *used.values()])


def _queries() -> dict[str, str]:
    return {name: text for name, text in _operations().items() if _is_query(text)}


def _is_query(text: str) -> bool:
    operation = graphql.get_operation_ast(graphql.parse(text))
    return operation is not None and operation.operation is OperationType.QUERY


def test_every_form_says_what_it_has_read() -> None:
    """So that it overwrites nothing that somebody else has stored meanwhile."""
    texts = {path.relative_to(SOURCES).as_posix(): path.read_text() for path in SOURCES.rglob("*.ts*")}
    conditions: dict[str, set[str]] = {}
    for text in texts.values():
        for name, kind in re.findall(r"const (\w+Mutation) = graphql\(\s*`[^`]*?\$input: (\w+)!", text):
            fields = graphql.assert_input_object_type(schema.core().type_map[kind]).fields.keys()
            conditions[name] = {"ifRevision", "ifCurrent"} & fields

    assert sum(map(bool, conditions.values())) > 10
    assert [
        (path, name)
        for path, text in texts.items()
        for name in re.findall(r"useChange\((\w+)", text)
        if not OF_MANY.search(path) and conditions.get(name) and not any(each in text for each in conditions[name])
    ] == []


def test_every_operation_is_one_of_the_schema() -> None:
    operations = _operations()

    assert len(operations) > 50
    assert {name: errors for name, text in operations.items() if (errors := _errors(text))} == {}


def _errors(text: str) -> list[graphql.GraphQLError]:
    return graphql.validate(schema.core(), graphql.parse(text))


async def test_every_page_has_a_plan_and_takes_as_many_statements_for_many_rows_as_for_few(
    api: Api, make: Make
) -> None:
    root, ann = await make.admin(), await make.user("ann", "user", email="ann@example.org", display_name="Ann")
    org, group = await make.org("reef", owner=ann, is_public=True), await make.group("divers", ann, root)
    corals = await make.resource(org, owner=ann)
    await make.member(org, root)
    numbers = count()
    await _add(make, numbers, org, group, corals, ann)
    values = await _values(api, root, corals, ann)
    few = await _spent(api, root, values)
    for _ in range(ROWS):
        await _add(make, numbers, org, group, corals, ann)

    many = await _spent(api, root, await _values(api, root, corals, ann))

    assert {name: (few[name], spent) for name, spent in many.items() if few[name] != spent} == {}
    assert {name for name, (_, executor) in many.items() if executor != "compiled"} == WITHOUT_PLAN


async def _add(make: Make, numbers: Iterator[int], org: Entity, group: Entity, corals: Entity, ann: Person) -> None:
    """Add a row to each list that a page shows."""
    at = next(numbers)
    user = await make.user(f"diver{at}", "user", email=f"diver{at}@example.org")
    await make.api_token(ann)
    await make.member(org, user, MemberLevel.READ_ONLY)
    await make.group_member(group, user)
    await make.member(await make.org(owner=ann, is_public=bool(at % 2)), ann)
    other = await make.group(None, ann, user)
    reef = await make.resource(org, owner=ann, name=f"Reef {at}")
    await make.locked(reef, ann)
    for to in (other, user):
        await make.grant(corals, to, resource_roles.METADATA_READ)
        await make.grant(reef, to, resource_roles.METADATA_WRITE)


async def _values(api: Api, root: Person, corals: Entity, ann: Person) -> dict[str, dict[str, Any]]:
    """Return the values of the variables: those of all queries, and by the name of a query."""
    reply = await api("query ($id: ID!) { resource(by: {id: $id}) { access { revision } } }", as_=root, id=corals.node)
    draft = {
        "resource": {"id": corals.node},
        "revision": reply["data"]["resource"]["access"]["revision"],
        "general": {"roles": ["METADATA_READ"]},
    }
    pages = {"first": 20, "mineFirst": 20, "publicFirst": 20, "othersFirst": 20}
    common = {"id": corals.node, "userName": ann.user_name, "search": "e", "role": "METADATA_READ"}
    flags = {"seesOthers": True, "isSignedIn": True}
    return {
        "": pages | common | flags | {"resource": corals.node, "input": draft, "org": "reef"},
        "OrgPage": {"slug": "reef"},
        "OrgMembers": {"slug": "reef"},
        "OrgResources": {"slug": "reef"},
        "GroupPage": {"slug": "divers"},
        "ResourceByPath": {"slug": corals.slug},
        "UserAudit": {"id": ann.node},
        "FindPerson": {"text": "ann@example.org"},
    }


async def _spent(api: Api, root: Person, values: dict[str, dict[str, Any]]) -> dict[str, tuple[int, str]]:
    """Return the statements of each query and what executed it. It is asked twice, since a commit empties caches."""
    spent = {}
    for name, text in _queries().items():
        every = values[""] | values.get(name, {})
        own = {key: every[key] for key in re.findall(r"\$(\w+): ", text.partition("{")[0]) if key in every}
        await api.statements(text, as_=root, **own)
        response = await api.post_with_stats(text, as_=root, **own)
        reply = response.json()
        assert "errors" not in reply, (name, reply)
        spent[name] = (reply["extensions"]["stats"]["statements"], response.headers["ostiary-executor"])
    return spent
