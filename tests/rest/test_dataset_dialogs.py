"""Claims about the dialogs of a dataset over REST: its slug, its texts, and who may read it, each in its own call."""

from typing import Any

import pytest

from app import db
from app.domain.resource_roles import MemberLevel
from tests.support.changes import unchanged
from tests.support.factories import Entity, Make, Person
from tests.support.rest_client import Rest, is_empty, parts
from tests.support.rest_toy import refusal

REEF = "/orgs/sea/ds/reef"


@pytest.fixture
async def ann(make: Make) -> Person:
    return await make.user("ann")


@pytest.fixture(autouse=True)
async def sea(make: Make, ann: Person) -> Entity:
    """A private org with a dataset."""
    org = await make.org("sea", ann)
    await make.resource(org, slug="reef", name="Reef", description="Corals.")
    return org


async def meta(rest: Rest, as_: Person, path: str = REEF) -> dict[str, Any]:
    facts = (await rest("GET", f"{path}/ex", as_)).json()["properties"]["meta"]
    return {name: fact["data"] for name, fact in facts.items()}


async def set_meta(rest: Rest, as_: Person | None, key: str, data: str, **more: str) -> Any:
    return await rest("POST", f"{REEF}/meta/set", as_, data={"key": key, "data": data, **more})


async def test_a_rename_returns_the_dataset_at_its_new_path(rest: Rest, ann: Person) -> None:
    before = (await rest("GET", f"{REEF}/ex", ann)).json()

    for slug, sent in (("corals", {"data": {"slug": "corals"}}), ("polyps", {"files": parts(("SLUG", "polyps"))})):
        path = REEF if slug == "corals" else "/orgs/Sea/ds/Corals"
        reply = await rest("POST", f"{path}/Rename/", ann, **sent)
        assert (reply.status_code, reply.json()["slug"]) == (200, slug)
    renamed = (await rest("GET", "/orgs/sea/ds/polyps/ex", ann)).json()

    assert renamed == reply.json()
    assert renamed["permissions"] == before["permissions"]
    assert refusal(await rest("GET", REEF, ann)) == (404, False)


async def test_a_refused_rename_changes_nothing(
    rest: Rest, make: Make, ann: Person, sea: Entity, database: db.Database
) -> None:
    reader = await make.user("reader")
    await make.member(sea, reader, MemberLevel.READ_ONLY)
    await make.resource(sea, "MODEL", slug="model")
    await make.resource(sea, slug="default")
    refused: list[tuple[Person | None, str, str, int]] = [
        (ann, "reef", "model", 400),
        (ann, "reef", "A", 400),
        (ann, "reef", "", 400),
        (ann, "reef", "default", 400),
        (ann, "Default", "other", 400),
        (ann, "model", "other", 404),
        (ann, "ghost", "other", 404),
        (reader, "reef", "other", 403),
        (await make.user("stranger"), "reef", "other", 403),
        (None, "reef", "other", 401),
    ]

    async with unchanged(database):
        for asker, path, slug, status in refused:
            reply = await rest("POST", f"/orgs/sea/ds/{path}/rename", asker, data={"slug": slug})
            assert refusal(reply) == (status, status in (401, 403)), (path, slug)


async def test_a_key_sets_the_value_of_a_dataset(rest: Rest, ann: Person) -> None:
    for key, data, value in (
        ("name", '"Better"', "Better"),
        ("Tagline", '"What grows."', "What grows."),
        ("visibility", "2", 2),
        ("visibility", '"private"', 0),
        ("tagline", "null", ""),
    ):
        reply = await set_meta(rest, ann, key, data, path="")
        assert reply.status_code == 200
        facts = reply.json()
        assert facts[key.lower()] == {"data": value, "id": 0, "mtime": facts["name"]["mtime"]}
        assert (await meta(rest, ann))[key.lower()] == value


REFUSED: list[tuple[str, str, dict[str, str], str]] = [
    ("author", '"Ann"', {}, "key"),
    ("name", "Better", {}, "data"),
    ("name", "5", {}, "data"),
    ("name", "null", {}, "data"),
    ("name", '""', {}, "name"),
    ("tagline", '["a"]', {}, "data"),
    ("tagline", '"' + "x" * 1_001 + '"', {}, "description"),
    ("visibility", "3", {}, "data"),
    ("visibility", "true", {}, "data"),
    ("visibility", "null", {}, "data"),
    ("visibility", "{}", {}, "data"),
    ("name", '"Better"', {"path": "a.jpg"}, "path"),
]


async def test_what_cannot_be_set_is_refused_and_says_why(rest: Rest, ann: Person, database: db.Database) -> None:
    async with unchanged(database):
        for key, data, more, word in REFUSED:
            reply = await set_meta(rest, ann, key, data, **more)
            assert refusal(reply) == (400, False), (key, data)
            assert word in reply.json()["error"].lower()


async def test_a_lock_stops_new_texts_and_no_new_visibility(
    rest: Rest, make: Make, ann: Person, sea: Entity, database: db.Database
) -> None:
    await make.locked(await make.resource(sea, slug="locked"))
    path = "/orgs/sea/ds/locked"

    async with unchanged(database):
        for end, fields in (
            ("/rename", {"slug": "other"}),
            ("/meta/set", {"key": "name", "data": '"Other"'}),
            ("/meta/set", {"key": "tagline", "data": '"Other"'}),
        ):
            assert refusal(await rest("POST", f"{path}{end}", ann, data=fields)) == (400, False)
        assert refusal(await rest("PUT", path, ann, data={"tagline": "Other", "visibility": "2"})) == (400, False)
    reply = await rest("POST", f"{path}/meta/set", ann, data={"key": "visibility", "data": "2"})
    assert reply.json()["visibility"]["data"] == 2


async def test_an_edit_sets_the_tagline_or_leaves_it(rest: Rest, ann: Person) -> None:
    for sent, tagline in (
        ({"data": {"tagline": "New."}}, "New."),
        ({"json": {"tagline": None}}, "New."),
        ({"data": {"name": "Other"}}, "New."),
        ({"json": {"tagline": ""}}, ""),
    ):
        assert is_empty(await rest("PUT", REEF, ann, **sent), 204)
        assert (await meta(rest, ann))["tagline"] == tagline


async def test_the_old_attribute_is_the_visibility(rest: Rest, ann: Person, database: db.Database) -> None:
    for is_public, level in ((True, 2), (False, 0)):
        reply = await rest("POST", f"{REEF}/chattr", ann, data={"attrs": f'{{"public":{str(is_public).lower()}}}'})
        assert (reply.status_code, reply.json()) == (200, {"public": is_public})
        assert (await meta(rest, ann))["visibility"] == level

    async with unchanged(database):
        for attrs in ("", "public", "[]", "{}", '{"public":1}', '{"public":true,"other":1}'):
            assert refusal(await rest("POST", f"{REEF}/chattr", ann, data={"attrs": attrs})) == (400, False)
