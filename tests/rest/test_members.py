"""Claims about the members of orgs over REST: as the members of the org set them, and as administrators do."""

from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import select, update

from app import db
from app.db.tables import OrgMember, col
from app.domain.resource_roles import MemberLevel
from tests.support.changes import unchanged
from tests.support.client import MOMENT
from tests.support.factories import Make, Person
from tests.support.fetching import fetch
from tests.support.rest_client import Rest, is_empty
from tests.support.rest_toy import refusal

PAST, FUTURE = datetime(2020, 1, 1, tzinfo=UTC), datetime(2999, 1, 1, tzinfo=UTC)
MEMBERS = "/orgs/acme/members"


@pytest.fixture
def overrides() -> dict[str, Any]:
    return {"OSTIARY_ENABLE_ORGANIZATION_MEMBER_MANAGEMENT": "true"}


@pytest.fixture
async def users(make: Make) -> dict[str, Person | None]:
    """The users who ask: one of each level, the owner, an administrator, a stranger, anonymous."""
    owner, root = await make.user("owner", email="owner@acme.example"), await make.admin()
    org = await make.org("acme", owner, is_public=True)
    users_by_name: dict[str, Person | None] = {"owner": owner, "root": root, "nobody": None}
    for level in MemberLevel:
        person = await make.user(f"level{level}", email=f"level{level}@acme.example")
        await make.member(org, person, level)
        users_by_name[person.user_name] = person
    return users_by_name | {"stranger": await make.user("stranger"), "new": await make.user("new")}


async def members(rest: Rest, as_: Person | None) -> dict[str, dict[str, Any]]:
    reply = await rest("GET", MEMBERS, as_)
    assert reply.status_code == 200, reply.text
    return {member["userName"]: member for member in reply.json()}


async def levels(rest: Rest, as_: Person | None) -> dict[str, int]:
    return {name: member["permissions"] for name, member in (await members(rest, as_)).items()}


async def test_the_members_are_shown_by_name_without_the_owner(rest: Rest, users: dict[str, Person | None]) -> None:
    await rest("POST", MEMBERS, users["owner"], json={"userName": "New"})

    reply = (await rest("GET", MEMBERS, users["root"])).json()

    assert [member["userName"] for member in reply] == ["level0", "level1", "level2", "level3", "new"]
    assert reply[1] == {
        "userName": "level1",
        "email": "level1@acme.example",
        "permissions": 1,
        "grantedAt": reply[1]["grantedAt"],
        "grantedBy": None,
    }
    assert (reply[4]["email"], reply[4]["permissions"], reply[4]["grantedBy"]) == (None, 1, "owner")
    assert all(MOMENT.fullmatch(member["grantedAt"]) for member in reply)


async def test_the_members_of_an_org_see_its_members(rest: Rest, users: dict[str, Person | None]) -> None:
    for asker in ("level0", "level1", "level2", "level3", "owner", "root"):
        assert await levels(rest, users[asker]) == {"level0": 0, "level1": 1, "level2": 2, "level3": 3}
    assert refusal(await rest("GET", MEMBERS, users["stranger"])) == (403, True)
    assert refusal(await rest("GET", MEMBERS)) == (401, True)


async def test_only_the_member_and_administrators_see_an_address(rest: Rest, users: dict[str, Person | None]) -> None:
    seen = await members(rest, users["level1"])

    assert {name: member["email"] for name, member in seen.items()} == {
        "level0": None,
        "level1": "level1@acme.example",
        "level2": None,
        "level3": None,
    }


async def test_a_membership_that_has_ended_is_none(rest: Rest, make: Make, users: dict[str, Person | None]) -> None:
    gone, org = await make.user("gone"), await make.org("closed", users["owner"])
    await make.member(org, gone, MemberLevel.ADMIN, expires_at=PAST)

    assert (await rest("GET", "/orgs/closed/members", users["owner"])).json() == []
    assert refusal(await rest("GET", "/orgs/closed/members", gone)) == (404, False)
    assert refusal(await rest("DELETE", "/orgs/closed/members/gone", users["owner"])) == (404, False)
    assert is_empty(await rest("POST", "/orgs/closed/members", users["owner"], json={"userName": "gone"}), 204)
    assert (await rest("GET", "/orgs/closed", gone)).json()["permissions"]["canWrite"] is True


