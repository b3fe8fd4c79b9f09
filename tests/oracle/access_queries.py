"""Every query about rights: each reply must be equal to the definition in `access_worlds`."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import count
from typing import Any

import pytest

from app import db, policy
from app.db import tables
from app.domain import refs
from app.services import access_cache
from tests.oracle.access_worlds import IMPLIED, OF_DATA, ROLES, ResourceState, World, world_of
from tests.support.client import Api
from tests.support.factories import Person

ORDERS = tuple((field, direction) for field in ("NAME", "CREATED_AT", "UPDATED_AT") for direction in ("ASC", "DESC"))
TYPES = ("DATASET", "MODEL")
FIRST = "first: 50"
IDS = "{ totalCount nodes { id } }"
HOLDERS = "{ totalCount nodes { kind roles user { id } } }"


def _order(at: int) -> str:
    return f"orderBy: [{{field: {ORDERS[at][0]}, direction: {ORDERS[at][1]}}}]"


def _written(kind: str) -> str:
    return f'{{type: {{eq: "{kind}"}}, viewerRole: METADATA_WRITE}}'


CHECKED_ROLES = [(at, role) for at in range(4) for role in ROLES]
CHECKS = f"""query ($user: UserBy!, {", ".join(f"$r{at}: ResourceBy!" for at in range(4))}) {{
  {" ".join(f"c{at}{role}: checkAccess(user: $user, resource: $r{at}, role: {role})" for at, role in CHECKED_ROLES)}
}}"""
BATCH = """query ($users: [ID!]!, $resources: [ID!]!, $roles: [ResourceRole!]!) {
  checkAccessBatch(users: $users, resources: $resources, roles: $roles)
}"""
EXPLAIN = f"""query ({", ".join(f"$u{at}: UserBy!, $r{at}: ResourceBy!" for at in range(20))}) {{
  {" ".join(f"e{at}: explainAccess(user: $u{at}, resource: $r{at}) {{ kind effectiveRoles }}" for at in range(20))}
}}"""
ACCESSIBLE = f"""{{ users(first: 50) {{ nodes {{ id
  {" ".join(f"o{at}: accessibleResources({FIRST}, {_order(at)}) {IDS}" for at in range(len(ORDERS)))}
  {" ".join(f"{role}: accessibleResources({FIRST}, role: {role}) {IDS}" for role in ROLES)}
  {" ".join(f'{kind}: accessibleResources({FIRST}, type: "{kind}", role: METADATA_WRITE) {IDS}' for kind in TYPES)}
}} }} }}"""
ACCESS_SUBJECTS = f"""{{ resources({FIRST}) {{ nodes {{ id
  {" ".join(f"{role}: accessSubjects({FIRST}, role: {role}) {HOLDERS}" for role in ROLES)}
  all: accessSubjects({FIRST}) {HOLDERS}
}} }} }}"""
LISTED = f"""query ($ids: [ID!]!) {{
  {" ".join(f"o{at}: resources({FIRST}, {_order(at)}) {IDS}" for at in range(len(ORDERS)))}
  {" ".join(f"{role}: resources({FIRST}, filter: {{viewerRole: {role}}}) {IDS}" for role in ROLES)}
  {" ".join(f"{kind}: resources({FIRST}, filter: {_written(kind)}) {IDS}" for kind in TYPES)}
  nodes(ids: $ids) {{ id }}
  resources({FIRST}) {{ nodes {{ id
    viewerAccess {{ grantedRoles effectiveRoles sources {{ kind effectiveRoles }} }}
  }} }}
}}"""
LOOKUPS = f"""query ({", ".join(f"$r{at}: ResourceBy!, $p{at}: ResourceBy!" for at in range(10))}) {{
  {" ".join(f"r{at}: resource(by: $r{at}) {{ id }} p{at}: resource(by: $p{at}) {{ id }}" for at in range(10))}
}}"""
PAGE = "totalCount pageInfo { hasNextPage hasPreviousPage } edges { cursor node { id } }"
PAGING = "$first: Int, $after: String, $last: Int, $before: String"
PASSED = "first: $first, after: $after, last: $last, before: $before"
MY_PAGE = f"""query ({PAGING}, $order: [ResourceOrder!], $role: ResourceRole) {{ viewer {{ user {{
  accessibleResources({PASSED}, orderBy: $order, role: $role) {{ {PAGE} }}
}} }} }}"""
LIST_PAGE = f"""query ({PAGING}, $order: [ResourceOrder!], $filter: ResourceFilter) {{
  resources({PASSED}, orderBy: $order, filter: $filter) {{ {PAGE} }}
}}"""


async def all_agree(api: Api, database: db.Database, root: Person) -> None:
    """Send every query about every user, the anonymous one too, every resource and every role."""
    world = await world_of(database)
    await checks_agree(api, world, root)
    await checks_of_one_user_agree(api, database, world, root)
    await explanations_agree(api, world, root)
    await accessible_agree(api, world, root)
    await access_subjects_agree(api, world, root)
    for at, person in enumerate([None, *world.people]):
        await lists_agree(api, world, person)
        await lookups_agree(api, world, person)
        if person is not None:
            await own_checks_agree(api, world, person)
            if at % 3 == len(world.resources) % 3:
                await pages_agree(api, world, person, at + len(world.users))


async def query_data(api: Api, query: str, as_: Person | None, **variables: Any) -> Any:
    reply = await api(query, as_=as_, **variables)
    assert "errors" not in reply, reply
    return reply["data"]


def user_id(key: int) -> str:
    return refs.encode("User", key)


def resource_id(key: int) -> str:
    return refs.encode("Resource", key)


def nodes(keys: Iterable[int]) -> list[str]:
    return [resource_id(key) for key in keys]


def listed(roles: Iterable[str]) -> list[str]:
    """Return roles in the order of the API."""
    return [role for role in ROLES if role in set(roles)]


def _padded(items: Sequence[Any], size: int) -> list[list[Any]]:
    """Return parts of one size; the last part repeats its last item."""
    parts = [list(items[at : at + size]) for at in range(0, len(items), size)]
    return [part + part[-1:] * (size - len(part)) for part in parts]


def _ordered(world: World, keys: Iterable[int], at: int) -> list[int]:
    field, direction = ORDERS[at]

    def place(key: int) -> Any:
        row = world.resources[key]
        values = {
            "NAME": tables.sort_key(row.name),
            "CREATED_AT": row.created_at,
            "UPDATED_AT": row.updated_at,
        }
        return values[field], key

    return sorted(keys, key=place, reverse=direction == "DESC")


def _reached(world: World, user: int | None, role: str = "METADATA_READ", kind: str | None = None) -> list[int]:
    """Return the resources on which a user holds a role."""
    return [key for key, row in world.resources.items() if role in world.holds(user, key) and kind in {None, row.type}]


async def checks_agree(api: Api, world: World, root: Person) -> None:
    """Compare `checkAccessBatch` about every user, resource and role."""
    rows = [(user, key, role) for user in world.users for key in world.resources for role in ROLES]
    columns = {
        "users": [user_id(user) for user, _, _ in rows],
        "resources": nodes(key for _, key, _ in rows),
        "roles": [role for _, _, role in rows],
    }
    answers = (await query_data(api, BATCH, root, **columns))["checkAccessBatch"]
    said = {row for row, answer in zip(rows, answers, strict=True) if answer}
    assert said == {row for row in rows if row[2] in world.holds(row[0], row[1])}


async def checks_of_one_user_agree(api: Api, database: db.Database, world: World, root: Person) -> None:
    """Compare `checkAccessBatch` about each user alone: the statement for many checks of one user, at any number."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(policy, "MANY_PAIRS", 1)
        for user in world.users:
            database.caches.pop(access_cache.MASK_CACHES[policy.PAIR, True], None)
            await checks_agree(api, replace(world, users={user: world.users[user]}), root)


