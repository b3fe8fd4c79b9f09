"""Tests of the cached lists of one user or one resource: what drops them, and what is never cached."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import delete, select, update

from app import db
from app.db import cached_lists
from app.db.tables import Grant, GroupMember, OrgMember, Resource, UserRole, col
from app.domain.viewer import Permission, Viewer
from tests.oracle.worlds import Question
from tests.support.cached_rows import ADMIN
from tests.support.differential import Both
from tests.support.other_worker import change_rows, keep_changing

GRANTS = """{ resources(first: 5) { nodes { name access { general { roles } anyone { roles }
    groups { roles grantedAt grantedByName expiresAt group { displayName } } } } } }"""

MEMBERSHIPS = """{ users(first: 5) { nodes { userName roles { name }
    orgs { nodes { slug } } groups(first: 1) { totalCount nodes { slug } pageInfo { hasNextPage } } } } }"""

LISTS = {"grants": GRANTS, "user_roles": MEMBERSHIPS, "org_members": MEMBERSHIPS, "group_members": MEMBERSHIPS}
"""A question for the lists of each table."""


def _read(statements: list[str]) -> set[str]:
    """Return which of the tables of the lists the statements read."""
    return {table for table in LISTS for text in statements if f" {table} " in text.replace("\n", " ")}


async def _warm(both: Both, statements: list[str], text: str, viewer: Viewer = ADMIN) -> None:
    """Ask until all lists are cached that can be."""
    for _ in range(5):
        await both.ask(Question(text, {}), viewer, "to warm up")
    statements.clear()


ONE_PARENT = [
    "{ orgs(first: 1) { nodes { slug members { nodes { userName } } } } }",
    "{ orgs(first: 1) { nodes { slug resources(first: 2) { edges { node { name } } } } } }",
    "{ groups(first: 1) { nodes { slug members { nodes { userName } } } } }",
    "{ users(first: 1) { nodes { userName roles { name } groups { nodes { slug } } orgs { nodes { slug } } } } }",
    "{ resources(first: 1) { nodes { name access { groups { group { slug } } users { roles } } } } }",
]


@pytest.mark.parametrize("text", ONE_PARENT)
async def test_a_single_parent_has_its_own_rows_only(both: Both, registry: dict[str, Any], text: str) -> None:
    """On PostgreSQL one statement reads a row more than the page, and the lists of all these rows."""
    for _ in range(4):
        for viewer in (ADMIN, *(Viewer(person.id) for person in registry["people"][:2])):
            await both.ask(Question(text, {}), viewer, f"{viewer.user_id}")


@pytest.mark.parametrize("backend", ["postgresql"])
async def test_a_page_without_rows_does_not_make_the_next_one_read_twice(
    both: Both, registry: dict[str, Any], statements: list[str]
) -> None:
    text = """query ($name: String, $first: Int) { users(first: 5, filter: {userName: {contains: $name}}) { nodes {
        userName orgs(first: $first) { nodes { slug } } } } }"""
    numbers = set[int]()
    for name in ("zzz", "user") * 6:
        statements.clear()
        await both.ask(Question(text, {"name": name, "first": 3}), ADMIN, "admin")
        numbers.add(sum(" users " in text.partition("WHERE")[0] for text in statements))
    assert numbers <= {0, 1}


@pytest.mark.parametrize("text", [GRANTS, MEMBERSHIPS], ids=["grants", "memberships"])
async def test_lists_that_were_read_twice_are_not_read_again(
    both: Both, registry: dict[str, Any], statements: list[str], text: str
) -> None:
    await _warm(both, statements, text)

    await both.ask(Question(text, {}), ADMIN, "admin")

    assert statements
    assert not _read(statements)


@pytest.mark.parametrize("table", [Grant, UserRole, OrgMember, GroupMember], ids=lambda each: each.__tablename__)
async def test_only_the_list_is_read_again_that_a_commit_has_changed(
    both: Both,
    database: db.Database,
    registry: dict[str, Any],
    statements: list[str],
    table: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    name = table.__tablename__
    await _warm(both, statements, LISTS[name])
    owner = "resource_id" if table is Grant else "user_id"
    (key,) = (await database.ask(select(getattr(table, owner)).limit(1), freshness=db.Freshness.PRIMARY))[0]
    misses = list[set[int]]()
    miss = cached_lists.OpenedLists.record_misses

    def noting(self: Any, field: Any, keys: Any) -> Any:
        misses.append(set(keys))
        return miss(self, field, keys)

    monkeypatch.setattr(cached_lists.OpenedLists, "record_misses", noting)
    await change_rows(database, delete(table).where(col(getattr(table, owner)) == key))

    await both.ask(Question(LISTS[name], {}), ADMIN, "admin")

    assert misses
    assert all(each <= {key} for each in misses[-4:])
    assert name in _read(statements)


async def test_a_list_whose_rows_end_by_themselves_is_not_cached(
    both: Both, database: db.Database, registry: dict[str, Any], statements: list[str]
) -> None:
    soon = datetime.now(UTC) + timedelta(days=1)
    await change_rows(database, update(OrgMember).values(expires_at=soon), update(GroupMember).values(expires_at=soon))
    await _warm(both, statements, MEMBERSHIPS)

    await both.ask(Question(MEMBERSHIPS, {}), ADMIN, "admin")

    assert {"org_members", "group_members"} <= _read(statements)


@pytest.mark.parametrize("permissions", [Permission.NONE, *Permission], ids=lambda each: each.name)
async def test_viewers_with_other_permissions_see_their_own_lists(
    both: Both, registry: dict[str, Any], statements: list[str], permissions: Permission
) -> None:
    for text in (GRANTS, MEMBERSHIPS):
        for person in registry["people"]:
            await _warm(both, statements, text, Viewer(person.id, permissions))
        await _warm(both, statements, text)
        await _warm(both, statements, text, Viewer(None))


async def test_lists_of_a_field_with_variables_are_read_for_each_value(
    both: Both, registry: dict[str, Any], statements: list[str]
) -> None:
    text = "query ($first: Int) { users(first: 5) { nodes { groups(first: $first) { nodes { slug } } } } }"
    for first in (1, 2, 1, 3, 2, 1, None):
        await both.ask(Question(text, {"first": first}), ADMIN, "admin")
    assert "group_members" in _read(statements)


async def test_the_size_of_all_lists_is_bounded(
    both: Both, registry: dict[str, Any], statements: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cached_lists, "MAX_BYTES", 5_000)
    lists, largest = both.cached_tables.lists, 0
    for at in range(8):
        await _warm(both, statements, GRANTS.replace("displayName", f"named{at}: displayName"))
        largest = max(largest, lists.size)
    assert 2_500 < largest < 10_000


async def test_a_list_that_was_read_before_a_change_is_not_kept_after_it(
    both: Both, database: db.Database, registry: dict[str, Any], statements: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    question = Question(MEMBERSHIPS, {})
    await both.ask(question, ADMIN, "admin")
    keep, held = cached_lists.OpenedLists.keep, list[Any]()
    monkeypatch.setattr(cached_lists.OpenedLists, "keep", lambda *arguments: held.append(arguments))
    await both.plan(question, ADMIN)
    monkeypatch.setattr(cached_lists.OpenedLists, "keep", keep)
    await change_rows(database, delete(UserRole), delete(OrgMember), delete(GroupMember))
    await both.ask(question, ADMIN, "admin")
    for each in held:
        keep(*each)
    assert held
    await both.ask(question, ADMIN, "admin")


MOMENT = "{ resources(first: 3) { nodes { name access { groups { roles } } } } }"


@pytest.fixture
async def changing(second_db: db.Database, registry: dict[str, Any]) -> AsyncIterator[list[int]]:
    """Change the name of a resource and its grants again and again, both in one transaction."""
    thing = registry["things"][0].id

    def change(number: int) -> list[Any]:
        mask = 1 + number % 2
        return [
            update(Resource).where(col(Resource.id) == thing).values(name=f"{mask}", name_key="0"),
            update(Grant).where(col(Grant.resource_id) == thing).values(mask=mask),
        ]

    async with keep_changing(second_db, change) as changed:
        yield changed


async def test_an_answer_is_of_one_moment_while_its_lists_change(
    both: Both, statements: list[str], changing: list[int]
) -> None:
    roles = {"1": ["METADATA_READ"], "2": ["METADATA_WRITE"]}
    seen = list[str]()
    while len(seen) < 300 or len(changing) < 60:
        for answer in await asyncio.gather(*(both.plan(Question(MOMENT, {}), ADMIN) for _ in range(3))):
            first = answer["resources"]["nodes"][0]
            assert all(grant["roles"] == roles[first["name"]] for grant in first["access"]["groups"])
            seen.append(first["name"])
        await asyncio.sleep(0)
    assert {*seen} == {"1", "2"}
    assert any(not _read([text]) for text in statements)
