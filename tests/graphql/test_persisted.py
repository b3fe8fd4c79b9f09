"""Claims about persisted queries: a text is sent once, then its hash, and users cannot learn texts of others."""

import json
from hashlib import sha256
from typing import Any

import httpx
import pytest

from app import db
from app.caching import WeightedLRU
from app.domain.errors import PersistedQueryNotFound
from app.graphql.documents.persisted import PersistedTexts
from tests.support.changes import unchanged
from tests.support.client import Api, codes
from tests.support.factories import Make, Person

WHO = "query Who { viewer { user { userName } } }"
NAMED = '{ user(by: {userName: "ann"}) { userName } }'
CREATE = 'mutation { createUser(input: {userName: "new"}) { errors { code } } }'
GRAPHQL = "application/graphql-response+json"


def hashed(text: str, **more: Any) -> dict[str, Any]:
    return {"persistedQuery": {"version": 1, "sha256Hash": sha256(text.encode()).hexdigest()} | more}


class Client:
    """Send a request as clients of Apollo do: a hash, with the text if needed."""

    def __init__(self, api: Api) -> None:
        self._api = api

    async def post(self, text: str, as_: Person | None = None, *, with_text: bool = False) -> httpx.Response:
        body = {"extensions": hashed(text)} | ({"query": text} if with_text else {})
        return await self._api.client.post("/graphql", json=body, headers=self._api.headers(as_))

    async def get(self, text: str, as_: Person | None = None, *, with_text: bool = False) -> httpx.Response:
        parameters = {"extensions": json.dumps(hashed(text))} | ({"query": text} if with_text else {})
        return await self._api.client.get("/graphql", params=parameters, headers=self._api.headers(as_))


@pytest.fixture
def apollo(api: Api) -> Client:
    return Client(api)


def is_unknown(reply: httpx.Response) -> bool:
    """Return the error of Apollo Server, which clients recognize."""
    (error,) = reply.json()["errors"]
    return (reply.status_code, error["message"], error["extensions"]["code"]) == (
        200,
        "PersistedQueryNotFound",
        "PERSISTED_QUERY_NOT_FOUND",
    )


def user(reply: httpx.Response) -> Any:
    return reply.json()["data"]["viewer"]["user"]


async def test_an_unknown_hash_is_answered_so_that_clients_send_the_text(apollo: Client, api: Api) -> None:
    assert is_unknown(await apollo.post(WHO))
    assert is_unknown(await apollo.get(WHO))
    new = await api.client.post("/graphql", json={"extensions": hashed(WHO)}, headers={"accept": GRAPHQL})
    assert is_unknown(new)
    assert new.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("method", ["post", "get"])
async def test_the_hash_of_a_text_that_a_user_has_sent_is_accepted(apollo: Client, make: Make, method: str) -> None:
    ann = await make.user("ann")

    sent = await getattr(apollo, method)(WHO, ann, with_text=True)
    by_post, by_get = await apollo.post(WHO, ann), await apollo.get(WHO, ann)

    assert user(sent) == user(by_post) == user(by_get) == {"userName": "ann"}


async def test_a_text_without_strings_is_shared_and_each_user_gets_their_own_answer(apollo: Client, make: Make) -> None:
    ann, bea = await make.user("ann"), await make.user("bea")

    await apollo.post(WHO, ann, with_text=True)

    assert user(await apollo.post(WHO, bea)) == {"userName": "bea"}
    assert user(await apollo.get(WHO)) is None


@pytest.mark.parametrize("text", [NAMED, WHO + " # for ann"])
async def test_a_text_that_may_hold_a_secret_is_its_senders_alone(apollo: Client, make: Make, text: str) -> None:
    ann, bea = await make.user("ann"), await make.user("bea")

    await apollo.post(text, ann, with_text=True)

    assert "errors" not in (await apollo.post(text, ann)).json()
    assert is_unknown(await apollo.post(text, bea))
    assert is_unknown(await apollo.post(text))


