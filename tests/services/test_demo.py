"""Claims about the demo world: it needs an empty database, obeys the password policy, has the documented examples."""

import re
from datetime import UTC, datetime
from random import Random
from typing import Any

import pytest
from sqlalchemy import func, select

from app import db
from app.config import Settings
from app.db.tables import GroupMember, LockEvent, Org, OrgMember, Resource, User, col
from app.domain import resource_roles
from app.domain.errors import Conflict, SettingsError
from app.domain.viewer import ANONYMOUS
from app.services import access_index_rebuild, bootstrap, demo
from app.services.demo import names as demo_names
from app.services.demo.resources import random_resources
from app.services.demo.story import Story
from app.services.demo.uploads import schedule_upload
from tests.support.changes import answered, change, unchanged
from tests.support.client import Api, codes
from tests.support.factories import Make, rows_of, stored_person
from tests.support.fetching import fetch

pytestmark = pytest.mark.usefixtures("from_this_machine")

LOGIN = change("login", "session { user { userName } }")
UPDATE = change("updateResource", "resource { metadata }")
EXAMPLE = """
query ($slug: String!) {
  resource(by: {path: {orgSlug: "marine-science", slug: $slug}}) { viewerAccess { effectiveRoles } }
}
"""
STORAGE = "{ viewer { user { storage { usedBytes quotaBytes } } } }"
READS = ["METADATA_READ", "DATASET_DATA_READ"]
WRITES = ["METADATA_READ", "METADATA_WRITE", "DATASET_DATA_READ", "DATASET_DATA_WRITE"]
EVERY = [*WRITES, "ADMIN"]


@pytest.fixture
async def world(make: Make) -> demo.DemoCounts:
    """Create the demo world."""
    return await demo.fill(make.app)


async def test_it_fills_an_empty_database_once(make: Make, database: db.Database) -> None:
    await make.admin()

    filled = await demo.fill(make.app)

    assert (len(filled.user_names), filled.orgs, filled.groups, filled.resources) == (44, 8, 12, 300)
    assert filled.locked >= 5
    assert await rows_of(database, User) == len(filled.user_names) + 2, "the administrator, and one who has left"
    assert await rows_of(database, LockEvent) > 2 * filled.locked
    async with unchanged(database):
        with pytest.raises(Conflict, match="users: 46, orgs: 8, resources: 300, groups: 12"):
            await demo.fill(make.app)


@pytest.mark.parametrize("overrides", [{"OSTIARY_DRONE_DB_CLIENTS": "true"}])
async def test_it_fills_a_database_whose_administrator_has_an_org_of_their_own(
    make: Make, settings: Settings, database: db.Database
) -> None:
    """The start has created both; each user of the demo gets such an org too, except the one who has left."""
    await bootstrap.ensure_admin(make.app, settings.default_admin)
    assert await rows_of(database, Org) == 1

    filled = await demo.fill(make.app)

    assert (len(filled.user_names), filled.orgs, filled.resources) == (44, 8 + 1 + 44, 300)


@pytest.mark.parametrize("what", ["org", "group", "user", "role"])
async def test_whatever_somebody_made_stops_it(make: Make, database: db.Database, what: str) -> None:
    await make.admin()
    await (make.role("friend") if what == "role" else getattr(make, what)())

    async with unchanged(database):
        with pytest.raises(Conflict, match="nothing was changed"):
            await demo.fill(make.app)


