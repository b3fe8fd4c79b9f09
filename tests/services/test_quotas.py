"""Claims about quotas: their limits, their owners and their visibility."""

from typing import Any

import httpx
import pytest

from app import db
from app.db import tables
from app.domain import resource_roles
from app.domain.resource_roles import MemberLevel
from app.domain.viewer import ALL_PERMISSIONS, Permission
from app.services import quotas
from tests.support.changes import another, answered, change, problems, unchanged
from tests.support.client import Api, codes
from tests.support.factories import Entity, Make, Person
from tests.support.storing import LIMITED, MEGABYTE, MOST, Storing, limit, sizes, summed

OVER = {"QUOTA_EXCEEDED input.sizeBytes"}


@pytest.fixture
def overrides() -> dict[str, Any]:
    """Enforce quotas."""
    return LIMITED


@pytest.fixture
def storing(api: Api) -> Storing:
    """Return the client for storage requests."""
    return Storing(api)


@pytest.fixture
async def ann(make: Make) -> Person:
    """Return the owner of the org, whose quota is a megabyte."""
    return await make.user("ann", details={"maxStorageMB": 1})


@pytest.fixture
async def reef(make: Make, ann: Person) -> Entity:
    """Return a dataset in an org of Ann's."""
    return await make.resource(await make.org("lab", owner=ann), owner=ann, slug="reef")


async def test_up_to_the_quota_all_is_accepted_and_beyond_it_nothing(
    storing: Storing, make: Make, database: db.Database, ann: Person, reef: Entity
) -> None:
    first = await storing.ticket(reef, ann, MEGABYTE - 1)
    async with unchanged(database):
        assert problems(await storing.begin(reef, ann, 2)) == OVER

    assert codes(await storing.begin(reef, ann, 1)) == []
    assert codes(await storing.finish(first, MEGABYTE - 1)) == []

    assert await storing.storage(ann, ann) == {"quotaBytes": MEGABYTE, "usedBytes": MEGABYTE}
    assert codes(await storing.begin(reef, ann, 0)) == []
    async with unchanged(database):
        assert problems(await storing.begin(reef, ann, 1)) == OVER


async def test_the_refusal_says_how_much_is_used_and_what_the_limit_is(
    storing: Storing, database: db.Database, ann: Person, reef: Entity
) -> None:
    await limit(database, ann, 1536.5)
    assert codes(await storing.begin(reef, ann, 1_288_490_189)) == []

    (error,) = (await storing.begin(reef, ann, 400 * MEGABYTE))["data"]["beginUpload"]["errors"]

    text = "The storage quota of the org's owner has no room for 400 MB more: 1.2 GB of 1.5 GB are stored or reserved."
    assert error == {"code": "QUOTA_EXCEEDED", "message": text, "path": ["input", "sizeBytes"]}


async def test_a_refusal_tells_nobody_else_how_much_the_owner_stores(
    storing: Storing, make: Make, database: db.Database, ann: Person, reef: Entity
) -> None:
    guest, viewing = await make.user("guest"), await make.holder(Permission.USERS_VIEW, "viewing")
    for person in (guest, viewing):
        await make.grant(reef, person, resource_roles.DATA_WRITE)
    await limit(database, ann, 1)

    texts = [
        (await storing.begin(reef, each, 2 * MEGABYTE))["data"]["beginUpload"]["errors"][0]["message"]
        for each in (guest, viewing)
    ]

    text = "The storage quota of the org's owner has no room for 2 MB more"
    assert texts == [f"{text}.", f"{text}: 0 bytes of 1 MB are stored or reserved."]


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (0, "0 bytes"),
        (1023, "1023 bytes"),
        (1024, "1 KB"),
        (1536, "1.5 KB"),
        (MEGABYTE - 1, "1023.999 KB"),
        (MEGABYTE + 1, "1 MB"),
        (10_737_418_240, "10 GB"),
        (123_456_789_012, "114.978 GB"),
        (2**50, "1 PB"),
        (MOST, "8 PB"),
    ],
)
def test_bytes_are_told_in_units_that_people_use(number: int, text: str) -> None:
    assert quotas.format_bytes(number) == text


@pytest.mark.parametrize(
    ("megabytes", "total"),
    [
        (None, None),
        (0, 0),
        (0.0, 0),
        (10240, 10_737_418_240),
        (0.1, 104_857),
        (0.0000009, 0),
        (2**33 - 1, (2**33 - 1) * MEGABYTE),
        (2**33, MOST),
        (2**63 - 1, MOST),
        (1e300, MOST),
        (-5, 0),
        (True, None),
        ("5", None),
        ([], None),
    ],
)
async def test_a_quota_is_megabytes_of_1024_times_1024_rounded_down(
    storing: Storing, database: db.Database, ann: Person, megabytes: Any, total: int | None
) -> None:
    """Whatever another provider has written into the metadata."""
    await limit(database, ann, megabytes)

    assert await storing.storage(ann, ann) == {"quotaBytes": total, "usedBytes": 0}


