"""Dumps of PostgreSQL by `pg_dump`, and their restore by `pg_restore`. Passwords are never on a command line."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import asyncpg

from app.db.backups import BackupFailed, Report
from app.db.migrations import RESTORE_MARK, UNFINISHED_RESTORE, is_restore_unfinished
from app.db.postgresql.connecting import connect_directly

MAGIC = b"PGDMP"
ASIDE = "before_restore_"
"""Start of the names of schemas with the tables that a restore replaced. They are not part of a dump."""

_DISCARDED = f"{ASIDE}failed"

WAIT_SECONDS = 0.1

# Objects of the current schema that belong to nothing else: no sequence of a column, and nothing of an extension.
_OBJECTS = """
SELECT CASE relkind WHEN 'v' THEN 'VIEW' WHEN 'm' THEN 'MATERIALIZED VIEW' WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END,
       quote_ident(nspname) || '.' || quote_ident(relname)
FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
WHERE nspname = current_schema() AND relkind IN ('r', 'p', 'v', 'm', 'S') AND NOT relispartition
AND NOT EXISTS (SELECT FROM pg_depend WHERE classid = 'pg_class'::regclass AND objid = pg_class.oid
                AND deptype IN ('a', 'e', 'i') AND refclassid <> 'pg_namespace'::regclass)
UNION ALL
SELECT 'ROUTINE', pg_proc.oid::regprocedure::text
FROM pg_proc JOIN pg_namespace ON pg_namespace.oid = pronamespace
WHERE nspname = current_schema() AND NOT EXISTS (
    SELECT FROM pg_depend WHERE classid = 'pg_proc'::regclass AND objid = pg_proc.oid AND deptype = 'e')
