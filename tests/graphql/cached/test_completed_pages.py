"""Tests of pages of resources whose rows are completed with cached columns."""

import asyncio
from collections.abc import AsyncIterator
from random import Random
from typing import Any

import pytest
from sqlalchemy import delete, insert, select, update

from app import db
from app.db import cached_lists
from app.db.access_changes import RECORDED_OF_RESOURCES
from app.db.tables import Access, GroupMember, Resource, ResourceType, col
from app.domain.viewer import Permission, Viewer
from tests.oracle.worlds import Question
from tests.support.differential import Both
from tests.support.other_worker import change_rows, keep_changing

ACCESSIBLE = (
    "{ resources(first: 100) { nodes { id name type { name } viewerAccess { effectiveRoles } org { slug } } } }"
)

PAGE = """query ($first: Int, $last: Int, $after: String, $by: ResourceOrderField!, $filter: ResourceFilter) {
    resources(first: $first, last: $last, after: $after, orderBy: {field: $by, direction: DESC}, filter: $filter) {
        totalCount pageInfo { startCursor endCursor hasNextPage hasPreviousPage }
        edges { cursor node {
            name slug description createdAt updatedAt sizeBytes org { name }
            viewerAccess { grantedRoles effectiveRoles }
            access { general { roles } groups { group { slug } } } } } } }"""

WITHOUT_ID = "{ resources(first: 2) { nodes { slug metadata description viewerAccess { effectiveRoles } } } }"

QUESTIONS = [
    Question(ACCESSIBLE, {}),
    Question(WITHOUT_ID, {}),
    Question(PAGE, {"by": "NAME", "first": 2}),
    Question(PAGE, {"by": "UPDATED_AT", "last": 2}),
    Question(PAGE, {"by": "CREATED_AT", "first": 5, "filter": {"viewerRole": "METADATA_READ"}}),
    Question(PAGE, {"by": "NAME", "first": 5, "filter": {"name": {"contains": "e"}}}),
]


def _reads_resources(statements: list[str]) -> bool:
    return any(" resources " in text.replace("\n", " ") for text in statements)


async def _warm(both: Both, statements: list[str], question: Question, viewer: Viewer) -> None:
    """Ask until all columns are cached that can be."""
    for _ in range(5):
        await both.ask(question, viewer, "to warm up")
    assert both.tally.questions["compiled"] == both.tally.questions.total()
    statements.clear()


@pytest.mark.parametrize("text", [ACCESSIBLE, WITHOUT_ID])
async def test_columns_that_were_read_twice_are_not_read_again(
    both: Both, database: db.Database, registry: dict[str, Any], statements: list[str], text: str
) -> None:
    viewer = Viewer(registry["people"][1].id)
    await _warm(both, statements, Question(text, {}), viewer)

    await both.ask(Question(text, {}), viewer, "a member")

    if database.dialect.name == "postgresql":
        assert len(statements) > 0
        assert not _reads_resources(statements)
        await change_rows(database, update(Resource).values(name="changed"))
        await both.ask(Question(text, {}), viewer, "after an edit")
        assert _reads_resources(statements)


@pytest.mark.parametrize("column", sorted(RECORDED_OF_RESOURCES - {"id"}))
async def test_each_edit_is_in_the_next_answer(
    both: Both, database: db.Database, registry: dict[str, Any], statements: list[str], column: str
) -> None:
    """Also one that says nothing of the other columns, as people make it by hand."""
    viewer, types = Viewer(registry["people"][1].id), {"org_id": registry["orgs"][0].id, "owner_id": 1}
    other_type = select(col(ResourceType.id)).order_by(col(ResourceType.id).desc()).limit(1).scalar_subquery()
    values = types | {"type_id": other_type, "full_mask": 31}
    value = values.get(column, "changed")
    if column.endswith("_at"):
        value = select(col(Resource.created_at)).limit(1).scalar_subquery()
    for question in QUESTIONS[:2]:
        await _warm(both, statements, question, viewer)
        await change_rows(
            database,
            update(Resource).where(col(Resource.id) == registry["things"][0].id).values({column: value}),
        )
        await both.ask(question, viewer, f"after an edit of {column}")


