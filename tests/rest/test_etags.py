"""Claims about entity tags over REST: what is read has one, and a change that names another one is refused."""

from typing import Any

import httpx
import pytest

from app import db
from app.rest import TABLE
from tests.support.changes import unchanged
from tests.support.factories import Make, Person
from tests.support.rest_client import Rest

READS = {
    "/users/ann/meta": ("POST", "/users/ann/meta", {"a": 1}),
    "/orgs/sea": ("PUT", "/orgs/sea", {"name": "New"}),
    "/orgs/sea/ds/reef/ex": ("PUT", "/orgs/sea/ds/reef", {"name": "New", "visibility": 2}),
    "/orgs/sea/ds/reef": ("PUT", "/orgs/sea/ds/reef", {"name": "New"}),
}
"""The path of each object, and a change of it."""

OTHER_CHANGES = (
    ("/users/ann/meta", "PUT", "/users/ann", {"roles": ["user"]}),
    ("/users/ann/meta", "PATCH", "/users/ann/meta", {"a": 2}),
    ("/users/ann/meta", "PUT", "/users/ann/changepwd", {"newPassword": "another horse another staple"}),
    ("/users/ann/meta", "DELETE", "/users/ann", None),
    ("/users/ann/meta", "DELETE", "/users", {"userName": "ann"}),
    ("/orgs/sea", "DELETE", "/orgs/sea", None),
    ("/orgs/sea/ds/reef/ex", "PUT", "/orgs/sea/ds/reef", {"visibility": 0}),
    ("/orgs/sea/ds/reef/ex", "POST", "/orgs/sea/ds/reef/rename", {"slug": "atoll"}),
    ("/orgs/sea/ds/reef/ex", "POST", "/orgs/sea/ds/reef/meta/set", {"key": "name", "data": '"New"'}),
    ("/orgs/sea/ds/reef/ex", "POST", "/orgs/sea/ds/reef/chattr", {"attrs": '{"public": true}'}),
    ("/orgs/sea/ds/reef/ex", "DELETE", "/orgs/sea/ds/reef", None),
)
CHANGES = [*((read, *change) for read, change in READS.items()), *OTHER_CHANGES]


@pytest.fixture
async def root(make: Make) -> Person:
    """An administrator, with the objects of the paths."""
    ann = await make.user("ann")
    await make.resource(await make.org("sea", ann), owner=ann, slug="reef")
    return await make.admin()


def test_every_route_with_a_tag_is_walked() -> None:
    tagged = {(route.method, route.path) for route in TABLE if route.has_revision}

    assert len([method for method, _ in tagged if method == "GET"]) == len({*READS}) + 1  # and the viewer's own
    assert len([method for method, _ in tagged if method != "GET"]) == len({change[1:3] for change in CHANGES})


async def _send(rest: Rest, as_: Person, change: Any, **headers: str) -> httpx.Response:
    method, path, body = change
    return await rest(
        method, path, as_, json=body, headers={name.replace("_", "-"): text for name, text in headers.items()}
    )


@pytest.mark.parametrize("path", [*READS, "/users/meta"])
async def test_a_response_that_the_client_has_is_not_sent_again(rest: Rest, root: Person, path: str) -> None:
    first = await rest("GET", path, root)
    tag = first.headers["etag"]

    for known in (tag, f"W/{tag}", f'"x", {tag}', "*"):
        again = await rest("GET", path, root, headers={"If-None-Match": known})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    other = await rest("GET", path, root, headers={"If-None-Match": '"1.0"'})
    assert (other.status_code, other.content) == (200, first.content)


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: " ".join(map(str, change[:3])))
async def test_a_change_that_names_an_outdated_tag_is_refused(
    rest: Rest, root: Person, database: db.Database, change: tuple[Any, ...]
) -> None:
    path, *call = change
    tag = (await rest("GET", path, root)).headers["etag"]
    revision, _, rest_of_tag = tag.partition(".")
    old = f'"{int(revision[1:]) - 1}.{rest_of_tag}'

    async with unchanged(database):
        for wrong in (old, f"{old}, {old}", '"x"', "x", '""', "1", f'"{10**30}.{rest_of_tag}', f"W/{tag}"):
            reply = await _send(rest, root, call, If_Match=wrong)
            assert (reply.status_code, reply.json()["noRetry"]) == (412, False), wrong
    right = await _send(rest, root, call, If_Match=f"{old}, {tag}")
    assert right.is_success, right.text


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: " ".join(map(str, change[:3])))
async def test_any_tag_and_none_at_all_are_accepted(rest: Rest, root: Person, change: tuple[Any, ...]) -> None:
    _, *call = change

    assert (await _send(rest, root, call, If_Match="*")).is_success


