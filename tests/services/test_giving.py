"""Claims about ends: a user who administers something until a time gives and extends until then at most."""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from graphql import GraphQLInputObjectType, build_schema, get_named_type

from app import db, main
from app.domain import resource_roles
from app.domain.resource_roles import MemberLevel
from tests.support.changes import answered, change, problems, unchanged
from tests.support.client import Api, codes
from tests.support.factories import Entity, Make, Person
from tests.support.rest_client import Rest

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
ROLE = "METADATA_WRITE"


def stamp(end: datetime | None) -> str | None:
    return None if end is None else end.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


@pytest.fixture
def overrides() -> dict[str, Any]:
    return {"OSTIARY_ENABLE_ORGANIZATION_MEMBER_MANAGEMENT": "true"}


@pytest.fixture
def until(database: db.Database) -> datetime:
    """Time at which the right to administer ends."""
    return database.clock().replace(microsecond=0) + DAY


Hold = Callable[[Make, Entity, Entity, Person, datetime], Awaitable[Any]]


async def _by_grant(make: Make, org: Entity, reef: Entity, ann: Person, end: datetime) -> None:
    await make.grant(reef, ann, resource_roles.ADMIN, end)


async def _by_group(make: Make, org: Entity, reef: Entity, ann: Person, end: datetime) -> None:
    await make.grant(reef, await make.group(None, ann), resource_roles.ADMIN, end)


async def _by_membership(make: Make, org: Entity, reef: Entity, ann: Person, end: datetime) -> None:
    group = await make.group()
    await make.group_member(group, ann, expires_at=end)
    await make.grant(reef, group, resource_roles.ADMIN)


async def _by_org(make: Make, org: Entity, reef: Entity, ann: Person, end: datetime) -> None:
    await make.member(org, ann, MemberLevel.ADMIN, end)


async def _by_two(make: Make, org: Entity, reef: Entity, ann: Person, end: datetime) -> None:
    """The later of two ends counts, and only of what gives ADMIN."""
    await make.grant(reef, ann, resource_roles.ADMIN, end - HOUR)
    await make.grant(reef, await make.group(None, ann), resource_roles.WRITE)
    await _by_membership(make, org, reef, ann, end)


UNTIL: dict[str, Hold] = {
    "a grant": _by_grant,
    "a grant to a group": _by_group,
    "a membership of a group": _by_membership,
    "the org": _by_org,
    "the later of two": _by_two,
}


async def _always_by_ownership(make: Make, org: Entity, reef: Entity, ann: Person, end: datetime) -> None:
    await make.member(await make.org("own", ann), ann, MemberLevel.READ_ONLY)
    await make.member(org, ann, MemberLevel.ADMIN)


async def _always_by_grant(make: Make, org: Entity, reef: Entity, ann: Person, end: datetime) -> None:
    await make.grant(reef, ann, resource_roles.ADMIN)
    await make.member(org, ann, MemberLevel.ADMIN, end)


ALWAYS: dict[str, Hold] = {"the org": _always_by_ownership, "a grant beside": _always_by_grant}


def _entry(subject: dict[str, Any], end: datetime | None, *roles: str) -> dict[str, Any]:
    return {**subject, "roles": list(roles or [ROLE]), "expiresAt": stamp(end)}


SUBJECTS: dict[str, dict[str, Any]] = {
    "user": {"user": {"userName": "bob"}},
    "viewer": {"user": {"userName": "ann"}},
    "group": {"group": {"slug": "crew"}},
    "general": {"general": True},
    "anyone": {"anyone": True},
}


