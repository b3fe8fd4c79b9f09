"""Every row of the access matrix, by every API: the condition, one by id, lists, checks and changes."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from graphql import get_named_type
from sqlalchemy import select, update

from app import db, policy
from app.db import tables
from app.db.tables import col
from app.domain import refs
from app.domain.viewer import Permission, Viewer
from app.query.relations import among, integers
from app.security.authentication import Authenticated, viewer_from_token
from app.security.session_tokens import TokenClaims
from tests.oracle.access_matrix import ASKERS, BITS, CHANGES, LETTERS, Asker, creation, outcome
from tests.oracle.access_worlds import NOW, Entry, Plan, Planned, write
from tests.support.client import Api
from tests.support.factories import Make, Person, everything
from tests.support.fetching import fetch
from tests.support.probing import names_in
from tests.support.walking import mutation_type

CELLS = [(kind, locked) for kind in ("DATASET", "MODEL") for locked in (False, True)]
PAST = timedelta(hours=-1)
AT = range(len(CELLS))


@dataclass(frozen=True)
class Row:
    """An asker in a world: their user, and the resource of each cell with its path."""

    asker: Asker
    person: Person
    org: str
    cells: Sequence[tuple[int, str]]

    def sees(self, at: int) -> bool:
        return bool(self.holds(at)) or self.asker.sees_all

    def holds(self, at: int) -> str:
        return self.asker.dataset if CELLS[at][0] == "DATASET" else self.asker.model

    @property
    def as_(self) -> Person | None:
        return None if self.asker.is_nobody else self.person


async def rows(make: Make, database: db.Database) -> list[Row]:
    """Return one row per asker, each with an org and four resources that only the asker has rights on."""
    database.clock = lambda: NOW
    await make.role("orgs_manage", Permission.ORGS_MANAGE)
    await make.role("groups_manage", Permission.GROUPS_MANAGE)
    await make.role("resources_view", Permission.RESOURCES_VIEW)
    await make.role("access_view", Permission.ACCESS_VIEW)
    await make.role("groups_view", Permission.GROUPS_VIEW)
    root = await write(database, _plan())
    path = tables.Resource.path
    keys = {each: key for each, key in await fetch(database, select(col(path), col(tables.Resource.id)))}  # noqa: C416 - mypy knows a row as a tuple of any length
    matrix_rows = []
    for at, asker in enumerate(ASKERS):
        person = Person(root.id + 1 + at, f"person{at + 1}")
        paths = [f"org{at + 1}/thing{at * len(CELLS) + number}" for number in AT]
        matrix_rows.append(Row(asker, person, f"org{at + 1}", [(keys[each], each) for each in paths]))
    await _lock_and_manage(database, matrix_rows)
    return matrix_rows


def _plan() -> Plan:
    """The first org is public and has no owner."""
    plan = Plan([each.registry for each in ASKERS], [None], [{}], [], [])
    for at, asker in enumerate(ASKERS):
        plan.owners.append(at if "org" in asker.owns else None)
        plan.members.append({} if asker.level is None else {at: (int(asker.level), _end(asker, "org"))})
        grants = {len(plan.groups) + each: _entry(asker, roles) for each, roles in enumerate(asker.groups)}
        plan.groups.extend({at: _end(asker, "group")} for _ in asker.groups)
        for kind, _ in CELLS:
            plan.resources.append(_planned(at, asker, kind, grants))
    return plan


def _planned(at: int, asker: Asker, kind: str, groups: dict[int, Entry]) -> Planned:
    return Planned(
        at + 1,
        kind,
        f"{'First' if asker.registry else 'Thing'} {at}",  # before all that administrators see
        0,
        at if "resource" in asker.owns else None,
        _entry(asker, asker.general),
        _entry(asker, asker.anyone) if asker.anyone else None,
        groups,
        {at: _entry(asker, asker.user)} if asker.user else {},
    )


def _entry(asker: Asker, roles: str) -> Entry:
    return sum(BITS[letter] for letter in roles), _end(asker, "grant")


def _end(asker: Asker, what: str) -> timedelta | None:
    return PAST if asker.late == what else None


async def _lock_and_manage(database: db.Database, matrix_rows: Sequence[Row]) -> None:
    locked = [row.cells[at][0] for row in matrix_rows for at in AT if CELLS[at][1]]
    managers = [row.person.id for row in matrix_rows if row.asker.manages_groups]
    member = tables.GroupMember
    async with database.write() as tx:
        lock = {"user_id": None, "reason": "Because.", "created_at": NOW}
        await tx.insert(tables.Lock, [{**lock, "resource_id": key} for key in locked])
        await tx.rows(update(member).where(among(col(member.user_id), integers(managers))).values(is_manager=True))


READ = f"""query ($org: OrgBy!, {", ".join(f"$i{at}: ID!, $p{at}: ResourceBy!" for at in AT)}) {{
  {" ".join(f"n{at}: node(id: $i{at}) {{ id }} p{at}: resource(by: $p{at}) {{ id }}" for at in AT)}
  {
    " ".join(
        f"r{at}: resource(by: {{id: $i{at}}}) {{ id viewerAccess {{ effectiveRoles }} access {{ revision }} "
        "accessSubjects { totalCount } }"
        for at in AT
    )
}
  resources(first: 100) {{ nodes {{ id }} }}
  org(by: $org) {{ id }}
  viewer {{ user {{ accessibleResources(first: 100) {{ nodes {{ id }} }} }} }}
}}"""
CHECK = """query ($users: [ID!]!, $resources: [ID!]!, $roles: [ResourceRole!]!) {
  checkAccessBatch(users: $users, resources: $resources, roles: $roles)
}"""


async def test_every_row_sees_what_it_should_in_every_way(api: Api, make: Make, database: db.Database) -> None:
    mismatches = []
    for row in await rows(make, database):
        if not row.asker.is_gone:
            wanted = {at: row.holds(at) for at in AT}
            for method, said in (await _ways(api, database, row)).items():
                reached = {at: bool(wanted[at]) for at in AT} if method == REACHED else {at: row.sees(at) for at in AT}
                seen = wanted if isinstance(said[0], str) else reached
                mismatches += [(row.asker.name, method, said, seen)] if said != seen else []

    assert mismatches == []


REACHED = "accessible resources"


async def _ways(api: Api, database: db.Database, row: Row) -> dict[str, dict[int, Any]]:
    """Return, for each kind of query, whether the asker sees each cell, or their roles on it."""
    nodes = [refs.encode("Resource", key) for key, _ in row.cells]
    by = [dict(zip(("orgSlug", "slug"), path.split("/"), strict=True)) for _, path in row.cells]
    variables = {f"i{at}": nodes[at] for at in AT} | {f"p{at}": {"path": by[at]} for at in AT}
    reply = await api(READ, as_=row.as_, org={"slug": row.org}, **variables)
    assert "errors" not in reply, reply
    said = reply["data"]
    user = said["viewer"]["user"]
    listed = {each["id"] for each in said["resources"]["nodes"]}
    reached = listed if user is None else {each["id"] for each in user["accessibleResources"]["nodes"]}
    condition = await _condition(database, row)
    assert (said["org"] is not None) == bool(row.asker.org), row.asker.name
    seen: dict[str, dict[int, Any]] = {
        "the condition": {at: row.cells[at][0] in condition for at in AT},
        "by id": {at: said[f"r{at}"] is not None for at in AT},
        "by path": {at: said[f"p{at}"] is not None for at in AT},
        "by global id": {at: said[f"n{at}"] is not None for at in AT},
        "the list": {at: nodes[at] in listed for at in AT},
        REACHED: {at: nodes[at] in reached for at in AT},
        "viewer access": {at: _effective(said[f"r{at}"]) for at in AT},
        "administration": {at: _administers(row, said[f"r{at}"], at) for at in AT},
    }
    return seen if row.asker.is_nobody else {**seen, "checks": await _checks(api, row, nodes)}


def _effective(said: Any) -> str:
    names = [] if said is None else said["viewerAccess"]["effectiveRoles"]
    return "".join(letter for letter, name in LETTERS.items() if name in names)


def _administers(row: Row, said: Any, at: int) -> bool:
    """Return whether the asker sees the resource; administrators and users who see all also see its access."""
    sees_access, listed = (said is not None and said[name] is not None for name in ("access", "accessSubjects"))
    administers = "a" in row.holds(at)
    assert sees_access == (administers or row.asker.sees_all), (row.asker.name, at)
    assert listed == (administers or (row.asker.asks and row.sees(at))), (row.asker.name, at)
    return said is not None


async def _condition(database: db.Database, row: Row) -> set[int]:
    """Return the resources that satisfy the condition of the policy."""
    found = await viewer_from_token(database, TokenClaims(row.person.id, row.person.user_name, False, 0))
    viewer = found.viewer if isinstance(found, Authenticated) and not row.asker.is_nobody else Viewer(None)
    seen = select(col(tables.Resource.id)).where(policy.sees_resource(viewer))
    return {each[0] for each in await fetch(database, seen, viewer_id=viewer.user_id, now=NOW)}


async def _checks(api: Api, row: Row, nodes: Sequence[str]) -> dict[int, str]:
    checks = [(at, letter) for at in AT for letter in LETTERS]
    columns = {"resources": [nodes[at] for at, _ in checks], "roles": [LETTERS[letter] for _, letter in checks]}
    reply = await api(CHECK, as_=row.as_, users=[row.person.node] * len(checks), **columns)
    answers = list(zip(checks, reply["data"]["checkAccessBatch"], strict=True))
    return {at: "".join(letter for (of, letter), yes in answers if of == at and yes) for at in AT}


NAMES = (*CHANGES, "createResource")
CHANGE = f"""mutation ({", ".join(f"${name}: {name[0].upper()}{name[1:]}Input!" for name in NAMES)}) {{
  {" ".join(f"{name}(input: ${name}) {{ errors {{ code }} }}" for name in NAMES)}
}}"""
PREVIEW = "query ($input: SubmitAccessInput!) { previewAccess(input: $input) { errors { code } } }"


def test_every_change_that_names_a_resource_is_in_the_matrix() -> None:
    fields = mutation_type().fields.items()
    inputs: Any = {name: get_named_type(field.args["input"].type) for name, field in fields if field.args}
    named = {name for name, kind in inputs.items() if "ResourceBy" in names_in(kind)}
    assert named - {"createApiToken"} == set(CHANGES)  # a token that is limited to some changes nothing of them


async def test_every_row_changes_what_it_may_and_nothing_else(api: Api, make: Make, database: db.Database) -> None:
    """Permitted changes run with `validateOnly`; rejected ones run for real, and none of them changes anything."""
    matrix_rows, mismatches = await rows(make, database), []
    before = await everything(database)
    for row in matrix_rows:
        for at in AT if not row.asker.is_gone else ():
            wanted = _wanted(row, at)
            said = await _outcomes(api, row, at, wanted)
            mismatches += [
                (row.asker.name, CELLS[at], name, said[name], wanted[name])
                for name in said
                if said[name] != wanted[name]
            ]

    assert mismatches == []
    assert await everything(database) == before


async def test_a_deactivated_user_gets_401(api: Api, make: Make, database: db.Database) -> None:
    gone = [row for row in await rows(make, database) if row.asker.is_gone]
    before = await everything(database)

    for row in gone:
        inputs = _inputs(row, 0, dict.fromkeys(NAMES, ""))
        assert (await api.post(CHANGE, row.person, **inputs)).status_code == 401
        assert (await api.post("{ resources { totalCount } }", row.person)).status_code == 401

    assert len(gone) == 2
    assert await everything(database) == before


def _wanted(row: Row, at: int) -> dict[str, str]:
    outcomes = {
        name: outcome(row.asker, change, row.holds(at), locked=CELLS[at][1]) for name, change in CHANGES.items()
    }
    return {**outcomes, "createResource": creation(row.asker), "previewAccess": outcomes["submitAccess"]}


async def _outcomes(api: Api, row: Row, at: int, wanted: dict[str, str]) -> dict[str, str]:
    inputs = _inputs(row, at, wanted)
    changed = await api(CHANGE, as_=row.as_, **inputs)
    tried = await api(PREVIEW, as_=row.as_, input=inputs["submitAccess"])
    return {**_outcome_codes(changed, NAMES), **_outcome_codes(tried, ("previewAccess",))}


def _outcome_codes(reply: dict[str, Any], names: Sequence[str]) -> dict[str, str]:
    refused = {each["path"][0]: each["extensions"]["code"] for each in reply.get("errors", ())}
    payloads = reply["data"] or {}
    said = {name: [each["code"] for each in (payloads.get(name) or {"errors": []})["errors"]] for name in names}
    return {name: refused.get(name) or "".join(said[name]) or "OK" for name in names}


def _inputs(row: Row, at: int, wanted: dict[str, str]) -> dict[str, dict[str, Any]]:
    by = {"resource": {"id": refs.encode("Resource", row.cells[at][0])}}
    grant = {**by, "subject": {"general": True}, "roles": []}
    inputs: dict[str, dict[str, Any]] = {
        "updateResource": {**by, "name": "Other"},
        "patchResourceMetadata": {**by, "patch": {"a": 1}},
        "renameResource": {**by, "slug": "renamed"},
        "transferResource": {**by, "owner": {"id": row.person.node}},
        "deleteResource": by,
        "deleteResources": {"resources": [by["resource"]]},
        "submitAccess": {**by, "revision": 1, "general": {"roles": []}},
        "grantAccess": grant,
        "grantAccessBatch": {"grants": [grant]},
        "revokeAccess": {**by, "subject": {"general": True}},
        "revokeAccessBatch": {"grants": [{**by, "subject": {"general": True}}]},
        "lockResource": {**by, "reason": "Because."},
        "unlockResource": {**by, "reason": "Because."},
        "beginUpload": {**by, "sizeBytes": 1},
        "beginDownload": by,
        "createResource": {"org": {"slug": row.org}, "type": "MODEL", "slug": "fresh", "name": "Fresh"},
    }
    return {name: {**each, "validateOnly": wanted[name] == "OK"} for name, each in inputs.items()}
