"""Tests that answers completed with cached rows are of one moment, whatever commits, and show no hidden row."""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from itertools import count
from random import Random
from typing import Any

import pytest
from sqlalchemy import Boolean, delete, insert, literal, select, update

from app import db, policy
from app.db.postgresql.database import PostgresDatabase
from app.db.tables import Grant, Group, GroupMember, Org, OrgMember, Resource, ResourceType, Role, User, UserRole, col
from app.domain.resource_roles import SubjectType
from app.domain.viewer import Permission, Viewer
from tests.oracle.worlds import Question
from tests.support.cached_rows import ADMIN, BESIDE, QUESTIONS
from tests.support.differential import Both
from tests.support.factories import Person
from tests.support.other_worker import change_rows


@pytest.mark.parametrize("question", QUESTIONS)
async def test_orgs_groups_roles_and_types_are_not_read_again(
    both: Both, registry: dict[str, Any], statements: list[str], question: Question
) -> None:
    await both.ask(question, ADMIN, "admin")
    statements.clear()

    await both.ask(question, ADMIN, "admin")

    assert statements
    read = [text for text in statements if not text.startswith("SELECT count(*)")]
    assert not any(f" {table} " in text for table in ("orgs", "groups", "roles", "resource_types") for text in read)


@pytest.mark.parametrize("number", [1, 2])
async def test_who_sees_some_orgs_is_answered_with_those(
    both: Both, database: db.Database, registry: dict[str, Any], statements: list[str], number: int
) -> None:
    hidden, public, _ = registry["orgs"]
    await change_rows(
        database,
        delete(OrgMember).where(col(OrgMember.org_id) != public.id),
        update(Org).where(col(Org.id) == hidden.id).values(is_public=False),
    )
    viewer = Viewer(registry["people"][number].id)

    for _ in range(2):
        answer = await both.ask(QUESTIONS[0], viewer, "a member of one org")

    assert answer is not None
    orgs = [each["org"] and each["org"]["slug"] for each in answer["data"]["resources"]["nodes"]]
    assert None in orgs
    assert (public.slug in orgs) is (number == 1)
    assert statements
    assert not any(" orgs " in text.partition("WITH")[0] for text in statements)


async def test_cached_rows_are_used_beside_a_lookup(
    both: Both, registry: dict[str, Any], statements: list[str]
) -> None:
    for thing in registry["things"]:
        await both.ask(Question(BESIDE, {"id": thing.node}), ADMIN, "admin")
    assert statements


Change = Callable[[Random, int], Any]


def _some(random: Random, table: Any) -> Any:
    """Return a subquery of one of the first ids of a table."""
    return select(col(table.id)).order_by(col(table.id)).offset(random.randrange(3)).limit(1).scalar_subquery()


_SUBJECT = policy.subject_id(SubjectType.GROUP, col(Group.id))

CHANGES: list[Change] = [
    lambda random, at: update(Org).where(col(Org.id) == _some(random, Org)).values(name=f"N{at}", name_key=f"n{at}"),
    lambda random, at: update(Org).where(col(Org.id) == _some(random, Org)).values(slug=f"slug-{at}"),
    lambda random, at: (
        update(Group).where(col(Group.id) == _some(random, Group)).values(display_name=f"G{at}", name_key=f"{-at}")
    ),
    lambda random, at: update(Role).where(col(Role.id) == _some(random, Role)).values(name=f"r{at}", name_key=f"r{at}"),
    lambda random, at: (
        update(ResourceType).where(col(ResourceType.id) == _some(random, ResourceType)).values(name=f"T{at}")
    ),
    lambda random, at: (
        update(Resource)
        .where(col(Resource.id) == _some(random, Resource))
        .values(org_id=_some(random, Org), type_id=_some(random, ResourceType))
    ),
    lambda random, at: update(Org).where(col(Org.id) == _some(random, Org)).values(is_public=at % 2 == 0),
    lambda random, at: update(Org).where(col(Org.id) == _some(random, Org)).values(owner_id=_some(random, User)),
    lambda random, at: (
        update(OrgMember)
        .where(col(OrgMember.org_id) == _some(random, Org))
        .values(expires_at=random.choice([None, datetime(2020, 1, 1, tzinfo=UTC)]))
    ),
    lambda random, at: delete(OrgMember).where(col(OrgMember.org_id) == _some(random, Org)),
    lambda random, at: delete(GroupMember).where(col(GroupMember.group_id) == _some(random, Group)),
    lambda random, at: (
        delete(Group).where(col(Group.id) == select(col(Group.id)).limit(1).scalar_subquery())
        if random.random() < 0.2
        else update(Group).values(description=f"{at}")
    ),
    lambda random, at: insert(Group).values(
        slug=f"new-{at}", display_name=f"New {at}", name_key=f"new {at}", description="", created_at=_now()
    ),
    lambda random, at: insert(GroupMember).from_select(
        ["group_id", "user_id", "is_manager", "added_at"],
        select(col(Group.id), col(User.id), literal(False, Boolean), col(User.created_at))
        .where(col(User.id) == _some(random, User))
        .where(~select(1).where(col(GroupMember.group_id) == Group.id, col(GroupMember.user_id) == User.id).exists())
        .order_by(col(Group.id).desc())
        .limit(1),
    ),
    lambda random, at: insert(UserRole).from_select(
        ["user_id", "role_id"],
        select(col(User.id), col(Role.id))
        .where(~select(1).where(col(UserRole.user_id) == User.id, col(UserRole.role_id) == Role.id).exists())
        .order_by(col(Role.id).desc(), col(User.id))
        .limit(1),
    ),
    lambda random, at: (
        update(Grant)
        .where(col(Grant.resource_id) == _some(random, Resource))
        .values(mask=random.randrange(1, 16), granted_by_name=f"N{at}")
    ),
    lambda random, at: (
        update(Grant)
        .where(col(Grant.group_id) == _some(random, Group))
        .values(expires_at=random.choice([None, datetime(2020, 1, 1, tzinfo=UTC)]))
    ),
    lambda random, at: delete(Grant).where(
        col(Grant.resource_id) == _some(random, Resource), col(Grant.mask) < random.randrange(9)
    ),
    lambda random, at: insert(Grant).from_select(
        ["resource_id", "subject", "group_id", "mask"],
        select(col(Resource.id), _SUBJECT, col(Group.id), literal(2))
        .where(col(Resource.id) == _some(random, Resource))
        .where(~select(1).where(col(Grant.resource_id) == Resource.id, col(Grant.subject) == _SUBJECT).exists())
        .order_by(col(Group.id))
        .limit(1),
    ),
    lambda random, at: delete(UserRole).where(col(UserRole.user_id) == _some(random, User)),
]
"""Changes of rows that are cached, of rows that refer to them, and of the lists of one user or one resource."""


