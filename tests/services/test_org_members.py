"""Claims about who belongs to an org: how far, by whom, and until when."""

import asyncio
from datetime import UTC, datetime, timedelta
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
from tests.support.factories import Make, Person, rows_of
from tests.support.fetching import fetch

SELECTION = "org { slug } user { userName }"
ADD, UPDATE, REMOVE = (
    change("addOrgMember", SELECTION),
    change("updateOrgMember", SELECTION),
    change("removeOrgMember", SELECTION),
)
MEMBERS = """
query ($first: Int, $after: String, $last: Int, $before: String, $filter: OrgMemberFilter, $order: [OrgMemberOrder!]) {
  org(by: {slug: "acme"}) {
    members(first: $first, after: $after, last: $last, before: $before, filter: $filter, orderBy: $order) {
      totalCount
      pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
      edges { level addedAt addedBy { userName } expiresAt node { userName email } }
    }
  }
}
"""
ORGS_OF_USER = """
query ($user: String!) {
  user(by: {userName: $user}) {
    orgs { totalCount edges { level addedAt expiresAt node { slug } } }
    ownedOrgs { totalCount nodes { slug } }
  }
}
"""
ACME = {"slug": "acme"}
PAST = datetime(2020, 1, 1, tzinfo=UTC)
FUTURE = datetime(2999, 1, 1, tzinfo=UTC)


def _input(user: str, **more: Any) -> dict[str, Any]:
    return {"org": ACME, "user": {"userName": user}} | more


async def _members(api: Api, as_: Person, **variables: Any) -> dict[str, Any]:
    members: dict[str, Any] = (await api(MEMBERS, as_=as_, **variables))["data"]["org"]["members"]
    return members


def _names(page: dict[str, Any]) -> list[str]:
    return [edge["node"]["userName"] for edge in page["edges"]]


async def test_a_membership_shows_its_facts_from_both_ends(api: Api, make: Make, database: db.Database) -> None:
    ann, bea = await make.user("ann"), await make.user("bea", email="bea@b.example")
    await make.org("acme", ann)
    now = datetime.now(UTC).replace(microsecond=0)
    database.clock = lambda: now
    stamp = now.strftime("%Y-%m-%dT%H:%M:%S.000000Z")

    reply = await api(ADD, as_=ann, input=_input("BEA", level="READ_WRITE_DELETE", expiresAt="2999-01-01T00:00:00Z"))

    assert answered(reply, "addOrgMember") == {"org": ACME, "user": {"userName": "bea"}, "errors": []}
    facts = {"level": "READ_WRITE_DELETE", "addedAt": stamp, "expiresAt": "2999-01-01T00:00:00.000000Z"}
    page = await _members(api, ann)
    assert (page["totalCount"], page["edges"]) == (
        1,
        [facts | {"addedBy": {"userName": "ann"}, "node": {"userName": "bea", "email": None}}],
    )
    user = (await api(ORGS_OF_USER, as_=bea, user="bea"))["data"]["user"]
    assert user["orgs"] == {"totalCount": 1, "edges": [facts | {"node": ACME}]}
    assert (await api(ORGS_OF_USER, as_=ann, user="ann"))["data"]["user"]["ownedOrgs"] == {
        "totalCount": 1,
        "nodes": [ACME],
    }


async def test_the_default_level_is_read_write(api: Api, make: Make) -> None:
    ann, _ = await make.user("ann"), await make.user("bea")
    await make.org("acme", ann)

    answered(await api(ADD, as_=ann, input=_input("bea")), "addOrgMember")

    assert [edge["level"] for edge in (await _members(api, ann))["edges"]] == ["READ_WRITE"]


async def test_only_the_user_and_viewers_of_users_see_their_orgs(api: Api, make: Make) -> None:
    ann, bea = await make.user("ann"), await make.user("bea")
    viewing = await make.holder(Permission.USERS_VIEW)
    auditor = await make.holder(Permission.USERS_VIEW | Permission.RESOURCES_VIEW)
    root = await make.admin()
    org, public = await make.org("acme", ann), await make.org("open", is_public=True)
    await make.member(org, bea)
    await make.member(public, bea)

    async def seen(asker: Person) -> Any:
        orgs = (await api(ORGS_OF_USER, as_=asker, user="bea"))["data"]["user"]["orgs"]
        return orgs and [edge["node"]["slug"] for edge in orgs["edges"]]

    assert await seen(ann) is None
    assert await seen(viewing) == []  # that an org is public tells nobody who belongs to it
    assert await seen(bea) == await seen(root) == await seen(auditor) == ["acme", "open"]


