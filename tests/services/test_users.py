"""Claims about creating users, one and many."""

import asyncio
import json
from typing import Any

from app import db
from app.db import tables
from app.domain.refs import decode
from app.domain.viewer import Permission
from tests.support.changes import answered, change, problems, unchanged
from tests.support.client import Api, codes, paths
from tests.support.factories import PASSWORD, Make, rows_of

CREATE = change("createUser", "user { userName email metadata roles { name } }")
CREATE_MANY = change("createUsers", "results { index user { id userName } errors { code path } }")


async def test_an_administrator_makes_a_user(api: Api, make: Make) -> None:
    root = await make.admin()

    reply = await api(
        CREATE, as_=root, input={"userName": "Ann", "password": "long enough a password", "email": "a@b.example"}
    )

    assert reply == {
        "data": {
            "createUser": {
                "user": {"userName": "Ann", "email": "a@b.example", "metadata": {}, "roles": [{"name": "user"}]},
                "errors": [],
            }
        }
    }


async def test_a_name_that_differs_by_case_is_taken(api: Api, make: Make, database: db.Database) -> None:
    root = await make.admin()
    await make.user("Ann")

    async with unchanged(database):
        reply = await api(CREATE, as_=root, input={"userName": "aNN"})

    assert problems(reply) == {"CONFLICT input.userName"}


async def test_every_problem_is_named_at_once(api: Api, make: Make, database: db.Database) -> None:
    root = await make.admin()
    invalid = {
        "userName": "two words",
        "email": "nowhere",
        "password": "short",
        "roles": ["user", "nobody"],
        "metadata": {"maxStorageMB": -1, "roles": ["good", "a/b"]},
    }

    async with unchanged(database):
        reply = await api(CREATE, as_=root, input=invalid)

    assert problems(reply) == {
        "INVALID_INPUT input.userName",
        "INVALID_INPUT input.email",
        "INVALID_INPUT input.password",
        "INVALID_INPUT input.roles.1",
        "INVALID_INPUT input.metadata.maxStorageMB",
        "INVALID_INPUT input.metadata.roles.1",
    }


async def test_a_name_of_other_characters_or_a_reserved_one_is_refused(
    api: Api, make: Make, database: db.Database
) -> None:
    root = await make.admin()
    forms = ["", " ", " ann", "ann ", "two words", "a-b", "a_b", "a@b", "änne", "\uff21nn", "a\n", "a\0b", "a" * 128]
    words = ["roles", "Storage", "META", "detailed", "authenticate", "changePwd", "Management-Enabled", "anonymous"]

    async with unchanged(database):
        replies = [await api(CREATE, as_=root, input={"userName": name}) for name in forms + words]

    assert [problems(reply) for reply in replies] == [{"INVALID_INPUT input.userName"}] * len(replies)


async def test_the_shortest_and_the_longest_name_are_good(api: Api, make: Make) -> None:
    root = await make.admin()

    for name in ("a", "7", "a" * 127, "rolesX"):
        reply = await api(CREATE, as_=root, input={"userName": name})
        assert answered(reply, "createUser")["user"]["userName"] == name


async def test_an_address_that_differs_by_case_is_taken(api: Api, make: Make, database: db.Database) -> None:
    root = await make.admin()
    await make.user("ann", email="Ann@Example.org")

    async with unchanged(database):
        reply = await api(CREATE, as_=root, input={"userName": "bea", "email": " aNN@example.ORG "})

    assert problems(reply) == {"CONFLICT input.email"}


async def test_a_blank_address_is_none_for_any_number_of_users(api: Api, make: Make) -> None:
    root = await make.admin()

    for at, blank in enumerate(["", "  ", None, "\t"]):
        reply = await api(CREATE, as_=root, input={"userName": f"ann{at}", "email": blank})
        assert answered(reply, "createUser")["user"]["email"] is None


async def test_an_address_has_one_at_sign_and_no_odd_characters(api: Api, make: Make, database: db.Database) -> None:
    root = await make.admin()
    bad = ["a", "@", "a@", "@b", "a@b@c", "a b@c", "a@b\0", "a@b\x07", f"{'a' * 250}@b.co"]

    async with unchanged(database):
        replies = [await api(CREATE, as_=root, input={"userName": "ann", "email": email}) for email in bad]

    assert [problems(reply) for reply in replies] == [{"INVALID_INPUT input.email"}] * len(bad)


async def test_metadata_that_is_no_small_object_is_refused(api: Api, make: Make, database: db.Database) -> None:
    root = await make.admin()
    cases: list[tuple[Any, str]] = [
        ([], ""),
        ("text", ""),
        (7, ""),
        (False, ""),
        ({"key": "x" * 65_536}, ""),
        ({"key": "ü" * 32_768}, ""),
        ({"maxStorageMB": True}, ".maxStorageMB"),
        ({"maxStorageMB": -0.5}, ".maxStorageMB"),
        ({"maxStorageMB": "12"}, ".maxStorageMB"),
        ({"maxStorageMB": None}, ".maxStorageMB"),
        ({"roles": "user"}, ".roles"),
        ({"roles": [1]}, ".roles"),
        ({"roles": None}, ".roles"),
        ({"roles": [""]}, ".roles.0"),
    ]

    async with unchanged(database):
        replies = [
            await api(CREATE, as_=root, input={"userName": "ann", "metadata": metadata}) for metadata, _ in cases
        ]

    assert [problems(reply) for reply in replies] == [{f"INVALID_INPUT input.metadata{path}"} for _, path in cases]


