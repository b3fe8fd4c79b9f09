"""Claims about access to the schema: introspection, its text and suggestions follow one setting."""

from typing import Any

import httpx
import pytest
from graphql import get_introspection_query

from app.config import Settings
from tests.support.client import Api, codes
from tests.support.factories import Make

CLOSED = "This server does not show its schema to you."
TYPO = "{ viewr { user { id } } }"
NO_FIELD = "mutation ($input: LoginInput!) { login(input: $input) { errors { code } } }"
CHOICE = "query ($role: ResourceRole!) { resources(filter: {viewerRole: $role}) { totalCount } }"
OPEN_TO = {"everyone": {"nobody", "ann"}, "signed-in": {"ann"}, "nobody": set[str]()}


@pytest.fixture(params=OPEN_TO)
def whom(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def overrides(whom: str) -> dict[str, Any]:
    return {"OSTIARY_INTROSPECTION": whom}


@pytest.fixture(params=["nobody", "ann"])
def asker(request: pytest.FixtureRequest) -> str:
    return str(request.param)


async def test_the_setting_names_who_may_read_the_schema(api: Api, make: Make, whom: str, asker: str) -> None:
    ann = await make.user("ann")
    as_ = ann if asker == "ann" else None
    is_open = asker in OPEN_TO[whom]
    await api("{ __schema { queryType { name } } }", as_=None if as_ else ann)  # requests of others change nothing

    complete = await api(get_introspection_query(), as_=as_)
    single = await api('{ __type(name: "User") { name } }', as_=as_)
    text = await api.client.get("/schema.graphql", headers=api.headers(as_))

    if is_open:
        assert complete["data"]["__schema"]["types"]
        assert single == {"data": {"__type": {"name": "User"}}}
        assert "type Query" in text.text
    else:
        for reply in (complete, single):
            assert [error["message"] for error in reply["errors"]] == [CLOSED]
            assert codes(reply) == ["GRAPHQL_VALIDATION_FAILED"]
        assert _refused(text) == ((401, ["UNAUTHENTICATED"]) if whom == "signed-in" else (403, ["FORBIDDEN"]))


async def test_suggestions_go_with_it(api: Api, make: Make, whom: str, asker: str) -> None:
    as_ = await make.user("ann") if asker == "ann" else None

    replies = [
        await api(TYPO, as_=as_),
        await api("{ users(frist: 1) { totalCount } }", as_=as_),
        await api(NO_FIELD, as_=as_, input={"userNam": "ann", "password": "x"}),
        await api(CHOICE, as_=as_, role="METADATA_REED"),
    ]

    suggested = ["Did you mean" in str(reply["errors"]) for reply in replies]
    assert suggested == [asker in OPEN_TO[whom]] * 4


async def test_every_user_gets_answers_without_introspection(api: Api, whom: str) -> None:
    reply = await api("{ __typename viewer { __typename } }")

    assert reply == {"data": {"__typename": "Query", "viewer": {"__typename": "Viewer"}}}
    page = await api.client.get("/graphql", headers={"accept": "text/html"})
    assert page.headers["content-type"].startswith("text/html")


async def test_no_cache_stores_the_text_unless_it_is_public(
    api: Api, make: Make, settings: Settings, whom: str
) -> None:
    text = await api.client.get("/schema.graphql", headers=api.headers(await make.user("ann")))

    expected = {"everyone": "no-cache", "signed-in": "private, no-cache", "nobody": "no-store"}
    assert text.headers["cache-control"] == expected[settings.introspection]


async def test_a_token_that_is_no_good_opens_nothing(api: Api, whom: str) -> None:
    reply = await api.client.get("/schema.graphql", headers={"authorization": "Bearer x"})

    assert reply.status_code == (200 if whom == "everyone" else 401)


def _refused(reply: httpx.Response) -> tuple[int, list[str]]:
    return reply.status_code, codes(reply.json())
