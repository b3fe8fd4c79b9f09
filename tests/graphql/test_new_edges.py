"""Claims about edges in payloads: a new item is the edge that its list has, so that a cache can append it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pytest
from graphql import build_schema, get_named_type, is_object_type

from app.graphql import schema
from tests.support.client import Api
from tests.support.factories import Make, Person

SDL: Any = build_schema(schema.sdl())
FACTS = {"OrgMemberEdge": "level addedByName addedBy { userName }", "GroupMemberEdge": "isManager addedByName"}
"""Fields of the edges that are facts about the relation."""


@dataclass(frozen=True)
class Case:
    """A mutation with an edge: its input with `{at}` for a number, where the edge is, and the list with its node."""

    mutation: str
    fields: Mapping[str, Any]
    edge: str
    listing: str
    node: str = "id"
    in_results: bool = False

    @property
    def kind(self) -> str:
        payload = get_named_type(SDL.mutation_type.fields[self.mutation].type)
        owner = get_named_type(payload.fields["results"].type) if self.in_results else payload
        return str(get_named_type(owner.fields[self.edge].type))

    @property
    def change(self) -> str:
        edge = f"{self.edge} {{ cursor {FACTS.get(self.kind, '')} node {{ {self.node} }} }}"
        shown = f"results {{ {edge} }}" if self.in_results else edge
        name = f"{self.mutation[0].upper()}{self.mutation[1:]}Input"
        return f"mutation ($input: {name}!) {{ {self.mutation}(input: $input) {{ {shown} errors {{ message }} }} }}"

    @property
    def question(self) -> str:
        page = f"edges {{ cursor {FACTS.get(self.kind, '')} node {{ {self.node} }} }}"
        of, _, name = self.listing.rpartition(" ")
        return f"{{ {of} {{ {name}(first: 100) {{ {page} }} }} }}" if of else f"{{ {name}(first: 100) {{ {page} }} }}"

    @property
    def next_page(self) -> str:
        of, _, name = self.listing.rpartition(" ")
        text = f"{name}(first: 100, after: $after) {{ nodes {{ id }} }}"
        return f"query ($after: String!) {{ {of + ' { ' + text + ' }' if of else text} }}"


ORG, GROUP = {"slug": "sea"}, {"slug": "divers"}
CASES = [
    Case("createUser", {"userName": "ann{at}"}, "userEdge", "users", "id userName"),
    Case("createUsers", {"users": [{"userName": "bea{at}"}]}, "userEdge", "users", in_results=True),
    Case("createServiceAccount", {"userName": "robot{at}"}, "userEdge", "users"),
    Case("createRole", {"name": "Role {at}"}, "roleEdge", "roles", "id permissions"),
    Case("createOrg", {"slug": "org{at}", "name": "Örg {at}"}, "orgEdge", "orgs", "id slug owner { userName }"),
    Case("createGroup", {"slug": "group{at}", "displayName": "Älte {at}"}, "groupEdge", "groups", "id memberCount"),
    Case(
        "createResource",
        {"org": ORG, "type": "DATASET", "slug": "reef{at}", "name": "Reef {at}"},
        "resourceEdge",
        "resources",
        "id type { name label } viewerCan { delete } owner { userName }",
    ),
    Case("createOrgs", {"orgs": [{"slug": "orgs{at}", "name": "Orgs {at}"}]}, "orgEdge", "orgs", in_results=True),
    Case(
        "createGroups",
        {"groups": [{"slug": "groups{at}", "displayName": "Groups {at}"}]},
        "groupEdge",
        "groups",
        in_results=True,
    ),
    Case(
        "createResources",
        {"resources": [{"org": ORG, "type": "DATASET", "slug": "reefs{at}", "name": "Reefs {at}"}]},
        "resourceEdge",
        "resources",
        in_results=True,
    ),
    Case(
        "addOrgMembers",
        {"org": ORG, "members": [{"user": {"userName": "person{at}"}, "level": "READ_ONLY"}]},
        "memberEdge",
        'org(by: {slug: "sea"}) members',
        in_results=True,
    ),
    Case("createResourceType", {"name": "TYPE_{at}", "hasData": True}, "resourceTypeEdge", "resourceTypes", "id name"),
    Case("createApiToken", {"name": "Token {at}"}, "apiTokenEdge", "apiTokens", "id name"),
    Case(
        "addOrgMember",
        {"org": ORG, "user": {"userName": "person{at}"}, "level": "READ_ONLY"},
        "memberEdge",
        'org(by: {slug: "sea"}) members',
        "id userName",
    ),
    Case(
        "updateOrgMember",
        {"org": ORG, "user": {"userName": "member{at}"}, "level": "READ_ONLY"},
        "memberEdge",
        'org(by: {slug: "sea"}) members',
    ),
    Case(
        "addGroupMembers",
        {"group": GROUP, "members": [{"user": {"userName": "person{at}"}}]},
        "memberEdge",
        'group(by: {slug: "divers"}) members',
        in_results=True,
    ),
    Case(
        "updateGroupMember",
        {"group": GROUP, "user": {"userName": "member{at}"}, "expiresAt": "2999-01-01T00:00:00Z"},
        "memberEdge",
        'group(by: {slug: "divers"}) members',
    ),
    Case(
        "setGroupManager",
        {"group": GROUP, "user": {"userName": "member{at}"}, "isManager": True},
        "memberEdge",
        'group(by: {slug: "divers"}) members',
    ),
]


def test_every_payload_that_creates_or_adds_something_has_an_edge() -> None:
    """A mutation is named after what it does; a test of its edge is in the table above."""
    new = {name for name in SDL.mutation_type.fields if name.startswith(("create", "add"))}
    cases = {case.mutation for case in CASES}

    assert new - cases == set(WITHOUT_EDGE)
    assert {name for name in SDL.mutation_type.fields if _has_edge(name) and not name.startswith("remove")} == cases


WITHOUT_EDGE: Mapping[str, str] = {"addRoles": "the roles of a user are a list without edges"}
"""Mutations that create or add what is in no list, each with its reason."""


def _has_edge(name: str) -> bool:
    payload = get_named_type(SDL.mutation_type.fields[name].type)
    types = [payload, *(get_named_type(field.type) for key, field in payload.fields.items() if key == "results")]
    fields = [field for kind in types if is_object_type(kind) for field in kind.fields.values()]
    return any(get_named_type(field.type).name.endswith("Edge") for field in fields)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.mutation)
async def test_the_edge_of_a_new_item_is_the_one_in_its_list(api: Api, make: Make, case: Case) -> None:
    """By both executors: a text that is new is answered by the reference executor, one that is known by a plan."""
    root = await _peopled(make)
    executors = []
    for at in (1, 2, 3):
        response = await api.post_with_stats(case.change, root, input=_filled(case.fields, at))
        tried = await api(case.change, as_=root, input=_filled(case.fields, at + 3) | {"validateOnly": True})
        executors.append(response.headers["ostiary-executor"].partition(";")[0])
        edge, reply = _edge(case, response.json()), await api(case.question, as_=root)
        listed = _connection(case, reply)["edges"]

        assert [each for each in listed if each["cursor"] == edge["cursor"]] == [edge]
        assert case.mutation in KEEPING or _edge(case, tried) is None
        after = _connection(case, await api(case.next_page, as_=root, after=edge["cursor"]))["nodes"]
        assert [node["id"] for node in after] == [each["node"]["id"] for each in listed[1 + listed.index(edge) :]]
    assert executors == ["reference", *["reference" if case.in_results else "compiled"] * 2]


KEEPING = ("updateOrgMember", "updateGroupMember", "setGroupManager")
"""Mutations whose item is in the list before."""


async def _peopled(make: Make) -> Person:
    root = await make.admin()
    people = [await make.user(f"member{at}") for at in range(1, 7)]
    await make.group("divers", *people)
    org = await make.org("sea", owner=root)
    for at, person in enumerate(people):
        await make.user(f"person{at + 1}")
        await make.member(org, person)
    return root


def _filled(fields: Any, at: int) -> Any:
    if isinstance(fields, Mapping):
        return {name: _filled(value, at) for name, value in fields.items()}
    if isinstance(fields, list):
        return [_filled(value, at) for value in fields]
    return fields.format(at=at) if isinstance(fields, str) else fields


def _edge(case: Case, reply: dict[str, Any]) -> Any:
    payload = reply["data"][case.mutation]
    assert payload["errors"] == []
    owners = payload["results"] if case.in_results else [payload]
    return owners[0][case.edge] if owners else None


def _connection(case: Case, reply: dict[str, Any]) -> Any:
    assert "errors" not in reply, reply
    of, _, name = case.listing.rpartition(" ")
    return reply["data"][of.partition("(")[0]][name] if of else reply["data"][name]


async def test_every_removal_tells_the_id_of_what_is_gone(api: Api, make: Make) -> None:
    """Relay's `@deleteEdge` takes an id, or a list of them, from the payload."""
    removing = [name for name in SDL.mutation_type.fields if name.startswith(("delete", "remove"))]
    removing.remove("removeRoles")  # the roles of a user are a list without edges
    payloads = {name: get_named_type(SDL.mutation_type.fields[name].type).fields for name in removing}
    fields = {
        name: each | (get_named_type(each["results"].type).fields if "results" in each else {})
        for name, each in payloads.items()
    }
    told = {
        name: [key for key, each in known.items() if str(get_named_type(each.type)) == "ID"]
        for name, known in fields.items()
    }
    assert [name for name, keys in told.items() if not keys] == []

    root = await _peopled(make)
    member = {"userName": "member1"}
    reply = await api(
        """mutation ($org: RemoveOrgMemberInput!, $group: RemoveGroupMembersInput!) {
          a: removeOrgMember(input: $org) { removedUserId user { id } }
          b: removeGroupMembers(input: $group) { removedUserIds results { memberEdge { cursor } user { id } } } }""",
        as_=root,
        org={"org": ORG, "user": member},
        group={"group": GROUP, "members": [member]},
    )
    user = reply["data"]["a"]["user"]
    assert reply["data"] == {
        "a": {"removedUserId": user["id"], "user": user},
        "b": {"removedUserIds": [user["id"]], "results": [{"memberEdge": None, "user": user}]},
    }
