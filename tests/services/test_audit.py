"""Claims about the audit log: an event has the changed values and no secret, and is written in full or not at all."""

import asyncio
import re
from typing import Any

import orjson
import pytest
from sqlalchemy import delete, select, text, update

from app import db
from app.config import Settings
from app.db.tables import AuditChange, AuditEvent, RevokedToken, Ticket, User, col
from app.domain.errors import InvalidInput
from app.domain.viewer import Viewer
from app.services import audit
from tests.support.changes import another, answered, change
from tests.support.client import Api, codes
from tests.support.factories import PASSWORD, Make, Person, all_but_the_log
from tests.support.fetching import fetch
from tests.support.logged import Event, events, logged

LOGOUT = "mutation { logout { errors { code } } }"
TABLES: tuple[Any, ...] = (AuditEvent, AuditChange)


async def _change(api: Api, name: str, as_: Person | None, shows: str = "", /, **data: Any) -> Any:
    """Run a mutation that succeeds."""
    return answered(await api(change(name, shows), as_=as_, input=data), name)


async def _last_event(database: db.Database) -> Event:
    """Return the last event."""
    return (await events(database))[-1]


@pytest.mark.parametrize("table", TABLES)
async def test_the_database_itself_refuses_to_change_or_delete_what_was_written(
    api: Api, make: Make, database: db.Database, table: Any
) -> None:
    await _change(api, "createRole", await make.admin(), name="pilots")
    ways: list[Any] = [delete(table), update(table).values(at=database.clock())]
    ways += [text(f"TRUNCATE {table.__tablename__} CASCADE")] if database.dialect.name == "postgresql" else []
    before = await events(database)

    for statement in ways:
        with pytest.raises(Exception, match="the audit log is append-only"):
            async with database.write() as tx:
                await tx.rows(statement)

    assert await events(database) == before != []


async def test_an_event_goes_with_its_change(make: Make, database: db.Database) -> None:
    root = await make.admin()

    async def changed(*, dry: bool, fails: bool) -> None:
        async with audit.transaction(database, Viewer(root.id), "updateUser", dry_run=dry) as tx:
            await tx.rows(update(User).values(email="x@y"))
            assert not fails

    with pytest.raises(AssertionError):
        await changed(dry=False, fails=True)
    await changed(dry=True, fails=False)

    assert await events(database) == []
    assert await fetch(database, select(col(User.email))) == [(None,)]


