"""Claims about the number of groups and users on one resource: every way to add an entry has the same limit."""

from typing import Any

import pytest

from app import db
from app.services import grants
from tests.services.state.documents import faults
from tests.services.test_access import BATCH, GRANT, PREVIEW, REVOKE, SUBMIT, of, roles
from tests.support.changes import answered, problems, unchanged
from tests.support.client import Api
from tests.support.factories import Entity, Make, Person

LIMIT = 3


@pytest.fixture(autouse=True)
def _limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(grants, "MAX_ENTRIES", LIMIT)


async def _full(make: Make, number: int = LIMIT) -> tuple[Person, Entity, list[Person]]:
    """Return the owner of a resource with entries of `number` users, and these users with one more."""
    owner = await make.user("owner")
    people = await make.users([f"person{at}" for at in range(number + 1)])
    reef = await make.resource(await make.org("org", owner), owner=owner, slug="reef")
    for person in people[:number]:
        await make.grant(reef, person)
    return owner, reef, people


def _users(*people: Person) -> list[dict[str, Any]]:
    return [{"user": {"userName": person.user_name}, **roles("METADATA_READ")} for person in people]


def _subject(person: Person) -> dict[str, Any]:
    return {"user": {"userName": person.user_name}}


async def test_one_more_is_refused_in_every_way(api: Api, make: Make, database: db.Database) -> None:
    owner, reef, people = await _full(make)
    one_more, write = {"subject": _subject(people[-1])}, roles("METADATA_WRITE")
    whole = of(reef, general=roles(), users=_users(*people))
    async with unchanged(database):
        submitted = await api(SUBMIT, as_=owner, input={**whole, "revision": 1})
        previewed = await api(PREVIEW, as_=owner, input={**whole, "revision": 1})
        granted = await api(GRANT, as_=owner, input=of(reef, **one_more, **write))
        entries = [of(reef, subject=_subject(people[0]), **write), of(reef, **one_more, **write)]
        batch = await api(BATCH, as_=owner, input={"grants": entries, "onConflict": "UPDATE"})

    assert problems(submitted) == {"INVALID_INPUT input.users"}
    assert problems(previewed) == {"INVALID_INPUT input.users"}
    assert problems(granted) == {"INVALID_INPUT input.subject"}
    assert problems(batch) == {"INVALID_INPUT input.grants.1.subject"}
    lines = [
        "version: 1",
        "resources:",
        "  - org: org",
        "    slug: reef",
        "    grants:",
        "      users:",
        "        - user: %s",
    ]
    document = "\n".join([*lines, "          roles: []"])
    assert await faults(database, document % people[0].user_name) == []
    (fault,) = await faults(database, document % people[-1].user_name)
    assert "resources[0].grants.users[0]: A configuration has at most 3 groups and users, not 4." in fault


async def test_a_batch_counts_each_resource(api: Api, make: Make) -> None:
    owner, reef, people = await _full(make, LIMIT - 1)
    other = await make.resource(await make.org("elsewhere", owner), owner=owner)
    divers = await make.group("divers")
    subjects = [_subject(people[-1]), {"group": {"slug": divers.slug}}]
    entries = [of(each, subject=subject, **roles()) for each in (reef, other) for subject in subjects]

    assert problems(await api(BATCH, as_=owner, input={"grants": entries})) == {"INVALID_INPUT input.grants.1.subject"}
    answered(await api(BATCH, as_=owner, input={"grants": [entries[0], *entries[2:]]}), "grantAccessBatch")


async def test_the_entries_of_all_users_do_not_count(api: Api, make: Make) -> None:
    owner, reef, _ = await _full(make)
    everyone: list[dict[str, Any]] = [{"general": True}, {"anyone": True}]
    entries = [of(reef, subject=subject, **roles("METADATA_READ")) for subject in everyone]

    answered(await api(GRANT, as_=owner, input=entries[1]), "grantAccess")
    answered(await api(BATCH, as_=owner, input={"grants": entries, "onConflict": "UPDATE"}), "grantAccessBatch")


async def test_too_many_from_before_can_be_changed_and_reduced(api: Api, make: Make) -> None:
    owner, reef, people = await _full(make, LIMIT + 2)
    stored = _users(*people[:-1])
    again = of(reef, general=roles(), users=[{**each, **roles("METADATA_WRITE")} for each in stored], revision=1)

    assert problems(await api(REVOKE, as_=owner, input=of(reef, subject=_subject(people[-1])))) == {
        "NOT_FOUND input.subject"
    }
    answered(await api(SUBMIT, as_=owner, input=again), "submitAccess")
    first = of(reef, subject=_subject(people[0]))
    answered(await api(GRANT, as_=owner, input={**first, **roles("METADATA_READ")}), "grantAccess")
    answered(await api(REVOKE, as_=owner, input=first), "revokeAccess")
