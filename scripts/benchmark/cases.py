"""The requests of the benchmark, their users, and checks of the first answers."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import cycle
from random import Random
from typing import Any

from app.domain import refs
from scripts.benchmark import world
from scripts.benchmark.load import MOST, Connection, Refused, answer, get, graphql
from scripts.benchmark.world import GROUPS_OF, NAMES, PASSWORD, World, group_slug

PAGE = 20
DEEP = 100
VARIED = 500
"""Different requests of a case that varies."""

CHECKS = 1_000
BATCHES = 50
"""Batches of checks of the case with a writer."""

USERS = 50
RESOURCES = 100

BASELINE = "baseline: GET /health/live"

LOGIN = """mutation ($name: String!, $password: String!) {
  login(input: {userName: $name, password: $password}) { session { token } errors { message } } }"""
NOTHING = "{ __typename }"
RESOURCES_PAGE = """query ($after: String) {
  resources(first: 20, after: $after) { nodes { id name type { name } } pageInfo { hasNextPage endCursor } } }"""
NESTED_USERS = """{ users(first: 50) { nodes { userName roles { name }
  orgs { edges { level node { slug name } } } groups { nodes { slug displayName } } } } }"""
NESTED_RESOURCES = """{ resources(first: 100) { nodes { name type { name } viewerAccess { effectiveRoles }
  org { slug name } access { groups { group { displayName } roles } } } } }"""
CHECK = """query ($user: ID!, $resource: ID!, $role: ResourceRole!) {
  checkAccess(user: {id: $user}, resource: {id: $resource}, role: $role) }"""
BATCH = """query ($users: [ID!]!, $resources: [ID!]!, $roles: [ResourceRole!]!) {
  checkAccessBatch(users: $users, resources: $resources, roles: $roles) }"""
GRANT = """mutation ($input: GrantAccessInput!) {
  grantAccess(input: $input) { resource { id } errors { message } } }"""

ROLES = ("METADATA_READ", "METADATA_WRITE", "DATASET_DATA_READ", "ADMIN")


@dataclass(frozen=True, slots=True)
class Case:
    """Requests that cost the same. `holds` judges the first answer, and a writer sends those `beside` as commits."""

    name: str
    requests: list[bytes]
    holds: Callable[[Any], bool] | None = None
    beside: Iterator[bytes] | None = None

    async def prove(self, connection: Connection) -> None:
        """Send the first request and compare the answer; raises Refused."""
        if self.holds is not None:
            data = await answer(connection, self.requests[0])
            if not self.holds(data):
                raise Refused(f"{self.name}: not the answer that was expected: {str(data)[:500]}")


class Asking:
    """Builder of the cases for one world behind one connection."""

    def __init__(self, bench_world: World, connection: Connection) -> None:
        self._world = bench_world
        self._connection = connection
        self._chance = Random(bench_world.spec.seed)
        self._tokens: dict[int, str] = {}

    async def cases(self) -> list[Case]:
        """Return every case, the baseline first."""
        for user, name in NAMES.items():
            data = await answer(self._connection, login(name))
            self._tokens[user] = data["login"]["session"]["token"]
        first = [self._page(user, number) for user, number in GROUPS_OF.items()]
        deep = [await self._deep_page(user, number) for user, number in GROUPS_OF.items()]
        return [
            Case(BASELINE, [get("/health/live")]),
            Case("the empty query", [graphql(NOTHING, None, self._tokens[world.TWENTY])], bool),
            *(each for pair in zip(first, deep, strict=True) for each in pair),
            self._nested("50 users with roles, orgs, groups: administrator", "users", NESTED_USERS, world.ADMIN, USERS),
            self._nested("100 resources with access: administrator", "resources", NESTED_RESOURCES, world.ADMIN),
            self._nested("100 resources with access: in 20 groups", "resources", NESTED_RESOURCES, world.TWENTY),
            *self._check(),
            *self._checks(),
            self._page_with_writer(),
            self._grant(),
            Case("login", [login(NAMES[world.ONE])], lambda data: bool(data["login"]["session"]["token"])),
        ]

    def token(self, user: int) -> str:
        """Return the token of a user of the cases, after `cases` has run."""
        return self._tokens[user]

    def _ask(self, user: int, query: str, /, **variables: Any) -> bytes:
        return graphql(query, variables, self._tokens[user])

    # --- pages

    def _page(self, user: int, groups: int) -> Case:
        name = f"page of resources: in {groups} group{'s' * (groups > 1)}, first"
        return Case(name, [self._ask(user, RESOURCES_PAGE)], lambda data: _is_page(data, self._maximum(PAGE)))

    def _page_with_writer(self) -> Case:
        """Return a page that is asked for while a writer commits, so that nothing of an earlier answer is left."""
        groups = GROUPS_OF[world.TWENTY]
        page = self._page(world.TWENTY, groups)
        return replace(page, name=f"resources in {groups} groups, with a writer", beside=cycle(self._grants()))

    async def _deep_page(self, user: int, groups: int) -> Case:
        """Return the hundredth page, or the last full one of a small world."""
        cursor, at, seen = None, 1, set[str]()
        while at < DEEP:
            page = (await answer(self._connection, self._ask(user, RESOURCES_PAGE, after=cursor)))["resources"]
            here = {node["id"] for node in page["nodes"]}
            if here & seen or len(here) < len(page["nodes"]):
                raise Refused(f"page {at} has a row for the second time")
            seen |= here
            if not page["pageInfo"]["hasNextPage"]:
                break
            cursor, at = page["pageInfo"]["endCursor"], at + 1
        name = f"page of resources: in {groups} group{'s' * (groups > 1)}, {_ordinal(at)}"
        request = self._ask(user, RESOURCES_PAGE, after=cursor)
        return Case(name, [request], lambda data: _is_page(data, PAGE if at == DEEP else 1))

    def _nested(self, name: str, field: str, query: str, user: int, number: int = RESOURCES) -> Case:
        maximum = self._maximum(number, self._world.spec.users) if field == "users" else self._maximum(number)
        return Case(name, [self._ask(user, query)], lambda data: len(data[field]["nodes"]) == maximum)

    def _maximum(self, number: int, there: int | None = None) -> int:
        """Return this number of rows, or fewer in a small world; all users see more than half of the resources."""
        return min(number, self._world.spec.resources // 2 if there is None else there)

    # --- checks

    def _resource(self) -> int:
        return self._chance.randint(1, self._world.spec.all_resources)

    def _triple(self) -> tuple[int, int, str]:
        user = self._chance.randint(world.FIRST_ORDINARY, self._world.spec.users)
        return user, self._resource(), self._chance.choice(ROLES)

    def _check(self) -> list[Case]:
        """Return checks that do not repeat while they are measured, and one that does, whose result is cached."""
        proof = self._resource()
        triples = [(world.STRANGER, proof, ROLES[0]), *(self._triple() for _ in range(MOST))]
        requests = [
            self._ask(world.ADMIN, CHECK, user=_user(user), resource=_resource(key), role=role)
            for user, key, role in triples
        ]

        def holds(data: Any) -> bool:
            return bool(data["checkAccess"] is self._world.is_general(proof))

        return [Case("one check", requests, holds), Case("the same check again", requests[:1], holds)]

    def _checks(self) -> list[Case]:
        """Return a batch that repeats, and batches that repeat while a writer commits changes of other users."""
        request, holds = self._batch()
        fresh = [self._batch() for _ in range(BATCHES)]
        return [
            Case("1,000 checks in one request", [request], holds),
            Case("1,000 checks, with a writer", [each for each, _ in fresh], fresh[0][1], cycle(self._grants())),
        ]

    def _batch(self) -> tuple[bytes, Callable[[Any], bool]]:
        """Return a batch of checks; each tenth is about the stranger, with an answer that the world tells."""
        triples = [
            (world.STRANGER, self._resource(), ROLES[0]) if at % 10 == 0 else self._triple() for at in range(CHECKS)
        ]
        users, resources, roles = zip(*triples, strict=True)
        columns = {"users": list(map(_user, users)), "resources": list(map(_resource, resources)), "roles": list(roles)}
        expected = [self._world.is_general(resource) for resource in resources[::10]]

        def holds(data: Any) -> bool:
            checks = data["checkAccessBatch"]
            return len(checks) == CHECKS and checks[::10] == expected

        return self._ask(world.ADMIN, BATCH, **columns), holds

    # --- changes

    def _grant(self) -> Case:
        return Case("grantAccess", self._grants(), lambda data: bool(data["grantAccess"]["resource"]))

    def _grants(self) -> list[bytes]:
        """Return grants that change something each time they are sent: two masks take turns at each pair."""
        pairs = [
            (self._resource(), group_slug(self._chance.randint(1, self._world.spec.groups))) for _ in range(VARIED // 2)
        ]
        return [self._grant_request(pair, ROLES[:number]) for number in (1, 2) for pair in pairs]

    def _grant_request(self, pair: tuple[int, str], roles: Sequence[str]) -> bytes:
        resource, group = pair
        values = {"resource": {"id": _resource(resource)}, "subject": {"group": {"slug": group}}, "roles": list(roles)}
        return self._ask(world.ADMIN, GRANT, input=values)


def login(name: str) -> bytes:
    """Return a request to sign in."""
    return graphql(LOGIN, {"name": name, "password": PASSWORD})


def _user(key: int) -> str:
    return refs.encode("User", key)


def _resource(key: int) -> str:
    return refs.encode("Resource", key)


def _is_page(data: Any, number: int) -> bool:
    return number <= len(data["resources"]["nodes"]) <= PAGE


def _ordinal(number: int) -> str:
    return f"{number}th" if number == DEEP else f"last ({number})"
