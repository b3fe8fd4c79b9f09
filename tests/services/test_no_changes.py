"""A change that changes nothing writes nothing: no event, revision or time of change, on each mutation and route.

Every mutation and every route is made twice. The second time it is refused, or it is accepted and leaves every row.
"""

from typing import Any

import pytest

from app import db
from tests.oracle.matrix import World
from tests.policy.test_policy import MUTATION_MATRIX
from tests.services.test_audit_walk import ROUTES, _ask, _call, _world, on_both_paths
from tests.support.changes import unchanged
from tests.support.client import Api, codes
from tests.support.factories import Make, everything

CHANGES_AGAIN = {"login", "logout", "refreshToken", "signOutEverywhere", "changePassword", "resetPassword"}
STARTS_AGAIN = {"beginUpload", "beginDownload"}
"""Mutations that do something each time: they begin or end sessions, set secrets, or issue tickets."""

ROUTES_AGAIN = {"POST /users/authenticate", "POST /users/changepwd", "PUT /users/{userName}/changepwd"}

ACCEPTED = {
    "updateUser",
    "setUserMetadata",
    "assignRoles",
    "updateRole",
    "updateOrg",
    "updateOrgMember",
    "updateGroup",
    "setGroupManager",
    "updateResource",
    "transferOrg",
    "transferResource",
    "submitAccess",
    "grantAccess",
    "grantAccessBatch",
    "finishUpload",
    "cancelUpload",
    "addRoles",
    "removeRoles",
    "deactivateUser",
    "reactivateUser",
    "renameUser",
    "renameResource",
    "patchUserMetadata",
    "patchResourceMetadata",
    "setOrgQuota",
    "updateGroupMember",
    "updateViewer",
}
"""Mutations that may be repeated. The others create, remove or lock something, so they are refused."""


def _repeated(name: str, data: dict[str, Any] | None) -> dict[str, Any] | None:
    """Return the input of the second time: `submitAccess` names the revision that the first time has made."""
    return {**data, "revision": 2} if name == "submitAccess" and data else data


@pytest.mark.parametrize("name", sorted({*MUTATION_MATRIX} - CHANGES_AGAIN - STARTS_AGAIN))
async def test_a_mutation_made_again_writes_nothing(api: Api, make: Make, database: db.Database, name: str) -> None:
    root, scene = await make.admin(), await MUTATION_MATRIX[name].scene(make, World.OPEN)
    assert codes(await _ask(api, name, root, scene.input)) == []
    version = await database.commit_version()

    async with unchanged(database):
        reply = await _ask(api, name, root, _repeated(name, scene.input))

    assert (codes(reply) == []) is (name in ACCEPTED), reply
    if database.dialect.name == "sqlite":
        assert await database.commit_version() == version


@pytest.mark.parametrize("name", sorted(ACCEPTED))
async def test_with_a_key_only_the_outcome_is_stored(api: Api, make: Make, database: db.Database, name: str) -> None:
    root, scene = await make.admin(), await MUTATION_MATRIX[name].scene(make, World.OPEN)
    assert codes(await _ask(api, name, root, scene.input)) == []
    before = await everything(database)

    again = {**(_repeated(name, scene.input) or {}), "clientMutationKey": "k"}
    assert codes(await _ask(api, name, root, again)) == []

    assert await _changed_since(database, before) == {"mutation_keys"}


async def _changed_since(database: db.Database, before: dict[str, list[Any]]) -> set[str]:
    after = await everything(database)
    return {table for table in after if after[table] != before[table]}


@on_both_paths
@pytest.mark.parametrize("route", sorted({*ROUTES} - ROUTES_AGAIN))
async def test_a_route_called_again_writes_nothing(api: Api, make: Make, database: db.Database, route: str) -> None:
    step, (root, _) = ROUTES[route], await _world(make)
    assert (await _call(api, route, step, root)).is_success

    async with unchanged(database):
        reply = await _call(api, route, step, root)

    assert reply.is_success or reply.is_client_error


async def test_an_unchanged_entry_among_changed_ones_keeps_its_grant(api: Api, make: Make) -> None:
    ann, bob = await make.user("ann"), await make.user("bob")
    one, two = [await make.resource(await make.org(), owner=ann) for _ in range(2)]
    text = "mutation ($input: GrantAccessBatchInput!) { grantAccessBatch(input: $input) { errors { code } } }"
    shown = "query ($id: ID!) { node(id: $id) { ... on Resource { access { revision users { grantedAt roles } } } } }"

    async def grant(*pairs: tuple[Any, Any, str]) -> None:
        grants = [
            {"resource": {"id": on.node}, "subject": {"user": {"id": to.node}}, "roles": [role]}
            for on, to, role in pairs
        ]
        assert codes(await api(text, as_=ann, input={"grants": grants})) == []

    await make.grant(one, bob)
    await make.grant(two, bob)
    await grant((one, bob, "ADMIN"), (two, bob, "ADMIN"))
    before = [(await api(shown, as_=ann, id=each.node))["data"]["node"]["access"] for each in (one, two)]
    await grant((one, bob, "ADMIN"), (two, bob, "METADATA_READ"))
    after = [(await api(shown, as_=ann, id=each.node))["data"]["node"]["access"] for each in (one, two)]

    assert after[0] == before[0]
    assert (before[1]["revision"], after[1]["revision"]) == (2, 3)
    assert after[1]["users"][0]["grantedAt"] > before[1]["users"][0]["grantedAt"]
