"""Claims about API tokens that are limited to orgs and resources: every way of asking and of changing obeys."""

from dataclasses import dataclass, replace
from random import Random
from typing import Any, Self

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app import db
from app.domain import refs, resource_roles
from app.domain.resource_roles import MemberLevel
from app.domain.viewer import Permission
from tests.oracle.access_queries import (
    lists_agree,
    lookups_agree,
    own_checks_agree,
    pages_agree,
    query_data,
    resource_id,
    user_id,
)
from tests.oracle.access_worlds import NOW, Plan, World, plans, world_of, write
from tests.oracle.generated import generated
from tests.support.changes import change, unchanged
from tests.support.client import Api, codes
from tests.support.factories import Entity, Make, Person

EXPLAIN = """query ($user: ID!, $resource: ID!) {
  explainAccess(user: {id: $user}, resource: {id: $resource}) { effectiveRoles }
}"""
PATCH = {"name": "New"}


class ByToken(Api):
    """A client that sends an API token."""

    @classmethod
    def of(cls, api: Api, token: str) -> Self:
        """Return a client of the same app with this token."""
        client = cls(api.client, api._context)
        client.secret = token
        return client

    secret = ""

    def token(self, as_: Person) -> str:
        """Return the API token, not the one of a login."""
        return self.secret


@dataclass
class Limited(World):
    """The same world for a user with a limited token, which limits their roles to its scope."""

    who: int = 0
    orgs: frozenset[int] = frozenset()
    things: frozenset[int] = frozenset()
    carries: bool = False

    def holds(self, user: int | None, resource: int) -> set[str]:
        """Return the roles of a user; those of the asker only within the scope of the token."""
        if user != self.who:
            return super().holds(user, resource)
        if self.resources[resource].org not in self.orgs and resource not in self.things:
            return set()
        before = self.users[user]
        users = {**self.users, user: replace(before, is_registrar=before.is_registrar and self.carries)}
        return replace(World(**_fields(self)), users=users).holds(user, resource)


def _fields(world: World) -> dict[str, Any]:
    return {name: getattr(world, name) for name in ("users", "owners", "levels", "members", "resources")}


@generated(4)
@given(plan=plans(), seed=st.integers(0, 2**32))
async def test_all_ways_of_asking_agree_on_what_a_limited_token_is_good_for(
    api: Api, make: Make, database: db.Database, plan: Plan, seed: int
) -> None:
    database.clock = lambda: NOW
    await write(database, plan)
    world, random = await world_of(database), Random(seed)
    for person in random.sample(world.people, min(3, len(world.people))):
        limited = Limited(
            **_fields(world),
            who=person.id,
            orgs=frozenset(random.sample([*world.owners], random.randint(0, 1))),
            things=frozenset(random.sample([*world.resources], random.randint(0, 2))),
            carries=random.random() < 0.5,
        )
        await _agree(ByToken.of(api, await _token(make, limited, person)), limited, person)
    await make.app.last_used.flush()


async def _token(make: Make, world: Limited, person: Person) -> str:
    limits = [Entity("Org", key, "") for key in world.orgs] + [Entity("Resource", key, "") for key in world.things]
    carried = Permission.RESOURCES_MANAGE if world.carries else Permission.NONE
    return (await make.api_token(person, carried, limits))[0]


async def _agree(api: Api, world: Limited, person: Person) -> None:
    await lists_agree(api, world, person)
    await lookups_agree(api, world, person)
    await own_checks_agree(api, world, person)
    await pages_agree(api, world, person, world.who)
    for key in world.resources:
        explanations = (await query_data(api, EXPLAIN, person, user=person.node, resource=resource_id(key)))[
            "explainAccess"
        ]
        assert {role for path in explanations for role in path["effectiveRoles"]} == world.holds(person.id, key)
        await _asks_of_others(api, world, person, key)


async def _asks_of_others(api: Api, world: Limited, person: Person, key: int) -> None:
    """Only by ADMIN through this token, where it covers the org and no group has an entry: it covers no group."""
    other = next(each for each in world.users if each != person.id)
    reply = await api(EXPLAIN, as_=person, user=user_id(other), resource=resource_id(key))
    target, manages = world.resources[key], world.users[person.id].is_registrar and world.carries
    belongs = person.id == world.owners[target.org] or (target.org, person.id) in world.levels
    may = "ADMIN" in world.holds(person.id, key) and target.org in world.orgs and (belongs or manages)
    assert codes(reply) in ([[], ["NOT_FOUND"]] if may and not target.entries else [["FORBIDDEN"]])


