"""Tests that cached access decisions equal fresh ones after any change, and that a change elsewhere keeps them."""

import asyncio
from collections.abc import Callable, Sized
from itertools import product
from random import Random
from typing import Any

import pytest
from sqlalchemy import delete, insert, select, text, update
from sqlalchemy.sql.base import Executable

from app import db, policy
from app.db import CachedPairs, Freshness, access_changes, access_changes_trim, at_one_moment
from app.db.tables import Access, Group, GroupMember, Org, OrgMember, Resource, Role, User, UserRole, col
from app.domain import resource_roles
from app.domain.resource_roles import MemberLevel
from app.domain.viewer import Permission
from app.services import access_cache
from tests.support.changes import change
from tests.support.client import Api, codes
from tests.support.factories import Make, Person

PEOPLE, THINGS, CHANGES = 9, 7, 120

KEYS: list[tuple[Any, tuple[Any, ...]]] = [
    (Access, (Access.resource_id, Access.subject)),
    (GroupMember, (GroupMember.group_id, GroupMember.user_id)),
    (OrgMember, (OrgMember.org_id, OrgMember.user_id)),
    (UserRole, (UserRole.user_id, UserRole.role_id)),
    (Role, (Role.id,)),
    (Org, (Org.id,)),
    (Group, (Group.id,)),
    (User, (User.id,)),
    (Resource, (Resource.id,)),
]
"""The tables whose rows decide about access, and their keys."""

WEIGHTS = (9, 9, 9, 9, 4, 9, 1, 1, 1)
"""How often each of them is changed: few changes end a user, a group or a resource."""


@pytest.fixture
async def pairs(make: Make) -> list[int]:
    """Create a world and return the pairs of all its users and resources, and of some that do not exist."""
    random = Random(5)
    await make.role("keeping", Permission.RESOURCES_MANAGE)
    roles = [["keeping"]] * 4 + [["deactivated"]] + [[]] * (PEOPLE - 5)
    people = [await make.user(None, *names) for names in roles]
    groups = [await make.group(None, *random.sample(people, 4)) for _ in range(4)]
    orgs = [await make.org(owner=random.choice(people)) for _ in range(3)]
    for org, person in product(orgs, random.sample(people, 4)):
        await make.member(org, person, random.choice([*MemberLevel]))
    things = []
    for _ in range(THINGS):
        thing = await make.resource(random.choice(orgs), general=random.choice([None, resource_roles.METADATA_READ]))
        subjects: list[Any] = [*random.sample(groups, 2), random.choice(people)]
        for to in subjects:
            await make.grant(thing, to, random.choice([1, 2, 4, 8]))
        things.append(thing)
    users, resources = [person.id for person in people], [thing.id for thing in things]
    return [user * policy.PAIR + key for user, key in product([*users, 900], [*resources, 900])]


@pytest.fixture
async def workers(database: db.Database, second_db: db.Database) -> list[db.Database]:
    """Two workers, each with its own cache."""
    return [database, second_db]


async def _fresh(database: db.Database, pairs: list[int]) -> list[int]:
    async with at_one_moment(database) as reader:
        return await access_cache.get_masks(reader, pairs)


async def _require_right(workers: list[db.Database], pairs: list[int], what: object) -> None:
    expected = await _fresh(workers[0], pairs)
    for worker in workers:
        for _ in range(2):
            assert await access_cache.get_masks(worker, pairs) == expected, what


def _cached(database: db.Database) -> dict[int, int]:
    values: dict[int, int] = database.caches[access_cache.MASK_CACHES[policy.PAIR, True]].values
    return values


def _kept(database: db.Database, *, by_parts: bool) -> Sized:
    cached: CachedPairs = database.caches[access_cache.MASK_CACHES[policy.PAIR, True]]
    return [*cached.users.by_id, *cached.resources.by_id] if by_parts else cached.values


async def _write(database: db.Database, *statements: Executable) -> None:
    async with database.write() as tx:
        for statement in statements:
            await tx.rows(statement)


async def _rows(database: db.Database, table: Any, columns: tuple[Any, ...]) -> list[Any]:
    return await database.ask(select(*map(col, columns)), freshness=Freshness.PRIMARY)


