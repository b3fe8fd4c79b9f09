"""Claims about conditional changes over REST, in a walk over the table: a condition is compared or refused."""

import re
from typing import Any

import httpx
import pytest

from app import db
from app.config import Settings
from app.rest import SECTIONS
from app.rest.openapi import document
from app.rest.request_bodies import Body
from tests.oracle.rest_matrix import ROUTES, ROWS, Scene, scene
from tests.support.changes import unchanged
from tests.support.client import Api
from tests.support.factories import Make, Person
from tests.support.rest_client import Rest
from tests.support.rest_toy import refusal

Key = tuple[str, str]

CHANGING = [key for key in ROUTES if key[0] != "GET"]

OF_ONE_OBJECT = re.compile(
    r"(PUT|POST|PATCH|DELETE) "
    r"(/users/\{userName\}(/meta|/changepwd)?|/orgs/\{orgSlug\}|/orgs/\{orgSlug\}/ds/\{dsSlug\}(/.+)?)|DELETE /users"
)
"""Matches changes of one user, org or dataset, whose revision a tag has."""

COMPARING = [key for key in CHANGING if OF_ONE_OBJECT.fullmatch(" ".join(key))]
OTHERS = [key for key in CHANGING if key not in COMPARING]


@pytest.fixture
def overrides() -> dict[str, Any]:
    """Every route does what it is for."""
    return {"OSTIARY_ENABLE_ORGANIZATION_MEMBER_MANAGEMENT": "true"}


async def _send(rest: Rest, key: Key, root: Person, here: Scene, **headers: str) -> httpx.Response:
    method, path = key
    sent: dict[str, Any] = {} if ROUTES[key].body is Body.NONE else {"json": ROWS[key].input(here)}
    names = {name.replace("_", "-"): text for name, text in headers.items()}
    return await rest(method, path.format(**here.words), root, headers=names, **sent)


async def _tag(rest: Rest, key: Key, root: Person, here: Scene) -> str:
    """Return the tag of the object that a route changes."""
    path = key[1]
    read = "/orgs/{orgSlug}/ds/{dsSlug}/ex" if "{dsSlug}" in path else "/orgs/{orgSlug}"
    if path.startswith("/users"):
        read = "/users/{userName}/meta"
    tag: str = (await rest("GET", read.format(**here.words), root)).headers["etag"]
    return tag


def test_exactly_the_changes_of_one_object_list_the_header() -> None:
    described = {
        (method.upper(), path)
        for path, operations in document(SECTIONS, Settings())["paths"].items()
        for method, operation in operations.items()
        if any(parameter["name"] == "If-Match" for parameter in operation.get("parameters", ()))
    }

    assert described == {*COMPARING}


async def test_a_change_of_one_object_compares_and_any_other_refuses_a_condition(
    rest: Rest, make: Make, database: db.Database
) -> None:
    wanted, actual = dict[Any, Any](), dict[Any, Any]()

    for number, key in enumerate(CHANGING):
        root, here = await make.admin(f"root{number}"), await scene(make, number, joined=ROWS[key].joined)
        tag = await _tag(rest, key, root, here) if key in COMPARING else '"1.x"'
        status = 412 if key in COMPARING else 400
        async with unchanged(database):
            for headers in (
                {"If_Match": f'"{10**8}.{tag[-33:]}'},
                {"If_Match": f"W/{tag}"},
                {"If_Match": ""},
                {"If_None_Match": "*"},
                {"If_Match": "*", "If_None_Match": "*"},
            ):
                wanted[*key, *headers.items()] = status, False
                actual[*key, *headers.items()] = refusal(await _send(rest, key, root, here, **headers))
            for headers in ({"If_None_Match": tag}, {"If_Match": tag} if key in OTHERS else {"If_None_Match": '"x"'}):
                wanted[*key, *headers.items()] = 400, False
                actual[*key, *headers.items()] = refusal(await _send(rest, key, root, here, **headers))
        reply = await _send(rest, key, root, here, **({"If_Match": f'"x", {tag}'} if key in COMPARING else {}))
        wanted[key], actual[key] = ROUTES[key].status, reply.status_code

    assert actual == wanted


async def test_several_lines_of_a_header_count_as_one(rest: Rest, api: Api, make: Make) -> None:
    root, here = await make.admin(), await scene(make, 0)
    key = "PATCH", "/users/{userName}/meta"
    tag = await _tag(rest, key, root, here)
    lines = [("if-match", '"x"'), ("if-match", tag)]

    reply = await api.client.patch(key[1].format(**here.words), json={}, headers=[*api.headers(root).items(), *lines])

    assert reply.status_code == 200
