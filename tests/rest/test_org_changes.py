"""Claims about changes of orgs over REST: who makes, edits, gives away and deletes them."""

from typing import Any

import pytest

from app import db
from app.db import tables
from app.domain.resource_roles import MemberLevel
from tests.support.changes import unchanged
from tests.support.factories import Entity, Make, Person, rows_of
from tests.support.rest_client import Rest, is_empty, parts
from tests.support.rest_toy import refusal

ALL_RIGHTS = dict.fromkeys(("canRead", "canWrite", "canDelete", "canManageMembers"), True)


async def read_org(rest: Rest, slug: str, as_: Person | None) -> dict[str, Any]:
    org: dict[str, Any] = (await rest("GET", f"/orgs/{slug}", as_)).json()
    return org


async def owned(rest: Rest, as_: Person) -> list[str]:
    return [org["slug"] for org in (await rest("GET", "/orgs?ownedOnly=true", as_)).json()]


NEW = {"slug": "my-org_1", "name": "My Organization", "description": "A new one", "isPublic": "true"}


@pytest.mark.parametrize(
    "sent",
    [
        {"data": NEW},
        {"files": parts(*NEW.items())},
        {"json": NEW | {"isPublic": True}},
        {"json": {"SLUG": "my-org_1", "Name": " My Organization ", "Description": "A new one", "ispublic": "True"}},
    ],
)
async def test_the_creator_of_an_org_owns_it_and_gets_its_location(
    rest: Rest, make: Make, database: db.Database, sent: dict[str, Any]
) -> None:
    ann = await make.user("ann", "user")

    reply = await rest("POST", "/orgs", ann, **sent)

    assert (reply.status_code, reply.headers["location"]) == (201, "/orgs/my-org_1")
    assert reply.json() == {
        "slug": "my-org_1",
        "name": "My Organization",
        "description": "A new one",
        "creationDate": reply.json()["creationDate"],
        "owner": "ann",
        "isPublic": True,
        "permissions": ALL_RIGHTS,
    }
    assert reply.json() == (await rest("GET", f"{reply.headers['location']}", ann)).json()
    assert await rows_of(database, tables.OrgMember) == 0


@pytest.mark.parametrize("more", [{}, {"description": None, "isPublic": None, "owner": None}, {"owner": ""}])
async def test_an_org_is_private_and_undescribed_by_default(rest: Rest, make: Make, more: dict[str, Any]) -> None:
    ann = await make.user("ann", "user")

    org = (await rest("POST", "/orgs", ann, json={"slug": "acme", "name": "Acme", **more})).json()

    assert (org["description"], org["isPublic"], org["owner"]) == ("", False, "ann")


async def test_a_manager_of_orgs_creates_one_for_another_user(rest: Rest, make: Make) -> None:
    root, ann = await make.admin(), await make.user("ann")

    reply = await rest("POST", "/orgs", root, data={"slug": "acme", "name": "Acme", "owner": "ANN"})

    assert (reply.status_code, reply.json()["owner"], reply.json()["permissions"]) == (201, "ann", ALL_RIGHTS)
    assert await owned(rest, ann) == ["acme"]


REFUSED_CREATIONS: list[tuple[str, dict[str, Any], int]] = [
    ("ann", {"slug": "taken"}, 409),
    ("ann", {"slug": "public"}, 400),
    ("ann", {"slug": "features"}, 400),
    ("ann", {"slug": "a"}, 400),
    ("ann", {"slug": "a" * 129}, 400),
    ("ann", {"slug": "Acme"}, 400),
    ("ann", {"slug": "a--b"}, 400),
    ("ann", {"slug": "-ab"}, 400),
    ("ann", {"slug": "_ab"}, 400),
    ("ann", {"slug": "a b"}, 400),
    ("ann", {"slug": "ä-b"}, 400),
    ("ann", {"slug": ""}, 400),
    ("ann", {"slug": None}, 400),
    ("ann", {"name": None}, 400),
    ("ann", {"name": " "}, 400),
    ("ann", {"name": "x" * 201}, 400),
    ("ann", {"description": "x" * 1_001}, 400),
    ("ann", {"isPublic": "perhaps"}, 400),
    ("ann", {"owner": "friend"}, 403),
    ("ann", {"owner": "ghost"}, 400),
    ("root", {"owner": "ghost"}, 400),
    ("labelled", {}, 403),
    ("nobody", {}, 401),
]


