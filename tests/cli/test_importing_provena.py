"""The command `import provena`: the same people have the same roles, locked items are locked, and the rest is told."""

import json
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from app import db
from app.db.tables import User, col
from tests.cli.test_importing import Capture, on_sqlite, quiet, run
from tests.services.state.documents import events
from tests.support.client import Api
from tests.support.factories import Make, Person
from tests.support.provena_source import group, item, lock, write

__all__ = ["quiet"]

READ, DATA_READ = "metadata-read", "dataset-data-read"
WRITE, DATA_WRITE = "metadata-write", "dataset-data-write"
GROUPS = [group("reef-editors", "bob", "carl"), group("Reef Viewers", "carl")]
ITEMS = [
    item("10378.1/1", "ann", [READ, DATA_READ], {"reef-editors": [WRITE, DATA_WRITE]}, keywords=["corals"]),
    item(
        "10378.1/2",
        "ann",
        [],
        {"Reef Viewers": [READ]},
        subtype="MODEL",
        lock_payload=lock(("LOCK", "old"), ("UNLOCK", "done"), ("LOCK", "Under review"), ("UNLOCK", "not this")),
    ),
    item("10378.1/3", "bob", [READ], {"reef-editors": ["admin"]}, subtype="DATASET_TEMPLATE"),
]

SEEN = "{ resources(first: 20) { nodes { slug lock { reason } viewerAccess { effectiveRoles } } } }"


async def user(database: db.Database, name: str) -> Person:
    """Return a user who was imported."""
    columns = select(col(User.id), col(User.user_name), col(User.token_generation)).where(col(User.user_name) == name)
    (row,) = await database.ask(columns, freshness=db.Freshness.PRIMARY)
    return Person(*row)


async def seen(api: Api, person: Person | None) -> dict[str, Any]:
    """Return the number of roles on each item that somebody finds."""
    nodes = (await api(SEEN, person))["data"]["resources"]["nodes"]
    return {node["slug"]: len(node["viewerAccess"]["effectiveRoles"]) for node in nodes}


async def test_people_of_provena_have_the_roles_that_they_had(
    api: Api, make: Make, database: db.Database, tmp_path: Path, capsys: Capture
) -> None:
    write(tmp_path / "exports/registry.json", ITEMS)
    write(tmp_path / "exports/groups.json", GROUPS)

    assert await run("provena", "exports") == 0
    assert capsys.readouterr().err == ""

    dora = await make.user("dora", "user")
    one, two, three = "10378-1-1", "10378-1-2", "10378-1-3"
    assert await seen(api, await user(database, "ann")) == {one: 5, two: 3, three: 1}
    assert await seen(api, await user(database, "bob")) == {one: 4, three: 3}
    assert await seen(api, await user(database, "carl")) == {one: 4, two: 1, three: 3}
    assert await seen(api, dora) == {one: 2, three: 1}
    assert await seen(api, None) == {}
    item_query = """{ resource(by: {path: {orgSlug: "provena", slug: "%s"}}) {
      name type { name } metadata lock { reason } owner { userName displayName email } } }"""
    ann = await user(database, "ann")
    first = (await api(item_query % one, ann))["data"]["resource"]
    assert (first["metadata"]["keywords"], "history" in first["metadata"]) == (["corals"], False)
    second = (await api(item_query % two, ann))["data"]["resource"]
    assert (second["name"], second["type"]["name"]) == ("Item 10378.1/2", "MODEL")
    assert second["lock"] == {"reason": "Under review"}

    before = await events(database)
    assert await run("provena", "exports", "--dry-run") == 0
    assert await run("provena", "exports") == 0
    assert capsys.readouterr().out.count("no changes: the registry is as the document says\n") == 2
    assert await events(database) == before


@on_sqlite
async def test_what_does_not_fit_is_left_out_and_told(database: db.Database, tmp_path: Path, capsys: Capture) -> None:
    deep: Any = 1
    for _ in range(600):
        deep = [deep]
    groups = [group("general", "ann"), group("Divers", "ann"), group("divers", "eve"), group("x", "not@here")]
    items = [
        item("a/1", "not@here", [READ, "owner"], {"divers": ["admin"], "Divers": [READ], "gone": [READ]}),
        item("a/2", "ann", [DATA_READ], subtype="MODEL", more=deep),
        item("a.2", "ann", [READ]),
        item("a/3", "ann", [READ], subtype="no type"),
        {**item("a/4", "ann"), "auth_payload": {}},
        {"id": 5, "item_payload": {}},
        {"id": "a/6", "item_payload": {"display_name": "No type"}},
    ]
    path = write(tmp_path / "all.json", [*groups, *items])

    assert await run("provena", str(path), "--json") == 4

    result = json.loads(capsys.readouterr().out)
    assert {(each["thing"], each["field"]) for each in result["leftOut"]} == {
        ("group general", ""),
        ("group divers", ""),
        ("group x", ""),
        ("user not@here", ""),
        ("resource provena/a-1", "role owner"),
        ("resource provena/a-1", "group divers"),
        ("resource provena/a-1", "owner"),
        ("grant to group gone on resource provena/a-1", ""),
        ("resource provena/a-2", "role dataset-data-read"),
        ("resource provena/a-2", "metadata"),
        ("resource provena/a-2", ""),
        ("resource type no type", ""),
        ("resource provena/a-3", ""),
        ("resource provena/a-4", "access settings"),
        ("item 5", ""),
        ("item a/6", ""),
    }
    assert "\n" not in "".join(each["thing"] + each["reason"] for each in result["leftOut"])


@pytest.mark.parametrize("text", ["", "[", "[" * 100_000, '{"items": 1}', "[1]", '[{"id": "a"}]', "\ud800", "[NaN]"])
@on_sqlite
async def test_a_file_of_another_shape_is_one_line(
    text: str, settings: object, tmp_path: Path, capsys: Capture
) -> None:
    (tmp_path / "all.json").write_text(text, encoding="utf-8", errors="surrogatepass")

    assert await run("provena", "all.json") == 1

    out, err = capsys.readouterr()
    assert (out, len(err.splitlines())) == ("", 1)
    assert err.startswith("ostiary: all.json is no")
