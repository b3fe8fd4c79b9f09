"""Claims about quotas of orgs: their own, the default one without an owner, and both beside the owner's."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from app import db
from app.config import Settings
from app.db import tables
from app.domain import resource_roles
from app.domain.resource_roles import MemberLevel
from app.domain.viewer import Permission
from tests.db.test_at_once import TIMES, outcomes
from tests.support.changes import another, answered, change, problems, unchanged
from tests.support.client import Api, codes
from tests.support.factories import Entity, Make, Person
from tests.support.storing import LIMITED, MEGABYTE, MOST, Storing, limit, sizes, summed

OVER = {"QUOTA_EXCEEDED input.sizeBytes"}
STORAGE = "query ($slug: String!) { org(by: {slug: $slug}) { storage { quotaBytes usedBytes } } }"


@pytest.fixture
def overrides() -> dict[str, Any]:
    """Enforce quotas; an org without an owner stores two megabytes."""
    return LIMITED | {"OSTIARY_DEFAULT_ORG_STORAGE_MB": "2"}


@pytest.fixture
def storing(api: Api) -> Storing:
    """Return the first worker."""
    return Storing(api)


@pytest.fixture
async def other(api: Api, settings: Settings) -> AsyncIterator[Storing]:
    """Return the second worker."""
    async with another(settings) as worker:
        yield Storing(worker)


@pytest.fixture
async def ann(make: Make) -> Person:
    return await make.user("ann")


async def set_quota(api: Api, as_: Person | None, org: Entity, **values: Any) -> dict[str, Any]:
    return await api(change("setOrgQuota"), as_=as_, input={"org": {"slug": org.slug}, **values})


async def storage(api: Api, as_: Person | None, org: Entity) -> Any:
    org_ = (await api(STORAGE, as_=as_, slug=org.slug))["data"]["org"]
    return org_ and org_["storage"]


async def test_an_org_without_an_owner_has_the_default_quota(
    storing: Storing, make: Make, database: db.Database, ann: Person
) -> None:
    org = await make.org()
    first, second = [await make.resource(org, owner=ann) for _ in range(2)]
    assert codes(await storing.begin(first, ann, 2 * MEGABYTE - 1)) == []

    async with unchanged(database):
        assert problems(await storing.begin(second, ann, 2)) == OVER
    assert codes(await storing.begin(second, ann, 1)) == []


@pytest.mark.parametrize(("setting", "wanted"), [("", []), ("0", ["QUOTA_EXCEEDED"]), ("3", [])])
async def test_the_setting_is_the_quota_and_blank_is_none(
    make: Make, settings: Any, monkeypatch: pytest.MonkeyPatch, ann: Person, setting: str, wanted: list[str]
) -> None:
    resource = await make.resource(await make.org(), owner=ann)
    monkeypatch.setenv("OSTIARY_DEFAULT_ORG_STORAGE_MB", setting)

    async with another(settings.read()) as api:
        assert codes(await Storing(api).begin(resource, ann, 3 * MEGABYTE)) == wanted


async def test_the_default_does_not_concern_an_org_with_an_owner(storing: Storing, make: Make, ann: Person) -> None:
    resource = await make.resource(await make.org(owner=ann), owner=ann)

    assert codes(await storing.begin(resource, ann, 3 * MEGABYTE)) == []


async def test_the_org_and_its_owner_must_both_have_room(
    storing: Storing, make: Make, database: db.Database, ann: Person
) -> None:
    root, org = await make.admin(), await make.org(owner=ann)
    resource = await make.resource(org, owner=ann)
    await limit(database, ann, 3)
    answered(await set_quota(storing.api, root, org, quotaBytes=MEGABYTE), "setOrgQuota")
    async with unchanged(database):
        assert problems(await storing.begin(resource, ann, MEGABYTE + 1)) == OVER

    answered(await set_quota(storing.api, root, org, quotaBytes=5 * MEGABYTE), "setOrgQuota")
    async with unchanged(database):
        assert problems(await storing.begin(resource, ann, 3 * MEGABYTE + 1)) == OVER
    assert codes(await storing.begin(resource, ann, 3 * MEGABYTE)) == []

    answered(await set_quota(storing.api, root, org, clear=True), "setOrgQuota")
    await limit(database, ann, None)
    assert codes(await storing.begin(resource, ann, 10 * MEGABYTE)) == []


async def test_a_quota_of_its_own_replaces_the_default_one(storing: Storing, make: Make, ann: Person) -> None:
    root, org = await make.admin(), await make.org()
    resource = await make.resource(org, owner=ann)
    answered(await set_quota(storing.api, root, org, quotaBytes=4 * MEGABYTE), "setOrgQuota")

    assert codes(await storing.begin(resource, ann, 3 * MEGABYTE)) == []
    assert codes(await storing.begin(resource, ann, 2 * MEGABYTE)) == ["QUOTA_EXCEEDED"]


async def test_an_exempt_uploader_has_no_limit_and_an_exempt_owner_only_for_the_quota_of_the_owner(
    storing: Storing, make: Make, database: db.Database, ann: Person
) -> None:
    registrar = await make.holder(Permission.RESOURCES_MANAGE)
    org = await make.org(owner=registrar)
    resource = await make.resource(org, owner=ann)
    await limit(database, registrar, 0)
    answered(await set_quota(storing.api, await make.admin(), org, quotaBytes=10), "setOrgQuota")

    assert problems(await storing.begin(resource, ann, 11)) == OVER
    assert codes(await storing.begin(resource, ann, 10)) == []
    assert codes(await storing.begin(resource, registrar, MEGABYTE)) == []


async def test_a_refusal_tells_the_numbers_to_those_who_manage_the_org(
    storing: Storing, make: Make, ann: Person
) -> None:
    org, guest = await make.org(owner=ann), await make.user("guest")
    resource = await make.resource(org, owner=ann)
    await make.grant(resource, guest, resource_roles.DATA_WRITE)
    answered(await set_quota(storing.api, await make.admin(), org, quotaBytes=1024), "setOrgQuota")

    texts = [
        (await storing.begin(resource, each, 2048))["data"]["beginUpload"]["errors"][0]["message"]
        for each in (guest, ann)
    ]

    text = "The storage quota of the org has no room for 2 KB more"
    assert texts == [f"{text}.", f"{text}: 0 bytes of 1 KB are stored or reserved."]


async def test_a_resource_that_moves_must_fit_into_the_other_org(
    storing: Storing, make: Make, database: db.Database, ann: Person
) -> None:
    """Even if the same owner pays for it."""
    here, there = await make.org(owner=ann), await make.org(owner=ann)
    resource = await make.resource(here, owner=ann, size_bytes=100)
    await storing.ticket(resource, ann, 1)
    fields = {"resource": {"id": resource.node}, "org": {"slug": there.slug}}
    answered(await set_quota(storing.api, await make.admin(), there, quotaBytes=100), "setOrgQuota")
    reply = await storing.api(change("transferResource"), as_=ann, input=fields)
    assert problems(reply) == {"QUOTA_EXCEEDED input.org"}

    answered(await set_quota(storing.api, await make.admin("other"), there, quotaBytes=101), "setOrgQuota")
    answered(await storing.api(change("transferResource"), as_=ann, input=fields), "transferResource")

    assert await storage(storing.api, ann, there) == {"quotaBytes": 101, "usedBytes": 101}
    assert await sizes(database, tables.Org) == await summed(database)


async def test_who_manages_an_org_sees_its_storage(storing: Storing, make: Make, ann: Person) -> None:
    org = await make.org(owner=ann, is_public=True)
    people = {level: await make.user() for level in MemberLevel}
    for level, person in people.items():
        await make.member(org, person, level)
    root, viewing = await make.admin(), await make.holder(Permission.RESOURCES_VIEW)
    answered(await set_quota(storing.api, root, org, quotaBytes=MOST), "setOrgQuota")
    wanted = {"quotaBytes": MOST, "usedBytes": 0}

    for person in (ann, root, people[MemberLevel.ADMIN]):
        assert await storage(storing.api, person, org) == wanted
    others = [people[level] for level in MemberLevel if level is not MemberLevel.ADMIN]
    for each in (None, await make.user(), viewing, *others):
        assert await storage(storing.api, each, org) is None


REFUSED: list[tuple[dict[str, Any], set[str]]] = [
    ({}, {"INVALID_INPUT input.quotaBytes"}),
    ({"quotaBytes": None}, {"INVALID_INPUT input.quotaBytes"}),
    ({"quotaBytes": 1, "clear": True}, {"INVALID_INPUT input.quotaBytes"}),
    ({"quotaBytes": -1}, {"INVALID_INPUT input.quotaBytes"}),
]


async def test_a_quota_is_a_number_or_cleared(api: Api, make: Make, database: db.Database) -> None:
    root, org = await make.admin(), await make.org()

    async with unchanged(database):
        for values, wanted in REFUSED:
            assert problems(await set_quota(api, root, org, **values)) == wanted


async def test_a_quota_is_in_the_audit_log(api: Api, make: Make) -> None:
    root, org = await make.admin(), await make.org()
    answered(await set_quota(api, root, org, quotaBytes=7), "setOrgQuota")

    events = "{ auditEvents(first: 1) { nodes { action changes { nodes { before after } } } } }"
    (event,) = (await api(events, as_=root))["data"]["auditEvents"]["nodes"]

    assert event["action"] == "setOrgQuota"
    assert event["changes"]["nodes"] == [{"before": {"quotaBytes": None}, "after": {"quotaBytes": 7}}]


async def test_of_uploads_that_race_for_the_last_byte_of_an_org_one_is_accepted(
    storing: Storing, other: Storing, make: Make, ann: Person
) -> None:
    """The org has no owner: nothing else would make one wait for the other."""
    org = await make.org()
    things = [await make.resource(org, owner=ann) for _ in range(4)]
    for _ in range(TIMES):
        workers = (storing, other, storing, other)
        requests = [each.begin(resource, ann, MEGABYTE + 1) for each, resource in zip(workers, things, strict=True)]
        replies = await asyncio.gather(*requests)

        assert outcomes(*replies) == [[], *[["QUOTA_EXCEEDED"]] * 3]
        (won,) = (reply["data"]["beginUpload"]["ticket"]["id"] for reply in replies if codes(reply) == [])
        assert codes(await storing.cancel(won)) == []
