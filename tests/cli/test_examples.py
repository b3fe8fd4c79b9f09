"""The storage service of the examples, as a process of its own beside a real server."""

import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import pytest

from app import cli
from scripts.examples import storage
from tests.conftest import BACKENDS
from tests.support.changes import answered, change
from tests.support.client import codes
from tests.support.postgres import Postgres
from tests.support.server import READY_SECONDS, UNUSED_TLS, Server, graphql
from tests.support.storing import BEGIN, DOWNLOAD, FINISH, LIMITED, MEGABYTE

PASSWORD = "a password for these tests"
ADDRESS = re.compile(r"Uvicorn running on (http://\S+)")
CORALS = b"corals" * 1_000
NUMBERS = count(1)


@contextmanager
def serving(folder: Path, **environment: str) -> Iterator[str]:
    """The example on a port of its own; answers its address. It ends with the block."""
    own = {"STORE": str(folder), "PYTHONPATH": str(Path(cli.__file__).parents[2]), **environment}
    with tempfile.TemporaryFile("ab+") as said:
        process = subprocess.Popen(
            [sys.executable, "-m", storage.__name__, "0"],
            env=os.environ | own,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=said,
        )
        try:
            deadline = time.monotonic() + READY_SECONDS
            while (match := ADDRESS.search(os.pread(said.fileno(), 1 << 20, 0).decode())) is None:
                assert process.poll() is None, os.pread(said.fileno(), 1 << 20, 0).decode()
                assert time.monotonic() < deadline
                time.sleep(0.01)
            yield match[1]
        finally:
            process.kill()
            process.wait()


def stored(folder: Path) -> dict[str, int]:
    """Every file that a storage service keeps, with its size."""
    files = folder / "files"
    return {str(each.relative_to(files)): each.stat().st_size for each in files.rglob("*") if each.is_file()}


@dataclass
class Deployment:
    """A server and its storage service, with a user who has an org, a dataset and a quota of one megabyte."""

    server: Server
    address: str
    folder: Path
    org: str
    admin: str
    before: dict[str, int]
    token: str = ""
    resource: str = ""

    async def ask(self, query: str, token: str | None = None, **variables: Any) -> dict[str, Any]:
        async with self.server.client(token or self.token) as client:
            return await graphql(client, query, **variables)

    async def begun(self, query: str, **fields: Any) -> tuple[str, str]:
        """The id and the token of a new ticket."""
        reply = await self.ask(query, input={"resource": {"id": self.resource}, **fields})
        (payload,) = reply["data"].values()
        assert codes(reply) == []
        return payload["ticket"]["id"], payload["token"]

    async def put(self, token: str, content: bytes, path: str = "reef/a/corals.csv") -> httpx.Response:
        return await self._sent("PUT", token, path, content=content)

    async def get(self, token: str, path: str = "reef/a/corals.csv") -> httpx.Response:
        return await self._sent("GET", token, path)

    async def _sent(self, method: str, token: str, path: str, **more: Any) -> httpx.Response:
        headers = {"authorization": f"Bearer {token}"} if token else {}
        async with httpx.AsyncClient(base_url=self.address, trust_env=False, verify=UNUSED_TLS) as client:
            place = path if path.startswith("/") else f"/{self.org}/{path}"
            return await client.request(method, f"/files{place}", headers=headers, **more)

    async def upload(self, content: bytes, path: str = "reef/a/corals.csv") -> int:
        """Begin an upload and make it; answers the status."""
        _, token = await self.begun(BEGIN, sizeBytes=len(content))
        return (await self.put(token, content, path)).status_code

    async def used(self) -> int:
        reply = await self.ask("{ viewer { user { storage { usedBytes } } } }")
        used: int = reply["data"]["viewer"]["user"]["storage"]["usedBytes"]
        return used

    @property
    def files(self) -> dict[str, int]:
        """The files that are new since the start of the test, with their sizes; no draft may remain."""
        assert list((self.folder / "drafts").iterdir()) == []
        new = stored(self.folder).items() - self.before.items()
        return {path.replace(self.resource, "reef", 1): size for path, size in new}


@dataclass(frozen=True)
class Running:
    """A server and a storage service, for claims that each have an org of their own there."""

    server: Server
    address: str
    folder: Path


