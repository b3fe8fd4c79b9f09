"""Claims about locks: a locked resource is read-only, and its history records each lock and unlock, by whom and why."""

from datetime import UTC, datetime, timedelta
from typing import Any

from app import db
from app.db import tables
from app.domain import resource_roles
from app.domain.resource_roles import MemberLevel
from app.domain.viewer import Permission
from tests.support.changes import answered, change, problems, unchanged
from tests.support.client import Api, codes
from tests.support.factories import Entity, Make, rows_of

HISTORY = "lockHistory(first: 100) { totalCount nodes { action reason createdAt actor { userName } } }"
LOCK = change("lockResource", f"resource {{ lock {{ reason createdAt lockedBy {{ userName }} }} {HISTORY} }}")
UNLOCK = change("unlockResource", f"resource {{ lock {{ reason }} {HISTORY} }}")
SHOW = f"query ($id: ID!) {{ resource(by: {{id: $id}}) {{ lock {{ reason lockedBy {{ userName }} }} {HISTORY} }} }}"


def of(thing: Entity, reason: str = "Under review.") -> dict[str, Any]:
    return {"resource": {"id": thing.node}, "reason": reason}


async def test_a_lock_and_its_end_are_told_with_who_when_and_why(api: Api, make: Make, database: db.Database) -> None:
    ann, reader = await make.user("ann"), await make.user("reader")
    reef = await make.resource(await make.org(), owner=ann, general=resource_roles.METADATA_READ)
    start = datetime.now(UTC).replace(microsecond=0)

    database.clock = lambda: start
    locked = answered(await api(LOCK, as_=ann, input=of(reef, "  Under review. \n")), "lockResource")["resource"]
    database.clock = lambda: start + timedelta(minutes=1)
    answered(await api(UNLOCK, as_=ann, input=of(reef, "Reviewed.")), "unlockResource")
    answered(await api(LOCK, as_=ann, input=of(reef, "x" * 1000)), "lockResource")

    assert locked["lock"]["reason"] == "Under review."
    assert datetime.fromisoformat(locked["lock"]["createdAt"]) == start
    resource = (await api(SHOW, as_=reader, id=reef.node))["data"]["resource"]
    assert resource["lock"] == {"reason": "x" * 1000, "lockedBy": {"userName": "ann"}}
    events = [(event["action"], event["reason"], event["actor"]) for event in resource["lockHistory"]["nodes"]]
    who = {"userName": "ann"}
    assert events == [("LOCK", "Under review.", who), ("UNLOCK", "Reviewed.", who), ("LOCK", "x" * 1000, who)]
    assert resource["lockHistory"]["nodes"][0]["createdAt"] == locked["lock"]["createdAt"]


async def test_a_reason_is_given_and_of_at_most_a_thousand_characters(
    api: Api, make: Make, database: db.Database
) -> None:
    ann, org = await make.user(), await make.org()
    free, locked = await make.resource(org, owner=ann), await make.resource(org, owner=ann)
    await make.locked(locked, ann)

    async with unchanged(database):
        for reason in ("", " \n\t ", "x" * 1001, "a\0b"):
            assert problems(await api(LOCK, as_=ann, input=of(free, reason))) == {"INVALID_INPUT input.reason"}
            assert problems(await api(UNLOCK, as_=ann, input=of(locked, reason))) == {"INVALID_INPUT input.reason"}
        reply = await api(
            "mutation ($r: ResourceBy!) { lockResource(input: {resource: $r}) { errors { code } } }", as_=ann
        )
        assert codes(reply) == ["GRAPHQL_VALIDATION_FAILED"]
    answered(await api(LOCK, as_=ann, input=of(free, f" {'x' * 1000} ")), "lockResource")


async def test_what_is_locked_is_not_locked_and_what_is_not_is_not_unlocked(
    api: Api, make: Make, database: db.Database
) -> None:
    ann, org = await make.user(), await make.org()
    free, locked = await make.resource(org, owner=ann), await make.resource(org, owner=ann)
    await make.locked(locked, ann)

    async with unchanged(database):
        assert problems(await api(LOCK, as_=ann, input=of(locked))) == {"CONFLICT input.resource"}
        assert problems(await api(UNLOCK, as_=ann, input=of(free))) == {"CONFLICT input.resource"}
        assert codes(await api(LOCK, as_=ann, input={**of(free), "validateOnly": True})) == []


