"""Questions about a registry, the same for the same seed, and the answers of a server to them."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any

import httpx

from app.domain import refs
from scripts.benchmark.world import NAMES, PASSWORD, Spec, group_slug
from tests.support.server import Server, graphql

ROLES = ("METADATA_READ", "METADATA_WRITE", "DATASET_DATA_READ", "DATASET_DATA_WRITE", "ADMIN")
AT_ONCE = 4
NEW = 'mutation { createApiToken(input: {name: "trial"}) { token errors { message } } }'

CHECK = """query ($user: ID!, $resource: ID!, $role: ResourceRole!) {
  checkAccess(user: {id: $user}, resource: {id: $resource}, role: $role)
  explainAccess(user: {id: $user}, resource: {id: $resource}) { kind }
  explainDenial(user: {id: $user}, resource: {id: $resource}, role: $role) { cause kind }
}"""
BATCH = """query ($users: [ID!]!, $resources: [ID!]!, $roles: [ResourceRole!]!) {
  checkAccessBatch(users: $users, resources: $resources, roles: $roles)
}"""
RESOURCE = """query ($id: ID!) {
  node(id: $id) { ... on Resource {
    id slug name metadata sizeBytes createdAt updatedAt type { name } org { id slug name }
    owner { id userName } viewerAccess { effectiveRoles } lock { reason createdAt }
    access { general { roles } groups { group { id slug } roles expiresAt } users { user { id userName } roles } }
  } }
}"""
PAGE = """query ($word: String!, $direction: OrderDirection!) {
  resources(first: 20, filter: {name: {contains: $word}}, orderBy: [{field: NAME, direction: $direction}]) {
    totalCount nodes { id name viewerAccess { effectiveRoles } } pageInfo { hasNextPage endCursor }
  }
}"""
GROUP = """query ($slug: String!) {
  group(by: {slug: $slug}) { id displayName members(first: 30) { totalCount nodes { id userName } } }
}"""
USER = """query ($id: ID!) {
  node(id: $id) { ... on User {
    id userName email createdAt roles { id name } orgs { edges { level node { id slug } } } groups { nodes { id } }
  } }
}"""
AUDIT = (
    "{ auditEvents(first: 50) { totalCount nodes { id action actorName createdAt changes { nodes { objectId } } } } }"
)


@dataclass(frozen=True, slots=True)
class Question:
    """A GraphQL query with its variables, and the place of the token with which it is asked."""

    query: str
    variables: dict[str, Any]
    token: int


@dataclass(frozen=True, slots=True)
class Answer:
    """The status, the data, and the errors with their paths, whose order is nobody's promise."""

    status: int
    data: Any
    errors: list[Any]


class _Subjects:
    """Draws what the questions are about."""

    def __init__(self, spec: Spec, seed: int) -> None:
        self.spec, self.chance = spec, Random(seed)

    def user(self) -> str:
        return refs.encode("User", self.chance.randint(1, self.spec.users))

    def resource(self) -> str:
        return refs.encode("Resource", self.chance.randint(1, self.spec.resources))

    def role(self) -> str:
        return self.chance.choice(ROLES)


_Draw = Callable[[_Subjects], tuple[str, dict[str, Any]]]


def _batch(draw: _Subjects) -> tuple[str, dict[str, Any]]:
    triples = [(draw.user(), draw.resource(), draw.role()) for _ in range(50)]
    users, resources, roles = map(list, zip(*triples, strict=True))
    return BATCH, {"users": users, "resources": resources, "roles": roles}


_KINDS: tuple[_Draw, ...] = (
    lambda draw: (CHECK, {"user": draw.user(), "resource": draw.resource(), "role": draw.role()}),
    _batch,
    lambda draw: (RESOURCE, {"id": draw.resource()}),
    lambda draw: (
        PAGE,
        {"word": str(draw.chance.randint(1, 99)), "direction": draw.chance.choice(("ASC", "DESC"))},
    ),
    lambda draw: (GROUP, {"slug": group_slug(draw.chance.randint(1, draw.spec.groups))}),
    lambda draw: (USER, {"id": draw.user()}),
    lambda _: (AUDIT, {}),
)


def questions(spec: Spec, number: int, tokens: int, seed: int = 19) -> list[Question]:
    """Return this number of questions of all kinds; each of the tokens asks some of each kind."""
    draw = _Subjects(spec, seed)
    made = []
    for at in range(number):
        query, variables = _KINDS[at % len(_KINDS)](draw)
        made.append(Question(query, variables, (at // len(_KINDS)) % tokens))
    return made


async def sign_in(server: Server) -> list[str | None]:
    """Return a session token and an API token of each viewer of the world, and None for an anonymous request."""
    tokens: list[str | None] = [None]
    for name in NAMES.values():
        session = await server.token(name, PASSWORD)
        async with server.client(session) as client:
            reply = await graphql(client, NEW)
        tokens += [session, reply["data"]["createApiToken"]["token"]]
    return tokens


async def answers(server: Server, asked: Sequence[Question], tokens: Sequence[str | None]) -> list[Answer]:
    """Return the answers of a server."""
    turns = asyncio.Semaphore(AT_ONCE)

    async def answer(client: httpx.AsyncClient, question: Question) -> Answer:
        token = tokens[question.token]
        headers = {} if token is None else {"authorization": f"Bearer {token}"}
        async with turns:
            body = {"query": question.query, "variables": question.variables}
            reply = await client.post("/graphql", json=body, headers=headers)
        content = reply.json()
        errors = sorted((str(each.get("path")), each["message"]) for each in content.get("errors", ()))
        return Answer(reply.status_code, content.get("data"), errors)

    async with server.client() as client:
        return await asyncio.gather(*(answer(client, each) for each in asked))
