"""Claims about orgs: who sees them, who changes them, and what goes with them."""

import asyncio
from typing import Any

import pytest
from sqlalchemy import select

from app import db
from app.config import Settings
from app.db import tables
from app.db.tables import col
from app.domain.resource_roles import MemberLevel
from app.domain.viewer import Permission
from tests.support.changes import another, answered, change, problems, unchanged
from tests.support.client import Api, codes
from tests.support.factories import Entity, Make, rows_of
from tests.support.fetching import fetch

ORG = "org { slug name description isPublic viewerLevel owner { userName } }"
CREATE, UPDATE, TRANSFER = change("createOrg", ORG), change("updateOrg", ORG), change("transferOrg", ORG)
DELETE = change("deleteOrg", "deletedOrgId deletedResources")
ADD = change("addOrgMember", "user { userName }")
REMOVE = change("removeOrgMember", "user { userName }")
EVERYWHERE = """
query ($id: ID!, $slug: String!) {
  node(id: $id) { id }
  nodes(ids: [$id]) { id }
  byId: org(by: {id: $id}) { slug }
  bySlug: org(by: {slug: $slug}) { slug }
  orgs { totalCount nodes { slug } }
  named: orgs(filter: {slug: {eq: $slug}}) { totalCount nodes { slug } }
  mine: orgs(filter: {viewerBelongs: true}) { totalCount }
}
"""
LIST = "query ($filter: OrgFilter, $order: [OrgOrder!]) { orgs(filter: $filter, orderBy: $order) { nodes { slug } } }"


def _where(org: Entity) -> dict[str, str]:
    return {"id": org.node, "slug": org.slug}


def _everywhere(reply: dict[str, Any]) -> list[Any]:
    data = reply["data"]
    rows = [data["node"], data["nodes"][0], data["byId"], data["bySlug"]]
    return [each is not None for each in rows] + [data["orgs"]["totalCount"], data["named"]["totalCount"]]


async def test_who_makes_an_org_owns_it(api: Api, make: Make, database: db.Database) -> None:
    ann = await make.user("ann", "user")

    reply = await api(CREATE, as_=ann, input={"slug": "acme-1_x", "name": "  Acme  ", "description": "All of it."})

    assert answered(reply, "createOrg")["org"] == {
        "slug": "acme-1_x",
        "name": "Acme",
        "description": "All of it.",
        "isPublic": False,
        "viewerLevel": "ADMIN",
        "owner": {"userName": "ann"},
    }
    assert await rows_of(database, tables.OrgMember) == 0


async def test_only_who_manages_orgs_makes_one_for_somebody_else(api: Api, make: Make, database: db.Database) -> None:
    root, ann, bea = await make.admin(), await make.user("ann", "user"), await make.user("bea")
    await make.group("both", ann, bea)
    fields = {"slug": "acme", "name": "Acme", "owner": {"userName": "BEA"}}

    async with unchanged(database):
        assert codes(await api(CREATE, as_=ann, input=fields)) == ["FORBIDDEN"]
        assert problems(await api(CREATE, as_=ann, input=fields | {"owner": {"userName": "nobody"}})) == {
            "NOT_FOUND input.owner"
        }

    assert answered(await api(CREATE, as_=root, input=fields), "createOrg")["org"]["owner"] == {"userName": "bea"}


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({"slug": "a"}, "slug"),
        ({"slug": "a" * 129}, "slug"),
        ({"slug": "-ab"}, "slug"),
        ({"slug": "a--b"}, "slug"),
        ({"slug": "Acme"}, "slug"),
        ({"slug": "acme\n"}, "slug"),
        ({"slug": "public"}, "slug"),
        ({"slug": "features"}, "slug"),
        ({"name": "   "}, "name"),
        ({"name": "x" * 201}, "name"),
        ({"name": "a\0b"}, "name"),
        ({"description": "x" * 1001}, "description"),
    ],
)
async def test_a_name_out_of_form_is_refused(
    api: Api, make: Make, database: db.Database, fields: dict[str, Any], path: str
) -> None:
    ann = await make.user("ann", "user")

    async with unchanged(database):
        reply = await api(CREATE, as_=ann, input={"slug": "acme", "name": "Acme"} | fields)

    assert problems(reply) == {f"INVALID_INPUT input.{path}"}


