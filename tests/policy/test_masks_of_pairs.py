"""Tests that a check gives the same roles along the entries of the resource and along the subjects of the user."""

from datetime import timedelta
from itertools import product
from random import Random
from typing import Any

import pytest

from app import db
from app.db import Freshness
from app.db.statements import compile_statement
from app.domain import resource_roles
from app.domain.resource_roles import MemberLevel
from app.domain.viewer import Permission
from app.policy import checks
from tests.support.factories import Make

USERS, RESOURCES = 14, 6


async def _world(make: Make) -> list[int]:
    """Create users and resources with entries of every kind, some of them with an end; return the pairs of all."""
    random, now = Random(30), make.app.database.clock()
    manager = await make.holder(Permission.RESOURCES_MANAGE)
    users = [manager, await make.user(None, "deactivated"), *[await make.user() for _ in range(USERS)]]
    org = await make.org(owner=users[2])
    groups = [await make.group() for _ in range(6)]
    ends = [None, None, now, now + timedelta(1)]
    for group, user in product(groups, users):
        if random.random() < 0.3:
            await make.group_member(group, user, expires_at=random.choice(ends))
    for user in random.sample(users, 6):
        await make.member(org, user, random.choice([*MemberLevel]), random.choice(ends))
    ids = []
    for _ in range(RESOURCES):
        general = random.choice([None, resource_roles.METADATA_READ])
        resource = await make.resource(org, owner=random.choice([None, *users]), general=general)
        subjects: list[Any] = random.sample([*groups, *users, None], random.randrange(12))
        for subject in subjects:
            mask = resource_roles.METADATA_READ if subject is None else random.choice([1, 2, 4, 8, 16])
            await make.grant(resource, subject, mask, random.choice(ends))
        ids.append(resource.id)
    return [user.id * checks.PAIR + resource for user, resource in product(users, ids)]


async def _masks(database: db.Database, pairs: list[int], many: int, **kind: bool) -> Any:
    """Return for each place of a pair whether it has a row, and its roles."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(checks, "MANY_ENTRIES", many)
        select = checks.masks_of_pairs.__wrapped__(database.dialect.name, **kind)
        statement = compile_statement(select, database.dialect)
    ids = [divmod(pair, checks.PAIR) for pair in pairs]
    values = {"pairs": ids, "users": [user for user, _ in ids], "resources": [key for _, key in ids]}
    values |= {"now": database.clock()} | ({} if kind["is_wide"] else {"pairs": pairs})
    (rows,) = await database.read([(statement, values)], freshness=Freshness.PRIMARY)
    masks: dict[int, int] = {}
    for (number,) in rows:
        masks[number // checks.WIDTH] = masks.get(number // checks.WIDTH, 0) | number % checks.WIDTH
    return masks


async def _masks_by_user(database: db.Database, pairs: list[int], many: int, *, registry: bool) -> dict[int, int]:
    """Return the same of the statement for one user, by the places of all pairs."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(checks, "MANY_ENTRIES", many)
        select = checks.masks_of_user.__wrapped__(database.dialect.name, registry=registry)
        statement = compile_statement(select, database.dialect)
    masks: dict[int, int] = {}
    for user in {pair // checks.PAIR for pair in pairs}:
        places = [at for at, pair in enumerate(pairs) if pair // checks.PAIR == user]
        resources = [pairs[at] % checks.PAIR for at in places]
        values = {"user": user, "resources": resources, "now": database.clock()}
        (rows,) = await database.read([(statement, values)], freshness=Freshness.PRIMARY)
        for (number,) in rows:
            at = places[number // checks.WIDTH]
            masks[at] = masks.get(at, 0) | number % checks.WIDTH
    return masks


@pytest.mark.parametrize("registry", [False, True])
async def test_the_statement_for_one_user_gives_the_same_roles(
    make: Make, database: db.Database, registry: bool
) -> None:
    pairs = await _world(make)
    pairs += [checks.PAIR * 10**6 + 1, checks.PAIR + 10**6]  # no such user, no such resource
    of_pairs = await _masks(database, pairs, 8, is_wide=False, registry=registry)

    for many in (1000, 8, 0):
        assert await _masks_by_user(database, pairs, many, registry=registry) == of_pairs


@pytest.mark.parametrize(("is_wide", "registry"), [*product((False, True), repeat=2)])
async def test_both_ways_give_the_same_roles(make: Make, database: db.Database, is_wide: bool, registry: bool) -> None:
    pairs = await _world(make)
    pairs += [checks.PAIR * 10**6 + 1, checks.PAIR + 10**6]  # no such user, no such resource
    kind = {"is_wide": is_wide, "registry": registry}
    along_entries, mixed, along_subjects = [await _masks(database, pairs, many, **kind) for many in (1000, 8, 0)]
    of_few = await _masks(database, pairs, 8, **kind, are_few=True)

    assert along_entries == mixed == along_subjects == of_few
    assert len(along_entries) == (USERS + 1) * RESOURCES
    assert len({*along_entries.values()}) > 8
