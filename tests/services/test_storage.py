"""Claims about uploads: bytes are reserved, counted and released, and tickets end."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import delete, select, text

from app import db
from app.db import tables
from app.db.tables import col
from app.domain import resource_roles
from app.domain.viewer import Permission
from app.services import password_attempts, storage
from tests.support.changes import answered, change, problems, unchanged
from tests.support.client import Api, codes
from tests.support.factories import Entity, Make, Person, rows_of
from tests.support.fetching import fetch
from tests.support.storing import BEGIN, FINISH, MOST, TICKET, Storing, sizes, summed

HOUR = timedelta(hours=1)


@pytest.fixture
def storing(api: Api) -> Storing:
    """Return the client for storage requests."""
    return Storing(api)


@pytest.fixture
async def ann(make: Make) -> Person:
    """Return the owner of the org and of all in it."""
    return await make.user("ann")


@pytest.fixture
async def reef(make: Make, ann: Person) -> Entity:
    """Return a dataset in an org of Ann's."""
    return await make.resource(await make.org("lab", owner=ann), owner=ann, slug="reef")


async def test_an_upload_reserves_its_bytes_and_is_counted_when_it_is_finished(
    storing: Storing, database: db.Database, ann: Person, reef: Entity
) -> None:
    begun = answered(await storing.begin(reef, ann, 1_000), "beginUpload")
    expected = {"kind": "UPLOAD", "sizeBytes": 1_000, "state": "OPEN", "resource": {"id": reef.node}}
    assert begun["ticket"] | expected == begun["ticket"]
    assert await storing.used(ann) == 1_000
    assert await sizes(database, tables.Resource) == {reef.id: 0}

    reply = await storing.finish(begun["ticket"]["id"], 700, as_=ann)

    assert answered(reply, "finishUpload") == {
        "ticket": {"state": "FINISHED"},
        "resource": {"sizeBytes": 700},
        "errors": [],
    }
    assert await storing.used(ann) == 700
    assert await sizes(database, tables.Resource) == {reef.id: 700}
    assert await sizes(database, tables.Org) == await summed(database)


async def test_a_ticket_ends_when_it_says(storing: Storing, database: db.Database, ann: Person, reef: Entity) -> None:
    """The end is exact to the second, like that of its token."""
    now = database.clock().replace(microsecond=123_456)
    database.clock = lambda: now

    begun = answered(await storing.begin(reef, ann, 1), "beginUpload")["ticket"]

    assert begun["createdAt"] == now.strftime("%Y-%m-%dT%H:%M:%S.123456Z")
    assert begun["expiresAt"] == (now + HOUR).strftime("%Y-%m-%dT%H:%M:%S.000000Z")


async def test_any_holder_of_a_ticket_finishes_it_and_reads_only_what_they_may_see(
    storing: Storing, make: Make, ann: Person
) -> None:
    hidden = await make.resource(await make.org(owner=ann), general=0, slug="hidden")
    for asker in (None, await make.user()):
        ticket = await storing.ticket(hidden, ann, 5)
        seen = (await storing.api(TICKET, as_=asker, id=ticket))["data"]["ticket"]
        assert seen == {"id": ticket, "kind": "UPLOAD", "sizeBytes": 5, "state": "OPEN", "resource": None}

        payload = answered(await storing.finish(ticket, 5, as_=asker), "finishUpload")

        assert payload == {"ticket": {"state": "FINISHED"}, "resource": None, "errors": []}
    assert (await storing.api(TICKET, as_=ann, id=ticket))["data"]["ticket"]["resource"] == {"slug": "hidden"}


async def test_finishing_again_is_answered_again_and_other_numbers_are_a_conflict(
    storing: Storing, database: db.Database, ann: Person, reef: Entity
) -> None:
    ticket = await storing.ticket(reef, ann, 100)
    first = await storing.finish(ticket, 80, 0, as_=ann)
    assert codes(first) == []

    async with unchanged(database, but_the_log=True):
        assert await storing.finish(ticket, 80, 0, as_=ann) == first
    async with unchanged(database):
        for size, replaced in ((81, 0), (79, 0), (80, 1), (0, 0)):
            assert problems(await storing.finish(ticket, size, replaced)) == {"CONFLICT input.ticket"}
        assert problems(await storing.cancel(ticket)) == {"CONFLICT input.ticket"}
    assert await storing.used(ann) == 80


