"""Checks of an installation: each is a line with a state and what to do. They change nothing."""

import asyncio
import platform
import re
import stat
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from ipaddress import ip_network
from pathlib import Path
from shutil import disk_usage

from sqlalchemy import func, select

from app import __version__
from app.config import Settings, is_loopback
from app.config.values import SECRET_BYTES, UNIX
from app.db import Freshness, ReplicaState, failures
from app.db.backups import Report, sqlite
from app.db.inspection import DatabaseFacts, inspect_file, inspect_server
from app.db.migrations import HEAD, INTERRUPTED, has_tables
from app.db.postgresql.database import SETTINGS
from app.db.postgresql.replica import Problem
from app.db.tables import AuditEvent, col
from app.db.types import format_instant
from app.domain.errors import Refusal
from app.domain.quantities import format_count
from app.services import access_index_rebuild, bootstrap, demo
from app.services.app_context import AppContext
from app.services.backups import folder as folders
from app.services.signing_keys import list_keys

CLOCK_SECONDS = 5
"""Difference of clocks that is a warning; ten times as much is a problem."""

LITTLE_SPACE = 100_000_000
"""Free bytes below which a disk is nearly full."""

OLDEST_POSTGRESQL = 15
"""Before it, PostgreSQL reads its statistics from a file, and each access check needs the time of their reset."""

RESERVED = 3
"""Connections that PostgreSQL keeps for its administrators."""


class State(StrEnum):
    OK = "ok"
    WARNING = "warning"
    PROBLEM = "problem"


@dataclass(frozen=True, slots=True)
class Check:
    """The result of one check; `action` is what to do, empty if nothing."""

    name: str
    state: State
    text: str
    action: str = ""


def _now() -> datetime:
    return datetime.now(UTC)


def _ok(name: str, text: str) -> Check:
    return Check(name, State.OK, text)


def _warn(name: str, text: str, action: str) -> Check:
    return Check(name, State.WARNING, text, action)


def _fail(name: str, text: str, action: str) -> Check:
    return Check(name, State.PROBLEM, text, action)


def read_facts(settings: Settings) -> DatabaseFacts:
    """Read the facts of the database. Raises OSError, sqlite3.Error or an exception of asyncpg if it is unusable."""
    if settings.is_sqlite:
        return inspect_file(settings.sqlite_path)
    return asyncio.run(inspect_server(settings.database_url, settings.database_replicas))


def readable_secret(settings: Settings) -> bytes:
    """Return the secret; of one that cannot be read, an empty one, which decrypts nothing."""
    if settings.secret is not None:
        return settings.secret.get_secret_value().encode()
    try:
        return settings.secret_path.read_bytes().strip()
    except OSError:
        return b""


def explain_failure(error: Exception) -> Check | None:
    """Return the check of a database that fails; None for an exception that is a defect of ours."""
    cause = error.__cause__ if isinstance(error, Refusal) and error.__cause__ else error
    if failures.classify(cause) is None:
        return None
    return _fail(
        "database", f"it cannot be used: {failures.reason(cause)}", "check DatabaseUrl, and that the database runs"
    )


def find_missing_file(settings: Settings) -> Check | None:
    """Return the check of a SQLite file that does not exist, as in another folder than that of the server."""
    if not settings.is_sqlite or settings.sqlite_path.exists():
        return None
    action = "run this in the folder of the server, or set DatabaseUrl as it does"
    return _fail("database", f"there is no database at {settings.database_url.removeprefix('sqlite:///')}", action)


def find_missing_database(settings: Settings) -> Check | None:
    """Return the check of a file that does not exist, or of a database without tables of Ostiary."""
    if (missing := find_missing_file(settings)) is not None or has_tables(settings.database_url):
        return missing
    action = "set DatabaseUrl as the server does, or create the tables with `ostiary migrate`"
    return _fail("database", f"there are no tables of Ostiary in {settings.redacted_database_url}", action)


def check_settings(settings: Settings) -> Iterator[Check]:
    """Check what needs no database: the secret, unless it is that of another folder, and settings that are unsafe."""
    if find_missing_file(settings) is None:
        yield _check_secret(settings)
    opened = [*_open_settings(settings)]
    readers = f"the schema is readable by {settings.introspection}"
    yield from opened or [_ok("settings", f"no setting weakens the protection of the server; {readers}")]


def _check_secret(settings: Settings) -> Check:
    if settings.secret is not None:
        return _ok("secret", "it is the setting Secret")
    path = settings.secret_path
    if not path.exists():
        return _fail(
            "secret", f"{path} is missing", "restore it from a backup; else the next start makes one and sessions end"
        )
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & 0o077:
        return _fail("secret", f"other users can read {path} (mode {mode:o})", f"chmod 600 {path}")
    try:
        length = len(path.read_bytes().strip())
    except OSError as error:
        return _fail("secret", f"{path} cannot be read: {error.strerror}", "run this as the user of the server")
    if length < SECRET_BYTES:
        return _fail("secret", f"{path} is shorter than {SECRET_BYTES} bytes", "restore it, or delete it for a new one")
    return _ok("secret", f"{path}, mode {mode:o}")


