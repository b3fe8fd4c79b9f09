"""Claims about access checks and their explanations."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import pytest

from app.domain import refs, resource_roles
from app.domain.resource_roles import MemberLevel
from app.domain.viewer import Permission
from tests.support.client import Api, codes
from tests.support.effort import counted
from tests.support.factories import Entity, Make, Person

CHECK = """query ($user: UserBy!, $resource: ResourceBy!, $role: ResourceRole!) {
  checkAccess(user: $user, resource: $resource, role: $role)
}"""
BATCH = """query ($users: [ID!]!, $resources: [ID!]!, $roles: [ResourceRole!]!) {
  checkAccessBatch(users: $users, resources: $resources, roles: $roles)
}"""
EXPLAIN = """query ($user: UserBy!, $resource: ResourceBy!) {
  explainAccess(user: $user, resource: $resource) {
    kind grantedRoles effectiveRoles orgLevel expiresAt group { slug }
  }
}"""
READ, WRITE = "METADATA_READ", "METADATA_WRITE"
EVERY = [READ, WRITE, "DATASET_DATA_READ", "DATASET_DATA_WRITE", "ADMIN"]


async def check(api: Api, as_: Person | str | None, user: Person, thing: Entity, role: str = READ) -> Any:
    return await api(CHECK, as_=as_, user={"id": user.node}, resource={"id": thing.node}, role=role)


async def batch(api: Api, as_: Person | str | None, *triples: tuple[str, str, str]) -> Any:
    users, resources, roles = ([each[at] for each in triples] for at in range(3))
    return await api(BATCH, as_=as_, users=users, resources=resources, roles=roles)


async def test_every_user_may_check_their_own_access_by_id_and_by_name(api: Api, make: Make) -> None:
    ann, org = await make.user("ann"), await make.org("sea")
    reef = await make.resource(org, slug="reef", general=resource_roles.DATA_READ)
    by_path = {"path": {"orgSlug": "sea", "slug": "reef"}}

    for user in ({"id": ann.node}, {"userName": "ANN"}):
        for resource in ({"id": reef.node}, by_path):
            answer = [
                (await api(CHECK, as_=ann, user=user, resource=resource, role=role))["data"]["checkAccess"]
                for role in EVERY
            ]
            assert answer == [True, False, True, False, False]


GHOSTS: list[dict[str, Any]] = [{"userName": "nobody"}, {"userName": "a\0"}, {"id": "VXNlcjo5OTk"}, {"id": "garbage"}]
NOWHERE: list[dict[str, Any]] = [{"id": "garbage"}, {"id": "VXNlcjox"}, {"path": {"orgSlug": "a\0", "slug": "b"}}]
NOBODY_SUCH, NOTHING_SUCH = ("NOT_FOUND", "There is no such user."), ("NOT_FOUND", "There is no such resource.")


def refusal(reply: Any) -> tuple[str, str]:
    (error,) = reply["errors"]
    return error["extensions"]["code"], error["message"]


async def test_what_does_not_exist_is_not_found_by_who_may_know(api: Api, make: Make) -> None:
    checker, ann = await make.holder(Permission.ACCESS_VIEW), await make.user("ann")
    surveyor = await make.holder(Permission.RESOURCES_VIEW)
    reef = await make.resource(await make.org())
    gone = await make.user("gone", "deactivated")

    assert (await check(api, checker, gone, reef))["data"] == {"checkAccess": False}
    for user in GHOSTS:
        for query in (CHECK, EXPLAIN):
            more = {"role": READ} if query is CHECK else {}
            reply = await api(query, as_=checker, user=user, resource={"id": reef.node}, **more)
            assert refusal(reply) == NOBODY_SUCH
    for resource in NOWHERE:
        by_checker = await api(CHECK, as_=checker, user={"id": ann.node}, resource=resource, role=READ)
        of_their_own = await api(CHECK, as_=surveyor, user={"id": surveyor.node}, resource=resource, role=READ)
        assert refusal(by_checker) == refusal(of_their_own) == NOTHING_SUCH
        reply = await api(CHECK, as_=ann, user={"id": ann.node}, resource=resource, role=READ)
        assert reply == {"data": {"checkAccess": False}}


MAY_NOT = "Only those who hold ADMIN on the resource, or ACCESS_VIEW, may ask about another user."
WOULD_TELL = (
    "This needs ACCESS_VIEW: the resource has an entry of a group whose members you may not see, or is in an org whose "
    "members you may not see."
)


async def all_ways(api: Api, asker: Person, user: dict[str, Any], thing: Entity) -> list[Any]:
    """Ask about a user with each operation; the batch asks about the asker too."""
    where = {"id": thing.node}
    replies = [
        await api(CHECK, as_=asker, user=user, resource=where, role=READ),
        await api(EXPLAIN, as_=asker, user=user, resource=where),
    ]
    if "id" in user:
        replies.append(await batch(api, asker, (asker.node, thing.node, READ), (user["id"], thing.node, READ)))
    return replies


async def test_about_others_ask_access_view_and_admins_who_may_know_who_belongs_there(api: Api, make: Make) -> None:
    ann, eve, owner, guest = [await make.user(name) for name in ("ann", "eve", "owner", "guest")]
    org = await make.org("sea", owner, is_public=True)
    checker, manager = await make.holder(Permission.ACCESS_VIEW), await make.holder(Permission.RESOURCES_MANAGE)
    others = await make.holder(~(Permission.ACCESS_VIEW | Permission.RESOURCES_MANAGE))
    reef, hidden = await make.resource(org, owner=owner), await make.resource(org, general=0)
    await make.grant(reef, guest, resource_roles.ADMIN)
    never = Entity("Resource", 999_999, "never")

    for asker in (owner, manager, checker):
        assert await check(api, asker, ann, reef) == {"data": {"checkAccess": True}}
        assert await batch(api, asker, (ann.node, reef.node, WRITE)) == {"data": {"checkAccessBatch": [False]}}
        explained = await api(EXPLAIN, as_=asker, user={"id": ann.node}, resource={"id": reef.node})
        assert [each["kind"] for each in explained["data"]["explainAccess"]] == ["GENERAL"]
    refusals = [
        reply
        for asker, thing in ((eve, reef), (others, reef), (eve, hidden), (eve, never), (guest, hidden), (guest, never))
        for user in ({"id": ann.node}, *GHOSTS)
        for reply in await all_ways(api, asker, user, thing)
    ]
    assert {refusal(reply) for reply in refusals} == {("FORBIDDEN", MAY_NOT)}
    nobody = await check(api, None, ann, reef), await batch(api, None, (ann.node, reef.node, READ))
    assert [codes(reply) for reply in nobody] == [["UNAUTHENTICATED"]] * 2


@pytest.mark.parametrize("mask", [resource_roles.DATA_READ, 0])
async def test_where_the_answer_would_tell_who_is_in_a_group_all_are_refused_alike(
    api: Api, make: Make, mask: int
) -> None:
    """Entries without roles and ended entries hide memberships too."""
    ann, bea, owner = await make.user("ann"), await make.user("bea"), await make.user("owner")
    gone = await make.user("gone", "deactivated")
    divers = await make.group("divers", bea)
    reef = await make.resource(await make.org("sea", owner), owner=owner, general=0)
    await make.grant(reef, divers, mask)

    requests = ({"id": ann.node}, {"id": bea.node}, {"userName": "bea"}, {"id": gone.node}, *GHOSTS)
    refusals = [reply for user in requests for reply in await all_ways(api, owner, user, reef)]
    assert {refusal(reply) for reply in refusals} == {("FORBIDDEN", WOULD_TELL)}
    await make.group_member(divers, owner)
    assert [codes(reply) for reply in await all_ways(api, owner, {"id": bea.node}, reef)] == [[]] * 3


async def test_the_people_of_an_org_are_hidden_from_an_administrator_of_one_resource_too(api: Api, make: Make) -> None:
    ann, guest = await make.user("ann"), await make.user("guest")
    org = await make.org("sea", is_public=True)
    await make.member(org, ann, MemberLevel.READ_ONLY)
    reef = await make.resource(org, general=0)
    await make.grant(reef, guest, resource_roles.ADMIN)

    refused = await all_ways(api, guest, {"id": ann.node}, reef)
    assert {refusal(reply) for reply in refused} == {("FORBIDDEN", WOULD_TELL)}
    await make.member(org, guest, MemberLevel.READ_ONLY)
    assert [codes(reply) for reply in await all_ways(api, guest, {"id": ann.node}, reef)] == [[]] * 3


async def test_an_administrator_of_a_resource_is_not_told_who_administers_the_registry(api: Api, make: Make) -> None:
    owner, boss = await make.user("owner"), await make.holder(Permission.RESOURCES_MANAGE, "boss")
    reef = await make.resource(await make.org("sea", owner), owner=owner, general=resource_roles.METADATA_READ)

    async def answer(asker: Person) -> tuple[Any, list[str]]:
        may = await check(api, asker, boss, reef, "ADMIN")
        why = await api(EXPLAIN, as_=asker, user={"id": boss.node}, resource={"id": reef.node})
        return may["data"]["checkAccess"], [each["kind"] for each in why["data"]["explainAccess"]]

    assert await answer(owner) == (False, ["GENERAL"])
    everything = True, ["GENERAL", "PERMISSION"]
    assert await answer(boss) == await answer(await make.holder(Permission.ACCESS_VIEW)) == everything


async def test_a_limited_token_asks_about_others_what_it_covers(api: Api, make: Make) -> None:
    ann, checker, org = await make.user("ann"), await make.holder(Permission.ACCESS_VIEW), await make.org()
    inside, outside = await make.resource(org), await make.resource(org)
    token, _ = await make.api_token(checker, Permission.ACCESS_VIEW, [inside])

    assert await batch(api, token, (ann.node, inside.node, READ)) == {"data": {"checkAccessBatch": [True]}}
    for thing in (outside, Entity("Resource", 999_999, "never")):
        assert refusal(await batch(api, token, (ann.node, thing.node, READ))) == ("FORBIDDEN", MAY_NOT)


async def test_a_batch_keeps_its_order_and_refuses_garbage(api: Api, make: Make) -> None:
    checker, ann, bea = await make.holder(Permission.ACCESS_VIEW), await make.user(), await make.user()
    org = await make.org()
    reef, tide = await make.resource(org), await make.resource(org, type="MODEL", general=0)
    await make.grant(tide, bea, resource_roles.METADATA_WRITE)
    good = (
        (ann.node, reef.node, READ),
        (ann.node, tide.node, READ),
        (bea.node, tide.node, WRITE),
        (bea.node, tide.node, "DATASET_DATA_READ"),
        (checker.node, tide.node, "ADMIN"),
        (ann.node, reef.node, READ),
    )

    assert (await batch(api, checker, *good))["data"]["checkAccessBatch"] == [True, False, True, False, False, True]
    for ghost in ("garbage", reef.node, "a\0é", refs.encode("User", 999)):
        assert refusal(await batch(api, checker, *good, (ghost, reef.node, READ))) == NOBODY_SUCH
    for ghost in ("", ann.node, "\n", refs.encode("Resource", 999)):
        assert refusal(await batch(api, checker, *good, (ann.node, ghost, READ))) == NOTHING_SUCH
        own = await batch(api, ann, (ann.node, reef.node, READ), (ann.node, ghost, READ))
        assert own["data"]["checkAccessBatch"] == [True, False]


async def test_a_batch_is_of_at_most_ten_thousand_and_its_columns_are_of_one_length(api: Api, make: Make) -> None:
    registry, org = await make.holder(Permission.ACCESS_VIEW), await make.org()
    people = await make.users([f"person{at}" for at in range(10)])
    things = [await make.resource(org, general=resource_roles.METADATA_READ if at % 2 else 0) for at in range(10)]
    requests = [(people[at // 10 % 10].node, things[at % 10].node, READ) for at in range(10_000)]

    with counted() as effort:
        reply = await batch(api, registry, *requests)

    assert reply["data"]["checkAccessBatch"] == [bool(at % 2) for at in range(10_000)]
    assert effort.calls < 60 * len(requests)
    for more in ([requests[0]] * 10_001, []):
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
    await make.group("divers", ann)

    assert await spent(5_000) == first
    assert again < first  # no commit concerns ann or the reef: the cached masks are valid


def _source(kind: str, granted: list[str], roles: list[str], level: str | None = None, slug: str | None = None) -> Any:
    group = None if slug is None else {"slug": slug}
    return {
        "kind": kind,
        "grantedRoles": granted,
        "effectiveRoles": roles,
        "orgLevel": level,
        "expiresAt": None,
        "group": group,
    }


async def test_every_way_to_a_role_is_explained(api: Api, make: Make) -> None:
    registry, ann = await make.holder(Permission.ACCESS_VIEW), await make.user("ann")
    org, group = await make.org(), await make.group("divers", ann)
    await make.member(org, ann, MemberLevel.READ_WRITE)
    await make.group("others")
    reef = await make.resource(org, type="MODEL", owner=ann, general=resource_roles.METADATA_READ)
    await make.grant(reef, group, resource_roles.METADATA_WRITE)
    await make.grant(reef, ann, resource_roles.METADATA_READ)

    reply = await api(EXPLAIN, as_=registry, user={"userName": "ann"}, resource={"id": reef.node})
    own = await api(
        """query ($id: ID!) { resource(by: {id: $id}) { viewerAccess {
          grantedRoles effectiveRoles sources { kind grantedRoles effectiveRoles orgLevel expiresAt group { slug } }
        } } }""",
        as_=ann,
        id=reef.node,
    )

    all_ = [READ, WRITE, "ADMIN"]
    ways = [
        _source("GENERAL", [READ], [READ]),
        _source("GROUP", [WRITE], [READ, WRITE], slug="divers"),
        _source("USER", [READ], [READ]),
        _source("ORG", [READ, WRITE], [READ, WRITE], level="READ_WRITE"),
        _source("OWNER", all_, all_),
    ]
    access = own["data"]["resource"]["viewerAccess"]
    assert sorted(reply["data"]["explainAccess"], key=str) == sorted(ways, key=str)
    assert sorted(access["sources"], key=str) == sorted(ways, key=str)
    assert access["effectiveRoles"] == all_
    gone = await api(EXPLAIN, as_=registry, user={"userName": "nobody"}, resource={"id": reef.node})
    assert refusal(gone) == NOBODY_SUCH


DENIAL = """query ($user: UserBy!, $resource: ResourceBy!, $role: ResourceRole!) {
  explainDenial(user: $user, resource: $resource, role: $role) { cause kind group { slug } grantedRoles endedAt }
}"""
ENDED = datetime(2020, 1, 1, tzinfo=UTC)
LONG_AGO = "2020-01-01T00:00:00.000000Z"


def _denied(cause: str, kind: str | None = None, granted: Sequence[str] = (), **more: Any) -> dict[str, Any]:
    return {"cause": cause, "kind": kind, "group": None, "grantedRoles": [*granted], "endedAt": None, **more}


async def test_why_not_is_told_by_entry(api: Api, make: Make) -> None:
    checker, ann, gone = await make.holder(Permission.ACCESS_VIEW), await make.user("ann"), await make.user("gone")
    await make.user("off", "deactivated")
    org = await make.org()
    divers, pilots = await make.group("divers"), await make.group("pilots", ann)
    await make.group_member(divers, ann, expires_at=ENDED)
    await make.member(org, ann, MemberLevel.ADMIN, expires_at=ENDED)
    reef, model = (
        await make.resource(org, general=resource_roles.METADATA_READ),
        await make.resource(org, "MODEL", general=0),
    )
    await make.grant(reef, divers, resource_roles.ADMIN)
    await make.grant(reef, pilots, resource_roles.METADATA_WRITE)
    await make.grant(reef, ann, resource_roles.ADMIN, expires_at=ENDED)

    async def answer(name: str, thing: Entity, role: str) -> Any:
        data = {"user": {"userName": name}, "resource": {"id": thing.node}, "role": role}
        return (await api(DENIAL, as_=checker, **data))["data"]["explainDenial"]

    reasons = await answer("ann", reef, "ADMIN")
    assert sorted(reasons, key=str) == sorted(
        [
            _denied("WITHOUT_ROLE", "GENERAL", [READ]),
            _denied("ENDED", "GROUP", ["ADMIN"], group={"slug": "divers"}, endedAt=LONG_AGO),
            _denied("WITHOUT_ROLE", "GROUP", [WRITE], group={"slug": "pilots"}),
            _denied("ENDED", "USER", ["ADMIN"], endedAt=LONG_AGO),
            _denied("ENDED", "ORG", EVERY, endedAt=LONG_AGO),
        ],
        key=str,
    )
    assert await answer("ann", reef, WRITE) == []
    assert await answer("off", reef, READ) == [_denied("DEACTIVATED")]
    assert await answer("gone", model, READ) == [_denied("NO_ENTRY")]
    assert await answer("gone", model, "DATASET_DATA_READ") == [_denied("NOT_OF_TYPE")]
    ghost = {"user": {"userName": "nobody"}, "resource": {"id": reef.node}, "role": READ}
    assert refusal(await api(DENIAL, as_=checker, **ghost)) == NOBODY_SUCH
    for asker in (gone, ann):
        other = {"user": {"userName": "off"}, "resource": {"id": reef.node}, "role": READ}
        assert refusal(await api(DENIAL, as_=asker, **other)) == ("FORBIDDEN", MAY_NOT)


async def test_why_not_tells_nobody_of_a_resource_that_they_do_not_see(api: Api, make: Make) -> None:
    """Former grants do not show: the answer is that for a resource without entries."""
    ann, hidden = await make.user("ann"), await make.resource(await make.org(), general=0)
    await make.grant(hidden, ann, resource_roles.ADMIN, expires_at=ENDED)

    for thing in (hidden, Entity("Resource", 999_999, "never")):
        data = {"user": {"userName": "ann"}, "resource": {"id": thing.node}, "role": "DATASET_DATA_READ"}
        assert (await api(DENIAL, as_=ann, **data))["data"] == {"explainDenial": [_denied("NO_ENTRY")]}
