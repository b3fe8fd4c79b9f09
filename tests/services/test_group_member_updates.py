"""Claims about changes of a group membership; `test_giving.py` has those about managers with an end."""

import asyncio
from datetime import timedelta
from typing import Any

from app import db
from tests.support.changes import answered, change, problems, unchanged
from tests.support.client import Api, codes
from tests.support.factories import Entity, Make, Person
from tests.support.logged import logged

UPDATE = change("updateGroupMember", "group { slug members { edges { expiresAt isManager } } } user { userName }")
END, LATER = "2100-01-01T00:00:00.000000Z", "2200-01-01T00:00:00.000000Z"


async def _update(api: Api, as_: Person, group: Entity, who: str, **fields: Any) -> dict[str, Any]:
    return await api(UPDATE, as_=as_, input={"group": {"slug": group.slug}, "user": {"userName": who}, **fields})


async def test_the_end_and_the_right_to_manage_change_alone_or_together(api: Api, make: Make) -> None:
    root, ann = await make.admin(), await make.user("ann")
    group = await make.group("crew", ann)
    cases: list[tuple[dict[str, Any], tuple[str | None, bool]]] = [
        ({}, (None, False)),
        ({"expiresAt": END}, (END, False)),
        ({"isManager": True, "expiresAt": None, "clear": None}, (END, True)),
        ({"expiresAt": LATER, "isManager": False, "clear": []}, (LATER, False)),
        ({"clear": ["EXPIRES_AT", "EXPIRES_AT"], "isManager": True}, (None, True)),
    ]

    for fields, expected in cases:
        payload = answered(await _update(api, root, group, "ANN", **fields), "updateGroupMember")
        (member,) = payload["group"]["members"]["edges"]
        assert (member["expiresAt"], member["isManager"]) == expected, fields
        assert payload["user"] == {"userName": "ann"}


async def test_what_is_refused_changes_nothing(api: Api, make: Make, database: db.Database) -> None:
    root, ann, bob = await make.admin(), await make.user("ann"), await make.user("bob")
    group = await make.group("crew", ann)
    await make.group_member(group, bob, expires_at=database.clock() - timedelta(seconds=1))

    async with unchanged(database):
        for who in ("bob", "ghost", "root"):
            reply = await _update(api, root, group, who, isManager=True)
            assert problems(reply) == {"NOT_FOUND input.user"}
        for fields in ({"expiresAt": "2020-01-01T00:00:00Z"}, {"expiresAt": END, "clear": ["EXPIRES_AT"]}):
            assert problems(await _update(api, root, group, "ann", **fields)) == {"INVALID_INPUT input.expiresAt"}
        assert codes(await _update(api, ann, group, "ann", isManager=True)) == ["FORBIDDEN"]
        assert codes(await _update(api, root, group, "ann", isManager=True, validateOnly=True)) == []
        no_changes: list[dict[str, Any]] = [{}, {"isManager": False}, {"clear": ["EXPIRES_AT"]}]
        for unchanging in no_changes:
            assert codes(await _update(api, root, group, "ann", **unchanging)) == []


async def test_a_strangers_refusal_tells_nothing_about_members(api: Api, make: Make) -> None:
    stranger, ann = await make.user(), await make.user("ann")
    group = await make.group("crew", ann)

    refusals = [await _update(api, stranger, group, who, isManager=True) for who in ("ann", "ghost")]

    assert refusals[0] == refusals[1]
    assert codes(refusals[0]) == ["FORBIDDEN"]


async def test_access_through_the_group_follows_the_new_end(api: Api, make: Make, database: db.Database) -> None:
    root, ann, now = await make.admin(), await make.user("ann"), database.clock()
    group = await make.group("crew", ann)
    reef = await make.resource(await make.org(), general=0)
    await make.grant(reef, group)
    query = "query ($id: ID!) { node(id: $id) { id } }"

    async def sees(hours: int) -> bool:
        database.clock = lambda: now + timedelta(hours=hours)
        node = (await api(query, as_=ann, id=reef.node))["data"]["node"]
        database.clock = lambda: now
        return node is not None

    assert await sees(2)
    end = (now + timedelta(hours=1)).isoformat()
    answered(await _update(api, root, group, "ann", expiresAt=end), "updateGroupMember")
    assert [await sees(hours) for hours in (0, 2)] == [True, False]
    answered(await _update(api, root, group, "ann", clear=["EXPIRES_AT"]), "updateGroupMember")
    assert await sees(2)


async def test_two_changes_at_once_both_hold(api: Api, make: Make) -> None:
    root, ann = await make.admin(), await make.user("ann")
    group = await make.group("crew", ann)

    changes: list[dict[str, Any]] = [{"expiresAt": END}, {"isManager": True}]
    replies = await asyncio.gather(*(_update(api, root, group, "ann", **fields) for fields in changes))

    assert [codes(reply) for reply in replies] == [[], []]
    payload = answered(await _update(api, root, group, "ann"), "updateGroupMember")
    assert payload["group"]["members"]["edges"] == [{"expiresAt": END, "isManager": True}]


async def test_the_event_names_what_changed(api: Api, make: Make, database: db.Database) -> None:
    root, ann = await make.admin(), await make.user("ann")
    group = await make.group("crew", ann)

    async with logged(database) as since:
        await _update(api, root, group, "ann", expiresAt=END)

    assert since.one.kinds == ["Group", "User"]
    before, after = since.one.changes["Group crew"]
    assert before == {"members": {"ann": {"isManager": False, "expiresAt": None}}}
    assert after == {"members": {"ann": {"isManager": False, "expiresAt": END}}}
