"""A request says for which user its page was made: of another viewer it is refused, and nothing is done."""

import httpx
import pytest

from tests.support.client import Api, codes
from tests.support.factories import Make, Person

HEADER = "Ostiary-Viewer"
CREATE = {
    "query": "mutation ($input: CreateOrgInput!) { createOrg(input: $input) { errors { code } } }",
    "variables": {"input": {"slug": "typed", "name": "Typed for another"}},
}
ORGS = "{ viewer { user { ownedOrgs { totalCount } } } }"


async def _send(api: Api, as_: Person | None, expected: str) -> httpx.Response:
    return await api.client.post("/graphql", json=CREATE, headers={**api.headers(as_), HEADER: expected})


@pytest.mark.parametrize("times", [1, 3])
async def test_a_change_for_another_viewer_is_refused(api: Api, make: Make, times: int) -> None:
    """Also for a viewer of earlier requests, who is not read again."""
    ann, bob = await make.admin(), await make.user("bob")
    for _ in range(times):
        before = await api(ORGS, as_=ann)
        for sender in (ann, None):
            reply = await _send(api, sender, bob.node)
            assert reply.status_code == 401
            assert codes(reply.json()) == ["UNAUTHENTICATED"]
        assert await api(ORGS, as_=ann) == before

    assert codes((await _send(api, ann, ann.node)).json()) == []


async def test_a_rest_call_for_another_viewer_is_refused(api: Api, make: Make) -> None:
    ann, bob = await make.user("ann"), await make.user("bob")
    own = api.headers(ann)
    for expected, status in ((ann.node, 200), (bob.node, 401), ("", 401)):
        assert (await api.client.get("/orgs", headers={**own, HEADER: expected})).status_code == status
    assert (await api.client.get("/orgs", headers={HEADER: ann.node})).status_code == 401
