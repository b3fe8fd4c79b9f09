"""May she? And why? The questions that data services ask."""

from time import perf_counter
from typing import Any

from app import masks
from app.auth import Permission
from app.masks import Level
from tests.asking import Api, codes
from tests.make import Make, Person, Thing

CHECK = """query ($user: UserBy!, $resource: ResourceBy!, $role: ResourceRole!) {
  checkAccess(user: $user, resource: $resource, role: $role)
}"""
BATCH = """query ($users: [ID!]!, $resources: [ID!]!, $roles: [ResourceRole!]!) {
  checkAccessBatch(users: $users, resources: $resources, roles: $roles)
}"""
EXPLAIN = """query ($user: UserBy!, $resource: ResourceBy!) {
  explainAccess(user: $user, resource: $resource) {
    kind grantedRoles roles orgLevel expiresAt group { slug }
  }
}"""
READ, WRITE = "METADATA_READ", "METADATA_WRITE"
EVERY = [READ, WRITE, "DATASET_DATA_READ", "DATASET_DATA_WRITE", "ADMIN"]


async def check(api: Api, as_: Person | None, user: Person, thing: Thing, role: str = READ) -> Any:
    return await api(CHECK, as_=as_, user={"id": user.node}, resource={"id": thing.node}, role=role)


async def batch(api: Api, as_: Person | None, *asked: tuple[str, str, str]) -> Any:
    users, resources, roles = ([each[at] for each in asked] for at in range(3))
    return await api(BATCH, as_=as_, users=users, resources=resources, roles=roles)


async def test_about_herself_everybody_asks_in_every_way_of_naming(api: Api, make: Make) -> None:
    ann, org = await make.user("ann"), await make.org("sea")
    reef = await make.resource(org, slug="reef", general=masks.DATA_READ)
    by_path = {"path": {"orgSlug": "sea", "slug": "reef"}}

    for user in ({"id": ann.node}, {"userName": "ANN"}):
        for resource in ({"id": reef.node}, by_path):
            told = [
                (await api(CHECK, as_=ann, user=user, resource=resource, role=role))["data"]["checkAccess"]
                for role in EVERY
            ]
            assert told == [True, False, True, False, False]


async def test_what_is_not_gives_nothing(api: Api, make: Make) -> None:
    registry, ann = await make.holder(Permission.RESOURCES_MANAGE), await make.user("ann")
    reef = await make.resource(await make.org())
    gone = await make.user("gone", "deactivated")

    assert (await check(api, registry, gone, reef))["data"] == {"checkAccess": False}
    for user in ({"userName": "nobody"}, {"userName": "a\0"}, {"id": reef.node}, {"id": "garbage"}):
        reply = await api(CHECK, as_=registry, user=user, resource={"id": reef.node}, role=READ)
        assert reply == {"data": {"checkAccess": False}}
    for resource in ({"id": "garbage"}, {"id": ann.node}, {"path": {"orgSlug": "a\0", "slug": "b"}}):
        reply = await api(CHECK, as_=ann, user={"id": ann.node}, resource=resource, role=READ)
        assert reply == {"data": {"checkAccess": False}}


async def test_about_others_ask_admins_alone(api: Api, make: Make) -> None:
    org, ann, eve, admin = await make.org(), await make.user("ann"), await make.user(), await make.user()
    registry = await make.holder(Permission.RESOURCES_MANAGE)
    others = await make.holder(Permission.USERS_MANAGE | Permission.ORGS_MANAGE | Permission.GROUPS_MANAGE)
    reef, hidden = await make.resource(org), await make.resource(org, general=0)
    await make.grant(reef, admin, masks.ADMIN)
    never = Thing("Resource", 999_999, "never")

    for asker in (admin, registry):
        assert await check(api, asker, ann, reef) == {"data": {"checkAccess": True}}
        assert await batch(api, asker, (ann.node, reef.node, WRITE)) == {"data": {"checkAccessBatch": [False]}}
        explained = await api(EXPLAIN, as_=asker, user={"id": ann.node}, resource={"id": reef.node})
        assert [each["kind"] for each in explained["data"]["explainAccess"]] == ["GENERAL"]
    refusals = []
    for asker, thing in ((eve, reef), (others, reef), (eve, hidden), (eve, never), (admin, hidden), (admin, never)):
        refusals += [
            await check(api, asker, ann, thing),
            await api(EXPLAIN, as_=asker, user={"id": ann.node}, resource={"id": thing.node}),
            await batch(api, asker, (asker.node, reef.node, READ), (ann.node, thing.node, READ)),
        ]
    assert {(*codes(reply), reply["errors"][0]["message"]) for reply in refusals} == {
        ("FORBIDDEN", "Only those who hold ADMIN on the resource, or RESOURCES_MANAGE, may ask about somebody else.")
    }
    nobody = await check(api, None, ann, reef), await batch(api, None, (ann.node, reef.node, READ))
    assert [codes(reply) for reply in nobody] == [["UNAUTHENTICATED"]] * 2


