"""Claims about the members of orgs over REST: as the org's own people set them, and as administrators do."""

from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import select, update

from app import db
from app.masks import Level
from app.tables import OrgMember, col
from tests.asking import Api
from tests.changes import unchanged
from tests.make import Make, Person, Thing
from tests.rest_asking import MOMENT, ask, is_empty
from tests.rest_toy import refusal

PAST, FUTURE = datetime(2020, 1, 1, tzinfo=UTC), datetime(2999, 1, 1, tzinfo=UTC)
MEMBERS = "/orgs/acme/members"


@pytest.fixture
def overrides() -> dict[str, Any]:
    return {"OSTIARY_ENABLE_ORGANIZATION_MEMBER_MANAGEMENT": "true"}


@pytest.fixture
async def people(make: Make) -> dict[str, Person | None]:
    """Everybody who may ask: of each level, the owner, an administrator, a stranger, nobody."""
    owner, root = await make.user("owner", email="owner@acme.example"), await make.admin()
    org = await make.org("acme", owner, is_public=True)
    everybody: dict[str, Person | None] = {"owner": owner, "root": root, "nobody": None}
    for level in Level:
        person = await make.user(f"level{level}", email=f"level{level}@acme.example")
        await make.member(org, person, level)
        everybody[person.user_name] = person
    return everybody | {"stranger": await make.user("stranger"), "new": await make.user("new")}


async def members(api: Api, as_: Person | None) -> dict[str, dict[str, Any]]:
    reply = await ask(api, f"GET {MEMBERS}", as_)
    assert reply.status_code == 200, reply.text
    return {member["userName"]: member for member in reply.json()}


async def levels(api: Api, as_: Person | None) -> dict[str, int]:
    return {name: member["permissions"] for name, member in (await members(api, as_)).items()}


async def test_the_members_are_shown_by_name_without_the_owner(api: Api, people: dict[str, Person | None]) -> None:
    await ask(api, f"POST {MEMBERS}", people["owner"], json={"userName": "New"})

    reply = (await ask(api, f"GET {MEMBERS}", people["root"])).json()

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


async def test_the_members_are_seen_by_the_orgs_own_people(api: Api, people: dict[str, Person | None]) -> None:
    for asker in ("level0", "level1", "level2", "level3", "owner", "root"):
        assert await levels(api, people[asker]) == {"level0": 0, "level1": 1, "level2": 2, "level3": 3}
    assert refusal(await ask(api, f"GET {MEMBERS}", people["stranger"])) == (403, True)
    assert refusal(await ask(api, f"GET {MEMBERS}")) == (401, True)


async def test_an_address_is_her_own_and_the_administrators(api: Api, people: dict[str, Person | None]) -> None:
    seen = await members(api, people["level1"])

    assert {name: member["email"] for name, member in seen.items()} == {
        "level0": None,
        "level1": "level1@acme.example",
        "level2": None,
        "level3": None,
    }


async def test_a_membership_that_has_ended_is_none(api: Api, make: Make, people: dict[str, Person | None]) -> None:
    gone, org = await make.user("gone"), await make.org("closed", people["owner"])
    await make.member(org, gone, Level.ADMIN, expires_at=PAST)

    assert (await ask(api, "GET /orgs/closed/members", people["owner"])).json() == []
    assert refusal(await ask(api, "GET /orgs/closed/members", gone)) == (404, False)
    assert refusal(await ask(api, "DELETE /orgs/closed/members/gone", people["owner"])) == (404, False)
    assert is_empty(await ask(api, "POST /orgs/closed/members", people["owner"], json={"userName": "gone"}), 204)
    assert (await ask(api, "GET /orgs/closed", gone)).json()["permissions"]["canWrite"] is True


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


async def test_a_level_is_a_number_or_a_name_and_1_unless_told(api: Api, people: dict[str, Person | None]) -> None:
    for given, level in GOOD:
        assert is_empty(await ask(api, f"POST {MEMBERS}", people["owner"], json={"userName": "NEW", **given}), 204)
        assert (await levels(api, people["owner"]))["new"] == level
        assert is_empty(await ask(api, f"DELETE {MEMBERS}/New", people["owner"]), 204)


