"""Tests of decisions from the cached subjects of a user and the cached entries of a resource."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import delete

from app import db, policy
from app.db import CachedPairs
from app.db.access_changes import resource_scope, user_scope
from app.db.tables import Access, GroupMember
from app.domain import resource_roles
from app.domain.viewer import Permission
from app.services import access_cache, access_parts
from tests.support.factories import Entity, Make, Person

READ = resource_roles.METADATA_READ


def _pair(user: Person, resource: Entity) -> int:
    return user.id * policy.PAIR + resource.id


@pytest.fixture
def reads(database: db.Database, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return the growing list of the numbers of statements that decisions were read with."""
    numbers: list[int] = []
    read_with_changes = database.read_with_changes

    async def noting(since: Any, statements: Any = ()) -> Any:
        numbers.append(len(statements))
        return await read_with_changes(since, statements)

    monkeypatch.setattr(database, "read_with_changes", noting)
    return numbers


async def _ask(database: db.Database, *pairs: int) -> list[int]:
    return await access_cache.get_masks(database, pairs)


async def test_a_new_pair_of_known_parts_is_decided_without_a_read(
    make: Make, database: db.Database, reads: list[int]
) -> None:
    people = [await make.user() for _ in range(4)]
    divers, org = await make.group("divers", *people[:3]), await make.org()
    things = [await make.resource(org, general=None) for _ in range(4)]
    for thing in things:
        await make.grant(thing, divers)
    known = [*(_pair(person, things[0]) for person in people), *(_pair(people[0], thing) for thing in things)]
    for _ in range(len(people)):
        await _warm(database, *known)
    reads.clear()

    masks = await _ask(database, *(_pair(person, thing) for person in people for thing in things))

    assert reads == [0], "only the changes"
    assert masks == [READ] * 12 + [0] * 4


async def test_a_request_takes_at_most_three_statements(make: Make, database: db.Database, reads: list[int]) -> None:
    people, org = [await make.user() for _ in range(4)], await make.org()
    things = [await make.resource(org) for _ in range(4)]
    for _ in range(6):
        await _ask(database, *(_pair(person, thing) for person in people for thing in things))
        database.caches[access_cache.MASK_CACHES[policy.PAIR, True]].clear()
    assert reads[0] == 1
    assert max(reads) <= 3
    assert reads[-1] == 0


async def _warm(database: db.Database, *pairs: int) -> list[int]:
    """Ask until the parts are cached, without cached decisions."""
    for _ in range(4):
        masks = await _ask(database, *pairs)
        database.caches[access_cache.MASK_CACHES[policy.PAIR, True]].clear()
    return masks


async def _end_of_membership(make: Make, soon: datetime) -> tuple[Person, Entity]:
    ann, reef, divers = await make.user("ann"), await make.resource(await make.org(), general=None), await make.group()
    await make.grant(reef, divers)
    await make.group_member(divers, ann, expires_at=soon)
    return ann, reef


async def _end_of_grant(make: Make, soon: datetime) -> tuple[Person, Entity]:
    ann, reef = await make.user("ann"), await make.resource(await make.org(), general=None)
    await make.grant(reef, ann, expires_at=soon)
    return ann, reef


@pytest.mark.parametrize("build", [_end_of_membership, _end_of_grant])
async def test_what_ends_by_itself_decides_nothing_after_its_end(
    make: Make, database: db.Database, monkeypatch: pytest.MonkeyPatch, build: Callable[..., Any]
) -> None:
    now = database.clock()
    ann, reef = await build(make, now + timedelta(hours=1))
    assert await _warm(database, _pair(ann, reef)) == [READ]
    monkeypatch.setattr(database, "clock", lambda: now + timedelta(hours=2))
    assert await _warm(database, _pair(ann, reef)) == [0]


async def test_resources_with_many_entries_and_missing_objects_have_their_own_statement(
    make: Make, database: db.Database
) -> None:
    people = [await make.user() for _ in range(policy.checks.MANY_ENTRIES + 1)]
    gone = await make.user(None, "deactivated")
    crowded, quiet = [await make.resource(await make.org(), general=None) for _ in range(2)]
    for person in people:
        await make.grant(crowded, person)
    pairs = [_pair(people[0], crowded), _pair(people[0], quiet), _pair(gone, quiet)]
    missing = [people[0].id * policy.PAIR + 999, 999 * policy.PAIR + quiet.id]
    masks = await _warm(database, *pairs, *missing)
    assert masks == [READ, 0, 0, policy.NO_RESOURCE, policy.NO_USER]
    cached: CachedPairs = database.caches[access_cache.MASK_CACHES[policy.PAIR, True]]
    assert cached.resources.by_id[crowded.id] is cached.resources.by_id[999] is access_parts.NOT_CACHEABLE
    assert cached.users.by_id[gone.id] is cached.users.by_id[999] is access_parts.NOT_CACHEABLE


