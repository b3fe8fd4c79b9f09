"""Tests that an answer about access is of one moment, while another worker changes several things at once."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from random import Random
from typing import Any

import pytest
from sqlalchemy import delete, insert, select, update

from app import db, policy
from app.db.tables import Access, GroupMember, col
from app.domain import resource_roles
from app.domain.resource_roles import SubjectType
from app.services import access_cache
from tests.support.factories import Entity, Make, Person
from tests.support.other_worker import change_rows, keep_changing

ANSWERS = 1_500


async def _rows(database: db.Database, table: Any) -> list[dict[str, Any]]:
    columns = [*table.__table__.c]
    rows = await database.ask(select(*columns), freshness=db.Freshness.PRIMARY)
    return [dict(zip((each.name for each in columns), row, strict=True)) for row in rows]


def _pairs(user: Person, resources: list[Entity]) -> list[int]:
    return [user.id * policy.PAIR + each.id for each in resources]


async def _one_by_one(database: db.Database, pairs: list[int]) -> list[int]:
    return [(await access_cache.get_masks(database, [pair]))[0] for pair in pairs[:8]]


async def _at_once(database: db.Database, pairs: list[int]) -> list[int]:
    return [mask for (mask,) in await asyncio.gather(*(access_cache.get_masks(database, [each]) for each in pairs))]


async def _together(database: db.Database, pairs: list[int]) -> list[int]:
    return await access_cache.get_masks(database, pairs[: 1 + len(pairs) // 2])


@pytest.mark.parametrize("ask", [_one_by_one, _at_once, _together], ids=lambda each: each.__name__)
async def test_who_joins_a_group_as_its_grants_are_revoked_never_has_its_roles(
    make: Make,
    database: db.Database,
    second_db: db.Database,
    ask: Callable[[db.Database, list[int]], Awaitable[list[int]]],
) -> None:
    ann, divers, org = await make.user("ann"), await make.group("divers"), await make.org()
    reefs = [await make.resource(org, general=None) for _ in range(20)]
    for reef in reefs:
        await make.grant(reef, divers)
    await make.group_member(divers, ann)
    is_of_group = col(Access.subject) == divers.id * resource_roles.SUBJECT_TYPES + SubjectType.GROUP
    granted = [each for each in await _rows(database, Access) if each["subject"] % resource_roles.SUBJECT_TYPES == 2]
    members = await _rows(database, GroupMember)
    assert len(granted) == len(reefs)
    await change_rows(database, delete(GroupMember))
    pairs, random, answers = _pairs(ann, reefs), Random(1), list[int]()
    states: list[list[Any]] = [
        [insert(GroupMember).values(members), delete(Access).where(is_of_group)],
        [delete(GroupMember), insert(Access).values(granted)],
    ]
    async with keep_changing(second_db, lambda number: states[number % 2]) as changed:
        while len(answers) < ANSWERS or len(changed) < 60:
            answers += await ask(database, random.sample(pairs, len(pairs)))
            await asyncio.sleep(random.random() * 0.002)
    assert {*answers} == {0}


async def test_a_grant_that_moves_is_in_one_place_for_every_batch(
    make: Make, database: db.Database, second_db: db.Database
) -> None:
    ann, org = await make.user("ann"), await make.org()
    reefs = [await make.resource(org, general=None) for _ in range(2)]
    await make.grant(reefs[0], ann)
    is_of_ann = col(Access.subject) == ann.id * resource_roles.SUBJECT_TYPES + SubjectType.USER
    pairs, random, numbers = _pairs(ann, reefs), Random(1), Counter[int]()

    async def ask_both() -> None:
        masks = await access_cache.get_masks(database, pairs)
        numbers[sum(mask > 0 for mask in masks)] += 1

    async def ask_one() -> None:
        await access_cache.get_masks(database, [random.choice(pairs)])

    places = [[update(Access).where(is_of_ann).values(resource_id=each.id)] for each in reversed(reefs)]
    async with keep_changing(second_db, lambda number: places[number % 2]) as moved:
        while numbers.total() < ANSWERS or len(moved) < 60:
            await asyncio.gather(*(random.choice([ask_both, ask_both, ask_one])() for _ in range(8)))
            await asyncio.sleep(random.random() * 0.002)
    assert {*numbers} == {1}