async def test_a_batch_keeps_its_order_and_takes_garbage_for_nothing(api: Api, make: Make) -> None:
    registry, ann, bea = await make.holder(Permission.RESOURCES_MANAGE), await make.user(), await make.user()
    org = await make.org()
    reef, tide = await make.resource(org), await make.resource(org, type="MODEL", general=0)
    await make.grant(tide, bea, masks.METADATA_WRITE)

    reply = await batch(
        api,
        registry,
        (ann.node, reef.node, READ),
        (ann.node, tide.node, READ),
        (bea.node, tide.node, WRITE),
        (bea.node, tide.node, "DATASET_DATA_READ"),
        ("garbage", reef.node, READ),
        (ann.node, "", READ),
        (reef.node, ann.node, READ),
        ("a\0é", "\n", "ADMIN"),
        (registry.node, tide.node, "ADMIN"),
        (ann.node, reef.node, READ),
    )

    assert reply["data"]["checkAccessBatch"] == [True, False, True, False, False, False, False, False, True, True]


async def test_a_batch_is_of_at_most_ten_thousand_and_its_columns_are_of_one_length(api: Api, make: Make) -> None:
    registry, org = await make.holder(Permission.RESOURCES_MANAGE), await make.org()
    people = await make.users([f"person{at}" for at in range(10)])
    things = [await make.resource(org, general=masks.METADATA_READ if at % 2 else 0) for at in range(10)]
    asked = [(people[at // 10 % 10].node, things[at % 10].node, READ) for at in range(10_000)]

    start = perf_counter()
    reply = await batch(api, registry, *asked)
    spent = perf_counter() - start

    assert reply["data"]["checkAccessBatch"] == [bool(at % 2) for at in range(10_000)]
    assert spent < 10
    for more in ([asked[0]] * 10_001, []):
        reply = await batch(api, registry, *more)
        assert reply == {"data": {"checkAccessBatch": []}} if not more else codes(reply) == ["BAD_USER_INPUT"]
    for users, resources, roles in ((1, 1, 2), (1, 2, 1), (2, 1, 1), (0, 1, 1)):
        columns = {"users": ["x"] * users, "resources": ["x"] * resources, "roles": [READ] * roles}
        assert codes(await api(BATCH, as_=registry, **columns)) == ["BAD_USER_INPUT"]


async def test_a_batch_of_thousands_takes_as_many_statements_as_one_of_two(api: Api, make: Make) -> None:
    ann = await make.user()
    reef = await make.resource(await make.org(), owner=ann)

    async def spent(number: int) -> int:
        columns = {"users": [ann.node] * number, "resources": [reef.node] * number, "roles": [READ] * number}
        return await api.statements(BATCH, as_=ann, **columns)

    first, again = await spent(2), await spent(5_000)
    await make.user("bob")

    assert await spent(5_000) == first
    assert again < first  # nobody has committed anything: what was found before still holds


def _way(kind: str, granted: list[str], roles: list[str], level: str | None = None, slug: str | None = None) -> Any:
    group = None if slug is None else {"slug": slug}
    return {
        "kind": kind,
        "grantedRoles": granted,
        "roles": roles,
        "orgLevel": level,
        "expiresAt": None,
        "group": group,
    }


async def test_every_way_to_a_role_is_explained(api: Api, make: Make) -> None:
    registry, ann = await make.holder(Permission.RESOURCES_MANAGE), await make.user("ann")
    org, group = await make.org(), await make.group("divers", ann)
    await make.member(org, ann, Level.READ_WRITE)
    await make.group("others")
    reef = await make.resource(org, type="MODEL", owner=ann, general=masks.METADATA_READ)
    await make.grant(reef, group, masks.METADATA_WRITE)
    await make.grant(reef, ann, masks.METADATA_READ)

    reply = await api(EXPLAIN, as_=registry, user={"userName": "ann"}, resource={"id": reef.node})
    own = await api(
        """query ($id: ID!) { resource(by: {id: $id}) { viewerAccess {
          grantedRoles effectiveRoles sources { kind grantedRoles roles orgLevel expiresAt group { slug } }
        } } }""",
        as_=ann,
        id=reef.node,
    )

    all_ = [READ, WRITE, "ADMIN"]
    ways = [
        _way("GENERAL", [READ], [READ]),
        _way("GROUP", [WRITE], [READ, WRITE], slug="divers"),
        _way("USER", [READ], [READ]),
        _way("ORG", [READ, WRITE], [READ, WRITE], level="READ_WRITE"),
        _way("OWNER", all_, all_),
    ]
    access = own["data"]["resource"]["viewerAccess"]
    assert sorted(reply["data"]["explainAccess"], key=str) == sorted(ways, key=str)
    assert sorted(access["sources"], key=str) == sorted(ways, key=str)
    assert access["effectiveRoles"] == all_
    gone = await api(EXPLAIN, as_=registry, user={"userName": "nobody"}, resource={"id": reef.node})
    assert gone == {"data": {"explainAccess": []}}
