"""Claims about reading the audit log: who may read which events."""

import re
from datetime import timedelta
from typing import Any

import pytest

from app import db
from app.domain import refs, resource_roles
from app.domain.viewer import ALL_PERMISSIONS, Permission
from tests.support.changes import answered, change
from tests.support.client import Api, codes
from tests.support.factories import Entity, Make, Person

LOG = """query ($filter: AuditEventFilter, $first: Int, $after: String, $order: [AuditEventOrder!]) {
  auditEvents(filter: $filter, first: $first, after: $after, orderBy: $order) {
    totalCount pageInfo { endCursor hasNextPage }
    nodes { id createdAt action actorName actor { userName } channel address requestId changes {
      totalCount nodes { objectType objectId objectName before after }
    } }
  }
}"""
OF_RESOURCE = """query ($id: ID!) { resource(by: {id: $id}) { auditEvents {
  totalCount
  edges { before after node {
    id createdAt action actorName actor { userName } channel address changes { totalCount }
  } }
} } }"""
NODE = "query ($id: ID!) { node(id: $id) { ... on AuditEvent { action changes { totalCount } } } }"


async def _change(api: Api, as_: Person, name: str, /, **data: Any) -> None:
    answered(await api(change(name), as_=as_, input=data), name)


async def _log(api: Api, as_: Person | None, **variables: Any) -> Any:
    reply = await api(LOG, as_=as_, **variables)
    assert "errors" not in reply, reply
    return reply["data"]["auditEvents"]


async def _actions(api: Api, as_: Person, **conditions: Any) -> list[str]:
    """Return the actions of the events that match a filter, newest first."""
    return [event["action"] for event in (await _log(api, as_, filter=conditions))["nodes"]]


async def _of(api: Api, as_: Person | None, resource: Entity) -> Any:
    """Return the page of a resource's events that a user can read."""
    resource_data = (await api(OF_RESOURCE, as_=as_, id=resource.node))["data"]["resource"]
    return resource_data and resource_data["auditEvents"]


async def test_the_whole_log_is_for_those_who_hold_the_permission_alone(api: Api, make: Make) -> None:
    root, auditor = await make.admin(), await make.holder(Permission.AUDIT_VIEW)
    others = [None, await make.user(), await make.holder(ALL_PERMISSIONS & ~Permission.AUDIT_VIEW)]
    await _change(api, root, "createRole", name="pilots")

    log = await _log(api, auditor)

    assert [await _log(api, other) for other in others] == [None] * 3
    (event,) = log["nodes"]
    role = {"name": "pilots", "description": "", "permissions": []}
    assert event.pop("createdAt").endswith("Z")
    assert re.fullmatch("[0-9a-f]{16}", event.pop("requestId"))
    assert event.pop("changes") == {
        "totalCount": 1,
        "nodes": [
            {
                "objectType": "ROLE",
                "objectId": refs.encode("Role", 6),
                "objectName": "pilots",
                "before": None,
                "after": role,
            }
        ],
    }
    assert event == {
        "id": refs.encode("AuditEvent", 1),
        "action": "createRole",
        "actorName": "root",
        "actor": {"userName": "root"},
        "channel": "GRAPHQL",
        "address": "127.0.0.1",
    }


async def test_it_is_narrowed_by_who_did_what_to_what_and_when(api: Api, make: Make, database: db.Database) -> None:
    root, ann = await make.admin(), await make.holder(ALL_PERMISSIONS, "ann")
    began = database.clock()
    for hour, (who, name) in enumerate([(root, "createRole"), (ann, "createGroup"), (ann, "createRole")]):
        database.clock = lambda hour=hour: began + timedelta(hours=hour)  # type: ignore[misc]  # bound for this turn
        data = {"slug": "divers", "displayName": "Divers"} if name == "createGroup" else {"name": f"role{hour}"}
        await _change(api, who, name, **data)
    await _change(api, root, "deleteGroup", group={"slug": "divers"})

    assert await _actions(api, root) == ["deleteGroup", "createRole", "createGroup", "createRole"]
    assert await _actions(api, root, actorName={"eq": "ANN"}) == ["createRole", "createGroup"]
    assert await _actions(api, root, action={"startsWith": "create"}, actorName={"eq": "root"}) == ["createRole"]
    assert await _actions(api, root, objectId=refs.encode("Group", 1)) == ["deleteGroup", "createGroup"]
    assert await _actions(api, root, objectId=refs.encode("Group", 2)) == []
    an_hour = (began + timedelta(hours=1)).isoformat()
    assert await _actions(api, root, createdAt={"lt": an_hour}) == ["createRole"]
    assert await _actions(api, root, createdAt={"gte": an_hour}, action={"in": ["createGroup"]}) == ["createGroup"]
    assert await _actions(api, root, **{"not": {"actorName": {"eq": "root"}}}) == ["createRole", "createGroup"]


