"""A plain user tries every read and every change for every other user, group, org and resource, and learns nothing.

The world is asked twice: before and after facts that they may not know. Every answer must be the same to the byte.
"""

import re
from collections.abc import Iterator
from itertools import product
from typing import Any

import pytest

from app import db
from app.domain import refs
from app.rest import TABLE
from tests.oracle.access_worlds import NOW
from tests.oracle.plain_worlds import EMAIL, EXCEPTIONS, FACTS, PART, Fact, Town, build, happen
from tests.support.client import Api
from tests.support.factories import Make, Person, everything
from tests.support.probing import document, inputs, probes
from tests.support.rest_client import Rest
from tests.support.walking import SCHEMA, Document, connections, lookups, reachable, variations

DEEP = [Document([name], 3) for name in connections()]
WIDE = Document(connections(), 2)
NAMED = [Document([name], 2) for name in lookups()]
ASKERS = {"alice": ("atelier", "work"), "abel": ("shed", "calm"), "gwen": ("agora", "gem")}
"""The askers, with an org that they name and the resource on which they have ADMIN."""

PEOPLE = ("alice", "abel", "gwen", "dora", "otto", "fay", "erin", "bob", "carol", "dan", "zed", "root")
OTHERS = ("fay", "erin", "bob", "carol", "dan", "zed", "root")
THINGS = ("work", "calm", "play", "gem", "dark")
OWN: dict[str, dict[str, Any]] = {"GroupBy": {"slug": "band"}, "RoleBy": {"name": "user"}}
"""The group and the role that every asker names in changes."""

OWNERSHIP = ("transferOrg", "transferResource", "createOrg", "deleteUser")
"""Changes after which a user owns more: a deactivated user cannot, and the giver gets an error."""

Question = tuple[str, dict[str, Any]]


@pytest.fixture
def overrides() -> dict[str, Any]:
    """Raise the limits: a query of everything costs more than a client may request."""
    return {"OSTIARY_LIMITS": '{"Cost": 1000000000, "Selections": 100000, "Aliases": 1000}'}


def ways_of(town: Town) -> dict[str, list[dict[str, Any]]]:
    """Return all references to each object; the private org only by id, since its slug is a hidden fact."""
    kinds = "User", "Org", "Resource", "Group"
    strange: dict[str, list[dict[str, Any]]] = {each: [{"id": refs.encode(each, 900)}, {"id": "x"}] for each in kinds}
    people = [{"id": town[name].node} for name in PEOPLE]
    people += [{"userName": town[name].user_name} for name in ("alice", "fay", "bob", "dan")] + [{"userName": "nobody"}]
    people += [{"email": EMAIL.format(name)} for name in ("bob", "dora")]
    named = {
        "UserBy": [*people, *strange["User"]],
        "OrgBy": [*({"id": town[name].node} for name in ("atelier", "shed", "agora", "vault")), *strange["Org"]],
        "ResourceBy": [*({"id": town[name].node} for name in THINGS), *strange["Resource"]],
        "GroupBy": [*({"id": town[name].node} for name in ("divers", "choir", "band")), *strange["Group"]],
        "RoleBy": [{"name": name} for name in ("user", "admin", "registrars", "none")],
    }
    paths = ("atelier", "work"), ("agora", "play"), ("nowhere", "gem")
    named["ResourceBy"] += [{"path": {"orgSlug": org, "slug": slug}} for org, slug in paths]
    return named


def own_of(town: Town, who: str) -> dict[str, dict[str, Any]]:
    """Return references to the asker's own objects, for the inputs of a change beside the probed one."""
    org, thing = ASKERS[who]
    return {**OWN, "OrgBy": {"slug": org}, "ResourceBy": {"id": town[thing].node}, "UserBy": {"userName": who}}


