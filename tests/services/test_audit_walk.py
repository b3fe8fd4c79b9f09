"""Each mutation and each route writes exactly one event. Rejected changes and dry runs write none."""

from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from app import db
from app.rest import TABLE
from tests.oracle.matrix import World
from tests.policy.test_policy import MUTATION_MATRIX
from tests.support.changes import change, problems
from tests.support.client import Api, codes
from tests.support.factories import PASSWORD, Make, Person
from tests.support.logged import logged

NEW_PASSWORD = "another horse another staple"
UNWRITTEN = {"refreshToken"}
"""A new token stores no row."""

KINDS = {
    "login": "User",
    "logout": "User",
    "signOutEverywhere": "User",
    "changePassword": "User",
    "resetPassword": "User",
    "createUser": "User",
    "createUsers": "User",
    "updateUser": "User",
    "deleteUser": "User",
    "setUserMetadata": "Role User",
    "assignRoles": "User",
    "addRoles": "User",
    "removeRoles": "User",
    "deactivateUser": "User",
    "reactivateUser": "User",
    "renameUser": "User",
    "updateViewer": "User",
    "patchUserMetadata": "Role User",
    "createApiToken": "ApiToken User",
    "revokeApiToken": "ApiToken User",
    "createServiceAccount": "User",
    "createRole": "Role",
    "updateRole": "Role",
    "deleteRole": "Role",
    "createOrg": "Org User",
    "updateOrg": "Org",
    "deleteOrg": "Org Resource User",
    "transferOrg": "Org User",
    "setOrgQuota": "Org",
    "mergeOrgs": "Org Resource User",
    "moveResources": "Org Resource",
    "addOrgMember": "Org User",
    "updateOrgMember": "Org User",
    "removeOrgMember": "Org User",
    "createGroup": "Group",
    "updateGroup": "Group",
    "deleteGroup": "Group",
    "addGroupMembers": "Group User",
    "removeGroupMembers": "Group User",
    "updateGroupMember": "Group User",
    "setGroupManager": "Group User",
    "createResource": "Org Resource User",
    "updateResource": "Resource",
    "patchResourceMetadata": "Resource",
    "renameResource": "Org Resource User",
    "transferResource": "Resource User",
    "deleteResource": "Org Resource User",
    "createResourceType": "ResourceType",
    "submitAccess": "Group Resource User",
    "grantAccess": "Group Resource",
    "revokeAccess": "Resource User",
    "grantAccessBatch": "Group Resource",
    "lockResource": "Resource",
    "unlockResource": "Resource",
    "beginUpload": "Resource",
    "finishUpload": "Resource",
    "cancelUpload": "Resource",
    "beginDownload": "Resource",
}
"""Objects in the event of each mutation, in the scene of the access matrix for it."""


async def _ask(api: Api, name: str, as_: Person | None, data: dict[str, Any] | None) -> dict[str, Any]:
    if data is None:
        return await api(f"mutation {{ {name} {{ errors {{ code message path }} }} }}", as_=as_)
    return await api(change(name), as_=as_, input=data)


def test_every_mutation_is_walked() -> None:
    assert set(KINDS) | UNWRITTEN == set(MUTATION_MATRIX)


@pytest.mark.parametrize("name", sorted(KINDS))
async def test_a_mutation_writes_one_event(api: Api, make: Make, database: db.Database, name: str) -> None:
    root, scene = await make.admin(), await MUTATION_MATRIX[name].scene(make, World.OPEN)

    async with logged(database) as since:
        assert codes(await _ask(api, name, root, scene.input)) == []

    event, actor = since.one, (scene.input or {})["userName"] if name == "login" else "root"
    assert (event.action, event.actor, event.channel, event.address) == (name, actor, "GRAPHQL", "127.0.0.1")
    assert event.kinds == KINDS[name].split()
    assert any(before != after for before, after in event.changes.values())