async def test_a_level_that_is_none_is_refused(
    api: Api, people: dict[str, Person | None], database: db.Database
) -> None:
    calls = [(f"POST {MEMBERS}", {"userName": "new"}), (f"PUT {MEMBERS}/level1", {}), ("POST /users/new/orgs", ACME)]

    async with unchanged(database):
        for line, given in calls:
            for level in BAD:
                reply = await ask(api, line, people["root"], json={**given, "permissions": level})
                assert refusal(reply) == (400, False), (line, level)
        for nothing in ({}, {"permissions": None}):
            assert refusal(await ask(api, f"PUT {MEMBERS}/level1", people["root"], json=nothing)) == (400, False)


CHANGES: list[tuple[str, dict[str, Any]]] = [
    (f"POST {MEMBERS}", {"json": {"userName": "new", "permissions": 3}}),
    (f"PUT {MEMBERS}/level0", {"json": {"permissions": 3}}),
    (f"DELETE {MEMBERS}/level0", {"json": {}}),
]


@pytest.mark.parametrize(("line", "sent"), CHANGES)
async def test_members_are_changed_by_the_owner_administrators_and_members_of_level_3(
    api: Api, people: dict[str, Person | None], line: str, sent: dict[str, Any], database: db.Database
) -> None:
    async with unchanged(database):
        for asker in ("level1", "level2", "stranger"):
            assert refusal(await ask(api, line, people[asker], **sent)) == (403, True)
        assert refusal(await ask(api, line, None, **sent)) == (401, True)
    for asker, name in (("owner", "level0"), ("root", "level1"), ("level3", "level2")):
        given = {**sent, "json": sent["json"] | ({"userName": _other(asker)} if "POST" in line else {})}
        assert is_empty(await ask(api, line.replace("level0", name), people[asker], **given), 204)


def _other(asker: str) -> str:
    """Somebody who does not belong to the org yet, another for each."""
    return {"owner": "new", "root": "stranger", "level3": "root"}[asker]


async def test_who_cannot_be_added_is_not(api: Api, people: dict[str, Person | None], database: db.Database) -> None:
    async def added(path: str, given: dict[str, Any]) -> tuple[int, bool]:
        return refusal(await ask(api, f"POST {path}", people["owner"], json=given))

    async with unchanged(database):
        assert await added(MEMBERS, {"userName": "ghost"}) == (404, False)
        assert await added("/orgs/nowhere/members", {"userName": "new"}) == (404, False)
        assert await added(MEMBERS, {"userName": "LEVEL0"}) == (409, False)
        assert await added(MEMBERS, {"userName": "Owner"}) == (400, False)
        assert await added(MEMBERS, {"permissions": 1}) == (400, False)
        form = await ask(api, f"POST {MEMBERS}", people["owner"], data={"userName": "new"})
        assert refusal(form) == (415, False)


async def test_a_new_level_counts_as_granted_anew_and_keeps_its_end(
    api: Api, people: dict[str, Person | None], database: db.Database
) -> None:
    async with database.write() as tx:
        await tx.rows(update(OrgMember).where(col(OrgMember.level) == 0).values(granted_at=PAST, expires_at=FUTURE))

    reply = await ask(api, f"PUT {MEMBERS}/Level0", people["level3"], json={"permissions": "Admin"})

    assert is_empty(reply, 204)
    shown = (await members(api, people["owner"]))["level0"]
    assert (shown["permissions"], shown["grantedBy"]) == (3, "level3")
    assert shown["grantedAt"] > "2021"
    assert await _ends(database) == {None, FUTURE}


async def _ends(database: db.Database) -> set[Any]:
    return {row[0] for row in await database.ask(select(col(OrgMember.expires_at)))}


async def test_only_a_member_is_changed_or_let_go(
    api: Api, people: dict[str, Person | None], database: db.Database
) -> None:
    async with unchanged(database):
        for name in ("new", "owner", "ghost"):
            put = await ask(api, f"PUT {MEMBERS}/{name}", people["owner"], json={"permissions": 1})
            delete = await ask(api, f"DELETE {MEMBERS}/{name}", people["root"])
            assert (refusal(put), refusal(delete)) == ((404, False), (404, False))


async def test_a_member_leaves_by_herself_whatever_her_level(api: Api, people: dict[str, Person | None]) -> None:
    for name in ("level0", "level1", "level2", "level3"):
        assert is_empty(await ask(api, f"DELETE {MEMBERS}/{name.upper()}", people[name], json={}), 204)

    assert await levels(api, people["owner"]) == {}
    assert refusal(await ask(api, f"DELETE {MEMBERS}/level0", people["level0"])) == (404, False)