@pytest.fixture(scope="module", params=BACKENDS)
def running(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """Both, started."""
    folder = tmp_path_factory.mktemp("examples")
    with ExitStack() as stack:
        url = f"sqlite:///{folder}/ostiary.db"
        if request.param == "postgresql":
            postgres: Postgres = request.getfixturevalue("postgres")
            postgres.create("examples", template="template")
            stack.callback(postgres.drop, "examples")
            url = postgres.url("examples")
        own = {"OSTIARY_DATABASE_URL": url, "OSTIARY_DEFAULT_ADMIN__PASSWORD": PASSWORD, **LIMITED}
        server = stack.enter_context(Server(folder, **own))
        server.ready()
        address = stack.enter_context(serving(folder / "store", OSTIARY=server.address))
        yield Running(server, address, folder / "store")


@pytest.fixture
async def deployment(running: Running) -> Deployment:
    """The running server and service, with a new user."""
    number, server = next(NUMBERS), running.server
    admin, before = await server.token("admin", PASSWORD), stored(running.folder)
    setup = Deployment(server, running.address, running.folder, f"lab{number}", admin, before)
    name = f"ann{number}"
    ann = {"userName": name, "password": PASSWORD, "metadata": {"maxStorageMB": 1}}
    answered(await setup.ask(change("createUser"), setup.admin, input=ann), "createUser")
    setup.token = await server.token(name, PASSWORD)
    answered(await setup.ask(change("createOrg"), input={"slug": setup.org, "name": "Lab"}), "createOrg")
    dataset = {"org": {"slug": setup.org}, "type": "DATASET", "slug": "reef", "name": "Reef"}
    reply = await setup.ask(change("createResource", "resource { id }"), input=dataset)
    setup.resource = answered(reply, "createResource")["resource"]["id"]
    return setup


async def test_files_go_up_and_come_down_and_are_counted(deployment: Deployment) -> None:
    _, token = await deployment.begun(BEGIN, sizeBytes=len(CORALS))
    assert (await deployment.put(token, CORALS)).status_code == 201

    assert (deployment.files, await deployment.used()) == ({"reef/a/corals.csv": 6_000}, 6_000)
    _, ticket = await deployment.begun(DOWNLOAD)
    reply = await deployment.get(ticket)
    assert (reply.status_code, reply.content) == (200, CORALS)
    assert (await deployment.get(ticket, "reef/none")).status_code == 404

    assert await deployment.upload(b"x" * 7_000) == 201  # in the place of the other one
    assert (deployment.files, await deployment.used()) == ({"reef/a/corals.csv": 7_000}, 7_000)
    assert (await deployment.put(token, CORALS, "reef/b")).status_code == 409  # a ticket is good for one upload


async def test_nothing_is_stored_beyond_the_quota_or_the_ticket(deployment: Deployment) -> None:
    over = await deployment.ask(BEGIN, input={"resource": {"id": deployment.resource}, "sizeBytes": MEGABYTE + 1})
    assert codes(over) == ["QUOTA_EXCEEDED"]
    _, token = await deployment.begun(BEGIN, sizeBytes=MEGABYTE)
    assert (await deployment.put(token, b"x" * (MEGABYTE + 1))).status_code == 413
    assert deployment.files == {}

    assert (await deployment.put(token, b"x" * MEGABYTE)).status_code == 201  # it was not used by that
    assert (deployment.files, await deployment.used()) == ({"reef/a/corals.csv": MEGABYTE}, MEGABYTE)
    full = await deployment.ask(BEGIN, input={"resource": {"id": deployment.resource}, "sizeBytes": 1})
    assert codes(full) == ["QUOTA_EXCEEDED"]


async def test_an_upload_that_its_user_finishes_with_too_small_a_size_stores_nothing(deployment: Deployment) -> None:
    key, token = await deployment.begun(BEGIN, sizeBytes=len(CORALS))
    assert codes(await deployment.ask(FINISH, input={"ticket": key, "sizeBytes": 1})) == []

    refused = await deployment.put(token, CORALS)

    assert (refused.status_code, refused.text) == (409, "The upload was already finished, with other numbers.")
    assert (deployment.files, await deployment.used()) == ({}, 1)


async def test_a_lock_stops_an_upload_that_has_begun(deployment: Deployment) -> None:
    _, token = await deployment.begun(BEGIN, sizeBytes=len(CORALS))
    lock = {"resource": {"id": deployment.resource}, "reason": "Why."}
    answered(await deployment.ask(change("lockResource"), input=lock), "lockResource")

    refused = await deployment.put(token, CORALS)

    assert (refused.status_code, refused.text) == (409, "The resource is locked. Unlock it first.")
    assert deployment.files == {}


async def test_no_ticket_is_good_for_anything_else(deployment: Deployment) -> None:
    assert await deployment.upload(CORALS) == 201
    (_, up), (_, down) = await deployment.begun(BEGIN, sizeBytes=9), await deployment.begun(DOWNLOAD)

    assert [(await deployment.put(each, b"x")).status_code for each in ("", "x", deployment.token, down)] == [
        401,
        401,
        401,
        403,
    ]
    assert [(await deployment.get(each)).status_code for each in ("", f"{down}x", deployment.token, up)] == [
        401,
        401,
        401,
        403,
    ]
    elsewhere = ["reef", "reefs/a", "/other/reef/a", "/a", "reef%2F..%2F..%2Fa/b", "reef//a"]
    elsewhere += ["reef/a%00", f"reef/{'a' * 256}", "reef/."]
    assert {(await deployment.put(up, b"x", path)).status_code for path in elsewhere} <= {400, 403}
    assert (await deployment.put(up, b"x", "reef/a/corals.csv/b")).status_code == 409
    assert deployment.files == {"reef/a/corals.csv": 6_000}


async def test_a_file_may_become_smaller_where_the_service_has_an_account(
    deployment: Deployment, tmp_path: Path
) -> None:
    """Without one, what it took counts on."""
    assert [await deployment.upload(content) for content in (CORALS, b"x")] == [201, 201]
    assert (deployment.files, await deployment.used()) == ({"reef/a/corals.csv": 1}, 6_000)
    deployment.folder = tmp_path / "second"

    with serving(deployment.folder, OSTIARY=deployment.server.address, ACCOUNT=deployment.admin) as deployment.address:
        assert [await deployment.upload(content) for content in (CORALS, b"x")] == [201, 201]

        assert (deployment.files, await deployment.used()) == ({"reef/a/corals.csv": 1}, 6_001)