async def _random_change(random: Random, database: db.Database) -> Executable | None:
    """Return a statement that inserts, updates or deletes rows of a table in any way that its constraints allow."""
    table, keys = random.choices(KEYS, WEIGHTS)[0]
    rows = await _rows(database, table, keys)
    users = [row[0] for row in await _rows(database, User, (User.id,))]
    if not rows or not users:
        return None
    row = random.choice(rows)
    is_row = [col(key) == value for key, value in zip(keys, row, strict=True)]
    acts: list[Callable[[], Executable]] = [lambda: delete(table).where(*is_row)]
    user = random.choice(users)
    if table is Access:
        mask = random.choice([1, 2, 3, 4, 8])
        acts = [*acts, lambda: update(Access).where(*is_row).values(mask=mask)] * 2
        subject = random.choice(await _rows(database, Access, (Access.subject,)))[0]
        acts.append(lambda: update(Access).where(*is_row).values(subject=-subject))
    elif table is Org:
        acts = [lambda: update(Org).where(*is_row).values(owner_id=random.choice([user, None]))] * 9
    elif table is Role:
        some = random.choice([Permission.NONE, Permission.RESOURCES_MANAGE]).value
        acts = [lambda: update(Role).where(col(Role.name) == "keeping").values(permissions=some)]
    elif table is OrgMember:
        level = int(random.choice([*MemberLevel]))
        acts.append(lambda: update(OrgMember).where(*is_row).values(level=level))
    elif table is UserRole:
        acts.append(lambda: insert(UserRole).values(user_id=user, role_id=row[1]))
    if table in (GroupMember, OrgMember, UserRole):
        person = {"user_id": user} if random.random() < 0.7 else {keys[0].key: random.choice(rows)[0]}
        acts += [lambda: update(table).where(*is_row).values(**person)] * 2
    return random.choice(acts)()


