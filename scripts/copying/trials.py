"""The copies from SQLite to PostgreSQL and back, and what must be the same after each."""

import asyncio
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg

from app.db.tables import Role
from scripts.benchmark.filling import sqlite_world
from scripts.benchmark.world import Spec
from scripts.copying.questions import Answer, Question, answers, questions, sign_in
from tests.support.server import Server, clean_environment

KEYS = {"OSTIARY_TOKEN_ALGORITHM": "EdDSA"}
"""Keys in the database, which the file of the secret decrypts: both must arrive."""

WAIT_SECONDS = 300.0
TABLES = tuple(table.name for table in Role.metadata.sorted_tables)


@dataclass(frozen=True, slots=True)
class Trial:
    """One trial: what was tried, the result, and whether it is right."""

    what: str
    seen: Any
    is_right: bool


def run(spec: Spec, number: int, home: Path, postgresql: str) -> list[Trial]:
    """Copy a world to PostgreSQL and back, in a folder; ask the servers of all three databases the same questions."""
    first, back = sqlite_world(spec, home, None), f"sqlite:///{home}/back/ostiary.db"
    with _serving(home, first) as server:
        tokens = asyncio.run(sign_in(server))
        asked = questions(spec, number, len(tokens))
        expected = asyncio.run(answers(server, asked, tokens))
        asyncio.run(server.stopped())
    tried = [Trial(f"{number} questions to the first server", *_understood(expected))]
    tried += _copied("to PostgreSQL", home, first, postgresql)
    tried += _copied("back to SQLite", home, postgresql, back)
    tried.append(Trial("rows that differ in the last database from the first", *differing(first, back)))
    for name, url in (("PostgreSQL", postgresql), ("SQLite again", back)):
        tried.append(_same(name, home, url, asked, tokens, expected))
    return tried


def _serving(home: Path, url: str) -> Server:
    server = Server(home, OSTIARY_DATABASE_URL=url, **KEYS)
    try:
        server.ready()
    except BaseException:
        server.__exit__()
        raise
    return server


def _understood(expected: list[Answer]) -> tuple[str, bool]:
    """Count the answers without an error, and the refusals, which are answers too; a question is never invalid."""
    data = sum(not each.errors for each in expected)
    invalid = sum(each.status != 200 or each.data is None for each in expected)
    return f"{data} without an error, {len(expected) - data} refusals, {invalid} invalid", data > 0 and not invalid


def _copied(name: str, home: Path, source: str, target: str) -> list[Trial]:
    """Kill a copy when it has written resources, and let the same command finish it."""
    command = [sys.executable, "-m", "app.cli", "copy", source, target]
    environment = {**clean_environment(), "PYTHONPATH": os.getcwd(), **KEYS}
    began = time.monotonic()
    with (home / "killed").open("wb") as log:
        process = subprocess.Popen(command, cwd=home, env=environment, stdout=log, stderr=log)  # noqa: S603 - ours
    while process.poll() is None and not _has_resources(target) and time.monotonic() - began < WAIT_SECONDS:
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    code = process.wait()
    refused = subprocess.run(  # noqa: S603 - ours
        [*command[:3], "user", "list"],
        cwd=home,
        env=environment | {"OSTIARY_DATABASE_URL": target},
        capture_output=True,
        text=True,
        check=False,
    )
    done = subprocess.run(  # noqa: S603 - ours
        command, cwd=home, env=environment, capture_output=True, text=True, check=False
    )
    said = " / ".join(done.stdout.splitlines()) or done.stderr
    return [
        Trial(f"{name}: killed in the middle", code, code == -signal.SIGKILL),
        Trial(f"{name}: unfinished, a command refuses it", refused.stderr.strip(), refused.returncode == 1),
        Trial(f"{name}: the same again", said, done.returncode == 0 and "went on after" in said),
    ]


def _has_resources(target: str) -> bool:
    """Return whether the database of a running copy has resources."""
    query = "SELECT EXISTS (SELECT 1 FROM resources)"
    if not target.startswith("sqlite:"):
        return asyncio.run(_is_true(target, query))
    path = Path(target.removeprefix("sqlite:///"))
    if not path.exists():
        return False
    try:
        with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
            return bool(connection.execute(query).fetchone()[0])
    except sqlite3.OperationalError:  # no table yet
        return False


async def _is_true(url: str, query: str) -> bool:
    connection = await asyncpg.connect(url)
    try:
        return bool(await connection.fetchval(query))
    except asyncpg.UndefinedTableError:
        return False
    finally:
        await connection.close()


def differing(first: str, last: str, tables: Sequence[str] = TABLES) -> tuple[str, bool]:
    """Compare all rows of two files by SQLite alone, in both directions; the ids are a part of each row."""
    paths = [url.removeprefix("sqlite:///") for url in (first, last)]
    with closing(sqlite3.connect(paths[0])) as connection:
        connection.execute("ATTACH ? AS last", (paths[1],))
        rows = others = 0
        for table in tables:
            ours, theirs = (f'SELECT * FROM {schema}."{table}"' for schema in ("main", "last"))  # noqa: S608 - ours
            rows += _number(connection, ours)
            others += _number(connection, f"{ours} EXCEPT {theirs}") + _number(connection, f"{theirs} EXCEPT {ours}")
    return f"{others} of {rows:,}", rows > 0 and not others


def _number(connection: sqlite3.Connection, query: str) -> int:
    return int(connection.execute(f"SELECT count(*) FROM ({query})").fetchone()[0])  # noqa: S608 - names of ours


def _same(
    name: str,
    home: Path,
    url: str,
    asked: list[Question],
    tokens: list[str | None],
    expected: list[Answer],
) -> Trial:
    with _serving(home, url) as server:
        seen = asyncio.run(answers(server, asked, tokens))
        asyncio.run(server.stopped())
    pairs = zip(asked, expected, seen, strict=True)
    others = [(question, *pair) for question, *pair in pairs if pair[0] != pair[1]]
    text = f"{len(others)} of {len(asked)}{f': {others[0]}' if others else ''}"
    return Trial(f"{name}: answers that differ, with the tokens of before", text, not others)
