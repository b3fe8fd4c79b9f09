"""What is tried through a pooler, with the expected results: by plain clients, by users of a server, by commands."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
import httpx

from app.db import Database, open_database
from app.db.access_changes import AccessChanges
from app.domain import errors
from tests.support.postgres import programs
from tests.support.server import Server, clean_environment

CLIENTS, CHANGES = 8, 25
ATTEMPTS = 150
ADMIN = {"username": "admin", "password": "password"}
POOLER = "connection pooler"


@dataclass(frozen=True, slots=True)
class Trial:
    """One trial: the mode of the pooler, what was tried, the actual and the expected result."""

    mode: str
    what: str
    seen: Any
    expected: Any

    @property
    def is_right(self) -> bool:
        """Return True if the result is the expected one."""
        return bool(self.seen == self.expected)


async def of_clients(mode: str, url: str) -> list[Trial]:
    """Try what any client may rely on; in transaction mode each of these is lost between two transactions."""
    holds = mode == "session"
    try:
        started = await _close(await asyncpg.connect(url, server_settings={"jit": "off"}))
    except asyncpg.PostgresError:
        started = False
    return [
        Trial(mode, "a client: settings at the start of the session", started, False),
        Trial(mode, "a client: a prepared statement stays", await _stays(url, _prepare), holds),
        Trial(mode, "a client: a setting of the session stays", await _stays(url, _set), holds),
        Trial(mode, "a client: an advisory lock of the session stays", await _stays(url, _lock), holds),
        Trial(mode, "a client: LISTEN stays", await _stays(url, _listen), holds),
    ]


async def _close(connection: Any) -> bool:
    await connection.close()
    return True


async def _stays(url: str, act: Any) -> bool:
    """Return whether what `act` makes is there although another client has taken a connection in between."""
    mine = await asyncpg.connect(url, statement_cache_size=0)
    other = await asyncpg.connect(url, statement_cache_size=0)
    try:
        check = await act(mine)
        await other.execute("BEGIN")  # the pooler gives away the connection that was used last
        await other.fetch("SELECT 1")
        return bool(await check(mine, other))
    except asyncpg.PostgresError:
        return False
    finally:
        mine.terminate()
        other.terminate()


async def _prepare(connection: Any) -> Any:
    await connection.execute("PREPARE ours AS SELECT 1")

    async def check(mine: Any, _: Any) -> bool:
        return bool(await mine.execute("EXECUTE ours"))

    return check


async def _set(connection: Any) -> Any:
    await connection.execute("SET jit = off")

    async def check(mine: Any, _: Any) -> bool:
        return bool(await mine.fetchval("SHOW jit") == "off")

    return check


async def _lock(connection: Any) -> Any:
    await connection.fetchval("SELECT pg_advisory_lock(4711)")

    async def check(mine: Any, _: Any) -> bool:
        return bool(await mine.fetchval("SELECT pg_advisory_unlock(4711)"))

    return check


async def _listen(connection: Any) -> Any:
    heard: list[str] = []
    await connection.add_listener("ours", lambda *event: heard.append(event[-1]))

    async def check(mine: Any, other: Any) -> bool:
        await other.execute("NOTIFY ours, 'x'")
        await other.execute("COMMIT")
        await mine.execute("BEGIN")
        await mine.execute("COMMIT")
        await asyncio.sleep(0.5)
        return heard == ["x"]

    return check


async def of_server(mode: str, server: Server, direct: str) -> list[Trial]:
    """Try the API: sign in, grant, check, a stream of changes by several clients, and the audit log as a feed."""
    async with _client(server) as client:
        tried = [Trial(mode, "GET /health/ready", (await client.get("/health/ready")).status_code, 200)]
        token = (await client.post("/users/authenticate", data=ADMIN)).json()["token"]
        client.headers["authorization"] = f"Bearer {token}"
        made = await _ask(client, MAKE)
        errors = [error for payload in made.values() for error in payload["errors"]]
        tried.append(Trial(mode, "create a user, an org and a resource, and grant", errors, []))
        checked = await _ask(client, CHECK)
        tried.append(Trial(mode, "check the grant, and the role that is not granted", checked, {"a": True, "b": False}))
        streams = await asyncio.gather(*(_stream(server, token, number) for number in range(CLIENTS)))
        tried.append(Trial(mode, f"{CLIENTS} clients: refused changes", sum(map(len, streams)), 0))
        counted = (await _ask(client, "{ groups { totalCount } }"))["groups"]["totalCount"]
        tried.append(Trial(mode, f"{CLIENTS} clients: groups that are there", counted, CLIENTS * CHANGES))
        feed = (await _ask(client, FEED))["auditEvents"]["totalCount"]
        tried.append(Trial(mode, "the same in the audit log", feed, CLIENTS * CHANGES))
        slow = await asyncio.gather(*(_ask(client, LISTS) for _ in range(CLIENTS * 2)))
        tried.append(
            Trial(mode, "lists of several levels at once, all equal", all(each == slow[0] for each in slow), True)
        )
        ended = await _ask(client, "mutation { logout { errors { code } } }")
        tried.append(Trial(mode, "end the session", ended["logout"]["errors"], []))
        statuses = {(await client.get("/users")).status_code for _ in range(CLIENTS)}
        tried.append(Trial(mode, "the token is refused by every worker", statuses, {401}))
    prepared = await _named(direct)
    tried.append(Trial(mode, "names of its sessions in pg_stat_activity", prepared, {"ostiary worker"}))
    return tried


async def of_crash(mode: str, url: str, direct: str) -> list[Trial]:
    """End a process of PostgreSQL, which then recovers: cached decisions must not outlive that behind a pooler."""
    database = await open_database(url)
    try:
        first = (await database.read_with_changes(None))[0]
        same = (await database.read_with_changes(first.state))[0]
        victim, witness = await asyncpg.connect(direct), await asyncpg.connect(direct)
        os.kill(victim.get_server_pid(), signal.SIGKILL)
        with suppress(asyncpg.PostgresError, asyncpg.InterfaceError, OSError):  # it ends every connection, and recovers
            await witness.execute("SELECT pg_sleep(60)")
        recovered = await _when_it_answers(database, first.state)
    finally:
        await database.close()
    return [
        Trial(mode, "cached decisions are kept while nothing happens", same.scopes, set()),
        Trial(mode, "cached decisions are dropped after a crash of PostgreSQL", recovered.scopes, None),
    ]


async def _when_it_answers(database: Database, state: Any) -> AccessChanges:
    for _ in range(ATTEMPTS - 1):
        try:
            return (await database.read_with_changes(state))[0]
        except errors.Refusal:
            await asyncio.sleep(0.2)
    return (await database.read_with_changes(state))[0]


async def after_commands(mode: str, server: Server) -> list[Trial]:
    """Try a change after the commands, whose settings must not have reached the server's connections."""
    async with _client(server) as client:
        token = (await client.post("/users/authenticate", data=ADMIN)).json()["token"]
        streams = await asyncio.gather(*(_stream(server, token, 100 + number) for number in range(CLIENTS)))
    return [Trial(mode, "changes after the commands: refused", sum(map(len, streams)), 0)]


