"""Claims about anonymous reads on PostgreSQL: they have half of the connections, and others never wait for them."""

import asyncio

import pytest

from app.domain.errors import Unavailable
from app.services.anonymous_reads import AnonymousReads
from tests.support.client import Api
from tests.support.factories import Make
from tests.support.rest_client import Rest

ORGS = "{ orgs { totalCount } }"
LOGIN = 'mutation { login(input: {userName: "nobody", password: "wrong"}) { errors { code } } }'


@pytest.mark.parametrize("backend", ["postgresql"], indirect=True)
async def test_an_anonymous_read_waits_for_others_and_nobody_waits_for_it(
    api: Api, rest: Rest, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    ann = await make.user("ann")
    reads = make.app.anonymous_reads
    monkeypatch.setattr(reads, "_slots", asyncio.Semaphore(1))
    async with reads.slot():
        by_graphql, by_rest = asyncio.ensure_future(api(ORGS)), asyncio.ensure_future(rest("GET", "/orgs"))
        for _ in range(2):  # the second one runs by a plan
            assert (await api(ORGS, as_=ann))["data"]["orgs"]["totalCount"] == 0
        assert (await rest("GET", "/orgs", ann)).json() == []
        assert (await rest("GET", "/version")).status_code == 200
        assert (await api(LOGIN))["errors"], "an answer"
        assert not by_graphql.done()
        assert not by_rest.done()
    assert (await by_graphql)["data"]["orgs"]["totalCount"] == 0
    assert (await by_rest).json() == []


async def test_the_wait_has_an_end_and_a_cancelled_one_holds_nothing() -> None:
    reads = AnonymousReads(1, 0.05)
    async with reads.slot():
        with pytest.raises(Unavailable, match="without a sign-in"):
            async with reads.slot():
                raise AssertionError
        waiting = asyncio.ensure_future(reads.slot().__aenter__())
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.wait([waiting])
    async with reads.slot():
        pass
