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
            while (found := ADDRESS.search(os.pread(said.fileno(), 1 << 20, 0).decode())) is None:
                assert process.poll() is None, os.pread(said.fileno(), 1 << 20, 0).decode()
                assert time.monotonic() < deadline
                time.sleep(0.01)
            yield found[1]
        finally:
            process.kill()
            process.wait()


def stored(folder: Path) -> dict[str, int]:
    """Every file that a storage service keeps, with its size."""
    kept = folder / "files"
    return {str(each.relative_to(kept)): each.stat().st_size for each in kept.rglob("*") if each.is_file()}


@dataclass
class House:
    """A server, a storage service beside it, and somebody with an org, who has a dataset and may store a megabyte."""

    server: Server
    address: str
    folder: Path
    org: str
    admin: str
    before: dict[str, int]
    token: str = ""
    resource: str = ""

    async def ask(self, query: str, token: str | None = None, **given: Any) -> dict[str, Any]:
        async with self.server.client(token or self.token) as client:
            return await graphql(client, query, **given)

    async def begun(self, query: str, **given: Any) -> tuple[str, str]:
        """The id and the token of a new ticket."""
        reply = await self.ask(query, input={"resource": {"id": self.resource}, **given})
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
        """What is kept that was not there before, with the sizes, wherever; and nothing lies about half done."""
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
async def house(running: Running) -> House:
    """Both, and somebody new there."""
    number, server = next(NUMBERS), running.server
    admin, before = await server.token("admin", PASSWORD), stored(running.folder)
    made = House(server, running.address, running.folder, f"lab{number}", admin, before)
    name = f"ann{number}"
    ann = {"userName": name, "password": PASSWORD, "metadata": {"maxStorageMB": 1}}
    answered(await made.ask(change("createUser"), made.admin, input=ann), "createUser")
    made.token = await server.token(name, PASSWORD)
    answered(await made.ask(change("createOrg"), input={"slug": made.org, "name": "Lab"}), "createOrg")
    given = {"org": {"slug": made.org}, "type": "DATASET", "slug": "reef", "name": "Reef"}
    reply = await made.ask(change("createResource", "resource { id }"), input=given)
    made.resource = answered(reply, "createResource")["resource"]["id"]
    return made


async def test_files_go_up_and_come_down_and_are_counted(house: House) -> None:
    _, token = await house.begun(BEGIN, sizeBytes=len(CORALS))
    assert (await house.put(token, CORALS)).status_code == 201

    assert (house.files, await house.used()) == ({"reef/a/corals.csv": 6_000}, 6_000)
    _, ticket = await house.begun(DOWNLOAD)
    found = await house.get(ticket)
    assert (found.status_code, found.content) == (200, CORALS)
    assert (await house.get(ticket, "reef/none")).status_code == 404

    assert await house.upload(b"x" * 7_000) == 201  # in the place of the other one
    assert (house.files, await house.used()) == ({"reef/a/corals.csv": 7_000}, 7_000)
    assert (await house.put(token, CORALS, "reef/b")).status_code == 409  # a ticket is good for one upload


async def test_nothing_is_kept_beyond_the_quota_or_the_ticket(house: House) -> None:
    over = await house.ask(BEGIN, input={"resource": {"id": house.resource}, "sizeBytes": MEGABYTE + 1})
    assert codes(over) == ["QUOTA_EXCEEDED"]
    _, token = await house.begun(BEGIN, sizeBytes=MEGABYTE)
    assert (await house.put(token, b"x" * (MEGABYTE + 1))).status_code == 413
    assert house.files == {}

    assert (await house.put(token, b"x" * MEGABYTE)).status_code == 201  # it was not used by that
    assert (house.files, await house.used()) == ({"reef/a/corals.csv": MEGABYTE}, MEGABYTE)
    full = await house.ask(BEGIN, input={"resource": {"id": house.resource}, "sizeBytes": 1})
    assert codes(full) == ["QUOTA_EXCEEDED"]


async def test_who_finishes_her_upload_herself_with_too_small_a_number_has_nothing_of_it(house: House) -> None:
    key, token = await house.begun(BEGIN, sizeBytes=len(CORALS))
    assert codes(await house.ask(FINISH, input={"ticket": key, "sizeBytes": 1})) == []

    refused = await house.put(token, CORALS)

    assert (refused.status_code, refused.text) == (409, "The upload was already finished, with other numbers.")
    assert (house.files, await house.used()) == ({}, 1)


async def test_a_lock_stops_an_upload_that_has_begun(house: House) -> None:
    _, token = await house.begun(BEGIN, sizeBytes=len(CORALS))
    given = {"resource": {"id": house.resource}, "reason": "Why."}
    answered(await house.ask(change("lockResource"), input=given), "lockResource")

    refused = await house.put(token, CORALS)

    assert (refused.status_code, refused.text) == (409, "The resource is locked.")
    assert house.files == {}


async def test_no_ticket_is_good_for_anything_else(house: House) -> None:
    assert await house.upload(CORALS) == 201
    (_, up), (_, down) = await house.begun(BEGIN, sizeBytes=9), await house.begun(DOWNLOAD)

    assert [(await house.put(each, b"x")).status_code for each in ("", "x", house.token, down)] == [401, 401, 401, 403]
    assert [(await house.get(each)).status_code for each in ("", f"{down}x", house.token, up)] == [401, 401, 401, 403]
    elsewhere = ["reef", "reefs/a", "/other/reef/a", "/a", "reef%2F..%2F..%2Fa/b", "reef//a"]
    elsewhere += ["reef/a%00", f"reef/{'a' * 256}", "reef/."]
    assert {(await house.put(up, b"x", path)).status_code for path in elsewhere} <= {400, 403}
    assert (await house.put(up, b"x", "reef/a/corals.csv/b")).status_code == 409
    assert house.files == {"reef/a/corals.csv": 6_000}


async def test_a_file_may_become_smaller_where_the_service_has_an_account(house: House, tmp_path: Path) -> None:
    """Without one, what it took counts on."""
    assert [await house.upload(content) for content in (CORALS, b"x")] == [201, 201]
    assert (house.files, await house.used()) == ({"reef/a/corals.csv": 1}, 6_000)
    house.folder = tmp_path / "second"

    with serving(house.folder, OSTIARY=house.server.address, ACCOUNT=house.admin) as house.address:
        assert [await house.upload(content) for content in (CORALS, b"x")] == [201, 201]

        assert (house.files, await house.used()) == ({"reef/a/corals.csv": 1}, 6_001)
