"""Claims about datasets over REST: who reads which, in which shapes, and who makes, changes and deletes them."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from app import db
from app.db import tables
from app.domain import resource_roles
from app.domain.resource_roles import MemberLevel
from tests.support.changes import unchanged
from tests.support.client import MOMENT
from tests.support.factories import Entity, Make, Person, rows_of
from tests.support.rest_client import Rest, is_empty, parts
from tests.support.rest_toy import refusal

READ = resource_roles.METADATA_READ | resource_roles.DATA_READ
RIGHTS = ("canRead", "canWrite", "canDelete")
ALL_RIGHTS = dict.fromkeys(RIGHTS, True)
REEF = "/orgs/sea/ds/reef"
AT = datetime(2024, 1, 15, 10, 30, tzinfo=UTC)


def rights(number: int) -> dict[str, bool]:
    """The first few of the rights."""
    return {name: at < number for at, name in enumerate(RIGHTS)}


async def read_dataset(rest: Rest, as_: Person | None, path: str = REEF) -> dict[str, Any]:
    reply = await rest("GET", f"{path}/ex", as_)
    assert reply.status_code == 200, reply.text
    dataset: dict[str, Any] = reply.json()
    return dataset


async def slugs(rest: Rest, as_: Person | None) -> list[str]:
    reply = await rest("GET", "/orgs/sea/ds", as_)
    assert reply.status_code == 200, reply.text
    return [dataset["slug"] for dataset in reply.json()]


@pytest.fixture
async def ann(make: Make) -> Person:
    """The owner of the org."""
    return await make.user("ann")


@pytest.fixture
async def sea(make: Make, ann: Person) -> Entity:
    """A public org."""
    return await make.org("sea", ann, is_public=True)


async def _users(make: Make, sea: Entity) -> dict[str, Person | None]:
    users: dict[str, Person | None] = {"nobody": None, "stranger": await make.user("stranger")}
    for level in MemberLevel:
        person = await make.user(f"level{level}")
        await make.member(sea, person, level)
        users[person.user_name] = person
    return users | {"root": await make.admin()}


async def test_a_dataset_has_the_shape_that_its_clients_read(rest: Rest, make: Make, sea: Entity, ann: Person) -> None:
    fields: dict[str, Any] = {
        "name": "The reef",
        "description": "Corals.",
        "details": {"entries": 5},
        "size_bytes": 2**40,
    }
    await make.resource(sea, slug="reef", created_at=AT, updated_at=AT + timedelta(seconds=1.5), **fields)

    facts = {"id": 0, "mtime": AT.timestamp() + 1.5}
    dataset = {
        "slug": "reef",
        "creationDate": "2024-01-15T10:30:00Z",
        "properties": {
            "entries": 5,
            "public": False,
            "meta": {
                "name": {"data": "The reef", **facts},
                "visibility": {"data": 1, **facts},
                "tagline": {"data": "Corals.", **facts},
            },
        },
        "size": 2**40,
        "permissions": ALL_RIGHTS,
        "hasThumbnail": None,
    }
    assert await read_dataset(rest, ann) == dataset
    for query in ("", "?includeThumbnailCheck=true"):
        assert (await rest("GET", f"/orgs/sea/ds{query}", ann)).json() == [dataset]


@pytest.mark.parametrize("entries", [None, "5", True, 1.5, [5]])
async def test_entries_are_a_number_for_any_metadata(
    rest: Rest, make: Make, sea: Entity, ann: Person, entries: Any
) -> None:
    await make.resource(sea, slug="reef", details={"entries": entries})

    assert (await read_dataset(rest, ann))["properties"]["entries"] == 0


PLACES: list[tuple[str, dict[str, str], str]] = [
    ("http://testserver", {}, "ddb+unsafe://testserver"),
    ("https://testserver", {}, "ddb://testserver"),
    ("http://testserver", {"host": "data.example:8080"}, "ddb+unsafe://data.example:8080"),
    ("https://testserver", {"host": "data.example"}, "ddb://data.example"),
]


async def test_a_dataset_is_the_one_entry_of_a_list(rest: Rest, make: Make, sea: Entity, ann: Person) -> None:
    await make.resource(sea, slug="reef", created_at=AT, updated_at=AT, size_bytes=7)
    dataset = await read_dataset(rest, ann)

    for base, headers, place in PLACES:
        (entry,) = (await rest("GET", f"{base}/Orgs/SEA/DS/Reef/", ann, headers=headers)).json()
        assert entry == {
            "path": f"{place}/sea/reef",
            "hash": None,
            "type": 7,
            "properties": {**dataset["properties"], "permissions": ALL_RIGHTS},
            "mtime": AT.timestamp(),
            "size": 7,
            "depth": 0,
            "point_geom": None,
            "polygon_geom": None,
        }


async def test_the_permissions_follow_the_level_in_the_org(rest: Rest, make: Make, sea: Entity) -> None:
    users = await _users(make, sea)
    owner = await make.user("owner")
    await make.resource(sea, slug="reef", owner=owner)
    wanted = {"stranger": 1, "level0": 1, "level1": 2, "level2": 3, "level3": 3, "root": 3}

    actual = {name: (await read_dataset(rest, users[name]))["permissions"] for name in wanted}

    assert actual == {name: rights(number) for name, number in wanted.items()}
    assert (await read_dataset(rest, owner))["permissions"] == ALL_RIGHTS


async def test_the_permissions_follow_the_grants(rest: Rest, make: Make, sea: Entity) -> None:
    reef = await make.resource(sea, slug="reef", general=None)
    grants = {
        "finds": (resource_roles.METADATA_READ, (False, False, False)),
        "reads": (READ, (True, False, False)),
        "loads": (resource_roles.DATA_WRITE, (True, False, False)),
        "edits": (resource_roles.DATA_WRITE | resource_roles.METADATA_WRITE, (True, True, False)),
        "administers": (resource_roles.ADMIN, (True, True, True)),
    }
    for name, (mask, wanted) in grants.items():
        person = await make.user(name)
        await make.grant(reef, person, mask)
        assert tuple((await read_dataset(rest, person))["permissions"].values()) == wanted


async def test_the_list_has_the_datasets_that_the_asker_sees(rest: Rest, make: Make, sea: Entity) -> None:
    users = await _users(make, sea)
    await make.resource(sea, slug="closed", general=None)
    await make.resource(sea, slug="open")
    await make.resource(sea, "MODEL", slug="model")
    public = await make.resource(sea, slug="public")
    await make.grant(public, None, READ)

    assert {name: await slugs(rest, person) for name, person in users.items()} == {
        "nobody": ["public"],
        "stranger": ["open", "public"],
        **{name: ["closed", "open", "public"] for name in ("level0", "level1", "level2", "level3", "root")},
    }


async def test_anyone_reads_a_public_dataset_even_in_a_private_org(rest: Rest, make: Make) -> None:
    await make.grant(await make.resource(await make.org("hidden"), slug="reef"), None, READ)

    dataset = await read_dataset(rest, None, "/orgs/hidden/ds/reef")
    entry = await rest("GET", "/orgs/hidden/ds/reef", headers={"cookie": "jwtToken="})

    assert (dataset["permissions"], dataset["properties"]["public"]) == (rights(1), True)
    assert dataset["properties"]["meta"]["visibility"]["data"] == 2
    assert entry.json()[0]["properties"]["permissions"] == rights(1)
    assert refusal(await rest("GET", "/orgs/hidden/ds")) == (404, False)


async def test_what_was_granted_ends_on_time(rest: Rest, make: Make, database: db.Database) -> None:
    zoe, hidden = await make.user("zoe"), await make.org("hidden")
    end = database.clock() + timedelta(hours=1)
    reef = await make.resource(hidden, slug="reef", general=None)
    await make.grant(reef, zoe, resource_roles.ADMIN, end)
    await make.grant(reef, None, READ, end)
    path = "/orgs/hidden/ds/reef"
    before = await read_dataset(rest, zoe, path), await read_dataset(rest, None, path)

    database.clock = lambda: end

    assert [each["permissions"] for each in before] == [ALL_RIGHTS, rights(1)]
    for method in ("GET", "PUT", "DELETE"):
        assert refusal(await rest(method, path, zoe)) == (404, False)
    assert refusal(await rest("GET", f"{path}/ex")) == (404, False)
    root = await make.admin()
    assert (await read_dataset(rest, root, path))["properties"]["meta"]["visibility"]["data"] == 0


CALLS: list[tuple[str, str, dict[str, Any]]] = [
    ("GET", "", {}),
    ("GET", "/ex", {}),
    ("PUT", "", {"data": {"name": "Mine"}}),
    ("PUT", "", {"data": {"visibility": "2"}}),
    ("DELETE", "", {}),
]


async def test_what_is_no_dataset_or_hidden_is_not_there(
    rest: Rest, make: Make, sea: Entity, ann: Person, database: db.Database
) -> None:
    eve = await make.user("eve")
    await make.resource(sea, slug="reef", general=None)
    await make.resource(sea, "MODEL", slug="model")
    await make.resource(await make.org("hidden"), slug="reef", general=None)
    paths = ["sea/ds/reef", "sea/ds/never-was", "hidden/ds/reef", "nowhere/ds/reef", "sea%2Fds/ds/reef", "sea/ds/%00"]

    async with unchanged(database):
        for method, end, sent in CALLS:
            replies = [await rest(method, f"/orgs/{path}{end}", eve, **sent) for path in paths]
            replies.append(await rest(method, f"/orgs/sea/ds/model{end}", ann, **sent))
            assert [refusal(reply) for reply in replies] == [(404, False)] * 7
            assert len({reply.content for reply in replies}) == 1


NEW = {"slug": "reef", "name": "The reef", "tagline": "Corals.", "visibility": "0"}


@pytest.mark.parametrize(
    "sent", [{"data": NEW}, {"files": parts(*NEW.items())}, {"json": NEW}, {"json": NEW | {"visibility": 0}}]
)
async def test_the_creator_of_a_dataset_owns_it_and_gets_its_location(
    rest: Rest, make: Make, sea: Entity, sent: dict[str, Any]
) -> None:
    writer = await make.user("writer")
    await make.member(sea, writer, MemberLevel.READ_WRITE)

    reply = await rest("POST", "/orgs/Sea/ds", writer, **sent)

    assert (reply.status_code, reply.headers["location"]) == (201, "/orgs/sea/ds/reef")
    created = reply.json()
    assert created == await read_dataset(rest, writer)
    assert {name: fact["data"] for name, fact in created["properties"]["meta"].items()} == {
        "name": "The reef",
        "tagline": "Corals.",
        "visibility": 0,
    }
    assert (created["slug"], created["size"], created["permissions"]) == ("reef", 0, ALL_RIGHTS)
    assert (created["properties"]["entries"], created["properties"]["public"]) == (0, False)
    assert MOMENT.fullmatch(created["creationDate"])


@pytest.mark.parametrize("more", [{}, {"name": None, "tagline": None, "visibility": None}, {"name": ""}])
async def test_a_dataset_is_named_like_its_slug_and_open_to_users_by_default(
    rest: Rest, sea: Entity, ann: Person, more: dict[str, Any]
) -> None:
    created = (await rest("POST", "/orgs/sea/ds", ann, json={"slug": "reef", **more})).json()

    assert {name: fact["data"] for name, fact in created["properties"]["meta"].items()} == {
        "name": "reef",
        "tagline": "",
        "visibility": 1,
    }


REFUSED_CREATIONS: list[tuple[str, dict[str, Any], int]] = [
    ("ann", {"slug": "taken"}, 400),
    ("ann", {"slug": "model"}, 400),
    ("ann", {"slug": "a"}, 400),
    ("ann", {"slug": "Reef"}, 400),
    ("ann", {"slug": "a--b"}, 400),
    ("ann", {"slug": None}, 400),
    ("ann", {"name": "x" * 201}, 400),
    ("ann", {"tagline": "x" * 1_001}, 400),
    ("ann", {"visibility": 3}, 400),
    ("ann", {"visibility": -1}, 400),
    ("ann", {"visibility": "Secret"}, 400),
    ("ann", {"visibility": True}, 400),
    ("level0", {}, 403),
    ("stranger", {}, 403),
    ("nobody", {}, 401),
]


async def test_a_refused_creation_changes_nothing(
    rest: Rest, make: Make, sea: Entity, ann: Person, database: db.Database
) -> None:
    users = await _users(make, sea) | {"ann": ann}
    await make.resource(sea, slug="taken", general=None)
    await make.resource(sea, "MODEL", slug="model")

    async with unchanged(database):
        for asker, fields, status in REFUSED_CREATIONS:
            reply = await rest("POST", "/orgs/sea/ds", users[asker], json={"slug": "reef", **fields})
            assert refusal(reply) == (status, status in (401, 403)), fields
        assert refusal(await rest("POST", "/orgs/nowhere/ds", ann, data={"slug": "reef"})) == (404, False)


async def test_the_same_slug_is_free_in_another_org(rest: Rest, make: Make, sea: Entity, ann: Person) -> None:
    await make.resource(await make.org("lake", ann), slug="reef")

    assert (await rest("POST", "/orgs/sea/ds", ann, data={"slug": "reef"})).status_code == 201


async def test_an_edit_changes_the_name_or_leaves_it(rest: Rest, make: Make, sea: Entity) -> None:
    writer = await make.user("writer")
    await make.member(sea, writer, MemberLevel.READ_WRITE)
    await make.resource(sea, slug="reef", name="Reef", description="Corals.")
    before = await read_dataset(rest, writer)

    for sent in ({"data": {"name": " Better "}}, {"files": parts(("NAME", "Best"))}, {"json": {"name": None}}, {}):
        assert is_empty(await rest("PUT", f"{REEF}/", writer, **sent), 204)

    after = await read_dataset(rest, writer)
    assert after["properties"]["meta"]["name"]["data"] == "Best"
    assert after["properties"]["meta"]["tagline"]["data"] == "Corals."
    assert (after["creationDate"], after["permissions"]) == (before["creationDate"], before["permissions"])


REFUSED_EDITS: list[tuple[str, dict[str, Any], int]] = [
    ("level0", {"name": "Mine"}, 403),
    ("stranger", {"name": "Mine"}, 403),
    ("stranger", {}, 403),
    ("nobody", {"name": "Mine"}, 401),
    ("level1", {"name": "Mine", "visibility": 2}, 403),
    ("level2", {"visibility": "Private"}, 403),
    ("stranger", {"visibility": 1}, 403),
    ("level3", {"name": " ", "visibility": 2}, 400),
    ("level3", {"name": "x" * 201, "visibility": 2}, 400),
    ("level3", {"name": "Mine", "visibility": 3}, 400),
]


async def test_a_refused_edit_changes_nothing(rest: Rest, make: Make, sea: Entity, database: db.Database) -> None:
    users = await _users(make, sea)
    await make.resource(sea, slug="reef")

    async with unchanged(database):
        for asker, fields, status in REFUSED_EDITS:
            reply = await rest("PUT", f"{REEF}", users[asker], json=fields)
            assert refusal(reply) == (status, status in (401, 403)), (asker, fields)


async def test_a_dataset_is_deleted_by_its_administrators_and_from_level_2(
    rest: Rest, make: Make, sea: Entity, ann: Person, database: db.Database
) -> None:
    users = await _users(make, sea) | {"ann": ann, "owner": await make.user("owner")}
    for name in ("level2", "level3", "root", "ann", "owner"):
        await make.resource(sea, slug=f"of-{name}", owner=users["owner"])

    async with unchanged(database):
        for name in ("stranger", "level0", "level1"):
            assert refusal(await rest("DELETE", "/orgs/sea/ds/of-ann", users[name])) == (403, True)
        assert refusal(await rest("DELETE", "/orgs/sea/ds/of-ann")) == (401, True)
    for name in ("level2", "level3", "root", "ann", "owner"):
        assert is_empty(await rest("DELETE", f"/orgs/sea/ds/OF-{name}", users[name], json={}), 204)
    assert [await rows_of(database, table) for table in (tables.Resource, tables.Grant, tables.Access)] == [0, 0, 0]


async def test_a_lock_stops_edits_and_deletion_and_no_reader(
    rest: Rest, make: Make, sea: Entity, ann: Person, database: db.Database
) -> None:
    await make.locked(await make.resource(sea, slug="reef"))
    root = await make.admin()

    async with unchanged(database):
        for sent in ({"data": {"name": "Better"}}, {"data": {"name": "Better", "visibility": "2"}}, {}):
            assert refusal(await rest("PUT", f"{REEF}", root, **sent)) == (400, False)
        assert refusal(await rest("DELETE", f"{REEF}", root)) == (400, False)
    assert is_empty(await rest("PUT", f"{REEF}", ann, data={"visibility": "2"}), 204)
    assert (await read_dataset(rest, None))["properties"]["public"] is True
