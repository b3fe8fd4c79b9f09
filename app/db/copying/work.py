"""The work of a copy: prepare TARGET, copy the rows by key, compare every row, and finish.

TARGET contains a prefix of the rows at every moment, so a copy that was interrupted goes on after its last row. Until
it is complete, its migration is `UNFINISHED`, which every other command and a server refuse.
"""

import asyncio
import hashlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass

from app.db.backups import Report
from app.db.copying import CopyFailed
from app.db.copying.endpoints import CopyEndpoint
from app.db.copying.shapes import Key, Row, TableShape, shapes
from app.db.migrations import HEAD, INTERRUPTED, UNFINISHED

MARK = "unfinished_copy"
"""Table of an unfinished TARGET: the registry that it is a copy of, its last audit event, and the running process."""

_LAST_EVENT = "SELECT coalesce(max(id), 0) FROM audit_events"
_HOLD = f"UPDATE {MARK} SET run = ? WHERE run = ?"  # noqa: S608 - a name of ours


@dataclass(frozen=True, slots=True)
class CopiedRows:
    """The numbers of rows by table, and how many of all rows an earlier, interrupted copy had written."""

    rows: dict[str, int]
    resumed_at: int


async def copy(source: CopyEndpoint, target: CopyEndpoint, report: Report, complete: Callable[[], None]) -> CopiedRows:
    """Copy all tables; call `complete` when every row is there and compared, before TARGET is declared finished.

    Raises CopyFailed: with a TARGET that is not empty and no unfinished copy of SOURCE, nothing was changed.
    """
    tables = shapes()
    async with source.opened(writes=False):
        await _require_source(source)
        identity, event = await _identify(source)
        async with target.opened(writes=True):
            await _prepare(target, identity, event)
            run = secrets.token_hex(16)
            await target.execute(f"UPDATE {MARK} SET run = ?", run)  # noqa: S608 - a name of ours
            counts = {shape.name: await source.count(shape) for shape in tables}
            total = sum(counts.values())
            resumed_at = await _copy_rows(source, target, run, report, total)
            for shape in tables:
                if shape.has_sequence:
                    await target.set_last_id(shape, await _highest(source, shape))
            await _compare(source, target, report, total)
            await target.finalize()
            complete()
            async with target.transaction():
                await _hold(target, run)
                await target.execute(f"DROP TABLE {MARK}")
                await target.execute("UPDATE alembic_version SET version_num = ?", HEAD)
    return CopiedRows(counts, resumed_at)


async def _require_source(source: CopyEndpoint) -> None:
    revision = await source.revision()
    if revision is None:
        raise CopyFailed(f"{source.name} is no database of Ostiary: it has no migrations")
    if revision == UNFINISHED:
        raise CopyFailed(f"{source.name} is an unfinished copy itself: finish it, or copy from its own source")
    if revision in INTERRUPTED:
        raise CopyFailed(f"{source.name}: {INTERRUPTED[revision]}")
    if revision < HEAD:
        raise CopyFailed(
            f"{source.name} is at migration {revision}, and this version has {HEAD}: set DatabaseUrl to it, make a "
            "backup, and run `ostiary migrate`"
        )
    if revision > HEAD:
        raise CopyFailed(
            f"{source.name} is at migration {revision}, which is newer than this version ({HEAD}): copy it with the "
            "version that migrated it"
        )


async def _identify(source: CopyEndpoint) -> tuple[str, int]:
    """Return a text that tells registries apart, and the id of the last audit event.

    The first migration gives the built-in roles, which stay for life, the moment at which it runs.
    """
    (roles,) = [shape for shape in shapes() if shape.name == "roles"]
    rows = await source.page(roles, None)
    place, is_built_in = roles.columns.index("created_at"), roles.columns.index("is_built_in")
    text = repr([(roles.key(row), row[place]) for row in rows if row[is_built_in]])
    return hashlib.sha256(text.encode()).hexdigest(), int((await source.rows(_LAST_EVENT))[0][0])


