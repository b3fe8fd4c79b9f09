"""Print the existing objects for the GraphQL hooks: scripts/fuzzing/world.py ADDRESS TOKEN prints JSON."""

import json
import os
import sys
from typing import Any

import httpx

from app.services.demo import names as demo_names

SPARE = "spare"
"""A second administrator. Mutations that end the session of the asker run as this user."""

QUESTION = """{
    viewer { user { id } }
    users(first: 100) { edges { cursor node { id userName } } }
    orgs(first: 100) { edges { cursor node { id slug } } }
    groups(first: 100) { edges { cursor node { id slug } } }
    roles(first: 100) { edges { cursor node { id name } } }
    resources(first: 100, orderBy: [{field: CREATED_AT, direction: DESC}]) {
        edges { cursor node { id slug org { slug } } }
    }
    resourceTypes(first: 100) { edges { cursor node { id name } } }
    auditEvents(first: 100) { edges { cursor node { id action } } }
    apiTokens(first: 100) { edges { cursor node { id name } } }
}"""
LISTS = {
    "users": ("User", "userName"),
    "orgs": ("Org", "slug"),
    "groups": ("Group", "slug"),
    "roles": ("Role", "name"),
    "resources": ("Resource", "slug"),
    "resourceTypes": ("ResourceType", "name"),
    "auditEvents": ("AuditEvent", "action"),
    "apiTokens": ("ApiToken", "name"),
}
MAKE = """mutation($spare: String!, $password: String!) {
    createUser(input: {userName: $spare, password: $password, roles: ["admin"]}) { user { id } errors { message } }
    createApiToken(input: {name: "kept", permissions: [USERS_VIEW]}) { errors { message } }
    createRole(input: {name: "loose"}) { errors { message } }
    createOrg(input: {slug: "fuzz", name: "Fuzz"}) { errors { message } }
}"""
RESOURCE = """mutation($org: OrgBy!, $slug: String!) {
    createResource(input: {org: $org, slug: $slug, name: $slug, type: "DATASET"}) { resource { id } }
}"""
TICKETS = """mutation($resource: ResourceBy!) {
    beginUpload(input: {resource: $resource, sizeBytes: 1000}) { ticket { id } }
    beginDownload(input: {resource: $resource}) { ticket { id } }
}"""
OWN = 10
"""Number of created resources on which the asker has every role."""

FEW = 15
"""Number of named objects of a type: with more, the fuzzer would hardly ever name two that are related."""


def execute(client: httpx.Client, query: str, **variables: Any) -> Any:
    """Return the data of a response."""
    reply = client.post("/graphql", json={"query": query, "variables": variables}).raise_for_status().json()
    if "errors" in reply:
        sys.exit(f"the world cannot be read: {reply['errors']}")
    return reply["data"]


def world(client: httpx.Client) -> dict[str, Any]:
    """Return ids, names and cursors by type, paths of resources, valid passwords, and protected accounts."""
    created = execute(client, MAKE, spare=SPARE, password=os.environ["FUZZ_PASSWORD"])
    if any(payload["errors"] for payload in created.values()):
        sys.exit(f"the world cannot be created: {created}")
    own, tickets = _own(client)
    existing = execute(client, QUESTION)
    ours = {
        os.environ["FUZZ_ADMINISTRATOR"]: existing["viewer"]["user"]["id"],
        SPARE: created["createUser"]["user"]["id"],
    }
    ids, names = {"Ticket": tickets}, {}
    for field, (kind, name) in LISTS.items():
        nodes = [edge["node"] for edge in existing[field]["edges"] if edge["node"][name] not in ours]
        few = [node for node in nodes if node["id"] in own] + nodes[:FEW]
        ids[kind] = [node["id"] for node in few]
        names[kind] = [node[name] for node in few]
    resources = [edge["node"] for edge in existing["resources"]["edges"]]
    return {
        "ids": ids,
        "names": names,
        "paths": [(node["org"]["slug"], node["slug"]) for node in resources if node["id"] in ids["Resource"]],
        "cursors": {kind: [edge["cursor"] for edge in existing[field]["edges"]] for field, (kind, _) in LISTS.items()},
        "passwords": [os.environ["FUZZ_PASSWORD"], demo_names.PASSWORD],
        "ours": ours,
    }


def _own(client: httpx.Client) -> tuple[list[str], list[str]]:
    """Return new resources of the asker, and tickets for them."""
    own, tickets = [], []
    for at in range(OWN):
        created = execute(client, RESOURCE, org={"slug": "fuzz"}, slug=f"own-{at}")
        resource_id = created["createResource"]["resource"]["id"]
        begun = execute(client, TICKETS, resource={"id": resource_id})
        own.append(resource_id)
        tickets += [payload["ticket"]["id"] for payload in begun.values()]
    return own, tickets


def main() -> None:
    """Print the world as JSON."""
    address, token = sys.argv[1:]
    with httpx.Client(base_url=address, headers={"authorization": f"Bearer {token}"}, trust_env=False) as client:
        print(json.dumps(world(client)))


main()