@pytest.mark.parametrize("overrides", [{}])
async def test_with_the_feature_off_that_is_said_first_to_everybody_who_is_signed_in(
    api: Api, people: dict[str, Person | None], database: db.Database
) -> None:
    lines = [*CHANGES, ("DELETE /orgs/nowhere/members/ghost", {}), ("PUT /orgs/acme/members/ghost", CHANGES[1][1])]

    async with unchanged(database):
        for line, sent in lines:
            for asker in ("root", "owner", "level3", "level0", "stranger"):
                reply = await ask(api, line, people[asker], **sent)
                assert refusal(reply) == (400, False)
                assert "EnableOrganizationMemberManagement" in reply.json()["error"]
            assert refusal(await ask(api, line, None, **sent)) == (401, True)
    assert set(await levels(api, people["level0"])) == {"level0", "level1", "level2", "level3"}


ACME = {"orgSlug": "acme"}
BESIDE: list[tuple[str, dict[str, Any]]] = [
    ("POST /users/level0/orgs", {"json": ACME}),
    ("POST /users/owner/orgs", {"json": ACME}),
    ("POST /users/new/orgs", {"json": {"orgSlug": "nowhere"}}),
    ("POST /users/ghost/orgs", {"json": ACME}),
    ("PUT /users/new/orgs/acme", {"json": {"permissions": 1}}),
    ("PUT /users/owner/orgs/acme", {"json": {"permissions": 1}}),
    ("PUT /users/level0/orgs/nowhere", {"json": {"permissions": 1}}),
    ("DELETE /users/new/orgs/acme", {}),
    ("DELETE /users/owner/orgs/acme", {}),
    ("PUT /users/new/orgs", {"data": {"orgSlugs": ["acme", "nowhere"]}}),
]


@pytest.mark.parametrize("overrides", [{}])
async def test_beside_the_orgs_people_administrators_set_memberships_with_the_feature_off(
    api: Api, people: dict[str, Person | None]
) -> None:
    root, new = people["root"], people["new"]

    async def hers() -> list[Any]:
        found = (await ask(api, "GET /users/new/orgs", root)).json()
        return [(org["slug"], org["isOwner"], org["permissions"], org["grantedBy"]) for org in found]

    assert is_empty(await ask(api, "POST /users/NEW/orgs", root, json={"orgSlug": "ACME", "permissions": 0}), 200)
    assert await hers() == [("acme", False, 0, "root")]
    assert is_empty(await ask(api, "PUT /users/new/orgs/Acme", root, json={"permissions": "Admin"}), 200)
    assert is_empty(await ask(api, "PUT /users/new/orgs", root, data={"orgSlugs": ["acme", "ACME"]}), 200)
    assert await hers() == [("acme", False, 3, "root")]
    assert is_empty(await ask(api, "DELETE /users/new/orgs/acme", root, json={}), 200)
    assert await hers() == []
    assert refusal(await ask(api, "GET /users/new/orgs", new)) == (403, True)


async def test_what_administrators_cannot_set_is_a_400(
    api: Api, people: dict[str, Person | None], database: db.Database
) -> None:
    async with unchanged(database):
        for line, sent in BESIDE:
            assert refusal(await ask(api, line, people["root"], **sent)) == (400, False), line
            assert refusal(await ask(api, line, people["level3"], **sent)) == (403, True), line


async def test_what_a_user_has_of_orgs_is_shown_for_old_and_new_clients(
    api: Api, make: Make, people: dict[str, Person | None]
) -> None:
    hers: Thing = await make.org("hers", people["level1"], name="Hers", description="Her own.")

    acme, own = (await ask(api, "GET /users/level1/orgs", people["root"])).json()

    assert own == {
        "slug": hers.slug,
        "name": "Hers",
        "description": "Her own.",
        "creationDate": own["creationDate"],
        "owner": "level1",
        "isPublic": False,
        "isOwner": True,
        "permissions": None,
        "grantedAt": None,
        "grantedBy": None,
    }
    assert (acme["slug"], acme["owner"], acme["isOwner"], acme["permissions"]) == ("acme", "owner", False, 1)
    assert MOMENT.fullmatch(acme["grantedAt"])