async def own_checks_agree(api: Api, world: World, person: Person) -> None:
    """Compare `checkAccess` about the viewer."""
    for part in _padded(list(world.resources), 4):
        by = {f"r{at}": {"id": resource_id(key)} for at, key in enumerate(part)}
        said = await query_data(api, CHECKS, person, user={"id": person.node}, **by)
        for at, key in enumerate(part):
            assert {role for role in ROLES if said[f"c{at}{role}"]} == world.holds(person.id, key), (person, key)


async def explanations_agree(api: Api, world: World, root: Person) -> None:
    """Compare the union of the sources of `explainAccess`; each source has a role."""
    pairs = [(user, key) for user in world.users for key in world.resources]
    for part in _padded(pairs, 20):
        users = {f"u{at}": {"id": user_id(user)} for at, (user, _) in enumerate(part)}
        by = {f"r{at}": {"id": resource_id(key)} for at, (_, key) in enumerate(part)}
        said = await query_data(api, EXPLAIN, root, **users, **by)
        for at, (user, key) in enumerate(part):
            assert all(source["effectiveRoles"] for source in said[f"e{at}"])
            roles = {role for source in said[f"e{at}"] for role in source["effectiveRoles"]}
            assert roles == world.holds(user, key), (
                user,
                key,
            )


