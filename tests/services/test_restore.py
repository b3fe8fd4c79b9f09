"""Claims about a restored backup: no token or ticket issued after the backup is accepted."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support import programs
from tests.support.postgres import Postgres
from tests.support.server import Server, graphql

ROOT = {"OSTIARY_DEFAULT_ADMIN__PASSWORD": "a password for the root"}
PASSWORD = "correct horse battery staple"

CREATE_USER = """mutation ($name: String!, $password: String!, $roles: [String!]!) {
  createUser(input: {userName: $name, password: $password, roles: $roles}) { user { id } errors { message } }
}"""
CREATE = """mutation ($slug: String!) {
  createOrg(input: {slug: $slug, name: "Org"}) { errors { message } }
  createResource(input: {org: {slug: $slug}, type: "DATASET", slug: "data", name: "Data"}) {
    resource { id } errors { message }
  }
}"""
RENAME = """mutation ($old: String!, $new: String!) {
  renameUser(input: {user: {userName: $old}, userName: $new}) { user { id } errors { message } }
}"""
CREATE_TOKEN = 'mutation { createApiToken(input: {name: "script"}) { token errors { message } } }'
BEGIN = """mutation ($id: ID!) {
  beginUpload(input: {resource: {id: $id}, sizeBytes: 5}) { ticket { id } errors { message } }
}"""
FINISH = "mutation ($id: ID!) { finishUpload(input: {ticket: $id, sizeBytes: 5}) { errors { code } } }"
WHO = "{ viewer { user { userName } } }"


class Registry:
    """A database that is backed up and restored as the README says, while no server runs."""

    def __init__(self, folder: Path, postgres: Postgres | None) -> None:
        self.folder = folder
        self._postgres = postgres
        self._name = f"restore_{abs(hash(str(folder)))}"
        self.environment = dict(ROOT)
        if postgres is not None:
            postgres.create(self._name)
            self.environment["OSTIARY_DATABASE_URL"] = postgres.url(self._name)

    def serve(self) -> Server:
        """Return a server on the database."""
        return Server(self.folder, **self.environment)

    def back_up(self) -> None:
        """Copy the whole database."""
        if self._postgres is not None:
            self._postgres.create(f"{self._name}_backup", template=self._name)
            return
        shutil.copytree(self.folder / "data", self.folder / "backup")

    def put_back(self) -> None:
        """Replace the database by the copy."""
        if self._postgres is not None:
            self._postgres.drop(self._name)
            self._postgres.create(self._name, template=f"{self._name}_backup")
            return
        shutil.rmtree(self.folder / "data")
        shutil.copytree(self.folder / "backup", self.folder / "data")

    def run(self, *arguments: str, starts: bool = False) -> str:
        """Run a command and return its output; with `starts` in a process that imports on its own."""
        environment = {"PATH": "", "PYTHONPATH": str(Path(__file__).parents[2]), **self.environment}
        done = programs.run(*arguments, folder=self.folder, environment=environment, starts=starts)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def clear(self) -> None:
        """Delete everything on the shared server."""
        if self._postgres is not None:
            self._postgres.drop(self._name)
            self._postgres.drop(f"{self._name}_backup")


@pytest.fixture
def registry(backend: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Registry]:
    instance = Registry(tmp_path, request.getfixturevalue("postgres") if backend == "postgresql" else None)
    yield instance
    instance.clear()


async def test_what_was_issued_after_the_backup_is_nobodys_even_where_ids_come_again(registry: Registry) -> None:
    with registry.serve() as server:
        server.ready()
        await server.stopped()
    registry.back_up()
    with registry.serve() as server:
        server.ready()
        root = await _signed_in(server, "admin", ROOT["OSTIARY_DEFAULT_ADMIN__PASSWORD"])
        mallory = await _make_user(server, root, "mallory", "user")
        token = await _signed_in(server, "mallory", PASSWORD)
        async with server.client(token) as client:
            resource = await _mutate(client, CREATE, "createResource", slug="theirs")
            api_token = (await graphql(client, CREATE_TOKEN))["data"]["createApiToken"]["token"]
            ticket = (await _mutate(client, BEGIN, "beginUpload", id=resource["resource"]["id"]))["ticket"]["id"]
        assert await _who(server, token) == await _who(server, api_token) == "mallory"
        await server.stopped()

    registry.put_back()
    with registry.serve() as server:
        server.ready()
        root = await _signed_in(server, "admin", ROOT["OSTIARY_DEFAULT_ADMIN__PASSWORD"])
        boss = await _make_user(server, root, "boss", "admin")
        async with server.client(await _signed_in(server, "boss", PASSWORD)) as client:
            again = await _mutate(client, CREATE, "createResource", slug="others")
        async with server.client() as client:
            finished = await graphql(client, FINISH, id=ticket)

        assert (boss, again["resource"]["id"]) == (mallory, resource["resource"]["id"]), "the ids come again"
        assert [await _who(server, each) for each in (token, api_token)] == [None, None]
        assert [error["code"] for error in finished["data"]["finishUpload"]["errors"]] == ["NOT_FOUND"]


async def test_a_rename_makes_no_token_of_after_the_backup_somebody_elses(registry: Registry) -> None:
    with registry.serve() as server:
        server.ready()
        root = await _signed_in(server, "admin", ROOT["OSTIARY_DEFAULT_ADMIN__PASSWORD"])
        await _make_user(server, root, "ann", "user")
        old = await _signed_in(server, "ann", PASSWORD)
        await server.stopped()
    registry.back_up()
    with registry.serve() as server:
        server.ready()
        await _make_user(server, root, "mallory", "user")
        async with server.client(root) as client:
            await _mutate(client, RENAME, "renameUser", old="ann", new="anna")
            await _mutate(client, RENAME, "renameUser", old="mallory", new="boss")
        renamed, mallory = [await _signed_in(server, name, PASSWORD) for name in ("anna", "boss")]
        assert [await _who(server, each) for each in (old, renamed, mallory)] == ["anna", "anna", "boss"]
        await server.stopped()

    registry.put_back()
    with registry.serve() as server:
        server.ready()
        await _make_user(server, root, "boss", "admin")
        assert [await _who(server, each) for each in (old, renamed, mallory)] == ["ann", "ann", None]
        async with server.client(root) as client:
            await _mutate(client, RENAME, "renameUser", old="boss", new="mallory")
            await _mutate(client, RENAME, "renameUser", old="ann", new="boss")
        assert [await _who(server, each) for each in (old, renamed, mallory)] == ["boss", "boss", None]


async def test_a_command_ends_what_was_ended_since_the_backup(registry: Registry) -> None:
    with registry.serve() as server:
        server.ready()
        root = await _signed_in(server, "admin", ROOT["OSTIARY_DEFAULT_ADMIN__PASSWORD"])
        await _make_user(server, root, "ann", "user")
        ann = await _signed_in(server, "ann", PASSWORD)
        async with server.client(ann) as client:
            program = (await graphql(client, CREATE_TOKEN))["data"]["createApiToken"]["token"]
        await server.stopped()
    registry.back_up()
    registry.put_back()  # ended by a sign-out, which the backup does not know of

    output = registry.run("sessions", "end", starts=True)

    assert output == "ended all sessions (2 users) and all tickets (0)\n"
    with registry.serve() as server:
        server.ready()
        assert [await _who(server, each) for each in (ann, root, program)] == [None, None, "ann"]
        assert registry.run("sessions", "end", "--api-tokens").splitlines()[1] == "deleted 1 API token"
        assert await _who(server, program) is None
        again = await _signed_in(server, "admin", ROOT["OSTIARY_DEFAULT_ADMIN__PASSWORD"])
        async with server.client(again) as client:
            events = await graphql(
                client, '{ auditEvents(filter: {action: {eq: "endSessions"}}) { nodes { channel } } }'
            )
        assert events["data"]["auditEvents"]["nodes"] == [{"channel": "COMMAND"}] * 2


async def test_a_lost_password_is_replaced_while_the_server_runs(registry: Registry) -> None:
    with registry.serve() as server:
        server.ready()
        root = await _signed_in(server, "admin", ROOT["OSTIARY_DEFAULT_ADMIN__PASSWORD"])

        output = registry.run("admin", "reset-password", "Admin", starts=True)

        fresh = output.rpartition(": ")[2].strip()
        assert await _who(server, root) is None
        assert await _who(server, await _signed_in(server, "admin", fresh)) == "admin"


async def _signed_in(server: Server, name: str, password: str) -> str:
    return await server.token(name, password)


async def _make_user(server: Server, token: str, name: str, role: str) -> str:
    async with server.client(token) as client:
        user_id: str = (await _mutate(client, CREATE_USER, "createUser", name=name, password=PASSWORD, roles=[role]))[
            "user"
        ]["id"]
    return user_id


async def _mutate(client: httpx.AsyncClient, query: str, field: str, **variables: Any) -> Any:
    reply = await graphql(client, query, **variables)
    assert "errors" not in reply, reply
    assert all(payload["errors"] == [] for payload in reply["data"].values()), reply
    return reply["data"][field]


async def _who(server: Server, token: str) -> str | None:
    async with server.client(token) as client:
        reply = await graphql(client, WHO)
    if "errors" in reply:
        assert [error["extensions"]["code"] for error in reply["errors"]] == ["UNAUTHENTICATED"]
        return None
    name: str = reply["data"]["viewer"]["user"]["userName"]
    return name