async def test_pages_follow_one_another_without_a_gap(api: Api, make: Make) -> None:
    root = await make.admin()
    for at in range(7):
        await _change(api, root, "createRole", name=f"role{at}")

    names: list[str] = []
    page: Any = {"pageInfo": {"hasNextPage": True, "endCursor": None}}
    while page["pageInfo"]["hasNextPage"]:
        page = await _log(api, root, first=3, after=page["pageInfo"]["endCursor"])
        assert page["totalCount"] == 7
        names += [node["changes"]["nodes"][0]["objectName"] for node in page["nodes"]]
    oldest = await _log(api, root, first=1, order=[{"field": "CREATED_AT", "direction": "ASC"}])

    assert names == [f"role{at}" for at in reversed(range(7))]
    assert oldest["nodes"][0]["changes"]["nodes"][0]["objectName"] == "role0"


@pytest.fixture
async def reef(make: Make) -> Entity:
    """A dataset in a private org."""
    return await make.resource(await make.org("reef"), slug="corals", name="Corals")


async def test_who_administers_a_resource_reads_what_was_done_to_it_and_no_more(
    api: Api, make: Make, reef: Entity
) -> None:
    root, ann, bob = await make.admin(), await make.user("ann"), await make.user("bob")
    await make.grant(reef, ann, resource_roles.ADMIN)
    await make.grant(reef, bob, resource_roles.METADATA_WRITE)
    batch = [{"resource": {"id": reef.node}, "subject": {"user": {"userName": "bob"}}, "roles": []}]
    other = await make.resource(await make.org("air"), slug="winds")
    batch.append({**batch[0], "resource": {"id": other.node}})

    await _change(api, root, "grantAccessBatch", grants=batch)
    await _change(api, root, "updateResource", resource={"id": other.node}, name="Other")
    await _change(api, ann, "updateResource", resource={"id": reef.node}, name="Reef")
    for_ann, for_root = await _of(api, ann, reef), await _of(api, root, reef)

    assert [await _of(api, asker, reef) for asker in (None, bob)] == [None, None]
    assert await _of(api, ann, other) is None
    write, nothing = ({"roles": roles, "expiresAt": None} for roles in (["METADATA_WRITE"], []))
    assert for_ann["totalCount"] == 2
    assert [(edge["before"], edge["after"]) for edge in for_ann["edges"]] == [
        ({"name": "Corals"}, {"name": "Reef"}),
        ({"access": {"user:bob": write}}, {"access": {"user:bob": nothing}}),
    ]
    assert [edge["node"]["actorName"] for edge in for_ann["edges"]] == ["ann", "root"]
    assert [edge["node"]["actor"]["userName"] for edge in for_ann["edges"]] == ["ann", "root"]
    assert {(edge["node"]["address"], edge["node"]["changes"]) for edge in for_ann["edges"]} == {(None, None)}
    assert [edge["node"]["changes"]["totalCount"] for edge in for_root["edges"]] == [1, 3]


async def test_an_event_is_found_again_by_those_who_saw_it(api: Api, make: Make, reef: Entity) -> None:
    root, ann, bob = await make.admin(), await make.user("ann"), await make.user("bob")
    await make.grant(reef, ann, resource_roles.ADMIN)
    await make.grant(reef, bob, resource_roles.METADATA_WRITE)
    await _change(api, root, "updateResource", resource={"id": reef.node}, name="Reef")
    (edge,) = (await _of(api, ann, reef))["edges"]

    async def read_event(asker: Person | None) -> Any:
        return (await api(NODE, as_=asker, id=edge["node"]["id"]))["data"]["node"]

    assert await read_event(root) == {"action": "updateResource", "changes": {"totalCount": 1}}
    assert await read_event(ann) == {"action": "updateResource", "changes": None}
    assert [await read_event(asker) for asker in (bob, None)] == [None, None]