async def test_what_is_replaced_is_not_counted_twice(
    storing: Storing, database: db.Database, ann: Person, reef: Entity
) -> None:
    for size, replaced, left in ((100, 0, 100), (60, 60, 100), (50, 20, 130), (0, 0, 130)):
        ticket = await storing.ticket(reef, ann, size)
        payload = answered(await storing.finish(ticket, size, replaced, as_=ann), "finishUpload")
        assert payload["resource"] == {"sizeBytes": left}
    assert await sizes(database, tables.Org) == await summed(database)


async def test_only_the_registrys_own_may_say_that_more_was_replaced_than_came(
    storing: Storing, make: Make, database: db.Database, ann: Person, reef: Entity
) -> None:
    """Otherwise a client could finish their own upload and have their files counted as deleted."""
    registrar = await make.holder(Permission.RESOURCES_MANAGE)
    first = await storing.ticket(reef, ann, 100)
    assert codes(await storing.finish(first, 100)) == []
    ticket = await storing.ticket(reef, ann, 10)

    async with unchanged(database):
        assert codes(await storing.finish(ticket, 10, 11)) == ["UNAUTHENTICATED"]
        assert codes(await storing.finish(ticket, 10, 11, as_=ann)) == ["FORBIDDEN"]
        assert problems(await storing.finish(ticket, 10, 111, as_=registrar)) == {"INVALID_INPUT input.replacedBytes"}

    assert codes(await storing.finish(ticket, 10, 110, as_=registrar)) == []
    assert await storing.used(ann) == 0
    assert await sizes(database, tables.Org) == await summed(database)


async def test_a_cancelled_upload_gives_its_bytes_back_once_and_for_all(
    storing: Storing, database: db.Database, ann: Person, reef: Entity
) -> None:
    ticket = await storing.ticket(reef, ann, 100)

    replies = [await storing.cancel(ticket) for _ in range(2)]

    assert [answered(reply, "cancelUpload")["ticket"] for reply in replies] == [{"state": "CANCELLED"}] * 2
    assert await storing.used(ann) == 0
    async with unchanged(database):
        assert problems(await storing.finish(ticket, 1)) == {"CONFLICT input.ticket"}


async def test_an_abandoned_ticket_gives_its_bytes_back_when_it_ends_and_is_forgotten_a_day_later(
    storing: Storing, database: db.Database, ann: Person, reef: Entity
) -> None:
    ticket, finished = await storing.ticket(reef, ann, 100), await storing.ticket(reef, ann, 30)
    assert codes(await storing.finish(finished, 30)) == []
    began = database.clock()

    database.clock = lambda: began + 0.99 * HOUR
    assert (await storing.state(ticket), await storing.used(ann)) == ("OPEN", 130)

    database.clock = lambda: began + HOUR
    assert (await storing.state(ticket), await storing.used(ann)) == ("EXPIRED", 30)
    async with unchanged(database, but_the_log=True):
        assert problems(await storing.finish(ticket, 1)) == {"CONFLICT input.ticket"}
        assert codes(await storing.finish(finished, 30)) == []  # a lost answer may be asked for again
    assert codes(await storing.cancel(ticket)) == []
    assert await storing.state(ticket) == "CANCELLED"

    database.clock = lambda: began + 25 * HOUR
    await storing.ticket(reef, ann, 1)
    assert [await storing.state(each) for each in (ticket, finished)] == [None, None]
    assert await rows_of(database, tables.Ticket) == 1