async def _prepare(target: CopyEndpoint, identity: str, event: int) -> None:
    """Create the empty tables of TARGET, or accept an unfinished copy of the same registry."""
    if not await target.has_table(MARK):
        await _require_empty(target)
        await asyncio.to_thread(_create, target, identity, event)
        return
    before = await target.rows(f"SELECT source, event FROM {MARK}")  # noqa: S608 - a name of ours
    if before[0][0] != identity:
        raise CopyFailed(
            f"{target.name} is an unfinished copy of another registry: name its source, or an empty database"
        )
    if before[0][1] != event:
        raise CopyFailed(
            f"SOURCE has changed since the copy to {target.name} began, which cannot go on: stop its servers, and "
            "copy into an empty database"
        )


async def _require_empty(target: CopyEndpoint) -> None:
    if not await target.has_objects():
        return
    revision = await target.revision()
    content = "tables that are not of Ostiary" if revision is None else "a registry"
    raise CopyFailed(f"{target.name} has {content}: name an empty database; nothing was changed")


def _create(target: CopyEndpoint, identity: str, event: int) -> None:
    """Create the tables without rows and mark them as unfinished, in one transaction."""
    from app.db.migrations import runner  # noqa: PLC0415 - it loads alembic

    runner.create_unfinished(
        target.url,
        (
            f"CREATE TABLE {MARK} (source text NOT NULL, event bigint NOT NULL, run text NOT NULL)",
            f"INSERT INTO {MARK} VALUES ('{identity}', {event}, '')",  # noqa: S608 - a digest and a number
        ),
    )


async def _hold(target: CopyEndpoint, run: str) -> None:
    """Raise CopyFailed if another process has taken the copy over; hold it until the end of the transaction."""
    if await target.execute(_HOLD, run, run) != 1:
        raise CopyFailed(f"another `ostiary copy` has taken over the copy to {target.name}")


async def _copy_rows(source: CopyEndpoint, target: CopyEndpoint, run: str, report: Report, total: int) -> int:
    """Copy the rows that TARGET does not have, and return how many it had."""
    had = done = 0
    for shape in shapes():
        after = await target.last_key(shape)
        if after is not None:
            count = await target.count(shape)
            had, done = had + count, done + count
        while rows := await source.page(shape, after):
            async with target.transaction():
                await _hold(target, run)
                await target.insert(shape, rows)
            after = shape.key(rows[-1])
            done += len(rows)
            report(f"copied rows, now {shape.name}", done, total)
    return had


async def _highest(source: CopyEndpoint, shape: TableShape) -> int:
    """Return the highest number that a row of the table has had."""
    last = await source.last_key(shape)
    return max(await source.last_id(shape), 0 if last is None else last[0])


async def _compare(source: CopyEndpoint, target: CopyEndpoint, report: Report, total: int) -> None:
    """Compare every row of both databases. Raises CopyFailed for the first that differs."""
    done = 0
    for shape in shapes():
        after: Key | None = None
        while True:
            ours, theirs = await source.page(shape, after), await target.page(shape, after)
            if ours != theirs:
                raise CopyFailed(
                    f"{_explain(shape, ours, theirs)}: {target.name} stays unfinished; SOURCE changed since the copy "
                    "began, or TARGET was changed: copy into an empty database, with the servers stopped"
                )
            if not ours:
                break
            after = shape.key(ours[-1])
            done += len(ours)
            report(f"compared rows, now {shape.name}", done, total)
        if shape.has_sequence and await target.last_id(shape) != await _highest(source, shape):
            raise CopyFailed(f"the next number of {shape.name} differs: {target.name} stays unfinished")


def _explain(shape: TableShape, ours: list[Row], theirs: list[Row]) -> str:
    """Return a text with the first key, in order, at which the rows differ."""
    expected, stored = ({shape.key(row): row for row in rows} for rows in (ours, theirs))
    key = min(key for key in expected.keys() | stored.keys() if expected.get(key) != stored.get(key))
    named = ", ".join(f"{name} {value}" for name, value in zip(shape.key_columns, key, strict=True))
    if key not in stored:
        return f"{shape.name}: the row with {named} is missing in TARGET"
    if key not in expected:
        return f"{shape.name}: the row with {named} is not in SOURCE"
    pairs = zip(shape.columns, expected[key], stored[key], strict=True)
    columns = ", ".join(name for name, one, other in pairs if one != other)
    return f"{shape.name}: the row with {named} differs in {columns}"
