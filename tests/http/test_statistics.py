"""Claims about the statistics of a request: strangers do not learn from them whether something hidden exists."""

from typing import Any

import pytest

from app.domain.viewer import Permission
from tests.support.client import Api
from tests.support.factories import Make

QUERY = "{ viewer { user { userName } } }"
HALF = Permission.USERS_VIEW | Permission.GROUPS_MANAGE


@pytest.fixture
def overrides() -> dict[str, Any]:
    return {"OSTIARY_STATISTICS": "managers"}


async def test_only_those_who_see_everything_get_statistics(api: Api, make: Make) -> None:
    await make.role("auditors", HALF | Permission.RESOURCES_VIEW)
    await make.role("half", HALF)
    expected = {None: False, "user": False, "half": False, "auditors": True, "admin": True}
    seen = {}
    for role in expected:
        who = None if role is None else await make.user(f"a{role}", role)
        headers = {**api.headers(who), "ostiary-stats": "1"}
        reply = await api.client.post("/graphql", json={"query": QUERY}, headers=headers)
        seen[role] = "stats" in reply.json().get("extensions", {})
        assert ("ostiary-executor" in reply.headers) is seen[role]
    assert seen == expected