async def test_a_slug_is_taken_once(api: Api, make: Make, database: db.Database) -> None:
    ann = await make.user("ann", "user")
    await make.org("acme")

    async with unchanged(database):
        assert problems(await api(CREATE, as_=ann, input={"slug": "acme", "name": "A"})) == {"CONFLICT input.slug"}


async def test_a_private_org_is_nowhere_for_a_stranger(api: Api, make: Make, database: db.Database) -> None:
    org, eve, ann = await make.org("hidden", await make.user()), await make.user("eve", "user"), await make.user("ann")
    ways = [{"id": org.node}, {"slug": "hidden"}]
    never = await api(DELETE, as_=eve, input={"org": {"slug": "never"}})

    for asker in (None, eve):
        assert _everywhere(await api(EVERYWHERE, as_=asker, **_where(org))) == [False] * 4 + [0, 0]
    async with unchanged(database):
        for ref in ways:
            assert await api(DELETE, as_=eve, input={"org": ref}) == never
            for document, more in (
                (UPDATE, {"name": "x"}),
                (TRANSFER, {"owner": {"id": eve.node}}),
                (ADD, {"user": {"id": eve.node}}),
                (REMOVE, {"user": {"id": eve.node}}),
                (ADD, {"user": {"id": ann.node}}),
            ):
                assert problems(await api(document, as_=eve, input={"org": ref} | more)) == {"NOT_FOUND input.org"}
            assert codes(await api(DELETE, input={"org": ref})) == ["UNAUTHENTICATED"]


async def test_a_public_org_is_seen_by_everybody_and_its_members_by_its_people(api: Api, make: Make) -> None:
    ann, bea, eve = await make.user("ann"), await make.user("bea"), await make.user("eve")
    org = await make.org("open", ann, is_public=True)
    await make.member(org, bea, MemberLevel.READ_ONLY)
    members = 'query { org(by: {slug: "open"}) { owner { userName } viewerLevel members { totalCount } } }'

    for asker in (None, eve):
        assert _everywhere(await api(EVERYWHERE, as_=asker, **_where(org))) == [True] * 4 + [1, 1]
        assert (await api(members, as_=asker))["data"]["org"] == {
            "owner": {"userName": "ann"},
            "viewerLevel": None,
            "members": None,
        }
    for asker, level in ((ann, "ADMIN"), (bea, "READ_ONLY")):
        data = (await api(members, as_=asker))["data"]["org"]
        assert (data["viewerLevel"], data["members"]) == (level, {"totalCount": 1})


async def test_a_deactivated_user_loses_their_own_org(api: Api, make: Make) -> None:
    ann = await make.user("ann", "deactivated")
    org = await make.org("hidden", ann)

    assert codes(await api(EVERYWHERE, as_=ann, **_where(org))) == ["UNAUTHENTICATED"]


async def test_orgs_are_filtered_and_ordered(api: Api, make: Make) -> None:
    ann = await make.user("ann")
    await make.org("zed", ann, name="alpha")
    await make.org("mid", name="Beta", is_public=True)
    await make.org("low", name="gamma", is_public=True)

    async def slugs(**variables: Any) -> list[str]:
        reply = await api(LIST, as_=ann, **variables)
        return [node["slug"] for node in reply["data"]["orgs"]["nodes"]]

    assert await slugs() == ["zed", "mid", "low"]
    assert await slugs(order=[{"field": "NAME", "direction": "DESC"}]) == ["low", "mid", "zed"]
    assert await slugs(order=[{"field": "CREATED_AT"}]) == ["zed", "mid", "low"]
    assert await slugs(filter={"viewerBelongs": True}) == ["zed"]
    assert await slugs(filter={"viewerBelongs": False}) == ["mid", "low"]
    assert await slugs(filter={"isPublic": False}) == ["zed"]
    assert await slugs(filter={"name": {"startsWith": "BE"}}) == ["mid"]
    assert await slugs(filter={"slug": {"in": ["low", "zed", "no"]}}) == ["zed", "low"]
    assert await slugs(filter={"not": {"viewerBelongs": True}, "or": [{"slug": {"eq": "low"}}]}) == ["low"]


