"""Claims about decisions: locks, requests without a sign-in, and additional entries."""

from typing import Any

import pytest

from app.domain import resource_roles
from app.domain.viewer import Permission
from tests.support.client import Api, codes
from tests.support.factories import Entity, Make

DECISION = """query ($subject: DecisionSubject!, $resource: ResourceBy!, $role: ResourceRole!,
    $entries: [ContextualEntryInput!]) {
  accessDecision(subject: $subject, resource: $resource, role: $role, entries: $entries) { outcome effectiveRoles }
}"""
READ, WRITE, DATA_READ = "METADATA_READ", "METADATA_WRITE", "DATASET_DATA_READ"


async def decide(
    api: Api, as_: Any, subject: Any, thing: Entity, role: str, entries: list[dict[str, Any]] | None = None
) -> Any:
    chosen = {"anonymous": True} if subject is None else {"user": {"id": subject.node}}
    reply = await api(DECISION, as_=as_, subject=chosen, resource={"id": thing.node}, role=role, entries=entries)
    return reply["data"]["accessDecision"] if "errors" not in reply else codes(reply)


def entry(*roles: str, **subject: Any) -> dict[str, Any]:
    return {"subject": subject, "roles": list(roles)}


async def test_a_lock_refuses_the_roles_that_write_and_no_other(api: Api, make: Make) -> None:
    owner = await make.user("owner")
    thing = await make.resource(await make.org(owner=owner), owner=owner)
    before = [await decide(api, owner, owner, thing, role) for role in (READ, WRITE, "ADMIN")]
    await api(
        "mutation ($input: LockResourceInput!) { lockResource(input: $input) { errors { message } } }",
        as_=owner,
        input={"resource": {"id": thing.node}, "reason": "review"},
    )
    after = [await decide(api, owner, owner, thing, role) for role in (READ, WRITE, "DATASET_DATA_WRITE", "ADMIN")]

    assert [each["outcome"] for each in before] == ["GRANTED"] * 3
    assert [each["outcome"] for each in after] == ["GRANTED", "LOCKED", "LOCKED", "GRANTED"]


async def test_a_request_without_a_sign_in_has_the_roles_of_anyone(api: Api, make: Make) -> None:
    ann, owner = await make.user("ann"), await make.user("owner")
    org = await make.org()
    public, closed = [await make.resource(org, slug=slug, owner=owner, general=0) for slug in ("public", "closed")]
    await api(
        "mutation ($input: GrantAccessInput!) { grantAccess(input: $input) { errors { message } } }",
        as_=owner,
        input={"resource": {"id": public.node}, "subject": {"anyone": True}, "roles": [READ]},
    )

    assert await decide(api, ann, None, public, READ) == {"outcome": "GRANTED", "effectiveRoles": [READ]}
    assert await decide(api, ann, None, public, DATA_READ) == {"outcome": "DENIED", "effectiveRoles": [READ]}
    assert await decide(api, ann, None, closed, READ) == {"outcome": "DENIED", "effectiveRoles": []}
    assert await decide(api, None, None, public, READ) == ["UNAUTHENTICATED"]


@pytest.mark.parametrize(
    ("subject", "applies"),
    [
        ({"general": True}, True),
        ({"anyone": True}, True),
        ({"group": {"slug": "in"}}, True),
        ({"group": {"slug": "out"}}, False),
        ({"user": {"userName": "ANN"}}, True),
        ({"user": {"userName": "owner"}}, False),
    ],
)
async def test_an_additional_entry_counts_once_and_is_not_stored(
    api: Api, make: Make, subject: dict[str, Any], applies: bool
) -> None:
    ann, owner = await make.user("ann"), await make.user("owner")
    thing = await make.resource(await make.org(owner=owner), owner=owner, general=0)
    await make.group("in", ann, owner)
    await make.group("out", owner)
    entries = [entry(DATA_READ, **subject)]

    tried = await decide(api, owner, ann, thing, READ, entries)
    assert tried == (
        {"outcome": "GRANTED", "effectiveRoles": [READ, DATA_READ]}
        if applies
        else {"outcome": "DENIED", "effectiveRoles": []}
    )
    assert await decide(api, owner, ann, thing, READ) == {"outcome": "DENIED", "effectiveRoles": []}


async def test_a_deactivated_user_gets_nothing_from_an_entry(api: Api, make: Make) -> None:
    checker, gone = await make.holder(Permission.ACCESS_VIEW), await make.user("gone", "deactivated")
    thing = await make.resource(await make.org())

    for subject in ({"general": True}, {"anyone": True}, {"user": {"userName": "gone"}}):
        decision = await decide(api, checker, gone, thing, READ, [entry(READ, **subject)])
        assert decision == {"outcome": "DENIED", "effectiveRoles": []}


