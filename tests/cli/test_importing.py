"""The command `import`: what arrives, who can sign in and read it, what is left out, and what a second run does."""

import asyncio
import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from app import cli, db
from tests.services.state.documents import events
from tests.support.client import Api
from tests.support.dronedb_source import DroneDB, aspnet_hash

Capture = pytest.CaptureFixture[str]

on_sqlite = pytest.mark.parametrize("backend", ["sqlite"], indirect=True)

REEF = DroneDB(
    users={
        "id-ann": {
            "UserName": "ann",
            "Email": "ann@example.org",
            "PasswordHash": aspnet_hash("corals at noon"),
            "Metadata": '{"maxStorageMB": 10240, "department": "Reefs"}',
        },
        "id-bob": {"UserName": "bob", "PasswordHash": aspnet_hash("tides and currents")},
        "id-eve": {"UserName": "eve", "PasswordHash": aspnet_hash("winds from the west")},
        "id-old": {
            "UserName": "old",
            "PasswordHash": aspnet_hash("sands"),
            "LockoutEnd": "9999-12-31 23:59:59.9999999+00:00",
        },
    },
    roles={"r-editor": "editor", "r-off": "deactivated"},
    holders=[("id-ann", "r-editor")],
    orgs=[("reef", "Reef  Lab", "id-ann", 0)],
    members=[("reef", "id-bob", 0), ("reef", "id-ann", 3)],
    datasets=[
        ("reef", "private", {"visibility": 0, "name": "Private one"}),
        ("reef", "unlisted", {"visibility": 1}),
        ("reef", "everyone", {"visibility": 2, "tagline": "For all."}),
    ],
)

MIXED = DroneDB(
    users={
        "ann": {"Email": "shared@example.org"},
        "bob.lee": {"Email": "shared@example.org", "PasswordHash": "plain text"},
        "nameless": {"UserName": None},
        "carl": {"PasswordHash": "AAbroken", "Metadata": '{"maxStorageMB": "much", "desk": 4}'},
        "dora": {"Email": "dor\u0430@example.org", "Metadata": "[]"},
    },
    roles={"1": "\u0430dmin", "2": None},
    holders=[("ann", "1")],
    orgs=[
        ("reef", "Reef", "bob.lee", 0),
        ("sea", "Sea", None, 0),
        ("Reef 2", "Reef", "ann", 0),
        ("public", "Public", "gone", 1),
    ],
    members=[("reef", "carl", 7), ("sea", "bob.lee", 1), ("reef", "ghost", 1), ("reef", "dora", 2)],
    datasets=[("reef", "corals", {"visibility": 9}), ("reef", "maps", None), ("public", "open", {"visibility": 2})],
)
"""A registry of which nearly everything has something wrong."""

MISFITS = {
    ("role \u0430dmin", ""),
    ("role 2", ""),
    ("user nameless", ""),
    ("user bob.lee", ""),
    ("user carl", "passwordHash"),
    ("user carl", "metadata maxStorageMB"),
    ("user dora", "email"),
    ("user dora", "metadata"),
    ("org reef", "owner"),
    ("org Reef 2", ""),
    ("org public", "owner"),
    ("org public", ""),
    ("member carl of org reef", ""),
    ("member bob.lee of org sea", ""),
    ("member ghost of org reef", ""),
    ("resource reef/corals", "visibility"),
    ("resource reef/maps", "visibility"),
    ("resource public/open", ""),
}

SEEN = "{ resources(first: 20) { nodes { slug viewerAccess { effectiveRoles } } } }"
READ = ["METADATA_READ", "DATASET_DATA_READ"]
ALL = ["METADATA_READ", "METADATA_WRITE", "DATASET_DATA_READ", "DATASET_DATA_WRITE", "ADMIN"]


@pytest.fixture(autouse=True)
def quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("logging.config.dictConfig", lambda _: None)


async def run(*arguments: str) -> int | None:
    """Run `ostiary import` beside the server, and return its exit code."""
    return await asyncio.to_thread(cli.main, ["import", *arguments])


async def sign_in(client: httpx.AsyncClient, name: str, password: str) -> str | None:
    """Return a session token, None if the password is wrong."""
    reply = await client.post("/users/authenticate", data={"username": name, "password": password})
    client.cookies.clear()
    token: str | None = reply.json()["token"] if reply.status_code == 200 else None
    return token


async def seen(api: Api, token: str | None) -> dict[str, Any]:
    """Return the roles on each dataset that somebody finds."""
    nodes = (await api(SEEN, token))["data"]["resources"]["nodes"]
    return {node["slug"]: node["viewerAccess"]["effectiveRoles"] for node in nodes}