async def test_a_ticket_counts_no_longer_from_its_end_on_to_the_second(
    storing: Storing, database: db.Database, ann: Person, reef: Entity
) -> None:
    began = database.clock().replace(microsecond=0)
    database.clock = lambda: began
    ticket = await storing.ticket(reef, ann, 100)

    for moment, state, used in ((0, "EXPIRED", 0), (-1, "OPEN", 100)):
        database.clock = lambda at=moment: began + HOUR + timedelta(microseconds=at)  # type: ignore[misc]  # no argument
        assert (await storing.state(ticket), await storing.used(ann)) == (state, used)


async def test_few_old_tickets_are_cleared_away_at_once(
    storing: Storing, make: Make, database: db.Database, ann: Person, reef: Entity
) -> None:
    long_ago = database.clock() - timedelta(days=2)
    for _ in range(120):
        await make.ticket(reef, ann, expires_at=long_ago)

    for left in (71, 22, 3, 4):
        assert codes(await storing.download(reef, ann)) == []
        assert await rows_of(database, tables.Ticket) == left


async def _delete_with_a_nested_loop(database: db.Database, backend: str, statement: Any, **values: Any) -> None:
    """Run a DELETE of few rows with the plan for which PostgreSQL could run its subquery again for each row."""
    async with database.write() as tx:
        for method in ("hashjoin", "mergejoin", "hashagg", "material", "sort") if backend == "postgresql" else ():
            await tx.rows(text(f"SET LOCAL enable_{method} = off"))
        await tx.rows(statement, **values)


async def test_the_limit_of_a_clearing_holds_whatever_the_planner_chooses(
    make: Make, database: db.Database, backend: str, ann: Person, reef: Entity
) -> None:
    long_ago = database.clock() - timedelta(days=2)
    for _ in range(120):
        await make.ticket(reef, ann, expires_at=long_ago)
    row = {"failures": 1, "free_at": long_ago, "kept_until": long_ago, "checks": 0, "checks_before": 0}
    async with database.write() as tx:
        await tx.insert(tables.Guess, [{**row, "key": f"guess {at}", "checks_slot": 0} for at in range(120)])

    await _delete_with_a_nested_loop(database, backend, storage.CLEAR_OLD, before=database.clock())
    await _delete_with_a_nested_loop(database, backend, password_attempts.CLEAR_OLD, now=database.clock())

    assert await rows_of(database, tables.Ticket) == 120 - storage.MAX_DELETED
    assert await rows_of(database, tables.Guess) == 120 - password_attempts.MAX_DELETED


async def test_a_lock_revokes_uploads_until_it_is_taken_away(
    storing: Storing, make: Make, database: db.Database, ann: Person, reef: Entity
) -> None:
    ticket, fields = await storing.ticket(reef, ann, 100), {"resource": {"id": reef.node}, "reason": "Why."}
    fetched = answered(await storing.download(reef, ann), "beginDownload")["ticket"]["id"]
    answered(await storing.api(change("lockResource"), as_=ann, input=fields), "lockResource")

    assert [await storing.state(each) for each in (ticket, fetched)] == ["REVOKED", "OPEN"]
    async with unchanged(database):
        assert problems(await storing.finish(ticket, 100)) == {"LOCKED input.ticket"}
    answered(await storing.api(change("unlockResource"), as_=ann, input=fields), "unlockResource")

    assert await storing.state(ticket) == "OPEN"
    assert codes(await storing.finish(ticket, 100)) == []


async def test_who_may_not_write_any_more_finishes_nothing(
    storing: Storing, make: Make, database: db.Database, ann: Person, reef: Entity
) -> None:
    bob, root = await make.user("bob"), await make.admin()
    await make.grant(reef, bob, resource_roles.DATA_WRITE)
    ticket = await storing.ticket(reef, bob, 100)
    fields = {"resource": {"id": reef.node}, "subject": {"user": {"userName": "bob"}}}
    taken: list[tuple[str, Person, dict[str, object]]] = [
        ("grantAccess", ann, {**fields, "roles": ["METADATA_WRITE", "DATASET_DATA_READ"]}),
        ("grantAccess", ann, {**fields, "roles": ["DATASET_DATA_WRITE"]}),
        ("assignRoles", root, {"user": {"userName": "bob"}, "roles": ["deactivated"]}),
    ]
    for at, (name, asker, change_) in enumerate(taken):
        answered(await storing.api(change(name), as_=asker, input=change_), name)
        assert await storing.state(ticket) == ("OPEN" if at == 1 else "REVOKED")
        if at != 1:
            async with unchanged(database):
                assert problems(await storing.finish(ticket, 100)) == {"CONFLICT input.ticket"}
    assert await sizes(database, tables.Org) == await summed(database)