async def test_roles_in_the_metadata_of_a_new_user_take_precedence_over_the_others(api: Api, make: Make) -> None:
    root = await make.admin()
    await make.role("Editor")
    inputs = [
        {"userName": "ann", "metadata": {"roles": ["EDITOR", "deputy"]}},
        {"userName": "bea", "metadata": {"a": 1}},
    ]

    one = await api(CREATE, as_=root, input={**inputs[0], "userName": "zoe", "roles": ["user"]})
    many = await api(change("createUsers", "results { user { roles { name } } }"), as_=root, input={"users": inputs})

    results = [answered(one, "createUser"), *answered(many, "createUsers")["results"]]
    assert [[role["name"] for role in each["user"]["roles"]] for each in results] == [
        ["deputy", "Editor"],
        ["deputy", "Editor"],
        ["user"],
    ]


async def test_metadata_of_a_new_user_gives_nothing_that_its_giver_does_not_hold(
    api: Api, make: Make, database: db.Database
) -> None:
    clerk = await make.holder(Permission.USERS_MANAGE)
    fields = {"userName": "ann", "roles": [], "metadata": {"roles": ["new", "Admin"]}}

    async with unchanged(database):
        replies = [
            await api(CREATE, as_=clerk, input=fields),
            await api(CREATE_MANY, as_=clerk, input={"users": [fields]}),
        ]

    assert [codes(reply) for reply in replies] == [["FORBIDDEN"]] * 2


async def test_metadata_of_exactly_64_kib_is_stored(api: Api, make: Make) -> None:
    metadata = {"key": "x" * (65_536 - len('{"key":""}'))}

    reply = await api(CREATE, as_=await make.admin(), input={"userName": "ann", "metadata": metadata})

    assert answered(reply, "createUser")["user"]["metadata"] == metadata


async def test_metadata_comes_back_as_it_went_in(api: Api, make: Make) -> None:
    metadata = {
        "z": [1, 1.5, -0.0, None, True, "", "ü\0 \u2028"],
        "a": {"Y": {}, "y": [], "": 0},
        "largest": 2**64 - 1,
        "smallest": -(2**63),
        "maxStorageMB": 0.5,
    }

    reply = await api(CREATE, as_=await make.admin(), input={"userName": "ann", "metadata": metadata})

    assert json.dumps(answered(reply, "createUser")["user"]["metadata"]) == json.dumps(metadata)


async def test_a_number_that_json_cannot_keep_is_refused(api: Api, make: Make, database: db.Database) -> None:
    root = await make.admin()
    inputs = [f'{{userName: "ann", metadata: {{deep: [{value}]}}}}' for value in (2**64, -(2**63) - 1, "1e999")]

    async with unchanged(database):
        replies = [
            await api(f"mutation {{ createUser(input: {literal}) {{ errors {{ code path }} }} }}", as_=root)
            for literal in inputs
        ]

    assert [codes(reply) for reply in replies] == [["GRAPHQL_VALIDATION_FAILED"]] * 3
    assert [reply["errors"][0]["extensions"]["path"] for reply in replies] == [["metadata"]] * 3


async def test_what_is_no_number_in_json_does_not_arrive(api: Api, make: Make, database: db.Database) -> None:
    headers = api.headers(await make.admin()) | {"content-type": "application/json"}
    fields = {"userName": "ann", "metadata": {"maxStorageMB": "?"}}
    body = json.dumps({"query": CREATE, "variables": {"input": fields}})
    bodies = [body.replace('"?"', value) for value in ("NaN", "Infinity", "-Infinity", "1e999")]

    async with unchanged(database):
        responses = [await api.client.post("/graphql", content=each, headers=headers) for each in bodies]

    assert [(each.status_code, codes(each.json())) for each in responses] == [(400, ["BAD_REQUEST"])] * 4


async def test_metadata_that_is_nested_too_deep_is_refused(api: Api, make: Make, database: db.Database) -> None:
    root = await make.admin()
    deep: dict[str, Any] = {}
    for _ in range(120):
        deep = {"in": deep}

    async with unchanged(database):
        response = await api.post(CREATE, root, input={"userName": "ann", "metadata": deep})

    assert (response.status_code, codes(response.json())) == (400, ["BAD_REQUEST"])


