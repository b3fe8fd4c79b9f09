"""Claims about the real process: it starts, serves, is killed, loses its database, and loses no acknowledged change."""

import asyncio
import json
import random
import sqlite3
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from sqlalchemy import select

from app import db
from app.db import tables
from app.db.tables import col
from app.http.probes import CHECK_INTERVAL
from tests.conftest import BACKENDS
from tests.support.fetching import fetch
from tests.support.postgres import Postgres
from tests.support.server import Restartable, Server, StartedServer, graphql, hang_up

WHO = "{ viewer { user { userName roles { name } } } }"
ADMIN = {"data": {"viewer": {"user": {"userName": "admin", "roles": [{"name": "admin"}]}}}}
LOGIN = 'mutation ($password: String!) { login(input: {userName: "quiet", password: $password}) { session { token } } }'
CREATE = "mutation ($name: String!) { createUser(input: {userName: $name}) { user { userName } } }"
CREATE_WITH = """mutation ($name: String!, $password: String!) {
    createUser(input: {userName: $name, password: $password}) { user { userName } errors { code } }
}"""
CREATE_MANY = """mutation ($users: [NewUserInput!]!) {
    createUsers(input: {users: $users}) { results { user { userName } } }
}"""
DEACTIVATE = """mutation ($name: String!) {
    assignRoles(input: {user: {userName: $name}, roles: ["deactivated"]}) { user { userName } }
}"""
CHANGE_PASSWORD = """mutation ($old: String!, $new: String!) {
    changePassword(input: {oldPassword: $old, newPassword: $new}) { session { token } errors { code } }
}"""
PASSWORD = "a password for these tests"
SECRET = "a secret that no output may ever show"
INVALID_PASSWORD = "a password that is not right"
NUMBERS = count(1)
ODD: list[tuple[str, str, dict[str, Any]]] = [
    ("POST", "/users/authenticate", {"data": {"username": "quiet", "password": INVALID_PASSWORD}}),
    ("POST", "/graphql", {"json": {"query": WHO}, "headers": {"authorization": f"Bearer {INVALID_PASSWORD}"}}),
    ("POST", "/graphql", {"json": {"query": "{"}, "headers": {"accept": "application/graphql-response+json"}}),
    ("POST", "/graphql", {"json": {"query": "{ no }"}, "headers": {"accept": "application/graphql-response+json"}}),
    ("POST", "/graphql", {"content": INVALID_PASSWORD, "headers": {"content-type": "application/json"}}),
    ("GET", f"/{INVALID_PASSWORD}", {}),
    ("DELETE", "/graphql", {}),
    ("POST", "/graphql", {"json": {"query": LOGIN, "variables": {"password": INVALID_PASSWORD}}}),
]
"""Everyday requests that fail."""


@pytest.fixture
def empty(backend: str, request: pytest.FixtureRequest) -> Iterator[dict[str, str]]:
    """Yield the settings of a first start: none at all, or the URL of an empty database."""
    if backend == "sqlite":
        yield {}
        return
    yield from _database(request.getfixturevalue("postgres"))


def _database(postgres: Postgres) -> Iterator[dict[str, str]]:
    name = f"serving_{next(NUMBERS)}"
    postgres.create(name)
    yield {"OSTIARY_DATABASE_URL": postgres.url(name)}
    postgres.drop(name)


@pytest.fixture
def settled(url: str) -> dict[str, str]:
    """Return the settings of a server that has served before."""
    return _settings(url)


def _settings(url: str) -> dict[str, str]:
    own = {"OSTIARY_SECRET": SECRET, "OSTIARY_DEFAULT_ADMIN__PASSWORD": PASSWORD}
    return own | {"OSTIARY_DATABASE_URL": url}