async def test_only_an_admin_locks_and_a_stranger_learns_nothing(api: Api, make: Make, database: db.Database) -> None:
    org = await make.org()
    deleter, reader, editor = await make.user(), await make.user(), await make.user()
    await make.member(org, deleter, MemberLevel.READ_WRITE_DELETE)
    eve = await make.holder(Permission.ORGS_MANAGE | Permission.GROUPS_MANAGE)
    free, locked = await make.resource(org, general=0), await make.resource(org, general=0)
    for thing in (free, locked):
        await make.grant(thing, reader, resource_roles.METADATA_READ)
        await make.grant(thing, editor, resource_roles.METADATA_WRITE | resource_roles.DATA_WRITE)
    await make.locked(locked)

    async with unchanged(database):
        for thing in (free, locked):
            for text in (LOCK, UNLOCK):
                for asker in (reader, editor, deleter):
                    assert codes(await api(text, as_=asker, input=of(thing))) == ["FORBIDDEN"]
                assert problems(await api(text, as_=eve, input=of(thing))) == {"NOT_FOUND input.resource"}
                assert codes(await api(text, input=of(thing))) == ["UNAUTHENTICATED"]
    assert await api(SHOW, as_=eve, id=locked.node) == {"data": {"resource": None}}


async def test_every_kind_of_admin_locks_and_unlocks(api: Api, make: Make) -> None:
    org = await make.org()
    owner, granted, manager, org_owner = [await make.user() for _ in range(4)]
    registry = await make.holder(Permission.RESOURCES_MANAGE)
    theirs = await make.org(owner=org_owner)
    await make.member(org, manager, MemberLevel.ADMIN)
    await make.grant(reef := await make.resource(org, owner=owner, general=0), granted, resource_roles.ADMIN)
    other = await make.resource(theirs, general=0)

    for asker, thing in ((owner, reef), (granted, reef), (manager, reef), (registry, reef), (org_owner, other)):
        answered(await api(LOCK, as_=asker, input=of(thing)), "lockResource")
        answered(await api(UNLOCK, as_=registry, input=of(thing)), "unlockResource")


async def test_the_history_outlives_who_made_it_and_goes_with_the_resource(
    api: Api, make: Make, database: db.Database
) -> None:
    root, ann = await make.admin(), await make.user("ann")
    await make.grant(reef := await make.resource(await make.org()), ann, resource_roles.ADMIN)
    answered(await api(LOCK, as_=ann, input=of(reef, "Mine.")), "lockResource")

    gone = change("deleteUser")
    assert codes(await api(gone, as_=root, input={"user": {"userName": "ann"}})) == []

    resource = (await api(SHOW, as_=root, id=reef.node))["data"]["resource"]
    assert resource["lock"] == {"reason": "Mine.", "lockedBy": None}
    assert [event["actor"] for event in resource["lockHistory"]["nodes"]] == [None]
    answered(await api(UNLOCK, as_=root, input=of(reef)), "unlockResource")
    assert codes(await api(change("deleteResource"), as_=root, input={"resource": {"id": reef.node}})) == []
    assert await rows_of(database, tables.LockEvent) == 0


async def test_the_history_is_paged_oldest_first(api: Api, make: Make) -> None:
    ann = await make.user()
    reef = await make.resource(await make.org(), owner=ann)
    for at in range(3):
        answered(await api(LOCK, as_=ann, input=of(reef, f"lock {at}")), "lockResource")
        answered(await api(UNLOCK, as_=ann, input=of(reef, f"unlock {at}")), "unlockResource")
    page = """query ($id: ID!, $after: String) { resource(by: {id: $id}) {
      lockHistory(first: 4, after: $after) { nodes { reason } pageInfo { endCursor hasNextPage } } } }"""

    first = (await api(page, as_=ann, id=reef.node))["data"]["resource"]["lockHistory"]
    second = (await api(page, as_=ann, id=reef.node, after=first["pageInfo"]["endCursor"]))["data"]["resource"]

    events = [event["reason"] for event in first["nodes"] + second["lockHistory"]["nodes"]]
    assert events == ["lock 0", "unlock 0", "lock 1", "unlock 1", "lock 2", "unlock 2"]
    assert (first["pageInfo"]["hasNextPage"], second["lockHistory"]["pageInfo"]["hasNextPage"]) == (True, False)
