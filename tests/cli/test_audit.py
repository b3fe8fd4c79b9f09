"""Claims about `ostiary audit`: what it prints, its exit codes, and that it says what is wrong."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from app import administration, cli, db
from app.config import Settings
from app.db.tables import AuditEvent
from app.domain.viewer import SYSTEM
from app.services import audit
from tests.support.truncate import unguarded

Run = Callable[..., str]


@pytest.fixture(autouse=True)
def _quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("logging.config.dictConfig", lambda _: None)


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Run a command below `audit`, which must have an exit code, and return what it prints on both streams."""

    def execute(*arguments: str, code: int = 0) -> str:
        assert cli.main(["audit", *arguments]) == code
        captured = capsys.readouterr()
        return captured.err if code else captured.out

    return execute


def _on(settings: Settings, act: Callable[[db.Database], Awaitable[None]]) -> None:
    async def work() -> None:
        database = await db.open_database(settings.database_url)
        try:
            await act(database)
        finally:
            await database.close()

    asyncio.run(work())


async def _write(database: db.Database) -> None:
    for number in range(1, 6):
        async with audit.transaction(database, SYSTEM, "updateUser") as tx:
            for user in range(number):
                audit.note(tx, audit.USER, user + 1, {"number": number}, name=f"user{user}")


async def _tamper(database: db.Database) -> None:
    async with database.write() as tx, unguarded(database, tx):
        await tx.rows(update(AuditEvent).values(action="login"))


@pytest.fixture
def log(settings: Settings) -> Settings:
    """A log with the event of the first administrator and five more."""
    administration.prepare(settings)
    _on(settings, _write)
    return settings


def test_events_are_listed_the_newest_first(log: Settings, run: Run) -> None:
    lines = run("list", "--limit", "2").splitlines()
    assert [line.split()[4:6] for line in lines] == [["-", "updateUser"]] * 2
    assert lines[0].endswith("User user0, User user1, User user2, and 2 more")
    assert lines[1].endswith("User user0, User user1, User user2, and 1 more")

    listed = json.loads(run("list", "--json", "--object", "VXNlcjo0"))
    names = [[each["objectName"] for each in event["changes"]] for event in listed]
    assert names == [[f"user{at}" for at in range(5)], [f"user{at}" for at in range(4)]]
    assert run("list", "--actor", "nemo") == "no event matches\n"


def test_the_export_streams_every_event_with_its_changes(log: Settings, run: Run, tmp_path: Path) -> None:
    target = tmp_path / "audit.jsonl"
    text = run("export", str(target))
    exported = target.read_text().splitlines()
    listed = json.loads(run("list", "--json"))

    assert text == f"wrote {target}: 6 events\n"
    assert target.stat().st_mode & 0o777 == 0o600
    assert [json.loads(line) for line in exported] == listed[::-1]
    assert [len(event["changes"]) for event in listed[::-1]] == [1, 1, 2, 3, 4, 5]
    assert run("export").splitlines() == exported
    assert run("export", "--action", "createUser").splitlines() == exported[:1]
    at = listed[2]["createdAt"]
    assert run("export", "--since", at).splitlines() == exported[3:]
    assert run("export", "--until", at).splitlines() == exported[:3]


def test_a_log_is_verified_and_tampering_has_an_exit_code(log: Settings, run: Run) -> None:
    assert run("verify").splitlines()[1:] == [
        "newer and not sealed yet: 6 events",
        "nothing is sealed yet: there is no head to keep",
    ]
    run("prune", "--before", "2020-01-01")
    result = json.loads(run("verify", "--json"))
    assert (result["isValid"], result["events"], result["unsealed"]) == (True, 6, 0)
    assert run("verify", "--head", result["head"].upper()).splitlines() == [
        "the audit log is as it was sealed: 6 events in 1 seal",
        f"head: {result['head']}",
    ]
    unknown = "the head is wrong, or seals were removed or written again"
    assert run("verify", "--head", "f" * 64, code=1) == f"ostiary: no seal has the head {'f' * 64}: {unknown}\n"

    _on(log, _tamper)

    assert "ostiary: the audit log was tampered with: event 1 was changed" in run("verify", code=1)
    assert "nothing of it is removed" in run("prune", "--before", datetime.now(UTC).isoformat(), code=1)


def test_old_events_are_removed(log: Settings, run: Run) -> None:
    assert run("prune", "--before", "2020-01-01") == "no event is older than 2020-01-01 00:00 UTC\n"
    refused = run("prune", "--before", "2900-01-01", code=2)
    assert refused == "ostiary: --before 2900-01-01 00:00 UTC is in the future: every event is older\n"
    now = datetime.now(UTC)
    removed = run("prune", "--before", now.isoformat())
    assert removed == f"removed 6 events older than {now:%Y-%m-%d %H:%M} UTC; 1 new event `pruneAuditLog` records it\n"
    assert json.loads(run("prune", "--before", "2020-01-01", "--json"))["removed"] == 0

    (event,) = json.loads(run("list", "--json"))
    assert (event["action"], event["changes"][0]["after"]["events"]) == ("pruneAuditLog", 6)
    assert "removed by `ostiary audit prune` or AuditKeep: 6 events" in run("verify")


def test_a_user_who_is_there_is_not_erased(log: Settings, run: Run) -> None:
    assert "admin still has an account: delete it first" in run("forget", "admin", code=1)
    assert "the audit log has no user nemo" in run("forget", "nemo", code=1)
    assert run("forget", "VXNlcjoy").splitlines() == [
        "erased VXNlcjoy from 4 events: the log now calls this user 'forgotten user 2'",
        "older backups and exports still have the data",
    ]


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["prune"], "--before"),
        (["prune", "--before", "yesterday"], "must be a date or a time"),
        (["list", "--limit", "0"], "must be a whole number from 1 to 100000"),
        (["export", "--since", "2026-13-01"], "must be a date or a time"),
        (["list", "--object", "felix"], "`ostiary user show` prints that of a user"),
        (["export", "--object", "lab/reef"], "must be an id, such as VXNlcjox"),
        (["verify", "--head", "abc"], "must be the 64 hexadecimal digits that `ostiary audit verify` has printed"),
        (["verify", "--head", "g" * 64], "must be the 64 hexadecimal digits"),
        ([], "COMMAND"),
    ],
)
def test_wrong_arguments_are_named(arguments: Any, problem: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        cli.main(["audit", *arguments])

    assert stopped.value.code == 2
    assert problem in capsys.readouterr().err