async def test_people_of_dronedb_sign_in_with_their_passwords_and_see_what_they_saw(
    api: Api, client: httpx.AsyncClient, database: db.Database, tmp_path: Path, capsys: Capture
) -> None:
    REEF.write(tmp_path / "source")

    assert await run("dronedb", "source") == 0
    out, err = capsys.readouterr()
    assert out.startswith("15 added, 0 changed, 0 removed\n")
    assert err == ""

    for name, password in (("ann", "tides and currents"), ("old", "sands")):
        assert await sign_in(client, name, password) is None
    ann, bob, eve = [
        await sign_in(client, name, password)
        for name, password in (("ann", "corals at noon"), ("bob", "tides and currents"), ("eve", "winds from the west"))
    ]
    assert None not in {ann, bob, eve}
    assert await seen(api, ann) == dict.fromkeys(("private", "unlisted", "everyone"), ALL)
    assert await seen(api, bob) == dict.fromkeys(("private", "unlisted", "everyone"), READ)
    assert await seen(api, eve) == dict.fromkeys(("unlisted", "everyone"), READ)
    assert await seen(api, None) == dict.fromkeys(("unlisted", "everyone"), READ)
    viewer = await api("{ viewer { user { email metadata roles { name } } } }", ann)
    assert viewer["data"]["viewer"]["user"] == {
        "email": "ann@example.org",
        "metadata": {"maxStorageMB": 10240, "department": "Reefs"},
        "roles": [{"name": "editor"}, {"name": "user"}],
    }

    before = await events(database)
    assert [each for each in before if each[0] == "applyState"] == [("applyState", "COMMAND", None)]
    assert await run("dronedb", "source") == 0
    assert "no changes: the registry is as the document says\n" in (out := capsys.readouterr().out)
    assert "4 users keep the passwords that they have here\n" in out
    assert await events(database) == before
    assert await sign_in(client, "ann", "corals at noon") is not None


@on_sqlite
async def test_the_dumps_of_mysql_are_planned_and_made_like_sqlite_files(
    api: Api, client: httpx.AsyncClient, database: db.Database, tmp_path: Path, capsys: Capture
) -> None:
    MIXED.write(tmp_path / "sqlite")
    MIXED.write_dumps(tmp_path / "mysql")
    plans = []
    for source in ("sqlite", "mysql"):
        assert await run("dronedb", source, "--dry-run", "--json") == 4
        plans.append(json.loads(capsys.readouterr().out))
    assert plans[0] == plans[1]

    REEF.write_dumps(tmp_path / "reef")
    assert await run("dronedb", "reef/identity.sql", "--accounts-only") == 0
    assert capsys.readouterr().out.startswith("5 added, 0 changed, 0 removed\n")
    assert await sign_in(client, "ann", "corals at noon") is not None
    assert await run("dronedb", "reef") == 0
    assert capsys.readouterr().out.startswith("10 added, 0 changed, 0 removed\n")


@on_sqlite
async def test_what_does_not_fit_is_left_out_and_told(database: db.Database, tmp_path: Path, capsys: Capture) -> None:
    MIXED.write(tmp_path / "source")

    assert await run("dronedb", "source", "--json") == 4

    result = json.loads(capsys.readouterr().out)
    told = {(each["thing"], each["field"]) for each in result["leftOut"]}
    assert told == MISFITS
    assert all(each["reason"].endswith(".") for each in result["leftOut"])
    assert result["counts"]["add"] == 10, "ann, carl, dora, two orgs, a member, and two private datasets"
    assert "plain text" not in json.dumps(result)


@on_sqlite
async def test_plain_names_make_names_fit_but_never_two_of_them_the_same(
    database: db.Database, tmp_path: Path, capsys: Capture
) -> None:
    DroneDB(
        users={"ann.lee@example.org": {}, "bob.b": {}, "bobb": {}},
        orgs=[("reef", "Reef", "ann.lee@example.org", 0), ("sea", "Sea", "bobb", 0)],
        members=[("reef", "bob.b", 1)],
    ).write(tmp_path / "source")

    assert await run("dronedb", "source", "--plain-names", "--output", "-") == 4

    out, err = capsys.readouterr()
    assert "  - userName: annlee\n" in out
    assert "bob" not in out, "the rights of one would be those of the other"
    assert [line.split(":")[2].strip() for line in err.splitlines()] == [
        "user bob.b",
        "user bobb",
        "member bob.b (two users) of org reef",
        "org sea",
    ]


@on_sqlite
async def test_a_dry_run_and_an_output_change_nothing_and_the_output_can_be_applied(
    database: db.Database, tmp_path: Path, capsys: Capture
) -> None:
    REEF.write(tmp_path / "source")
    before = await events(database)

    assert await run("dronedb", "source", "--dry-run") == 0
    assert "  user ann gains the ownership of org reef\n" in capsys.readouterr().out
    assert await run("dronedb", "source", "--output", "moved.yaml") == 0
    assert capsys.readouterr().out == "wrote moved.yaml: 1 role, 4 users, 1 org, 3 resources\n"
    assert await events(database) == before

    assert await asyncio.to_thread(cli.main, ["apply", "moved.yaml"]) == 0
    assert capsys.readouterr().out.startswith("15 added, 0 changed, 0 removed\n")
    assert await run("dronedb", "source", "--dry-run") == 0
    assert capsys.readouterr().out.startswith("no changes")


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["--output", "moved.txt"], "moved.txt: name the file .yaml or .jsonl"),
        (["--output", "-", "--json"], "--json and --output - would both write to standard output"),
        (["--output", "no/moved.yaml"], "no/moved.yaml cannot be written: No such file or directory"),
    ],
)
@on_sqlite
async def test_an_output_that_cannot_be_is_one_line(
    settings: object, tmp_path: Path, capsys: Capture, arguments: list[str], text: str
) -> None:
    DroneDB().write(tmp_path / "source")

    assert await run("dronedb", "source", *arguments) == 1

    assert capsys.readouterr() == ("", f"ostiary: {text}\n")


@on_sqlite
async def test_a_source_that_cannot_be_read_is_one_line(database: db.Database, tmp_path: Path, capsys: Capture) -> None:
    (tmp_path / "mail.db").write_text("Dear registry, " * 100)
    before = await events(database)

    assert await run("dronedb", "mail.db") == 1

    out, err = capsys.readouterr()
    assert (out, err) == ("", "ostiary: mail.db is no database of DroneDB Registry: file is not a database\n")
    assert await events(database) == before
