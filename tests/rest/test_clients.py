"""Claims about the existing clients of the documented API: what each sends and reads, with `DroneDbClients` on."""

import json
from base64 import urlsafe_b64decode
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette

from app.domain import resource_roles
from app.domain.resource_roles import MemberLevel
from tests.support.client import MOMENT
from tests.support.factories import PASSWORD, Entity, Make, Person
from tests.support.rest_client import parts
from tests.support.rest_toy import boundary, refusal

NEW_PASSWORD = "a wholly new password"
READ = resource_roles.METADATA_READ | resource_roles.DATA_READ


@pytest.fixture
def overrides() -> dict[str, Any]:
    return {"OSTIARY_DRONE_DB_CLIENTS": "true", "OSTIARY_ENABLE_ORGANIZATION_MEMBER_MANAGEMENT": "true"}


@pytest.fixture
async def ann(make: Make) -> Person:
    return await make.user("Ann", "user", email="ann@example.com")


@pytest.fixture
async def reef(make: Make, ann: Person) -> Entity:
    """A dataset in a private org of Ann."""
    return await make.resource(await make.org("sea", ann, name="Sea"), slug="reef", name="The reef")


@dataclass
class Plugin:
    """The WebODM plugin: only 200 is a success, a 401 is a reason to sign in and try again, three times in all."""

    http: httpx.AsyncClient
    token: str = ""
    logins: int = 0

    async def log_in(self) -> None:
        self.logins += 1
        reply = await self.http.post("/users/authenticate", data={"username": "ann", "password": PASSWORD})
        assert reply.status_code == 200
        self.token = reply.json()["token"]
        self.http.cookies.clear()

    async def call(self, method: str, path: str) -> Any:
        for _ in range(3):
            headers = {"authorization": f"Bearer {self.token}"} if self.token else {}
            reply = await self.http.request(method, path, headers=headers)
            if reply.status_code == 200:
                return reply.json()
            assert "error" in reply.json()
            if reply.status_code != 401:
                break
            await self.log_in()
        return reply.status_code


async def test_the_webodm_plugin_checks_credentials_and_lists(client: httpx.AsyncClient, reef: Entity) -> None:
    plugin = Plugin(client)

    await plugin.log_in()
    refreshed = await plugin.call("POST", "/users/authenticate/refresh")
    orgs = await plugin.call("GET", "/orgs")
    (dataset,) = await plugin.call("GET", "/orgs/sea/ds")

    assert isinstance(refreshed["token"], str)
    assert [(org["slug"], org["name"]) for org in orgs] == [("sea", "Sea")]
    assert (dataset["slug"], dataset["size"]) == ("reef", 0)
    assert dataset["properties"]["meta"]["name"]["data"] == "The reef"
    assert (dataset["properties"]["public"], dataset["properties"]["entries"]) == (False, 0)
    assert await plugin.call("GET", "/orgs/nowhere/ds") == 404
    assert plugin.logins == 1


@pytest.mark.parametrize("path", ["/orgs", "/orgs/sea/ds", "/orgs/sea/ds/reef"])
async def test_the_webodm_plugin_signs_in_again_when_its_token_is_no_good(
    client: httpx.AsyncClient, reef: Entity, path: str
) -> None:
    plugin = Plugin(client, "garbage")

    assert len(await plugin.call("GET", path)) == 1
    assert plugin.logins == 1


@dataclass
class CommandLine:
    """The `ddb` command line: reads a body as JSON before it looks at the status, and sends its token as a cookie."""

    http: httpx.AsyncClient
    token: str = ""
    expires: int = 0

    async def log_in(self, password: str) -> str | None:
        """The error, if there is one."""
        reply = await self.http.post("/users/authenticate", data={"username": "ann", "password": password})
        self.http.cookies.clear()
        body = json.loads(reply.content)
        if reply.status_code != 200:
            return str(body["error"])
        self.token, self.expires = body["token"], body["expires"]
        assert type(self.expires) is int  # the program aborts on anything else
        return None

    async def info(self, path: str) -> httpx.Response:
        return await self.http.get(path, headers={"cookie": f"jwtToken={self.token}"})


async def test_the_ddb_command_line_signs_in_and_reads_a_dataset(client: httpx.AsyncClient, reef: Entity) -> None:
    ddb = CommandLine(client)

    assert await ddb.log_in("wrong") == "Unauthorized"
    assert await ddb.log_in(PASSWORD) is None
    lasts = datetime.fromtimestamp(ddb.expires, UTC) - datetime.now(UTC)
    entry = (await ddb.info("/orgs/sea/ds/reef")).json()[0]

    assert timedelta(days=6) < lasts <= timedelta(days=7)
    assert (entry["path"], entry["type"]) == ("ddb+unsafe://testserver/sea/reef", 7)
    assert (entry["size"], entry["depth"]) == (0, 0)
    assert isinstance(entry["mtime"], float)
    assert refusal(await ddb.info("/orgs/sea/ds/new")) == (404, False)  # "will be created" to its push


