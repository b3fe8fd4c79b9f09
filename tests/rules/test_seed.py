"""The guide of the documented API, taken at its word: each of its calls in its order, and what it prints."""

import json
import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import httpx
import pytest

from app import main
from app.config import Settings
from tests.support import seed
from tests.support.client import MOMENT
from tests.support.factories import PASSWORD, Make, stored_person
from tests.support.rest_client import Rest

pytestmark = pytest.mark.usefixtures("from_this_machine")

ADMIN = {"username": "admin", "password": "password"}
HER: dict[str, Any] = {
    "userName": "username",
    "password": "currentPassword",
    "email": "username@example.com",
    "roles": ["user"],
}
ALPHA = {"name": "Project Alpha", "description": "Main project organization", "isPublic": True}

BEFORE: Mapping[str, list[tuple[str, dict[str, Any]]]] = {
    "Basic User List": [
        ("DELETE /users/newuser", {}),
        ("POST /users", HER | {"userName": "user1", "email": "user1@example.com"}),
        ("POST /orgs", {"slug": "default-org", "name": "Default"}),
        ("POST /orgs", {"slug": "project-a", "name": "A", "owner": "user1"}),
        ("POST /orgs", {"slug": "project-b", "name": "B", "owner": "user1"}),
    ],
    "Detailed User List": [
        ("DELETE /orgs/project-b", {}),
        ("POST /users/user1/meta", {"maxStorageMB": 10240}),
    ],
    "Updating Users": [("POST /users", HER), ("POST /users/roles", {"roleName": "editor"})],
    "Deleting Users": [("POST /orgs", {"slug": "left-behind", "name": "Hers", "owner": "username"})],
    "Changing Own Password": [("POST /users", HER)],
    "Creating a Role": [("DELETE /users/roles/editor", {})],
    "Listing Roles": [("POST /users/roles", {"roleName": "viewer"})],
    "Deleting a Role": [("POST /users/roles", {"roleName": "rolename"})],
    "View User's Organizations": [
        ("POST /orgs", {"slug": "project-alpha", **ALPHA}),
        ("POST /users/username/orgs", {"orgSlug": "project-alpha"}),
    ],
    "Assign Organizations to User": [("POST /orgs", {"slug": "project-beta", "name": "Project Beta"})],
    "Viewing Storage Usage: Current User": [("POST /orgs", {"slug": "her-own", "name": "Hers", "owner": "username"})],
}
"""What a call of the guide needs and the guide leaves unsaid; the administrator does it."""

STORED_IN = {"Detailed User List": "project-a", "Viewing Storage Usage: Current User": "her-own"}
"""The orgs in which five datasets of a GiB each are stored before a call."""

AFTER: Mapping[str, tuple[str, Any]] = {
    "Updating Users": ("/users/username", {"email": "newemail@example.com", "roles": ["user", "editor"]}),
    "Deleting Users": ("/orgs/left-behind", {"owner": None}),
    "Assigning Roles to Users": ("/users/username", {"email": "user@example.com", "roles": ["user", "editor"]}),
    "Assign Organizations to User": (
        "/users/username/orgs",
        [{"slug": "project-alpha", "isOwner": False}, {"slug": "project-beta", "isOwner": False}],
    ),
    "Creating Organizations": (
        "/orgs/my-org",
        {"name": "My Organization", "description": "A new organization", "isPublic": True, "owner": "username"},
    ),
    "Updating Organizations": (
        "/orgs/my-org",
        {"name": "Updated Name", "description": "Updated description", "isPublic": False, "owner": "username"},
    ),
    "Setting User Storage Quota": ("/users/username/meta", {"maxStorageMB": 10240}),
    "Setting User Metadata": (
        "/users/username/meta",
        {"maxStorageMB": 10240, "department": "Engineering", "customField": "customValue"},
    ),
}
"""What the administrator finds at a path after a call; `/users/username` is her entry in the list."""

STATUS = {
    "Creating Organizations": 201,
    "Updating Organizations": 204,
    "Deleting Organizations": 204,
    "Deleting a Role": 204,
}
"""Else it is 200."""

BESIDE = {"Listing Roles": {"deactivated"}, "Detailed User List": {"admin"}}
"""What a list has that the guide does not print: a role that is built in too, and who asks."""