async def test_a_password_policy_that_refuses_its_password_stops_it(
    make: Make, database: db.Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(demo_names, "PASSWORD", "short")

    async with unchanged(database):
        with pytest.raises(SettingsError, match="at least 12 characters"):
            await demo.fill(make.app)


async def test_everybody_signs_in_as_it_tells_and_finds_the_examples(
    api: Api, make: Make, database: db.Database, world: demo.DemoCounts
) -> None:
    assert demo_names.PASSWORD in "\n".join(world.report)
    assert {name for name, _ in demo_names.TOUR} <= set(world.user_names)
    assert await rows_of(database, User) == len(world.user_names) + 1

    for name in world.user_names:
        reply = await api(LOGIN, input={"userName": name, "password": demo_names.PASSWORD})
        assert answered(reply, "login")["session"]["user"] == {"userName": name}

    assert await demo.is_demo_password_valid(make.app)

    sign_in, ask = demo_names.QUERIES
    assert codes(await api(sign_in)) == []
    reply = await api(ask, as_=await stored_person(database, "ines"))
    slugs = {node["slug"] for node in reply["data"]["resources"]["nodes"]}
    assert slugs == {slug for slug, _, _ in demo_names.EXAMPLES}


async def test_it_obeys_the_definition_of_the_index_and_has_ends_on_both_sides_of_today(
    database: db.Database, world: demo.DemoCounts
) -> None:
    done = await access_index_rebuild.reindex(database, lambda _, __: None)

    assert (done.missing, done.surplus) == (0, 0)
    assert done.rows > 4 * world.resources
    for table in (OrgMember, GroupMember):
        ends = [row[0] for row in await fetch(database, select(col(table.expires_at))) if row[0] is not None]
        assert min(ends) < database.clock() < max(ends)


async def test_datasets_have_files_and_the_sums_of_their_orgs_are_right_and_within_the_quotas(
    api: Api, database: db.Database, world: demo.DemoCounts
) -> None:
    sizes = await fetch(
        database,
        select(col(Org.slug), col(Org.size_bytes), func.sum(col(Resource.size_bytes)))
        .join(Resource, col(Resource.org_id) == col(Org.id))
        .group_by(col(Org.slug), col(Org.size_bytes)),
    )
    is_dataset = col(Resource.full_mask) == resource_roles.ALL
    empty = await fetch(database, select(col(Resource.id)).where(is_dataset != (col(Resource.size_bytes) > 0)))
    ines = await stored_person(database, "ines")
    storage = (await api(STORAGE, as_=ines))["data"]["viewer"]["user"]["storage"]

    assert len(sizes) == world.orgs
    assert [slug for slug, stored, total in sizes if stored != total or not total] == []
    assert empty == []
    assert 0.05 < storage["usedBytes"] / storage["quotaBytes"] < 0.9


async def test_the_same_seed_makes_the_same_sizes() -> None:
    sizes = []
    for _ in range(2):
        story = Story(datetime(2026, 1, 1, tzinfo=UTC), Random(demo.SEED))
        story.viewers = {name: ANONYMOUS for names in demo_names.PEOPLE for name in names}
        for resource in random_resources(story):
            schedule_upload(story, resource)
        sizes.append([step.keywords["size"] for _, step in story.steps])

    assert sizes[0] == sizes[1]
    assert len(set(sizes[0])) == len(sizes[0]) == 8 * demo_names.KINDS["DATASET"]


def test_no_description_has_marks_that_pages_show_as_they_are() -> None:
    texts = [*demo_names.DESCRIPTIONS.values(), *(text for example in demo_names.EXAMPLES for text in example)]
    assert [text for text in texts if re.search(r"[`*_]{1}\w", text)] == []


async def test_the_examples_behave_as_their_names_say(api: Api, database: db.Database, world: demo.DemoCounts) -> None:
    names = ("felix", "luca", "ines", "ruth", "henrik")
    people = {name: await stored_person(database, name) for name in names}

    async def roles(slug: str) -> dict[str, Any]:
        roles_by_name = {}
        for name, person in people.items():
            resource = (await api(EXAMPLE, as_=person, slug=slug))["data"]["resource"]
            roles_by_name[name] = resource and resource["viewerAccess"]["effectiveRoles"]
        return roles_by_name

    mighty = {"ines": EVERY, "ruth": EVERY}
    everybody_reads = {"felix": READS, "luca": READS, "henrik": READS}
    assert await roles("example-everyone-reads") == everybody_reads | mighty
    assert await roles("example-editors-write") == everybody_reads | mighty | {"luca": WRITES}
    assert await roles("example-hidden") == {"felix": None, "luca": None, "henrik": READS} | mighty


STRANGER, EDITOR = {"felix": ["FORBIDDEN"]}, {"luca": list[str]()}
MIGHTY = {"ines": list[str](), "ruth": list[str]()}
REFUSED = {
    "example-everyone-reads": STRANGER | {"luca": ["FORBIDDEN"]} | MIGHTY,
    "example-editors-write": STRANGER | EDITOR | MIGHTY,
    "example-locked": STRANGER | {"luca": ["LOCKED"], "ines": ["LOCKED"], "ruth": ["LOCKED"]},
    "example-hidden": {"felix": ["NOT_FOUND"], "luca": ["NOT_FOUND"]} | MIGHTY,
}


async def test_who_writes_to_the_examples(api: Api, database: db.Database, world: demo.DemoCounts) -> None:
    for slug, refused in REFUSED.items():
        path = {"path": {"orgSlug": "marine-science", "slug": slug}}
        for name, expected in refused.items():
            person = await stored_person(database, name)

            reply = await api(UPDATE, as_=person, input={"resource": path, "metadata": {"by": name}})

            assert codes(reply) == expected, (slug, name)


async def test_a_database_of_others_is_not_taken_for_the_demo(make: Make) -> None:
    await make.users(["ines", "luca", "felix"])

    assert not await demo.is_demo_password_valid(make.app)