def _open_settings(settings: Settings) -> Iterator[Check]:
    if settings.metrics_address is not None and not is_loopback(settings.metrics_endpoint[0]):
        text = f"MetricsAddress {settings.metrics_address} serves metrics without a token"
        yield _warn("settings", text, "let a firewall allow the monitoring only, or use MetricsToken")
    if plain := [each for each in settings.allowed_origins if each.startswith("http://")]:
        yield _warn("settings", f"AllowedOrigins has {plain[0]} without https", "use https, or remove it")
    if wide := [each for each in settings.trusted_proxies if each != UNIX and ip_network(each).prefixlen == 0]:
        yield _warn("settings", f"TrustedProxies {wide[0]} believes every client", "name the addresses of the proxies")
    if not settings.throttle.enabled:
        yield _warn("settings", "Throttle.Enabled is false: passwords can be guessed fast", "set it to true")
    if settings.password_policy is None:
        yield _warn("settings", "PasswordPolicy is null: any password is accepted", "remove the setting")


def check_database(settings: Settings, facts: DatabaseFacts, workers: int, report: Report) -> Iterator[Check]:
    """Check what the database says about itself."""
    yield _check_versions(facts.version)
    yield _check_schema(facts.revision)
    if facts.refusal:
        yield _fail("writable", facts.refusal, "allow this user to write, or set DatabaseUrl to the primary")
    else:
        yield _ok("writable", settings.redacted_database_url)
    yield from _check_space(settings)
    yield from _check_integrity(settings, facts, report)
    if not settings.is_sqlite:
        yield from _check_server(settings, facts, workers)
    yield _check_backups(settings)


def _check_versions(database: str) -> Check:
    text = f"Ostiary {__version__}, Python {platform.python_version()}, {database}"
    major = re.match(r"PostgreSQL (\d+)", database)
    if major is not None and int(major[1]) < OLDEST_POSTGRESQL:
        return _warn("versions", text, f"use PostgreSQL {OLDEST_POSTGRESQL} or newer; older ones make checks slow")
    return _ok("versions", text)


def _check_schema(revision: str | None) -> Check:
    if revision is None:
        return _fail("schema", "the database has no tables of Ostiary", "ostiary migrate, or set DatabaseUrl")
    if revision in INTERRUPTED:
        text, _, action = INTERRUPTED[revision].partition(": ")
        return _fail("schema", text, action)
    if revision > HEAD:
        text = f"migration {revision} is newer than this version, which knows {HEAD}"
        return _fail("schema", text, "install the version that migrated it, or restore a backup")
    if revision < HEAD:
        return _warn("schema", f"migration {revision}; this version has {HEAD}", "ostiary backup, then ostiary migrate")
    return _ok("schema", f"migration {revision}")


def _check_space(settings: Settings) -> Iterator[Check]:
    """Check the disk of the SQLite file. The disk of a PostgreSQL server cannot be seen from here."""
    if not settings.is_sqlite:
        return
    path = settings.sqlite_path
    size, free = _size_with_log(path), disk_usage(path.parent).free
    text = f"{free:,} bytes free at {path.parent}; the database and its write-ahead log have {size:,}"
    if free < LITTLE_SPACE:
        yield _fail("space", text, "make room, before changes are refused")
    elif free < 2 * size:
        yield _warn("space", text, "make room for a backup and for migrations, which may need twice the size")
    else:
        yield _ok("space", text)
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & 0o077:
        yield _warn("files", f"other users can read {path} (mode {mode:o})", f"chmod 600 {path}")
    else:
        yield _ok("files", f"{path}, mode {mode:o}")


def _size_with_log(path: Path) -> int:
    size = path.stat().st_size
    with suppress(FileNotFoundError):  # without a server there is none
        size += path.with_name(f"{path.name}-wal").stat().st_size
    return size


def _check_integrity(settings: Settings, facts: DatabaseFacts, report: Report) -> Iterator[Check]:
    problems = sqlite.integrity_problems(settings.sqlite_path, report) if settings.is_sqlite else []
    if problems:
        yield _fail("integrity", f"{format_count(len(problems), 'defect')}, first: {problems[0]}", "restore a backup")
    elif facts.invalid_indexes:
        names = ", ".join(facts.invalid_indexes)
        yield _fail("integrity", f"invalid indexes: {names}", "REINDEX INDEX, as the owner of the tables")
    else:
        checked = "every page, index and reference" if settings.is_sqlite else "every index is valid"
        yield _ok("integrity", checked)


