"""Claims about the orgs of a user as administrators see and set them over REST."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from app import db
from app.domain.resource_roles import MemberLevel
from app.domain.viewer import Permission
from tests.support.changes import unchanged
from tests.support.factories import Make, Person
from tests.support.rest_client import Rest, is_empty, parts
from tests.support.rest_toy import refusal

OF_ANN = "/users/ann/orgs"
FIELDS = ["slug", "name", "description", "creationDate", "owner", "isPublic"]


async def _levels(rest: Rest, root: Person) -> dict[str, Any]:
    """Return the orgs of Ann by slug, each with their level or `owner`."""
    orgs = (await rest("GET", OF_ANN, root)).json()
    return {org["slug"]: "owner" if org["isOwner"] else org["permissions"] for org in orgs}


async def _start(make: Make) -> Person:
    """Ann owns an org and belongs to two, with levels of their own; there are two more."""
    root, ann = await make.admin(), await make.user("Ann")
    await make.org("own", ann)
    await make.member(await make.org("read"), ann, MemberLevel.READ_ONLY)
    await make.member(await make.org("rule"), ann, MemberLevel.ADMIN)
    await make.org("one")
    await make.org("two")
    return root


BEFORE = {"own": "owner", "read": 0, "rule": 3}


async def test_the_orgs_of_a_user_are_shown_in_the_shapes_of_old_and_new_clients(rest: Rest, make: Make) -> None:
    root, ann = await make.admin(), await make.user("Ann")
    await make.org("own", ann, name="Ann's", description="Private.")
    open_ = await make.org("another", root, is_public=True)
    await rest("POST", OF_ANN, root, json={"orgSlug": open_.slug})

    reply = await rest("GET", "/Users/ANN/Orgs/", root)

    joined, own = reply.json()
    assert reply.status_code == 200
    assert [*joined] == [*own] == [*FIELDS, "isOwner", "permissions", "grantedAt", "grantedBy"]
    for each, moment in ((joined, "creationDate"), (own, "creationDate"), (joined, "grantedAt")):
        assert datetime.fromisoformat(each.pop(moment)).utcoffset() == timedelta(0)
    assert joined == {
        "slug": "another",
        "name": "another",
        "description": "",
        "owner": "root",
        "isPublic": True,
        "isOwner": False,
        "permissions": 1,
        "grantedBy": "root",
    }
    assert own == {
        "slug": "own",
        "name": "Ann's",
        "description": "Private.",
        "owner": "Ann",
        "isPublic": False,
        "isOwner": True,
        "permissions": None,
        "grantedAt": None,
        "grantedBy": None,
    }


async def test_a_membership_that_has_ended_and_one_without_a_grantor(rest: Rest, make: Make) -> None:
    root, ann = await make.admin(), await make.user("ann")
    await make.member(await make.org("stays"), ann, expires_at=make.app.database.clock() + timedelta(days=1))
    await make.member(await make.org("ended"), ann, expires_at=make.app.database.clock())

    (org,) = (await rest("GET", OF_ANN, root)).json()

    assert (org["slug"], org["owner"], org["grantedBy"]) == ("stays", None, None)


FORM = "application/x-www-form-urlencoded"
SETS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "repeated in a form": ({"data": {"orgSlugs": ["one", "two"]}}, {"own": "owner", "one": 1, "two": 1}),
    "as the seed writes it": (
        {"content": b"orgSlugs=one&orgSlugs=two", "headers": {"content-type": FORM}},
        {"own": "owner", "one": 1, "two": 1},
    ),
    "in multipart": (
        {"files": parts(("orgSlugs", "one"), ("ORGSLUGS", "rule"))},
        {"own": "owner", "one": 1, "rule": 3},
    ),
    "in JSON": ({"json": {"orgslugs": ["read"]}}, {"own": "owner", "read": 0}),
    "a list in a form": ({"data": {"orgSlugs": '["one", "read"]'}}, {"own": "owner", "one": 1, "read": 0}),
    "twice and in other letters": (
        {"data": {"orgSlugs": ["ONE", "one", "Rule"]}},
        {"own": "owner", "one": 1, "rule": 3},
    ),
    "an org that the user owns": ({"data": {"orgSlugs": ["own", "read"]}}, {"own": "owner", "read": 0}),
    "an empty list": ({"json": {"orgSlugs": []}}, {"own": "owner"}),
    "an empty list in a form": ({"data": {"orgSlugs": "[]"}}, {"own": "owner"}),
}


@pytest.mark.parametrize("case", SETS)
async def test_the_memberships_of_a_user_become_those_that_are_named(rest: Rest, make: Make, case: str) -> None:
    root = await _start(make)
    assert await _levels(rest, root) == BEFORE
    sent, wanted = SETS[case]

    reply = await rest("PUT", "/users/aNN/orgs/", root, **sent)

    assert is_empty(reply)
    assert await _levels(rest, root) == wanted


EMPTY_FORMS: dict[str, dict[str, Any]] = {
    "URL-encoded": {"content": b"", "headers": {"content-type": FORM}},
    "multipart": {"content": b"--x--\r\n", "headers": {"content-type": "multipart/form-data; boundary=x"}},
}


@pytest.mark.parametrize("overrides", [{"OSTIARY_DRONE_DB_CLIENTS": "true"}])
@pytest.mark.parametrize("case", EMPTY_FORMS)
async def test_an_empty_form_of_the_hub_removes_all_memberships(rest: Rest, make: Make, case: str) -> None:
    """The Hub sends one when the last org is removed."""
    root = await _start(make)

    assert is_empty(await rest("PUT", OF_ANN, root, **EMPTY_FORMS[case]))

    assert await _levels(rest, root) == {"own": "owner"}


async def test_a_membership_that_had_ended_is_created_again(rest: Rest, make: Make) -> None:
    root, ann = await make.admin(), await make.user("ann")
    await make.member(await make.org("old"), ann, MemberLevel.ADMIN, expires_at=make.app.database.clock())

    assert is_empty(await rest("PUT", OF_ANN, root, data={"orgSlugs": "old"}))

    assert await _levels(rest, root) == {"old": 1}


@pytest.mark.parametrize(
    ("name", "sent"),
    [
        ("ann", {"data": {"orgSlugs": ["one", "none"]}}),
        ("ann", {"data": {"orgSlugs": ""}}),
        ("ann", {"data": {"orgSlugs": "a\0"}}),
        *(("ann", form) for form in EMPTY_FORMS.values()),
        ("ann", {}),
        ("ann", {"json": {}}),
        ("ann", {"json": {"orgSlugs": None}}),
        ("ann", {"json": {"orgSlug": ["one"]}}),
        ("ann", {"data": {"orgslug": "one"}}),
        ("ann", {"json": {"orgSlugs": "one"}}),
        ("ann", {"json": {"orgSlugs": [1]}}),
        ("ann", {"json": {"orgSlugs": {"one": 1}}}),
        ("ghost", {"data": {"orgSlugs": "one"}}),
        ("ghost", {}),
    ],
)
async def test_memberships_of_an_unknown_org_or_user_are_a_400(
    rest: Rest, make: Make, database: db.Database, name: str, sent: dict[str, Any]
) -> None:
    root = await _start(make)

    async with unchanged(database):
        reply = await rest("PUT", f"/users/{name}/orgs", root, **sent)

    assert refusal(reply) == (400, False)


@pytest.mark.parametrize(
    ("body", "level"),
    [
        ({"orgSlug": "one"}, 1),
        ({"orgSlug": "one", "permissions": None}, 1),
        ({"ORGSLUG": "One", "PERMISSIONS": 0}, 0),
        ({"orgSlug": "one", "permissions": 3}, 3),
        ({"orgSlug": "one", "permissions": "2"}, 2),
        ({"orgSlug": "one", "permissions": "readwritedelete"}, 2),
    ],
)
async def test_a_user_is_let_into_an_org(rest: Rest, make: Make, body: dict[str, Any], level: int) -> None:
    root = await _start(make)

    reply = await rest("POST", OF_ANN, root, json=body)

    assert is_empty(reply)
    assert await _levels(rest, root) == {**BEFORE, "one": level}


@pytest.mark.parametrize("level", [0, 1, "Admin", "readonly"])
async def test_a_changed_level_counts_as_a_new_grant(rest: Rest, make: Make, level: int | str) -> None:
    root, ann = await make.admin(), await make.user("Ann")
    await make.member(await make.org("rule"), ann, MemberLevel.READ_WRITE_DELETE)
    end = make.app.database.clock() + timedelta(days=9)
    await make.member(await make.org("till"), ann, MemberLevel.READ_WRITE_DELETE, expires_at=end)

    replies = [
        await rest("PUT", f"/users/ANN/Orgs/{slug}/", root, json={"Permissions": level}) for slug in ("RULE", "till")
    ]

    assert [is_empty(reply) for reply in replies] == [True] * 2
    orgs = {org["slug"]: org for org in (await rest("GET", OF_ANN, root)).json()}
    number = {"Admin": 3, "readonly": 0}.get(str(level), level)
    assert [(orgs[slug]["permissions"], orgs[slug]["grantedBy"]) for slug in ("rule", "till")] == [(number, "root")] * 2


@pytest.mark.parametrize("sent", [{}, {"json": {}}, {"content": b"{"}])
async def test_a_membership_is_taken_away_whatever_the_body_says(rest: Rest, make: Make, sent: dict[str, Any]) -> None:
    root = await _start(make)

    reply = await rest("DELETE", "/users/ANN/orgs/Read/", root, **sent)

    assert is_empty(reply)
    assert await _levels(rest, root) == {"own": "owner", "rule": 3}


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", OF_ANN, {"orgSlug": "none"}),
        ("POST", OF_ANN, {"orgSlug": "own"}),
        ("POST", OF_ANN, {"orgSlug": "Read", "permissions": 3}),
        ("POST", OF_ANN, {"permissions": 3}),
        ("POST", OF_ANN, {"orgSlug": "one", "permissions": 4}),
        ("POST", OF_ANN, {"orgSlug": "one", "permissions": -1}),
        ("POST", OF_ANN, {"orgSlug": "one", "permissions": "Owner"}),
        ("POST", "/users/ghost/orgs", {"orgSlug": "one"}),
        ("PUT", f"{OF_ANN}/read", {}),
        ("PUT", f"{OF_ANN}/read", {"permissions": None}),
        ("PUT", f"{OF_ANN}/read", {"permissions": 4}),
        ("PUT", f"{OF_ANN}/read", {"permissions": 10**30}),
        ("PUT", f"{OF_ANN}/own", {"permissions": 0}),
        ("PUT", f"{OF_ANN}/one", {"permissions": 0}),
        ("PUT", f"{OF_ANN}/none", {"permissions": 0}),
        ("PUT", "/users/ghost/orgs/read", {"permissions": 0}),
        ("DELETE", f"{OF_ANN}/own", {}),
        ("DELETE", f"{OF_ANN}/one", {}),
        ("DELETE", f"{OF_ANN}/none", {}),
        ("DELETE", "/users/ghost/orgs/read", {}),
        ("GET", "/users/ghost/orgs", {}),
    ],
)
async def test_a_membership_that_cannot_be_is_a_400(
    rest: Rest, make: Make, database: db.Database, method: str, path: str, body: dict[str, Any]
) -> None:
    root = await _start(make)

    async with unchanged(database):
        reply = await rest(method, path, root, json=body)

    assert refusal(reply) == (400, False)


async def test_managers_of_an_org_set_memberships_only_with_permission_to_view_users(
    rest: Rest, make: Make, database: db.Database
) -> None:
    await _start(make)
    boss, watch = await make.user("boss"), await make.holder(Permission.USERS_VIEW)
    org = await make.org("bossy", boss)
    await make.member(org, watch, MemberLevel.ADMIN)

    async with unchanged(database):
        replies = [
            await rest("GET", OF_ANN, boss),
            await rest("POST", OF_ANN, boss, json={"orgSlug": "bossy"}),
            await rest("PUT", "/users/boss/orgs", boss, json={"orgSlugs": []}),
            await rest("PUT", OF_ANN, watch, data={"orgSlugs": "bossy"}),
        ]

    assert [refusal(reply) for reply in replies] == [(403, True)] * 4
    assert is_empty(await rest("POST", OF_ANN, watch, json={"orgSlug": "bossy"}))