async def _asks(api: Api, ann: Person, reef: Entity, end: datetime | None) -> dict[str, set[str]]:
    """Return the problems of each mutation and query that grants access until an end; nothing is stored."""
    by = {"resource": {"id": reef.node}, "validateOnly": True}
    problems_by_name = {}
    for name, subject in SUBJECTS.items():
        roles = ["METADATA_READ"] if name == "anyone" else ["ADMIN"]
        fields = {**by, "subject": subject, "roles": roles, "expiresAt": stamp(end)}
        problems_by_name[f"grant to {name}"] = problems(await api(change("grantAccess"), as_=ann, input=fields))
        grants = [{key: value for key, value in fields.items() if key != "validateOnly"}]
        batch = {"grants": grants, "validateOnly": True}
        problems_by_name[f"batch to {name}"] = problems(await api(change("grantAccessBatch"), as_=ann, input=batch))
    configuration = {
        **by,
        "revision": 1,
        "general": _entry({}, end),
        "anyone": _entry({}, end, "METADATA_READ"),
        "groups": [_entry(SUBJECTS["group"], end)],
        "users": [_entry(SUBJECTS["user"], end)],
    }
    problems_by_name["submit"] = problems(await api(change("submitAccess"), as_=ann, input=configuration))
    preview = "query ($input: SubmitAccessInput!) { previewAccess(input: $input) { errors { code message path } } }"
    problems_by_name["preview"] = problems(await api(preview, as_=ann, input=configuration))
    return problems_by_name


PATHS = {
    "grant": {"input.expiresAt"},
    "batch": {"input.grants.0.expiresAt"},
    "submit": {f"input.{of}.expiresAt" for of in ("general", "anyone", "groups.0", "users.0")},
    "preview": {f"input.{of}.expiresAt" for of in ("general", "anyone", "groups.0", "users.0")},
}


@pytest.mark.parametrize("hold", UNTIL)
async def test_access_to_a_resource_is_given_until_the_end_of_the_right_to_give_it(
    api: Api, make: Make, database: db.Database, until: datetime, hold: str
) -> None:
    ann, _, reef = await _place(make, UNTIL[hold], until)

    async with unchanged(database):
        for end in (None, until + timedelta(microseconds=1)):
            refused = await _asks(api, ann, reef, end)
            wanted = {what: {f"INVALID_INPUT {path}" for path in PATHS[what.split()[0]]} for what in refused}
            assert refused == wanted
        for end in (until, until - HOUR):
            assert set().union(*(await _asks(api, ann, reef, end)).values()) == set()


@pytest.mark.parametrize("hold", ALWAYS)
async def test_the_right_without_an_end_is_the_one_that_counts(
    api: Api, make: Make, until: datetime, hold: str
) -> None:
    ann, _, reef = await _place(make, ALWAYS[hold], until)

    assert set().union(*(await _asks(api, ann, reef, None)).values()) == set()


async def _place(make: Make, hold: Hold, until: datetime) -> tuple[Person, Entity, Entity]:
    """Return Ann with an org and its resource, which they administer until then."""
    ann, _ = await make.user("ann"), await make.user("bob")
    await make.group("crew")
    org = await make.org()
    reef = await make.resource(org, general=0)
    await hold(make, org, reef, ann, until)
    return ann, org, reef


async def test_longer_entries_that_were_there_are_sent_back_shortened_and_reduced_but_not_extended(
    api: Api, make: Make, until: datetime
) -> None:
    ann, bob, cid = await make.user("ann"), await make.user("bob"), await make.user("cid")
    reef = await make.resource(await make.org(), general=resource_roles.DATA_READ)
    await make.grant(reef, ann, resource_roles.ADMIN, until)
    await make.grant(reef, bob, resource_roles.METADATA_WRITE | resource_roles.DATA_READ)
    await make.grant(reef, cid, resource_roles.METADATA_WRITE, until + DAY)

    async def submitted(revision: int, *users: dict[str, Any], general: str = "DATASET_DATA_READ") -> set[str]:
        fields = {"resource": {"id": reef.node}, "revision": revision, "general": {"roles": [general]}}
        own = _entry(SUBJECTS["viewer"], until, "ADMIN")
        return problems(await api(change("submitAccess"), as_=ann, input={**fields, "users": [own, *users]}))

    def entry(name: str, end: datetime | None, *roles: str) -> dict[str, Any]:
        return _entry({"user": {"userName": name}}, end, *roles)

    at = "INVALID_INPUT input.users"
    as_read = entry("bob", None, ROLE, "DATASET_DATA_READ"), entry("cid", until + DAY)
    assert await submitted(1, *as_read) == set()
    assert await submitted(1, as_read[0], entry("cid", None)) == {f"{at}.2.expiresAt"}
    assert await submitted(1, entry("bob", None, "ADMIN"), as_read[1]) == {f"{at}.1.expiresAt"}
    assert await submitted(1, *as_read, general="DATASET_DATA_WRITE") == {"INVALID_INPUT input.general.expiresAt"}
    assert await submitted(1, entry("bob", until + DAY, "METADATA_READ"), entry("cid", until + HOUR)) == set()
    assert await submitted(2, entry("bob", until, "ADMIN"), general="METADATA_READ") == set()
    again = await submitted(3, entry("cid", until + HOUR), general="METADATA_READ")
    assert again == {f"{at}.1.expiresAt"}, "it was taken away"


