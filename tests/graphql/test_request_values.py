"""Claims about the limits of values and errors: values are counted before coercion, and errors are bounded."""

from typing import Any

import httpx
import pytest

from app import db
from app.domain.errors import TooComplex
from app.http import require_few_values
from app.observability import counters
from tests.support.changes import unchanged
from tests.support.client import Api, codes
from tests.support.effort import counted
from tests.support.factories import Make

USERS = "query ($f: UserFilter) { users(filter: $f) { totalCount } }"
NODES = "query ($ids: [ID!]!) { nodes(ids: $ids) { id } }"
CREATE = "mutation ($input: CreateUsersInput!) { createUsers(input: $input) { %s } }"
ERRORS = "errors { code message path } results { errors { code } }"
EXCEEDED = 'ostiary_limits_exceeded_total{limit="%s"}'
MAX_CALLS_PER_VALUE = 4
"""What reading takes; coercion takes hundreds."""


@pytest.mark.parametrize(
    ("values", "number"),
    [
        ({}, 0),
        ({"a": 1}, 1),
        ({"a": None, "b": ""}, 2),
        ({"a": []}, 1),
        ({"a": {}}, 1),
        ({"a": [1, 2, 3]}, 4),
        ({"a": {"b": {"c": 1}}}, 3),
        ({"a": [[], {}, [1, {"b": [2, 3]}]]}, 9),
        ({"f": {"or": [1] * 20}}, 22),
    ],
)
def test_every_member_and_every_item_is_a_value(values: dict[str, Any], number: int) -> None:
    require_few_values(values, number, 10**6)
    if number:
        with pytest.raises(TooComplex) as caught:
            require_few_values(values, number - 1, 10**6)
        assert caught.value.value <= number


def test_a_text_that_is_too_short_to_hold_so_many_is_not_counted() -> None:
    require_few_values({"a": [1, 2, 3]}, 2, size=4)


HUGE = {
    "items": (USERS, {"f": {"or": [1] * 500_000}}),
    "objects": (USERS, {"f": {"or": [{}] * 300_000}}),
    "members": (USERS, {"f": {f"a{at}": 1 for at in range(80_000)}}),
    "ids": (NODES, {"ids": ["VXNlcjox"] * 90_000}),
    "nested lists": (USERS, {"f": [[[[1] * 100] * 100] * 25]}),
    "unused": (USERS, {"nothing": [0] * 400_000}),
}


@pytest.mark.parametrize("name", HUGE)
@pytest.mark.parametrize("accept", ["application/json", "application/graphql-response+json"])
async def test_too_many_values_are_refused_before_anything_is_coerced(api: Api, name: str, accept: str) -> None:
    text, variables = HUGE[name]
    before = counters.samples().get(EXCEEDED % "variable_values", 0)
    body = httpx.Request("POST", "http://x", json={"query": text, "variables": variables}).read()
    headers = {"content-type": "application/json", "accept": accept}

    with counted() as effort:
        reply = await api.client.post("/graphql", content=body, headers=headers)

    (error,) = reply.json()["errors"]
    facts = error["extensions"]
    assert (reply.status_code, len(reply.content) < 1_000) == (400, True)
    assert (facts["code"], facts["limit"], facts["maximum"]) == ("OPERATION_TOO_COMPLEX", "variable_values", 50_000)
    assert facts["value"] > 50_000
    assert effort.calls < 5_000 + MAX_CALLS_PER_VALUE * facts["value"]
    assert counters.samples()[EXCEEDED % "variable_values"] == before + 1


@pytest.mark.parametrize("overrides", [{"OSTIARY_REQUEST_LIMITS__VARIABLE_VALUES": "1000"}])
async def test_a_setting_says_how_many_on_both_apis(api: Api, make: Make) -> None:
    root = await make.admin()
    few, many = ({"ids": ["VXNlcjox"] * 50, "more": [1] * number} for number in (948, 949))
    assert "data" in (await api.client.post("/graphql", json={"query": NODES, "variables": few})).json()
    refused = await api.client.post("/graphql", json={"query": NODES, "variables": many})
    got = await api.client.get("/graphql", params={"query": NODES, "variables": httpx.Response(200, json=many).text})
    assert codes(refused.json()) == codes(got.json()) == ["OPERATION_TOO_COMPLEX"]

    rest = await api.client.post("/users", json={"userName": "new", "roles": ["a"] * 5_000}, headers=api.headers(root))
    assert rest.status_code == 400
    assert "variable_values" in rest.json()["error"]