async def test_entries_reveal_no_membership_that_is_hidden(api: Api, make: Make) -> None:
    checker = await make.holder(Permission.ACCESS_VIEW)
    ann, owner = await make.user("ann"), await make.user("owner")
    thing = await make.resource(await make.org(owner=owner), owner=owner)
    await make.group("hidden", ann)
    entries = [entry(READ, group={"slug": "hidden"})]

    for asker in (checker, owner):
        assert await decide(api, asker, ann, thing, READ, entries) == ["FORBIDDEN"]
        assert await decide(api, asker, asker, thing, READ, entries) == ["FORBIDDEN"]
    assert await decide(api, ann, ann, thing, READ, [entry(READ, general=True)]) == ["FORBIDDEN"]


@pytest.mark.parametrize(
    "entries",
    [
        [entry(READ, general=True)] * 21,
        [entry("ADMIN", anyone=True)],
        [entry(READ, general=False)],
    ],
)
async def test_invalid_entries_are_refused(api: Api, make: Make, entries: list[dict[str, Any]]) -> None:
    owner = await make.user("owner")
    thing = await make.resource(await make.org(owner=owner), owner=owner)

    assert await decide(api, owner, owner, thing, READ, entries) == ["BAD_USER_INPUT"]


async def test_roles_that_the_type_lacks_and_groups_that_do_not_exist_are_refused(api: Api, make: Make) -> None:
    owner = await make.user("owner")
    model = await make.resource(await make.org(owner=owner), owner=owner, type="MODEL")

    assert await decide(api, owner, owner, model, READ, [entry(DATA_READ, general=True)]) == ["BAD_USER_INPUT"]
    assert await decide(api, owner, owner, model, READ, [entry(READ, group={"slug": "no"})]) == ["NOT_FOUND"]


BATCH = """query ($users: [String!], $paths: [String!], $ids: [ID!], $roles: [ResourceRole!]!) {
  checkAccessBatch(userNames: $users, resourcePaths: $paths, resources: $ids, roles: $roles)
}"""


async def test_a_batch_takes_names_and_paths_with_one_statement_each(api: Api, make: Make) -> None:
    checker, ann, ben = await make.holder(Permission.ACCESS_VIEW), await make.user("ann"), await make.user("ben")
    thing = await make.resource(await make.org("sea"), slug="reef", owner=ann, general=resource_roles.METADATA_READ)

    reply = await api(BATCH, as_=checker, users=["ANN", "ben"], paths=["sea/reef"] * 2, roles=["ADMIN"] * 2)
    assert reply == {"data": {"checkAccessBatch": [True, False]}}
    mixed = await api(BATCH, as_=checker, users=["ann", "ben"], ids=[thing.node] * 2, roles=[READ] * 2)
    assert mixed == {"data": {"checkAccessBatch": [True, True]}}
    unknown = await api(BATCH, as_=checker, users=["ann", "nobody"], paths=["sea/reef"] * 2, roles=[READ] * 2)
    assert codes(unknown) == ["NOT_FOUND"]
    both = await api(BATCH, as_=checker, users=["ann"], paths=["sea/reef"], ids=[thing.node], roles=[READ])
    neither = await api(BATCH, as_=checker, users=["ann"], roles=[READ])
    assert codes(both) == codes(neither) == ["BAD_USER_INPUT"]
    assert ben.node


GROUPS = """query ($resource: ResourceBy!, $role: ResourceRole) {
  resource(by: $resource) { accessGroups(role: $role) { totalCount nodes { slug } } }
}"""


async def test_the_groups_with_a_role_are_listed_for_who_administers_the_resource(api: Api, make: Make) -> None:
    owner, ann, viewer = await make.user("owner"), await make.user("ann"), await make.holder(Permission.GROUPS_VIEW)
    thing = await make.resource(await make.org(owner=owner), owner=owner)
    for slug, roles in (("readers", [READ]), ("writers", [WRITE]), ("none", [])):
        await make.group(slug, ann, viewer)
        await api(
            "mutation ($input: GrantAccessInput!) { grantAccess(input: $input) { errors { message } } }",
            as_=owner,
            input={"resource": {"id": thing.node}, "subject": {"group": {"slug": slug}}, "roles": roles},
        )

    async def slugs(as_: Any, role: str | None = None) -> Any:
        reply = await api(GROUPS, as_=as_, resource={"id": thing.node}, role=role)
        groups = reply["data"]["resource"]["accessGroups"]
        return groups and [node["slug"] for node in groups["nodes"]]

    assert await slugs(owner) == ["readers", "writers"]
    assert await slugs(owner, WRITE) == ["writers"]
    assert await slugs(owner, "ADMIN") == []
    assert await slugs(ann) is None