async def test_a_stranger_gets_the_same_refusal_with_any_tag(rest: Rest, make: Make, root: Person) -> None:
    eve = await make.user("eve")

    for _, *call in CHANGES:
        plain = await _send(rest, eve, call)
        assert (await _send(rest, eve, call, If_Match='"x"')).json() == plain.json()
        assert plain.is_client_error


VISIBILITIES: list[tuple[str, str, dict[str, Any]]] = [
    ("PUT", "/orgs/sea/ds/reef", {"visibility": 0}),
    ("PUT", "/orgs/sea/ds/reef", {"name": "New", "visibility": 0}),
    ("POST", "/orgs/sea/ds/reef/meta/set", {"key": "visibility", "data": "0"}),
    ("POST", "/orgs/sea/ds/reef/chattr", {"attrs": '{"public": false}'}),
]


@pytest.mark.parametrize("path", ["/orgs/sea/ds/reef/ex", "/orgs/sea/ds/reef"])
@pytest.mark.parametrize("change", VISIBILITIES, ids=lambda change: f"{change[1]} {[*change[2]]}")
async def test_the_visibility_that_was_read_is_part_of_the_tag(
    rest: Rest, root: Person, database: db.Database, path: str, change: tuple[Any, ...]
) -> None:
    """Another change of the access in between refuses a new visibility, and no new text."""
    read = (await rest("GET", path, root)).headers["etag"]
    assert (await _send(rest, root, ("PUT", "/orgs/sea/ds/reef", {"visibility": 2}), If_Match=read)).is_success
    now = (await rest("GET", path, root, headers={"If-None-Match": read})).headers["etag"]

    assert now.split(".")[0] == read.split(".")[0]
    async with unchanged(database):
        assert (await _send(rest, root, change, If_Match=read)).status_code == 412
        text = {"name": "reef", "visibility": 2}
        assert (await _send(rest, root, ("PUT", "/orgs/sea/ds/reef", text), If_Match=read)).is_success
    assert (await _send(rest, root, change, If_Match=now)).is_success


async def test_only_who_administers_a_dataset_learns_of_changes_of_its_access(
    rest: Rest, make: Make, root: Person, database: db.Database
) -> None:
    eve, path = await make.user("eve"), "/orgs/sea/ds/reef/ex"
    before = [(await rest("GET", path, person)).headers["etag"] for person in (root, eve)]
    await rest("PUT", "/orgs/sea/ds/reef", root, json={"visibility": 2})
    await rest("PUT", "/orgs/sea/ds/reef", root, json={"visibility": 1})
    after = [(await rest("GET", path, person)).headers["etag"] for person in (root, eve)]

    assert before[0] != after[0]
    assert before[1] == after[1]
    async with unchanged(database):
        foreign = await _send(rest, root, ("PUT", "/orgs/sea/ds/reef", {"visibility": 0}), If_Match=after[1])
        assert foreign.status_code == 412


@pytest.mark.parametrize(
    ("path", "deleted", "created"),
    [
        ("/orgs/sea", ("DELETE", "/orgs/sea", None), ("POST", "/orgs", {"slug": "sea", "name": "Sea"})),
        ("/orgs/sea/ds/reef", ("DELETE", "/orgs/sea/ds/reef", None), ("POST", "/orgs/sea/ds", {"slug": "reef"})),
        (
            "/users/ann/meta",
            ("DELETE", "/users/ann", None),
            ("POST", "/users", {"userName": "ann", "password": "a" * 12}),
        ),
    ],
)
async def test_the_tag_of_a_deleted_object_is_none_of_its_name_sake(
    rest: Rest, make: Make, root: Person, database: db.Database, path: str, deleted: Any, created: Any
) -> None:
    await make.user("zoe")
    change = ("POST", path, {"depth": 1}) if path.endswith("meta") else ("PUT", path, {"name": "New"})
    tag = (await rest("GET", path, root)).headers["etag"]
    assert (await _send(rest, root, deleted)).is_success
    assert (await _send(rest, root, created)).is_success
    now = (await rest("GET", path, root)).headers["etag"]

    async with unchanged(database):
        reply = await _send(rest, root, change, If_Match=tag)
    assert (reply.status_code, "another object than the one that was read" in reply.text) == (412, True)
    assert (await _send(rest, root, change, If_Match=now)).is_success
