"""Claims about the metadata of users over REST."""

import json
from typing import Any

import pytest

from app import db
from app.domain.viewer import Permission
from tests.support.changes import unchanged
from tests.support.factories import Make
from tests.support.rest_client import Rest, is_empty
from tests.support.rest_toy import refusal

OF_ANN = "/users/ann/meta"
DOCUMENT = {
    "maxStorageMB": 10240,
    "department": "Engineering",
    "Zed": [1, 2.5, None, True, {"a": {}, "A": []}],
    "department ": "",
    "Department": "\0 \N{GRINNING FACE}",
    "": 0,
}


async def test_metadata_is_empty_at_first(rest: Rest, make: Make) -> None:
    root, ann = await make.admin(), await make.user("Ann")

    replies = [await rest("GET", "/users/meta", ann), await rest("GET", "/Users/aNN/META/", root)]

    assert [(reply.status_code, reply.json()) for reply in replies] == [(200, {})] * 2


async def test_metadata_comes_back_as_it_was_set_with_its_own_letters_and_order(rest: Rest, make: Make) -> None:
    root, ann = await make.admin(), await make.user("Ann")

    reply = await rest("POST", "/users/ANN/meta/", root, json=DOCUMENT)

    assert is_empty(reply)
    replies = [await rest("GET", "/users/Meta", ann), await rest("GET", OF_ANN, root)]
    assert [json.dumps(each.json()) for each in replies] == [json.dumps(DOCUMENT)] * 2


async def test_new_metadata_replaces_all_of_the_old(rest: Rest, make: Make) -> None:
    root, ann = await make.admin(), await make.user("ann", "user", details={"old": 1, "maxStorageMB": 5})

    for document in ({"new": {"a": 1}}, {}):
        assert is_empty(await rest("POST", OF_ANN, root, json=document))
        assert (await rest("GET", "/users/meta", ann)).json() == document


async def test_only_administrators_read_metadata_by_name(rest: Rest, make: Make, database: db.Database) -> None:
    ann, watch = await make.user("ann", details={"a": 1}), await make.holder(Permission.USERS_VIEW)

    async with unchanged(database):
        looks = [await rest("GET", f"/users/{name}/meta", ann) for name in ("ann", "ghost")]
        sets = [await rest("POST", OF_ANN, who, json={}) for who in (ann, watch)]

    assert [refusal(reply) for reply in looks + sets] == [(403, True)] * 4
    assert (await rest("GET", OF_ANN, watch)).json() == {"a": 1}


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_the_metadata_of_an_unknown_user_is_a_400(
    rest: Rest, make: Make, database: db.Database, method: str
) -> None:
    root = await make.admin()

    async with unchanged(database):
        replies = [await rest(method, f"/users/{name}/meta", root, json={"a": 1}) for name in ("ghost", "a%00", "%20")]

    assert [refusal(reply) for reply in replies] == [(400, False)] * 3


async def test_roles_in_metadata_are_assigned_and_created_without_permissions(rest: Rest, make: Make) -> None:
    root, ann = await make.admin(), await make.user("ann", "user")
    metadata = {"roles": ["Reviewer", "EDITOR", "reviewer"]}
    await make.role("editor")

    reply = await rest("POST", OF_ANN, root, json=metadata)

    assert is_empty(reply)
    assert (await rest("GET", "/users/meta", ann)).json() == metadata
    listed = (await rest("GET", "/users", root)).json()[0]
    assert [name.lower() for name in listed["roles"]] == ["editor", "reviewer"]
    assert len((await rest("GET", "/users/roles", root)).json()) == 5
    assert refusal(await rest("POST", "/orgs", ann, data={"slug": "acme", "name": "A"})) == (403, True)


async def test_a_role_in_metadata_deactivates_on_the_very_next_request(rest: Rest, make: Make) -> None:
    root, ann = await make.admin(), await make.user("ann", "user")

    assert is_empty(await rest("POST", OF_ANN, root, json={"roles": ["Deactivated"]}))

    assert refusal(await rest("GET", "/users/meta", ann)) == (401, True)


async def test_roles_in_metadata_give_nothing_that_their_giver_does_not_hold(
    rest: Rest, make: Make, database: db.Database
) -> None:
    clerk, _ = await make.holder(Permission.USERS_MANAGE), await make.user("ann")

    async with unchanged(database):
        reply = await rest("POST", OF_ANN, clerk, json={"roles": ["new", "admin"]})

    assert refusal(reply) == (403, True)


@pytest.mark.parametrize("quota", [0, 0.5, 10_240, 1e300])
async def test_a_quota_is_any_number_from_nothing_up(rest: Rest, make: Make, quota: float) -> None:
    root, ann = await make.admin(), await make.user("ann")

    assert is_empty(await rest("POST", OF_ANN, root, json={"maxStorageMB": quota}))

    assert (await rest("GET", "/users/meta", ann)).json() == {"maxStorageMB": quota}


@pytest.mark.parametrize(
    "body",
    [
        '{"maxStorageMB": -1}',
        '{"maxStorageMB": "5"}',
        '{"maxStorageMB": null}',
        '{"maxStorageMB": true}',
        '{"maxStorageMB": [5]}',
        '{"maxStorageMB": 1e999}',
        '{"deep": {"a": [-1e999]}}',
        '{"roles": "user"}',
        '{"roles": null}',
        '{"roles": {"user": true}}',
        '{"roles": ["user", 5]}',
        '{"roles": ["a/b"]}',
        '{"roles": [""]}',
        '{"key": "%s"}' % ("x" * 65_536),
        "null",
        "[]",
        '"x"',
        "",
    ],
)
async def test_metadata_of_a_wrong_form_is_a_400_and_the_old_one_stays(
    rest: Rest, make: Make, database: db.Database, body: str
) -> None:
    root, _ = await make.admin(), await make.user("ann", "user", details={"old": 1})

    async with unchanged(database):
        reply = await rest("POST", OF_ANN, root, content=body, headers={"content-type": "application/json"})

    assert refusal(reply) == (400, False)


@pytest.mark.parametrize("sent", [{"data": {"a": "1"}}, {"files": {"a": (None, "1")}}, {"content": b"{}"}])
async def test_metadata_is_json_alone(rest: Rest, make: Make, database: db.Database, sent: dict[str, Any]) -> None:
    root, _ = await make.admin(), await make.user("ann")

    async with unchanged(database):
        reply = await rest("POST", OF_ANN, root, **sent)

    assert refusal(reply) == (415, False)
