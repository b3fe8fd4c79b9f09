"""Claims about the names of actors: each is recorded as it was then, and stays when the account is gone."""

from typing import Any

import pytest
from sqlmodel import SQLModel

from app import db
from app.db import tables
from app.domain.resource_roles import MemberLevel
from app.domain.viewer import Permission
from tests.support.changes import answered, change
from tests.support.client import Api
from tests.support.factories import Make, Person
from tests.support.rest_client import Rest

ORG_MEMBERS = """query ($of: ID!) { node(id: $of) { ... on Org {
  members { edges { addedByName addedBy { userName } } }
} } }"""
GROUP_MEMBERS = """query ($of: ID!) { node(id: $of) { ... on Group {
  members { edges { addedByName addedBy { userName } } }
} } }"""
LOCKS = """query ($of: ID!) { node(id: $of) { ... on Resource {
  lock { lockedByName lockedBy { userName } } lockHistory { nodes { actorName actor { userName } } }
} } }"""


def test_every_column_that_points_at_who_did_something_has_the_name_beside_it() -> None:
    """Such a column is emptied when the account goes. Owners are no such thing: what they owned is nobody's then."""
    actor_columns = {
        (table.name, column.name): {each.name for each in table.columns}
        for table in SQLModel.metadata.sorted_tables
        for column in table.columns
        for key in column.foreign_keys
        if key.target_fullname == "users.id" and key.ondelete == "SET NULL" and column.name != "owner_id"
    }

    assert {name: f"{name[1].removesuffix('_id')}_name" in columns for name, columns in actor_columns.items()} == {
        ("org_members", "granted_by"): True,
        ("group_members", "added_by"): True,
        ("locks", "user_id"): True,
        ("lock_events", "user_id"): True,
    }


async def fetch_node(api: Api, as_: Person, query: str, of: str) -> Any:
    return (await api(query, as_=as_, of=of))["data"]["node"]


async def test_the_name_of_the_granter_stays_and_viewers_who_cannot_see_the_user_read_it(
    api: Api, rest: Rest, make: Make
) -> None:
    boss = await make.holder(Permission.ORGS_MANAGE | Permission.GROUPS_MANAGE, "Boss")
    owner, ann, root = await make.user("owner"), await make.user("ann"), await make.admin()
    org, group = await make.org("sea", owner), await make.group("divers", owner)
    fields: dict[str, Any] = {"org": {"id": org.node}, "user": {"userName": "ann"}}
    answered(await api(change("addOrgMember"), as_=boss, input=fields), "addOrgMember")
    fields = {"group": {"id": group.node}, "members": [{"user": {"userName": "ann"}}]}
    answered(await api(change("addGroupMembers"), as_=boss, input=fields), "addGroupMembers")
    by_group = [{"addedByName": "Boss", "addedBy": None}, {"addedByName": None, "addedBy": None}]

    for delete in (False, True):
        if delete:
            answered(await api(change("deleteUser"), as_=root, input={"user": {"id": boss.node}}), "deleteUser")
        for asker in (owner, ann):
            members = (await fetch_node(api, asker, ORG_MEMBERS, org.node))["members"]
            assert members["edges"] == [{"addedByName": "Boss", "addedBy": None}]
            assert (await fetch_node(api, asker, GROUP_MEMBERS, group.node))["members"]["edges"] == by_group
        listed = (await rest("GET", "/orgs/sea/members", as_=owner)).json()
        assert [each["grantedBy"] for each in listed] == ["Boss"]


@pytest.mark.parametrize("name", ["updateOrgMember", "transferOrg"])
async def test_a_membership_that_is_granted_again_names_the_granter(api: Api, make: Make, name: str) -> None:
    boss, owner, ann = (
        await make.holder(Permission.ORGS_MANAGE, "Boss"),
        await make.user("owner"),
        await make.user("ann"),
    )
    org = await make.org("sea", owner)
    if name == "updateOrgMember":
        await make.member(org, ann, MemberLevel.READ_ONLY)
        fields: dict[str, Any] = {"user": {"userName": "ann"}, "level": "ADMIN"}
    else:
        fields = {"owner": {"userName": "ann"}}

    answered(await api(change(name), as_=boss, input={"org": {"id": org.node}, **fields}), name)

    edges = (await fetch_node(api, boss, ORG_MEMBERS, org.node))["members"]["edges"]
    assert [each["addedByName"] for each in edges] == ["Boss"]


async def test_who_locked_and_unlocked_stays_in_the_history(api: Api, make: Make, database: db.Database) -> None:
    boss, reader, root = await make.holder(Permission.RESOURCES_MANAGE, "Boss"), await make.user(), await make.admin()
    reef = await make.resource(await make.org())
    fields = {"resource": {"id": reef.node}, "reason": "Because."}
    for name in ("lockResource", "unlockResource", "lockResource"):
        answered(await api(change(name), as_=boss, input=fields), name)
    user: Any = {"userName": "Boss"}

    for delete in (False, True):
        if delete:
            answered(await api(change("deleteUser"), as_=root, input={"user": {"id": boss.node}}), "deleteUser")
            user = None
        node = await fetch_node(api, reader, LOCKS, reef.node)
        assert node["lock"] == {"lockedByName": "Boss", "lockedBy": user}
        assert node["lockHistory"]["nodes"] == [{"actorName": "Boss", "actor": user}] * 3


async def test_members_read_who_added_the_members_that_everybody_sees(api: Api, make: Make) -> None:
    boss, eve, ann = await make.holder(Permission.GROUPS_MANAGE, "Boss"), await make.user(), await make.user("ann")
    observer = await make.holder(Permission.GROUPS_VIEW)
    group = await make.group("choir", members_seen_by=tables.MembersSeenBy.SIGNED_IN.value)
    fields = {"group": {"id": group.node}, "members": [{"user": {"userName": "ann"}}]}
    answered(await api(change("addGroupMembers"), as_=boss, input=fields), "addGroupMembers")

    async def named(asker: Person) -> Any:
        edges = (await fetch_node(api, asker, GROUP_MEMBERS, group.node))["members"]["edges"]
        return [each["addedByName"] for each in edges]

    assert await named(eve) == [None]
    assert await named(ann) == await named(observer) == ["Boss"]
