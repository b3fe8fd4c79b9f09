"""Nobody without a right learns that a thing exists: the whole schema is walked, with and without the secrets in it."""

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
KNOWN: dict[str, dict[str, Any]] = {
    "OrgBy": {"slug": "open"},
    "ResourceBy": {"path": {"orgSlug": "open", "slug": "seen"}},
    "UserBy": {"userName": "vera"},
    "GroupBy": {"slug": "kept"},
    "RoleBy": {"name": "user"},
}
OWN: dict[str, dict[str, Any]] = {
    **KNOWN,
    "OrgBy": {"slug": "mine"},
    "ResourceBy": {"path": {"orgSlug": "mine", "slug": "own"}},
    "UserBy": {"userName": "keeper"},
}

Question = tuple[str, dict[str, Any]]


@pytest.fixture
def overrides() -> dict[str, Any]:
    """A walk through everything costs more than a client may ask for."""
    return {"OSTIARY_LIMITS": '{"Cost": 1000000000, "Selections": 100000, "Aliases": 1000}'}


def questions(secrets: Secrets) -> list[Question]:
    """Everything that can be read, with hidden things wherever something is named, filtered or counted."""
    sizes = ({"firstInt": 3}, {"lastInt": 3})
    found = [(each.text, each.values(size)) for each in DEEP for size in sizes]
    found += [(WIDE.text, WIDE.values(each)) for each in variations(secrets.words, PART)]
    return [*found, *_named(secrets)]


def _named(secrets: Secrets) -> Iterator[Question]:
    """Every lookup and every question about somebody or something, with each hidden thing in turn."""
    ids, submit = secrets.ids, SCHEMA.type_map["SubmitAccessInput"]
    users = [each for each in ids if each in {user.node for user in secrets.hidden["UserBy"]}]
    resources = [each.node for each in secrets.hidden["ResourceBy"]]
    given: dict[str, list[Any]] = {
        **{f"by{kind}": [*ways] for kind, ways in secrets.ways.items()},
        "idID": ids,
        "idsID": [ids],
        "inputSubmitAccessInput": inputs(submit, secrets.ways, KNOWN),  # type: ignore[arg-type]  # an input type
        "userUserBy": [*secrets.ways["UserBy"]],
        "resourceResourceBy": [*secrets.ways["ResourceBy"]],
        "roleResourceRole": ["METADATA_READ"],
        "usersID": [users],
        "resourcesID": [resources],
        "rolesResourceRole": [["ADMIN"] * len(users)],
    }
    given.setdefault("byGroupBy", [{"slug": "none"}])
    given.setdefault("byRoleBy", [{"name": "none"}])
    for each in NAMED:
        values = each.values(given)
        for at in range(max(map(len, values.values()))):
            yield each.text, {"firstInt": 3, **{name: tried[at % len(tried)] for name, tried in values.items()}}


async def answers(api: Api, asker: Person | None, asked: list[Question]) -> list[str]:
    """Whole responses, as they come over the wire."""
    found = []
    for text, variables in asked:
        declared = {name: value for name, value in variables.items() if f"${name}" in text}
        response = await api.post(text, asker, **declared)
        found.append(f"{response.status_code} {response.text}")
    return found


def tells_nothing(answers: list[str], secrets: Secrets) -> None:
    """None of the words and ids; and every question was understood."""
    told = [(answer, word) for answer in answers for word in (PART, *secrets.ids) if word in answer]
    assert told == []
    assert [each for each in answers if "GRAPHQL_" in each or "BAD_USER_INPUT" in each or "TOO_COMPLEX" in each] == []


@pytest.mark.parametrize("signed_in", [False, True])
async def test_no_question_tells_nobody_or_a_stranger_that_a_hidden_thing_exists(
    api: Api, make: Make, database: db.Database, signed_in: bool
) -> None:
    database.clock = lambda: NOW
    secrets = await build(make, signed_in=signed_in)
    asked = questions(secrets)
    told = await answers(api, secrets.asker, asked)

    await forget(database, secrets)

    assert await answers(api, secrets.asker, asked) == told
    tells_nothing(told, secrets)


