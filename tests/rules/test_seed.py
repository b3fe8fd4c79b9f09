"""The guide of the documented API: its calls run in order, and each answer equals the printed one."""

import json
import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import httpx
import pytest

from app import administration
from app.config import Settings
from tests.support import seed
from tests.support.client import MOMENT
from tests.support.factories import PASSWORD, Make, stored_person
from tests.support.rest_client import Rest

pytestmark = pytest.mark.usefixtures("from_this_machine")

ADMIN = {"username": "admin", "password": "password"}
NEW_USER: dict[str, Any] = {
    "userName": "username",
    "password": "currentPassword",
    "email": "username@example.com",
    "roles": ["user"],
}
ALPHA = {"name": "Project Alpha", "description": "Main project organization", "isPublic": True}

BEFORE: Mapping[str, list[tuple[str, dict[str, Any]]]] = {
    "Basic User List": [
        ("DELETE /users/newuser", {}),
        ("POST /users", NEW_USER | {"userName": "user1", "email": "user1@example.com"}),
        ("POST /orgs", {"slug": "default-org", "name": "Default"}),
        ("POST /orgs", {"slug": "project-a", "name": "A", "owner": "user1"}),
        ("POST /orgs", {"slug": "project-b", "name": "B", "owner": "user1"}),
    ],
    "Detailed User List": [
        ("DELETE /orgs/project-b", {}),
        ("POST /users/user1/meta", {"maxStorageMB": 10240}),
    ],
    "Updating Users": [("POST /users", NEW_USER), ("POST /users/roles", {"roleName": "editor"})],
    "Deleting Users": [("POST /orgs", {"slug": "left-behind", "name": "Theirs", "owner": "username"})],
    "Changing Own Password": [("POST /users", NEW_USER)],
    "Creating a Role": [("DELETE /users/roles/editor", {})],
    "Listing Roles": [("POST /users/roles", {"roleName": "viewer"})],
    "Deleting a Role": [("POST /users/roles", {"roleName": "rolename"})],
    "View User's Organizations": [
        ("POST /orgs", {"slug": "project-alpha", **ALPHA}),
        ("POST /users/username/orgs", {"orgSlug": "project-alpha"}),
    ],
    "Assign Organizations to User": [("POST /orgs", {"slug": "project-beta", "name": "Project Beta"})],
    "Viewing Storage Usage: Current User": [
        ("POST /orgs", {"slug": "their-own", "name": "Theirs", "owner": "username"})
    ],
}
"""Calls that a call of the guide needs and the guide does not print; the administrator runs them."""

STORED_IN = {"Detailed User List": "project-a", "Viewing Storage Usage: Current User": "their-own"}
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
"""The state at a path after a call, as the administrator reads it; `/users/username` is an entry of the list."""

STATUS = {
    "Creating Organizations": 201,
    "Updating Organizations": 204,
    "Deleting Organizations": 204,
    "Deleting a Role": 204,
}
"""Status codes other than 200."""

BESIDE = {"Listing Roles": {"deactivated"}, "Detailed User List": {"admin"}}
"""Items of a list that the guide does not print: another built-in role, and the asker."""

BEGIN = """mutation ($slug: String!, $dataset: String!) {
  beginUpload(input: {resource: {path: {orgSlug: $slug, slug: $dataset}}, sizeBytes: 1073741824}) { ticket { id } }
}"""
FINISH = "mutation ($ticket: ID!) { finishUpload(input: {ticket: $ticket, sizeBytes: 1073741824}) { errors { code } } }"


JWT = re.compile(r"[\w-]+\.[\w-]+\.[\w-]+")


@dataclass(frozen=True)
class Step:
    """A call of the guide as curl sends it, and the answer printed below it."""

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
"""The answers by heading: an answer printed once below several calls is the answer of each."""

STEPS = [replace(step, printed=PRINTED[step.title.partition(":")[0]]) for step in _steps()]


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """The settings of a server that has just been started for the first time."""
    administration.prepare(settings)
    return settings