def of_commands(mode: str, home: Path, environment: Mapping[str, str], direct: str) -> Iterator[Trial]:
    """Try commands through the pooler: those that set something for their session refuse."""
    made = _run(["backup", "direct", "--json"], home, {**environment, "OSTIARY_DATABASE_URL": direct})
    yield Trial(mode, "ostiary backup: code with the URL of the database itself", made.returncode, 0)
    pooled = environment["OSTIARY_DATABASE_URL"]
    for command, code, text in (
        (["user", "list"], 0, "admin"),
        (["doctor"], 0, "pooler"),
        (["reindex"], 0, "it was correct"),
        (["backup", "backups"], 1, POOLER),
        (["restore", json.loads(made.stdout)["file"], "--replace"], 1, POOLER),
        (["copy", pooled, "sqlite:///copy.db"], 1, POOLER),
        (["copy", direct, pooled], 1, POOLER),
    ):
        ran = _run(command, home, environment)
        said = (ran.returncode, text in ran.stdout + ran.stderr)
        yield Trial(mode, f"ostiary {command[0]}: code, and a text with `{text}`", said, (code, True))


def _run(command: Sequence[str], home: Path, environment: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    path = f"{programs()}{os.pathsep}{os.environ['PATH']}"  # pg_dump of the server's version
    return subprocess.run(  # noqa: S603 - ours
        [sys.executable, "-m", "app.cli", *command],
        cwd=home,
        env={**clean_environment(), "PYTHONPATH": os.getcwd(), "PATH": path, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


async def _named(url: str) -> set[str]:
    connection = await asyncpg.connect(url)
    try:
        rows = await connection.fetch(
            "SELECT DISTINCT application_name FROM pg_stat_activity "
            "WHERE datname = current_database() AND application_name LIKE 'ostiary worker%'"
        )
    finally:
        await connection.close()
    return {row[0].rpartition(" ")[0] for row in rows}


async def _stream(server: Server, token: str, number: int) -> list[Any]:
    """Make groups one after the other, and return the errors."""
    errors: list[Any] = []
    async with _client(server) as client:
        client.headers["authorization"] = f"Bearer {token}"
        for at in range(CHANGES):
            slug = f"group-{number}-{at}"
            answer = await _ask(client, GROUP, slug=slug)
            errors += (answer.get("createGroup") or {"errors": [answer]})["errors"]
    return errors


async def _ask(client: httpx.AsyncClient, query: str, **variables: str) -> dict[str, Any]:
    """Send an operation and return its data; the errors of the request if there are any."""
    answer = (await client.post("/graphql", json={"query": query, "variables": variables})).json()
    data: dict[str, Any] = answer.get("data") or {"errors": answer}
    return {"errors": answer["errors"]} if "errors" in answer else data


def _client(server: Server) -> httpx.AsyncClient:
    return httpx.AsyncClient(base_url=server.address, trust_env=False, timeout=60)


MAKE = """
mutation {
  createUser(input: {userName: "ann"}) { errors { code } }
  createOrg(input: {slug: "lab", name: "Lab"}) { errors { code } }
  createResource(input: {org: {slug: "lab"}, type: "DATASET", slug: "data", name: "Data"}) { errors { code } }
  grantAccess(input: {
    resource: {path: {orgSlug: "lab", slug: "data"}}, subject: {user: {userName: "ann"}}, roles: [METADATA_READ]
  }) { errors { code } }
}
"""
CHECK = """
{
  a: checkAccess(user: {userName: "ann"}, resource: {path: {orgSlug: "lab", slug: "data"}}, role: METADATA_READ)
  b: checkAccess(user: {userName: "ann"}, resource: {path: {orgSlug: "lab", slug: "data"}}, role: ADMIN)
}
"""
GROUP = "mutation($slug: String!) { createGroup(input: {slug: $slug, displayName: $slug}) { errors { code } } }"
FEED = '{ auditEvents(filter: {action: {eq: "createGroup"}}) { totalCount } }'
LISTS = """
{
  users { nodes { userName roles { name } } }
  resources { nodes { slug org { slug } accessSubjects { nodes { __typename } } } }
  auditEvents(first: 20) { nodes { action changes { nodes { objectName } } } }
}
"""