LEVELS = [
    None,
    MemberLevel.READ_ONLY,
    MemberLevel.READ_WRITE,
    MemberLevel.READ_WRITE_DELETE,
    MemberLevel.ADMIN,
    "owner",
    "manager",
]


@pytest.mark.parametrize(("level", "reach"), [*zip(LEVELS, range(7), strict=True)])
async def test_each_level_allows_what_those_below_allow(
    api: Api, make: Make, database: db.Database, level: Any, reach: int
) -> None:
    """On a public org, so that a stranger sees it."""
    owner, bea = await make.user("owner"), await make.user("bea")
    managers = Permission.ORGS_MANAGE | Permission.USERS_VIEW
    asker = {"owner": owner}.get(level) or await make.holder(managers if level == "manager" else Permission.NONE)
    org = await make.org("acme", owner, is_public=True)
    if isinstance(level, MemberLevel):
        await make.member(org, asker, level)
    await make.group("known", asker, bea)
    changes: list[tuple[int, str, dict[str, Any]]] = [
        (2, UPDATE, {"name": "New"}),
        (4, ADD, {"user": {"userName": "bea"}}),
        (5, TRANSFER, {"owner": {"userName": "bea"}}),
        (3, DELETE, {}),
    ]

    for least, document, more in changes:
        fields = {"org": {"slug": "acme"}, "validateOnly": True} | more
        async with unchanged(database):
            assert codes(await api(document, as_=asker, input=fields)) == ([] if reach >= least else ["FORBIDDEN"])


async def test_an_update_changes_the_named_fields(api: Api, make: Make) -> None:
    ann = await make.user("ann")
    org = await make.org("acme", ann, name="Acme", description="Old.")

    async def updated(**fields: Any) -> dict[str, Any]:
        reply = await api(UPDATE, as_=ann, input={"org": {"id": org.node}} | fields)
        changed: dict[str, Any] = answered(reply, "updateOrg")["org"]
        return {name: changed[name] for name in ("name", "description", "isPublic")}

    assert await updated() == {"name": "Acme", "description": "Old.", "isPublic": False}
    assert await updated(description="") == {"name": "Acme", "description": "", "isPublic": False}
    assert await updated(name=" Zed ", isPublic=True) == {"name": "Zed", "description": "", "isPublic": True}
    reply = await api(LIST, as_=ann, filter={"name": {"eq": "zed"}})
    assert reply["data"]["orgs"]["nodes"] == [{"slug": "acme"}]


async def test_an_org_goes_with_all_that_is_in_it(api: Api, make: Make, database: db.Database) -> None:
    ann, bea = await make.user("ann"), await make.user("bea")
    org, other = await make.org("acme", ann), await make.org("other", ann)
    await make.member(org, bea)
    group = await make.group("pilots", bea)
    for _ in range(3):
        await make.grant(await make.resource(org), group)
    remaining = await make.resource(other)

    reply = await api(DELETE, as_=ann, input={"org": {"slug": "acme"}})

    deleted = answered(reply, "deleteOrg")
    assert deleted == {"deletedOrgId": org.node, "deletedResources": 3, "errors": []}
    assert await rows_of(database, tables.OrgMember) == 0
    rows = await fetch(database, select(col(tables.Access.resource_id)).distinct())
    assert [*rows, await rows_of(database, tables.Grant), await rows_of(database, tables.Resource)] == [
        (remaining.id,),
        1,
        1,
    ]


