"""Claims about the commands of developers: each prints its usage and changes nothing, and refuses bad arguments."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from scripts import long_tests
from scripts.differential.__main__ import DATABASES
from tests.support.sources import files

HOME = Path(__file__).parents[2]
SCRIPTS = sorted(path.name for path in (HOME / "scripts").iterdir() if path.is_file() and os.access(path, os.X_OK))
WATCHED = ("app", "docs", "scripts", "tests")


def _state() -> dict[str, tuple[int, int]]:
    """Return size and time of each file that a script could change by mistake."""
    inside = [path for folder in WATCHED for path in files(HOME / folder)]
    top = [path for path in HOME.iterdir() if not path.name.startswith(".")]
    existing = [path for path in [*inside, *top, HOME / ".venv" / ".ostiary"] if path.is_file()]
    return {path.as_posix(): (path.stat().st_size, path.stat().st_mtime_ns) for path in existing}


def test_every_script_is_found() -> None:
    assert {"check", "compatibility", "faults", "feed", "setup", "test"} <= set(SCRIPTS)


@pytest.mark.parametrize(("name", "option"), [*((name, "--help") for name in SCRIPTS), ("check", "-h"), ("feed", "-h")])
def test_help_prints_the_usage_and_changes_nothing(name: str, option: str, tmp_path: Path) -> None:
    before = _state()

    done = subprocess.run([HOME / "scripts" / name, option], cwd=tmp_path, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr
    assert done.stdout.lower().startswith(f"usage: scripts/{name}")
    assert done.stderr == ""
    assert _state() == before
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["bench", "compare-executors", "compatibility", "faults", "feed"])
@pytest.mark.parametrize("environment", ["none", "without the tools of developers"])
def test_help_needs_no_environment_of_developers(name: str, environment: str, tmp_path: Path) -> None:
    (tmp_path / "scripts").mkdir()
    for each in (name, "help.sh"):
        shutil.copy(HOME / "scripts" / each, tmp_path / "scripts" / each)
    if environment != "none":
        (tmp_path / ".venv/bin").mkdir(parents=True)
        (tmp_path / ".venv/.ostiary").write_text("place here\nruntime 1 2\n")
        (tmp_path / ".venv/bin/python").symlink_to("/bin/false")

    done = subprocess.run([tmp_path / "scripts" / name, "--help"], capture_output=True, text=True, check=False)

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(f"usage: scripts/{name}: ")
    assert "scripts/setup --dev" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["faults", "many"], "argument rounds: 'many' is no whole number above 0"),
        (["faults", "0"], "argument rounds: '0' is no whole number above 0"),
        (["faults", "--crowd", "-5"], "argument --crowd: "),
        (["faults", "--seed", "x"], "argument --seed: 'x' is no whole number above 0"),
        (["feed", "1e5"], "argument events: '1e5' is no whole number above 0"),
        (["feed", "1", "2"], "unrecognized arguments: 2"),
    ],
)
def test_a_number_that_is_none_is_refused_by_the_name_of_its_argument(
    arguments: list[str], problem: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stopped:
        long_tests.main(arguments)

    assert stopped.value.code == 2
    text = capsys.readouterr().err
    assert text.startswith(f"usage: scripts/{arguments[0]}")
    assert problem in text


@pytest.mark.parametrize(
    ("arguments", "environment", "file"),
    [
        (["faults"], {"FAULT_ROUNDS": "200", "FAULT_SEED": "1"}, "tests/services/test_faults.py"),
        (["faults", "7", "--seed", "3"], {"FAULT_ROUNDS": "7", "FAULT_SEED": "3"}, "tests/services/test_faults.py"),
        (["faults", "--crowd"], {"CROWD": "100000", "LONGEST_PIECE": "0.025"}, "tests/services/test_big_changes.py"),
        (["faults", "--crowd", "9"], {"CROWD": "9", "LONGEST_PIECE": "0.025"}, "tests/services/test_big_changes.py"),
        (["feed"], {"FEED_EVENTS": "100000"}, "tests/db/test_event_order.py"),
        (["feed", "50"], {"FEED_EVENTS": "50"}, "tests/db/test_event_order.py"),
    ],
)
def test_a_long_test_runs_its_file_with_its_numbers(
    arguments: list[str], environment: dict[str, str], file: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs: list[list[str]] = []
    monkeypatch.setattr(os, "environ", {})
    monkeypatch.setattr(pytest, "main", lambda options: runs.append(options) or 3)  # type: ignore[func-returns-value]

    assert long_tests.main(arguments) == 3

    assert dict(os.environ) == environment
    assert [file in options for options in runs] == [True]


def test_the_executors_are_compared_with_all_that_queries_need() -> None:
    """The questions select every field of the root, some of which read settings and not the database."""
    command = [sys.executable, "-m", "scripts.differential", "60", "1", "1"]
    done = subprocess.run(command, cwd=HOME, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr
    assert done.stdout.count(" 0 failures") == len(DATABASES)
