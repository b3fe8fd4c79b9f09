"""Claims about bulk changes: what happens to entries whose object exists or is missing, and what a change costs."""

import dataclasses
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest

from app import db
from app.domain import resource_roles
from app.domain.resource_roles import MemberLevel
from app.domain.viewer import Permission
from tests.support.changes import answered, change, problems, unchanged
from tests.support.client import Api, codes
from tests.support.factories import Entity, Make, Person, stale
from tests.support.logged import events

SHOWS = "results { index status errors { code path } }"
READ, WRITE = ["METADATA_READ"], ["METADATA_WRITE"]


@dataclass(frozen=True)
class Form:
    """A bulk change that creates: its list, an entry by number, and the values that differ from it."""

    field: str
    entry: Callable[[int], dict[str, Any]]
    changed: dict[str, Any]
    more: dict[str, Any] = dataclasses.field(default_factory=dict)


def _named(number: int) -> dict[str, Any]:
    return {"user": {"userName": f"user{number}"}}


SAVING = {
    "createUsers": Form(
        "users", lambda number: {"userName": f"new{number}", "email": f"{number}@a.example"}, {"email": "x@b.example"}
    ),
    "createGroups": Form("groups", lambda number: {"slug": f"new{number}", "displayName": "New"}, {"description": "x"}),
    "createOrgs": Form("orgs", lambda number: {"slug": f"new{number}", "name": "New"}, {"isPublic": True}),
    "createResources": Form(
        "resources",
        lambda number: {"org": {"slug": "reef"}, "type": "DATASET", "slug": f"new{number}", "name": "New"},
        {"metadata": {"a": 1}},
    ),
    "addGroupMembers": Form("members", _named, {"expiresAt": "2999-01-01T00:00:00Z"}, {"group": {"slug": "pilots"}}),
    "addOrgMembers": Form("members", _named, {"level": "ADMIN"}, {"org": {"slug": "reef"}}),
    "grantAccessBatch": Form(
        "grants",
        lambda number: {
            "resource": {"path": {"orgSlug": "reef", "slug": "corals"}},
            "subject": {"user": {"userName": f"user{number}"}},
            "roles": READ,
        },
        {"roles": WRITE},
    ),
}

Removal = tuple[str, Callable[[int], dict[str, Any]], dict[str, Any]]
"""The list of a bulk change that removes, an entry by number, and the rest of the input."""

REMOVING: dict[str, Removal] = {
    "deleteUsers": ("users", lambda number: {"userName": f"new{number}"}, {}),
    "deleteGroups": ("groups", lambda number: {"slug": f"new{number}"}, {}),
    "deleteResources": (
        "resources",
        lambda number: {"path": {"orgSlug": "reef", "slug": f"new{number}"}},
        {},
    ),
    "removeGroupMembers": ("members", lambda number: {"userName": f"user{number}"}, {"group": {"slug": "pilots"}}),
    "removeOrgMembers": ("members", lambda number: {"userName": f"user{number}"}, {"org": {"slug": "reef"}}),
    "revokeAccessBatch": (
        "grants",
        lambda number: {key: SAVING["grantAccessBatch"].entry(number)[key] for key in ("resource", "subject")},
        {},
    ),
}
ADDS_FOR = {
    "deleteUsers": "createUsers",
    "deleteGroups": "createGroups",
    "deleteResources": "createResources",
    "removeGroupMembers": "addGroupMembers",
    "removeOrgMembers": "addOrgMembers",
    "revokeAccessBatch": "grantAccessBatch",
}


async def _world(make: Make, users: int = 0) -> Person:
    """Create what the entries refer to, and return the administrator."""
    root = await make.admin()
    await make.resource(await make.org("reef"), slug="corals")
    await make.group("pilots")
    await make.users([f"user{number}" for number in range(users)])
    return root


Send = Callable[..., Awaitable[dict[str, Any]]]


