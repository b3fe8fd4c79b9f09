"""Calls of every operation of the REST API: good ones in an order that works, and bad ones for each of them."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx

from tests.support.client import Api
from tests.support.factories import PASSWORD, Make, Person

Described = dict[str, Any]

NEW_PASSWORD = "a wholly new password"


@dataclass(frozen=True, slots=True)
class Good:
    """A call that succeeds. `words` replaces some of `WORDS` in the path. A body is sent as JSON."""

    operation: str
    asker: str = "root"
    body: Any = None
    words: dict[str, str] = field(default_factory=dict)
    query: dict[str, str] = field(default_factory=dict)


WORDS = {"userName": "Ann", "orgSlug": "reef", "dsSlug": "corals", "roleName": "divers"}
NEW_ORG = {"orgSlug": "lagoon"}

_TO_LAGOON = {"sourceOrgSlug": "reef", "destinationOrgSlug": "lagoon", "conflictResolution": "Rename"}

GOOD = [
    Good("authenticate", "nobody", {"username": "ann", "password": PASSWORD}),
    Good("refreshToken", "ann"),
    Good("changePassword", "cyd", {"oldPassword": PASSWORD, "newPassword": NEW_PASSWORD}),
    Good("resetPassword", body={"newPassword": NEW_PASSWORD}, words={"userName": "cyd"}),
    Good("createUser", body={"userName": "Dora", "password": NEW_PASSWORD, "email": "d@example.com", "roles": None}),
    Good("listUsers"),
    Good("listDetailedUsers"),
    Good("updateUser", body={"email": "ann@example.com", "roles": ["user"]}),
    Good("listRoles", "ann"),
    Good("createRole", body={"roleName": "divers"}),
    Good("deleteRole"),
    Good("replaceUserMetadata", body={"maxStorageMB": 1.5, "anything": [None]}),
    Good("patchUserMetadata", body={"maxStorageMB": 2, "anything": None}),
    Good("getOwnMetadata", "ann"),
    Good("getUserMetadata"),
    Good("getOwnStorage", "ann"),
    Good("getUserStorage"),
    Good("createOrg", "ann", {"slug": "lagoon", "name": "Lagoon", "isPublic": True}),
    Good("updateOrg", "ann", {"description": "Blue."}),
    Good("listOrgs", "ann", query={"includePublic": "true"}),
    Good("listPublicOrgs", "nobody"),
    Good("getOrg", "nobody", words=NEW_ORG),
    Good("addMember", body={"userName": "cyd", "permissions": "Admin"}),
    Good("updateMember", body={"permissions": 2}, words={"userName": "cyd"}),
    Good("listMembers", "ann"),
    Good("removeMember", words={"userName": "cyd"}),
    Good("addUserToOrg", body={"orgSlug": "reef", "permissions": None}, words={"userName": "cyd"}),
    Good("updateUserInOrg", body={"permissions": "3"}, words={"userName": "cyd"}),
    Good("listUserOrgs", words={"userName": "cyd"}),
    Good("removeUserFromOrg", words={"userName": "cyd"}),
    Good("setUserOrgs", body={"orgSlugs": ["lagoon"]}, words={"userName": "cyd"}),
    Good("createDataset", "ann", {"slug": "tides", "visibility": "Public"}, words=NEW_ORG),
    Good("updateDataset", "ann", {"name": "Corals"}),
    Good("listDatasets", "nobody", words=NEW_ORG),
    Good("getDatasetEntry", "ann"),
    Good("getDataset", "ann"),
    Good("setDatasetMeta", "ann", {"key": "tagline", "data": '"What grows."'}),
    Good("setDatasetAttributes", "ann", {"attrs": '{"public": false}'}),
    Good("renameDataset", "ann", {"slug": "corals"}),
    Good("moveDatasets", body=_TO_LAGOON | {"datasetSlugs": ["corals"]}),
    Good("deleteDataset", "ann", words=NEW_ORG),
    Good("mergeOrganizations", body=_TO_LAGOON | {"deleteSourceOrganization": False}),
    Good("deleteOrg", "ann"),
    Good("deleteUser", words={"userName": "cyd"}, query={"successor": "root", "conflictResolution": "1"}),
    Good("deleteNamedUser", body={"userName": "dora"}),
    Good("isUserManagementEnabled", "nobody"),
    Good("getMemberManagement", "nobody"),
    Good("getFeatures", "nobody"),
    Good("getVersion", "nobody"),
    Good("getVersionInJson", "ann"),
]


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation of a description."""

    method: str
    path: str
    description: Described

    def at(self, words: dict[str, str]) -> str:
        """Return the path with these words in it."""
        return self.path.format(**{**WORDS, **words})

    def fields(self) -> list[str]:
        """Return the names of the fields of a JSON body."""
        content = self.description.get("requestBody", {}).get("content", {})
        return list(content.get("application/json", {}).get("schema", {}).get("properties", {}))


