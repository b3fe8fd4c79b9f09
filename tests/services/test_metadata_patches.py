"""Claims about patches of the metadata of users and resources, over both faces."""

import asyncio
from typing import Any

from app import db
from app.domain import resource_roles
from app.domain.viewer import Permission
from tests.support.changes import answered, change, problems, unchanged
from tests.support.client import Api, codes
from tests.support.factories import Make
from tests.support.rest_client import Rest

USER = change("patchUserMetadata", "user { metadata roles { name } }")
RESOURCE = change("patchResourceMetadata", "resource { metadata }")
MERGE = {"content-type": "application/merge-patch+json"}


async def test_members_are_set_removed_and_merged_in_their_order(api: Api, make: Make) -> None:
    details = {"b": {"x": 1, "y": [1]}, "a": 1, "roles": ["admin"]}
    root, ann = await make.admin(), await make.user("ann", "user", details=details)
    reef = await make.resource(await make.org(), owner=ann, details=details)
    patch = {"c": {"z": None, "k": []}, "b": {"x": None, "y": [2, None]}, "a": 2.0}

    user = answered(await api(USER, as_=root, input={"user": {"id": ann.node}, "patch": patch}), "patchUserMetadata")
    fields = {"resource": {"id": reef.node}, "patch": patch}
    resource = answered(await api(RESOURCE, as_=ann, input=fields), "patchResourceMetadata")

    expected = {"b": {"y": [2, None]}, "a": 2.0, "roles": ["admin"], "c": {"k": []}}
    for metadata in (user["user"]["metadata"], resource["resource"]["metadata"]):
        assert (metadata, list(metadata)) == (expected, list(expected))
    assert user["user"]["roles"] == [{"name": "user"}], "roles that a patch does not name stay"


async def test_a_literal_patch_keeps_its_nulls(api: Api, make: Make) -> None:
    root = await make.admin()
    await make.user("ann", details={"a": 1, "b": {"c": 1}})
    text = """mutation ($d: JSON!) { patchUserMetadata(
      input: {user: {userName: "ann"}, patch: {a: null, b: {c: null, d: $d}}}
    ) { user { metadata } errors { code } } }"""

    payload = answered(await api(text, as_=root, d=[1]), "patchUserMetadata")

    assert payload["user"]["metadata"] == {"b": {"d": [1]}}


async def test_a_patched_list_of_roles_replaces_the_roles(api: Api, make: Make) -> None:
    root, ann = await make.admin(), await make.user("ann", "user", details={"roles": ["user"]})

    async def roles(patch: dict[str, Any]) -> list[str]:
        reply = await api(USER, as_=root, input={"user": {"id": ann.node}, "patch": patch})
        return [role["name"] for role in answered(reply, "patchUserMetadata")["user"]["roles"]]

    assert await roles({"roles": ["Fresh", "user"]}) == ["Fresh", "user"]
    assert await roles({"roles": None}) == ["Fresh", "user"]
    assert await roles({"roles": []}) == []


async def test_the_result_must_be_valid_metadata(api: Api, make: Make, database: db.Database) -> None:
    root, ann = await make.admin(), await make.user("ann", "user", details={"k": "x" * 65_000})
    reef = await make.resource(await make.org(), details={"k": "x" * 65_000})
    both: list[tuple[Any, str]] = [([], ""), ("a", ""), ({"l": "x" * 600}, "")]
    of_users: list[tuple[Any, str]] = [
        ({"maxStorageMB": -1}, ".maxStorageMB"),
        ({"roles": {"a": 1}}, ".roles"),
        ({"roles": ["ok", " end"]}, ".roles.1"),
    ]

    async with unchanged(database):
        for patch, path in [*both, *of_users]:
            reply = await api(USER, as_=root, input={"user": {"id": ann.node}, "patch": patch})
            assert problems(reply) == {f"INVALID_INPUT input.patch{path}"}
        for patch, path in both:
            reply = await api(RESOURCE, as_=root, input={"resource": {"id": reef.node}, "patch": patch})
            assert problems(reply) == {f"INVALID_INPUT input.patch{path}"}


