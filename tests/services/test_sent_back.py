"""Whatever was read is accepted again: in generated worlds, every object is sent back, and nothing is written."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given

from app import db
from app.domain import resource_roles
from app.domain.viewer import Permission
from tests.oracle.generated import generated
from tests.oracle.worlds import World, worlds
from tests.support.changes import answered, change, problems, unchanged
from tests.support.client import Api, codes
from tests.support.factories import Make, Person

Values = dict[str, Any]

GRANT = "roles expiresAt isExpired"
ACCESS = f"""access {{ revision general {{ {GRANT} }} anyone {{ {GRANT} }}
  groups {{ group {{ id }} {GRANT} }} users {{ user {{ id userName }} {GRANT} }} }}"""
ADMINISTERED = f"{{ resources(first: 100, filter: {{viewerRole: ADMIN}}) {{ nodes {{ id {ACCESS} }} }} }}"
USERS = "{ users(first: 100) { nodes { id revision email metadata roles { name } } } }"
ROLES = "{ roles(first: 100) { nodes { id revision name description permissions } } }"
MEMBERS = "members(first: 100) { edges { %s node { id } } }"
ORGS = f"{{ orgs(first: 100) {{ nodes {{ id revision name description isPublic {MEMBERS % 'level expiresAt'} }} }} }}"
GROUPS = (
    "{ groups(first: 100) { nodes { id revision displayName description membersSeenBy "
    f"{MEMBERS % 'isManager expiresAt'} }} }} }}"
)
RESOURCES = "{ resources(first: 100) { nodes { id revision name description metadata lock { reason } } } }"


def _pick(node: Values, *names: str) -> Values:
    return {"ifRevision": node["revision"], **{name: node[name] for name in names}}


def _users(node: Values) -> Iterator[tuple[str, Values]]:
    user, roles = {"user": {"id": node["id"]}}, [role["name"] for role in node["roles"]]
    yield "updateUser", {**user, **_pick(node, "email"), "roles": roles, "clear": None}
    yield "assignRoles", {**user, **_pick(node), "roles": roles}
    yield "setUserMetadata", {**user, **_pick(node, "metadata")}


def _roles(node: Values) -> Iterator[tuple[str, Values]]:
    yield "updateRole", {"role": {"id": node["id"]}, **_pick(node, "name", "description", "permissions")}


def _orgs(node: Values) -> Iterator[tuple[str, Values]]:
    org = {"org": {"id": node["id"]}}
    yield "updateOrg", {**org, **_pick(node, "name", "description", "isPublic")}
    for edge in node["members"]["edges"]:
        facts = {name: edge[name] for name in ("level", "expiresAt")}
        yield "updateOrgMember", {**org, "user": {"id": edge["node"]["id"]}, **facts}


def _groups(node: Values) -> Iterator[tuple[str, Values]]:
    group = {"group": {"id": node["id"]}}
    yield "updateGroup", {**group, **_pick(node, "displayName", "description", "membersSeenBy")}
    for edge in node["members"]["edges"]:
        yield "setGroupManager", {**group, "user": {"id": edge["node"]["id"]}, "isManager": edge["isManager"]}


def _resources(node: Values) -> Iterator[tuple[str, Values]]:
    if node["lock"] is None:
        yield "updateResource", {"resource": {"id": node["id"]}, **_pick(node, "name", "description", "metadata")}


READS: Mapping[str, Callable[[Values], Iterator[tuple[str, Values]]]] = {
    USERS: _users,
    ROLES: _roles,
    ORGS: _orgs,
    GROUPS: _groups,
    RESOURCES: _resources,
}


def configuration(node: Values) -> Values:
    """Return an access configuration as read, as the input of `submitAccess`."""
    access = node["access"]
    groups = [{"group": {"id": each["group"]["id"]}, **_grant(each)} for each in access["groups"]]
    users = [{"user": {"id": each["user"]["id"]}, **_grant(each)} for each in access["users"]]
    wildcards = {name: _grant(access[name]) for name in ("general", "anyone") if access[name]}
    wanted = {"resource": {"id": node["id"]}, "revision": access["revision"]}
    return {**wanted, **wildcards, "groups": groups, "users": users}


def _grant(entry: Values) -> Values:
    return {"roles": entry["roles"], "expiresAt": entry["expiresAt"]}


async def _nodes(api: Api, query: str, as_: Person) -> Sequence[Values]:
    ((value),) = (await api(query, as_=as_))["data"].values()
    nodes: Sequence[Values] = value["nodes"]
    return nodes


PREVIEW = (
    "query ($input: SubmitAccessInput!) { previewAccess(input: $input) { errors { code path } changes { kind } } }"
)


async def _send_back(api: Api, world: World) -> int:
    """Send everything back that the administrator reads, and each configuration that a viewer administers."""
    admin, number = world.viewers["admin"], 0
    assert isinstance(admin, Person)
    for query, inputs in READS.items():
        for node in await _nodes(api, query, admin):
            for name, data in inputs(node):
                assert codes(reply := await api(change(name), as_=admin, input=data)) == [], (name, data, reply)
                number += 1
    for kind, viewer in world.viewers.items():
        if isinstance(viewer, Person) and kind != "gone":
            for node in await _nodes(api, ADMINISTERED, viewer):
                data = configuration(node)
                reply = await api(change("submitAccess"), as_=viewer, input=data)
                assert codes(reply) == [], (kind, data, reply)
                preview = (await api(PREVIEW, as_=viewer, input=data))["data"]["previewAccess"]
                assert preview == {"errors": [], "changes": []}
                number += 1
    return number


@generated(4)
@given(world=worlds())
async def test_what_was_read_is_accepted_again_and_changes_nothing(
    api: Api, database: db.Database, world: World
) -> None:
    await world.write(database)

    async with unchanged(database):
        assert await _send_back(api, world) > 50


async def test_a_configuration_with_ended_entries_is_submitted_and_previewed_as_it_is(
    api: Api, make: Make, database: db.Database
) -> None:
    ann, bob, group = await make.user("ann"), await make.user("bob"), await make.group("divers")
    reef = await make.resource(await make.org(), owner=ann)
    ended = make.app.database.clock() - timedelta(microseconds=1)
    await make.grant(reef, bob, resource_roles.ADMIN, expires_at=ended)
    await make.grant(reef, group, resource_roles.ADMIN, expires_at=ended)
    await make.grant(reef, None, resource_roles.METADATA_READ, expires_at=ended)

    (node,) = await _nodes(api, ADMINISTERED, ann)
    data, access = configuration(node), node["access"]

    assert [each["isExpired"] for each in (access["general"], access["anyone"])] == [False, True]
    assert [each["isExpired"] for each in (*access["groups"], *access["users"])] == [True, True]
    async with unchanged(database):
        assert codes(await api(change("submitAccess"), as_=ann, input=data)) == []
        assert (await api(PREVIEW, as_=ann, input=data))["data"]["previewAccess"] == {"errors": [], "changes": []}
        for end in (ended - timedelta(seconds=1), datetime(2020, 1, 1, tzinfo=UTC)):
            other = {**data, "users": [{**data["users"][0], "expiresAt": end.isoformat()}]}
            reply = await api(change("submitAccess"), as_=ann, input=other)
            assert problems(reply) == {"INVALID_INPUT input.users.0.expiresAt"}


async def test_an_administrator_sends_back_users_whom_they_know_from_the_configuration_alone(
    api: Api, make: Make, database: db.Database
) -> None:
    ann, bob, other = await make.user("ann"), await make.user("bob"), await make.user("other")
    reef = await make.resource(await make.org(), owner=ann)
    await make.grant(reef, bob)

    (node,) = await _nodes(api, ADMINISTERED, ann)

    async with unchanged(database):
        assert codes(await api(change("submitAccess"), as_=ann, input=configuration(node))) == []
        unknown = {**configuration(node), "users": [{"user": {"id": other.node}, "roles": []}]}
        assert problems(await api(change("submitAccess"), as_=ann, input=unknown)) == {"NOT_FOUND input.users.0.user"}


async def test_a_grant_says_when_and_by_whom_it_was_given(api: Api, make: Make) -> None:
    boss, ann = await make.holder(Permission.RESOURCES_MANAGE, "Boss"), await make.user("ann")
    bob, root = await make.user("bob"), await make.admin()
    reef = await make.resource(await make.org(), owner=ann)
    shown = """query ($id: ID!) { node(id: $id) { ... on Resource { access {
      users { user { userName } grantedAt grantedByName grantedBy { userName } } general { grantedAt grantedByName }
    } } } }"""

    async def read(as_: Person) -> Any:
        return (await api(shown, as_=as_, id=reef.node))["data"]["node"]["access"]

    subject = {"user": {"userName": bob.user_name}}
    entry = {"resource": {"id": reef.node}, "subject": subject, "roles": ["METADATA_READ"]}
    answered(await api(change("grantAccess"), as_=boss, input=entry), "grantAccess")
    first = (await read(boss))["users"][0]
    assert (first["grantedByName"], first["grantedBy"]) == ("Boss", {"userName": "Boss"})
    assert (await read(ann))["users"] == [{**first, "grantedBy": None}]
    assert (await read(ann))["general"] == {"grantedAt": None, "grantedByName": None}

    answered(await api(change("grantAccess"), as_=ann, input=entry), "grantAccess")
    assert (await read(boss))["users"] == [first]
    answered(await api(change("deleteUser"), as_=root, input={"user": {"id": boss.node}}), "deleteUser")
    assert (await read(root))["users"] == [{**first, "grantedBy": None}]
    answered(await api(change("grantAccess"), as_=ann, input={**entry, "roles": ["ADMIN"]}), "grantAccess")
    last = (await read(ann))["users"][0]
    assert (last["grantedByName"], last["grantedBy"]) == ("ann", {"userName": "ann"})
    assert last["grantedAt"] > first["grantedAt"]