def operations(document: Described) -> dict[str, Operation]:
    """Return the operations of a description, by their names."""
    return {
        description["operationId"]: Operation(method, path, description)
        for path, methods in document["paths"].items()
        for method, description in methods.items()
    }


class Askers:
    """The users who send the calls: an administrator, the owner of an org, a user without roles, and anonymous."""

    def __init__(self, client: httpx.AsyncClient, api: Api, people: dict[str, Person]) -> None:
        self._client = client
        self._tokens = {name: api.token(person) for name, person in people.items()}

    @classmethod
    async def create(cls, client: httpx.AsyncClient, api: Api, make: Make) -> "Askers":
        """Create the users, and the rows that the good calls need."""
        people = {"root": await make.admin(), "ann": await make.user("Ann", "user")}
        people |= {"cyd": await make.user("cyd", "user"), "eve": await make.user("eve", password_hash=None)}
        await make.resource(await make.org("reef", people["ann"]), slug="corals", owner=people["ann"])
        return cls(client, api, people)

    async def good(self, operation: Operation, call: Good) -> list[httpx.Response]:
        """Send a good call, the same call again, and before them the call of users without rights."""
        path, body = operation.at(call.words), {} if call.body is None else {"json": call.body}
        askers = [*sorted({"eve", "nobody"} - {call.asker}), call.asker, call.asker]
        *strangers, reply, again = [
            await self._ask(operation.method, path, headers=self._bearer(asker), params=call.query, **body)
            for asker in askers
        ]
        return [reply, again, *strangers]

    async def bad(self, operation: Operation) -> list[httpx.Response]:
        """Send the bad calls as several users."""
        return [
            await self._ask(operation.method, path, headers=who | headers, **body)
            for who in self._headers()
            for path, headers, body in _bad_calls(operation)
        ]

    def _headers(self) -> Iterator[dict[str, str]]:
        yield from (self._bearer(name) for name in ("nobody", "eve", "root"))
        yield {"authorization": "Bearer garbage"}
        yield {"cookie": f"jwtToken={self._tokens['root']}"}

    def _bearer(self, name: str) -> dict[str, str]:
        return {} if name == "nobody" else {"authorization": f"Bearer {self._tokens[name]}"}

    async def _ask(self, method: str, path: str, **body: Any) -> httpx.Response:
        self._client.cookies.clear()
        return await self._client.request(method, path, **body)


_VALUES = {"isPublic": True, "permissions": 1, "roles": ["user"], "orgSlugs": ["nowhere"], "datasetSlugs": ["x"]}
"""Valid values of fields that are not texts, for calls that name missing objects."""


def _bad_calls(operation: Operation) -> Iterator[tuple[str, dict[str, str], dict[str, Any]]]:
    """Return path, headers and body of calls that name missing objects or have an invalid form."""
    nowhere = operation.at(dict.fromkeys(WORDS, "nowhere"))
    fields = operation.fields()
    yield nowhere, {}, {}
    yield nowhere, {}, {"json": {name: _VALUES.get(name, "nowhere") for name in fields}}
    yield f"{nowhere}?x=%ff", {}, {}
    yield nowhere, {}, {"params": [(name, "?") for name in _queried(operation) for _ in range(2)]}
    if "{" in operation.path:
        yield operation.at(dict.fromkeys(WORDS, "%ff")), {}, {}
    if "requestBody" in operation.description:
        yield nowhere, {}, {"json": []}
        yield nowhere, {}, {"json": {name: {"a": [1]} for name in fields}}
        yield nowhere, {}, {"json": dict.fromkeys(fields)}
        yield nowhere, {}, {"data": dict.fromkeys(fields, "nowhere")}
        yield nowhere, {"content-type": "text/plain"}, {"content": b"?"}
        yield nowhere, {"content-length": "99999999"}, {"content": b"?"}


def _queried(operation: Operation) -> list[str]:
    return [each["name"] for each in operation.description.get("parameters", []) if each["in"] == "query"]
