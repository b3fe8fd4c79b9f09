"""A user without a right never learns that an object exists, in queries of the complete schema."""

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import update

from app import db
from app.db import tables
from tests.oracle.access_worlds import NOW
from tests.oracle.secret_worlds import PART, Secrets, build, forget
from tests.support.client import Api
from tests.support.factories import Make, Person, everything
from tests.support.probing import document, inputs, probes
from tests.support.walking import SCHEMA, Document, connections, lookups, reachable, variations

DEEP = [Document([name], 3) for name in connections()]
WIDE = Document(connections(), 2)
NAMED = [Document([name], 2) for name in lookups()]
VISIBLE_REFS: dict[str, dict[str, Any]] = {
    "OrgBy": {"slug": "open"},
    "ResourceBy": {"path": {"orgSlug": "open", "slug": "seen"}},
    "UserBy": {"userName": "vera"},
    "GroupBy": {"slug": "kept"},
    "RoleBy": {"name": "user"},
}
OWN: dict[str, dict[str, Any]] = {
    **VISIBLE_REFS,
    "OrgBy": {"slug": "mine"},
    "ResourceBy": {"path": {"orgSlug": "mine", "slug": "own"}},
    "UserBy": {"userName": "keeper"},
}

Question = tuple[str, dict[str, Any]]


@pytest.fixture
def overrides() -> dict[str, Any]:
    """Raise the limits: a query of everything costs more than a client may request."""
    return {"OSTIARY_LIMITS": '{"Cost": 1000000000, "Selections": 100000, "Aliases": 1000}'}


def questions(secrets: Secrets) -> list[Question]:
    """Return queries of everything, with hidden objects wherever one is named, filtered or counted."""
    sizes = ({"firstInt": 3}, {"lastInt": 3})
    queries = [(each.text, each.values(size)) for each in DEEP for size in sizes]
    queries += [(WIDE.text, WIDE.values(each)) for each in variations(secrets.words, PART)]
    return [*queries, *_named(secrets)]


def _named(secrets: Secrets) -> Iterator[Question]:
    """Yield every lookup and every check of a user or resource, with each hidden object in turn."""
    ids, submit = secrets.ids, SCHEMA.type_map["SubmitAccessInput"]
    users = [each for each in ids if each in {user.node for user in secrets.hidden["UserBy"]}]
    resources = [each.node for each in secrets.hidden["ResourceBy"]]
    arguments: dict[str, list[Any]] = {
        **{f"by{kind}": [*ways] for kind, ways in secrets.ways.items()},
        "idID": ids,
        "idsID": [ids],
        "inputSubmitAccessInput": inputs(submit, secrets.ways, VISIBLE_REFS),  # type: ignore[arg-type]  # an input type
        "userUserBy": [*secrets.ways["UserBy"]],
        "subjectDecisionSubject": [{"user": each} for each in secrets.ways["UserBy"]],
        "resourceResourceBy": [*secrets.ways["ResourceBy"]],
        "roleResourceRole": ["METADATA_READ"],
        "usersID": [users],
        "resourcesID": [resources],
        "rolesResourceRole": [["ADMIN"] * len(users)],
    }
    arguments.setdefault("byGroupBy", [{"slug": "none"}])
    arguments.setdefault("byRoleBy", [{"name": "none"}])
    for each in NAMED:
        values = each.values(arguments)
        for at in range(max(map(len, values.values()))):
            yield each.text, {"firstInt": 3, **{name: tried[at % len(tried)] for name, tried in values.items()}}


async def answers(api: Api, asker: Person | None, queries: list[Question]) -> list[str]:
    """Return the complete responses, with their status."""
    responses = []
    for text, variables in queries:
        declared = {name: value for name, value in variables.items() if f"${name}" in text}
        response = await api.post(text, asker, **declared)
        responses.append(f"{response.status_code} {response.text}")
    return responses


def tells_nothing(answers: list[str], secrets: Secrets) -> None:
    """Assert that no response has one of the words or ids, and that every query was valid."""
    leaks = [(answer, word) for answer in answers for word in (PART, *secrets.ids) if word in answer]
    assert leaks == []
    assert [each for each in answers if "GRAPHQL_" in each or "BAD_USER_INPUT" in each or "TOO_COMPLEX" in each] == []


@pytest.mark.parametrize("signed_in", [False, True])
async def test_no_question_tells_nobody_or_a_stranger_that_a_hidden_thing_exists(
    api: Api, make: Make, database: db.Database, signed_in: bool
) -> None:
    database.clock = lambda: NOW
    secrets = await build(make, signed_in=signed_in)
    queries = questions(secrets)
    responses = await answers(api, secrets.asker, queries)

    await forget(database, secrets)

    assert await answers(api, secrets.asker, queries) == responses
    tells_nothing(responses, secrets)