@pytest.mark.parametrize("name", sorted(MUTATION_MATRIX))
async def test_what_is_refused_or_only_tried_writes_none(
    api: Api, make: Make, database: db.Database, name: str
) -> None:
    case = MUTATION_MATRIX[name]
    root, scene = await make.admin(), await case.scene(make, World.OPEN)
    data = scene.input or {}

    async with logged(database) as since:
        if not case.is_open:
            assert codes(await _ask(api, name, None, scene.input)) == ["UNAUTHENTICATED"]
        if scene.invalid:
            assert problems(await _ask(api, name, root, {**data, **scene.invalid}))
        if case.has_trial:
            assert codes(await _ask(api, name, root, {**data, "validateOnly": True})) == []
        if name == "refreshToken":
            assert codes(await _ask(api, name, root, None)) == []

    assert since.events == []


@dataclass(frozen=True)
class Step:
    """A call of a route, and the objects in its event."""

    path: str
    body: dict[str, Any]
    action: str
    things: str
    actor: str = "root"


ANN = "User ann"
ROUTES = {
    "POST /users/authenticate": Step(
        "/users/authenticate", {"username": "ann", "password": PASSWORD}, "login", ANN, "ann"
    ),
    "POST /users/changepwd": Step(
        "/users/changepwd", {"oldPassword": PASSWORD, "newPassword": NEW_PASSWORD}, "changePassword", "User root"
    ),
    "PUT /users/{userName}/changepwd": Step(
        "/users/ann/changepwd", {"newPassword": NEW_PASSWORD}, "resetPassword", ANN
    ),
    "POST /users": Step("/users", {"userName": "eve", "password": NEW_PASSWORD}, "createUser", "User eve"),
    "PUT /users/{userName}": Step("/users/ann", {"email": "ann@b.example"}, "updateUser", ANN),
    "DELETE /users/{userName}": Step("/users/ann", {}, "deleteUser", "Org reef, Resource corals, User ann"),
    "DELETE /users": Step("/users", {"userName": "ann"}, "deleteUser", "Org reef, Resource corals, User ann"),
    "POST /users/roles": Step("/users/roles", {"roleName": "pilots"}, "createRole", "Role pilots"),
    "DELETE /users/roles/{roleName}": Step("/users/roles/label", {}, "deleteRole", "Role label"),
    "POST /users/{userName}/meta": Step("/users/ann/meta", {"maxStorageMB": 7}, "setUserMetadata", ANN),
    "PATCH /users/{userName}/meta": Step("/users/ann/meta", {"maxStorageMB": 7}, "patchUserMetadata", ANN),
    "PUT /users/{userName}/orgs": Step("/users/bob/orgs", {"orgSlugs": ["reef"]}, "setUserOrgs", "Org reef, User bob"),
    "POST /users/{userName}/orgs": Step("/users/bob/orgs", {"orgSlug": "reef"}, "addOrgMember", "Org reef, User bob"),
    "PUT /users/{userName}/orgs/{orgSlug}": Step(
        "/users/ann/orgs/reef", {"permissions": 3}, "updateOrgMember", "Org reef, User ann"
    ),
    "DELETE /users/{userName}/orgs/{orgSlug}": Step(
        "/users/ann/orgs/reef", {}, "removeOrgMember", "Org reef, User ann"
    ),
    "POST /orgs": Step("/orgs", {"slug": "tide", "name": "Tide"}, "createOrg", "Org tide, User root"),
    "PUT /orgs/{orgSlug}": Step("/orgs/reef", {"name": "New", "owner": "bob"}, "updateOrg", "Org reef, User bob"),
    "DELETE /orgs/{orgSlug}": Step("/orgs/reef", {}, "deleteOrg", "Org reef, Resource corals, User ann"),
    "POST /orgs/{orgSlug}/members": Step(
        "/orgs/reef/members", {"userName": "bob"}, "addOrgMember", "Org reef, User bob"
    ),
    "PUT /orgs/{orgSlug}/members/{userName}": Step(
        "/orgs/reef/members/ann", {"permissions": 3}, "updateOrgMember", "Org reef, User ann"
    ),
    "DELETE /orgs/{orgSlug}/members/{userName}": Step(
        "/orgs/reef/members/ann", {}, "removeOrgMember", "Org reef, User ann"
    ),
    "POST /orgs/{orgSlug}/ds": Step(
        "/orgs/reef/ds", {"slug": "gauges", "visibility": 2}, "createResource", "Org reef, Resource gauges, User root"
    ),
    "PUT /orgs/{orgSlug}/ds/{dsSlug}": Step(
        "/orgs/reef/ds/corals", {"name": "New", "visibility": 2}, "updateResource", "Resource corals"
    ),
    "POST /orgs/{orgSlug}/ds/{dsSlug}/rename": Step(
        "/orgs/reef/ds/corals/rename",
        {"slug": "polyps"},
        "renameResource",
        "Org reef, Resource polyps, User ann",
    ),
    "POST /orgs/{orgSlug}/ds/{dsSlug}/meta/set": Step(
        "/orgs/reef/ds/corals/meta/set", {"key": "name", "data": '"New"'}, "updateResource", "Resource corals"
    ),
    "POST /orgs/{orgSlug}/ds/{dsSlug}/chattr": Step(
        "/orgs/reef/ds/corals/chattr", {"attrs": '{"public":true}'}, "updateResource", "Resource corals"
    ),
    "POST /sys/move-datasets": Step(
        "/sys/move-datasets",
        {"sourceOrgSlug": "reef", "destinationOrgSlug": "lagoon", "datasetSlugs": ["corals"]},
        "moveResources",
        "Org lagoon, Org reef, Resource corals, User ann",
    ),
    "POST /sys/merge-organizations": Step(
        "/sys/merge-organizations",
        {"sourceOrgSlug": "reef", "destinationOrgSlug": "lagoon"},
        "mergeOrgs",
        "Org lagoon, Org reef, Resource corals, User ann",
    ),
    "DELETE /orgs/{orgSlug}/ds/{dsSlug}": Step(
        "/orgs/reef/ds/corals", {}, "deleteResource", "Org reef, Resource corals, User ann"
    ),
}
"""One call of each route that changes something. The user `ann` is a member of the org `reef` and owns its dataset
`corals`; `bob` has no role in either; the org `lagoon` is empty; no user has the role `label`."""