@pytest.fixture(scope="module", params=BACKENDS)
def shared(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Yield a server for tests that do not change it."""
    folder = tmp_path_factory.mktemp("shared")
    with ExitStack() as stack:
        url = f"sqlite:///{folder}/ostiary.db"
        if request.param == "postgresql":
            databases = _database(request.getfixturevalue("postgres"))
            url = next(databases)["OSTIARY_DATABASE_URL"]
            stack.callback(lambda: next(databases, None))
        server = stack.enter_context(Server(folder, **_settings(url)))
        server.ready()
        yield server


async def test_a_fresh_folder_serves_and_a_second_start_migrates_nothing_and_knows_the_old_token(
    tmp_path: Path, empty: dict[str, str]
) -> None:
    with StartedServer(tmp_path, **empty) as server:
        server.ready()
        token = await server.token("admin", "password")
        async with server.client(token) as client:
            assert await graphql(client, WHO) == ADMIN
        first = await server.stopped()
    with StartedServer(tmp_path, **empty) as server:
        server.ready()
        async with server.client(token) as client:
            assert await graphql(client, WHO) == ADMIN
        second = await server.stopped()

    assert (first.code, second.code) == (0, 0)
    assert "  migrated    " in first.out
    assert "  migrated    " not in second.out
    assert second.err == ""
    # The new password comes too late: the user has the default one.
    _refuses_all_addresses(tmp_path, empty | {"OSTIARY_DEFAULT_ADMIN__PASSWORD": PASSWORD})


async def test_on_all_addresses_the_first_administrator_has_a_password_shown_once(
    tmp_path: Path, empty: dict[str, str]
) -> None:
    with StartedServer(tmp_path, "--host", "0.0.0.0", **empty) as server:  # noqa: S104 - the test is about it
        server.ready()
        generated = server.out.rpartition("shown once: ")[2].split()[0]
        async with server.client() as client:
            reply = await client.post("/users/authenticate", data={"username": "admin", "password": "password"})
        assert (reply.status_code, bool(await server.token("admin", generated))) == (401, True)
        await server.stopped()
    with StartedServer(tmp_path, "--host", "0.0.0.0", **empty) as server:  # noqa: S104 - the same
        server.ready()
        assert await server.token("admin", generated)
        assert "shown once" not in server.out


def _refuses_all_addresses(folder: Path, environment: dict[str, str]) -> None:
    """Start on all addresses; the server refuses, and says what to set."""
    with Server(folder, "--host", "0.0.0.0", **environment) as server:  # noqa: S104 - it refuses
        ended = server.ended()
    assert (ended.code, ended.out) == (2, "")
    last = ended.err.splitlines()[-1]
    assert last.startswith("ostiary: --host 0.0.0.0: admin still has the default password")
    assert "OSTIARY_DEFAULT_ADMIN__PASSWORD" in last


async def test_several_at_once_prepare_a_database_once_and_none_honours_a_token_that_another_ended(
    tmp_path: Path, empty: dict[str, str]
) -> None:
    with ExitStack() as stack:
        options = [["--workers", "2"], [], [], []]
        servers: list[Server] = [stack.enter_context(StartedServer(tmp_path, *each, **empty)) for each in options]
        for server in servers:
            server.ready()
        admin = await servers[0].token("admin", "password")
        for server in servers:
            await _sign_out(server, admin, servers)
        ended = await asyncio.gather(*(server.stopped() for server in servers))

    assert len({server.address for server in servers}) == 4
    assert [each.code for each in ended] == [0, 0, 0, 0]
    assert sum("  migrated    " in each.out for each in ended) == 1
    # A server that generates a secret warns if it cannot store it beside the database.
    warnings = [line for each in ended for line in _complaints(each.err)]
    assert ["generated a secret" in line for line in warnings] == ([True] if empty else [])


async def _sign_out(one: Server, admin: str, servers: list[Server]) -> None:
    """Sign a user in at one server and deactivate them there; every server refuses their next request."""
    name = f"ann{next(NUMBERS)}"
    async with one.client(admin) as client:
        await graphql(client, CREATE_WITH, name=name, password=PASSWORD)
        token = await one.token(name, PASSWORD)
        assert await _statuses(servers, token) == {200}
        await graphql(client, DEACTIVATE, name=name)
    assert await _statuses(servers, token) == {401}


async def _statuses(servers: list[Server], token: str) -> set[int]:
    """Return the statuses for a token on new connections, several to each server since it may have several workers."""

    async def status(server: Server) -> int:
        async with server.client(token) as client:
            return (await client.post("/graphql", json={"query": WHO})).status_code

    return set(await asyncio.gather(*(status(server) for server in servers * 4)))


@dataclass
class Progress:
    """The names to create, and those that the server acknowledged."""

    names: Iterator[str] = field(default_factory=lambda: (f"one{number}" for number in range(1000)))
    batches: Iterator[int] = field(default_factory=lambda: iter(range(100)))
    users: set[str] = field(default_factory=set)
    full: set[int] = field(default_factory=set)
    enough: asyncio.Event = field(default_factory=asyncio.Event)

    def check(self) -> None:
        """Set the event when the server has acknowledged enough users."""
        if len(self.users) >= 200 and len(self.full) >= 2:
            self.enough.set()


BATCH = 50

CUT_OFF = (httpx.TransportError, AttributeError)
"""Errors of a client whose server is killed; the second comes from anyio, which asks a new socket for its peer."""


async def _create_users(client: httpx.AsyncClient, progress: Progress) -> None:
    for name in progress.names:
        with suppress(*CUT_OFF):
            if await graphql(client, CREATE, name=name) == {"data": {"createUser": {"user": {"userName": name}}}}:
                progress.users.add(name)
                progress.check()


async def _create_batches(client: httpx.AsyncClient, progress: Progress) -> None:
    for batch in progress.batches:
        names = [f"batch{batch}x{number}" for number in range(BATCH)]
        with suppress(*CUT_OFF):
            reply = await graphql(client, CREATE_MANY, users=[{"userName": name} for name in names])
            if [each["user"]["userName"] for each in reply["data"]["createUsers"]["results"]] == names:
                progress.full.add(batch)
                progress.check()


async def _kill_amid(server: Server, progress: Progress) -> None:
    async with asyncio.timeout(30):
        await progress.enough.wait()
    await asyncio.sleep(random.uniform(0, 0.02))  # not right after an answer, when least is going on
    server.kill()


async def test_a_killed_server_has_stored_every_user_it_acknowledged_and_no_incomplete_one(
    tmp_path: Path, settled: dict[str, str]
) -> None:
    progress = Progress()
    with Server(tmp_path, **settled) as server:
        server.ready()
        token = await server.token("admin", PASSWORD)
        async with server.client(token) as client:
            clients = [_create_users(client, progress) for _ in range(24)]
            clients += [_create_batches(client, progress) for _ in range(4)]
            await asyncio.gather(_kill_amid(server, progress), *clients)
    assert 200 <= len(progress.users) < 1000
    assert 2 <= len(progress.full) < 100

    with Server(tmp_path, **settled) as server:
        server.ready()
        stored = await _stored_roles(settled["OSTIARY_DATABASE_URL"])
        async with server.client(token) as client:
            reply = await graphql(client, "{ users(first: 1) { totalCount } }")
            again = await graphql(client, CREATE, name="afterwards")

    assert reply == {"data": {"users": {"totalCount": len(stored)}}}
    assert again["data"]["createUser"]["user"] == {"userName": "afterwards"}
    assert stored.pop("admin") == ["admin"]
    assert {tuple(roles) for roles in stored.values()} == {("user",)}
    assert progress.users <= stored.keys()
    sizes = Counter(int(name[5:].partition("x")[0]) for name in stored if name.startswith("batch"))
    assert set(sizes.values()) == {BATCH}
    assert progress.full <= sizes.keys()


_IS_CREATION = (col(tables.AuditChange.name) == col(tables.User.user_name)) & col(tables.AuditChange.before).is_(None)
_STORED_ROLES = (
    select(col(tables.User.user_name), col(tables.Role.name), col(tables.AuditChange.event_id))
    .select_from(tables.User)
    .outerjoin(tables.UserRole, col(tables.UserRole.user_id) == col(tables.User.id))
    .outerjoin(tables.Role, col(tables.Role.id) == col(tables.UserRole.role_id))
    .outerjoin(tables.AuditChange, _IS_CREATION)
)


async def _stored_roles(url: str) -> dict[str, list[str]]:
    """Return the stored roles of each user; check that the database and the audit log are complete."""
    if url.startswith("sqlite:"):
        with sqlite3.connect(url.removeprefix("sqlite:///")) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
            assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
        connection.close()
    database = await db.open_database(url)
    rows = await fetch(database, _STORED_ROLES)
    await database.close()
    roles: dict[str, list[str]] = {}
    for user, role, event in rows:
        assert event is not None, user
        roles.setdefault(user, []).extend([role] if role else [])
    return roles


async def test_it_says_nothing_about_everyday_requests_and_never_a_secret(shared: Server) -> None:
    own, other = "a first password of their own", "another password of their own"
    async with shared.client(await shared.token("admin", PASSWORD)) as admin, shared.client() as nobody:
        assert (await graphql(admin, CREATE_WITH, name="quiet", password=own))["data"]["createUser"]["user"]
        token = await shared.token("quiet", own)
        async with shared.client(token) as quiet:
            await graphql(quiet, CHANGE_PASSWORD, old="not this one", new=other)
            await graphql(quiet, CHANGE_PASSWORD, old=own, new=other)
            assert (await quiet.post("/graphql", json={"query": WHO})).status_code == 401
        statuses = [(await nobody.request(*request[:2], **request[2])).status_code for request in ODD]
        names = [(await graphql(admin, CREATE, name=name))["data"]["createUser"]["user"] for name in ("quiet", "n n")]

    assert statuses == [401, 401, 400, 400, 400, 404, 405, 200]
    assert names == [None, None]
    assert _complaints(shared.err) == []
    for secret in (own, other, token, PASSWORD, SECRET, INVALID_PASSWORD):
        assert secret not in shared.out


async def test_a_client_that_hangs_up_leaves_all_or_nothing_and_the_server_goes_on(shared: Server) -> None:
    token = await shared.token("admin", PASSWORD)
    async with shared.client(token) as client:
        for number in range(18):
            users = [{"userName": f"hasty{number}x{at}"} for at in range(BATCH)]
            body = {"query": CREATE_MANY, "variables": {"users": users}}
            await hang_up(client.build_request("POST", "/graphql", json=body), after=number * 0.001)
        assert (await graphql(client, CREATE, name="patient"))["data"]["createUser"]["user"]
        early = await _counts_of_hasty_users(client)
        await asyncio.sleep(0.5)
        late = await _counts_of_hasty_users(client)

    assert set(early) | set(late) <= {0, BATCH}
    assert BATCH in late
    assert _complaints(shared.err) == []


def _complaints(log: str) -> list[str]:
    """Return the lines except those of refused credentials, which tests of this module send on purpose."""
    return [line for line in log.splitlines() if json.loads(line)["logger"] != "ostiary.sign_in"]


async def _counts_of_hasty_users(client: httpx.AsyncClient) -> list[int]:
    """Return the number of users for each client that hung up."""
    query = "".join(
        f'at{number}: users(first: 1, filter: {{userName: {{startsWith: "hasty{number}x"}}}}) {{ totalCount }}'
        for number in range(18)
    )
    return [counted["totalCount"] for counted in (await graphql(client, f"{{{query}}}"))["data"].values()]


@pytest.fixture
def restartable() -> Iterator[Restartable]:
    server = Restartable()
    server.start()
    yield server
    server.stop()


async def test_without_its_database_it_refuses_at_once_and_with_it_serves_again(
    tmp_path: Path, restartable: Restartable
) -> None:
    with Server(tmp_path, **_settings(restartable.url())) as server:
        server.ready()
        async with server.client(await server.token("admin", PASSWORD)) as client:
            before = await _everyday(client, "before")
            restartable.halt()
            began = time.monotonic()
            away = await _everyday(client, "away")
            seconds = time.monotonic() - began
            await asyncio.sleep(CHECK_INTERVAL)  # a state that was found just before the halt
            crowd = await asyncio.gather(*(client.get("/health/ready") for _ in range(20)))
            crowd += await asyncio.gather(*(client.post("/graphql", json={"query": WHO}) for _ in range(20)))
            restartable.resume()
            after = await _everyday(client, "after")
            ended = await server.stopped()

    assert before == after == [(200, None), (200, None), (200, None)]
    assert away == [(503, "TIMEOUT"), (503, "TIMEOUT"), (503, None)]
    assert seconds < 10, "less than any read and any question about an outcome may take"
    assert ended.code == 0
    assert [f"{each.url.path}: {each.text}" for each in crowd if each.status_code != 503] == []
    assert crowd[0].json() == {"status": "not ready", "failed": ["database"]}
    lines = [json.loads(line) for line in ended.err.splitlines()]
    assert [line["message"].partition(": ")[0] for line in lines] == [
        "the database does not answer",
        "the database answers again",
    ]
    assert [line for line in lines if "exception" in line] == []
    assert str(urlsplit(restartable.url()).password) not in ended.out + ended.err


async def _everyday(client: httpx.AsyncClient, name: str) -> list[tuple[int, str | None]]:
    """Send a read, a mutation and a login at once; return their statuses and the codes of refusals."""
    login = client.post("/users/authenticate", data={"username": "admin", "password": PASSWORD})
    create = client.post("/graphql", json={"query": CREATE, "variables": {"name": name}})
    responses = await asyncio.gather(client.post("/graphql", json={"query": WHO}), create, login)
    errors = [response.json().get("errors", [{}])[0] for response in responses]
    codes = [error.get("extensions", {}).get("code") for error in errors]
    return [(response.status_code, code) for response, code in zip(responses, codes, strict=True)]