BEGIN = """mutation ($slug: String!, $dataset: String!) {
  beginUpload(input: {resource: {path: {orgSlug: $slug, slug: $dataset}}, sizeBytes: 1073741824}) { ticket { id } }
}"""
FINISH = "mutation ($ticket: ID!) { finishUpload(input: {ticket: $ticket, sizeBytes: 1073741824}) { errors { code } } }"


JWT = re.compile(r"[\w-]+\.[\w-]+\.[\w-]+")


@dataclass(frozen=True)
class Step:
    """A call of the guide as curl sends it, and what is printed below it."""

    title: str
    method: str
    path: str
    headers: dict[str, str]
    content: str
    printed: Any = None


def _steps() -> Iterator[Step]:
    blocks = iter([*seed.TEXT.strip().split("\n\n"), ""])
    title = next(blocks)
    while title:
        step, after = _step(title, next(blocks)), next(blocks)
        if after in ("Response:", "Returns:"):
            step, after = replace(step, printed=json.loads(next(blocks))), next(blocks)
        yield step
        title = after


def _step(title: str, call: str) -> Step:
    first, *words = shlex.split(call.replace("\\\n", " "))
    if first != "curl":
        return Step(title, first, words[0], {"Authorization": "Bearer <admin-token>"}, "")
    options: dict[str, list[str]] = {}
    address = ""
    for at, word in enumerate(words):
        if word.startswith("http://"):
            address = word
        elif word.startswith("-"):
            options.setdefault(word, []).append(words[at + 1])
    headers = dict(each.split(": ", 1) for each in options.get("-H", []))
    (method,) = options.get("-X", ["GET"])
    return Step(title, method, address.removeprefix("http://localhost:5000"), headers, "".join(options.get("-d", [])))


PRINTED = {step.title.partition(":")[0]: step.printed for step in _steps()}
"""What is printed once below several calls under one heading is what each of them answers."""

STEPS = [replace(step, printed=PRINTED[step.title.partition(":")[0]]) for step in _steps()]


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """The settings of a server that has just been started for the first time."""
    main.prepare(settings)
    return settings


