"""Claims about the audit events of users who sign in through an identity provider."""

from collections.abc import AsyncIterator

import httpx
import pytest

from app import db
from tests.support.factories import Make
from tests.support.logged import events
from tests.support.provider import PASSWORD, Provider, over_rest


@pytest.fixture
async def provider() -> AsyncIterator[Provider]:
    async with Provider() as provider:
        yield provider


@pytest.fixture
def overrides(provider: Provider) -> dict[str, str]:
    return {"OSTIARY_EXTERNAL_AUTH_URL": provider.url}


async def test_a_sign_in_tells_what_the_provider_changed(
    client: httpx.AsyncClient, provider: Provider, make: Make, database: db.Database
) -> None:
    await make.admin()
    for said in ({"roles": ["user"], "a": 1}, {"roles": ["diver"], "a": 1}):
        provider.people["ann"] = said
        assert (await over_rest(client, userName="ann", password=PASSWORD)).code == ""

    first, second = await events(database)
    assert (first.action, first.actor, second.action, second.actor) == ("login", "ann", "login", "ann")
    assert (first.changes["User ann"][0], first.changes["User ann"][1]["roles"]) == (None, ["user"])
    before, after = second.changes["User ann"]
    assert before.pop("lastLoginAt") < after.pop("lastLoginAt")
    assert before == {"metadata": {"roles": ["user"], "a": 1}, "roles": ["user"]}
    assert after == {"metadata": {"roles": ["diver"], "a": 1}, "roles": ["diver"]}
    assert second.changes["Role diver"][0] is None


async def test_what_it_says_of_somebody_who_is_not_let_in_is_the_registrys_own_change(
    client: httpx.AsyncClient, provider: Provider, make: Make, database: db.Database
) -> None:
    await make.admin()
    await make.user("ann", "deactivated")
    provider.people["ann"] = {"a": 1}

    assert (await over_rest(client, userName="ann", password=PASSWORD)).code == "UNAUTHENTICATED"

    (event,) = await events(database)
    assert (event.action, event.actor) == ("synchronizeUser", None)
    assert event.changes == {"User ann": ({"metadata": {}}, {"metadata": {"a": 1}})}