@dataclass
class Place:
    """An administrator with two similar orgs, and their token that is limited to one org or to one resource."""

    root: Person
    bea: Person
    token: str
    inside: dict[str, Entity]
    outside: dict[str, Entity]


async def _place(make: Make, *, is_org_token: bool) -> Place:
    root, bea = await make.admin(), await make.user("bea")
    inside, outside = [await _things(make, root, bea, name) for name in ("inside", "outside")]
    token, _ = await make.api_token(root, ~Permission.NONE, [inside["org" if is_org_token else "resource"]])
    return Place(root, bea, token, inside, outside)


async def _things(make: Make, root: Person, bea: Person, name: str) -> dict[str, Entity]:
    org = await make.org(name, root)
    await make.member(org, bea, MemberLevel.READ_ONLY)
    return {"org": org, "resource": await make.resource(org, owner=root, general=0)}


ABOUT_RESOURCES: dict[str, dict[str, Any]] = {
    "updateResource": PATCH,
    "lockResource": {"reason": "Because."},
    "grantAccess": {"subject": {"user": {"userName": "bea"}}, "roles": ["METADATA_READ"]},
    "transferResource": {"owner": {"userName": "bea"}},
    "beginUpload": {"sizeBytes": 1},
    "beginDownload": {},
    "deleteResource": {},
}
ABOUT_ORGS: dict[str, dict[str, Any]] = {
    "updateOrg": PATCH,
    "addOrgMember": {"user": {"userName": "cleo"}, "level": "READ_ONLY"},
    "removeOrgMember": {"user": {"userName": "bea"}},
    "createResource": {"type": "MODEL", "slug": "new", "name": "New"},
    "transferOrg": {"owner": {"userName": "bea"}},
    "deleteOrg": {},
}


@pytest.mark.parametrize("name", ABOUT_RESOURCES)
@pytest.mark.parametrize("is_org_token", [True, False])
async def test_a_resource_is_changed_where_the_token_is_good_for_it(
    api: Api, make: Make, database: db.Database, name: str, is_org_token: bool
) -> None:
    place = await _place(make, is_org_token=is_org_token)

    refused, permitted = await _tried(api, make, database, place, name, "resource", ABOUT_RESOURCES[name])

    assert (refused, permitted) == (["NOT_FOUND"], [])


@pytest.mark.parametrize("name", ABOUT_ORGS)
@pytest.mark.parametrize("is_org_token", [True, False])
async def test_an_org_is_changed_where_the_token_is_good_for_all_of_it(
    api: Api, make: Make, database: db.Database, name: str, is_org_token: bool
) -> None:
    place = await _place(make, is_org_token=is_org_token)
    await make.user("cleo")

    refused, permitted = await _tried(api, make, database, place, name, "org", ABOUT_ORGS[name])

    assert (refused, permitted) == (["NOT_FOUND"], [] if is_org_token else ["NOT_FOUND"])


async def _tried(
    api: Api, make: Make, database: db.Database, place: Place, name: str, kind: str, change_input: dict[str, Any]
) -> tuple[list[str], list[str]]:
    """Return the outcomes of a change outside the scope of the token, where nothing changes, and inside."""
    await api("{ viewer { user { id } } }", as_=place.token)
    await make.app.last_used.flush()
    async with unchanged(database):
        outside = await api(
            change(name), as_=place.token, input={kind: {"id": place.outside[kind].node}, **change_input}
        )
    inside = await api(change(name), as_=place.token, input={kind: {"id": place.inside[kind].node}, **change_input})
    return codes(outside), codes(inside)


async def test_nothing_moves_to_where_the_token_is_not_good(api: Api, make: Make, database: db.Database) -> None:
    place = await _place(make, is_org_token=True)
    move = {"resource": {"id": place.inside["resource"].node}, "org": {"id": place.outside["org"].node}}
    await api("{ viewer { user { id } } }", as_=place.token)
    await make.app.last_used.flush()

    async with unchanged(database):
        reply = await api(change("transferResource"), as_=place.token, input=move)

    assert codes(reply) == ["NOT_FOUND"]


