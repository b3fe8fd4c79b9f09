"""Many resources of one owner, org and group, made by a statement for each table; and a heart that beats meanwhile."""

import asyncio
import gc
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from sqlalchemy import text

from app import db
from app.db import Transaction
from app.domain import resource_roles
from app.domain.resource_roles import SubjectType
from app.services import access_index
from tests.support.factories import Entity, Make, Person

_NUMBERS = "WITH RECURSIVE numbers(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM numbers WHERE i < {many})"

_RESOURCES = """INSERT INTO resources (org_id, type_id, slug, path, name, name_key, description, details, owner_id,
    size_bytes, full_mask, revision, created_at, updated_at)
{numbers} SELECT {org}, (SELECT id FROM resource_types WHERE name = 'DATASET'), 'r' || i, '{slug}/r' || i,
    'Resource ' || i, 'resource ' || i, 'Some words about it.', '{{"depth": 7, "tags": ["a", "b"]}}', {owner}, 10,
    {full}, 1, '2026-01-01 00:00:00.000000', '2026-01-01 00:00:00.000000' FROM numbers"""

_GRANTS = """INSERT INTO grants (resource_id, subject, group_id, user_id, mask, expires_at)
    SELECT id, {subject}, {group}, NULL, {mask}, NULL FROM resources WHERE org_id = {org}"""


@dataclass(frozen=True)
class Crowd:
    """An owner with an org in which many resources are theirs, all granted to a group."""

    owner: Person
    org: Entity
    group: Entity


async def crowd(make: Make, database: db.Database, many: int) -> Crowd:
    """Make so many resources."""
    created = Crowd(await make.user("owner"), await make.org("crowd"), await make.group("readers"))
    async with database.write() as tx:
        await _run(
            tx,
            _RESOURCES.format(
                numbers=_NUMBERS.format(many=many),
                org=created.org.id,
                slug=created.org.slug,
                owner=created.owner.id,
                full=resource_roles.ALL,
            ),
        )
        subject = resource_roles.subject_id(SubjectType.GROUP, created.group.id)
        await _run(
            tx,
            _GRANTS.format(
                subject=subject, group=created.group.id, mask=resource_roles.METADATA_READ, org=created.org.id
            ),
        )
        await access_index.rebuild(tx)
    async with database.write() as tx:
        await _run(tx, "ANALYZE")
    return created


async def _run(tx: Transaction, statement: str) -> None:
    await tx.rows(text(statement.replace(":", r"\:")))


@dataclass
class Heart:
    """The longest time between two beats, by the clock and by what the thread of the loop has computed meanwhile."""

    beats: int = 0
    elapsed: float = 0.0
    computed: float = 0.0


@asynccontextmanager
async def beating() -> AsyncIterator[Heart]:
    """Beat each millisecond, in the event loop, in which a garbage collection sees nothing that was made before."""
    heart, loop = Heart(), asyncio.get_running_loop()
    gc.collect()
    gc.freeze()
    last = time.perf_counter(), time.thread_time()
    handle: asyncio.TimerHandle

    def beat() -> None:
        nonlocal last, handle
        now = time.perf_counter(), time.thread_time()
        heart.elapsed = max(heart.elapsed, now[0] - last[0])
        heart.computed = max(heart.computed, now[1] - last[1])
        heart.beats, last, handle = heart.beats + 1, now, loop.call_later(0.001, beat)

    handle = loop.call_later(0.001, beat)
    try:
        yield heart
    finally:
        handle.cancel()
        gc.unfreeze()
