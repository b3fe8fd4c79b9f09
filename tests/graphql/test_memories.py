"""Claims about caches: anonymous viewers have their own, and never evict entries of signed-in users."""

from typing import Any

import orjson
import pytest
from starlette.applications import Starlette

from app.caching import ANONYMOUS_PART, AudienceLRU
from app.graphql.documents.cache import MAX_CACHED_LENGTH
from app.graphql.handler import GraphQLHandler
from app.graphql.http import request
from tests.support.client import Api
from tests.support.factories import Make

MINE = "{ viewer { user { userName } } }"


def memory() -> AudienceLRU[str, int]:
    return AudienceLRU(4 * ANONYMOUS_PART, 1_000, 100, lambda key, value: len(key))


def test_an_anonymous_viewer_displaces_no_entry_of_a_signed_in_user() -> None:
    separate = memory()
    separate.put("mine", 1, is_signed_in=True)
    for at in range(100):
        separate.put(f"theirs {at}", at, is_signed_in=False)

    assert separate.get("mine", is_signed_in=True) == 1
    assert len(separate) == 5


def test_each_finds_what_the_other_has_left_and_only_the_signed_in_keep_it() -> None:
    separate = memory()
    separate.put("mine", 1, is_signed_in=True)
    separate.put("theirs", 2, is_signed_in=False)
    assert separate.get("mine", is_signed_in=False) == separate.find("mine") == 1
    assert separate.get("theirs", is_signed_in=True) == separate.find("theirs") == 2

    for at in range(10):
        separate.put(str(at), at, is_signed_in=False)

    assert separate.get("theirs", is_signed_in=True) == 2
    assert separate.get("mine", is_signed_in=False) == 1


def test_an_anonymous_viewer_does_not_refresh_entries_of_signed_in_users() -> None:
    separate: AudienceLRU[str, int] = AudienceLRU(2, 100, 100, lambda key, value: 1)
    separate.put("a", 1, is_signed_in=True)
    separate.put("b", 2, is_signed_in=True)
    separate.use("a", 1, is_signed_in=False)
    assert separate.get("a", is_signed_in=False) == 1

    separate.put("c", 3, is_signed_in=True)

    assert (separate.find("a"), separate.find("b")) == (None, 2)


async def test_a_flood_of_strangers_makes_no_signed_in_user_wait_for_the_queue(
    api: Api, make: Make, app: Starlette
) -> None:
    ann, answering = await make.user("ann"), app.state.answering
    assert isinstance(answering, GraphQLHandler)
    texts = [f"{{ a{at}: __typename viewer {{ user {{ userName }} }} }}" for at in range(20)]
    for text in texts * 2:
        await api(text, as_=ann)
    long = "x" * (MAX_CACHED_LENGTH - 200)
    for at in range(10):
        await api(f'{{ b{at}: __typename user(by: {{userName: "{long}"}}) {{ id }} }}')
    for at in range(400):
        answering.documents.lookup(f"{{ c{at}: __typename }}", None, is_signed_in=False)
    misses = answering.documents.misses

    for text in texts:
        assert (await api(text, as_=ann))["data"]["viewer"]["user"] == {"userName": "ann"}

    assert answering.documents.misses == misses


async def test_bodies_of_strangers_displace_none_of_the_signed_in(
    api: Api, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    ann, read = await make.user("ann"), list[bytes]()
    understand = request.from_body

    def noted(body: bytes, max_values: int) -> Any:
        read.append(body)
        return understand(body, max_values)

    monkeypatch.setattr(request, "from_body", noted)
    mine = orjson.dumps({"query": MINE})
    kind = {"content-type": "application/json"}
    await api.client.post("/graphql", content=mine, headers={**kind, **api.headers(ann)})
    for at in range(1_200):
        body = orjson.dumps({"query": MINE, "extensions": {"at": at}})
        await api.client.post("/graphql", content=body, headers=kind)
    read.clear()

    reply = await api.client.post("/graphql", content=mine, headers={**kind, **api.headers(ann)})
    stranger = await api.client.post("/graphql", content=mine, headers=kind)

    assert reply.json()["data"]["viewer"]["user"] == {"userName": "ann"}
    assert stranger.json()["data"]["viewer"]["user"] is None
    assert read == []


async def test_an_operation_that_is_not_there_is_not_remembered_and_goes_through_the_queue(
    api: Api, app: Starlette
) -> None:
    documents = app.state.answering.documents
    text = "query A { __typename } query B { __typename }"
    assert (await api.client.post("/graphql", json={"query": text, "operationName": "A"})).json()["data"]
    before = documents.cached_count, documents.misses

    for at in range(50):
        body = {"query": text, "operationName": f"q{at}"}
        assert "errors" in (await api.client.post("/graphql", json=body)).json()

    assert (documents.cached_count, documents.misses) == before