async def test_an_org_that_the_viewer_does_not_see_is_absent_from_events_of_a_resource(
    api: Api, make: Make, reef: Entity
) -> None:
    """Neither the old org nor the new one is shown."""
    root, ann = await make.admin(), await make.user("ann")
    await make.grant(reef, ann, resource_roles.ADMIN)
    hush = await make.org("hush", name="hush")

    await _change(api, root, "transferResource", resource={"id": reef.node}, org={"slug": "hush"})
    await _change(api, root, "transferResource", resource={"id": reef.node}, org={"slug": "reef"})
    reply = await api.post(OF_RESOURCE, as_=ann, id=reef.node)
    log = await _log(api, root, filter={"objectId": hush.node})

    assert len(reply.json()["data"]["resource"]["auditEvents"]["edges"]) == 2
    assert "hush" not in reply.text
    assert hush.node not in reply.text
    moved = {"resources": {"corals": reef.node}}
    changes_of_org = [
        node for event in log["nodes"] for node in event["changes"]["nodes"] if node["objectName"] == "hush"
    ]
    assert [(each["before"], each["after"]) for each in changes_of_org] == [
        (moved, {"resources": {}}),
        ({"resources": {}}, moved),
    ]


async def test_private_changes_of_a_user_are_visible_only_to_readers_of_the_entire_log(
    api: Api, make: Make, reef: Entity
) -> None:
    root, ann = await make.admin(), await make.user("ann")
    bob = await make.user("bob", email="private@b.example", details={"private": 1})
    await make.grant(reef, ann, resource_roles.ADMIN)
    await make.grant(reef, bob)

    await _change(api, root, "deleteUser", user={"id": bob.node})
    reply = await api.post(OF_RESOURCE, as_=ann, id=reef.node)

    (edge,) = reply.json()["data"]["resource"]["auditEvents"]["edges"]
    assert edge["after"] == {"access": {}}
    assert "private" not in reply.text
    assert "private" in str(await _log(api, root))


async def test_events_of_a_deleted_user_remain(api: Api, make: Make) -> None:
    root, ann = await make.admin(), await make.holder(ALL_PERMISSIONS, "ann")
    await _change(api, ann, "createRole", name="pilots")
    await _change(api, root, "deleteUser", user={"id": ann.node})

    first = (await _log(api, root, filter={"actorName": {"eq": "ann"}}))["nodes"]

    assert [(event["actorName"], event["actor"], event["action"]) for event in first] == [("ann", None, "createRole")]


async def test_nobody_is_told_of_as_nobody(api: Api, make: Make, reef: Entity) -> None:
    ticket = await make.ticket(reef, await make.user("ann"), 7)

    assert codes(await api(change("cancelUpload"), input={"ticket": ticket})) == []
    log = (await _log(api, await make.admin()))["nodes"]

    assert [(event["actorName"], event["actor"], event["action"]) for event in log] == [(None, None, "cancelUpload")]


async def test_reading_costs_the_same_for_one_event_and_for_many(api: Api, make: Make, reef: Entity) -> None:
    root = await make.admin()
    cost = []
    for at in range(6):
        await _change(api, root, "updateResource", resource={"id": reef.node}, name=f"Reef {at}")
        cost.append([await api.statements(LOG, as_=root), await api.statements(OF_RESOURCE, as_=root, id=reef.node)])

    assert [cost[0]] * 6 == cost


async def test_an_event_about_an_api_token_names_it_and_tells_nothing_of_it(api: Api, make: Make) -> None:
    root = await make.admin()
    created = await api('mutation { createApiToken(input: {name: "ci"}) { token errors { code } } }', as_=root)
    log = "{ auditEvents(first: 1) { nodes { action changes { nodes { objectType objectName after } } } } }"

    reply = await api(log, as_=root)

    event = reply["data"]["auditEvents"]["nodes"][0]
    token = created["data"]["createApiToken"]["token"]
    assert (event["action"], [each["objectType"] for each in event["changes"]["nodes"]]) == (
        "createApiToken",
        ["API_TOKEN"],
    )
    assert event["changes"]["nodes"][0]["objectName"] == "ci"
    assert token not in str(reply)