async def test_the_walk_leads_everywhere(api: Api, make: Make, database: db.Database) -> None:
    """The same questions tell an administrator every hidden word and id: the walk misses none."""
    database.clock = lambda: NOW
    secrets = await build(make, signed_in=False)

    told = "".join(await answers(api, secrets.root, [(each.text, {"firstInt": 20}) for each in DEEP]))
    named = await answers(api, secrets.root, [(WIDE.text, {"firstInt": 3}), *_named(secrets)])

    assert [each for each in (told, *named) if '"extensions"' in each] == []  # everything could be answered
    assert [word for word in (*secrets.words, *secrets.ids) if word not in told] == []
    assert set().union(*(each.seen for each in (*DEEP, *NAMED))) == reachable()


async def test_a_seen_resource_does_not_tell_in_which_private_org_it_is_kept(
    api: Api, make: Make, database: db.Database
) -> None:
    """Neither the resource itself nor a filter: whoever sees it may know its path, and has it from elsewhere."""
    database.clock = lambda: NOW
    zed, hugo = await make.user("zed", "user"), await make.user(f"{PART}hugo")
    org = await make.org(f"{PART}hush", hugo, name=f"{PART}name")
    await make.resource(org, slug="seen")
    filters = [{"orgSlug": {"eq": org.slug}}, {"not": {"orgSlug": {"eq": org.slug}}}, {"orgSlug": {"contains": PART}}]
    asked = [(WIDE.text, {"firstInt": 3, "filterResourceFilter": each}) for each in filters]
    asked += [(each.text, {"firstInt": 3}) for each in DEEP]
    told = await answers(api, zed, asked)

    async with database.write() as tx:
        other = {"slug": "other", "name": "Other", "name_key": "other", "owner_id": None}
        await tx.rows(update(tables.Org).values(**other))

    assert await answers(api, zed, asked) == told
    assert PART not in "".join(told)


@pytest.mark.parametrize("signed_in", [False, True])
async def test_every_change_of_a_hidden_thing_is_answered_as_of_one_that_never_was(
    api: Api, make: Make, database: db.Database, signed_in: bool
) -> None:
    database.clock = lambda: NOW
    secrets = await build(make, signed_in=signed_in)
    asked = [(text, {"input": given}) for text, given in probes(secrets.ways, KNOWN)]
    before = await everything(database)
    told = await answers(api, secrets.asker, asked)

    assert await everything(database) == before
    await forget(database, secrets)

    assert await answers(api, secrets.asker, asked) == told
    tells_nothing(told, secrets)


async def test_who_keeps_things_of_her_own_cannot_tie_them_to_hidden_ones(
    api: Api, make: Make, database: db.Database
) -> None:
    """By id. By exact user name she finds everybody: she manages an org, a resource and a group."""
    database.clock = lambda: NOW
    secrets = await build(make, signed_in=True)
    ways = {kind: [way for way in ways if "userName" not in way] for kind, ways in secrets.ways.items()}
    asked = [(text, {"input": given}) for text, given in probes(ways, OWN)]
    before = await everything(database)
    told = await answers(api, secrets.keeper, asked)

    assert await everything(database) == before
    await forget(database, secrets)

    assert await answers(api, secrets.keeper, asked) == told
    assert sum('"NOT_FOUND"' in each for each in told) > len(told) / 2
    tells_nothing(told, secrets)


async def test_that_its_slug_is_taken_is_all_that_a_private_org_tells(
    api: Api, make: Make, database: db.Database
) -> None:
    """Slugs are unique among all orgs: who may make one is told that this one is not to be had, and no more."""
    database.clock = lambda: NOW
    secrets = await build(make, signed_in=True)
    before = await everything(database)

    given = {"slug": f"{PART}hush", "name": "Mine"}
    reply = await api(document("createOrg"), as_=secrets.asker, input=given)

    message = f"The slug `{PART}hush` is taken. Choose another."
    problem = {"code": "CONFLICT", "message": message, "path": ["input", "slug"]}
    assert reply["data"] == {"createOrg": {"errors": [{"__typename": "Conflict", **problem}], "org": None}}
    assert await everything(database) == before


async def test_a_deactivated_user_is_told_nothing_whatever_she_owns(
    api: Api, make: Make, database: db.Database
) -> None:
    database.clock = lambda: NOW
    secrets = await build(make, signed_in=True)
    gone = await make.user("gone", "admin", "deactivated")
    await make.group_member(await make.group("gonegroup"), gone)

    asked = [*_named(secrets), *((each.text, {}) for each in (*DEEP, WIDE))]
    asked += [(text, {"input": given}) for text, given in probes(secrets.ways, KNOWN)]
    told = {*await answers(api, gone, asked)}

    assert len(told) == 1
    assert all(each.startswith("401 ") for each in told)
    tells_nothing([*told], secrets)
