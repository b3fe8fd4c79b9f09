"""A registry that is exported and applied to an empty one is the same, and what is the same is not changed."""

from random import Random

import pytest
from hypothesis import assume, given

from app import db
from app.services.state.files import Format
from tests.oracle.generated import generated
from tests.oracle.worlds import World, crowded, worlds
from tests.services.state.documents import BASE, applied, emptied, events, exported, planned
from tests.support.changes import unchanged
from tests.support.factories import stale


async def _comes_back(own_db: db.Database, world: World, form: Format) -> None:
    await world.write(own_db)
    async with unchanged(own_db):
        document = await exported(own_db, form)
        assert await applied(own_db, document, form, prune=True) == 0
    await emptied(world, own_db)

    assert await applied(own_db, document, form) > 20

    assert await exported(own_db, form) == document
    assert await stale(own_db) == set()
    async with unchanged(own_db):
        assert await applied(own_db, document, form, prune=True) == 0


@generated(6)
@given(world=worlds())
async def test_a_generated_registry_comes_back_byte_for_byte(own_db: db.Database, world: World) -> None:
    assume(not any("/" in role["name"] for role in world.rows["Role"]))  # no role has such a name
    await _comes_back(own_db, world, Format.YAML)


@pytest.mark.parametrize("form", list(Format))
async def test_a_registry_of_several_pages_comes_back_in_both_forms(
    own_db: db.Database, form: Format, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.services.state.registry.PAGE", 1_000)
    monkeypatch.setattr("app.services.state.applying.BATCH", 17)
    monkeypatch.setattr("app.services.state.applying.ONE_TRANSACTION", 0)
    await _comes_back(own_db, crowded(Random(19)), form)


async def test_a_document_is_one_event_and_the_same_document_again_is_none(own_db: db.Database) -> None:
    assert await applied(own_db, BASE) == 11
    assert await events(own_db) == [("applyState", "COMMAND", None)]
    assert await stale(own_db) == set()

    async with unchanged(own_db):
        assert await applied(own_db, BASE) == 0


async def test_one_changed_line_is_one_change_and_the_plan_says_so(own_db: db.Database) -> None:
    await applied(own_db, BASE)
    changed = BASE.replace("email: ann@example.org", "email: ann@reef.example")

    plan = await planned(own_db, changed)

    assert [(change.kind, change.key, change.fields) for change in plan.changes] == [("user", ("ann",), ("email",))]
    assert await applied(own_db, changed) == 1
    assert len(await events(own_db)) == 2
    assert await exported(own_db) == (await exported(own_db)).replace("ann@example.org", "ann@reef.example")


async def test_the_document_is_the_same_in_every_order_of_its_lines(own_db: db.Database) -> None:
    await applied(own_db, BASE)
    document = await exported(own_db, Format.JSONL)
    header, *lines = document.splitlines(keepends=True)

    async with unchanged(own_db):
        assert await applied(own_db, "".join([header, *reversed(lines)]), Format.JSONL) == 0