async def test_an_org_with_a_locked_resource_stays_complete(api: Api, make: Make, database: db.Database) -> None:
    root = await make.admin()
    org = await make.org("acme", root)
    await make.resource(org)
    for _ in range(2):
        await make.locked(await make.resource(org))

    async with unchanged(database):
        reply = await api(DELETE, as_=root, input={"org": {"slug": "acme"}})

    assert problems(reply) == {"LOCKED input.org"}
    assert (
        reply["data"]["deleteOrg"]["errors"][0]["message"] == "2 resources of this org are locked. Unlock them first."
    )


async def test_an_org_is_not_deleted_while_something_in_it_is_being_locked(
    api: Api, make: Make, settings: Settings, database: db.Database
) -> None:
    root, lock = await make.admin(), change("lockResource")

    async with another(settings) as other:
        for at in range(6):
            org = await make.org(f"acme{at}")
            resource = await make.resource(org)
            deleted, locked = await asyncio.gather(
                api(DELETE, as_=root, input={"org": {"id": org.node}}),
                other(lock, as_=root, input={"resource": {"id": resource.node}, "reason": "Mine."}),
            )
            assert (codes(deleted), codes(locked)) in ((["LOCKED"], []), ([], ["NOT_FOUND"]))
            assert await rows_of(database, tables.Lock) == await rows_of(database, tables.Org)


async def test_who_gave_an_org_away_stays_as_admin(api: Api, make: Make, database: db.Database) -> None:
    ann, bea = await make.user("ann"), await make.user("bea")
    org = await make.org("acme", ann)
    await make.member(org, bea, MemberLevel.READ_ONLY)

    reply = await api(TRANSFER, as_=ann, input={"org": {"slug": "acme"}, "owner": {"id": bea.node}})

    transferred = answered(reply, "transferOrg")["org"]
    assert (transferred["owner"], transferred["viewerLevel"]) == ({"userName": "bea"}, "ADMIN")
    members = select(col(tables.OrgMember.user_id), col(tables.OrgMember.level))
    assert await fetch(database, members) == [(ann.id, int(MemberLevel.ADMIN))]
    async with unchanged(database):
        again = {"org": {"slug": "acme"}, "owner": {"userName": "ann"}}
        assert codes(await api(TRANSFER, as_=ann, input=again)) == ["FORBIDDEN"]
        own = {"org": {"slug": "acme"}, "owner": {"userName": "bea"}}
        assert problems(await api(TRANSFER, as_=bea, input=own)) == set()


async def test_an_org_of_nobody_gets_an_owner(api: Api, make: Make, database: db.Database) -> None:
    root, bea = await make.admin(), await make.user("bea")
    await make.org("acme")

    reply = await api(TRANSFER, as_=root, input={"org": {"slug": "acme"}, "owner": {"userName": "bea"}})

    assert answered(reply, "transferOrg")["org"]["owner"] == {"userName": bea.user_name}
    assert await rows_of(database, tables.OrgMember) == 0


NESTED = """
{ orgs(first: 100) { nodes { slug viewerLevel owner { userName }
    members(first: 5) { totalCount edges { level addedBy { userName } node { userName
      ownedOrgs { totalCount } } } }
    resources(first: 3) { nodes { name } } } } }
"""


async def test_thirty_orgs_cost_as_many_statements_as_one(api: Api, make: Make) -> None:
    root, people = await make.admin(), await make.users([f"user{at}" for at in range(6)])

    async def grown(number: int) -> None:
        for _ in range(number):
            org = await make.org(None, root)
            await make.resource(org)
            for person in people:
                await make.member(org, person)

    await grown(1)
    few = await api.statements(NESTED, as_=root)
    await grown(29)

    assert await api.statements(NESTED, as_=root) == few
    assert len((await api(NESTED, as_=root))["data"]["orgs"]["nodes"]) == 30