async def test_members_are_paged(api: Api, make: Make) -> None:
    ann = await make.user("ann")
    org = await make.org("acme", ann)
    for person in await make.users([f"m{at:02}" for at in range(7)]):
        await make.member(org, person)

    seen, after = [], None
    while True:
        page = await _members(api, ann, first=3, after=after)
        assert page["totalCount"] == 7
        seen.append(_names(page))
        after = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            break
    assert seen == [["m00", "m01", "m02"], ["m03", "m04", "m05"], ["m06"]]
    assert _names(await _members(api, ann, last=2)) == ["m05", "m06"]
    assert _names(await _members(api, ann, last=2, before=after)) == ["m04", "m05"]
    down = await _members(api, ann, first=2, order=[{"field": "USER_NAME", "direction": "DESC"}])
    assert _names(down) == ["m06", "m05"]
    page = await _members(api, ann, filter={"userName": {"in": ["M01", "m06", "ann"]}})
    assert (page["totalCount"], _names(page)) == (2, ["m01", "m06"])


async def test_somebody_is_added_once_and_the_owner_never(api: Api, make: Make, database: db.Database) -> None:
    ann, bea = await make.user("ann"), await make.user("bea")
    await make.member(await make.org("acme", ann), bea)

    async with unchanged(database):
        for user in ("ann", "bea"):
            assert problems(await api(ADD, as_=ann, input=_input(user))) == {"CONFLICT input.user"}
        assert problems(await api(ADD, as_=ann, input=_input("nobody"))) == {"NOT_FOUND input.user"}


async def test_an_end_lies_in_the_future(api: Api, make: Make, database: db.Database) -> None:
    ann, bea = await make.user("ann"), await make.user("bea")
    await make.member(await make.org("acme", ann), bea)
    await make.user("cat")

    async with unchanged(database):
        for document, user in ((ADD, "cat"), (UPDATE, "bea")):
            reply = await api(document, as_=ann, input=_input(user, expiresAt="2020-01-01T00:00:00Z"))
            assert problems(reply) == {"INVALID_INPUT input.expiresAt"}


async def test_an_admin_finds_others_by_name_but_not_by_id(api: Api, make: Make, database: db.Database) -> None:
    ann, far = await make.user("ann"), await make.user("far")
    await make.org("acme", ann)

    async with unchanged(database):
        reply = await api(ADD, as_=ann, input={"org": ACME, "user": {"id": far.node}})
        assert problems(reply) == {"NOT_FOUND input.user"}

    answered(await api(ADD, as_=ann, input=_input("far")), "addOrgMember")


async def test_a_membership_ends_by_the_clock(api: Api, make: Make, database: db.Database) -> None:
    ann, bea = await make.user("ann"), await make.user("bea")
    ends = datetime.now(UTC) + timedelta(hours=1)
    await make.member(await make.org("acme", ann), bea, expires_at=ends)
    question = '{ org(by: {slug: "acme"}) { viewerLevel } viewer { user { orgs { totalCount } } } }'

    before = (await api(question, as_=bea))["data"]
    database.clock = lambda: ends
    after = (await api(question, as_=bea))["data"]

    assert before == {"org": {"viewerLevel": "READ_WRITE"}, "viewer": {"user": {"orgs": {"totalCount": 1}}}}
    assert after == {"org": None, "viewer": {"user": {"orgs": {"totalCount": 0}}}}
    assert (await _members(api, ann))["totalCount"] == 0
    assert problems(await api(REMOVE, as_=ann, input=_input("bea"))) == {"NOT_FOUND input.user"}
    assert problems(await api(UPDATE, as_=ann, input=_input("bea"))) == {"NOT_FOUND input.user"}
    assert problems(await api(REMOVE, as_=bea, input=_input("bea"))) == {"NOT_FOUND input.org"}


async def test_who_was_a_member_once_is_added_again(api: Api, make: Make, database: db.Database) -> None:
    ann, bea = await make.user("ann"), await make.user("bea")
    await make.member(await make.org("acme", ann), bea, MemberLevel.ADMIN, expires_at=PAST)

    answered(await api(ADD, as_=ann, input=_input("bea", level="READ_ONLY")), "addOrgMember")

    stored = await fetch(database, select(col(tables.OrgMember.level), col(tables.OrgMember.expires_at)))
    assert stored == [(int(MemberLevel.READ_ONLY), None)]


