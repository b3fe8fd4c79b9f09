"""Claims about the audit events of commands."""

import asyncio

from app import administration, db
from app.config import Settings
from tests.support.logged import Event, events


def _events(settings: Settings) -> list[Event]:
    async def read() -> list[Event]:
        database = await db.open_database(settings.database_url)
        try:
            return await events(database)
        finally:
            await database.close()

    return asyncio.run(read())


def test_a_command_writes_one_event_and_one_that_changes_nothing_none(settings: Settings) -> None:
    administration.prepare(settings)
    administration.prepare(settings)
    administration.fill(settings)
    administration.reindex(settings, lambda _, __: None)

    events = _events(settings)
    own = [event for event in events if event.actor is None]
    assert [event.action for event in own] == ["createUser", "demo", "reindex"]
    assert {(event.actor_id, event.channel, event.address) for event in own} == {(None, "COMMAND", None)}
    assert [event.kinds for event in own] == [["User"], ["ResourceType", "Role", "User"], []]
    assert own[0].changes["User admin"][1]["roles"] == ["admin"]


def test_the_demo_has_two_years_of_events_by_those_who_did_it(settings: Settings) -> None:
    administration.prepare(settings)
    administration.fill(settings)

    events = [event for event in _events(settings) if event.actor is not None]
    assert {event.action for event in events} == {
        "addGroupMembers",
        "addOrgMember",
        "createGroup",
        "createOrg",
        "createResource",
        "finishUpload",
        "lockResource",
        "updateGroupMember",
        "submitAccess",
        "unlockResource",
        "updateResource",
    }
    assert sum(event.action == "createResource" for event in events) == 300
    assert all(event.changes for event in events)