GOOD: list[tuple[dict[str, Any], int]] = [
    ({}, 1),
    ({"permissions": None}, 1),
    ({"permissions": 0}, 0),
    ({"permissions": 3}, 3),
    ({"permissions": "2"}, 2),
    ({"Permissions": "readonly"}, 0),
    ({"permissions": "ReadWrite"}, 1),
    ({"permissions": "READWRITEDELETE"}, 2),
    ({"permissions": "Admin"}, 3),
]
BAD = [-1, 4, 1.5, 1.0, True, "", "Owner", "Read Only", "1.0", "-1", [1], {}, 10**30]


async def test_a_level_is_a_number_or_a_name_and_1_by_default(rest: Rest, users: dict[str, Person | None]) -> None:
    for fields, level in GOOD:
        assert is_empty(await rest("POST", MEMBERS, users["owner"], json={"userName": "NEW", **fields}), 204)
        assert (await levels(rest, users["owner"]))["new"] == level
        assert is_empty(await rest("DELETE", f"{MEMBERS}/New", users["owner"]), 204)


async def test_a_level_that_is_none_is_refused(
    rest: Rest, users: dict[str, Person | None], database: db.Database
) -> None:
    calls = [
        ("POST", MEMBERS, {"userName": "new"}),
        ("PUT", f"{MEMBERS}/level1", {}),
        ("POST", "/users/new/orgs", ACME),
    ]

    async with unchanged(database):
        for method, path, fields in calls:
            for level in BAD:
                reply = await rest(method, path, users["root"], json={**fields, "permissions": level})
                assert refusal(reply) == (400, False), (path, level)
        for nothing in ({}, {"permissions": None}):
            assert refusal(await rest("PUT", f"{MEMBERS}/level1", users["root"], json=nothing)) == (400, False)


CHANGES: list[tuple[str, str, dict[str, Any]]] = [
    ("POST", MEMBERS, {"json": {"userName": "new", "permissions": 3}}),
    ("PUT", f"{MEMBERS}/level0", {"json": {"permissions": 3}}),
    ("DELETE", f"{MEMBERS}/level0", {"json": {}}),
]


@pytest.mark.parametrize(("method", "path", "sent"), CHANGES)
async def test_members_are_changed_by_the_owner_administrators_and_members_of_level_3(
    rest: Rest,
    users: dict[str, Person | None],
    method: str,
    path: str,
    sent: dict[str, Any],
    database: db.Database,
) -> None:
    async with unchanged(database):
        for asker in ("level1", "level2", "stranger"):
            assert refusal(await rest(method, path, users[asker], **sent)) == (403, True)
        assert refusal(await rest(method, path, None, **sent)) == (401, True)
    for asker, name in (("owner", "level0"), ("root", "level1"), ("level3", "level2")):
        body = sent["json"] | ({"userName": _other(asker)} if method == "POST" else {})
        assert is_empty(await rest(method, path.replace("level0", name), users[asker], json=body), 204)


def _other(asker: str) -> str:
    """Return a user who does not belong to the org yet, another for each asker."""
    return {"owner": "new", "root": "stranger", "level3": "root"}[asker]


async def test_invalid_members_are_not_added(
    rest: Rest, users: dict[str, Person | None], database: db.Database
) -> None:
    async def added(path: str, body: dict[str, Any]) -> tuple[int, bool]:
        return refusal(await rest("POST", f"{path}", users["owner"], json=body))

    async with unchanged(database):
        assert await added(MEMBERS, {"userName": "ghost"}) == (404, False)
        assert await added("/orgs/nowhere/members", {"userName": "new"}) == (404, False)
        assert await added(MEMBERS, {"userName": "LEVEL0"}) == (409, False)
        assert await added(MEMBERS, {"userName": "Owner"}) == (400, False)
        assert await added(MEMBERS, {"permissions": 1}) == (400, False)
        form = await rest("POST", MEMBERS, users["owner"], data={"userName": "new"})
        assert refusal(form) == (415, False)