async def test_an_anonymous_viewer_gets_an_answer_and_fills_no_cache(apollo: Client, make: Make) -> None:
    sent = await apollo.post(WHO, with_text=True)

    assert user(sent) is None
    assert is_unknown(await apollo.post(WHO))
    assert is_unknown(await apollo.post(WHO, await make.user("ann")))


async def test_a_hash_of_something_else_is_refused_and_not_cached(api: Api, apollo: Client, make: Make) -> None:
    ann = await make.user("ann")
    body = {"query": WHO, "extensions": hashed("{ __typename }")}

    reply = await api.client.post("/graphql", json=body, headers=api.headers(ann))

    assert (reply.status_code, codes(reply.json())) == (400, ["BAD_REQUEST"])
    assert is_unknown(await apollo.post(WHO, ann))
    assert is_unknown(await apollo.post("{ __typename }", ann))


async def test_another_version_is_not_supported_in_the_words_that_clients_look_for(api: Api) -> None:
    reply = await api.client.post("/graphql", json={"extensions": hashed(WHO, version=2)})

    assert (reply.status_code, codes(reply.json())) == (400, ["PERSISTED_QUERY_NOT_SUPPORTED"])
    assert reply.json()["errors"][0]["message"] == "PersistedQueryNotSupported"


async def test_a_hash_in_large_letters_and_with_more_beside_it_is_the_same(api: Api, make: Make) -> None:
    ann = await make.user("ann")
    more = hashed(WHO, sha256Hash=sha256(WHO.encode()).hexdigest().upper(), miss=True)

    sent = await api.client.post("/graphql", json={"query": WHO, "extensions": more}, headers=api.headers(ann))
    reply = await api.client.post("/graphql", json={"extensions": hashed(WHO)}, headers=api.headers(ann))

    assert user(sent) == user(reply) == {"userName": "ann"}


@pytest.mark.parametrize("text", ["{ nothing }", "{", "query A { __typename } query B { __typename }"])
async def test_a_refused_text_is_not_cached(apollo: Client, make: Make, text: str) -> None:
    ann = await make.user("ann")

    assert (await apollo.post(text, ann, with_text=True)).json()["errors"]

    assert is_unknown(await apollo.post(text, ann))


async def test_a_mutation_by_hash_requires_post_and_the_rights_of_the_sender(
    apollo: Client, make: Make, database: db.Database
) -> None:
    root, ann = await make.admin(), await make.user("ann")
    text = "mutation ($input: CreateUserInput!) { createUser(input: $input) { errors { code } } }"
    async with unchanged(database):
        sent = await apollo.post(CREATE, ann, with_text=True)
        by_get = await apollo.get(CREATE, root, with_text=True)
        missing = await apollo.post(text, root, with_text=True)
        found_by_get = await apollo.get(text, root)

    assert codes(sent.json()) == ["FORBIDDEN"]
    assert (by_get.status_code, by_get.headers["allow"], codes(by_get.json())) == (405, "POST", ["BAD_REQUEST"])
    assert codes(missing.json()) == ["BAD_USER_INPUT"]
    assert found_by_get.status_code == 405
    await apollo.post(CREATE, root, with_text=True)
    assert codes((await apollo.post(CREATE, root)).json()) == ["CONFLICT"]


def test_the_store_is_bounded_in_number_and_in_bytes() -> None:
    few, small = PersistedTexts(size=2), PersistedTexts(max_bytes=3_000, max_text_bytes=2_000)
    for at in range(3):
        few.keep(str(at), f"{{ a{at} }}", 1)
        small.keep(str(at), f"{{ {'a' * 1_000} }}", 1)
    small.keep("large", f"{{ {'a' * 2_000} }}", 1)

    for store in (few, small):
        assert store.text("2", None)
        with pytest.raises(PersistedQueryNotFound):
            store.text("0", 1)
    with pytest.raises(PersistedQueryNotFound):
        small.text("large", 1)


def test_what_is_put_twice_weighs_once() -> None:
    recent: WeightedLRU[str, str] = WeightedLRU(10, 10, 10, lambda key, value: len(value))

    for _ in range(5):
        recent.put("a", "12345")
    recent.put("b", "12345")

    assert (recent.get("a"), recent.get("b"), len(recent)) == ("12345", "12345", 2)