async def test_an_update_changes_the_named_fields_and_grants_again(api: Api, make: Make, database: db.Database) -> None:
    ann, bea = await make.user("ann"), await make.user("bea")
    await make.member(await make.org("acme", ann), bea, expires_at=FUTURE)

    async def updated(**fields: Any) -> tuple[Any, ...]:
        answered(await api(UPDATE, as_=ann, input=_input("bea", **fields)), "updateOrgMember")
        edge = (await _members(api, ann))["edges"][0]
        return edge["level"], edge["expiresAt"], edge["addedBy"]

    by = {"userName": "ann"}
    assert await updated() == ("READ_WRITE", "2999-01-01T00:00:00.000000Z", None)
    assert await updated(level="ADMIN") == ("ADMIN", "2999-01-01T00:00:00.000000Z", by)
    assert await updated(expiresAt=None, level=None) == ("ADMIN", "2999-01-01T00:00:00.000000Z", by)
    assert await updated(clear=["EXPIRES_AT"]) == ("ADMIN", None, by)
    both = _input("bea", expiresAt="2888-01-01T00:00:00Z", clear=["EXPIRES_AT"])
    assert problems(await api(UPDATE, as_=ann, input=both)) == {"INVALID_INPUT input.expiresAt"}
    assert (await updated(expiresAt="2888-01-01T00:00:00+01:00"))[1] == "2887-12-31T23:00:00.000000Z"
    granted = await fetch(database, select(col(tables.OrgMember.granted_at)))
    assert granted[0][0] > datetime.now(UTC) - timedelta(minutes=5)


async def test_a_member_leaves_but_removes_nobody(api: Api, make: Make, database: db.Database) -> None:
    ann, bea, cat = [await make.user(name) for name in ("ann", "bea", "cat")]
    org = await make.org("acme", ann)
    await make.member(org, bea, MemberLevel.READ_WRITE_DELETE)
    await make.member(org, cat, MemberLevel.ADMIN)

    async with unchanged(database):
        for user in ("cat", "ann", "nobody"):
            assert codes(await api(REMOVE, as_=bea, input=_input(user))) == ["FORBIDDEN"]
        assert problems(await api(REMOVE, as_=cat, input=_input("ann"))) == {"NOT_FOUND input.user"}
    left = answered(await api(REMOVE, as_=bea, input=_input("bea")), "removeOrgMember")
    gone = answered(await api(REMOVE, as_=ann, input={"org": ACME, "user": {"id": cat.node}}), "removeOrgMember")

    assert (left["org"], left["user"]) == (None, {"userName": "bea"})
    assert (gone["org"], gone["user"]) == (ACME, {"userName": "cat"})
    assert await rows_of(database, tables.OrgMember) == 0


async def test_a_stranger_learns_no_member_of_a_public_org(api: Api, make: Make, database: db.Database) -> None:
    ann, bea, eve = [await make.user(name) for name in ("ann", "bea", "eve")]
    await make.member(await make.org("acme", ann, is_public=True), bea)

    async with unchanged(database):
        replies = [
            await api(document, as_=eve, input=_input(user))
            for document in (ADD, UPDATE, REMOVE)
            for user in ("bea", "ann", "nobody")
        ]

    assert [codes(reply) for reply in replies] == [["FORBIDDEN"]] * 9
    assert replies[0] == replies[1] == replies[2]
    assert replies[6] == replies[7] == replies[8]


async def test_a_manager_of_all_orgs_manages_members_they_cannot_see(api: Api, make: Make) -> None:
    ann, bea = await make.user("ann"), await make.user("bea")
    manager = await make.holder(Permission.ORGS_MANAGE)
    await make.member(await make.org("acme", ann), bea)
    fields = {"org": ACME, "user": {"id": bea.node}}

    assert _names(await _members(api, manager)) == ["bea"]
    answered(await api(UPDATE, as_=manager, input=fields | {"level": "ADMIN"}), "updateOrgMember")
    answered(await api(REMOVE, as_=manager, input=fields), "removeOrgMember")
    added = answered(await api(ADD, as_=manager, input=_input("bea")), "addOrgMember")

    assert added["user"] == {"userName": "bea"}


@pytest.mark.parametrize("document", [ADD, UPDATE, REMOVE])
async def test_nobody_changes_no_membership(api: Api, make: Make, database: db.Database, document: str) -> None:
    await make.member(await make.org("acme", is_public=True), await make.user("bea"))

    async with unchanged(database):
        assert codes(await api(document, input=_input("bea"))) == ["UNAUTHENTICATED"]


async def test_of_two_who_add_the_same_member_one_wins(
    api: Api, make: Make, settings: Settings, database: db.Database
) -> None:
    ann, names = await make.user("ann"), [f"m{at}" for at in range(8)]
    await make.users(names)
    await make.org("acme", ann)

    async with another(settings) as other:
        for name in names:
            replies = await asyncio.gather(
                api(ADD, as_=ann, input=_input(name, level="READ_ONLY")),
                other(ADD, as_=ann, input=_input(name, level="ADMIN")),
            )
            assert sorted(map(codes, replies)) == [[], ["CONFLICT"]]

    assert await rows_of(database, tables.OrgMember) == len(names)