async def accessible_agree(api: Api, world: World, root: Person) -> None:
    """Compare `User.accessibleResources` of every user, in every order, by role and by type."""
    said = {each["id"]: each for each in (await query_data(api, ACCESSIBLE, root))["users"]["nodes"]}
    assert set(said) == {user_id(user) for user in world.users}
    for user in world.users:
        _check_lists(world, user, said[user_id(user)])


def _check_lists(world: World, user: int | None, said: dict[str, Any]) -> None:
    for at in range(len(ORDERS)):
        _check_list(said[f"o{at}"], _ordered(world, _reached(world, user), at), (user, ORDERS[at]))
    for role in ROLES:
        _check_list(said[role], _ordered(world, _reached(world, user, role), 0), (user, role))
    for kind in TYPES:
        _check_list(said[kind], _ordered(world, _reached(world, user, "METADATA_WRITE", kind), 0), (user, kind))


def _check_list(said: dict[str, Any], keys: list[int], about: Any) -> None:
    assert [each["id"] for each in said["nodes"]] == nodes(keys), about
    assert said["totalCount"] == len(keys), about


async def access_subjects_agree(api: Api, world: World, root: Person) -> None:
    """Compare `accessSubjects`: all of a kind are one entry, a user is listed with roles by ways of their own."""
    said = {each["id"]: each for each in (await query_data(api, ACCESS_SUBJECTS, root))["resources"]["nodes"]}
    assert set(said) == set(nodes(world.resources))
    for key, resource in world.resources.items():
        entries = _entries(world, key, resource)
        _check_access_subjects(said[resource_id(key)]["all"], entries)
        for role in ROLES:
            _check_access_subjects(said[resource_id(key)][role], [each for each in entries if role in each["roles"]])
        for user in world.users:
            assert _expanded(entries, world, user) == world.holds(user, key), (user, key)


def _entries(world: World, key: int, resource: ResourceState) -> list[dict[str, Any]]:
    open_ = [("ANYONE", resource.anyone), ("GENERAL", resource.general)]
    own = replace(world, resources={key: replace(resource, anyone=set(), general=set())})
    user_ids = sorted(world.users, key=lambda user: tables.casefold_key(world.users[user].name))
    entries: list[dict[str, Any]] = [
        {"kind": kind, "roles": listed(_closed(roles, resource)), "user": None} for kind, roles in open_
    ]
    entries += [
        {"kind": "USER", "roles": listed(own.holds(user, key)), "user": {"id": user_id(user)}} for user in user_ids
    ]
    return [each for each in entries if each["roles"]]


def _closed(roles: set[str], resource: ResourceState) -> set[str]:
    return roles.union(*(IMPLIED[role] for role in roles)) - (set() if resource.has_data else OF_DATA)


