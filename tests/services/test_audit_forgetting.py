"""Claims about the erasure of a deleted user: no personal data is left, and nothing of others is lost."""

import re
from typing import Any

import pytest
from sqlalchemy import update

from app import db
from app.db.tables import AuditEvent, col
from app.domain import refs
from app.domain.errors import OstiaryError
from app.services.audit.forgetting import Forgotten, forget
from app.services.audit.pruning import LogDiffers
from app.services.audit.sealing import seal_all
from app.services.audit.verification import verify
from tests.support.changes import answered, change
from tests.support.client import Api
from tests.support.factories import PASSWORD, Make, Person, everything, stored_person
from tests.support.logged import Event, events
from tests.support.truncate import unguarded

FIRST_EMAIL, EMAIL = "anna.first@reef.example", "Anna.Later@reef.example"
DISPLAY_NAME, TELEPHONE = "Anna Quillfeather", "+49 551 4711"
ADDRESS = "203.0.113.77"


def ignore(*_: object) -> None:
    """Report nothing."""


async def _change(api: Api, name: str, as_: Person | None, /, **data: Any) -> Any:
    return answered(await api(change(name), as_=as_, input=data), name)


async def _create(api: Api, root: Person, database: db.Database, name: str, email: str) -> Person:
    await _change(api, "createUser", root, userName=name, password=PASSWORD, email=email)
    return await stored_person(database, name)


async def _forget(make: Make, user: str) -> Forgotten:
    return await forget(make.app.database, make.app.seal_key, user, ignore)


async def _is_verified(make: Make) -> bool:
    return (await verify(make.app.database, make.app.seal_key, ignore)).problem is None


@pytest.fixture
async def anna(api: Api, make: Make, database: db.Database) -> Person:
    """A deleted user who did much and to whom much was done."""
    root = await make.admin()
    group, org = await make.group("divers"), await make.org("reef")
    corals = await make.resource(org, slug="corals")
    user = await _create(api, root, database, "anna", FIRST_EMAIL)
    by = {"id": user.node}
    await _change(api, "updateUser", root, user=by, email=EMAIL, displayName=DISPLAY_NAME)
    await _change(api, "setUserMetadata", root, user=by, metadata={"telephone": TELEPHONE})
    await _change(api, "addGroupMembers", root, group={"id": group.node}, members=[{"user": by}])
    await _change(api, "addOrgMember", root, org={"id": org.node}, user=by, level="ADMIN")
    await _change(api, "transferResource", root, resource={"id": corals.node}, owner=by)
    entries = {"general": {"roles": ["METADATA_READ"]}, "users": [{"user": by, "roles": ["ADMIN"]}]}
    await _change(api, "submitAccess", root, resource={"id": corals.node}, revision=1, **entries)
    entries["groups"] = [{"group": {"id": group.node}, "roles": ["METADATA_READ"]}]
    await _change(api, "submitAccess", user, resource={"id": corals.node}, revision=2, **entries)
    await _change(api, "lockResource", user, resource={"id": corals.node}, reason="It is mine.")
    await _change(api, "unlockResource", root, resource={"id": corals.node}, reason="It is done.")
    await _change(api, "createApiToken", user, name="script")
    async with database.write() as tx, unguarded(database, tx):
        await tx.rows(update(AuditEvent).where(col(AuditEvent.actor_id) == user.id).values(address=ADDRESS))
    await _change(api, "deleteUser", root, user=by)
    return user


async def _left(database: db.Database) -> dict[str, str]:
    """Return every stored row as text, by table, without the seals."""
    rows = await everything(database)
    return {name: repr(each) for name, each in rows.items() if name not in {"audit_seals", "mutation_keys"}}


PERSONAL = [FIRST_EMAIL, EMAIL, DISPLAY_NAME, TELEPHONE, ADDRESS, "anna"]


async def test_no_personal_data_is_left_anywhere(anna: Person, make: Make, database: db.Database) -> None:
    before = await events(database)
    text = "".join((await _left(database)).values())
    assert [each for each in PERSONAL if each not in text] == [], "else the test shows nothing"

    forgotten = await _forget(make, "ANNA")

    left = await _left(database)
    pattern = re.compile("|".join(map(re.escape, PERSONAL)), re.IGNORECASE)
    assert {name: pattern.findall(each) for name, each in left.items() if pattern.search(each)} == {}
    after = await events(database)
    assert [(event.id, event.action) for event in after[:-1]] == [(event.id, event.action) for event in before]
    assert after[-1].action == "forgetUser"
    assert after[-1].changes == {f"User {forgotten.pseudonym}": ({}, {"forgotten": True, "events": forgotten.events})}
    assert await _is_verified(make)