async def test_without_a_quota_nothing_is_refused_and_with_none_of_a_byte_every_byte_is(
    storing: Storing, database: db.Database, ann: Person, reef: Entity
) -> None:
    await limit(database, ann, None)
    ticket = await storing.ticket(reef, ann, 2**50)

    await limit(database, ann, 0)
    async with unchanged(database):
        assert problems(await storing.begin(reef, ann, 0)) == OVER  # over it already
        assert problems(await storing.begin(reef, ann, 1)) == OVER
    assert codes(await storing.cancel(ticket)) == []
    assert codes(await storing.begin(reef, ann, 0)) == []
    assert problems(await storing.begin(reef, ann, 1)) == OVER


async def test_the_owner_of_the_org_is_charged_and_nobody_else(
    storing: Storing, make: Make, database: db.Database, ann: Person, reef: Entity
) -> None:
    """The uploader and the owner of the resource are not charged. All orgs of their owner count together."""
    bob = await make.user("bob", details={"maxStorageMB": 0})
    await make.member(await make.org("other", owner=bob), ann, MemberLevel.READ_WRITE)
    await make.grant(reef, bob, resource_roles.DATA_WRITE)
    second = await make.resource(await make.org("second", owner=ann), owner=bob)

    assert codes(await storing.begin(reef, bob, MEGABYTE // 2)) == []
    assert codes(await storing.begin(second, bob, MEGABYTE // 2)) == []

    assert [await storing.used(each) for each in (ann, bob)] == [MEGABYTE, 0]
    async with unchanged(database):
        assert problems(await storing.begin(reef, bob, 1)) == OVER


async def test_who_manages_all_resources_has_no_limit_as_uploader_or_as_owner(
    storing: Storing, make: Make, database: db.Database, ann: Person, reef: Entity
) -> None:
    await limit(database, ann, 0)
    registrar = await make.holder(Permission.RESOURCES_MANAGE)
    others = await make.holder(ALL_PERMISSIONS & ~Permission.RESOURCES_MANAGE)
    await make.grant(reef, others, resource_roles.ADMIN)
    owned = await make.resource(await make.org(owner=registrar), owner=ann)
    await limit(database, registrar, 0)
    async with unchanged(database):
        assert problems(await storing.begin(reef, others, 1)) == OVER

    for resource, asker in ((reef, registrar), (owned, ann)):
        ticket = await storing.ticket(resource, asker, 1)
        assert codes(await storing.finish(ticket, 10)) == []
    assert [(await storing.storage(each, each))["quotaBytes"] for each in (ann, registrar)] == [0, 0]

    root = await make.admin()
    fields = {"user": {"id": registrar.node}, "roles": ["deactivated"]}
    answered(await storing.api(change("assignRoles"), as_=root, input=fields), "assignRoles")
    async with unchanged(database):
        assert problems(await storing.begin(owned, ann, 1)) == OVER


async def test_more_than_was_reserved_must_fit_in_again(
    storing: Storing, database: db.Database, ann: Person, reef: Entity
) -> None:
    ticket = await storing.ticket(reef, ann, 100)
    other = await storing.ticket(reef, ann, MEGABYTE - 150)
    async with unchanged(database):
        assert problems(await storing.finish(ticket, 151)) == OVER

    assert codes(await storing.finish(ticket, 150)) == []
    async with unchanged(database):
        assert problems(await storing.finish(other, MEGABYTE - 149)) == OVER
    assert codes(await storing.finish(other, MEGABYTE - 149, 1)) == []  # no more than there is room for
    assert await storing.used(ann) == MEGABYTE


async def test_what_was_reserved_is_counted_although_the_quota_is_smaller_now(
    storing: Storing, database: db.Database, ann: Person, reef: Entity
) -> None:
    ticket = await storing.ticket(reef, ann, 100)
    await limit(database, ann, 0)

    assert codes(await storing.finish(ticket, 100)) == []
    assert await storing.storage(ann, ann) == {"quotaBytes": 0, "usedBytes": 100}


async def test_bytes_that_were_given_back_are_free_at_once(storing: Storing, ann: Person, reef: Entity) -> None:
    for _ in range(3):
        ticket = await storing.ticket(reef, ann, MEGABYTE)
        assert codes(await storing.cancel(ticket)) == []
    assert codes(await storing.finish(await storing.ticket(reef, ann, MEGABYTE), 1)) == []
    assert codes(await storing.begin(reef, ann, MEGABYTE - 1)) == []


async def test_who_may_not_upload_or_finds_a_lock_learns_nothing_of_the_quota(
    storing: Storing, make: Make, database: db.Database, ann: Person, reef: Entity
) -> None:
    hidden = await make.resource(await make.org(owner=ann), general=0)
    reader = await make.user()
    async with unchanged(database):
        assert codes(await storing.begin(hidden, reader, MOST)) == ["NOT_FOUND"]
        assert codes(await storing.begin(reef, reader, MOST)) == ["FORBIDDEN"]
    await make.locked(reef)

    async with unchanged(database):
        assert codes(await storing.begin(reef, ann, MOST)) == ["LOCKED"]


async def test_a_download_asks_for_no_quota(storing: Storing, database: db.Database, ann: Person, reef: Entity) -> None:
    assert codes(await storing.finish(await storing.ticket(reef, ann, MEGABYTE), MEGABYTE)) == []
    await limit(database, ann, 0)

    assert codes(await storing.download(reef, ann)) == []
    assert await storing.used(ann) == MEGABYTE


async def test_the_usage_of_an_org_goes_to_its_new_owner_unasked(
    storing: Storing, make: Make, database: db.Database, ann: Person, reef: Entity
) -> None:
    bob = await make.user("bob", details={"maxStorageMB": 0})
    await make.member(Entity("Org", 1, "lab"), bob)
    ticket = await storing.ticket(reef, ann, 300)
    assert codes(await storing.finish(ticket, 200)) == []
    await storing.ticket(reef, ann, 50)

    fields = {"org": {"slug": "lab"}, "owner": {"userName": "bob"}}
    answered(await storing.api(change("transferOrg"), as_=ann, input=fields), "transferOrg")

    assert [await storing.used(each) for each in (ann, bob)] == [0, 250]
    assert problems(await storing.begin(reef, bob, 0)) == OVER


async def test_a_resource_that_moves_must_fit_in_with_the_owner_of_the_other_org(
    storing: Storing, make: Make, database: db.Database, ann: Person, reef: Entity
) -> None:
    bob = await make.user("bob", details={"maxStorageMB": 1})
    await make.member(await make.org("second", owner=ann), bob)
    theirs = await make.org("theirs", owner=bob)
    await make.member(theirs, ann, MemberLevel.READ_WRITE)
    assert codes(await storing.finish(await storing.ticket(reef, ann, 200), 200)) == []
    await storing.ticket(reef, ann, 50)
    await make.resource(theirs, size_bytes=MEGABYTE - 249)

    async def moved(org: str) -> dict[str, Any]:
        fields = {"resource": {"id": reef.node}, "org": {"slug": org}}
        return await storing.api(change("transferResource"), as_=ann, input=fields)

    await limit(database, ann, 0)
    assert codes(await moved("second")) == []  # whose it was before: nothing is more
    await limit(database, ann, 1)
    before = [await storing.used(each) for each in (ann, bob)]
    assert problems(await moved("theirs")) == {"QUOTA_EXCEEDED input.org"}
    assert [await storing.used(each) for each in (ann, bob)] == before == [250, MEGABYTE - 249]

    await limit(database, bob, 1.1)
    assert codes(await moved("theirs")) == []
    assert [await storing.used(each) for each in (ann, bob)] == [0, MEGABYTE + 1]
    assert await sizes(database, tables.Org) == await summed(database)


async def test_without_the_limiter_the_same_calls_refuse_nothing(
    storing: Storing, make: Make, settings: Any, monkeypatch: pytest.MonkeyPatch, ann: Person, reef: Entity
) -> None:
    monkeypatch.setenv("OSTIARY_ENABLE_STORAGE_LIMITER", "false")
    async with another(settings.read()) as api:
        free = Storing(api)
        ticket = await free.ticket(reef, ann, 2 * MEGABYTE)
        assert codes(await free.finish(ticket, 3 * MEGABYTE)) == []
        assert codes(await free.begin(reef, ann, 1)) == []
        assert await free.storage(ann, ann) == {"quotaBytes": MEGABYTE, "usedBytes": 3 * MEGABYTE + 1}

    assert problems(await storing.begin(reef, ann, 0)) == OVER


async def test_only_the_user_and_viewers_of_all_users_see_their_storage(
    storing: Storing, make: Make, database: db.Database, ann: Person, reef: Entity
) -> None:
    expected, friend = {"quotaBytes": MEGABYTE, "usedBytes": 0}, await make.user("friend")
    viewing, stranger = await make.holder(Permission.USERS_VIEW), await make.user()
    await make.member(Entity("Org", 1, "lab"), friend, MemberLevel.ADMIN)

    assert [await storing.storage(ann, each) for each in (ann, viewing)] == [expected, expected]
    assert [await storing.storage(ann, each) for each in (friend, stranger, None)] == [None] * 3


async def test_rest_tells_the_same(
    client: httpx.AsyncClient, api: Api, make: Make, ann: Person, reef: Entity, storing: Storing
) -> None:
    viewing, expected = await make.holder(Permission.USERS_VIEW), {"total": MEGABYTE, "used": 5}
    await storing.begin(reef, ann, 5)

    own = await client.get("/users/storage", headers=api.headers(ann))
    other = await client.get("/users/ANN/storage", headers=api.headers(viewing))
    refused = [await client.get(f"/users/{name}/storage", headers=api.headers(ann)) for name in ("ann", "ghost")]
    ghost = await client.get("/users/ghost/storage", headers=api.headers(viewing))

    assert [own.json(), other.json()] == [expected, expected]
    assert [reply.status_code for reply in (*refused, ghost)] == [403, 403, 400]
