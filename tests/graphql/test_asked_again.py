"""Claims about repeated queries: a body is parsed once, and answered for the current viewer and time."""

from hashlib import sha256
from typing import Any

import orjson
import pytest
from graphql import get_introspection_query

from app.config import Settings
from app.domain.viewer import Permission
from app.graphql.http import endpoint, request
from tests.support.changes import another
from tests.support.client import Api, codes
from tests.support.factories import Make, Person

ME = "{ viewer { user { userName } } }"
USERS = "{ users { totalCount } }"
ONE = "query ($id: ID!) { node(id: $id) { id } }"
GREETING = 'mutation { login(input: {userName: "nobody", password: "guessed it"}) { errors { code } } }'
ASSIGN = "mutation ($input: AssignRolesInput!) { assignRoles(input: $input) { errors { code } } }"


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """Return the list of the bodies that were parsed so far."""
    bodies: list[bytes] = []
    understand = request.from_body

    def noted(body: bytes, max_values: int) -> Any:
        bodies.append(body)
        return understand(body, max_values)

    monkeypatch.setattr(request, "from_body", noted)
    return bodies


async def _send(api: Api, body: bytes, as_: Person | None = None, **headers: str) -> dict[str, Any]:
    kind = {"content-type": "application/json"}
    reply = await api.client.post("/graphql", content=body, headers={**kind, **api.headers(as_), **headers})
    result: dict[str, Any] = reply.json()
    return result


async def test_the_same_bytes_are_read_once_and_answered_for_each_who_asks(
    api: Api, make: Make, read: list[bytes]
) -> None:
    ann, ben = await make.users(["ann", "ben"])
    body = orjson.dumps({"query": ME})

    answers = [await _send(api, body, each) for each in (ann, ben, None, ann, ben, None)]

    named = [answer["data"]["viewer"]["user"] for answer in answers]
    assert named == [{"userName": "ann"}, {"userName": "ben"}, None] * 2
    assert read == [body]


async def test_repeated_requests_get_current_answers_after_any_change(
    api: Api, make: Make, settings: Settings, read: list[bytes]
) -> None:
    root, ann = await make.admin(), await make.holder(Permission.USERS_VIEW, "ann")
    body = orjson.dumps({"query": USERS})

    async with another(settings) as two:
        seen = [(await _send(each, body, ann))["data"]["users"]["totalCount"] for each in (api, two, api, two)]
        await make.users(["ben", "cleo"])
        more = [(await _send(each, body, ann))["data"]["users"]["totalCount"] for each in (api, two)]
        assert codes(await two(ASSIGN, as_=root, input={"user": {"id": ann.node}, "roles": []})) == []
        less = [(await _send(each, body, ann))["data"]["users"]["totalCount"] for each in (api, two)]

    assert (seen, more, less) == ([2] * 4, [4] * 2, [1] * 2)
    assert read.count(body) == 2, "once for each worker"


@pytest.mark.parametrize("overrides", [{"OSTIARY_INTROSPECTION": "signed-in"}])
async def test_a_schema_answer_of_one_user_is_not_sent_to_another(api: Api, make: Make) -> None:
    ann, body = await make.user("ann"), orjson.dumps({"query": get_introspection_query()})
    for _ in range(2):
        assert (await _send(api, body, ann))["data"]["__schema"]["types"]
        assert codes(await _send(api, body)) == ["GRAPHQL_VALIDATION_FAILED"]


async def test_a_mutation_is_parsed_each_time_and_not_cached(api: Api, make: Make, read: list[bytes]) -> None:
    await make.admin()
    body = orjson.dumps({"query": GREETING})

    answers = [await _send(api, body) for _ in range(2)]

    assert [codes(answer) for answer in answers] == [["UNAUTHENTICATED"]] * 2
    assert read == [body] * 2


@pytest.mark.parametrize(
    "request_body",
    [
        {"query": "{ viewer { name } }"},
        {"query": ONE, "variables": {"id": 1.5}},
        {"query": ME, "variables": []},
        {"query": f"query A {ME} query B {ME}"},
        {"query": ""},
    ],
)
async def test_a_repeated_invalid_request_gets_the_same_errors(
    api: Api, request_body: dict[str, Any], read: list[bytes]
) -> None:
    body = orjson.dumps(request_body)
    first, second = await _send(api, body), await _send(api, body)
    assert first == second
    assert "errors" in first
    assert read == [body] * 2


async def test_cached_bytes_of_another_content_type_are_still_refused(api: Api, make: Make) -> None:
    ann, body = await make.user("ann"), orjson.dumps({"query": ME})
    assert (await _send(api, body, ann))["data"]
    refused = [
        await _send(api, body, ann, **{"content-type": "text/plain"}),
        await _send(api, body, ann, **{"content-encoding": "gzip"}),
        await _send(api, body, ann, accept="image/png"),
    ]
    assert [codes(each) for each in refused] == [["BAD_REQUEST"]] * 3


async def test_a_text_that_is_left_behind_by_its_hash_is_left_again(api: Api, make: Make, read: list[bytes]) -> None:
    ann, text = await make.user("ann"), "{ viewer { user { id } } }"
    by_hash = {"persistedQuery": {"version": 1, "sha256Hash": sha256(text.encode()).hexdigest()}}
    complete, short = (orjson.dumps({**text_part, "extensions": by_hash}) for text_part in ({"query": text}, {}))

    assert codes(await _send(api, short, ann)) == ["PERSISTED_QUERY_NOT_FOUND"]
    assert [(await _send(api, body, ann))["data"]["viewer"]["user"]["id"] for body in (complete, short)] == [
        ann.node
    ] * 2
    assert read == [short, complete, short]


async def test_so_much_is_remembered_and_no_more(api: Api, make: Make, read: list[bytes]) -> None:
    ann = await make.user("ann")
    few = [orjson.dumps({"query": ME, "operationName": None, "extensions": {"at": at}}) for at in range(3)]
    long = orjson.dumps({"query": ME + " " * endpoint.MAX_CACHED_BODY_BYTES})

    for body in [*few, long, *few, long]:
        assert (await _send(api, body, ann))["data"]["viewer"]["user"] == {"userName": "ann"}
    assert read == [*few, long, long]

    many = [orjson.dumps({"query": ME, "extensions": {"at": at}}) for at in range(endpoint.MAX_CACHED_BODIES)]
    for body in many:
        await _send(api, body, ann)
    read.clear()
    await _send(api, many[-1], ann)
    await _send(api, few[0], ann)
    assert read == [few[0]], "the oldest is forgotten, the newest is not"