async def test_an_event_that_cannot_be_written_takes_its_change_along(
    api: Api, make: Make, database: db.Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> Any:
        raise InvalidInput("no room", ())

    root, before = await make.admin(), await all_but_the_log(database)
    monkeypatch.setattr(audit.recorder, "_row", refuse)

    reply = await api(change("createRole"), as_=root, input={"name": "pilots"})

    assert codes(reply) == ["INVALID_INPUT"]
    assert await events(database) == []
    assert set((await all_but_the_log(database))["roles"]) == set(before["roles"])


async def test_it_tells_what_differs_before_and_after(api: Api, make: Make, database: db.Database) -> None:
    root, _ = await make.admin(), await make.user("ann", "user", details={"a": 1, "b": True})
    reef = await make.resource(await make.org("reef"), slug="corals", name="Corals")

    await _change(api, "setUserMetadata", root, user={"userName": "ANN"}, metadata={"a": 1.0, "b": 1})
    metadata = await _last_event(database)
    await _change(api, "updateUser", root, user={"userName": "ann"}, email="ann@b.example", roles=["user", "admin"])
    account = await _last_event(database)
    await _change(api, "updateResource", root, resource={"id": reef.node}, name="Reef", description="Corals")
    resource = await _last_event(database)

    assert metadata.changes == {
        "User ann": ({"metadata": {"a": 1, "b": True}}, {"metadata": {"a": 1.0, "b": 1}}),
    }
    assert orjson.dumps(metadata.changes["User ann"][1]) == b'{"metadata":{"a":1.0,"b":1}}'
    assert account.changes == {
        "User ann": (
            {"email": None, "roles": ["user"]},
            {"email": "ann@b.example", "roles": ["admin", "user"]},
        ),
    }
    assert resource.changes == {
        "Resource corals": ({"name": "Corals", "description": ""}, {"name": "Reef", "description": "Corals"}),
    }
    assert (account.actor_id, account.actor) == (root.id, "root")


async def test_what_was_made_has_no_before_and_what_was_deleted_no_after(
    api: Api, make: Make, database: db.Database
) -> None:
    root = await make.admin()

    await _change(api, "createRole", root, name="pilots", description="They fly.", permissions=["USERS_VIEW"])
    created = await _last_event(database)
    await _change(api, "deleteRole", root, role={"name": "pilots"})
    gone = await _last_event(database)

    pilots = {"name": "pilots", "description": "They fly.", "permissions": ["USERS_VIEW"]}
    assert (created.changes, gone.changes) == ({"Role pilots": (None, pilots)}, {"Role pilots": (pilots, None)})


async def test_a_grant_is_told_of_the_resource_and_of_whom_it_is_for(
    api: Api, make: Make, database: db.Database
) -> None:
    root, bob, group = await make.admin(), await make.user("bob"), await make.group("divers")
    reef = await make.resource(await make.org("reef"), slug="corals")
    await make.grant(reef, group)
    read = {"roles": ["METADATA_READ"], "expiresAt": None}
    admin = {"roles": ["METADATA_WRITE", "ADMIN"], "expiresAt": "2200-01-01T00:00:00.000000Z"}

    entry = {"user": {"id": bob.node}, "roles": ["ADMIN", "METADATA_WRITE"], "expiresAt": "2200-01-01T00:00:00Z"}
    general = {"roles": ["METADATA_READ", "DATASET_DATA_READ"]}
    await _change(
        api, "submitAccess", root, resource={"id": reef.node}, revision=1, general=general, groups=[], users=[entry]
    )

    assert (await _last_event(database)).changes == {
        "Resource corals": ({"access": {"group:divers": read}}, {"access": {"user:bob": admin}}),
        "Group divers": ({"access": {"reef/corals": read}}, {"access": {}}),
        "User bob": ({"access": {}}, {"access": {"reef/corals": admin}}),
    }


async def test_a_deletion_tells_of_all_that_it_reaches(api: Api, make: Make, database: db.Database) -> None:
    root, ann, bob = await make.admin(), await make.user("ann"), await make.user("bob")
    org, air, _ = await make.org("reef", ann), await make.org("air"), await make.group("divers", ann)
    reef = await make.resource(org, owner=ann, slug="corals")
    await make.member(air, ann)
    await make.grant(await make.resource(air, slug="winds"), ann)

    await _change(api, "deleteUser", root, user={"id": ann.node}, successor={"id": bob.node})
    event = await _last_event(database)

    read, member = {"roles": ["METADATA_READ"], "expiresAt": None}, {"level": "READ_WRITE", "expiresAt": None}
    belongs, owned = {"isManager": False, "expiresAt": None}, {"reef": org.node, "reef/corals": reef.node}
    assert event.changes.pop("User ann") == (
        {
            "userName": "ann",
            "displayName": None,
            "email": None,
            "metadata": {},
            "roles": [],
            "owns": owned,
            "orgs": {"air": member},
            "groups": {"divers": belongs},
            "access": {"air/winds": read},
        },
        None,
    )
    assert event.changes == {
        "User bob": ({"owns": {}}, {"owns": owned}),
        "Org reef": ({"owner": "ann"}, {"owner": "bob"}),
        "Org air": ({"members": {"ann": member}}, {"members": {}}),
        "Group divers": ({"members": {"ann": belongs}}, {"members": {}}),
        "Resource corals": ({"owner": "ann"}, {"owner": "bob"}),
        "Resource winds": ({"access": {"user:ann": read}}, {"access": {}}),
    }


async def test_a_user_who_deletes_their_own_account_is_named_in_the_event(
    api: Api, make: Make, database: db.Database
) -> None:
    root, _ = await make.admin(), await make.admin("other")

    await _change(api, "deleteUser", root, user={"id": root.node})

    event = await _last_event(database)
    assert (event.actor_id, event.actor, event.action) == (root.id, "root", "deleteUser")


async def test_an_event_has_its_channel_address_and_request(api: Api, make: Make, database: db.Database) -> None:
    root = await make.admin()

    for number, name in enumerate(("a-request.7", "", "x" * 129, "no spaces")):
        headers = {**api.headers(root), "x-request-id": name}
        await api.client.post("/users/roles", json={"roleName": f"role{number}"}, headers=headers)

    own, *created = [event.request_id for event in await events(database)]
    assert own == "a-request.7"
    assert all(re.fullmatch("[0-9a-f]{16}", str(each)) for each in created)
    assert {(event.channel, event.address) for event in await events(database)} == {("REST", "127.0.0.1")}


async def test_several_changes_in_one_request_are_several_events(api: Api, make: Make, database: db.Database) -> None:
    root = await make.admin()
    one = 'createRole(input: {{name: "{}"}}) {{ errors {{ code }} }}'

    await api(f"mutation {{ a: {one.format('x')} b: {one.format('X')} c: {one.format('z')} }}", as_=root)

    assert [sorted(event.changes) for event in await events(database)] == [["Role x"], ["Role z"]]


async def test_no_secret_is_ever_written(api: Api, make: Make, database: db.Database) -> None:
    root, ann = await make.admin(), await make.user("ann")
    words = [PASSWORD, *(f"the {word} word of many letters" for word in ("first", "second", "third", "fourth"))]
    reef = await make.resource(await make.org("reef", ann), owner=ann, slug="corals")
    session = await _change(api, "login", None, "session { token }", userName="ann", password=PASSWORD)
    tokens = [session["session"]["token"], api.token(ann), api.token(root)]
    changed = await _change(api, "changePassword", ann, "session { token }", oldPassword=PASSWORD, newPassword=words[1])
    await _change(api, "resetPassword", root, user={"id": ann.node}, newPassword=words[2])
    await _change(api, "createUser", root, userName="bob", password=words[3])
    await _change(api, "createUsers", root, users=[{"userName": "eve", "password": words[4]}])
    upload = await _change(api, "beginUpload", root, "token ticket { id }", resource={"id": reef.node}, sizeBytes=7)
    download = await _change(api, "beginDownload", root, "token ticket { id }", resource={"id": reef.node})
    await _change(api, "finishUpload", root, ticket=upload["ticket"]["id"], sizeBytes=7)
    assert codes(await api(LOGOUT, as_=root)) == []

    rows = [await fetch(database, select(table.__table__)) for table in TABLES]
    written = repr(rows)
    hashes = [row[0] for row in await fetch(database, select(col(User.password_hash)))]
    keys = [row[0] for row in await fetch(database, select(col(Ticket.key)))]
    ended = [row[0] for row in await fetch(database, select(col(RevokedToken.jti)))]
    secrets = [*words, *tokens, changed["session"]["token"], upload["token"], download["token"]]
    secrets += [part for token in tokens for part in token.split(".")[1:]]
    assert [secret for secret in [*secrets, *hashes, *keys, *ended] if secret in written] == []
    assert "argon2" not in written
    assert len(hashes) + len(keys) + len(ended) == 7


async def test_a_large_change_is_kept_as_far_as_there_is_room(api: Api, make: Make, database: db.Database) -> None:
    root, _ = await make.admin(), await make.user("ann")
    metadata = {"text": "x" * (audit.MAX_CHANGE - 20)}

    await _change(api, "setUserMetadata", root, user={"userName": "ann"}, metadata=metadata)
    complete = await _last_event(database)
    metadata["text"] += "y" * 30
    await _change(api, "setUserMetadata", root, user={"userName": "ann"}, metadata={**metadata, "roles": ["user"]})
    cut = await _last_event(database)

    assert complete.changes["User ann"][1]["metadata"]["text"] == "x" * (audit.MAX_CHANGE - 20)
    assert cut.changes["User ann"][1] == {"truncated": True, "roles": ["user"]}
    assert cut.changes["User ann"][0]["roles"] == []


async def test_a_bulk_change_is_one_event_and_takes_no_more_statements_for_many_than_for_one(
    api: Api, make: Make, database: db.Database
) -> None:
    root, group = await make.admin(), await make.group("divers")
    people = await make.users([f"member{at}" for at in range(40)])

    async def added(some: list[Person]) -> int:
        members = [{"user": {"id": person.node}} for person in some]
        data = {"group": {"id": group.node}, "members": members}
        return await api.statements(change("addGroupMembers"), as_=root, input=data)

    async def created(name: str, number: int) -> int:
        data = {"users": [{"userName": f"{name}{at}"} for at in range(number)]}
        return await api.statements(change("createUsers"), as_=root, input=data)

    assert [await added(people[:1]), await created("a", 1)] == [await added(people[1:]), await created("b", 40)]
    assert [len(event.changes) for event in await events(database)] == [2, 1, 40, 40]


async def test_events_of_two_concurrent_writers_stay_apart(
    api: Api, make: Make, database: db.Database, settings: Settings
) -> None:
    """Each event has the state before and after, so the events of an object form a chain."""
    root, other = await make.admin(), await make.admin("other")
    reef = await make.resource(await make.org("reef"), slug="corals", name="0")
    update_ = change("updateResource")

    async with another(settings) as second:
        calls = [(api, root), (second, other)]
        replies = await asyncio.gather(
            *(
                call(update_, as_=person, input={"resource": {"id": reef.node}, "name": f"{person.user_name} {at}"})
                for at in range(6)
                for call, person in calls
            )
        )

    assert [code for reply in replies for code in codes(reply)] == []
    events_by_name = {event.changes["Resource corals"][0]["name"]: event for event in await events(database)}
    assert len(events_by_name) == 12
    name = "0"
    for _ in range(12):
        event = events_by_name.pop(name)
        name = event.changes["Resource corals"][1]["name"]
        assert name.startswith(f"{event.actor} ")


async def test_what_happens_at_the_same_moment_is_not_told_of_a_sign_in(
    api: Api, make: Make, database: db.Database
) -> None:
    root, ann = await make.admin(), await make.user("ann")

    await asyncio.gather(
        _change(api, "login", None, userName="ann", password=PASSWORD),
        _change(api, "setUserMetadata", root, user={"id": ann.node}, metadata={"a": 1}),
    )

    by_action = {event.action: event for event in await events(database)}
    assert list(by_action["login"].changes["User ann"][1]) == ["lastLoginAt"]
    assert by_action["setUserMetadata"].changes["User ann"][1] == {"metadata": {"a": 1}}


async def test_a_sign_in_is_recorded_with_the_moment_of_the_one_before(
    api: Api, make: Make, database: db.Database
) -> None:
    await make.user("ann")

    for _ in range(2):
        await _change(api, "login", None, userName="ann", password=PASSWORD)

    first, second = (event.changes["User ann"] for event in await events(database))
    assert first[0] == {"lastLoginAt": None}
    assert second[0] == first[1]
    assert second[1] != first[1]


async def test_a_wrong_password_writes_nothing(api: Api, make: Make, database: db.Database) -> None:
    await make.user("ann")

    async with logged(database) as since:
        for name in ("ann", "nobody"):
            assert codes(await api(change("login"), input={"userName": name, "password": "x"})) == ["UNAUTHENTICATED"]

    assert since.events == []
