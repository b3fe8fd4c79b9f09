"""Cached rights are never older than the last commit, and end on time."""

import asyncio
import sqlite3
from contextlib import closing
from datetime import timedelta
from typing import Any

import pytest

from app import db, policy
from app.config import Settings
from app.domain import resource_roles
from app.services import access_cache
from tests.support.changes import another
from tests.support.client import Api
from tests.support.factories import Entity, Make, Person

CHECK = """query ($user: UserBy!, $resource: ResourceBy!) {
  checkAccess(user: $user, resource: $resource, role: METADATA_READ)
}"""
REVOKE = """mutation ($resource: ResourceBy!, $subject: SubjectInput!) {
  revokeAccess(input: {resource: $resource, subject: $subject}) { errors { code } }
}"""


async def _may(api: Api, user: Person, thing: Entity) -> bool:
    reply = await api(CHECK, as_=user, user={"id": user.node}, resource={"id": thing.node})
    allowed: bool = reply["data"]["checkAccess"]
    return allowed


async def test_what_another_worker_commits_holds_at_once(api: Api, make: Make, settings: Settings) -> None:
    root, ann = await make.admin(), await make.user("ann")
    reef = await make.resource(await make.org(), general=0)
    subject = {"user": {"id": ann.node}}

    async with another(settings) as two:
        for _ in range(3):
            assert [await _may(each, ann, reef) for each in (api, two, api, two)] == [False] * 4
            await make.grant(reef, ann)
            assert [await _may(each, ann, reef) for each in (api, two, api, two)] == [True] * 4
            await two(REVOKE, as_=root, resource={"id": reef.node}, subject=subject)


async def test_what_is_held_for_a_time_ends_without_a_commit(api: Api, make: Make, database: db.Database) -> None:
    ann, ben, now = await make.user("ann"), await make.user("ben"), database.clock()
    reef, end = await make.resource(await make.org(), general=0), now + timedelta(hours=1)
    await make.grant(reef, ann, expires_at=end)
    await make.grant(reef, group := await make.group("divers"))
    await make.group_member(group, ben, expires_at=end)

    for moment, expected in ((now, True), (end - timedelta(seconds=1), True), (end, False)):
        database.clock = lambda moment=moment: moment  # type: ignore[misc]
        assert [await _may(api, person, reef) for person in (ann, ben, ann, ben)] == [expected] * 4


async def test_so_much_is_remembered_and_no_more(
    api: Api, make: Make, database: db.Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = access_cache.MASK_CACHES[policy.PAIR, True]
    monkeypatch.setattr(cache, "maximum", 3)
    ann, org = await make.user("ann"), await make.org()
    things = [await make.resource(org, general=resource_roles.METADATA_READ) for _ in range(9)]

    assert [await _may(api, ann, thing) for thing in things * 2] == [True] * 18
    assert len(cache.for_database(database).values) <= 3


async def test_a_version_changes_with_each_commit_and_with_nothing_else(make: Make, database: db.Database) -> None:
    seen = [await database.commit_version()]
    for _ in range(3):
        await make.user()
        seen += [await database.commit_version(), await database.commit_version()]

    assert len(set(seen)) == 4
    assert [first == second for first, second in zip(seen[1::2], seen[2::2], strict=True)] == [True] * 3


@pytest.mark.parametrize("backend", ["sqlite"])
async def test_who_has_a_turn_after_a_commit_knows_of_it(own_db: db.Database, url: str) -> None:
    """One look is for all who have their turns now, and for nobody who was called later."""
    seen: list[Any] = []
    done = asyncio.Event()

    async def look() -> None:
        seen.append(own_db.cached_commit_version())

    def commit(times: int) -> None:
        with closing(sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)) as other:
            other.execute(f"PRAGMA user_version = {times + 1}")
        for _ in range(5):
            tasks.append(asyncio.ensure_future(look()))
        if times:
            asyncio.get_running_loop().call_soon(commit, times - 1)
        else:
            done.set()

    tasks = [asyncio.ensure_future(look())]
    commit(9)
    await done.wait()
    await asyncio.gather(*tasks)

    assert len(seen) == 51
    assert len(set(seen[-5:])) == 1
    assert seen == sorted(seen)
    assert len(set(seen)) == 10, "each commit is seen by those who were called after it"
