"""Claims about errors of arguments that are found while a query runs: they name the argument and the path inside it."""

from typing import Any

import pytest

from tests.support.client import Api
from tests.support.factories import Make

RESOURCE = '{path: {orgSlug: "sea", slug: "reef"}}'
PLACES = [
    ("users(first: 0) { totalCount }", "first", []),
    ("users(last: 101) { totalCount }", "last", []),
    ("users(first: 1, last: 1) { totalCount }", "last", []),
    ('users(after: "x") { nodes { id } }', "after", []),
    ('users(last: 1, before: "x") { nodes { id } }', "before", []),
    ('users(first: 1, before: "x") { totalCount }', "before", []),
    ("users(orderBy: [{field: USER_NAME}, {field: USER_NAME}]) { nodes { id } }", "orderBy", []),
    (
        'users(filter: {search: "a b c d e f g h i j k l m n o p q r s t u v w x y z"}) { totalCount }',
        "filter",
        ["search"],
    ),
    ("users(filter: {userName: {}}) { totalCount }", "filter", ["userName"]),
    (
        f"accessDecision(subject: {{anonymous: false}}, resource: {RESOURCE}, role: ADMIN) {{ outcome }}",
        "subject",
        ["anonymous"],
    ),
    (
        f"accessDecision(subject: {{anonymous: true}}, resource: {RESOURCE}, role: ADMIN, entries: "
        "[{subject: {anyone: true}, roles: [ADMIN]}]) { outcome }",
        "entries",
        ["0", "roles"],
    ),
    ('checkAccessBatch(userNames: ["a"], resourcePaths: ["a/b"], roles: [])', "roles", []),
]


@pytest.mark.parametrize(("field", "argument", "path"), PLACES)
async def test_an_error_names_its_argument(api: Api, make: Make, field: str, argument: str, path: list[Any]) -> None:
    root = await make.admin()
    await make.resource(await make.org("sea"), slug="reef")
    for _ in range(2):  # the second time by a plan, where there is one
        (error,) = (await api(f"{{ {field} }}", root))["errors"]
        assert error["extensions"] == {"code": "BAD_USER_INPUT", "argument": argument, "path": path}


@pytest.mark.parametrize(
    ("columns", "argument"),
    [
        ('userNames: ["root", "ghost"], resourcePaths: ["sea/reef", "sea/reef"]', "userNames"),
        ('userNames: ["root", "root"], resourcePaths: ["sea/reef", "sea/ghost"]', "resourcePaths"),
        ('users: ["VXNlcjox", "VXNlcjo5OQ"], resourcePaths: ["sea/reef", "sea/reef"]', "users"),
        ('userNames: ["root", "root"], resources: ["UmVzb3VyY2U6MQ", "UmVzb3VyY2U6OTk"]', "resources"),
    ],
)
async def test_a_batch_tells_which_entry_is_unknown(api: Api, make: Make, columns: str, argument: str) -> None:
    root = await make.admin()
    await make.resource(await make.org("sea"), slug="reef")
    (error,) = (await api(f"{{ checkAccessBatch({columns}, roles: [ADMIN, ADMIN]) }}", root))["errors"]
    assert error["extensions"] == {"code": "NOT_FOUND", "argument": argument, "path": ["1"]}


async def test_who_does_not_find_everybody_is_told_the_entry_too(api: Api, make: Make) -> None:
    ann, bob = await make.user("ann"), await make.user("bob")
    reef = await make.resource(await make.org("sea", ann), slug="reef", general=0)
    text = """query ($users: [ID!], $resources: [ID!], $roles: [ResourceRole!]!) {
      checkAccessBatch(users: $users, resources: $resources, roles: $roles)
    }"""
    users = [ann.node, bob.node]
    (error,) = (await api(text, ann, users=users, resources=[reef.node] * 2, roles=["ADMIN"] * 2))["errors"]
    assert error["extensions"] == {"code": "NOT_FOUND", "argument": "users", "path": ["1"]}


async def test_the_longest_list_of_checks_is_as_long_by_names_as_by_ids(api: Api, make: Make) -> None:
    root = await make.admin()
    await make.resource(await make.org("sea"), slug="reef")
    text = """query ($users: [String!], $paths: [String!], $roles: [ResourceRole!]!) {
      checkAccessBatch(userNames: $users, resourcePaths: $paths, roles: $roles)
    }"""
    for number, is_answered in ((10_000, True), (10_001, False)):
        columns = {"users": ["root"] * number, "paths": ["sea/reef"] * number, "roles": ["ADMIN"] * number}
        assert ("errors" not in await api(text, root, **columns)) is is_answered