def all_reads(town: Town) -> list[Question]:
    """Return queries for all root fields, with each size, order and filter, and for every node by its id."""
    words = [PART, *(town[name].user_name for name in PEOPLE), "divers", "vault"]
    queries = [(each.text, each.values(size)) for each in DEEP for size in ({"firstInt": 3}, {"lastInt": 3})]
    queries += [(WIDE.text, WIDE.values(each)) for each in variations(words, PART)]
    node = next(each for each in NAMED if "node(" in each.text and "idID" in each.variables)
    every = [town[name].node for name in (*PEOPLE, *town.things)]
    return [*queries, *((node.text, {"idID": each, "firstInt": 3}) for each in every)]


def naming(town: Town, who: str) -> Iterator[Question]:
    """Yield every lookup by every reference, a preview with each subject, and every check of users and resources."""
    ways, own = ways_of(town), own_of(town, who)
    strange = [each for each in ways["UserBy"] if each.get("id") in {"x", refs.encode("User", 900)}]
    users = [*({"id": town[name].node} for name in OTHERS), *strange]
    users += [{"userName": name} for name in (who, town["bob"].user_name, town["dan"].user_name, "nobody")]
    users += [{"email": EMAIL.format(name)} for name in ("bob", "dora")]
    things = [own["ResourceBy"], {"id": town["play"].node}, {"id": refs.encode("Resource", 900)}]
    pairs = [*product(users, things)]
    by_id = [(user["id"], thing["id"]) for user, thing in pairs if "id" in user]
    submit: Any = SCHEMA.type_map["SubmitAccessInput"]
    arguments: dict[str, list[Any]] = {f"by{kind}": [*each] for kind, each in ways.items()}
    arguments |= {
        "idsID": [[town[name].node for name in PEOPLE]],
        "idID": [town["dark"].node],
        "inputSubmitAccessInput": inputs(submit, {**ways, "ResourceBy": []}, own),
        "userUserBy": [user for user, _ in pairs],
        "resourceResourceBy": [thing for _, thing in pairs],
        "roleResourceRole": ["METADATA_READ"],
        "usersID": [[user] for user, _ in by_id],
        "resourcesID": [[thing] for _, thing in by_id],
        "rolesResourceRole": [["ADMIN"]],
    }
    for each in NAMED:
        values = each.values(arguments)
        for at in range(max(map(len, values.values()))):
            yield each.text, {"firstInt": 3, **{name: tried[at % len(tried)] for name, tried in values.items()}}


def changes(town: Town, who: str) -> Iterator[Question]:
    """Yield every change with every object in every place where one is named, run with `validateOnly`."""
    ways, ownership = ways_of(town), {document(name) for name in OWNERSHIP}
    dan = [{"id": town["dan"].node}, {"userName": town["dan"].user_name}]
    for text, change_input in probes(ways, own_of(town, who)):
        if not (text in ownership and any(ref in change_input.values() for ref in dan)):
            yield text, {"input": change_input}


async def answers(api: Api, asker: Person, queries: list[Question]) -> list[str]:
    """Return the complete responses, with their status."""
    responses = []
    for text, variables in queries:
        declared = {name: value for name, value in variables.items() if f"${name}" in text}
        response = await api.post(text, asker, **declared)
        responses.append(f"{response.status_code} {response.text}")
    return responses


def read_routes(town: Town) -> list[str]:
    """Return the path of every read of the REST API, with every org, dataset and user that it can name."""
    words = {
        "orgSlug": ["atelier", "agora", "nowhere"],
        "dsSlug": ["work", "play"],
        "userName": ["fay", town["bob"].user_name, town["dan"].user_name, "nobody"],
    }
    routes = [route.path for route in TABLE if route.method == "GET"]
    requested = []
    for path in routes:
        names = re.findall(r"\{(\w+)\}", path)
        for values in product(*(words.get(name, ["x"]) for name in names)):
            requested.append(path.format(**dict(zip(names, values, strict=True))))
    return [*requested, "/orgs?includePublic=true", "/orgs?ownedOnly=true"]


async def rest_answers(rest: Rest, asker: Person, paths: list[str]) -> list[str]:
    responses = []
    for path in paths:
        reply = await rest("GET", path, as_=asker)
        responses.append(f"{path} {reply.status_code} {reply.text}")
    return responses