async def test_a_refused_creation_changes_nothing(rest: Rest, make: Make, database: db.Database) -> None:
    ann, friend = await make.user("ann", "user"), await make.user("friend")
    users = {"ann": ann, "root": await make.admin(), "labelled": await make.user("labelled"), "nobody": None}
    await make.org("taken", friend, is_public=True)

    async with unchanged(database):
        for asker, fields, status in REFUSED_CREATIONS:
            reply = await rest("POST", "/orgs", users[asker], json={"slug": "acme", "name": "Acme", **fields})
            assert refusal(reply) == (status, status in (401, 403)), fields


async def test_a_slug_is_2_to_128_small_letters_digits_and_dashes(rest: Rest, make: Make) -> None:
    ann = await make.user("ann", "user")

    for slug in ("ab", "0-_", "a-b_c-", "a" * 128):
        assert (await rest("POST", "/orgs", ann, data={"slug": slug, "name": "x"})).status_code == 201
        assert (await read_org(rest, slug, ann))["slug"] == slug


EDITS: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({"name": " Better "}, {"name": "Better"}),
    ({"description": "Other"}, {"description": "Other"}),
    ({"description": ""}, {"description": ""}),
    ({"isPublic": "true"}, {"isPublic": True}),
    ({"slug": "other", "name": "Best"}, {"name": "Best"}),
    ({"name": None, "description": None, "isPublic": None, "owner": None}, {}),
    ({"owner": ""}, {}),
    ({}, {}),
]


async def test_an_edit_changes_the_sent_fields_and_leaves_the_rest(rest: Rest, make: Make) -> None:
    ann = await make.user("ann")
    await make.org("acme", ann, name="Acme", description="All of it.")

    for fields, changed in EDITS:
        before = await read_org(rest, "acme", ann)
        assert is_empty(await rest("PUT", "/orgs/acme", ann, json=fields), 204)
        assert await read_org(rest, "acme", ann) == before | changed


async def test_an_edit_is_a_form_or_multipart_too(rest: Rest, make: Make) -> None:
    ann = await make.user("ann")
    await make.org("acme", ann, is_public=True)
    fields = {"slug": "acme", "name": "Updated Name", "description": "Updated", "isPublic": "false"}

    form = await rest("PUT", "/orgs/Acme/", ann, data=fields)
    after = await read_org(rest, "acme", ann)
    again = await rest("PUT", "/orgs/acme", ann, files=parts(*(fields | {"name": "Again"}).items()))

    assert is_empty(form, 204)
    assert after == after | fields | {"isPublic": False}
    assert is_empty(again, 204)
    assert await read_org(rest, "acme", ann) == after | {"name": "Again"}


async def test_an_edit_does_not_make_the_editor_the_owner(rest: Rest, make: Make) -> None:
    ann, editors = await make.user("ann"), [await make.admin()]
    org = await make.org("acme", ann)
    for level in (MemberLevel.READ_WRITE, MemberLevel.READ_WRITE_DELETE, MemberLevel.ADMIN):
        editors.append(await make.user(f"member{level}"))
        await make.member(org, editors[-1], level)

    for editor in editors:
        plain = await rest("PUT", "/orgs/acme", editor, data={"name": "Better"})
        as_shown = await rest("PUT", "/orgs/acme", editor, data={"name": editor.user_name, "owner": "ANN"})
        after = await read_org(rest, "acme", ann)
        assert is_empty(plain, 204)
        assert is_empty(as_shown, 204)
        assert (after["name"], after["owner"]) == (editor.user_name, "ann")


@pytest.mark.parametrize("asker", ["owner", "root"])
async def test_the_owner_or_a_manager_of_orgs_transfers_an_org(rest: Rest, make: Make, asker: str) -> None:
    ann, bea, root = await make.user("ann"), await make.user("bea"), await make.admin()
    org = await make.org("acme", ann)
    await make.member(org, bea, MemberLevel.READ_ONLY)

    reply = await rest("PUT", "/orgs/acme", ann if asker == "owner" else root, data={"owner": "Bea"})

    assert is_empty(reply, 204)
    assert (await read_org(rest, "acme", bea))["owner"] == "bea"
    members = (await rest("GET", "/orgs/acme/members", bea)).json()
    assert [(each["userName"], each["permissions"]) for each in members] == [("ann", 3)]