@pytest.mark.parametrize(("name", "thing"), [("deleteUser", "user"), ("deleteResource", "resource")])
async def test_a_ticket_is_deleted_with_its_user_and_with_its_resource(
    storing: Storing, make: Make, database: db.Database, ann: Person, reef: Entity, name: str, thing: str
) -> None:
    bob, root = await make.user("bob"), await make.admin()
    await make.grant(reef, bob, resource_roles.DATA_WRITE)
    ticket = await storing.ticket(reef, bob, 100)
    fields = {thing: {"id": bob.node if thing == "user" else reef.node}}

    answered(await storing.api(change(name), as_=root, input=fields), name)

    assert (await storing.state(ticket), await storing.used(ann)) == (None, 0)
    assert problems(await storing.finish(ticket, 100)) == {"NOT_FOUND input.ticket"}
    assert await rows_of(database, tables.Ticket) == 0


async def test_a_download_asks_for_the_role_alone(
    storing: Storing, make: Make, database: db.Database, ann: Person, reef: Entity
) -> None:
    """Whatever is locked, and by nobody too where everybody may read."""
    assert codes(await storing.finish(await storing.ticket(reef, ann, 9), 9)) == []
    eve, open_ = await make.user("eve"), {"resource": {"id": reef.node}, "subject": {"anyone": True}}
    await make.locked(reef)
    async with unchanged(database):
        assert codes(await storing.download(reef, None)) == ["UNAUTHENTICATED"]
    for roles, code in ((["METADATA_READ"], ["UNAUTHENTICATED"]), (["DATASET_DATA_READ"], [])):
        answered(await storing.api(change("grantAccess"), as_=ann, input={**open_, "roles": roles}), "grantAccess")
        assert codes(await storing.download(reef, None)) == code

    for asker in (None, eve):
        begun = answered(await storing.download(reef, asker), "beginDownload")["ticket"]
        expected = {"kind": "DOWNLOAD", "sizeBytes": 9, "state": "OPEN", "resource": {"id": reef.node}}
        assert begun | expected == begun
        assert problems(await storing.finish(begun["id"], 1)) == {"INVALID_INPUT input.ticket"}
        assert problems(await storing.cancel(begun["id"])) == {"INVALID_INPUT input.ticket"}
    answered(await storing.api(change("revokeAccess"), as_=ann, input=open_), "revokeAccess")
    keys = await fetch(database, select(col(tables.Ticket.key), col(tables.Ticket.user_id)))
    states = {user: await storing.state(key) for key, user in keys if key != keys[0][0]}
    assert {states[None], states[eve.id]} == {"REVOKED", "OPEN"}
    assert await storing.used(ann) == 9


async def test_what_has_no_data_is_neither_brought_nor_fetched(
    storing: Storing, make: Make, database: db.Database, ann: Person
) -> None:
    model = await make.resource(await make.org(owner=ann), "MODEL", owner=ann)

    async with unchanged(database):
        assert codes(await storing.begin(model, ann, 1)) == ["FORBIDDEN"]
        assert codes(await storing.download(model, ann)) == ["FORBIDDEN"]