def told_apart(queries: list[Any], before: list[str], after: list[str]) -> list[Any]:
    """Return the queries whose responses differ, with both responses."""
    return [each for each in zip(queries, before, after, strict=True) if each[1] != each[2]]


def hidden_from(who: str) -> list[Fact]:
    return [fact for name, fact in FACTS.items() if name not in EXCEPTIONS.get(who, ())]


@pytest.mark.parametrize("who", ASKERS)
async def test_no_read_tells_a_plain_user_a_hidden_fact(
    api: Api, rest: Rest, make: Make, database: db.Database, who: str
) -> None:
    database.clock = lambda: NOW
    town = await build(make)
    queries, paths = [*all_reads(town), *naming(town, who)], read_routes(town)
    before, over_rest = await answers(api, town[who], queries), await rest_answers(rest, town[who], paths)

    await happen(database, town, *hidden_from(who))

    assert told_apart(queries, before, await answers(api, town[who], queries)) == []
    assert told_apart(paths, over_rest, await rest_answers(rest, town[who], paths)) == []
    problems = "GRAPHQL_", "TOO_COMPLEX", "INTERNAL"
    assert [each for each in before if any(word in each for word in problems)] == []


@pytest.mark.parametrize("who", ASKERS)
async def test_no_change_tells_a_plain_user_a_hidden_fact(
    api: Api, make: Make, database: db.Database, who: str
) -> None:
    database.clock = lambda: NOW
    town = await build(make)
    queries = [*changes(town, who)]
    stored = await everything(database)
    before = await answers(api, town[who], queries)

    assert await everything(database) == stored
    await happen(database, town, *hidden_from(who))

    assert told_apart(queries, before, await answers(api, town[who], queries)) == []


WORD = re.compile(r'"(userName|slug|addedByName|lockedByName|actorName)(?:Of\w+)?":\s*"([^"]+)"')
OPEN = {"agora", "divers", "choir", "band", "work", "calm", "play"}
READABLE_NAMES = {
    "alice": {"userName": {"alice", "abel", "dora", "otto", "fay"}, "slug": {"atelier", *OPEN}},
    "abel": {"userName": {"alice", "abel", "otto", "fay"}, "slug": {"shed", *OPEN}},
    "gwen": {"userName": {"alice", "abel", "gwen", "otto", "fay", "erin"}, "slug": {"gem", *OPEN}},
}
"""All names that they read: owners of objects they see, users with a common group or entry, and open groups."""

LOCKED = {"lockedByName": {"alice"}, "actorName": {"alice"}}
"""Facts about the user who locked a resource, which all viewers of the resource see."""


@pytest.mark.parametrize("who", ASKERS)
async def test_a_plain_user_reads_these_names_and_no_others(
    api: Api, make: Make, database: db.Database, who: str
) -> None:
    database.clock = lambda: NOW
    town = await build(make)
    await happen(database, town, *FACTS.values())

    responses = await answers(api, town[who], [(each.text, {"firstInt": 20}) for each in DEEP])

    names: dict[str, set[str]] = {}
    for name, word in WORD.findall("".join(responses)):
        names.setdefault(name, set()).add(word)
    assert names == READABLE_NAMES[who] | LOCKED
    assert [each for each in responses if PART in each] == []


async def test_an_administrator_sees_every_hidden_fact(api: Api, make: Make, database: db.Database) -> None:
    """Otherwise the tests above would pass for any response."""
    database.clock = lambda: NOW
    town = await build(make)
    queries = [(each.text, {"firstInt": 50}) for each in DEEP]
    before = await answers(api, town["root"], queries)

    for name, fact in FACTS.items():
        await happen(database, town, fact)
        after = await answers(api, town["root"], queries)
        assert after != before, name
        before = after


def test_the_queries_reach_every_field() -> None:
    assert set().union(*(each.seen for each in (*DEEP, *NAMED))) == reachable()
