"""Claims about orgs over REST: which users see which orgs, and which fields of them."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from app import db
from app.domain.resource_roles import MemberLevel
from app.domain.viewer import Permission
from tests.support.changes import unchanged
from tests.support.client import MOMENT, Api
from tests.support.factories import Make, Person
from tests.support.rest_client import Rest
from tests.support.rest_toy import refusal

PAST = datetime(2020, 1, 1, tzinfo=UTC)
RIGHTS = ("canRead", "canWrite", "canDelete", "canManageMembers")
ALL_RIGHTS = dict.fromkeys(RIGHTS, True)


def rights(number: int) -> dict[str, bool]:
    """The first few of the rights, which is how levels are made."""
    return {name: at < number for at, name in enumerate(RIGHTS)}


async def read_org(rest: Rest, slug: str, as_: Person | None) -> dict[str, Any]:
    reply = await rest("GET", f"/orgs/{slug}", as_)
    assert reply.status_code == 200, reply.text
    org: dict[str, Any] = reply.json()
    return org


async def slugs(rest: Rest, query: str, as_: Person | None = None) -> list[str]:
    reply = await rest("GET", f"/orgs{query}", as_)
    assert reply.status_code == 200, reply.text
    return [org["slug"] for org in reply.json()]


@pytest.fixture
async def users(make: Make) -> dict[str, Person | None]:
    """The users who ask for a list, with orgs of every kind."""
    ann, bob, root = await make.user("ann", "user"), await make.user("bob", "user"), await make.admin()
    manager = await make.holder(Permission.ORGS_MANAGE, "manager")
    await make.org("ann-closed", ann)
    await make.org("ann-open", ann, is_public=True)
    await make.org("bob-closed", bob)
    await make.org("bob-open", bob, is_public=True)
    await make.org("nobodys-open", is_public=True)
    await make.member(await make.org("joined", bob), ann, MemberLevel.READ_ONLY)
    await make.member(await make.org("left", bob), ann, MemberLevel.ADMIN, expires_at=PAST)
    return {"ann": ann, "root": root, "manager": manager, "nobody": None, "stranger": await make.user("stranger")}


HERS = ["ann-closed", "ann-open", "joined"]
OPEN = ["ann-open", "bob-open", "nobodys-open"]
EVERY = ["ann-closed", "ann-open", "bob-closed", "bob-open", "joined", "left", "nobodys-open"]


LISTS = {
    ("nobody", ""): OPEN,
    ("nobody", "?includePublic=true"): OPEN,
    ("nobody", "?ownedOnly=false"): OPEN,
    ("ann", ""): HERS,
    ("ann", "?includePublic=false"): HERS,
    ("ann", "?includePublic=true"): sorted({*HERS, *OPEN}),
    ("ann", "?ownedOnly=true"): ["ann-closed", "ann-open"],
    ("ann", "?OWNEDONLY=True&includepublic=1"): ["ann-closed", "ann-open"],
    ("stranger", ""): [],
    ("stranger", "?includePublic=true"): OPEN,
    ("stranger", "?ownedOnly=true"): [],
    ("root", ""): EVERY,
    ("root", "?includePublic=true"): EVERY,
    ("root", "?ownedOnly=true"): [],
    ("manager", "/?ownedOnly=0"): EVERY,
}


async def test_the_list_has_the_users_own_orgs_and_the_public_ones(rest: Rest, users: dict[str, Person | None]) -> None:
    assert {key: await slugs(rest, key[1], users[key[0]]) for key in LISTS} == LISTS


async def test_anonymous_owns_nothing(rest: Rest, make: Make) -> None:
    await make.org("open", is_public=True)

    assert refusal(await rest("GET", "/orgs?ownedOnly=true")) == (401, True)


async def test_a_flag_is_true_or_false_and_appears_once(rest: Rest, make: Make) -> None:
    ann = await make.user("ann")
    queries = ["ownedOnly=yes", "ownedOnly=", "ownedOnly=true&OwnedOnly=true", "includePublic=2"]

    assert [refusal(await rest("GET", f"/orgs?{query}", ann)) for query in queries] == [(400, False)] * 4


ANYONES = ["/orgs", "/orgs?includePublic=true", "/orgs/public", "/orgs/open", "/orgs/open/ds"]


async def test_an_invalid_token_does_not_count_as_anonymous(
    api: Api, rest: Rest, make: Make, database: db.Database
) -> None:
    ann, gone = await make.user("ann"), await make.user("gone", "deactivated")
    await make.org("open", is_public=True)
    now = database.clock
    database.clock = lambda: now() - timedelta(days=8)
    expired = api.token(ann)
    database.clock = now

    tokens = [expired, api.token(gone), "garbage", api.token(Person(ann.id, "ann", generation=1))]
    sent = [{"authorization": f"Bearer {token}"} for token in tokens]
    replies = [await rest("GET", path, headers=each) for path in ANYONES for each in sent]

    assert {refusal(reply) for reply in replies} == {(401, True)}
    assert {reply.headers["www-authenticate"] for reply in replies} == {'Bearer error="invalid_token"'}


async def test_an_empty_or_invalid_cookie_counts_as_anonymous(rest: Rest, make: Make) -> None:
    await make.org("open", is_public=True)

    for cookie in ("", "garbage"):
        replies = [await rest("GET", path, headers={"cookie": f"jwtToken={cookie}"}) for path in ANYONES]
        assert [reply.status_code for reply in replies] == [200] * len(ANYONES)


async def test_an_org_is_shown_with_what_the_asker_may_do(rest: Rest, make: Make) -> None:
    owner = await make.user("Olga")
    org = await make.org("open", owner, name="Open", description="For all.", is_public=True)
    askers = {None: None, owner: ALL_RIGHTS, await make.admin(): ALL_RIGHTS, await make.user("stranger"): rights(1)}
    for level in MemberLevel:
        person = await make.user(f"member{level}")
        await make.member(org, person, level)
        askers[person] = rights(level + 1)

    replies = {person: await read_org(rest, "open", person) for person in askers}

    (created,) = {reply.pop("creationDate") for reply in replies.values()}
    assert MOMENT.fullmatch(created)
    facts = {"slug": "open", "name": "Open", "description": "For all.", "owner": "Olga", "isPublic": True}
    assert replies == {person: facts | {"permissions": permissions} for person, permissions in askers.items()}


async def test_a_path_is_answered_at_once_in_any_spelling(rest: Rest, make: Make) -> None:
    await make.org("acme", is_public=True)

    replies = [await rest("GET", path) for path in ("/orgs/acme", "/orgs/acme/", "/ORGS/AcMe", "/Orgs/ACME/")]

    assert [(reply.status_code, reply.json()["slug"]) for reply in replies] == [(200, "acme")] * 4


ABOUT: list[tuple[str, str, dict[str, Any]]] = [
    ("GET", "/orgs/{}", {}),
    ("PUT", "/orgs/{}", {"data": {"name": "Mine"}}),
    ("PUT", "/orgs/{}", {"data": {"owner": "eve"}}),
    ("DELETE", "/orgs/{}", {}),
    ("GET", "/orgs/{}/members", {}),
    ("GET", "/orgs/{}/ds", {}),
    ("POST", "/orgs/{}/ds", {"data": {"slug": "reef"}}),
]


async def test_to_a_stranger_a_private_org_is_one_that_never_was(rest: Rest, make: Make, database: db.Database) -> None:
    eve, ann = await make.user("eve", "user"), await make.user("ann")
    org = await make.org("hidden", ann)
    await make.resource(org, general=None)
    await make.member(org, eve, MemberLevel.ADMIN, expires_at=PAST)

    async with unchanged(database):
        for method, path, sent in ABOUT:
            hidden, none = [await rest(method, path.format(slug), eve, **sent) for slug in ("hidden", "never-was")]
            assert refusal(hidden) == (404, False)
            assert hidden.json() == none.json()


async def test_a_private_org_looks_absent_to_anonymous(rest: Rest, make: Make) -> None:
    await make.org("hidden")

    replies = [await rest("GET", f"/orgs/{slug}") for slug in ("hidden", "never-was", "a", "no--slug", "%00")]

    assert [refusal(reply) for reply in replies] == [(404, False)] * 5
    assert len({reply.content for reply in replies}) == 1


async def test_every_user_lists_the_same_public_orgs(rest: Rest, make: Make) -> None:
    root = await make.admin()
    await make.org("closed", root)
    await make.org("open", root, is_public=True)
    await make.org("another", is_public=True)

    replies = [await rest("GET", f"/orgs/{word}", as_) for word in ("public", "Public/") for as_ in (None, root)]

    assert [[org["slug"] for org in reply.json()] for reply in replies] == [["another", "open"]] * 4
    assert {org["permissions"] for reply in replies for org in reply.json()} == {None}
    assert [org["owner"] for org in replies[0].json()] == [None, "root"]