@pytest.mark.parametrize("seed", range(2))
async def test_after_any_edit_by_any_worker_the_next_answer_is_right(
    both: Both,
    database: db.Database,
    second_db: db.Database,
    registry: dict[str, Any],
    statements: list[str],
    rested: None,
    seed: int,
) -> None:
    random, things = Random(seed), registry["things"]
    viewers = [
        *(Viewer(person.id) for person in registry["people"][1:]),
        Viewer(registry["people"][2].id, Permission.ACCESS_VIEW),
        Viewer(None),
    ]
    for at in range(40):
        for question in random.sample(QUESTIONS, 3):
            for viewer in random.sample(viewers, 2):
                await both.ask(question, viewer, f"{viewer} after {at} changes")
        one = col(Resource.id) == random.choice(things).id
        changes = [
            update(Resource).where(one).values(name=f"N{at}", name_key=f"n{at}"),
            update(Resource).where(one).values(description=f"D{at}", size_bytes=at),
            update(Resource).where(one).values(path=f"p{at}/x", slug=f"s{at}"),
            update(Resource).values(org_id=random.choice(registry["orgs"]).id),
            delete(Access).where(col(Access.resource_id) == random.choice(things).id, col(Access.subject) > 1),
            delete(GroupMember).where(col(GroupMember.user_id) == random.choice(registry["people"]).id),
            update(Access).values(mask=random.choice([1, 3])),
        ]
        await change_rows(random.choice([database, second_db]), random.choice(changes))
    assert len(statements) > 30
    assert both.tally.questions["compiled"] == both.tally.questions.total()


async def test_a_deleted_resource_does_not_come_back(
    both: Both, database: db.Database, registry: dict[str, Any], statements: list[str]
) -> None:
    """Also when another one gets its id."""
    viewer, thing = Viewer(registry["people"][1].id), registry["things"][-1].id
    await _warm(both, statements, QUESTIONS[0], viewer)
    every = list(Resource.__table__.c)  # type: ignore[attr-defined]  # a table
    access = list(Access.__table__.c)  # type: ignore[attr-defined]  # a table
    (row,) = await database.ask(select(*every).where(col(Resource.id) == thing), freshness=db.Freshness.PRIMARY)
    entries = await database.ask(
        select(*access).where(col(Access.resource_id) == thing), freshness=db.Freshness.PRIMARY
    )
    await change_rows(database, delete(Resource).where(col(Resource.id) == thing))
    await both.ask(QUESTIONS[0], viewer, "after the deletion")
    again = dict(zip((each.name for each in every), row, strict=True)) | {"name": "another"}
    await change_rows(
        database,
        insert(Resource).values(again),
        *(insert(Access).values(dict(zip((each.name for each in access), entry, strict=True))) for entry in entries),
    )
    await both.ask(QUESTIONS[0], viewer, "after another one")


async def test_the_size_of_all_columns_is_bounded(
    both: Both, registry: dict[str, Any], statements: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cached_lists, "MAX_BYTES", 8_000)
    lists, largest, viewer = both.cached_tables.lists, 0, Viewer(registry["people"][1].id)
    for at in range(8):
        await _warm(both, statements, Question(ACCESSIBLE.replace("id name", f"id named{at}: name"), {}), viewer)
        largest = max(largest, lists.size)
    assert largest < 16_000


@pytest.fixture
async def renaming(second_db: db.Database, registry: dict[str, Any]) -> AsyncIterator[list[int]]:
    """Change the name of a resource and the roles on it again and again, both in one transaction."""
    thing = registry["things"][0].id

    def change(number: int) -> list[Any]:
        mask = (1, 5)[number % 2]
        return [
            update(Resource).where(col(Resource.id) == thing).values(name=f"{mask}"),
            update(Access).where(col(Access.resource_id) == thing).values(mask=mask, name_key="0"),
        ]

    async with keep_changing(second_db, change) as changed:
        yield changed


async def test_a_page_is_of_one_moment_while_its_rows_change(
    both: Both, registry: dict[str, Any], statements: list[str], renaming: list[int]
) -> None:
    viewer, numbers, seen = Viewer(registry["people"][3].id), {"1": 1, "5": 2}, list[str]()
    while len(seen) < 300 or len(renaming) < 60:
        for answer in await asyncio.gather(*(both.plan(QUESTIONS[0], viewer) for _ in range(3))):
            first = answer["resources"]["nodes"][0]
            assert len(first["viewerAccess"]["effectiveRoles"]) == numbers[first["name"]]
            seen.append(first["name"])
        await asyncio.sleep(0)
    assert {*seen} == {"1", "5"}