"""

_OTHERS = """
SELECT count(*) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'
"""


def dump(url: str, target: Path, report: Report) -> None:
    """Write the database into the file `target` in the custom format, and read it whole again.

    Raises BackupFailed if the programs are missing, older than the server, or report an error.
    """
    options = ["--format=custom", "--no-owner", "--no-privileges", f"--exclude-schema={ASIDE}*", f"--file={target}"]
    _run("pg_dump", options, url, report)
    check(target, report)


def check(path: Path, report: Report) -> None:
    """Raise BackupFailed unless `pg_restore` reads the whole dump."""
    _run("pg_restore", [f"--file={os.devnull}", str(path)], None, report)


def load(url: str, path: Path, report: Report) -> None:
    """Restore a dump into a database without tables, in one transaction."""
    options = ["--single-transaction", "--exit-on-error", "--no-owner", "--no-privileges", str(path)]
    _run("pg_restore", options, url, report)


async def revision(url: str, *, restored: bool = False) -> str | None:
    """Return the last migration of the database; None if there is no database of Ostiary.

    A database that a restore has not finished, and that is not being `restored`, has the revision of those.
    """
    connection = await connect_directly(url)
    try:
        if not restored and await is_restore_unfinished(connection):
            return UNFINISHED_RESTORE
        version = await connection.fetchval("SELECT version_num FROM alembic_version")
        return None if version is None else str(version)
    except asyncpg.UndefinedTableError:
        return None
    finally:
        await connection.close()


async def count_others(url: str) -> int:
    """Return the number of other clients that are connected to the database."""
    connection = await connect_directly(url)
    try:
        return int(await connection.fetchval(_OTHERS))
    finally:
        await connection.close()


async def has_objects(url: str) -> bool:
    """Return whether the current schema has any table, view, sequence or function."""
    connection = await connect_directly(url)
    try:
        return bool(await connection.fetch(_OBJECTS))
    finally:
        await connection.close()


async def start(url: str, moment: datetime) -> str | None:
    """Mark the database as an unfinished restore, and move every object of the current schema into a new one.

    Returns the name of that schema, which has the moment; None if there are no objects. Both steps are one transaction,
    so a process that is killed later leaves a database that nothing uses by mistake.
    """
    connection = await connect_directly(url)
    try:
        async with connection.transaction():
            aside = await _free_schema(connection, moment) if await connection.fetch(_OBJECTS) else None
            if aside is not None:
                await connection.execute(f"CREATE SCHEMA {aside}")
                await _move(connection, aside)
            await connection.execute(f"CREATE TABLE {RESTORE_MARK} (aside text)")
            await connection.execute(f"INSERT INTO {RESTORE_MARK} VALUES ($1)", aside)  # noqa: S608 - a name of ours
            return aside
    finally:
        await connection.close()


async def _free_schema(connection: Any, moment: datetime) -> str:
    """Return a name that no schema has: a second restore in a second gets a number."""
    stem, number = f"{ASIDE}{moment:%Y%m%d_%H%M%S}", 1
    name = stem
    while await connection.fetchval("SELECT to_regnamespace($1) IS NOT NULL", name):
        number += 1
        name = f"{stem}_{number}"
    return name


async def is_unfinished(url: str) -> bool:
    """Return whether a restore was interrupted after `start`, or is running."""
    connection = await connect_directly(url)
    try:
        return await is_restore_unfinished(connection)
    finally:
        await connection.close()


async def undo(url: str) -> None:
    """Delete what an unfinished restore has loaded, bring the old tables back and remove the mark, all at once."""
    connection = await connect_directly(url)
    try:
        async with connection.transaction():
            aside = await connection.fetchval(f"SELECT aside FROM {RESTORE_MARK}")  # noqa: S608 - a name of ours
            await connection.execute(f"DROP TABLE {RESTORE_MARK}")
            if await connection.fetch(_OBJECTS):  # else a role that may create no schema can undo too
                await connection.execute(f"CREATE SCHEMA {_DISCARDED}")
                await _move(connection, _DISCARDED)
                await connection.execute(f"DROP SCHEMA {_DISCARDED} CASCADE")
            if aside is not None:
                home = await connection.fetchval("SELECT quote_ident(current_schema())")
                await connection.execute(f"SET LOCAL search_path = {aside}")
                await _move(connection, home)
                await connection.execute(f"DROP SCHEMA {aside}")
    finally:
        await connection.close()


async def finish(url: str) -> None:
    """Remove the mark: the restored database may be used."""
    connection = await connect_directly(url)
    try:
        await connection.execute(f"DROP TABLE {RESTORE_MARK}")
    finally:
        await connection.close()


async def _move(connection: Any, schema: str) -> None:
    """Move all objects of the current schema to another one, whose name is quoted if it must be."""
    for kind, name in await connection.fetch(_OBJECTS):
        await connection.execute(f"ALTER {kind} {name} SET SCHEMA {schema}")


def _run(name: str, options: Sequence[str], url: str | None, report: Report) -> None:
    program = shutil.which(name)
    if program is None:
        raise BackupFailed(
            f"{name} is not on the PATH: install the client programs of PostgreSQL, in the version of the server or a "
            "later one, or use the backups of the provider of the database"
        )
    environment: dict[str, Any] = {**os.environ, "PGAPPNAME": f"ostiary {name}", "LC_ALL": "C"}
    command = [program, *options]
    if url is not None:
        address, password = without_password(url)
        command += ["--no-password", f"--dbname={address}"]
        environment |= {} if password is None else {"PGPASSWORD": password}
    with tempfile.TemporaryFile("w+") as errors:
        code = _wait(subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, stderr=errors), name, report)
        errors.seek(0)
        text = "; ".join(line.strip() for line in errors if line.strip())[:1_000]
    if code:
        raise BackupFailed(text or f"{name} ended with the code {code}")


def _wait(process: subprocess.Popen[bytes], name: str, report: Report) -> int:
    """Return the exit code of a process; end it if `report` raises an exception, which is called at least once."""
    try:
        while True:
            report(name, 0, 0)
            try:
                return process.wait(WAIT_SECONDS)
            except subprocess.TimeoutExpired:
                continue
    except BaseException:
        process.kill()
        process.wait()
        raise


def without_password(url: str) -> tuple[str, str | None]:
    """Return a URL without its password, and the password, which libpq reads from PGPASSWORD."""
    parts = urlsplit(url)
    user, at, hosts = parts.netloc.rpartition("@")
    name, colon, password = user.partition(":")
    secret = unquote(password) if colon else None
    query = []
    for parameter in filter(None, parts.query.split("&")):
        key, _, value = parameter.partition("=")
        if unquote(key) == "password":
            secret = unquote(value)
        else:
            query.append(parameter)
    return parts._replace(netloc=f"{name}{at}{hosts}", query="&".join(query)).geturl(), secret