async def test_an_entry_that_has_ended_counts_for_nothing(
    api: Api, make: Make, database: db.Database, until: datetime
) -> None:
    ann, bob = await make.user("ann"), await make.user("bob")
    reef = await make.resource(await make.org())
    await make.grant(reef, ann, resource_roles.ADMIN, until)
    await make.grant(reef, bob, resource_roles.ADMIN, database.clock())
    fields = {"resource": {"id": reef.node}, "subject": SUBJECTS["user"], "roles": [ROLE]}

    refused = {"INVALID_INPUT input.expiresAt"}
    assert problems(await api(change("grantAccess"), as_=ann, input=fields)) == refused


async def test_an_administrator_of_an_org_gives_memberships_until_then_at_most(
    api: Api, rest: Rest, make: Make, database: db.Database, until: datetime
) -> None:
    ann, bob, cid = await make.user("ann"), await make.user("bob"), await make.user("cid")
    org = await make.org("reef", await make.user("owner"))
    await make.member(org, ann, MemberLevel.ADMIN, until)
    await make.member(org, cid, MemberLevel.READ_WRITE)

    async def refusals(name: str, who: str, **fields: Any) -> set[str]:
        fields = {"org": {"slug": "reef"}, "user": {"userName": who}, **fields}
        return problems(await api(change(name), as_=ann, input=fields))

    refused = {"INVALID_INPUT input.expiresAt"}
    async with unchanged(database):
        for end in (None, stamp(until + HOUR)):
            assert await refusals("addOrgMember", "bob", expiresAt=end) == refused
            values: dict[str, Any] = {"clear": ["EXPIRES_AT"]} if end is None else {"expiresAt": end}
            assert await refusals("updateOrgMember", "ann", **values) == refused
        assert await refusals("updateOrgMember", "cid", level="ADMIN") == refused
        assert await refusals("updateOrgMember", "cid", level="ADMIN", clear=["EXPIRES_AT"]) == refused
        reply = await rest("POST", "/orgs/reef/members", ann, json={"userName": "bob"})
        assert reply.status_code == 400
        reply = await rest("PUT", "/orgs/reef/members/cid", ann, json={"permissions": 3})
        assert reply.status_code == 400
    assert await refusals("updateOrgMember", "cid", level="READ_ONLY") == set()
    assert await refusals("updateOrgMember", "cid", expiresAt=stamp(until + DAY)) == set(), "it is shortened"
    assert await refusals("updateOrgMember", "cid", level="ADMIN", expiresAt=stamp(until)) == set()
    assert await refusals("addOrgMember", "bob", expiresAt=stamp(until), level="ADMIN") == set()
    assert (await rest("DELETE", f"/orgs/reef/members/{bob.user_name}", ann)).status_code == 204


async def test_a_manager_of_a_group_gives_memberships_until_then_at_most(
    api: Api, make: Make, database: db.Database, until: datetime
) -> None:
    ann, _, cid = await make.user("ann"), await make.user("bob"), await make.user("cid")
    group = await make.group("crew", cid)
    await make.group_member(group, ann, is_manager=True, expires_at=until)

    async def added(end: datetime | None) -> set[str]:
        members = [{"user": {"userName": "bob"}, "expiresAt": stamp(end)}]
        fields = {"group": {"slug": "crew"}, "members": members}
        return problems(await api(change("addGroupMembers"), as_=ann, input=fields))

    async def managing(who: str, *, is_manager: bool) -> set[str]:
        fields = {"group": {"slug": "crew"}, "user": {"userName": who}, "isManager": is_manager}
        return problems(await api(change("setGroupManager"), as_=ann, input=fields))

    async with unchanged(database):
        assert await added(None) == await added(until + HOUR) == {"INVALID_INPUT input.members.0.expiresAt"}
        assert await managing("cid", is_manager=True) == {"INVALID_INPUT input.isManager"}
    assert await managing("ann", is_manager=True) == await managing("cid", is_manager=False) == set()
    assert await added(until) == await managing("bob", is_manager=True) == set()