async def test_what_others_did_and_are_stays(anna: Person, make: Make, database: db.Database) -> None:
    before = await events(database)

    name = (await _forget(make, anna.node)).pseudonym

    def mapped(event: Event) -> Any:
        text = repr((event.actor, event.channel, event.action, sorted(event.changes.items(), key=repr)))
        return re.sub(rf"{re.escape(name)}|anna", "X", text)

    personal = re.compile("displayName|email|metadata")
    for old, new in zip(before, await events(database), strict=False):
        if not personal.search(repr(old.changes)):
            assert mapped(new) == mapped(old)
        assert (old.address == new.address) or old.actor_id == anna.id


async def test_a_later_user_of_the_same_name_keeps_it(
    anna: Person, api: Api, make: Make, database: db.Database
) -> None:
    root = await make.admin("second")
    other = await _create(api, root, database, "Anna", "other@reef.example")
    group = await make.group("sailors")
    await _change(api, "addGroupMembers", root, group={"id": group.node}, members=[{"user": {"id": other.node}}])
    before = (await events(database))[-2:]

    await _forget(make, "anna")

    assert (await events(database))[-3:-1] == before
    assert "anna" in repr(before[-1].changes).casefold()
    assert (await stored_person(database, "anna")).id == other.id


async def test_a_renamed_user_is_erased_under_each_name(api: Api, make: Make, database: db.Database) -> None:
    root = await make.admin()
    user = await _create(api, root, database, "bertha", "bertha@reef.example")
    group = await make.group("divers")
    await _change(api, "addGroupMembers", root, group={"id": group.node}, members=[{"user": {"id": user.node}}])
    await _change(api, "renameUser", root, user={"id": user.node}, userName="cecilia")
    await _change(api, "removeGroupMembers", root, group={"id": group.node}, members=[{"id": user.node}])
    await _create(api, root, database, "bertha", "new@reef.example")
    await _change(api, "deleteUser", root, user={"id": user.node})

    await _forget(make, user.node)

    text = repr([event.changes for event in await events(database)])
    assert re.findall("cecilia|bertha@", text) == []
    assert "new@reef.example" in text
    assert text.count("bertha") == len(re.findall("User bertha|'userName': 'bertha'", text)) == 2


async def test_only_a_deleted_user_of_the_log_is_erased(
    anna: Person, api: Api, make: Make, database: db.Database
) -> None:
    root = await make.admin("second")
    present = await _create(api, root, database, "dora", "dora@reef.example")
    again = await _create(api, root, database, "anna", "again@reef.example")
    await _change(api, "deleteUser", root, user={"id": again.node})
    ids = ", ".join(sorted([anna.node, again.node], key=lambda each: refs.key_of("User", each) or 0))
    refused = {
        "dora": "still has an account",
        present.node: "still has an account",
        "nemo": "the audit log has no user nemo",
        refs.encode("User", 10**9): "the audit log has no user",
        refs.encode("Group", 1): "the audit log has no user",
        "anna": f"name one by id: {ids}",
    }
    await seal_all(database, make.app.seal_key)
    before = await everything(database)

    for user, problem in refused.items():
        with pytest.raises(OstiaryError, match=re.escape(problem)):
            await _forget(make, user)

    assert await everything(database) == before


async def test_a_log_that_was_tampered_with_is_not_rewritten(anna: Person, make: Make, database: db.Database) -> None:
    await seal_all(database, make.app.seal_key)
    async with database.write() as tx, unguarded(database, tx):
        await tx.rows(update(AuditEvent).where(col(AuditEvent.action) == "lockResource").values(action="login"))
    before = await everything(database)

    with pytest.raises(LogDiffers, match="was changed"):
        await _forget(make, "anna")

    assert await everything(database) == before


async def test_erasing_again_changes_nothing_more(anna: Person, make: Make, database: db.Database) -> None:
    first = await _forget(make, "anna")
    before = await events(database)

    second = await _forget(make, anna.node)

    assert first.pseudonym == second.pseudonym
    assert (await events(database))[: len(before)] == before
    assert await _is_verified(make)