class Reader:
    """Somebody who tries each call of the guide. `<token>` is the token of the user `username`."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client
        self._password = HER["password"]
        self._tokens: dict[str, str] = {}

    async def follows(self, step: Step) -> None:
        """Does what a call needs, calls, and compares with what the guide prints and means."""
        for line, given in BEFORE.get(step.title, []):
            prepared = await self._as_admin(line, given)
            assert prepared.is_success, (line, prepared.text)
        if step.title in STORED_IN:
            await self._stores(STORED_IN[step.title])
        reply = await self._call(step)
        assert reply.status_code == STATUS.get(step.title, 200), (step.title, reply.text)
        if step.printed is not None:
            assert _is_as_printed(step.printed, _without(reply.json(), step.title)), (step.title, reply.text)
        if step.path.endswith("/changepwd"):
            self._password = "newSecurePassword"
            self._tokens.pop("username", None)
        if step.title in AFTER:
            path, wanted = AFTER[step.title]
            found = await self._found(path)
            assert _is_as_printed(wanted, found), (step.title, found)

    async def _call(self, step: Step) -> httpx.Response:
        headers = {}
        for name, value in step.headers.items():
            token = value.replace("<admin-token>", await self._token(**ADMIN) if "<admin" in value else "")
            headers[name] = token.replace("<token>", await self.her_token() if "<token>" in value else "")
        self._client.cookies.clear()
        return await self._client.request(step.method, step.path, headers=headers, content=step.content)

    async def her_token(self) -> str:
        """She signs in."""
        return await self._token("username", self._password)

    async def _token(self, username: str, password: str) -> str:
        if username not in self._tokens:
            form = {"username": username, "password": password}
            reply = await self._client.post("/users/authenticate", data=form)
            assert reply.status_code == 200, reply.text
            self._client.cookies.clear()
            self._tokens[username] = reply.json()["token"]
        return self._tokens[username]

    async def _as_admin(self, line: str, given: Any = None) -> httpx.Response:
        method, path = line.split(" ")
        headers = {"authorization": f"Bearer {await self._token(**ADMIN)}"}
        return await self._client.request(method, path, headers=headers, json=given)

    async def _stores(self, slug: str) -> None:
        for dataset in ("one", "two", "three", "four", "five"):
            await self._as_admin(f"POST /orgs/{slug}/ds", {"slug": dataset})
            given = {"query": BEGIN, "variables": {"slug": slug, "dataset": dataset}}
            begun = (await self._as_admin("POST /graphql", given)).json()["data"]["beginUpload"]
            given = {"query": FINISH, "variables": {"ticket": begun["ticket"]["id"]}}
            assert (await self._as_admin("POST /graphql", given)).json() == {"data": {"finishUpload": {"errors": []}}}

    async def _found(self, path: str) -> Any:
        if path != "/users/username":
            return (await self._as_admin(f"GET {path}")).json()
        users = (await self._as_admin("GET /users")).json()
        return next(user for user in users if user["userName"] == "username")


def _without(found: Any, title: str) -> Any:
    if title not in BESIDE:
        return found
    return [each for each in found if (each["userName"] if isinstance(each, dict) else each) not in BESIDE[title]]


def _is_as_printed(printed: Any, found: Any) -> bool:
    """Equal, but for moments and tokens, the order of words, and members that the guide does not print."""
    if isinstance(printed, dict):
        return all(name in found and _is_as_printed(value, found[name]) for name, value in printed.items())
    if isinstance(printed, list) and printed and isinstance(printed[0], str):
        return sorted(printed) == sorted(found)
    if isinstance(printed, list):
        return len(printed) == len(found) and all(map(_is_as_printed, printed, found))
    if isinstance(printed, str) and MOMENT.fullmatch(printed):
        return MOMENT.fullmatch(found) is not None
    if isinstance(printed, str) and printed.endswith("..."):
        return str(found).startswith(printed.removesuffix("...")) and JWT.fullmatch(found) is not None
    return type(printed) is type(found) and bool(printed == found)


async def test_every_call_of_the_guide_is_answered_as_it_prints(client: httpx.AsyncClient) -> None:
    reader = Reader(client)

    for step in STEPS:
        await reader.follows(step)


async def test_a_password_that_was_changed_or_reset_is_the_only_one(client: httpx.AsyncClient) -> None:
    reader = Reader(client)
    for step in STEPS:
        if step.path.endswith("/changepwd"):
            await reader.follows(step)
            old = await client.post("/users/authenticate", data={"username": "username", "password": HER["password"]})
            assert old.status_code == 401
            assert await reader.her_token()


FILLED = {"userName": "other", "roleName": "rolename", "orgSlug": "my-org"}
SENT: dict[str, dict[str, Any]] = {
    "POST /users/authenticate": {"json": ADMIN},
    "POST /users": {"json": HER},
    "PUT /users/{userName}": {"json": {"email": "a@b.example", "roles": ["user"]}},
    "POST /users/changepwd": {"data": {"oldPassword": PASSWORD, "newPassword": "newSecurePassword"}},
    "PUT /users/{userName}/changepwd": {"json": {"newPassword": "newSecurePassword"}},
    "POST /users/roles": {"json": {"roleName": "viewer"}},
    "POST /users/{userName}/meta": {"json": {}},
    "POST /orgs": {"data": {"slug": "another", "name": "Another"}},
    "PUT /orgs/{orgSlug}": {"data": {"name": "Updated Name"}},
}
LET_IN = {"No": [200], "Yes": [401, 200], "Admin": [401, 403, 200]}
"""What nobody, a user and an administrator are told, each until somebody is let in; 200 for every success."""

ROWS = [tuple(row.split()) for row in seed.REFERENCE.strip().splitlines()]


async def test_every_endpoint_lets_in_whom_the_guide_says(rest: Rest, make: Make) -> None:
    user, admin = await make.user("user1", "user"), await make.admin("root")
    await make.user("other")
    await make.role("rolename")
    await make.org("my-org", user, is_public=True)

    for method, path, auth in ROWS:
        askers = (None, user, admin)[: len(LET_IN[auth])]
        sent = SENT.get(f"{method} {path}", {})
        replies = [await rest(method, path.format_map(FILLED), asker, **sent) for asker in askers]
        assert [200 if each.is_success else each.status_code for each in replies] == LET_IN[auth], (method, path)
        if path == "/users/changepwd":
            user = await stored_person(make.app.database, user.user_name)
