"""Claims about moving datasets and merging orgs over REST: what each answers, and what stays."""

from typing import Any

import pytest

from app import db
from app.db import tables
from tests.support.changes import unchanged
from tests.support.factories import Entity, Make, Person, rows_of
from tests.support.rest_client import Rest
from tests.support.rest_toy import refusal

MOVE, MERGE = "/sys/move-datasets", "/sys/merge-organizations"
ORGS = {"sourceOrgSlug": "here", "destinationOrgSlug": "there"}


@pytest.fixture
async def root(make: Make) -> Person:
    return await make.admin()


@pytest.fixture(autouse=True)
async def there(make: Make) -> Entity:
    """Two orgs that both have a dataset `a1`; the first also has a dataset and a model."""
    here, there = await make.org("here"), await make.org("there")
    for org, slug in ((here, "a1"), (here, "b1"), (there, "a1")):
        await make.resource(org, slug=slug, name=org.slug)
    await make.resource(here, "MODEL", slug="model")
    return there


def moved(slug: str, new: str | None = None) -> dict[str, Any]:
    return {"originalSlug": slug, "newSlug": new or slug, "success": True, "error": None}


def stays(slug: str, error: str) -> dict[str, Any]:
    return {"originalSlug": slug, "newSlug": None, "success": False, "error": error}


TAKEN = "The destination already has a resource `a1`."
ABSENT = "There is no such resource."


@pytest.mark.parametrize(
    ("resolution", "result"),
    [
        ({}, stays("a1", TAKEN)),
        ({"conflictResolution": None}, stays("a1", TAKEN)),
        ({"conflictResolution": "haltonconflict"}, stays("a1", TAKEN)),
        ({"conflictResolution": 1}, moved("a1")),
        ({"conflictResolution": "Overwrite"}, moved("a1")),
        ({"conflictResolution": "2"}, moved("a1", "a1_1")),
    ],
)
async def test_each_dataset_has_a_result(
    rest: Rest, root: Person, resolution: dict[str, Any], result: dict[str, Any]
) -> None:
    """A dataset that stays does not keep the others from moving, and a model is no dataset."""
    slugs = {"datasetSlugs": ["a1", "b1", "model", "ghost"]}

    reply = await rest("POST", MOVE, root, json={**ORGS, **slugs, **resolution})

    assert reply.status_code == 200
    assert reply.json() == [result, moved("b1"), stays("model", ABSENT), stays("ghost", ABSENT)]
    here = {each["slug"] for each in (await rest("GET", "/orgs/here/ds", root)).json()}
    assert here == (set() if result["success"] else {"a1"})


async def test_a_merge_halts_and_keeps_the_source_or_deletes_it(
    rest: Rest, root: Person, database: db.Database
) -> None:
    halted = (await rest("POST", MERGE, root, json=ORGS)).json()
    again = (await rest("POST", MERGE, root, json={**ORGS, "conflictResolution": "Rename"})).json()

    names = {"sourceOrgSlug": "here", "destinationOrgSlug": "there"}
    assert halted == {
        **names,
        "datasetResults": [stays("a1", TAKEN), moved("b1"), moved("model")],
        "sourceOrganizationDeleted": False,
        "datasetsMovedCount": 2,
        "datasetsFailedCount": 1,
    }
    assert again == {
        **names,
        "datasetResults": [moved("a1", "a1_1")],
        "sourceOrganizationDeleted": True,
        "datasetsMovedCount": 1,
        "datasetsFailedCount": 0,
    }
    assert await rows_of(database, tables.Org) == 1


async def test_the_source_may_be_kept(rest: Rest, root: Person) -> None:
    more = {"conflictResolution": "Overwrite", "deleteSourceOrganization": False}

    assert (await rest("POST", MERGE, root, json={**ORGS, **more})).json()["sourceOrganizationDeleted"] is False
    assert (await rest("GET", "/orgs/here/ds", root)).json() == []


async def test_a_refused_move_changes_nothing(
    rest: Rest, make: Make, root: Person, there: Entity, database: db.Database
) -> None:
    await make.locked(await make.resource(there, slug="b1"))
    refused: list[tuple[dict[str, Any], int]] = [
        ({"destinationOrgSlug": "here"}, 400),
        ({"destinationOrgSlug": "ghost"}, 404),
        ({"sourceOrgSlug": "ghost"}, 404),
        ({"sourceOrgSlug": None}, 400),
        ({"conflictResolution": 3}, 400),
        ({"conflictResolution": "Overwrite"}, 400),
    ]

    async with unchanged(database):
        for path in (MOVE, MERGE):
            for fields, status in refused:
                reply = await rest("POST", path, root, json={**ORGS, "datasetSlugs": ["b1"], **fields})
                assert refusal(reply) == (status, False), (path, fields)
        for slugs in ([], ["b1", "b1"], ["b1", "a1", "B1"]):
            assert refusal(await rest("POST", MOVE, root, json={**ORGS, "datasetSlugs": slugs})) == (400, False)
        assert refusal(await rest("POST", MOVE, root, data=ORGS)) == (415, False)


async def test_a_move_of_nothing_is_not_stored_and_one_of_a_part_is(
    rest: Rest, root: Person, database: db.Database
) -> None:
    """The slug that stops the first call is freed, and the same call is sent again with its key."""
    key, slugs = {"Idempotency-Key": "k"}, {"datasetSlugs": ["a1", "ghost"]}

    async with unchanged(database):
        refused = await rest("POST", MOVE, root, json={**ORGS, **slugs}, headers=key)
    await rest("DELETE", "/orgs/there/ds/a1", root)
    part = await rest("POST", MOVE, root, json={**ORGS, **slugs}, headers=key)
    async with unchanged(database):
        again = await rest("POST", MOVE, root, json={**ORGS, **slugs}, headers=key)

    assert refused.json() == [stays("a1", TAKEN), stays("ghost", ABSENT)]
    assert part.json() == again.json() == [moved("a1"), stays("ghost", ABSENT)]