async def test_a_new_level_counts_as_a_new_grant_and_keeps_its_end(
    rest: Rest, users: dict[str, Person | None], database: db.Database
) -> None:
    async with database.write() as tx:
        await tx.rows(update(OrgMember).where(col(OrgMember.level) == 0).values(granted_at=PAST, expires_at=FUTURE))

    reply = await rest("PUT", f"{MEMBERS}/Level0", users["level3"], json={"permissions": "Admin"})

    assert is_empty(reply, 204)
    member = (await members(rest, users["owner"]))["level0"]
    assert (member["permissions"], member["grantedBy"]) == (3, "level3")
    assert member["grantedAt"] > "2021"
    assert await _ends(database) == {None, FUTURE}


async def _ends(database: db.Database) -> set[Any]:
    return {row[0] for row in await fetch(database, select(col(OrgMember.expires_at)))}


async def test_only_a_member_is_changed_or_let_go(
    rest: Rest, users: dict[str, Person | None], database: db.Database
) -> None:
    async with unchanged(database):
        for name in ("new", "owner", "ghost"):
            put = await rest("PUT", f"{MEMBERS}/{name}", users["owner"], json={"permissions": 1})
            delete = await rest("DELETE", f"{MEMBERS}/{name}", users["root"])
            assert (refusal(put), refusal(delete)) == ((404, False), (404, False))


async def test_a_member_of_any_level_leaves_the_org(rest: Rest, users: dict[str, Person | None]) -> None:
    for name in ("level0", "level1", "level2", "level3"):
        assert is_empty(await rest("DELETE", f"{MEMBERS}/{name.upper()}", users[name], json={}), 204)

    assert await levels(rest, users["owner"]) == {}
    assert refusal(await rest("DELETE", f"{MEMBERS}/level0", users["level0"])) == (404, False)


@pytest.mark.parametrize("overrides", [{}])
async def test_with_the_feature_off_every_signed_in_user_gets_that_error_first(
    rest: Rest, users: dict[str, Person | None], database: db.Database
) -> None:
    calls = [
        *CHANGES,
        ("DELETE", "/orgs/nowhere/members/ghost", {}),
        ("PUT", "/orgs/acme/members/ghost", CHANGES[1][2]),
    ]

    async with unchanged(database):
        for method, path, sent in calls:
            for asker in ("root", "owner", "level3", "level0", "stranger"):
                reply = await rest(method, path, users[asker], **sent)
                assert refusal(reply) == (400, False)
                assert "EnableOrganizationMemberManagement" in reply.json()["error"]
            assert refusal(await rest(method, path, None, **sent)) == (401, True)
    assert set(await levels(rest, users["level0"])) == {"level0", "level1", "level2", "level3"}


ACME = {"orgSlug": "acme"}


@pytest.mark.parametrize("overrides", [{}])
async def test_administrators_set_memberships_even_with_the_feature_off(
    rest: Rest, users: dict[str, Person | None]
) -> None:
    root, new = users["root"], users["new"]

    async def orgs_of_new() -> list[Any]:
        orgs = (await rest("GET", "/users/new/orgs", root)).json()
        return [(org["slug"], org["isOwner"], org["permissions"], org["grantedBy"]) for org in orgs]

    assert is_empty(await rest("POST", "/users/NEW/orgs", root, json={"orgSlug": "ACME", "permissions": 0}), 200)
    assert await orgs_of_new() == [("acme", False, 0, "root")]
    assert is_empty(await rest("PUT", "/users/new/orgs/Acme", root, json={"permissions": "Admin"}), 200)
    assert is_empty(await rest("PUT", "/users/new/orgs", root, data={"orgSlugs": ["acme", "ACME"]}), 200)
    assert await orgs_of_new() == [("acme", False, 3, "root")]
    assert is_empty(await rest("DELETE", "/users/new/orgs/acme", root, json={}), 200)
    assert await orgs_of_new() == []
    assert refusal(await rest("GET", "/users/new/orgs", new)) == (403, True)