async def test_the_queries_reach_every_field(api: Api, make: Make, database: db.Database) -> None:
    """The same queries return every hidden word and id to an administrator: they miss none."""
    database.clock = lambda: NOW
    secrets = await build(make, signed_in=False)

    responses = "".join(await answers(api, secrets.root, [(each.text, {"firstInt": 20}) for each in DEEP]))
    named = await answers(api, secrets.root, [(WIDE.text, {"firstInt": 3}), *_named(secrets)])

    assert [each for each in (responses, *named) if '"extensions"' in each] == []  # everything could be answered
    assert [word for word in (*secrets.words, *secrets.ids) if word not in responses] == []
    assert set().union(*(each.seen for each in (*DEEP, *NAMED))) == reachable()


async def test_a_seen_resource_does_not_tell_in_which_private_org_it_is_kept(
    api: Api, make: Make, database: db.Database
) -> None:
    """Neither the resource itself nor a filter: a user who sees it may know its path from another source."""
    database.clock = lambda: NOW
    zed, hugo = await make.user("zed", "user"), await make.user(f"{PART}hugo")
    org = await make.org(f"{PART}hush", hugo, name=f"{PART}name")
    await make.resource(org, slug="seen")
    filters = [{"orgSlug": {"eq": org.slug}}, {"not": {"orgSlug": {"eq": org.slug}}}, {"orgSlug": {"contains": PART}}]
    queries = [(WIDE.text, {"firstInt": 3, "filterResourceFilter": each}) for each in filters]
    queries += [(each.text, {"firstInt": 3}) for each in DEEP]
    responses = await answers(api, zed, queries)

    async with database.write() as tx:
        other = {"slug": "other", "name": "Other", "name_key": "other", "owner_id": None}
        await tx.rows(update(tables.Org).values(**other))

    assert await answers(api, zed, queries) == responses
    assert PART not in "".join(responses)


@pytest.mark.parametrize("signed_in", [False, True])
async def test_every_change_of_a_hidden_thing_is_answered_as_of_one_that_never_was(
    api: Api, make: Make, database: db.Database, signed_in: bool
) -> None:
    database.clock = lambda: NOW
    secrets = await build(make, signed_in=signed_in)
    queries = [(text, {"input": change_input}) for text, change_input in probes(secrets.ways, VISIBLE_REFS)]
    before = await everything(database)
    responses = await answers(api, secrets.asker, queries)

    assert await everything(database) == before
    await forget(database, secrets)

    assert await answers(api, secrets.asker, queries) == responses
    tells_nothing(responses, secrets)


async def test_a_user_with_own_objects_cannot_link_them_to_hidden_ones(
    api: Api, make: Make, database: db.Database
) -> None:
    """This holds by id. By exact user name they look up all users: they manage an org, a resource and a group."""
    database.clock = lambda: NOW
    secrets = await build(make, signed_in=True)
    ways = {kind: [ref for ref in ways if "userName" not in ref] for kind, ways in secrets.ways.items()}
    queries = [(text, {"input": change_input}) for text, change_input in probes(ways, OWN)]
    before = await everything(database)
    responses = await answers(api, secrets.keeper, queries)

    assert await everything(database) == before
    await forget(database, secrets)

    assert await answers(api, secrets.keeper, queries) == responses
    assert sum('"NOT_FOUND"' in each for each in responses) > len(responses) / 2
    tells_nothing(responses, secrets)


async def test_that_its_slug_is_taken_is_all_that_a_private_org_tells(
    api: Api, make: Make, database: db.Database
) -> None:
    """Slugs are unique among all orgs: a user who may create one learns that this slug is taken, and no more."""
    database.clock = lambda: NOW
    secrets = await build(make, signed_in=True)
    before = await everything(database)

    new_org = {"slug": f"{PART}hush", "name": "Mine"}
    reply = await api(document("createOrg"), as_=secrets.asker, input=new_org)

    message = f"The slug `{PART}hush` is taken. Choose another."
    problem = {"code": "CONFLICT", "message": message, "path": ["input", "slug"]}
    assert reply["data"] == {
        "createOrg": {"errors": [{"__typename": "Conflict", **problem}], "org": None, "orgEdge": None}
    }
    assert await everything(database) == before


async def test_a_deactivated_user_learns_nothing_whatever_they_own(api: Api, make: Make, database: db.Database) -> None:
    database.clock = lambda: NOW
    secrets = await build(make, signed_in=True)
    gone = await make.user("gone", "admin", "deactivated")
    await make.group_member(await make.group("gonegroup"), gone)

    queries = [*_named(secrets), *((each.text, {}) for each in (*DEEP, WIDE))]
    queries += [(text, {"input": change_input}) for text, change_input in probes(secrets.ways, VISIBLE_REFS)]
    responses = {*await answers(api, gone, queries)}

    assert len(responses) == 1
    assert all(each.startswith("401 ") for each in responses)
    tells_nothing([*responses], secrets)