async def test_a_long_list_over_rest_is_refused_by_its_length(api: Api, make: Make) -> None:
    root = await make.admin()
    for body in (
        {"json": {"userName": "new", "roles": ["a"] * 1_001}},
        {"data": {"userName": "n", "roles": "[" + '"a",' * 1_001 + '"a"]'}},
    ):
        reply = await api.client.post("/users", headers=api.headers(root), **body)
        assert reply.status_code == 400
        assert "at most 1,000 texts" in reply.json()["error"]


INVALID_REQUESTS = {
    "values of variables": (USERS, {"f": {"and": [{"userName": {"in": [1] * 60}}]}}),
    "fields": ("{ viewer { " + " ".join(f"a{at}" for at in range(80)) + " } }", {}),
}


@pytest.mark.parametrize("name", INVALID_REQUESTS)
async def test_a_reply_has_fifty_errors_and_says_that_there_are_more(api: Api, name: str) -> None:
    text, variables = INVALID_REQUESTS[name]
    reply = (await api.client.post("/graphql", json={"query": text, "variables": variables})).json()

    *first, last = reply["errors"]
    assert len(first) == 50
    assert last == {"message": "Further errors are left out.", "extensions": {"code": "ERRORS_LEFT_OUT"}}


@pytest.mark.parametrize("overrides", [{"OSTIARY_REQUEST_LIMITS__ERRORS": "3"}])
async def test_errors_of_fields_of_a_payload_and_of_rest_are_cut_too(
    api: Api, make: Make, database: db.Database
) -> None:
    root = await make.admin()
    many = [{"userName": f"no good {at}"} for at in range(10)]
    before = counters.samples().get(EXCEEDED % "errors", 0)

    query = 'a{}: checkAccessBatch(users: ["x"], resources: [], roles: [])'
    fields = await api("{ " + " ".join(map(query.format, range(8))) + " }", as_=root)
    async with unchanged(database):
        payload = await api(CREATE % ERRORS, as_=root, input={"users": many})
        form = await api.client.post("/users", data={"x": "y"}, headers=api.headers(root))

    *first, last = fields["errors"]
    assert [each["extensions"]["code"] for each in first] == ["BAD_USER_INPUT"] * 3
    assert last["message"] == "5 further errors are left out."
    assert last["extensions"] == {"code": "ERRORS_LEFT_OUT", "leftOut": 5}
    result = payload["data"]["createUsers"]
    assert [each["message"] for each in result["errors"]][3:] == ["7 further errors are left out."]
    assert sum(len(each["errors"]) for each in result["results"]) == 3
    assert form.status_code == 400
    assert counters.samples()[EXCEEDED % "errors"] >= before + 2


async def test_a_long_name_is_not_repeated_at_length(api: Api) -> None:
    for name in ("a" * 900, "a" * 150_000):
        reply = await api.client.post("/graphql", json={"query": "{ " + f"{name}(b: 1) " * 2 + "}"})
        assert len(reply.content) < 5_000
        assert codes(reply.json())


async def test_values_count_wherever_they_are_used(api: Api, make: Make) -> None:
    ann = await make.user("ann")
    fields = " ".join(f"a{at}: createUsers(input: $input) {{ errors {{ code }} }}" for at in range(20))
    often, once = (
        f"mutation ($input: CreateUsersInput!) {{ {each} }}" for each in (fields, fields[: fields.index("}") + 3])
    )
    variables = {"input": {"users": [{"userName": f"u{at}", "email": "a@b.example"} for at in range(1_000)]}}

    assert codes(await api(once, as_=ann, **variables)) == ["FORBIDDEN"]
    (error,) = (await api(often, as_=ann, **variables))["errors"]
    assert error["extensions"]["limit"] == "variable_values"
    assert error["message"].endswith("60,040 or more, counted wherever they are used.")