async def test_a_trial_of_a_beginning_answers_neither_a_ticket_nor_a_token(
    storing: Storing, database: db.Database, ann: Person, reef: Entity
) -> None:
    ticket = await storing.ticket(reef, ann, 9)
    tried = {"resource": {"id": reef.node}, "validateOnly": True}

    async with unchanged(database):
        begun = await storing.api(BEGIN, as_=ann, input=tried | {"sizeBytes": 9})
        done = await storing.api(FINISH, as_=ann, input={"ticket": ticket, "sizeBytes": 9, "validateOnly": True})

    assert answered(begun, "beginUpload") == {"token": None, "ticket": None, "errors": []}
    assert answered(done, "finishUpload")["ticket"] is None


async def test_what_is_no_ticket_is_none(storing: Storing, database: db.Database, ann: Person, reef: Entity) -> None:
    good = await storing.ticket(reef, ann, 1)
    strange = ["", "x", "\0", "ü" * 32, "a" * 32, good[:-1], f"{good}=", f" {good}", good.swapcase(), reef.node]

    async with unchanged(database):
        assert {await storing.state(each) for each in strange} == {None}
        for each in strange:
            assert problems(await storing.finish(each, 1)) == {"NOT_FOUND input.ticket"}
            assert problems(await storing.cancel(each)) == {"NOT_FOUND input.ticket"}
    assert (await storing.api("query ($id: ID!) { node(id: $id) { id } }", id=good))["data"] == {"node": None}


async def test_a_number_of_bytes_is_one_that_every_client_can_say(
    storing: Storing, database: db.Database, ann: Person, reef: Entity
) -> None:
    for size in (0, 5.0, MOST):
        assert codes(await storing.begin(reef, ann, size)) == []  # type: ignore[arg-type]  # as JSON may have it
    ticket = await storing.ticket(reef, ann, 1)

    async with unchanged(database):
        assert problems(await storing.begin(reef, ann, -1)) == {"INVALID_INPUT input.sizeBytes"}
        assert problems(await storing.finish(ticket, -1, -1)) == {
            "INVALID_INPUT input.sizeBytes",
            "INVALID_INPUT input.replacedBytes",
        }
        invalid: list[Any] = [MOST + 1, -MOST - 1, 1.5, 1e300, "5", True, None, [], 10**30]
        for each in invalid:
            assert codes(await storing.begin(reef, ann, each)) == ["BAD_USER_INPUT"]
        for literal in ("9007199254740992", "1.5", "1e999", '"5"', "true", "9" * 400, "9" * 5_000):
            fields = f'{{resource: {{id: "{reef.node}"}}, sizeBytes: {literal}}}'
            reply = await storing.api(f"mutation {{ beginUpload(input: {fields}) {{ token }} }}", as_=ann)
            assert codes(reply) == ["GRAPHQL_VALIDATION_FAILED"]


async def test_whatever_people_claim_no_sum_is_too_large(
    storing: Storing, make: Make, database: db.Database, ann: Person, reef: Entity
) -> None:
    other = await make.resource(await make.org("second", owner=ann), owner=ann)
    tickets = [await storing.ticket(each, ann, MOST) for each in (reef, reef, other)]
    assert await storing.used(ann) == MOST

    assert codes(await storing.finish(tickets[0], MOST)) == []
    async with unchanged(database):
        assert problems(await storing.finish(tickets[1], 1)) == {"INVALID_INPUT input.sizeBytes"}
        moved = {"resource": {"id": other.node}, "org": {"slug": "lab"}}
    assert codes(await storing.finish(tickets[2], 1)) == []
    async with unchanged(database):
        assert problems(await storing.api(change("transferResource"), as_=ann, input=moved)) == {
            "INVALID_INPUT input.org"
        }
    assert await sizes(database, tables.Org) == await summed(database)


async def test_a_ticket_of_a_deleted_org_is_gone(
    storing: Storing, database: db.Database, ann: Person, reef: Entity
) -> None:
    ticket = await storing.ticket(reef, ann, 1)
    async with database.write() as tx:
        await tx.rows(delete(tables.Org))

    assert await storing.state(ticket) is None
    assert problems(await storing.finish(ticket, 1)) == {"NOT_FOUND input.ticket"}
