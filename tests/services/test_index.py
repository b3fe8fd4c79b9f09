"""The access index agrees with its definition after every sequence of changes."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select, update

from app import db
from app.db import tables
from app.db.tables import col
from app.graphql.schema import core
from app.services import access_index
from tests.oracle.access_queries import all_agree, checks_agree, lists_agree, query_data
from tests.oracle.access_worlds import NOW, OF_DATA, REGISTRAR, Plan, Planned, World, named, plans, world_of, write
from tests.oracle.generated import generated
from tests.support.changes import change
from tests.support.client import Api, codes
from tests.support.factories import Person, stale
from tests.support.fetching import fetch

HALF = timedelta(minutes=30)


@dataclass(frozen=True)
class State:
    """Objects that can be changed, by their names in the API."""

    world: World
    orgs: list[str]
    groups: list[str]
    users: list[str]
    paths: list[str]
    now: datetime

    def end(self, number: int) -> str | None:
        return (None, None, (self.now + HALF).isoformat(), (self.now + 3 * HALF).isoformat())[number % 4]

    def resource(self, number: int) -> dict[str, Any]:
        org, slug = (_pick(self.paths, number) or "none/none").split("/")
        return {"path": {"orgSlug": org, "slug": slug}}

    def roles(self, number: int, chosen: int) -> list[str]:
        """Roles that the type of the resource has."""
        existing = {each.path: each for each in self.world.resources.values()}.get(_pick(self.paths, number) or "")
        return sorted(named(chosen % 32) - (set() if existing and existing.has_data else OF_DATA))

    def org(self, number: int) -> dict[str, Any]:
        return {"slug": _pick(self.orgs, number) or "none"}

    def group(self, number: int) -> dict[str, Any]:
        return {"slug": _pick(self.groups, number) or "none"}

    def user(self, number: int) -> dict[str, Any]:
        """Anybody but the administrator who asks."""
        return {"userName": _pick(self.users[1:], number) or "none"}


async def state_of(database: db.Database) -> State:
    async def each(column: Any) -> list[str]:
        return [row[0] for row in await fetch(database, select(col(column)).order_by(col(column)))]

    org, group, path = tables.Org.slug, tables.Group.slug, tables.Resource.path
    world = await world_of(database)
    names = [each.name for each in world.users.values()]
    return State(world, await each(org), await each(group), names, await each(path), database.clock())


def _pick(items: Sequence[str], number: int) -> str | None:
    return items[number % len(items)] if items else None


Numbers = tuple[int, int, int, int]
LEVELS = ("READ_ONLY", "READ_WRITE", "READ_WRITE_DELETE", "ADMIN")
CONFLICTS = ("HALT", "OVERWRITE", "RENAME")
ROLES: Sequence[list[str]] = (["user"], ["deactivated"], [REGISTRAR], [])


def _subject(state: State, kind: int, number: int) -> dict[str, Any]:
    kinds = ({"group": state.group(number)}, {"user": state.user(number)}, {"general": True})
    return dict(kinds[kind % 3])


def _grant(state: State, n: Numbers) -> dict[str, Any]:
    fields = {"resource": state.resource(n[0]), "subject": _subject(state, n[1], n[2])}
    return {**fields, "roles": state.roles(n[0], n[3]), "expiresAt": state.end(n[3])}


def _submit(state: State, n: Numbers) -> dict[str, Any]:
    entry = {"roles": state.roles(n[0], n[3]), "expiresAt": state.end(n[1])}
    fields = {"resource": state.resource(n[0]), "revision": 0, "general": {"roles": state.roles(n[0], n[2])}}
    fields |= {"groups": [{**entry, "group": state.group(n[1])}], "users": [{**entry, "user": state.user(n[2])}]}
    return {**fields, "anyone": {"roles": ["METADATA_READ"]} if n[3] % 2 else None}


def _mode(number: int) -> str:
    return ("UPDATE", "SKIP", "FAIL")[number % 3]


CHANGES: Mapping[str, Callable[[State, Numbers], dict[str, Any]]] = {
    "createOrg": lambda s, n: {"slug": f"org{n[0] % 4}", "name": "Org", "owner": s.user(n[1])},
    "updateOrg": lambda s, n: {"org": s.org(n[0]), "name": f"Org {n[1]}", "isPublic": n[2] % 2 == 0},
    "transferOrg": lambda s, n: {"org": s.org(n[0]), "owner": s.user(n[1])},
    "mergeOrgs": lambda s, n: {
        "source": s.org(n[0]),
        "destination": s.org(n[1]),
        "onConflict": CONFLICTS[n[2] % 3],
    },
    "moveResources": lambda s, n: {
        "source": s.org(n[0]),
        "destination": s.org(n[1]),
        "slugs": [s.resource(number)["path"]["slug"] for number in (n[2], n[2] + 1)],
        "onConflict": CONFLICTS[n[3] % 3],
    },
    "renameResource": lambda s, n: {"resource": s.resource(n[0]), "slug": f"thing{n[1] % 9}"},
    "deleteOrg": lambda s, n: {"org": s.org(n[0])},
    "addOrgMember": lambda s, n: {
        "org": s.org(n[0]),
        "user": s.user(n[1]),
        "level": LEVELS[n[2] % 4],
        "expiresAt": s.end(n[3]),
    },
    "updateOrgMember": lambda s, n: {"org": s.org(n[0]), "user": s.user(n[1]), "level": LEVELS[n[2] % 4]},
    "removeOrgMember": lambda s, n: {"org": s.org(n[0]), "user": s.user(n[1])},
    "createGroup": lambda s, n: {"slug": f"group{n[0] % 4}", "displayName": "Group"},
    "updateGroup": lambda s, n: {"group": s.group(n[0]), "displayName": f"Group {n[1]}"},
    "deleteGroup": lambda s, n: {"group": s.group(n[0])},
    "addGroupMembers": lambda s, n: {
        "group": s.group(n[0]),
        "members": [{"user": s.user(n[1]), "expiresAt": s.end(n[2])}],
    },
    "removeGroupMembers": lambda s, n: {"group": s.group(n[0]), "members": [s.user(n[1])]},
    "updateGroupMember": lambda s, n: {
        "group": s.group(n[0]),
        "user": s.user(n[1]),
        **({"expiresAt": s.end(n[2])} if n[3] % 2 else {"clear": ["EXPIRES_AT"]}),
    },
    "setGroupManager": lambda s, n: {"group": s.group(n[0]), "user": s.user(n[1]), "isManager": n[2] % 2 == 0},
    "createResource": lambda s, n: {
        "org": s.org(n[0]),
        "type": ("DATASET", "MODEL")[n[1] % 2],
        "slug": f"thing{n[2] % 9}",
        "name": f"Thing {n[3] % 3}",
    },
    "updateResource": lambda s, n: {"resource": s.resource(n[0]), "name": f"Thing {n[1]}"},
    "transferResource": lambda s, n: {
        "resource": s.resource(n[0]),
        **({"owner": s.user(n[1])} if n[3] % 2 else {"org": s.org(n[2])}),
    },
    "deleteResource": lambda s, n: {"resource": s.resource(n[0])},
    "submitAccess": _submit,
    "grantAccess": _grant,
    "revokeAccess": lambda s, n: {"resource": s.resource(n[0]), "subject": _subject(s, n[1], n[2])},
    "grantAccessBatch": lambda s, n: {"grants": [_grant(s, n), _grant(s, (n[1], n[2], n[3], n[0]))]},
    "createOrgs": lambda s, n: {
        "orgs": [{"slug": f"org{n[0] % 4}", "name": f"Org {n[1]}", "owner": s.user(n[2])}],
        "onConflict": _mode(n[3]),
    },
    "addOrgMembers": lambda s, n: {
        "org": s.org(n[0]),
        "members": [{"user": s.user(n[1]), "level": LEVELS[n[2] % 4], "expiresAt": s.end(n[3])}],
        "onConflict": _mode(n[2]),
    },
    "removeOrgMembers": lambda s, n: {"org": s.org(n[0]), "members": [s.user(n[1])], "onMissing": "SKIP"},
    "createGroups": lambda s, n: {
        "groups": [{"slug": f"group{n[0] % 4}", "displayName": f"Group {n[1]}"}],
        "onConflict": _mode(n[2]),
    },
    "deleteGroups": lambda s, n: {"groups": [s.group(n[0]), s.group(n[0] + 1)], "onMissing": "SKIP"},
    "createResources": lambda s, n: {
        "resources": [
            {"org": s.org(n[0]), "type": "DATASET", "slug": f"thing{number % 9}", "name": f"Thing {n[3] % 3}"}
            for number in (n[2], n[2] + 1)
        ],
        "onConflict": _mode(n[1]),
    },
    "deleteResources": lambda s, n: {"resources": [s.resource(n[0]), s.resource(n[0] + 1)], "onMissing": "SKIP"},
    "revokeAccessBatch": lambda s, n: {
        "grants": [{"resource": s.resource(n[0]), "subject": _subject(s, n[1], number)} for number in (n[2], n[2] + 1)],
        "onMissing": "SKIP",
    },
    "createUsers": lambda s, n: {
        "users": [{**s.user(n[0]), "roles": ROLES[n[1] % 4]}],
        "onConflict": _mode(n[2]),
    },
    "deleteUsers": lambda s, n: {"users": [s.user(n[0]), s.user(n[0] + 1)], "onMissing": "SKIP"},
    "lockResource": lambda s, n: {"resource": s.resource(n[0]), "reason": "Because."},
    "unlockResource": lambda s, n: {"resource": s.resource(n[0]), "reason": "Because."},
    "createUser": lambda s, n: {"userName": f"person{1 + n[0] % 8}"},
    "deleteUser": lambda s, n: {"user": s.user(n[0]), "successor": s.user(n[1]) if n[2] % 2 else None},
    "assignRoles": lambda s, n: {"user": s.user(n[0]), "roles": ROLES[n[1] % 4]},
    "addRoles": lambda s, n: {"user": s.user(n[0]), "roles": ROLES[n[1] % 4]},
    "removeRoles": lambda s, n: {"user": s.user(n[0]), "roles": ROLES[n[1] % 4]},
    "deactivateUser": lambda s, n: {"user": s.user(n[0])},
    "reactivateUser": lambda s, n: {"user": s.user(n[0])},
}
"""Every change that can move a right, as something to try in a world that is there."""

UNRELATED = {"login", "logout", "refreshToken", "signOutEverywhere", "changePassword", "resetPassword"}
UNRELATED |= {"updateUser", "setUserMetadata", "createRole", "updateRole", "deleteRole"}
UNRELATED |= {"patchUserMetadata", "patchResourceMetadata", "updateViewer", "renameUser", "setOrgQuota"}
UNRELATED |= {"createApiToken", "revokeApiToken", "createServiceAccount"}
UNRELATED |= {"createResourceType", "beginUpload", "finishUpload", "cancelUpload", "beginDownload"}
"""These change no row from which rights follow, or do what another does: `updateUser` assigns roles."""

numbers = st.tuples(*[st.integers(0, 99)] * 4)
TIME = "time passes"
ORDER = st.permutations((*CHANGES, TIME, TIME))
DRAWN = st.lists(numbers, min_size=len(CHANGES) + 2, max_size=len(CHANGES) + 2)


def test_every_change_is_tried_here_or_has_a_reason_not_to_be() -> None:
    mutations = core().mutation_type
    assert mutations is not None
    assert set(mutations.fields) == {*CHANGES} | UNRELATED


async def _stored(database: db.Database) -> list[str]:
    rows = await fetch(database, select(*(col(getattr(tables.Access, name)) for name in access_index.COLUMNS)))
    return sorted(map(repr, rows))


async def _changed(api: Api, database: db.Database, root: Person, name: str, fields: dict[str, Any]) -> bool:
    """Run a mutation, check the index and every access check after it, and return True if it succeeded."""
    if name == "submitAccess":
        fields = {**fields, "revision": await _revision(api, root, fields["resource"])}
    reply = await api(change(name), as_=root, input=fields)
    assert "errors" not in reply, (name, reply)
    assert await stale(database) == set()
    await checks_agree(api, await world_of(database), root)
    return codes(reply) == []


async def _revision(api: Api, root: Person, resource: dict[str, Any]) -> int:
    query = "query ($by: ResourceBy!) { resource(by: $by) { access { revision } } }"
    row = (await query_data(api, query, root, by=resource))["resource"]
    return 0 if row is None else int(row["access"]["revision"])


@generated(2)
@given(plan=plans(), order=ORDER, drawn=DRAWN)
async def test_the_index_follows_any_sequence_of_changes(
    api: Api, database: db.Database, plan: Plan, order: Sequence[str], drawn: Sequence[Numbers]
) -> None:
    database.clock = lambda: NOW
    root = await write(database, plan)
    for name, each in zip(order, drawn, strict=True):
        if name == TIME:
            _set_clock(database, database.clock() + HALF)
        else:
            await _changed(api, database, root, name, CHANGES[name](await state_of(database), each))

    async with database.write() as tx:  # a user that was created here has tokens of another generation
        await tx.rows(update(tables.User).values(token_generation=0))
    await all_agree(api, database, root)
    await _rebuilding_changes_nothing(database)


def _set_clock(database: db.Database, now: datetime) -> None:
    database.clock = lambda: now


async def _rebuilding_changes_nothing(database: db.Database) -> None:
    before = await _stored(database)
    async with database.write() as tx:
        assert await access_index.rebuild(tx) == len(before)
    assert await _stored(database) == before


def _by(org: str, slug: str) -> dict[str, Any]:
    return {"path": {"orgSlug": org, "slug": slug}}


ACME, BIRD = _by("acme", "rain"), _by("bird", "rain")
GRANT = {"resource": ACME, "roles": ["METADATA_WRITE"]}
PILOTS, ANN, BEA = {"slug": "pilots"}, {"userName": "person1"}, {"userName": "person2"}
STORY: Sequence[tuple[str, dict[str, Any]]] = (
    ("createOrg", {"slug": "acme", "name": "Acme", "owner": ANN}),
    ("createOrg", {"slug": "bird", "name": "Bird"}),
    ("createGroup", {"slug": "pilots", "displayName": "Pilots"}),
    ("addGroupMembers", {"group": PILOTS, "members": [{"user": ANN}, {"user": BEA}]}),
    ("setGroupManager", {"group": PILOTS, "user": BEA, "isManager": True}),
    ("updateGroupMember", {"group": PILOTS, "user": BEA, "expiresAt": (NOW + HALF).isoformat()}),
    ("updateGroupMember", {"group": PILOTS, "user": BEA, "clear": ["EXPIRES_AT"]}),
    ("createResource", {"org": {"slug": "acme"}, "type": "DATASET", "slug": "rain", "name": "Rain"}),
    ("createResource", {"org": {"slug": "acme"}, "type": "MODEL", "slug": "snow", "name": "Snow"}),
    ("grantAccess", {**GRANT, "subject": {"group": PILOTS}}),
    ("grantAccess", {**GRANT, "subject": {"user": BEA}, "expiresAt": (NOW + HALF).isoformat()}),
    ("grantAccess", {**GRANT, "subject": {"anyone": True}, "roles": ["DATASET_DATA_READ"]}),
    ("updateResource", {"resource": ACME, "name": "Heavy rain"}),
    ("lockResource", {"resource": ACME, "reason": "Published."}),
    ("grantAccess", {**GRANT, "subject": {"general": True}, "roles": []}),
    ("unlockResource", {"resource": ACME, "reason": "Wrong."}),
    ("transferResource", {"resource": ACME, "owner": BEA}),
    ("transferResource", {"resource": ACME, "org": {"slug": "bird"}}),
    ("addOrgMember", {"org": {"slug": "bird"}, "user": ANN, "level": "READ_ONLY"}),
    ("updateOrgMember", {"org": {"slug": "bird"}, "user": ANN, "level": "ADMIN"}),
    ("removeOrgMember", {"org": {"slug": "bird"}, "user": ANN}),
    ("transferOrg", {"org": {"slug": "bird"}, "owner": ANN}),
    ("deleteGroup", {"group": PILOTS}),
    ("createGroup", {"slug": "pilots", "displayName": "Other pilots"}),
    ("addGroupMembers", {"group": PILOTS, "members": [{"user": BEA}]}),
    ("submitAccess", {"resource": BIRD, "general": {"roles": []}, "groups": [{"group": PILOTS, "roles": ["ADMIN"]}]}),
    ("revokeAccess", {"resource": BIRD, "subject": {"group": PILOTS}}),
    ("assignRoles", {"user": BEA, "roles": [REGISTRAR]}),
    ("addRoles", {"user": BEA, "roles": ["user"]}),
    ("removeRoles", {"user": BEA, "roles": ["user"]}),
    ("deactivateUser", {"user": BEA}),
    ("reactivateUser", {"user": BEA}),
    ("deleteUser", {"user": BEA, "successor": ANN}),
    ("createUser", {"userName": "person2"}),
    ("deleteUser", {"user": ANN}),
    ("deleteResource", {"resource": BIRD}),
    ("deleteOrg", {"org": {"slug": "acme"}}),
)
"""A sequence of changes that all succeed; deleted slugs and names are used again."""


async def test_the_index_follows_a_life_of_changes(api: Api, database: db.Database) -> None:
    database.clock = lambda: NOW
    root = await write(database, Plan([("user",)] * 3, [], [], [], []))
    for name, asked_for in STORY:
        assert await _changed(api, database, root, name, asked_for), (name, asked_for)

    assert await _stored(database) == []


async def test_rights_end_on_time_with_no_job_running(api: Api, database: db.Database) -> None:
    """By grant and by membership, in checks and in lists; the index stays as it is."""
    hour = timedelta(hours=1)
    rain = Planned(0, "DATASET", "Rain", 0, None, (1, hour), (1, 2 * hour), {0: (2, 3 * hour)}, {1: (16, hour)})
    snow = replace(rain, general=(0, None), anyone=None, groups={0: (4, None)}, users={})
    plan = Plan([("user",)] * 4, [0], [{2: (3, 2 * hour)}], [{3: 2 * hour, 1: None}], [rain, snow])
    database.clock = lambda: NOW
    root = await write(database, plan)
    stored, seen = await _stored(database), []

    for after in (timedelta(0), hour - timedelta(microseconds=1), hour, 2 * hour, 3 * hour):
        _set_clock(database, NOW + after)
        world = await world_of(database)
        await checks_agree(api, world, root)
        for person in (None, *world.people):
            await lists_agree(api, world, person)
        seen.append(sum(len(world.holds(user, key)) for user in world.users for key in world.resources))

    assert seen == sorted(seen, reverse=True)
    assert seen[0] == seen[1] > seen[2] > seen[3] > seen[4]
    assert await _stored(database) == stored