async def test_the_ddb_command_line_clones_what_is_public_without_signing_in(
    client: httpx.AsyncClient, make: Make, reef: Entity
) -> None:
    ddb = CommandLine(client)
    before = await ddb.info("/orgs/sea/ds/reef")
    await make.grant(reef, None, READ)

    after = await ddb.info("/orgs/sea/ds/reef")

    assert refusal(before) == (404, False)
    assert (after.status_code, after.json()[0]["properties"]["permissions"]["canRead"]) == (200, True)


def form(**fields: str) -> list[tuple[str, tuple[None, str]]]:
    """A browser's FormData, which goes as multipart."""
    return parts(*fields.items())


@dataclass
class Hub:
    """The Hub, and DDB.js: sends its token while its own clock says that it is good, and `{}` where it has no data.

    A success that is an object with something under `error` or `message` is a failure to it.
    """

    http: httpx.AsyncClient
    session: dict[str, Any] = field(default_factory=dict)

    async def log_in(self, user_name: str, password: str = PASSWORD) -> None:
        await self.open("POST /users/authenticate", {"username": user_name, "password": password})

    async def open(self, line: str, fields: dict[str, str]) -> None:
        self.session = await self.call(line, files=parts(*fields.items()))
        assert self.session["username"]
        assert datetime.fromtimestamp(self.session["expires"], UTC) > datetime.now(UTC)

    async def call(self, line: str, **sent: Any) -> Any:
        """Return the body of a success, or True where there is none."""
        reply = await self.ask(line, **sent)
        assert reply.is_success, (line, reply.text)
        if reply.status_code == 204 or not reply.content:
            return True
        body = reply.json()
        assert not isinstance(body, dict) or not (body.get("error") or body.get("message"))
        return body

    async def ask(self, line: str, **sent: Any) -> httpx.Response:
        method, path = line.split(" ")
        headers = {"authorization": f"Bearer {self.session['token']}"} if self.session else {}
        if kind := sent.pop("kind", ""):
            headers["content-type"] = kind
        if method != "GET" and not sent:
            sent = {"json": {}}
        self.http.cookies.clear()
        return await self.http.request(method, path, headers=headers, **sent)

    @property
    def claims(self) -> dict[str, Any]:
        """The payload of its token."""
        payload = self.session["token"].split(".")[1]
        read: dict[str, Any] = json.loads(urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        return read


@pytest.fixture
async def hub(app: Starlette) -> AsyncIterator[Hub]:
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://testserver") as http:
        yield Hub(http)


async def test_the_hub_boots(hub: Hub, ann: Person) -> None:
    await hub.log_in("ann")
    hub.session = await hub.call("POST /users/authenticate/refresh")
    features = await hub.call("GET /sys/features")

    assert hub.session["username"] == "Ann"
    assert (features["userManagement"], features["organizationMemberManagement"]) == (True, True)
    assert features["hubOptions"] == {}
    assert await hub.call("GET /users/management-enabled") is True


async def test_the_hub_knows_an_administrator_by_a_boolean_in_the_token(hub: Hub, make: Make, ann: Person) -> None:
    await make.admin()

    for user_name in ("root", "ann"):
        await hub.log_in(user_name)
        assert hub.claims["admin"] is (user_name == "root")


async def test_the_hub_changes_a_password_and_continues_with_the_new_token(hub: Hub, ann: Person) -> None:
    await hub.log_in("ann")
    old = hub.session

    await hub.open("POST /users/changePwd", {"oldPassword": PASSWORD, "newPassword": NEW_PASSWORD})

    assert await hub.call("GET /users/meta") == {}
    assert refusal(await Hub(hub.http, old).ask("GET /users/meta")) == (401, True)
    await hub.log_in("ann", NEW_PASSWORD)


async def test_the_hub_tells_a_refusal_for_good_from_a_passing_one(hub: Hub, make: Make, ann: Person) -> None:
    await hub.log_in("ann")

    for line in ("GET /users", "GET /users/detailed", "GET /users/Ann/orgs", "DELETE /users/Ann"):
        assert refusal(await hub.ask(line)) == (401, True)
    hub.session["token"] = "garbage"
    assert refusal(await hub.ask("GET /orgs?ownedOnly=true")) == (401, True)
    assert refusal(await hub.ask("POST /users/authenticate/refresh")) == (401, True)
    login = await hub.ask("POST /users/authenticate", files=form(username="ann", password="wrong"))
    assert (refusal(login), login.json()["error"]) == ((401, False), "Unauthorized")


async def test_the_hub_shows_and_edits_the_orgs_of_a_user(hub: Hub, make: Make, ann: Person) -> None:
    await make.org("others", is_public=True)
    await hub.log_in("ann")
    assert await hub.call("GET /orgs?ownedOnly=true") == []

    created = await hub.call("POST /orgs", files=form(slug="sea", name="Sea", description=""))
    edit = form(slug="sea", name="The sea", description="Wet.", isPublic="true")
    assert await hub.call("PUT /orgs/sea", files=edit) is True

    (org,) = await hub.call("GET /orgs?ownedOnly=true")
    assert await hub.call("GET /orgs") == [org]
    assert await hub.call("GET /orgs/sea/") == org
    assert org == created | {"name": "The sea", "description": "Wet.", "isPublic": True}
    assert (org["owner"], set(org["permissions"].values())) == ("Ann", {True})
    assert await hub.call("DELETE /orgs/sea") is True
    assert refusal(await hub.ask("GET /orgs/sea/")) == (404, False)


async def test_the_hub_manages_the_members_of_an_org(hub: Hub, make: Make, ann: Person) -> None:
    await make.org("sea", ann)
    bob = await make.user("bob")
    await hub.log_in("ann")

    assert await hub.call("POST /orgs/sea/members", json={"userName": "bob", "permissions": 0}) is True
    assert await hub.call("PUT /orgs/sea/members/bob", json={"permissions": int(MemberLevel.ADMIN)}) is True
    (member,) = await hub.call("GET /orgs/sea/members")
    assert (member["userName"], member["permissions"], member["grantedBy"]) == (bob.user_name, 3, "Ann")
    assert await hub.call("DELETE /orgs/sea/members/bob") is True
    assert await hub.call("GET /orgs/sea/members") == []


async def test_the_hub_shows_and_edits_datasets(hub: Hub, reef: Entity) -> None:
    await hub.log_in("ann")

    new = await hub.call("POST /orgs/sea/ds", files=form(slug="new", name="New", visibility="2"))
    assert new["properties"]["meta"]["visibility"]["data"] == 2
    assert await hub.call("PUT /orgs/sea/ds/new", files=form(name="Newer", visibility="0")) is True
    newer, old = await hub.call("GET /orgs/sea/ds?includeThumbnailCheck=true")
    assert (newer["properties"]["meta"]["name"]["data"], old["slug"]) == ("Newer", "reef")
    assert newer["properties"]["meta"]["visibility"]["data"] == 0
    assert set(newer["permissions"].values()) == {True}
    assert await hub.call("DELETE /orgs/sea/ds/new") is True


async def test_the_hubs_page_of_users_works(hub: Hub, make: Make) -> None:
    await make.admin()
    await hub.log_in("root")
    columns = {"userName", "email", "roles", "organizationCount", "datasetCount", "storageUsed", "storageQuota"}

    bob = await hub.call("POST /users", json={"userName": "bob", "email": "", "password": PASSWORD, "roles": []})
    assert await hub.call("POST /users/roles", json={"roleName": "pilot"}) is True
    assert "pilot" in await hub.call("GET /users/roles")
    assert await hub.call("PUT /users/bob", json={"email": "", "roles": ["pilot"]}) is True
    assert await hub.call("PUT /users/bob/changepwd", json={"newPassword": NEW_PASSWORD}) is True
    row = next(each for each in await hub.call("GET /users/detailed") if each["userName"] == "bob")
    assert bob["organizations"] == ["bob"]  # the Hub links the user name to it
    assert row == row | {"email": None, "roles": ["pilot"], "organizationCount": 1, "datasetCount": 0}
    assert columns <= set(row)
    assert MOMENT.fullmatch(row["createdDate"])
    assert await hub.call("PUT /users/bob", json={"email": "", "roles": []}) is True
    assert await hub.call("DELETE /users/roles/pilot") is True
    gone = await hub.call("DELETE /users/bob?successor=root&conflictResolution=Rename")
    assert (gone["userName"], gone["successor"], gone["organizationsTransferred"]) == ("bob", "root", 1)


async def test_the_hubs_of_either_age_set_the_orgs_of_a_user(hub: Hub, make: Make, ann: Person) -> None:
    await make.admin()
    for slug in ("one", "two"):
        await make.org(slug)
    await hub.log_in("root")

    async def hers() -> list[tuple[str, int]]:
        orgs = await hub.call("GET /users/ann/orgs")
        return [(org["slug"], org["permissions"]) for org in orgs if not org["isOwner"]]

    slugs = [("orgSlugs", (None, "one")), ("orgSlugs", (None, "two"))]
    assert await hub.call("PUT /users/ann/orgs", files=slugs) is True
    assert await hers() == [("one", 1), ("two", 1)]
    empty = {"content": boundary(), "kind": "multipart/form-data; boundary=x"}
    assert await hub.call("PUT /users/ann/orgs", **empty) is True
    assert await hers() == []
    assert await hub.call("POST /users/ann/orgs", json={"orgSlug": "two", "permissions": 2}) is True
    assert await hub.call("PUT /users/ann/orgs/two", json={"permissions": 3}) is True
    assert await hers() == [("two", 3)]
    assert await hub.call("DELETE /users/ann/orgs/two") is True
    assert await hers() == []


async def test_ddb_js_sends_everything_as_multipart(hub: Hub, make: Make) -> None:
    await make.admin()
    await hub.log_in("root")

    new = form(username="bob", password=PASSWORD, roles=json.dumps(["user"]))
    assert (await hub.call("POST /users", files=new))["roles"] == ["user"]
    await hub.log_in("bob")
    hub.session = (await hub.ask("POST /users/authenticate/refresh", content=b"")).json()
    assert (hub.session["username"], type(hub.session["expires"])) == ("bob", int)
    assert [org["slug"] for org in await hub.call("GET /orgs")] == ["bob"]