async def test_who_leaves_and_what_is_revoked_is_seen_at_once(make: Make, database: db.Database) -> None:
    ann, divers = await make.user("ann"), await make.group("divers")
    await make.group_member(divers, ann)
    reefs = [await make.resource(await make.org(), general=None) for _ in range(2)]
    for reef in reefs:
        await make.grant(reef, divers)
    pairs = [_pair(ann, reef) for reef in reefs]
    assert await _warm(database, *pairs) == [READ, READ]
    async with database.write() as tx:
        await tx.rows(delete(Access).where(Access.resource_id == reefs[0].id))  # type: ignore[arg-type]  # a column
    assert await _ask(database, *pairs) == [0, READ]
    assert await _warm(database, *pairs) == [0, READ]
    async with database.write() as tx:
        await tx.rows(delete(GroupMember))
    assert await _ask(database, *pairs) == [0, 0]


async def test_a_registrar_has_every_role_only_for_those_who_may_know(make: Make, database: db.Database) -> None:
    await make.role("keeping", Permission.RESOURCES_MANAGE)
    ann, reef = await make.user("ann", "keeping"), await make.resource(await make.org(), general=None)
    for _ in range(4):
        for registry in (True, False):
            (mask,) = await access_cache.get_masks(database, [_pair(ann, reef)], registry=registry)
            assert (mask != 0) is registry
            database.caches[access_cache.MASK_CACHES[policy.PAIR, registry]].clear()


def _cached() -> CachedPairs:
    return CachedPairs(policy.PAIR)


def test_parts_that_were_read_before_a_change_are_neither_added_nor_used_after_it() -> None:
    cached, before = _cached(), 0
    cached.add_parts({1: {0: 1}, 2: {0: 1}}, {7: [(0, 1)]}, before, 9, 99)
    cached.drop({user_scope(1), resource_scope(7)})
    cached.add_parts({1: {0: 1}, 3: {0: 1}}, {7: [(0, 1)], 8: [(0, 1)]}, before, 9, 99)
    assert ({*cached.users.by_id}, {*cached.resources.by_id}) == ({2, 3}, {8})
    cached.add_parts({1: {0: 2}}, {7: [(0, 2)]}, cached.round, 9, 99)
    pairs = [user * policy.PAIR + resource for user in (1, 2) for resource in (7, 8)]
    users, resources = cached.find_parts(pairs, before)
    assert ({*users}, {*resources}) == ({2}, {8}), "1 and 7 are of a later moment"
    assert ({*users}, {*resources}) != ({*cached.users.by_id}, {*cached.resources.by_id})
    cached.drop(None)
    assert cached.find_parts(pairs, cached.round) == ({}, {})


def test_the_number_of_parts_is_bounded() -> None:
    cached = _cached()
    for key in range(40):
        cached.add_parts({key: {}}, {key: []}, 0, 16, 99)
        assert len(cached.users.by_id) <= 16
    assert {39, 38, 37} <= {*cached.users.by_id}
    for key in range(40):
        cached.record_misses({key}, {key}, 16)
    assert cached.record_misses({39, 1}, {39}, 16) == ({39}, {39})
    assert access_parts.MAX_PARTS >= access_parts.MAX_MISSES


def test_the_size_of_parts_is_bounded_whoever_has_many() -> None:
    cached, sizes = _cached(), list[int]()
    for key in range(200):
        many = dict.fromkeys(range(key % 50), 1)
        cached.add_parts({key: many}, {key: None if key % 3 else [(0, 1)] * (key % 7)}, cached.round, 1_000, 300)
        if key % 5 == 0:
            cached.drop({user_scope(key - 1), resource_scope(key - 2)})
        for parts in (cached.users, cached.resources):
            assert parts.size == sum(len(part) for part in parts.by_id.values() if part)
        sizes.append(cached.users.size)
    assert 200 < max(sizes) <= 300
    cached.drop(None)
    assert cached.users.size == cached.resources.size == 0


async def test_users_with_many_subjects_do_not_keep_those_beside_them_from_being_cached(
    make: Make, database: db.Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(access_parts, "MAX_SUBJECTS_OF_USER", 5)
    monkeypatch.setattr(policy, "MAX_SUBJECTS", 10)
    people = [await make.user() for _ in range(3)]
    for _ in range(6):
        await make.group(None, people[0])
    reef = await make.resource(await make.org(), general=1)
    read_users = access_parts._read_users
    rows = [(people[0].id, subject, 31, None) for subject in range(8)] + [(people[1].id, at, 31, None) for at in (0, 1)]
    assert read_users([each.id for each in people], rows) == {people[0].id: access_parts.NOT_CACHEABLE}
    assert await _warm(database, *(_pair(person, reef) for person in people)) == [1, 1, 1]


async def test_what_does_not_exist_costs_another_statement_once(
    make: Make, database: db.Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    ann, reef = await make.user(), await make.resource(await make.org(), general=1)
    pairs, reads = [_pair(ann, reef), ann.id * policy.PAIR + 999], list[int]()
    read = access_cache._read

    async def noting(*arguments: Any, **options: Any) -> Any:
        reads.append(1)
        return await read(*arguments, **options)

    monkeypatch.setattr(access_cache, "_read", noting)
    for _ in range(6):
        assert await _ask(database, *pairs) == [1, policy.NO_RESOURCE]
    assert len(reads) == 1
