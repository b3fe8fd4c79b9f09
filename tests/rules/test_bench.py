"""The benchmark generates its world, serves it, checks each first answer, and prints its table."""

import os
import signal
from collections.abc import Mapping, Sequence
from pathlib import Path
from threading import Thread
from typing import IO, Any

import pytest

from scripts.benchmark import console, figures, floods, hostile, peers, report, server, textbook
from scripts.benchmark.__main__ import main
from scripts.benchmark.cases import BASELINE
from scripts.benchmark.filling import sqlite_world
from scripts.benchmark.load import Measured, Refused
from scripts.benchmark.report import Run
from scripts.benchmark.world import ExistingIds, Spec, World
from tests.support.hostile import HOSTILE
from tests.support.programs import Program

TINY = ["--users", "40", "--orgs", "4", "--groups", "25", "--resources", "300", "--seconds", "0.03"]
EXISTING_ROWS = ExistingIds(
    {"admin": 1, "user": 2}, dict.fromkeys(["DATASET", "MODEL", "MODEL_RUN", "WORKFLOW", "STUDY"], 1)
)


def test_a_tiny_world_is_measured_from_end_to_end(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    file = tmp_path / "speed.json"
    assert main(["--database", "sqlite", *TINY, "--save", str(file)]) == 0

    output = capsys.readouterr().out
    (saved,) = figures.read(file).values()
    assert {BASELINE, "one check"} <= saved.keys()
    rows = [line.split(" | ") for line in output.splitlines() if " | SQLite | " in line]
    assert {"one check", "1,000 checks, with a writer", "grantAccess", "login"} <= {
        row[0].removeprefix("| ") for row in rows
    }
    assert all(float(row[3]) > 0 for row in rows)


class Forked(Program):
    """A server of the benchmark, forked from a process that has imported the application."""

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


def fork(command: Sequence[str], folder: Path, environment: Mapping[str, str], log: IO[bytes]) -> Forked:
    """Serve as `server.start` does. The first test starts a server that imports the application itself."""
    assert tuple(command) == server.SERVE
    return Forked(*command[2:], folder=folder, environment=environment, out=log, err=log)


def test_hostile_documents_are_sent_and_refused_while_others_ask(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {"LOOKS": 1, "TURNS": 1, "PAUSE_FACTOR": 0}.items():
        monkeypatch.setattr(hostile, name, value)
    monkeypatch.setattr(floods, "TURNS", 1)
    monkeypatch.setattr(server, "start", fork)

    main(["--hostile", "--database", "sqlite", *TINY])  # what it says of the times is the machine's affair

    output = capsys.readouterr().out
    assert all(f"| {name} | {why} | " in output for name, (_, why) in HOSTILE.items())
    assert all(f"| {name} | " in output for name in (*hostile.NORMAL, *floods.FLOODS))


def test_what_signing_in_costs_is_measured_by_itself(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--database", "sqlite", "--logins", *TINY]) == 0

    rows = [line.split(" | ") for line in capsys.readouterr().out.splitlines()]
    assert {"unknown user", "wrong password", "one check, quiet"} < {row[1] for row in rows}


def test_what_changes_cost_is_measured_by_itself_beside_the_disk(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--database", "sqlite", "--writes", *TINY]) == 0

    rows = [line.split(" | ") for line in capsys.readouterr().out.splitlines()]
    assert {(row[0], row[2]) for row in rows if row[1:2] == ["SQLite"]} == {
        (f"| {name}", channel)
        for name in ("updateUser", "updateResource", "grantAccess")
        for channel in ("service", "HTTP")
    }
    assert any(row[0].endswith("by SQLite alone") for row in rows)


def test_an_optimization_is_measured_beside_a_server_without_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--database", "sqlite", *TINY, "--ablations", "commit version"]) == 0

    rows = [line.split(" | ") for line in capsys.readouterr().out.splitlines()]
    cases = {(row[2], row[3]) for row in rows if row[0] == "| commit version"}
    assert {("the empty query", "1"), ("one check", "8")} < cases
    assert len(cases) == 12


class Threaded:
    """The textbook server in a thread of this process, which has imported its libraries."""

    def __init__(self, environment: Mapping[str, str], log: IO[bytes]) -> None:
        self.pid = os.getpid()
        self._server = textbook.server(environment)
        self._thread = Thread(target=self._server.run, args=([textbook.listen(log)],))
        self._thread.start()

    def poll(self) -> None:
        """Return None, since the thread runs until `terminate`."""

    def terminate(self) -> None:
        self._server.should_exit = True

    def wait(self, timeout: float) -> None:
        self._thread.join(timeout)


def test_the_server_and_a_textbook_server_answer_the_same_and_are_measured_in_rounds(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def start(command: Sequence[str], folder: Path, environment: Mapping[str, str], log: IO[bytes]) -> Any:
        is_ours = command == server.SERVE
        return fork(command, folder, environment, log) if is_ours else Threaded(environment, log)

    monkeypatch.setattr(server, "start", start)
    for name, value in {"ROUNDS": 1, "COMPARED": 10, "CONNECTIONS": (1,)}.items():
        monkeypatch.setattr(peers, name, value)

    assert main(["--peers", "--database", "sqlite", *TINY]) == 0

    rows = [line.split(" | ") for line in capsys.readouterr().out.splitlines() if " | SQLite | " in line]
    assert [row[0].split()[1] for row in rows] == ["50", "100", "one", "one"]
    assert all(float(cell.strip(" |").replace(",", "")) > 0 for row in rows for cell in row[2:])


def test_servers_that_answer_differently_are_not_measured() -> None:
    peers.require_same("one check", {"checkAccess": True}, {"checkAccess": True})

    with pytest.raises(Refused, match="one check: the answers differ"):
        peers.require_same("one check", {"checkAccess": True}, {"checkAccess": False})


def test_a_stored_world_is_not_generated_again(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    urls = [
        sqlite_world(Spec(users=20, orgs=3, groups=5, resources=30), _folder(tmp_path / name), tmp_path / "stored")
        for name in ("first", "second")
    ]

    assert len({Path(url.removeprefix("sqlite:///")).read_bytes() for url in urls}) == 1
    assert capsys.readouterr().err.count("making the world") == 1


def _folder(path: Path) -> Path:
    path.mkdir()
    return path


def test_the_same_seed_makes_the_same_world() -> None:
    def tables(seed: int) -> list[object]:
        world = World(Spec(users=20, orgs=3, groups=5, resources=30, seed=seed))
        return [
            list(rows.rows)
            for rows in world.tables(EXISTING_ROWS)
            if rows.table.__tablename__ in {"grants", "org_members"}
        ]

    assert tables(1) == tables(1) != tables(2)


def test_the_world_of_the_console_is_crowded_where_pages_show_it() -> None:
    world = console.CrowdedWorld(Spec(users=1_500, orgs=3, groups=25, resources=30))
    tables = {str(rows.table.__tablename__): rows for rows in world.tables(EXISTING_ROWS)}

    def count(table: str, column: str) -> int:
        at = tables[table].columns.index(column)
        return sum(row[at] == console.CROWDED for row in tables[table].rows)

    assert [count("org_members", "org_id"), count("group_members", "group_id")] == [1_500, 1_500]
    assert count("grants", "resource_id") == console.ENTRIES


def test_the_table_of_the_console_has_every_page_of_both_databases() -> None:
    results = {
        "SQLite": {"home": console.Opened([3.0, 1.0, 2.0], before=7, statements=7)},
        "PostgreSQL": {"home": console.Opened([5.0, 4.0, 6.0], before=7, statements=70)},
    }

    *_, row = console.table(results, "Measured here.").splitlines()

    assert row == "| home | 2 | 3 | 7 | 5 | 6 | 7 → 70 GROWS |"


def test_a_cost_that_grew_is_called_so() -> None:
    def run(resources: int, page: float) -> Run:
        cases = {BASELINE: 0.001, "page, first": 0.002, "page, deep": page}
        return Run("SQLite", resources, {name: Measured([cost], 1, cost) for name, cost in cases.items()})

    flat = report.table([run(10, 0.002)], "scripts/bench", ["SQLite"])
    grown = report.table([run(10, 0.002), run(100, 0.02)], "scripts/bench", ["SQLite"])

    assert "NOT flat" not in flat
    assert "10.00 times the first: NOT flat" in grown.replace("costs ", "")
    assert "1.00, 10.00 times that of the smallest world: NOT flat" in grown


def test_a_case_that_became_slower_than_its_figure_is_named(tmp_path: Path) -> None:
    def run(cost: float, baseline: float = 0.001) -> Run:
        cases = {BASELINE: baseline, "one check": cost, f"only at {cost}": cost}
        return Run("SQLite", 10, {name: Measured([time], 1, time) for name, time in cases.items()})

    file = tmp_path / "speed-1.0.0.json"
    figures.write(file, [run(0.004)])
    stored = figures.read(file)

    slower, is_as_fast = figures.comparison([run(0.0055)], stored)
    same = figures.comparison([run(0.008, baseline=0.002)], stored)  # another machine, the same ratio

    assert (slower[2:4], is_as_fast) == (
        [
            "| baseline: GET /health/live | SQLite 10 | 1.0 | 1.0 | 1.00 |",
            "| one check | SQLite 10 | 4.0 | 5.5 | 1.38 slower |",
        ],
        False,
    )
    assert same[1]


def test_the_figures_of_the_newest_release_are_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(figures, "FOLDER", tmp_path)
    for version in ("0.9.0", "0.10.0"):
        figures.write(tmp_path / f"speed-{version}.json", [])

    assert figures.newest().name == "speed-0.10.0.json"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("{", "unexpected end of data"),
        ('{"SQLite 7": {}}', "the figures are of SQLite 7, and this run measures SQLite 300"),
    ],
)
def test_figures_that_say_nothing_are_refused_before_anything_is_measured(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, problem: str
) -> None:
    file = tmp_path / "figures.json"
    file.write_text(text)

    with pytest.raises(SystemExit) as stopped:
        main(["--database", "sqlite", *TINY, "--regress", str(file)])

    assert stopped.value.code == 2
    assert problem in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [["--users", "3"], ["--resources", "1"], ["--database", "oracle"]])
def test_a_world_that_cannot_be_is_refused(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(arguments)

    assert stopped.value.code == 2