def _expanded(entries: list[dict[str, Any]], world: World, user: int) -> set[str]:
    if world.users[user].is_deactivated:
        return set()
    kinds = {"ANYONE", "GENERAL"}
    mine = [each for each in entries if each["kind"] in kinds or each["user"] == {"id": user_id(user)}]
    return {role for each in mine for role in each["roles"]}


def _check_access_subjects(said: dict[str, Any], entries: list[dict[str, Any]]) -> None:
    wanted = {"totalCount": len(entries), "nodes": entries}
    assert said == wanted, (said, wanted)


async def lists_agree(api: Api, world: World, person: Person | None) -> None:
    """Compare `resources` with counts, orders and filters, `nodes`, and `viewerAccess` of each listed resource."""
    user = None if person is None else person.id
    said = await query_data(api, LISTED, person, ids=nodes(world.resources))
    _check_lists(world, user, said)
    seen = _reached(world, user)
    assert said["nodes"] == [{"id": resource_id(key)} if key in seen else None for key in world.resources]
    assert {each["id"] for each in said["resources"]["nodes"]} == set(nodes(seen))
    for each in said["resources"]["nodes"]:
        ref = refs.decode(each["id"])
        assert ref is not None
        _check_viewer_access(each["viewerAccess"], world, user, ref[1])


def _check_viewer_access(said: dict[str, Any], world: World, user: int | None, key: int) -> None:
    holds = world.holds(user, key)
    assert said["effectiveRoles"] == listed(holds), (user, key)
    assert _closed(set(said["grantedRoles"]), world.resources[key]) == holds, (user, key)
    assert {role for source in said["sources"] for role in source["effectiveRoles"]} == holds, (user, key)


async def lookups_agree(api: Api, world: World, person: Person | None) -> None:
    """Compare `resource` by id and by path."""
    seen = _reached(world, None if person is None else person.id)
    for part in _padded(list(world.resources), 10):
        by: dict[str, Any] = {f"r{at}": {"id": resource_id(key)} for at, key in enumerate(part)}
        paths = (world.resources[key].path.split("/") for key in part)
        by |= {f"p{at}": {"path": {"orgSlug": org, "slug": slug}} for at, (org, slug) in enumerate(paths)}
        said = await query_data(api, LOOKUPS, person, **by)
        for at, key in enumerate(part):
            wanted = {"id": resource_id(key)} if key in seen else None
            assert (said[f"r{at}"], said[f"p{at}"]) == (wanted, wanted), (person, key)


async def pages_agree(api: Api, world: World, person: Person, turn: int) -> None:
    """Compare the pages of lists to the end and back, two rows at a time; the order depends on `turn`."""
    order, role = turn % len(ORDERS), (*ROLES, None)[turn % (len(ROLES) + 1)]
    keys = nodes(_ordered(world, _reached(world, person.id, role or "METADATA_READ"), order))
    by = {"order": [{"field": ORDERS[order][0], "direction": ORDERS[order][1]}]}
    for query, narrow in ((MY_PAGE, {"role": role}), (LIST_PAGE, {"filter": {"viewerRole": role} if role else {}})):
        assert await _leafed(api, query, person, ("first", "after"), **by, **narrow) == keys
        assert await _leafed(api, query, person, ("last", "before"), **by, **narrow) == keys


async def _leafed(api: Api, query: str, person: Person, arguments: tuple[str, str], **variables: Any) -> list[str]:
    size, cursor = arguments
    ids: list[str] = []
    place = None
    for _ in count():
        data = await query_data(api, query, person, **variables, **{size: 2, cursor: place})
        page = data["resources"] if "resources" in data else data["viewer"]["user"]["accessibleResources"]
        rows = [edge["node"]["id"] for edge in page["edges"]]
        ids = ids + rows if size == "first" else rows + ids
        if not page["pageInfo"]["hasNextPage" if size == "first" else "hasPreviousPage"]:
            assert page["totalCount"] == len(ids)
            return ids
        place = page["edges"][-1 if size == "first" else 0]["cursor"]
    raise AssertionError
