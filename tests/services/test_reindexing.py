"""Claims about the rebuild of the access index: it counts and repairs wrong entries, and reports its progress."""

import pytest
from sqlalchemy import delete, update

from app import db
from app.db.tables import Access, col
from app.domain import resource_roles
from app.services import access_index_rebuild
from tests.support.client import Api
from tests.support.factories import Make, all_but_the_log

SEEN = "{ resources { nodes { slug } } }"


@pytest.fixture(autouse=True)
def in_small_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """Several statements, as for a large registry."""
    monkeypatch.setattr(access_index_rebuild, "BATCH_SIZE", 2)


async def test_an_index_that_is_right_stays_as_it_is(make: Make, database: db.Database) -> None:
    org, ann = await make.org(), await make.user()
    for _ in range(5):
        await make.grant(await make.resource(org, owner=ann), ann, resource_roles.METADATA_WRITE)
    before, heard = await all_but_the_log(database), list[tuple[int, int]]()

    done = await access_index_rebuild.reindex(database, lambda *report: heard.append(report))

    assert done == access_index_rebuild.RebuildResult(rows=25, missing=0, surplus=0)
    assert heard == [(2, 5), (4, 5), (5, 5)]
    assert await all_but_the_log(database) == before


async def test_what_is_missing_different_or_too_much_is_counted_and_repaired(
    api: Api, make: Make, database: db.Database
) -> None:
    org, ann = await make.org(), await make.user()
    first, second, third = [await make.resource(org, slug=slug) for slug in ("first", "second", "third")]
    before = await all_but_the_log(database)
    general = col(Access.subject) == resource_roles.GENERAL
    async with database.write() as tx:
        await tx.rows(delete(Access).where(col(Access.resource_id) == first.id, general))
        await tx.rows(update(Access).where(col(Access.resource_id) == second.id, general).values(mask=0))
        registry = col(Access.subject) == resource_roles.REGISTRY
        await tx.rows(
            update(Access).where(col(Access.resource_id) == third.id, registry).values(subject=resource_roles.ANYONE)
        )
    assert len((await api(SEEN, as_=ann))["data"]["resources"]["nodes"]) == 1

    done = await access_index_rebuild.reindex(database, lambda _, __: None)

    assert done == access_index_rebuild.RebuildResult(rows=9, missing=3, surplus=2)
    assert await all_but_the_log(database) == before
    assert len((await api(SEEN, as_=ann))["data"]["resources"]["nodes"]) == 3


async def test_there_may_be_nothing_to_do(database: db.Database) -> None:
    assert await access_index_rebuild.reindex(database, lambda _, __: None) == access_index_rebuild.RebuildResult(
        0, 0, 0
    )
