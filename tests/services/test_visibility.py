"""Claims about the three words for how far a dataset is opened, and the access configuration that they stand for."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from app import db
from app.domain import resource_roles
from app.domain.resource_roles import MemberLevel
from tests.support.changes import answered, change, unchanged
from tests.support.client import Api
from tests.support.factories import Entity, Make, Person
from tests.support.rest_client import Rest, is_empty
from tests.support.rest_toy import refusal

ACCESS = """{ resource(by: {path: {orgSlug: "sea", slug: "reef"}}) { access {
  revision general { roles expiresAt } anyone { roles expiresAt } groups { roles } users { user { userName } roles }
} } }"""
SUBMIT = change("submitAccess", "resource { id }")
READ = ["METADATA_READ", "DATASET_DATA_READ"]
EDIT = [*READ, "DATASET_DATA_WRITE"]
REEF = "/orgs/sea/ds/reef"
WORDS: list[tuple[Any, int]] = [
    (0, 0), ("0", 0), ("private", 0), (1, 1), ("Unlisted", 1), ("1", 1), (2, 2), ("PUBLIC", 2), ("2", 2),
]  # fmt: skip


@pytest.fixture
async def ann(make: Make) -> Person:
    """Return the owner of the org."""
    return await make.user("ann")


@pytest.fixture(autouse=True)
async def sea(make: Make, ann: Person) -> Entity:
    """Return a private org with a dataset that Zoe may write."""
    org = await make.org("sea", ann)
    await make.grant(await make.resource(org, slug="reef"), await make.user("zoe"), resource_roles.DATA_WRITE)
    return org


async def access(api: Api, as_: Person) -> dict[str, Any]:
    configuration: dict[str, Any] = (await api(ACCESS, as_=as_))["data"]["resource"]["access"]
    return configuration


async def opened(rest: Rest, as_: Person) -> int:
    """Return the number of the visibility that the REST API reports."""
    properties = (await rest("GET", f"{REEF}/ex", as_)).json()["properties"]
    level: int = properties["meta"]["visibility"]["data"]
    assert properties["public"] is (level == 2)
    return level


def grant(*roles: str, until: datetime | None = None) -> dict[str, Any]:
    return {"roles": list(roles), "expiresAt": until and until.isoformat()}


async def submit(api: Api, as_: Person, general: dict[str, Any], anyone: dict[str, Any] | None = None) -> None:
    resource, users = {"path": {"orgSlug": "sea", "slug": "reef"}}, [{"user": {"userName": "zoe"}, "roles": EDIT[2:]}]
    fields: dict[str, Any] = {"resource": resource, "revision": (await access(api, as_))["revision"]}
    answered(
        await api(SUBMIT, as_=as_, input={**fields, "general": general, "anyone": anyone, "users": users}),
        "submitAccess",
    )


async def put(rest: Rest, as_: Person, visibility: Any) -> None:
    assert is_empty(await rest("PUT", f"{REEF}", as_, json={"visibility": visibility}), 204)


OPENED = {0: ([], None), 1: (READ, None), 2: (READ, READ)}


@pytest.mark.parametrize("before", [0, 1, 2])
async def test_each_word_is_a_configuration_and_leads_back_to_the_word(
    api: Api, rest: Rest, ann: Person, before: int
) -> None:
    for word, level in WORDS:
        await put(rest, ann, before)
        await put(rest, ann, word)
        configuration = await access(api, ann)
        general, anyone = OPENED[level]
        assert configuration["general"] == grant(*general)
        assert configuration["anyone"] == (anyone and grant(*anyone))
        assert (configuration["groups"], [each["roles"] for each in configuration["users"]]) == (
            [],
            [["DATASET_DATA_WRITE"]],
        )
        assert await opened(rest, ann) == level


@pytest.mark.parametrize("level", [0, 1, 2])
async def test_a_new_dataset_has_the_requested_visibility(api: Api, rest: Rest, ann: Person, level: int) -> None:
    await rest("DELETE", f"{REEF}", ann)

    created = await rest("POST", "/orgs/sea/ds", ann, data={"slug": "reef", "visibility": str(level)})

    assert created.json()["properties"]["meta"]["visibility"]["data"] == level
    configuration, (general, anyone) = await access(api, ann), OPENED[level]
    assert (configuration["general"]["roles"], configuration["anyone"] and configuration["anyone"]["roles"]) == (
        general,
        anyone,
    )


async def test_it_is_opened_for_whom_the_word_says(rest: Rest, ann: Person, make: Make) -> None:
    stranger = await make.user("stranger")
    for level, statuses in ((0, [404, 404]), (1, [404, 200]), (2, [200, 200])):
        await put(rest, ann, level)
        assert [(await rest("GET", f"{REEF}", as_)).status_code for as_ in (None, stranger)] == statuses


async def test_what_is_open_that_far_keeps_its_roles_and_its_end(
    api: Api, rest: Rest, ann: Person, make: Make, sea: Entity, database: db.Database
) -> None:
    end = database.clock() + timedelta(days=1)
    writer = await make.user("writer")
    await make.member(sea, writer, MemberLevel.READ_WRITE)

    for general, anyone, level in (
        (grant(), None, 0),
        (grant(*EDIT), None, 1),
        (grant("ADMIN", until=end), None, 1),
        (grant(*READ), grant(*READ, until=end), 2),
    ):
        await submit(api, ann, general, anyone)
        async with unchanged(database, but_the_log=True):
            await put(rest, ann, level)
            await put(rest, writer, level)


WILDCARDS = [(), ("METADATA_READ",), ("METADATA_WRITE",), (*READ,), ("ADMIN",)]


@pytest.mark.parametrize("overrides", [{"OSTIARY_DRONE_DB_CLIENTS": flag} for flag in ("false", "true")])
async def test_the_visibility_that_was_read_changes_nothing_when_it_is_sent_back(
    api: Api, rest: Rest, ann: Person, database: db.Database
) -> None:
    end = database.clock() + timedelta(days=1)
    readable = [None, *(grant(*roles) for roles in WILDCARDS[1::2]), grant(*READ, until=end)]
    for general in [*(grant(*roles) for roles in WILDCARDS), grant("METADATA_READ", until=end)]:
        for anyone in readable:
            await submit(api, ann, general, anyone)
            level = await opened(rest, ann)
            async with unchanged(database):
                await put(rest, ann, level)
                sent = {"key": "visibility", "data": str(level)}
                assert (await rest("POST", f"{REEF}/meta/set", ann, data=sent)).status_code == 200


async def test_more_roles_of_every_user_stay_when_it_is_opened_to_anyone(api: Api, rest: Rest, ann: Person) -> None:
    await submit(api, ann, grant("METADATA_WRITE"))

    await put(rest, ann, "Public")

    configuration = await access(api, ann)
    assert configuration["general"] == grant("METADATA_READ", "METADATA_WRITE", "DATASET_DATA_READ")
    assert configuration["anyone"] == grant(*READ)


async def test_a_temporary_grant_does_not_become_permanent(
    api: Api, rest: Rest, ann: Person, database: db.Database
) -> None:
    end = database.clock() + timedelta(days=1)
    await submit(api, ann, grant("METADATA_WRITE", until=end))
    await put(rest, ann, 2)
    configuration = await access(api, ann)
    assert (configuration["general"], configuration["anyone"]) == (grant(*READ), grant(*READ))

    await submit(api, ann, grant(*EDIT, until=end), grant(*READ, until=end))
    database.clock = lambda: end
    assert await opened(rest, ann) == 0
    await put(rest, ann, 1)

    assert (await access(api, ann))["general"] == grant(*READ)
    assert await opened(rest, ann) == 1


async def test_only_administrators_open_or_close_it(
    rest: Rest, ann: Person, make: Make, sea: Entity, database: db.Database
) -> None:
    writer = await make.user("writer")
    await make.member(sea, writer, MemberLevel.READ_WRITE_DELETE)

    async with unchanged(database):
        for level in ("0", "2", "Private", "Public"):
            reply = await rest("PUT", f"{REEF}", writer, data={"name": "Mine", "visibility": level})
            assert refusal(reply) == (403, True)
