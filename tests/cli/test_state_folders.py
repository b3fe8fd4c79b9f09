"""The commands `export`, `plan` and `apply` on folders and on tables: what is read, written, refused and told."""

import asyncio
import io
import stat
from pathlib import Path
from types import SimpleNamespace

import pytest

from app import cli
from app.cli.common import CommandFailed
from app.cli.output import output_file, output_folder
from app.cli.state import TABLE_NAMES
from app.config import Settings
from app.services.state import folders, tables
from tests.conftest import open_db
from tests.services.state.documents import BASE, events

Capture = pytest.CaptureFixture[str]
NOTHING = "ostiary: nothing was changed\n"


pytestmark = pytest.mark.parametrize("backend", ["sqlite"], indirect=True)
"""Files are read and written in one way for both databases; tests/services/state applies them to both."""


@pytest.fixture(autouse=True)
def quiet(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder with the file of BASE, and no lines of the log."""
    monkeypatch.setattr("logging.config.dictConfig", lambda _: None)
    Path("base.yaml").write_text(BASE)


@pytest.fixture
def registry(quiet: None, capsys: Capture) -> None:
    """A registry with the objects of BASE."""
    assert cli.main(["apply", "base.yaml"]) == 0
    capsys.readouterr()


def _texts(folder: str) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in Path(folder).iterdir()}


@pytest.mark.usefixtures("registry")
@pytest.mark.parametrize("form", ["yaml", "jsonl"])
def test_a_folder_goes_to_an_empty_registry_and_comes_back_byte_for_byte(
    form: str, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert cli.main(["export", "first/", "--format", form]) == 0
    out = capsys.readouterr().out
    assert out == "wrote first/: 7 resourceTypes, 3 roles, 2 users, 1 org, 1 group, 1 resource\n"
    sections = ("resourceTypes", "roles", "users", "orgs", "groups", "resources")
    assert {*_texts("first")} == {f"{section}.{form}" for section in sections}
    assert {stat.S_IMODE(path.stat().st_mode) for path in Path("first").iterdir()} == {0o600}
    assert cli.main(["plan", "first", "--prune", "--exit-code"]) == 0

    monkeypatch.setenv("OSTIARY_DATABASE_URL", "sqlite:///second.db")
    assert cli.main(["migrate"]) == 0
    assert cli.main(["apply", "first"]) == 0
    assert "\n11 added, 0 changed, 0 removed\n" in capsys.readouterr().out
    assert cli.main(["export", "second/", "--format", form]) == 0
    assert _texts("second") == _texts("first")
    assert cli.main(["export", "second", "--format", form]) == 0, "it replaces its own files"


@pytest.mark.usefixtures("registry")
def test_a_folder_of_all_forms_is_one_document_in_one_event(url: str, capsys: Capture) -> None:
    folder = Path("mixed")
    folder.mkdir()
    (folder / "b-people.yaml").write_text("version: 1\nusers: [{userName: cleo}]\n")
    (folder / "a.jsonl").write_text(
        '{"kind": "registry", "version": 1}\n{"kind": "group", "slug": "crew", "displayName": "Crew"}\n'
    )
    (folder / "2026-groupMembers.csv").write_text("group,user,isManager\ncrew,cleo,true\n")
    (folder / ".hidden.yaml").write_text("no document")
    (folder / "README.md").write_text("no document")
    (folder / "old").mkdir()

    assert cli.main(["apply", "mixed"]) == 0

    out, err = capsys.readouterr()
    assert out.startswith("3 added, 0 changed, 0 removed\n")
    assert err.splitlines() == [
        "ostiary: mixed/README.md is left out: its name has no ending of a document or a table",
        "ostiary: mixed/old is left out: it is a folder",
    ]

    async def count() -> int:
        async with open_db(url) as database:
            return len(await events(database))

    assert asyncio.run(count()) == 2


def test_faults_of_a_folder_name_both_files_and_lines(capsys: Capture) -> None:
    folder = Path("twice")
    folder.mkdir()
    (folder / "a.yaml").write_text("version: 1\nusers:\n  - userName: ann\n  - userName: bob\n")
    (folder / "b.jsonl").write_text('{"kind": "registry", "version": 1}\n{"kind": "user", "userName": "ANN"}\n')
    (folder / "c.yaml").write_text("version: 1\nusers: [\n")
    (folder / "staff.csv").write_text("userName\ncleo\n")
    (folder / "users.csv").write_text("userName,mail\ndora,x\n")

    assert cli.main(["apply", "twice"]) == 1

    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == (
        "ostiary: twice/b.jsonl: line 2: users[0]: This is listed already, at twice/a.yaml, line 3: users[0]. "
        "Remove one of them."
    )
    assert lines[1].startswith("ostiary: twice/c.yaml: line 3: This is not YAML: ")
    assert lines[2].startswith("ostiary: twice/staff.csv: Name the table after what it lists: users.csv, ")
    assert lines[3].startswith("ostiary: twice/users.csv: line 1: users: There is no column `mail` in users.")
    assert lines[4:] == [NOTHING.strip()]


def test_a_fault_that_only_the_registry_shows_names_its_file(capsys: Capture) -> None:
    folder = Path("late")
    folder.mkdir()
    (folder / "a.yaml").write_text("version: 1\nusers: [{userName: cleo}]\n")
    (folder / "b.yaml").write_text("version: 1\norgs:\n  - {slug: sea, name: Sea, owner: nemo}\n")

    assert cli.main(["plan", "late"]) == 1

    missing = "There is no user `nemo`, neither in the registry nor in the document."
    assert capsys.readouterr().err == f"ostiary: late/b.yaml: line 3: orgs[0].owner: {missing}\n{NOTHING}"


@pytest.mark.usefixtures("registry")
def test_tables_go_out_and_in_again_and_one_cell_is_one_change(capsys: Capture) -> None:
    assert cli.main(["export", "tables/", "--format", "csv"]) == 0
    assert capsys.readouterr().out == "wrote tables/: 2 users, 1 org, 1 orgMember, 1 group, 1 groupMember\n"
    assert cli.main(["plan", "tables", "--prune", "--exit-code"]) == 0

    users = Path("tables/users.csv")
    users.write_bytes(users.read_bytes().replace(b"ann@example.org", b"ann@reef.example"))
    capsys.readouterr()
    assert cli.main(["plan", "tables/users.csv"]) == 0
    assert capsys.readouterr().out.startswith('  ~ user ann: email "ann@example.org" -> "ann@reef.example"\n')
    assert cli.main(["apply", "tables/users.csv"]) == 0
    assert capsys.readouterr().out.startswith("0 added, 1 changed, 0 removed\n")


@pytest.mark.usefixtures("registry")
def test_a_table_goes_through_pipes(capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    assert cli.main(["export", "--table", "groupMembers"]) == 0
    assert capsys.readouterr().out == "group,user,isManager,expiresAt\ndivers,bob,true,\n".replace("\n", "\r\n")

    rows = b"group,user\ndivers,ann\n"
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO(rows)))
    assert cli.main(["apply", "-", "--table", "groupMembers"]) == 0
    assert capsys.readouterr().out.startswith("1 added, 0 changed, 0 removed\n")


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["plan", "nothing/"], "nothing cannot be read: No such file or directory"),
        (["plan", "staff.csv"], "staff.csv: name the table after what it lists (users.csv, "),
        (["export", "--format", "csv"], "-: name the table after what it lists (users.csv, "),
        (["export", "."], "base.yaml is there and would be read too. Remove it, or export to an empty folder"),
        (["export", "no/folder/"], "no/folder cannot be written: No such file or directory"),
        (["export", "base.yaml/"], "base.yaml cannot be written: Not a directory"),
        (["export", "new/", "--table", "users"], "--table is for one file; a folder has all tables with --format csv"),
        (["plan", ".", "--format", "yaml"], "--format and --table are for one file; "),
        (["plan", "base.yaml", "--table", "users", "--format", "yaml"], "--table is for CSV, and --format says yaml"),
        (["export", "new", "--table", "users", "--format", "jsonl"], "--table is for CSV, and --format says jsonl"),
    ],
)
def test_a_folder_or_a_table_that_cannot_be_used_is_one_line(arguments: list[str], text: str, capsys: Capture) -> None:
    assert cli.main(arguments) == 1
    err = capsys.readouterr().err
    assert text in err
    assert len(err.splitlines()) == 1
    assert not Path("new").exists()


def test_an_empty_folder_is_no_empty_document(capsys: Capture) -> None:
    Path("empty").mkdir()

    assert cli.main(["apply", "empty", "--prune"]) == 1
    assert (
        capsys.readouterr().err
        == f"ostiary: empty: The folder has no file that ends in .yaml, .jsonl or .csv.\n{NOTHING}"
    )


@pytest.mark.parametrize("entry", ["users.yaml", "users.csv", "link.yaml", "more", "README.md"])
def test_nothing_that_may_list_objects_is_passed_over(entry: str) -> None:
    folder = Path("parts")
    folder.mkdir()
    (folder / "base.yaml").write_text(BASE)
    if entry.startswith("link"):
        (folder / entry).symlink_to("nowhere.yaml")
    elif entry.startswith("README"):
        (folder / entry).write_text("")
    else:
        (folder / entry).mkdir()

    whole, pruned = (folders.read(folder, prune=prune)[0].faults for prune in (False, True))

    assert [fault.location.file for fault in pruned] == ([] if entry == "README.md" else [f"parts/{entry}"])
    assert [*whole] == ([] if entry == "more" else pruned)


def test_the_names_of_tables_are_those_of_the_options() -> None:
    assert (*tables.TABLES,) == TABLE_NAMES


@pytest.mark.parametrize("obstacle", ["directory", "full disk"])
def test_the_files_of_a_folder_are_replaced_all_or_none(obstacle: str, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = Path("kept")
    folder.mkdir()
    (folder / "a").write_text("old")
    if obstacle == "directory":
        (folder / "b").mkdir()
    else:
        monkeypatch.setattr("app.cli.output.os.fdopen", lambda *_, **__: _Full())

    with pytest.raises(CommandFailed, match=r"kept.* cannot be written: "):
        _write_new(folder)

    assert (folder / "a").read_text() == "old"
    assert [*folder.glob(".*")] == []


def _write_new(folder: Path) -> None:
    with output_folder(folder, ("a", "b")) as opened:
        for file in opened.values():
            file.write("new")


class _Full(io.StringIO):
    """A file whose last bytes find no room."""

    def close(self) -> None:
        super().close()
        raise OSError(28, "No space left on device")


@pytest.mark.usefixtures("registry")
def test_an_export_that_fails_leaves_the_files_of_the_last_one(
    capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert cli.main(["export", "kept/"]) == 0
    texts = _texts("kept")
    monkeypatch.setattr("app.services.state.file_writer.Writer._write_line", lambda *_: 1 / 0)
    monkeypatch.setattr("app.services.state.file_writer.block", lambda *_: 1 / 0)

    with pytest.raises(ZeroDivisionError):
        cli.main(["export", "kept"])

    assert _texts("kept") == texts


def test_long_reading_is_told(capsys: Capture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.cli.common.PROGRESS_SECONDS", 0)
    Path("users.csv").write_text("userName\ncleo\n")

    assert cli.main(["apply", "base.yaml"]) == 0
    assert cli.main(["plan", "users.csv"]) == 0

    err = capsys.readouterr().err
    assert "ostiary: read lines: 7 done\n" in err
    assert "ostiary: read rows: 1 done\n" in err
    assert "ostiary: read the registry: 15 done\n" in err


def test_what_a_killed_process_left_of_a_file_is_deleted_and_not_what_another_writes(tmp_path: Path) -> None:
    folder = tmp_path / "exports"
    folder.mkdir()
    (folder / ".a[1].yaml.99.partial").write_text("of a process that was killed")
    (folder / ".b.yaml.99.partial").write_text("of another file")

    with output_file(str(folder / "a[1].yaml")) as file:
        file.write("one")
        (mine,) = folder.glob(".a*")
        with pytest.raises(CommandFailed), output_file(str(folder / "a[1].yaml")):
            pass  # the same process, so the same name
        assert mine.exists()
    with output_file(str(folder / "a[1].yaml")) as file:
        file.write("two")

    assert (folder / "a[1].yaml").read_text() == "two"
    assert sorted(path.name for path in folder.iterdir()) == [".b.yaml.99.partial", "a[1].yaml"]