BEYOND: dict[str, dict[str, Any]] = {
    "createOrg": {"slug": "new", "name": "New"},
    "createGroup": {"slug": "new", "displayName": "New"},
    "addGroupMembers": {"group": {"slug": "crew"}, "members": [{"user": {"userName": "bea"}}]},
    "createUser": {"userName": "new"},
    "assignRoles": {"user": {"userName": "bea"}, "roles": []},
    "addRoles": {"user": {"userName": "bea"}, "roles": []},
    "deactivateUser": {"user": {"userName": "bea"}},
    "renameUser": {"user": {"userName": "bea"}, "userName": "eve"},
    "patchUserMetadata": {"user": {"userName": "bea"}, "patch": {}},
    "updateGroupMember": {"group": {"slug": "crew"}, "user": {"userName": "root"}, "isManager": True},
    "signOutEverywhere": {"user": {"userName": "bea"}},
    "createRole": {"name": "new", "permissions": []},
    "createResourceType": {"name": "NEW", "hasData": False},
    "createServiceAccount": {"userName": "new"},
}


@pytest.mark.parametrize("name", BEYOND)
async def test_what_is_about_the_whole_registry_is_not_for_a_limited_token(
    api: Api, make: Make, database: db.Database, name: str
) -> None:
    """Whatever was stored with it: permissions for more do not count."""
    place = await _place(make, is_org_token=True)
    await make.group_member(await make.group("crew"), place.root, is_manager=True)
    viewer = (await api("{ viewer { permissions } }", as_=place.token))["data"]["viewer"]
    await make.app.last_used.flush()

    async with unchanged(database):
        reply = await api(change(name), as_=place.token, input=BEYOND[name])

    assert viewer == {"permissions": ["ORGS_MANAGE", "RESOURCES_MANAGE", "ACCESS_VIEW", "RESOURCES_VIEW"]}
    assert codes(reply) == ["FORBIDDEN"]


async def test_what_it_was_limited_to_is_gone_and_it_is_good_for_nothing(api: Api, make: Make) -> None:
    place = await _place(make, is_org_token=True)

    await api(change("deleteOrg"), as_=place.root, input={"org": {"id": place.inside["org"].node}})
    seen = await api("{ resources { totalCount } orgs { totalCount } }", as_=place.token)

    assert seen["data"] == {"resources": {"totalCount": 0}, "orgs": {"totalCount": 0}}


async def test_over_rest_it_is_limited_too(api: Api, make: Make, database: db.Database) -> None:
    place = await _place(make, is_org_token=True)
    headers = {"authorization": f"Bearer {place.token}"}

    orgs = (await api.client.get("/orgs", headers=headers)).json()
    sets = [await api.client.get(f"/orgs/{slug}/ds", headers=headers) for slug in ("inside", "outside")]
    await make.app.last_used.flush()
    async with unchanged(database):
        memberships = await api.client.put("/users/bea/orgs", json={"orgSlugs": []}, headers=headers)

    assert [each["slug"] for each in orgs] == ["inside"]
    assert [each.status_code for each in sets] == [200, 404]
    assert memberships.status_code == 403


async def test_it_deletes_a_thing_by_the_level_that_its_owner_has_in_the_org(api: Api, make: Make) -> None:
    ann, org = await make.user("ann"), await make.org("reef")
    await make.member(org, ann, MemberLevel.READ_WRITE_DELETE)
    thing = await make.resource(org, general=resource_roles.METADATA_READ)
    token, _ = await make.api_token(ann, limits=[thing])

    assert codes(await api(change("deleteResource"), as_=token, input={"resource": {"id": thing.node}})) == []


async def test_a_token_is_limited_to_what_its_maker_sees(api: Api, make: Make, database: db.Database) -> None:
    ann = await make.user("ann")
    hidden = await _things(make, await make.user("hugo"), await make.user("bea"), "hush")
    open_ = await make.resource(await make.org("open", is_public=True))
    wanted = {"orgs": [{"slug": "open"}], "resources": [{"id": open_.node}]}

    async with unchanged(database):
        replies = [
            await api(change("createApiToken"), as_=ann, input={"name": "x", **wanted, kind: [{"id": node}]})
            for kind, node in (
                ("orgs", hidden["org"].node),
                ("orgs", refs.encode("Org", 999)),
                ("resources", hidden["resource"].node),
                ("resources", refs.encode("Resource", 999)),
            )
        ]
    created = await api(
        change("createApiToken", "apiToken { isLimited orgs { slug } resources { id } }"),
        as_=ann,
        input={"name": "x", **wanted},
    )

    assert [codes(reply) for reply in replies] == [["NOT_FOUND"]] * 4
    assert replies[0] == replies[1]
    assert replies[2] == replies[3]
    expected = {"isLimited": True, "orgs": [{"slug": "open"}], "resources": [{"id": open_.node}]}
    assert created["data"]["createApiToken"]["apiToken"] == expected