class Reader:
    """A reader who runs each call of the guide. `<token>` is the token of the user `username`."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self._client = client
        self._password = NEW_USER["password"]
        self._tokens: dict[str, str] = {}

    async def follows(self, step: Step) -> None:
        """Prepare the call, run it, and compare the answer and the state with the guide."""
        for line, body in BEFORE.get(step.title, []):
            prepared = await self._as_admin(line, body)
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
            reply_body = await self._current_state(path)
            assert _is_as_printed(wanted, reply_body), (step.title, reply_body)

    async def _call(self, step: Step) -> httpx.Response:
        headers = {}
        for name, value in step.headers.items():
            token = value.replace("<admin-token>", await self._token(**ADMIN) if "<admin" in value else "")
            headers[name] = token.replace("<token>", await self.user_token() if "<token>" in value else "")
        self._client.cookies.clear()
        return await self._client.request(step.method, step.path, headers=headers, content=step.content)

    async def user_token(self) -> str:
        """Sign in as the user of the guide."""
        return await self._token("username", self._password)

    async def _token(self, username: str, password: str) -> str:
        if username not in self._tokens:
            form = {"username": username, "password": password}
            reply = await self._client.post("/users/authenticate", data=form)
            assert reply.status_code == 200, reply.text
            self._client.cookies.clear()
            self._tokens[username] = reply.json()["token"]
        return self._tokens[username]

    async def _as_admin(self, line: str, body: Any = None) -> httpx.Response:
        method, path = line.split(" ")
        headers = {"authorization": f"Bearer {await self._token(**ADMIN)}"}
        return await self._client.request(method, path, headers=headers, json=body)

    async def _stores(self, slug: str) -> None:
        for dataset in ("one", "two", "three", "four", "five"):
            await self._as_admin(f"POST /orgs/{slug}/ds", {"slug": dataset})
            body = {"query": BEGIN, "variables": {"slug": slug, "dataset": dataset}}
            begun = (await self._as_admin("POST /graphql", body)).json()["data"]["beginUpload"]
            body = {"query": FINISH, "variables": {"ticket": begun["ticket"]["id"]}}
            assert (await self._as_admin("POST /graphql", body)).json() == {"data": {"finishUpload": {"errors": []}}}

    async def _current_state(self, path: str) -> Any:
        if path != "/users/username":
            return (await self._as_admin(f"GET {path}")).json()
        users = (await self._as_admin("GET /users")).json()
        return next(user for user in users if user["userName"] == "username")


def _without(entries: Any, title: str) -> Any:
    if title not in BESIDE:
        return entries
    return [each for each in entries if (each["userName"] if isinstance(each, dict) else each) not in BESIDE[title]]


def _is_as_printed(printed: Any, actual: Any) -> bool:
    """Equal, but for moments and tokens, the order of words, and members that the guide does not print."""
    if isinstance(printed, dict):
        return all(name in actual and _is_as_printed(value, actual[name]) for name, value in printed.items())
    if isinstance(printed, list) and printed and isinstance(printed[0], str):
        return sorted(printed) == sorted(actual)
    if isinstance(printed, list):
        return len(printed) == len(actual) and all(map(_is_as_printed, printed, actual))
    if isinstance(printed, str) and MOMENT.fullmatch(printed):
        return MOMENT.fullmatch(actual) is not None
    if isinstance(printed, str) and printed.endswith("..."):
        return str(actual).startswith(printed.removesuffix("...")) and JWT.fullmatch(actual) is not None
    return type(printed) is type(actual) and bool(printed == actual)


async def test_every_call_of_the_guide_is_answered_as_it_prints(client: httpx.AsyncClient) -> None:
    reader = Reader(client)

    for step in STEPS:
        await reader.follows(step)


async def test_a_password_that_was_changed_or_reset_is_the_only_one(client: httpx.AsyncClient) -> None:
    reader = Reader(client)
    for step in STEPS:
        if step.path.endswith("/changepwd"):
            await reader.follows(step)
            old = await client.post(
                "/users/authenticate", data={"username": "username", "password": NEW_USER["password"]}
            )
            assert old.status_code == 401
            assert await reader.user_token()


FILLED = {"userName": "other", "roleName": "rolename", "orgSlug": "my-org"}
SENT: dict[str, dict[str, Any]] = {
    "POST /users/authenticate": {"json": ADMIN},
    "POST /users": {"json": NEW_USER},
    "PUT /users/{userName}": {"json": {"email": "a@b.example", "roles": ["user"]}},
    "POST /users/changepwd": {"data": {"oldPassword": PASSWORD, "newPassword": "newSecurePassword"}},
    "PUT /users/{userName}/changepwd": {"json": {"newPassword": "newSecurePassword"}},
    "POST /users/roles": {"json": {"roleName": "viewer"}},
    "POST /users/{userName}/meta": {"json": {}},
    "POST /orgs": {"data": {"slug": "another", "name": "Another"}},
    "PUT /orgs/{orgSlug}": {"data": {"name": "Updated Name"}},
    "PUT /users/{userName}/orgs": {"json": {"orgSlugs": []}},
}
LET_IN = {"No": [200], "Yes": [401, 200], "Admin": [401, 403, 200]}
"""Status codes for anonymous, a user and an administrator, up to the first success; 200 is any success."""

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