on_both_paths = pytest.mark.parametrize("overrides", [{"OSTIARY_ENABLE_ORGANIZATION_MEMBER_MANAGEMENT": "true"}])


def test_every_route_is_walked() -> None:
    changing = {f"{route.method} {route.path}" for route in TABLE if route.method != "GET"}

    assert changing == set(ROUTES) | {"POST /users/authenticate/refresh"}


async def _world(make: Make) -> tuple[Person, Person]:
    root, ann, bob = await make.admin(), await make.user("ann"), await make.user("bob")
    org = await make.org("reef")
    await make.member(org, ann)
    await make.resource(org, owner=ann, slug="corals", name="Corals")
    await make.org("lagoon")
    await make.role("label")
    return root, bob


async def _call(api: Api, route: str, step: Step, as_: Person | None, **more: Any) -> httpx.Response:
    method = route.partition(" ")[0]
    api.client.cookies.clear()
    return await api.client.request(method, step.path, json=step.body | more, headers=api.headers(as_))


@on_both_paths
@pytest.mark.parametrize("route", sorted(ROUTES))
async def test_a_route_writes_one_event(api: Api, make: Make, database: db.Database, route: str) -> None:
    step, (root, _) = ROUTES[route], await _world(make)

    async with logged(database) as since:
        reply = await _call(api, route, step, root)

    event = since.one
    assert reply.is_success, reply.text
    assert (event.action, event.actor, event.channel, event.address) == (step.action, step.actor, "REST", "127.0.0.1")
    assert sorted(event.changes) == step.things.split(", ")
    assert any(before != after for before, after in event.changes.values())


@on_both_paths
@pytest.mark.parametrize("route", sorted(ROUTES))
async def test_a_route_that_refuses_writes_none(api: Api, make: Make, database: db.Database, route: str) -> None:
    step, (_, bob) = ROUTES[route], await _world(make)

    async with logged(database) as since:
        replies = [
            await _call(api, route, step, None, password="wrong"),
            await _call(api, route, step, bob, password="wrong", oldPassword="wrong"),
        ]

    assert [reply.is_client_error for reply in replies] == [True, True], replies
    assert since.events == []


async def test_a_new_token_for_a_good_one_is_no_change(api: Api, make: Make, database: db.Database) -> None:
    root = await make.admin()

    async with logged(database) as since:
        reply = await api.client.post("/users/authenticate/refresh", headers=api.headers(root))

    assert reply.status_code == 200
    assert since.events == []