async def test_a_user_without_a_password_signs_in_once_one_is_set(api: Api, make: Make) -> None:
    root = await make.admin()
    login, reset = change("login", "session { user { userName } }"), change("resetPassword")
    fields = {"userName": "ann", "password": PASSWORD}
    await api(CREATE, as_=root, input={"userName": "ann"})

    assert codes(await api(login, input=fields)) == ["UNAUTHENTICATED"]
    answered(await api(reset, as_=root, input={"user": {"userName": "ann"}, "newPassword": PASSWORD}), "resetPassword")
    assert answered(await api(login, input=fields), "login")["session"]["user"]["userName"] == "ann"


async def test_a_password_that_breaks_a_rule_is_refused(api: Api, make: Make, database: db.Database) -> None:
    root = await make.admin()
    new = [{"userName": "ann", "password": bad} for bad in ("", "eleven char", "x" * 1_025, "twelve chars\0")]

    async with unchanged(database):
        one = [await api(CREATE, as_=root, input=each) for each in new]
        many = [await api(CREATE_MANY, as_=root, input={"users": [each]}) for each in new]

    assert [problems(reply) for reply in one] == [{"INVALID_INPUT input.password"}] * 4
    assert [problems(reply) for reply in many] == [{"INVALID_INPUT input.users.0.password"}] * 4


async def test_a_new_user_holds_the_roles_that_are_named(api: Api, make: Make) -> None:
    root = await make.admin()
    await make.role("editor")
    cases: list[tuple[dict[str, Any], list[str]]] = [
        ({}, ["user"]),
        ({"roles": None}, ["user"]),
        ({"roles": []}, []),
        ({"roles": ["USER", "Editor", "editor"]}, ["editor", "user"]),
    ]

    for at, (fields, expected) in enumerate(cases):
        reply = await api(CREATE, as_=root, input={"userName": f"ann{at}", **fields})
        assert [role["name"] for role in answered(reply, "createUser")["user"]["roles"]] == expected


async def test_of_two_who_take_a_name_at_the_same_moment_one_gets_it(
    api: Api, make: Make, database: db.Database
) -> None:
    root = await make.admin()

    replies = await asyncio.gather(*(api(CREATE, as_=root, input={"userName": name}) for name in ("ann", "ANN")))

    assert sorted(map(sorted, map(problems, replies))) == [[], ["CONFLICT input.userName"]]
    assert await rows_of(database, tables.User) == 2


async def test_many_users_are_created_in_the_order_of_the_input(api: Api, make: Make) -> None:
    names = ["zoe", "Ann", "mia"]

    reply = await api(CREATE_MANY, as_=await make.admin(), input={"users": [{"userName": name} for name in names]})

    results = answered(reply, "createUsers")["results"]
    assert [(each["index"], each["user"]["userName"], each["errors"]) for each in results] == [
        (at, name, []) for at, name in enumerate(names)
    ]


async def test_of_many_users_all_are_made_or_none(api: Api, make: Make, database: db.Database) -> None:
    root = await make.admin()
    await make.user("taken", email="taken@b.example")
    new = [
        {"userName": "good"},
        {"userName": "Taken", "email": "x"},
        {"userName": "twice"},
        {"userName": "TWICE", "email": "taken@b.example"},
    ]

    async with unchanged(database):
        reply = await api(CREATE_MANY, as_=root, input={"users": new})

    results = reply["data"]["createUsers"]["results"]
    assert [[".".join(error["path"]) for error in each["errors"]] for each in results] == [
        [],
        ["input.users.1.email", "input.users.1.userName"],
        [],
        ["input.users.3.userName", "input.users.3.email"],
    ]
    assert [each["user"] for each in results] == [None] * 4
    assert len(paths(reply)) == 4


async def test_a_thousand_users_are_made_at_once(api: Api, make: Make, database: db.Database) -> None:
    users = [{"userName": f"user{at}", "email": f"u{at}@b.example"} for at in range(1_000)]

    reply = await api(CREATE_MANY, as_=await make.admin(), input={"users": users})

    results = answered(reply, "createUsers")["results"]
    keys = [decode(each["user"]["id"]) for each in results]
    assert len(set(keys)) == 1_000
    assert await rows_of(database, tables.UserRole) == 1_001


async def test_no_users_or_too_many_are_refused(api: Api, make: Make, database: db.Database) -> None:
    root = await make.admin()
    many = [{"userName": f"u{at}"} for at in range(1_001)]

    async with unchanged(database):
        replies = [await api(CREATE_MANY, as_=root, input={"users": users}) for users in ([], many)]

    assert [problems(reply) for reply in replies] == [{"INVALID_INPUT input.users"}] * 2
    assert [reply["data"]["createUsers"]["results"] for reply in replies] == [[], []]


async def test_users_with_a_role_that_the_viewer_may_not_assign_are_not_created(
    api: Api, make: Make, database: db.Database
) -> None:
    clerk = await make.holder(Permission.USERS_MANAGE)

    async with unchanged(database):
        one = await api(CREATE, as_=clerk, input={"userName": "ann", "roles": ["admin"]})
        many = await api(CREATE_MANY, as_=clerk, input={"users": [{"userName": "ann"}]})

    assert (codes(one), codes(many)) == (["FORBIDDEN"], ["FORBIDDEN"])