@pytest.mark.parametrize("by_parts", [False, True])
async def test_cached_decisions_equal_fresh_ones_after_any_change(
    workers: list[db.Database],
    own_db: db.Database,
    pairs: list[int],
    by_parts: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    random, kept, done = Random(11), 0, 0
    if by_parts:  # each decision is made anew of the parts
        monkeypatch.setattr(CachedPairs, "add", lambda *_: None)
    await _require_right(workers, pairs, "at first")
    for _ in range(CHANGES):
        changes = [await _random_change(random, own_db) for _ in range(random.choice([1, 1, 1, 3]))]
        try:
            await _write(own_db, *(change for change in changes if change is not None))
        except (db.UniqueViolation, db.ForeignKeyViolation):
            continue
        before = len(_kept(workers[0], by_parts=by_parts))
        await access_cache.MASK_CACHES[policy.PAIR, True].refresh(workers[0])
        kept, done = kept + (0 < before / 2 < len(_kept(workers[0], by_parts=by_parts))), done + 1
        asked = random.sample(pairs, len(pairs) // 2)
        await _require_right(workers[:1] if random.random() < 0.3 else workers, asked, changes)
    await _require_right(workers, pairs, "at last")
    assert kept > done / 3 > CHANGES / 6, "most changes leave most decisions in the cache"


async def test_deletions_that_cascade_are_seen(
    workers: list[db.Database], own_db: db.Database, pairs: list[int]
) -> None:
    await _require_right(workers, pairs, "at first")
    for table in (Group, Org, User):
        keys = await _rows(own_db, table, (table.id,))
        resources = [delete(Resource)] if table is Org else []
        await _write(own_db, *resources, *(delete(table).where(col(table.id) == key) for (key,) in keys[:2]))
        await _require_right(workers, pairs, table)


async def test_a_change_elsewhere_keeps_what_is_cached(make: Make, database: db.Database, pairs: list[int]) -> None:
    await access_cache.get_masks(database, pairs)
    before = dict(_cached(database))
    ann, reef = await make.user("ann"), await make.resource(await make.org())
    await make.grant(reef, ann)
    await make.group("others", ann)
    await access_cache.get_masks(database, pairs[:1])

    assert len(before) > len(pairs) / 2
    assert _cached(database) == before


async def test_values_that_decide_nothing_concern_nobody(api: Api, make: Make, database: db.Database) -> None:
    root, org = await make.admin(), await make.org()
    await make.role("keeping")
    reef = await make.resource(org)
    await make.grant(reef, await make.group(None, await make.user("ann")))
    new = {"name": "another", "description": "another"}
    changes = {
        "updateResource": {"resource": {"id": reef.node}, "description": "another", "metadata": {"depth": 7}},
        "updateOrg": {"org": {"id": org.node}, **new, "isPublic": True},
        "updateRole": {"role": {"name": "keeping"}, "description": "another"},
    }
    before = await _changes_recorded(database)

    for name, data in changes.items():
        assert codes(await api(change(name), as_=root, input=data)) == []
        assert await _changes_recorded(database) == before, name
    data = {"role": {"name": "keeping"}, "permissions": ["RESOURCES_MANAGE"]}
    assert codes(await api(change("updateRole"), as_=root, input=data)) == []
    assert await _changes_recorded(database) == before + 1


async def _changes_recorded(database: db.Database) -> int:
    ((number,),) = await database.ask(
        text("SELECT count(*) FROM access_changes WHERE scope >= 0"), freshness=Freshness.PRIMARY
    )
    return int(number)


@pytest.mark.parametrize("moment", ["on their way", "not yet added"])
@pytest.mark.parametrize("is_warm", [False, True])
async def test_a_slow_read_adds_nothing_that_has_changed_meanwhile(
    make: Make, database: db.Database, monkeypatch: pytest.MonkeyPatch, moment: str, is_warm: bool
) -> None:
    """Another request reads the change while the rows of this one are on their way, or not yet in the cache."""
    ann, ben, reef = await make.user("ann"), await make.user("ben"), await make.resource(await make.org(), general=None)
    elsewhere = ben.id * policy.PAIR + reef.id + 1
    if is_warm:
        await access_cache.get_masks(database, [elsewhere])
    owner, name = (
        (type(database), "read_with_changes") if moment == "on their way" else (access_cache, "_masks_by_pair")
    )
    load = getattr(owner, name)
    arrived, go_on = asyncio.Event(), asyncio.Event()

    async def slow(*arguments: Any, **named: Any) -> Any:
        loaded = await load(*arguments, **named)
        arrived.set()
        await go_on.wait()
        return loaded

    both = [person.id * policy.PAIR + reef.id for person in (ann, ben)]
    with monkeypatch.context() as patched:
        patched.setattr(owner, name, slow)
        first = asyncio.create_task(access_cache.get_masks(database, both))
        await arrived.wait()
    await _member_of_org(make, ann)
    await make.group_member(await _granted_group(make, reef), ann)
    await access_cache.get_masks(database, [elsewhere])  # another request
    go_on.set()

    assert await first == [0, 0]
    assert await access_cache.get_masks(database, both) == [resource_roles.METADATA_READ, 0]


async def test_a_slow_read_beside_two_others_adds_nothing_that_one_of_them_has_dropped(
    make: Make, database: db.Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The third has begun with the newer state, so that it does not read again what the second has dropped."""
    ann, reef = await make.user("ann"), await make.resource(await make.org(), general=None)
    pair, elsewhere = ann.id * policy.PAIR + reef.id, ann.id * policy.PAIR + reef.id + 1
    group = await _granted_group(make, reef)
    await access_cache.get_masks(database, [elsewhere])
    load, gates, arrived = type(database).read_with_changes, dict[Any, asyncio.Event](), asyncio.Event()

    async def gated(*arguments: Any) -> Any:
        answer = await load(*arguments)
        if (gate := gates.get(asyncio.current_task())) is not None:
            arrived.set()
            await gate.wait()
        return answer

    async def held(key: int) -> asyncio.Task[list[int]]:
        task = asyncio.create_task(access_cache.get_masks(database, [key]))
        gates[task] = asyncio.Event()
        arrived.clear()
        await arrived.wait()
        return task

    monkeypatch.setattr(type(database), "read_with_changes", gated)
    first = await held(pair)
    await make.group_member(group, ann)
    await access_cache.get_masks(database, [elsewhere])
    third = await held(elsewhere)
    for task in (first, third):
        gates[task].set()
        await task

    assert first.result() == [0]
    assert await access_cache.get_masks(database, [pair]) == [resource_roles.METADATA_READ]


async def test_what_is_read_with_the_changes_is_cached_although_they_drop_it(make: Make, database: db.Database) -> None:
    ann, reef = await make.user("ann"), await make.resource(await make.org(), general=None)
    pair = ann.id * policy.PAIR + reef.id
    assert await access_cache.get_masks(database, [pair]) == [0]
    assert pair in _cached(database)
    for _ in range(2):
        await make.grant(await make.resource(await make.org()), ann)  # concerns ann, not the pair
        group = await make.group()
        await make.group_member(group, ann)
        assert await access_cache.get_masks(database, [pair]) == [0]
        assert pair in _cached(database)


async def _member_of_org(make: Make, person: Person) -> None:
    await make.member(await make.org(), person)


async def _granted_group(make: Make, thing: Any) -> Any:
    group = await make.group()
    await make.grant(thing, group)
    return group


async def test_of_many_changes_at_once_everything_is_dropped(
    make: Make, workers: list[db.Database], pairs: list[int]
) -> None:
    await _require_right(workers, pairs, "at first")
    async with make.app.database.write() as tx:
        members = len(await tx.rows(select(col(GroupMember.user_id))))
        for _ in range(access_changes.MAX_SCOPES // members + 2):
            await tx.rows(update(GroupMember).values(is_manager=True))
        await tx.rows(delete(GroupMember))
    await _require_right(workers, pairs, "at last")


async def test_removed_notes_empty_the_caches_that_have_not_read_them(
    make: Make, workers: list[db.Database], pairs: list[int]
) -> None:
    await _require_right(workers, pairs, "at first")
    lazy = workers[1]
    for _ in range(3):
        await _write(workers[0], delete(GroupMember).where(col(GroupMember.user_id) == pairs[0] // policy.PAIR))
        await make.member(await make.org(), await make.user())
        await access_cache.get_masks(workers[0], pairs)
        await access_changes_trim.remove_old(workers[0], 0)
    assert len(await workers[0].read([(workers[0].prepare(_ALL), {})], freshness=Freshness.PRIMARY)) < 4
    await access_cache.get_masks(lazy, pairs[:1])
    await _require_right(workers, pairs, "at last")


_ALL = text("SELECT id FROM access_changes")


@pytest.mark.parametrize("backend", ["postgresql"])
async def test_a_transaction_that_began_earlier_and_ends_later_is_seen(
    make: Make, workers: list[db.Database], own_db: db.Database
) -> None:
    """Its number is smaller than that of the transaction that the cache has seen."""
    ann, ben, reef = await make.user("ann"), await make.user("ben"), await make.resource(await make.org(), general=None)
    group = await _granted_group(make, reef)
    both = [person.id * policy.PAIR + reef.id for person in (ann, ben)]
    for trimmed in ("never", "meanwhile", "afterwards"):
        await _require_right(workers, both, "at first")
        async with own_db.write() as tx:
            row = {"group_id": group.id, "user_id": ann.id, "is_manager": False, "added_at": tx.now}
            await tx.insert(GroupMember, [row])
            await make.group_member(group, ben)
            await _require_right(workers, both, "the later transaction has ended")
            if trimmed == "meanwhile":
                await access_changes_trim.remove_old(workers[0], 0)
        if trimmed == "afterwards":
            await make.member(await make.org(), await make.user())
            await access_changes_trim.remove_old(make.app.database, 0)
        await _require_right(workers, both, "the earlier one too")
        await _write(own_db, delete(GroupMember))


@pytest.mark.parametrize("backend", ["postgresql"])
async def test_another_server_empties_the_cache(workers: list[db.Database], pairs: list[int]) -> None:
    """A promoted standby numbers its transactions anew from the last one that reached it."""
    await _require_right(workers, pairs, "at first")
    state = (await workers[0].read_with_changes(None))[0].state
    snapshot, start, reset = state
    others = [[snapshot, "2026-01-01 00:00:00+00", reset], [snapshot, start, "2026-01-01 00:00:00+00"]]

    assert (await workers[0].read_with_changes(state))[0].scopes == set()
    assert [(await workers[0].read_with_changes(other))[0].scopes for other in others] == [None, None]


@pytest.mark.parametrize("backend", ["postgresql"])
async def test_a_recovery_of_the_server_empties_the_cache(workers: list[db.Database], pairs: list[int]) -> None:
    """It gives the numbers of lost transactions again and keeps the time of its start, but it resets its statistics.

    `scripts/poolers` ends a process of PostgreSQL, also behind a pooler.
    """
    await _require_right(workers, pairs, "at first")
    state = (await workers[1].read_with_changes(None))[0].state
    async with workers[0].write() as tx:
        await tx.rows(text("SELECT pg_stat_reset_shared('bgwriter')"))

    assert (await workers[1].read_with_changes(state))[0].scopes is None
