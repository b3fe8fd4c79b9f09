"""Sources that are no registry of DroneDB, or that were made to harm: one clear line each, and in bounded time."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from app.db import other_sqlite
from app.services.imports import dronedb
from app.services.imports.translation import Translation, UnreadableSource
from tests.support.dronedb_source import META, DroneDB

NOW = datetime(2026, 1, 1, tzinfo=UTC)
ENDLESS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i AS Id, i AS UserName FROM n"


def translated(source: Path, **org_slugs: str) -> Translation:
    return dronedb.translate(dronedb.find_files(source, None), NOW, plain_names=False, org_slugs=org_slugs)


def _change(file: str, *statements: str) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        with closing(sqlite3.connect(folder / file)) as connection, connection:
            for statement in statements:
                connection.execute(statement)

    return change


def _write(file: str, content: bytes) -> Callable[[Path], object]:
    return lambda folder: (folder / file).write_bytes(content)


USERS = "DROP TABLE AspNetUsers"
HOSTILE: dict[str, tuple[Callable[[Path], object], str]] = {
    "no file": (lambda folder: (folder / "identity.db").unlink(), "there is no file"),
    "a text": (_write("registry.db", b"slug,name" * 500), "file is not a database"),
    "an empty file": (_write("registry.db", b""), "it has no table Organizations"),
    "another database": (_change("identity.db", USERS), "it has no table AspNetUsers"),
    "another table": (
        _change("identity.db", USERS, "CREATE TABLE AspNetUsers (Id TEXT)"),
        "its table AspNetUsers has no column UserName",
    ),
    "an endless view": (
        _change("identity.db", USERS, f"CREATE VIEW AspNetUsers AS {ENDLESS}"),
        "it has no table AspNetUsers",
    ),
    "a virtual table": (
        _change("identity.db", USERS, "CREATE VIRTUAL TABLE AspNetUsers USING fts5(Id, UserName)"),
        "it has no table AspNetUsers",
    ),
    "a table without end": (
        _change(
            "identity.db",
            USERS,
            "CREATE TABLE AspNetUsers (Id TEXT, UserName TEXT)",
            f"INSERT INTO AspNetUsers {ENDLESS} LIMIT 300",
        ),
        "its table AspNetUsers has more than 200 rows",
    ),
    "bytes": (
        _change(
            "identity.db",
            "INSERT INTO AspNetRoles (Id, Name) VALUES ('1', CAST(x'c328ff' AS TEXT))",
        ),
        "Could not decode to UTF-8",
    ),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_source_of_another_shape_is_refused_in_one_line(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    damage, reason = HOSTILE[name]
    source = DroneDB(users={"ann": {}}).write(tmp_path / "source")
    monkeypatch.setattr(other_sqlite, "MAX_ROWS", 200)
    damage(source)

    with pytest.raises(UnreadableSource) as refused:
        translated(source)

    assert reason in str(refused.value)
    assert len(str(refused.value).splitlines()) == 1


def test_the_work_for_a_file_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = DroneDB(users={"ann": {}}).write(tmp_path / "source")
    monkeypatch.setattr(other_sqlite, "MAX_STEPS", 2_000_000)

    connection = other_sqlite._open(source / "identity.db")
    with closing(connection), pytest.raises(sqlite3.OperationalError, match="interrupted"):
        connection.execute(f"{ENDLESS} LIMIT 1 OFFSET 1000000000").fetchall()


def test_a_row_leads_to_no_file_outside_of_the_datasets(tmp_path: Path) -> None:
    source = DroneDB(orgs=[("../up", "Up", None, 0)]).write(tmp_path / "source")
    _change(
        "registry.db",
        "INSERT INTO Datasets VALUES (1, 'a', '../up', '00000000-0000-0000-0000-000000000001', '', '')",
        "INSERT INTO Datasets VALUES (2, 'b', 'reef', '../../up', '', '')",
    )(source)
    outside = tmp_path / "source/up/00000000-0000-0000-0000-000000000001/.ddb"
    outside.mkdir(parents=True)
    _change("dbase.sqlite", META, "INSERT INTO entries_meta VALUES ('1', '', 'visibility', '2', 0)")(outside)
    (source / "datasets").mkdir()

    told = [misfit for misfit in translated(source).misfits if misfit.field == "visibility"]

    assert [misfit.reason for misfit in told] == ["It is unknown, so the dataset is private."] * 2


def test_older_versions_have_no_members_no_levels_and_one_file(tmp_path: Path) -> None:
    source = DroneDB(
        users={"ann": {}, "bob": {}}, orgs=[("reef", "Reef", "ann", 1)], members=[("reef", "bob", 0)]
    ).write(tmp_path / "source")
    _change("registry.db", "ALTER TABLE OrganizationsUsers DROP COLUMN Permissions")(source)
    (org,) = translated(source).sections["orgs"]
    assert org["members"] == [{"user": "bob", "level": "READ_WRITE"}]

    _change(
        "identity.db",
        "ATTACH '{}' AS registry".format(source / "registry.db"),
        "CREATE TABLE Organizations AS SELECT * FROM registry.Organizations",
        "CREATE TABLE Datasets (Slug TEXT, OrganizationSlug TEXT, Meta TEXT)",
        """INSERT INTO Datasets VALUES ('maps', 'reef', '{"public": true, "name": "Maps"}')""",
    )(source)
    old = translated(source / "identity.db")
    assert old.misfits == []
    assert old.sections["orgs"] == [{**org, "members": []}]
    (dataset,) = old.sections["resources"]
    assert (dataset["name"], [*dataset["grants"]]) == ("Maps", ["general", "anyone"])


def test_an_org_gets_another_slug_unless_two_would_be_one(tmp_path: Path) -> None:
    orgs, datasets = [("public", "Public", None, 1), ("reef", "Reef", None, 0)], [("public", "maps", {"visibility": 2})]
    source = DroneDB(orgs=orgs, datasets=datasets).write(tmp_path / "source")

    moved = translated(source, public="open")
    assert [org["slug"] for org in moved.sections["orgs"]] == ["open", "reef"]
    assert [dataset["org"] for dataset in moved.sections["resources"]] == ["open"]
    assert moved.misfits == []

    for slugs in ({"public": "reef"}, {"gone": "open"}, {"public": "open", "reef": "open"}):
        with pytest.raises(UnreadableSource):
            translated(source, **slugs)


WORLD = DroneDB(
    users={
        "1": {"UserName": "ann", "PasswordHash": "AQ+/==", "Metadata": '{"note": "it\'s; \\\\ \\n -- /* \u00e5"}'},
        "2": {"UserName": "bob", "LockoutEnd": "2199-12-31 23:59:59.999999"},
        "3": {"UserName": None, "Email": "c,(d)@example.org"},
    },
    roles={"r": "editor", "a": "admin"},
    holders=[("1", "r"), ("2", "a")],
    orgs=[("reef", 'Reef "1"', "1", 1)],
    members=[("reef", "2", 3), ("reef", "9", 1)],
    datasets=[("reef", "corals", {"visibility": 2}), ("reef", "maps", None)],
)


@pytest.mark.parametrize("options", [{}, {"complete": True, "one_row": True}, {"complete": True, "with_tables": False}])
def test_the_dumps_of_mysql_are_the_same_registry_as_its_sqlite_files(options: dict[str, bool], tmp_path: Path) -> None:
    expected = translated(WORLD.write(tmp_path / "sqlite"))
    assert len(expected.sections["users"]) == 2
    assert [role["name"] for role in expected.sections["roles"]] == ["editor"]

    folder = WORLD.write_dumps(tmp_path / "mysql", **options)
    for source in (folder, folder / "all.sql"):
        moved = dronedb.translate(dronedb.find_files(source, folder / "datasets"), NOW, plain_names=False, org_slugs={})
        assert (moved.sections, moved.misfits) == (expected.sections, expected.misfits)
        (folder / "all.sql").write_text((folder / "identity.sql").read_text() + (folder / "registry.sql").read_text())


def test_accounts_can_come_alone(tmp_path: Path) -> None:
    folder = WORLD.write_dumps(tmp_path / "mysql")
    whole = translated(folder)
    (folder / "registry.sql").unlink()
    with pytest.raises(UnreadableSource, match=r"there is no file .*registry.db"):
        translated(folder)

    for source in (folder, folder / "identity.sql"):
        files = dronedb.find_files(source, None)
        alone = dronedb.translate(files, NOW, plain_names=False, org_slugs={}, accounts_only=True)
        kept = {name: whole.sections[name] if name in {"roles", "users"} else [] for name in whole.sections}
        assert alone.sections == kept


FLAGGED = """
CREATE TABLE AspNetUsers (Id text, UserName text, LockoutEnd text, LockoutEnabled text);
CREATE TABLE AspNetRoles (Id text, Name text);
CREATE TABLE AspNetUserRoles (UserId text, RoleId text);
CREATE TABLE Organizations (Slug text, Name text, IsPublic text);
CREATE TABLE Datasets (Slug text, OrganizationSlug text);
INSERT INTO AspNetUsers VALUES ('1', 'ann', '2199-12-31 23:59:59', {0});
INSERT INTO Organizations VALUES ('reef', 'Reef', {0});
"""


@pytest.mark.parametrize(
    ("literal", "expected"),
    [
        *[(literal, False) for literal in ("0", "'0'", "0x00", "b'0'", "NULL")],
        *[(literal, True) for literal in ("1", "'1'", "0x01", "b'1'")],
        *[(literal, None) for literal in ("2", "-1", "0.5", "''", "'00'", "'no'")],
    ],
)
def test_a_flag_is_read_strictly_and_what_is_none_keeps_closed(
    literal: str, expected: bool | None, tmp_path: Path
) -> None:
    (tmp_path / "all.sql").write_text(FLAGGED.format(literal))

    moved = translated(tmp_path / "all.sql")

    (org,), (user,) = moved.sections["orgs"], moved.sections["users"]
    is_locked = "deactivated" in user["roles"]
    assert (org["isPublic"], is_locked) == ((False, True) if expected is None else (expected, expected))
    assert [misfit.field for misfit in moved.misfits] == (["LockoutEnabled", "IsPublic"] if expected is None else [])


def test_two_files_of_one_database_are_refused(tmp_path: Path) -> None:
    folder = WORLD.write_dumps(tmp_path / "mysql")
    (folder / "registry.db").touch()
    with pytest.raises(UnreadableSource, match=r"has registry.db and registry.sql: remove one of them"):
        translated(folder)
    assert dronedb.find_files(folder, None, accounts_only=True).identity == folder / "identity.sql"

    (folder / "identity.db").touch()
    with pytest.raises(UnreadableSource, match=r"has identity.db and identity.sql: remove one of them"):
        translated(folder)