async def test_a_manager_of_a_group_changes_memberships_until_then_at_most(
    api: Api, make: Make, database: db.Database, until: datetime
) -> None:
    ann, bob, cid = await make.user("ann"), await make.user("bob"), await make.user("cid")
    group = await make.group("crew", cid)
    await make.group_member(group, ann, is_manager=True, expires_at=until)
    await make.group_member(group, bob, expires_at=until - HOUR)

    async def refusals(who: str, **fields: Any) -> set[str]:
        values = {"group": {"slug": "crew"}, "user": {"userName": who}, **fields}
        return problems(await api(change("updateGroupMember"), as_=ann, input=values))

    end, clear = {"INVALID_INPUT input.expiresAt"}, {"INVALID_INPUT input.clear"}
    async with unchanged(database):
        for who in ("ann", "bob"):
            assert await refusals(who, expiresAt=stamp(until + HOUR)) == end
            assert await refusals(who, clear=["EXPIRES_AT"]) == clear
        assert await refusals("cid", isManager=True) == {"INVALID_INPUT input.isManager"}
        assert await refusals("cid", isManager=True, expiresAt=stamp(until + HOUR)) == end
        assert await refusals("cid", isManager=True, clear=["EXPIRES_AT"]) == clear
        assert await refusals("cid", expiresAt=None, clear=["EXPIRES_AT"]) == set(), "it has no end"
        assert await refusals("bob", expiresAt=stamp(until), clear=["EXPIRES_AT"]) == end
    assert await refusals("cid", expiresAt=stamp(until + DAY)) == set(), "it is shortened"
    assert await refusals("cid", expiresAt=stamp(until), isManager=True) == set()
    assert await refusals("bob", expiresAt=stamp(until), isManager=True) == set()


async def test_the_refusal_says_until_when(api: Api, make: Make, until: datetime) -> None:
    ann, _, reef = await _place(make, _by_grant, until)
    fields = {"resource": {"id": reef.node}, "subject": SUBJECTS["user"], "roles": [ROLE]}

    reply = await api(change("grantAccess"), as_=ann, input=fields)

    message = reply["data"]["grantAccess"]["errors"][0]["message"]
    assert message == f"Your own right to grant this ends at {stamp(until)}. Set `expiresAt` to that or earlier."


TESTED = {"addGroupMembers", "addOrgMember", "grantAccess", "grantAccessBatch", "submitAccess", "updateOrgMember"}
TESTED |= {"updateGroupMember"}
NOT_GIVING = {"createApiToken"}
"""A token has no rights of its own: it acts with those that its owner has at the time."""


def test_every_mutation_that_takes_an_end_is_tested_here() -> None:
    built = build_schema(main.sdl())
    assert built.mutation_type is not None
    taking = {
        name
        for name, field in built.mutation_type.fields.items()
        if any(_takes_an_end(get_named_type(argument.type), set()) for argument in field.args.values())
    }

    assert taking == TESTED | NOT_GIVING


def _takes_an_end(kind: Any, seen: set[str]) -> bool:
    if not isinstance(kind, GraphQLInputObjectType) or kind.name in seen:
        return False
    seen.add(kind.name)
    return "expiresAt" in kind.fields or any(
        _takes_an_end(get_named_type(each.type), seen) for each in kind.fields.values()
    )


async def test_a_right_with_an_end_transfers_nothing(
    api: Api, make: Make, database: db.Database, until: datetime
) -> None:
    ann, _, reef = await _place(make, _by_org, until)
    fields = {"resource": {"id": reef.node}, "owner": {"userName": "ann"}}

    async with unchanged(database):
        assert codes(await api(change("transferResource"), as_=ann, input=fields)) == ["FORBIDDEN"]
    answered(
        await api(change("updateResource"), as_=ann, input={"resource": {"id": reef.node}, "name": "New"}),
        "updateResource",
    )