def _now() -> Any:
    return select(col(User.created_at)).limit(1).scalar_subquery()


@pytest.mark.parametrize("seed", range(3))
async def test_after_any_change_by_any_worker_the_next_answer_is_right(
    both: Both,
    database: db.Database,
    second_db: db.Database,
    registry: dict[str, Any],
    statements: list[str],
    rested: None,
    seed: int,
) -> None:
    random = Random(seed)
    people: list[Person] = registry["people"]
    viewers = [
        Viewer(None),
        *(Viewer(person.id) for person in people[1:3]),
        Viewer(people[3].id, Permission.ORGS_MANAGE),
    ]
    for at in range(1, 60):
        for question in QUESTIONS:
            await both.ask(question, ADMIN, f"the administrator after {at} changes")
        for viewer in viewers:
            await both.ask(QUESTIONS[0], viewer, f"{viewer} after {at} changes")
        chosen = random.sample(CHANGES, random.choice([0, 1, 1, 2]))
        await change_rows(random.choice([database, second_db]), *(change(random, at) for change in chosen))
    assert len(statements) > 100


NAMES = "{ resources(first: 5) { nodes { name org { name } access { groups { group { displayName } } } } } }"


@pytest.fixture
async def renaming(second_db: db.Database, registry: dict[str, Any]) -> AsyncIterator[Callable[[], int]]:
    """Give a resource, its org and its group one new name after the other, each time in one transaction."""
    thing, org, group = (registry[kind][0].id for kind in ("things", "orgs", "groups"))
    done = count()
    number = 0

    async def rename() -> None:
        nonlocal number
        number = next(done)
        name = f"name {number}"
        await change_rows(
            second_db,
            update(Resource).where(col(Resource.id) == thing).values(name=name, name_key="0"),
            update(Org).where(col(Org.id) == org).values(name=name, name_key=name),
            update(Group).where(col(Group.id) == group).values(display_name=name, name_key="0"),
        )

    async def rename_forever() -> None:
        while True:
            await rename()
            await asyncio.sleep(0.004 if number % 7 else 0.03)

    await rename()
    task = asyncio.create_task(rename_forever())
    yield lambda: number
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_an_answer_is_of_one_moment_while_another_worker_renames(
    both: Both, statements: list[str], renaming: Callable[[], int], rested: None
) -> None:
    seen = set[str]()
    while len(seen) < 40:
        answers = await asyncio.gather(*(both.plan(Question(NAMES, {}), ADMIN) for _ in range(3)))
        for answer in answers:
            first = answer["resources"]["nodes"][0]
            names = {first["name"], first["org"]["name"], first["access"]["groups"][0]["group"]["displayName"]}
            assert len(names) == 1
            seen |= names
        await asyncio.sleep(0)
    assert statements


FEED = """{ resources { nodes { name org { name } auditEvents(first: 1) { nodes { id } }
    access { groups { roles group { displayName } } } } } }"""


async def test_a_deeper_level_that_reads_the_audit_feed_is_of_one_moment_too(
    both: Both, database: db.Database, registry: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    await both.ask(Question(FEED, {}), ADMIN, "admin")
    if not isinstance(database, PostgresDatabase):
        return  # SQLite needs no wait for settled events
    wait = database._wait_settled

    async def changing(connection: Any, statements: Any) -> Any:
        await change_rows(database, update(Group).values(display_name="New"), update(Grant).values(mask=4))
        return await wait(connection, statements)

    monkeypatch.setattr(database, "_wait_settled", changing)
    answer = await both.plan(Question(FEED, {}), ADMIN)
    for each in answer["resources"]["nodes"]:
        for grant in each["access"]["groups"]:
            assert (grant["group"]["displayName"] == "New") == (grant["roles"] == ["DATASET_DATA_READ"])


SEES_SOME = Permission.NONE, Permission.ORGS_CREATE, Permission.ROLES_MANAGE, Permission.AUDIT_VIEW
"""Permissions with which users see some orgs, and members of fewer."""


@pytest.mark.parametrize("permissions", [Permission.NONE, *Permission], ids=lambda each: each.name)
async def test_who_does_not_see_all_rows_is_not_answered_with_cached_ones(
    both: Both, registry: dict[str, Any], statements: list[str], permissions: Permission
) -> None:
    person: Person = registry["people"][2]
    for question in QUESTIONS:
        await both.ask(question, Viewer(person.id, permissions), str(permissions))
    assert permissions not in SEES_SOME or not any("org_members.org_id AS c" in text for text in statements)