async def test_what_changes_nothing_writes_nothing(api: Api, make: Make, database: db.Database) -> None:
    root, ann = await make.admin(), await make.user("ann", "user", details={"a": {"b": 1}})
    reef = await make.resource(await make.org(), details={"a": {"b": 1}})

    async with unchanged(database):
        patches: list[dict[str, Any]] = [{}, {"a": {}}, {"a": {"b": 1, "c": None}}, {"d": None}]
        for patch in patches:
            assert codes(await api(USER, as_=root, input={"user": {"id": ann.node}, "patch": patch})) == []
            fields = {"resource": {"id": reef.node}, "patch": patch}
            assert codes(await api(RESOURCE, as_=root, input=fields)) == []


async def test_patches_sent_at_once_are_all_kept(api: Api, make: Make) -> None:
    root, ann = await make.admin(), await make.user("ann", "user")
    reef = await make.resource(await make.org())
    patches = [{f"k{at}": at} for at in range(6)]

    of_user = [api(USER, as_=root, input={"user": {"id": ann.node}, "patch": patch}) for patch in patches]
    of_reef = [api(RESOURCE, as_=root, input={"resource": {"id": reef.node}, "patch": patch}) for patch in patches]
    replies = await asyncio.gather(*of_user, *of_reef)

    assert [codes(reply) for reply in replies] == [[]] * 12
    query = (
        "query ($ids: [ID!]!) { nodes(ids: $ids) { ... on User { details: metadata } ... on Resource { metadata } } }"
    )
    nodes = (await api(query, as_=root, ids=[ann.node, reef.node]))["data"]["nodes"]
    assert [value for node in nodes for value in node.values()] == [{f"k{at}": at for at in range(6)}] * 2


async def test_hidden_locked_and_more_powerful_objects_stay(api: Api, make: Make, database: db.Database) -> None:
    clerk, boss, bea = await make.holder(Permission.USERS_MANAGE), await make.admin("boss"), await make.user("bea")
    org = await make.org()
    hidden, read, locked = [await make.resource(org, general=mask) for mask in (0, resource_roles.METADATA_READ, 0)]
    await make.grant(locked, bea, resource_roles.METADATA_WRITE)
    await make.locked(locked)

    async with unchanged(database):
        assert codes(await api(USER, as_=clerk, input={"user": {"id": boss.node}, "patch": {"a": 1}})) == ["FORBIDDEN"]
        for resource, code in ((hidden, "NOT_FOUND"), (read, "FORBIDDEN"), (locked, "LOCKED")):
            reply = await api(RESOURCE, as_=bea, input={"resource": {"id": resource.node}, "patch": {"a": 1}})
            assert codes(reply) == [code]


async def test_rest_patches_the_metadata_of_a_user(api: Api, rest: Rest, make: Make) -> None:
    root, _ = await make.admin(), await make.user("ann", "user", details={"a": 1, "b": {"c": 1}})

    reply = await rest("PATCH", "/users/Ann/meta", root, content=b'{"a": null, "b": {"d": 2}}', headers=MERGE)

    assert (reply.status_code, reply.content) == (200, b"")
    assert (await rest("PATCH", "/users/ann/meta", root, json={"e": None})).status_code == 200
    assert (await rest("GET", "/users/ann/meta", root)).json() == {"b": {"c": 1, "d": 2}}


async def test_rest_refuses_other_bodies(rest: Rest, make: Make, database: db.Database) -> None:
    root, ann = await make.admin(), await make.user("ann", "user")
    patch = {"content-type": "application/json-patch+json"}
    cases = [
        (b"{}", patch, 415),
        (b"[]", MERGE, 400),
        (b'{"roles": 1}', MERGE, 400),
        (b"{", MERGE, 400),
        (b"", {}, 400),
    ]

    async with unchanged(database):
        for content, headers, status in cases:
            reply = await rest("PATCH", "/users/ann/meta", root, content=content, headers=headers)
            assert reply.status_code == status, content
        refused = await rest("PATCH", "/users/ann/meta", ann, content=b"{}", headers=MERGE)
        assert refused.status_code == 403