async def test_an_org_without_an_owner_gets_one(rest: Rest, make: Make) -> None:
    root, _ = await make.admin(), await make.user("ann")
    await make.org("acme")

    assert (await read_org(rest, "acme", root))["owner"] is None
    assert is_empty(await rest("PUT", "/orgs/acme", root, data={"owner": "ann"}), 204)
    assert (await read_org(rest, "acme", root))["owner"] == "ann"


REFUSED_EDITS: list[tuple[str, dict[str, Any], int]] = [
    ("reader", {"name": "Mine"}, 403),
    ("stranger", {"name": "Mine"}, 403),
    ("nobody", {"name": "Mine"}, 401),
    ("manager", {"name": "Mine", "owner": "manager"}, 403),
    ("owner", {"name": "Mine", "owner": "ghost"}, 400),
    ("owner", {"name": "Mine", "owner": 5}, 400),
    ("owner", {"name": "", "isPublic": True}, 400),
    ("owner", {"name": "Mine", "description": "x" * 1_001}, 400),
    ("owner", {"name": "Mine", "isPublic": "perhaps"}, 400),
]


async def test_a_refused_edit_changes_nothing(rest: Rest, make: Make, database: db.Database) -> None:
    users = {name: await make.user(name) for name in ("owner", "reader", "stranger", "manager")}
    org = await make.org("acme", users["owner"], is_public=True)
    await make.member(org, users["reader"], MemberLevel.READ_ONLY)
    await make.member(org, users["manager"], MemberLevel.ADMIN)

    async with unchanged(database):
        for asker, fields, status in REFUSED_EDITS:
            reply = await rest("PUT", "/orgs/acme", users.get(asker), json=fields)
            assert refusal(reply) == (status, status in (401, 403)), fields


async def _with_a_dataset(make: Make, asker: str) -> tuple[Entity, Person | None]:
    """A public org with a dataset, and a user."""
    owner = await make.user("ann")
    org = await make.org("acme", owner, is_public=True)
    await make.resource(org, slug="reef")
    if asker in ("owner", "nobody"):
        return org, owner if asker == "owner" else None
    person = await make.user("somebody", *["admin"][: asker == "root"])
    if asker in MemberLevel.__members__:
        await make.member(org, person, MemberLevel[asker])
    return org, person


@pytest.mark.parametrize("asker", ["READ_WRITE_DELETE", "ADMIN", "owner", "root"])
async def test_an_org_goes_with_its_datasets(rest: Rest, make: Make, database: db.Database, asker: str) -> None:
    _, person = await _with_a_dataset(make, asker)

    reply = await rest("DELETE", "/orgs/acme", person, json={})

    assert is_empty(reply, 204)
    left = [await rows_of(database, table) for table in (tables.Org, tables.Resource, tables.Grant, tables.Access)]
    assert left == [0, 0, 0, 0]


@pytest.mark.parametrize(
    ("asker", "status"), [("READ_ONLY", 403), ("READ_WRITE", 403), ("stranger", 403), ("nobody", 401)]
)
async def test_an_org_stays_where_the_right_is_lacking(
    rest: Rest, make: Make, database: db.Database, asker: str, status: int
) -> None:
    _, person = await _with_a_dataset(make, asker)

    async with unchanged(database):
        assert refusal(await rest("DELETE", "/orgs/acme", person)) == (status, True)


async def test_an_org_stays_while_something_in_it_is_locked(rest: Rest, make: Make, database: db.Database) -> None:
    org, _ = await _with_a_dataset(make, "owner")
    await make.locked(await make.resource(org, "MODEL"))
    root = await make.admin()

    async with unchanged(database):
        reply = await rest("DELETE", "/orgs/acme", root)

    assert (refusal(reply), reply.json()["error"]) == (
        (400, False),
        "1 resource of this org is locked. Unlock it first.",
    )