def _check_server(settings: Settings, facts: DatabaseFacts, workers: int) -> Iterator[Check]:
    if facts.late_sequences:
        names = ", ".join(f"{name}_id_seq" for name in facts.late_sequences)
        action = "SELECT setval(sequence, max(id)) of the table, as after a restore of rows without their sequences"
        yield _fail("sequences", f"behind the largest id: {names}", action)
    else:
        yield _ok("sequences", "each is above the largest id")
    if abs(facts.ahead) > CLOCK_SECONDS:
        kind = _fail if abs(facts.ahead) > 10 * CLOCK_SECONDS else _warn
        text = f"the database is {abs(facts.ahead):.0f} s {'ahead of' if facts.ahead > 0 else 'behind'} this machine"
        yield kind("clock", text, "synchronize both clocks with NTP")
    for replica in facts.replicas:
        yield _check_replica(replica)
    if facts.has_pooler:
        yield _check_pooler(facts)
        return
    need, have = settings.database_pool_size * workers, facts.max_connections - RESERVED
    needed = f"{format_count(workers, 'worker')} with {settings.database_pool_size} each"
    text = f"{needed} of {have}; {facts.used} are in use now"
    if need > have:
        yield _fail("connections", text, "lower DatabasePoolSize or --workers, or raise max_connections")
    else:
        yield _ok("connections", text)


def _check_replica(replica: ReplicaState) -> Check:
    if replica.problem is None:
        return _ok("replica", f"{replica.name} can answer reads; it is {replica.lag or 0:,} bytes behind")
    action = "see docs/how-to/postgresql.md; until then the primary answers"
    if replica.problem == Problem.NO_PRIVILEGE:
        action = "on the primary: GRANT pg_read_all_stats TO the role"
    return _warn("replica", f"{replica.name} is left out: {replica.problem}", action)


def _check_pooler(facts: DatabaseFacts) -> Check:
    """Check the settings of the role, since those of a session do not reach the connections of a pooler."""
    text = "a connection pooler is in between, so statements are not prepared, and backups need another URL"
    missing = {name for name, value in SETTINGS.items() if facts.session_settings.get(name) != value} - {"work_mem"}
    if not missing:
        return _ok("pooler", text)
    commands = "; ".join(f"ALTER ROLE … SET {name} = '{value}'" for name, value in SETTINGS.items())
    if "plan_cache_mode" in missing:
        return _warn("pooler", f"{text}; the role lacks settings that make statements fast", commands)
    if "enable_memoize" in missing:
        text = "behind the connection pooler the role has plan_cache_mode without enable_memoize"
        return _fail("pooler", f"{text}: PostgreSQL can return wrong rows then", commands)
    return _warn("pooler", f"{text}; the role lacks {', '.join(sorted(missing))}", commands)


def _check_backups(settings: Settings) -> Check:
    kind = folders.kind_of(settings)
    backups = folders.list_backups(settings.backup_path, kind)
    if not backups:
        return _warn("backups", f"there is none in {settings.backup_path}", "set BackupEvery, or run ostiary backup")
    newest = folders.newest(settings.backup_path, kind, _now())
    if newest is None or newest != backups[-1]:
        text = f"the newest is {backups[-1].file}, which is from the future"
        return _warn("backups", text, "set the clock of this machine, and move the backup to another folder")
    age = _now() - newest.moment
    text = f"the newest is {newest.file}, {age / timedelta(hours=1):.1f} hours old"
    if settings.backup_interval is not None and age > 2 * settings.backup_interval:
        return _fail(
            "backups", f"{text}; BackupEvery is {settings.backup_every}", "look for `backup failed` in the log"
        )
    return _ok("backups", text)


async def check_registry(app: AppContext, settings: Settings, report: Report) -> AsyncIterator[Check]:
    """Check the data. The schema must be of this version."""
    index = await access_index_rebuild.check(app.database, lambda done, total: report("access index", done, total))
    if index.missing or index.surplus:
        text = f"{format_count(index.missing, 'missing row')}, {format_count(index.surplus, 'surplus row')}"
        yield _fail("access index", text, "ostiary reindex, and report it as a defect")
    else:
        yield _ok("access index", f"{format_count(index.rows, 'row')}, all correct")
    yield await _check_newest_event(app)
    for key in await list_keys(app.key_store):
        if not key.is_readable:
            text = f"the secret cannot decrypt the signing key {key.kid}"
            yield _warn("keys", text, "restore the secret, or run ostiary keys rotate")
    if app.provider is None and await bootstrap.is_default_password_valid(app, settings.default_admin):
        if await bootstrap.is_administered(app):
            text = "an administrator has the default password, which is public"
            yield _warn("passwords", text, f"ostiary admin reset-password {settings.default_admin.user_name}")
        else:
            text = "there is no administrator yet: the next start creates one with the public default password"
            yield _warn("passwords", text, "set OSTIARY_DEFAULT_ADMIN__PASSWORD before it")
    action = "do not let other users reach this database; use an empty one for them"
    if app.provider is None and await demo.is_demo_password_valid(app):
        yield _warn("passwords", "demo users have a public password", action)


async def _check_newest_event(app: AppContext) -> Check:
    newest = select(func.max(col(AuditEvent.at)))
    ((moment,),) = await app.database.ask(newest, freshness=Freshness.PRIMARY)
    if moment is not None and moment > _now() + timedelta(seconds=CLOCK_SECONDS):
        text = f"the newest audit event is from the future: {format_instant(moment, 'seconds')}"
        return _fail("clock", text, "set the clock of this machine; NTP keeps it right")
    return _ok("clock", "no audit event is from the future")