def _sender(api: Api, as_: Person, name: str) -> Send:
    """Return a function that sends entries of one bulk change that creates."""
    form = SAVING[name]

    async def send(entries: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
        return await api(change(name, SHOWS), as_=as_, input={form.field: entries, **form.more, **more})

    return send


def _statuses(reply: dict[str, Any], name: str) -> list[Any]:
    return [result["status"] for result in answered(reply, name)["results"]]


@pytest.mark.parametrize("name", SAVING)
async def test_entries_are_created_updated_unchanged_or_skipped(
    api: Api, make: Make, database: db.Database, name: str
) -> None:
    form, send = SAVING[name], _sender(api, await _world(make, 3), name)
    first, second, third = map(form.entry, range(3))

    assert _statuses(await send([first, second], onConflict="FAIL"), name) == ["CREATED", "CREATED"]
    async with unchanged(database):
        refused = await send([first, third], onConflict="FAIL")
        assert [status["status"] for status in refused["data"][name]["results"]] == [None, None]
        assert {*codes(refused)} == {"CONFLICT"}
        assert _statuses(await send([first, second], onConflict="SKIP"), name) == ["SKIPPED"] * 2
        assert _statuses(await send([second, first], onConflict="UPDATE"), name) == ["UNCHANGED"] * 2
        assert _statuses(await send([first | form.changed], onConflict="SKIP"), name) == ["SKIPPED"]
    before = len(await events(database))
    reply = await send([first | form.changed, second, third], onConflict="UPDATE")
    assert _statuses(reply, name) == ["UPDATED", "UNCHANGED", "CREATED"]
    assert len(await events(database)) == before + 1
    async with unchanged(database):
        again = await send([first | form.changed, second, third], onConflict="UPDATE")
        assert _statuses(again, name) == ["UNCHANGED"] * 3
    reply = await send([form.entry(1)], onConflict="SKIP")
    assert _statuses(reply, name) == ["SKIPPED"]


@pytest.mark.parametrize("mode", ["FAIL", "SKIP", "UPDATE"])
@pytest.mark.parametrize("name", SAVING)
async def test_an_object_is_listed_once(api: Api, make: Make, database: db.Database, name: str, mode: str) -> None:
    form, send = SAVING[name], _sender(api, await _world(make, 2), name)
    await send([form.entry(0)])

    async with unchanged(database):
        for number in (0, 1):
            reply = await send([form.entry(number), form.entry(number) | form.changed], onConflict=mode)
            assert [bool(result["errors"]) for result in reply["data"][name]["results"]][1], reply


@pytest.mark.parametrize("name", SAVING)
async def test_a_trial_writes_nothing_and_tells_no_status(
    api: Api, make: Make, database: db.Database, name: str
) -> None:
    form, send = SAVING[name], _sender(api, await _world(make, 2), name)

    async with unchanged(database):
        assert _statuses(await send([form.entry(0), form.entry(1)], validateOnly=True), name) == [None, None]


@pytest.mark.parametrize("mode", ["SKIP", "UPDATE"])
@pytest.mark.parametrize("name", SAVING)
async def test_the_number_of_statements_does_not_depend_on_the_number_of_entries(
    api: Api, make: Make, name: str, mode: str
) -> None:
    root, form = await _world(make, 260), SAVING[name]

    async def statements(numbers: range, **changed: Any) -> int:
        entries = [form.entry(number) | changed for number in numbers]
        if "email" in changed:
            entries = [entry | {"email": f"x{entry['email']}"} for entry in entries]
        variables = {form.field: entries, **form.more, "onConflict": mode}
        return await api.statements(change(name, SHOWS), root, input=variables)

    await statements(range(3))
    assert await statements(range(3, 6)) == await statements(range(6, 206))
    assert await statements(range(3)) == await statements(range(3, 203))
    if mode == "UPDATE":
        await statements(range(3), **form.changed)
        assert await statements(range(6, 9), **form.changed) == await statements(range(9, 200), **form.changed)


@pytest.mark.parametrize("name", REMOVING)
async def test_missing_entries_of_a_removal_fail_or_are_skipped(
    api: Api, make: Make, database: db.Database, name: str
) -> None:
    root = await _world(make, 3)
    list_name, entry, more = REMOVING[name]
    form = SAVING[ADDS_FOR[name]]
    await _sender(api, root, ADDS_FOR[name])([form.entry(0), form.entry(1)])

    async def send(*numbers: int, **options: Any) -> dict[str, Any]:
        variables = {list_name: [entry(number) for number in numbers], **more, **options}
        return await api(change(name, SHOWS), as_=root, input=variables)

    async with unchanged(database):
        reply = await send(0, 7)
        assert [len(result["errors"]) for result in reply["data"][name]["results"]] == [0, 1]
        assert codes(reply) == ["NOT_FOUND"]
        assert codes(await send(0, 0)) == codes(await send(0, 0, onMissing="SKIP")) == ["CONFLICT"]
        assert _statuses(await send(0, validateOnly=True), name) == [None]
        assert _statuses(await send(7, 8, onMissing="SKIP"), name) == ["SKIPPED"] * 2
    assert _statuses(await send(0, 7, 1, onMissing="SKIP"), name) == ["REMOVED", "SKIPPED", "REMOVED"]
    async with unchanged(database):
        assert _statuses(await send(0, 1, onMissing="SKIP"), name) == ["SKIPPED"] * 2


@pytest.mark.parametrize("name", REMOVING)
async def test_a_removal_costs_the_same_for_few_entries_and_for_many(api: Api, make: Make, name: str) -> None:
    root = await _world(make, 206)
    list_name, entry, more = REMOVING[name]
    form = SAVING[ADDS_FOR[name]]
    answered(await _sender(api, root, ADDS_FOR[name])([*map(form.entry, range(206))]), ADDS_FOR[name])

    async def statements(numbers: range) -> int:
        return await api.statements(change(name, SHOWS), root, input={list_name: [*map(entry, numbers)], **more})

    assert await statements(range(3)) == await statements(range(3, 203))


async def test_the_list_must_have_1_to_1000_entries(api: Api, make: Make) -> None:
    root = await _world(make)
    for name, form in SAVING.items():
        send = _sender(api, root, name)
        for number in (0, 1_001):
            reply = await send([form.entry(each) for each in range(number)])
            assert problems(reply) == {f"INVALID_INPUT input.{form.field}"}, name
            assert reply["data"][name]["results"] == []


async def test_an_update_keeps_what_is_not_given(api: Api, make: Make) -> None:
    root = await _world(make)
    created: dict[str, dict[str, Any]] = {
        "createUsers": {"userName": "new", "email": "a@b.example", "roles": [], "metadata": {"a": 1}},
        "createGroups": {"slug": "new", "displayName": "A", "description": "B", "membersSeenBy": "SIGNED_IN"},
        "createOrgs": {"slug": "new", "name": "A", "description": "B", "isPublic": True},
    }
    kept = {
        "createUsers": "user { userName email roles { name } metadata }",
        "createGroups": "group { slug displayName description membersSeenBy }",
        "createOrgs": "org { slug name description isPublic }",
    }
    for name, entry in created.items():
        text, list_name = change(name, f"results {{ status {kept[name]} }}"), SAVING[name].field
        before = answered(await api(text, as_=root, input={list_name: [entry]}), name)["results"][0]
        required = {key: entry[key] for key in ("userName", "slug", "displayName", "name") if key in entry}
        again = {list_name: [required], "onConflict": "UPDATE"}
        after = answered(await api(text, as_=root, input=again), name)["results"][0]
        assert after == before | {"status": "UNCHANGED"}


async def test_roles_metadata_and_exchanged_addresses_of_users_are_updated(api: Api, make: Make) -> None:
    root = await make.admin()
    await make.role("editor")
    text = change("createUsers", "results { status user { userName email roles { name } metadata } }")

    async def send(*users: dict[str, Any]) -> list[Any]:
        reply = await api(text, as_=root, input={"users": users, "onConflict": "UPDATE"})
        return [
            (each["status"], each["user"]["email"], [role["name"] for role in each["user"]["roles"]])
            for each in answered(reply, "createUsers")["results"]
        ]

    one, two = {"userName": "one", "email": "1@b.example"}, {"userName": "two", "email": "2@b.example"}
    assert await send(one, two) == [("CREATED", "1@b.example", ["user"]), ("CREATED", "2@b.example", ["user"])]
    exchanged = {"email": "2@b.example", "roles": ["Editor"]}, {"email": "1@b.example", "metadata": {"roles": ["new"]}}
    assert await send(one | exchanged[0], two | exchanged[1]) == [
        ("UPDATED", "2@b.example", ["editor"]),
        ("UPDATED", "1@b.example", ["new"]),
    ]
    assert await send(one | {"email": ""}, {"userName": "three", "email": "2@b.example"}) == [
        ("UPDATED", None, ["editor"]),
        ("CREATED", "2@b.example", ["user"]),
    ]


async def test_an_update_tells_no_more_than_a_conflict_of_what_the_viewer_may_not_change(
    api: Api, make: Make, database: db.Database
) -> None:
    creator = await make.holder(Permission.ORGS_CREATE | Permission.USERS_MANAGE)
    await make.org("hidden", await make.admin())
    await make.user("chief", "admin")
    org = await make.org("reef")
    await make.member(org, creator)
    seen = await make.org("seen", is_public=True)
    await make.resource(seen, slug="corals", general=resource_roles.METADATA_READ)

    async with unchanged(database):
        for name, entry in {
            "createOrgs": {"slug": "hidden", "name": "New"},
            "createUsers": {"userName": "chief", "email": "new@b.example", "roles": []},
        }.items():
            replies = [
                await api(change(name, SHOWS), as_=creator, input={SAVING[name].field: [entry], "onConflict": mode})
                for mode in ("FAIL", "UPDATE")
            ]
            assert replies[0] == replies[1]
            assert codes(replies[0]) == ["CONFLICT"]
        entry = {"org": {"slug": "seen"}, "type": "DATASET", "slug": "corals", "name": "New"}
        reply = await api(
            change("createResources", SHOWS), as_=creator, input={"resources": [entry], "onConflict": "UPDATE"}
        )
        assert codes(reply) == ["CONFLICT"]


async def test_a_resource_is_updated_by_its_writers_unless_it_is_locked(
    api: Api, make: Make, database: db.Database
) -> None:
    writer, org = await make.user(), await make.org("reef", is_public=True)
    corals = await make.resource(org, slug="corals", name="Corals")
    await make.grant(corals, writer, resource_roles.METADATA_WRITE)
    entry = {"org": {"slug": "reef"}, "type": "DATASET", "slug": "corals", "name": "New"}

    async def send(**changed: Any) -> dict[str, Any]:
        variables = {"resources": [entry | changed], "onConflict": "UPDATE"}
        return await api(change("createResources", SHOWS), as_=writer, input=variables)

    assert _statuses(await send(), "createResources") == ["UPDATED"]
    assert problems(await send(type="MODEL")) == {"CONFLICT input.resources.0.type"}
    assert codes(await send(slug="other")) == ["FORBIDDEN"]
    await make.locked(corals)
    async with unchanged(database):
        assert _statuses(await send(), "createResources") == ["UNCHANGED"]
        assert problems(await send(name="Newer")) == {"LOCKED input.resources.0"}


async def test_many_grants_are_set_on_many_resources_at_once(api: Api, make: Make, database: db.Database) -> None:
    root, org = await make.admin(), await make.org()
    resources = [await make.resource(org) for _ in range(3)]
    group = await make.group("pilots")
    await make.grant(resources[0], group, resource_roles.METADATA_READ, database.clock() - timedelta(days=1))

    def entry(resource: Entity, **subject: Any) -> dict[str, Any]:
        return {"resource": {"id": resource.node}, "subject": subject, "roles": READ}

    grants = [entry(each, group={"slug": "pilots"}) for each in resources]
    grants.append(entry(resources[0], general=True))
    text = change("grantAccessBatch", "results { status resource { access { revision } } }")
    results = answered(await api(text, as_=root, input={"grants": grants}), "grantAccessBatch")["results"]

    assert [each["status"] for each in results] == ["CREATED"] * 3 + ["UPDATED"]
    assert await stale(database) == set()
    text = change("revokeAccessBatch", SHOWS)
    entries = [{key: value for key, value in each.items() if key != "roles"} for each in grants]
    assert _statuses(await api(text, as_=root, input={"grants": entries}), "revokeAccessBatch") == ["REMOVED"] * 4
    more = {"grants": entries, "onMissing": "SKIP"}
    async with unchanged(database):
        statuses = _statuses(await api(text, as_=root, input=more), "revokeAccessBatch")
        assert statuses == ["SKIPPED"] * 3 + ["UNCHANGED"]


async def test_a_member_of_an_org_removes_themselves_alone(api: Api, make: Make, database: db.Database) -> None:
    ann, ben, org = await make.user("ann"), await make.user("ben"), await make.org("reef")
    await make.member(org, ann, MemberLevel.READ_ONLY)
    await make.member(org, ben)

    async def send(*names: str) -> dict[str, Any]:
        members = [{"userName": name} for name in names]
        return await api(
            change("removeOrgMembers", SHOWS), as_=ann, input={"org": {"slug": "reef"}, "members": members}
        )

    async with unchanged(database):
        assert (
            codes(await send("ben")) == codes(await send("ann", "ben")) == codes(await send("ghost")) == ["FORBIDDEN"]
        )
    assert _statuses(await send("ann"), "removeOrgMembers") == ["REMOVED"]


async def test_one_administrator_remains(api: Api, make: Make, database: db.Database) -> None:
    root, other = await make.admin(), await make.user("other", "admin")
    text = change("deleteUsers", SHOWS)

    async with unchanged(database):
        both = [{"id": root.node}, {"id": other.node}]
        told = problems(await api(text, as_=root, input={"users": both}))
        assert told == {"PROTECTED input.users.0", "PROTECTED input.users.1"}
        entries: list[dict[str, Any]] = [{"userName": name, "roles": []} for name in ("root", "other")]
        variables = {"users": entries, "onConflict": "UPDATE"}
        told = problems(await api(change("createUsers", SHOWS), as_=root, input=variables))
        assert told == {"PROTECTED input.users.0.roles", "PROTECTED input.users.1.roles"}
    assert _statuses(await api(text, as_=root, input={"users": both[1:]}), "deleteUsers") == ["REMOVED"]
