"""Claims about `viewerCan` and `Viewer.can`: each capability is true exactly when the change is not refused."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any

import pytest
from graphql import GraphQLObjectType, build_schema
from sqlalchemy import text

from app import db
from app.graphql import schema
from tests.oracle.naive import identity
from tests.oracle.naive.lists import Row
from tests.oracle.worlds import World, crowded
from tests.support.client import Api

SDL: Any = build_schema(schema.sdl())
MUTATIONS = SDL.mutation_type.fields
KINDS = ("User", "Org", "Group", "Resource")
SEEDS = (3, 4)
SAMPLE = 5
"""Objects of each type that each viewer tries to change."""

NUMBERED = ("users", "roles", "orgs", "groups", "resources", "resource_types", "grants", "lock_events", "api_tokens")


@dataclass(frozen=True)
class Probe:
    """The change of a capability: a mutation, its input beside the object, and a state in which it does nothing."""

    mutation: str
    fields: Callable[[World, Row | None, Row], Mapping[str, Any]] = lambda world, viewer, row: {}
    is_done: Callable[[World, Row], bool] = lambda world, row: False
    about: tuple[str, ...] = ()
    """More fields of the input whose problems are about the object and the viewer."""


def _own(viewer: Row | None) -> dict[str, str]:
    return {"id": "VXNlcjox"} if viewer is None else {"id": identity(viewer)}


def _roles(world: World, viewer: Row | None, user: Row) -> Mapping[str, Any]:
    return {"roles": [world.rights.by_key["Role"][key]["name"] for key in user["roles"]]}


def _deactivated(world: World, user: Row) -> bool:
    return user["key"] in world.rights.deactivated


def _new_owner(world: World, viewer: Row | None, org: Row) -> Mapping[str, Any]:
    """Name an active user who does not own the org; whoever may transfer the org finds every user by name."""
    names = (world.cast[each] for each in ("plain", "stranger"))
    return {"owner": {"userName": next(each["userName"] for each in names if each["key"] != org["owner"])}}


def _takes(**fields: Any) -> Any:
    return lambda world, viewer, row: fields


PROBES: Mapping[str, Mapping[str, Probe]] = {
    "User": {
        "update": Probe("updateUser", _takes(email="probe@new.example")),
        "rename": Probe("renameUser", _takes(userName="probe")),
        "setMetadata": Probe("setUserMetadata", _takes(metadata={})),
        "assignRoles": Probe("assignRoles", _roles),
        "deactivate": Probe("deactivateUser", is_done=_deactivated),
        "reactivate": Probe("reactivateUser", is_done=lambda world, user: not _deactivated(world, user)),
        "resetPassword": Probe("resetPassword", _takes(newPassword="a new passphrase 7 Q!")),
        "createApiTokens": Probe("createApiToken", _takes(name="probe")),
        "delete": Probe("deleteUser"),
    },
    "Org": {
        "update": Probe("updateOrg", _takes(name="Probe")),
        "delete": Probe("deleteOrg"),
        "transfer": Probe("transferOrg", _new_owner),
        "manageMembers": Probe("addOrgMember", lambda world, viewer, org: {"user": _own(viewer)}),
        "leave": Probe("removeOrgMember", lambda world, viewer, org: {"user": _own(viewer)}, about=("user",)),
        "createResources": Probe("createResource", _takes(type="MODEL", slug="probe", name="Probe")),
    },
    "Group": {
        "update": Probe("updateGroup", _takes(displayName="Probe")),
        "delete": Probe("deleteGroup"),
        "manageMembers": Probe("addGroupMembers", lambda world, viewer, group: {"members": [{"user": _own(viewer)}]}),
    },
    "Resource": {
        "updateMetadata": Probe("updateResource", _takes(name="Probe")),
        "download": Probe("beginDownload"),
        "upload": Probe("beginUpload", _takes(sizeBytes=0)),
        "changeAccess": Probe("grantAccess", _takes(subject={"general": True}, roles=[])),
        "lock": Probe("lockResource", _takes(reason="Probe")),
        "unlock": Probe("unlockResource", _takes(reason="Probe")),
        "transfer": Probe("transferResource"),
        "delete": Probe("deleteResource"),
    },
}
SEEN = {
    "User": {"seeDetails": "roles { id }", "seeAccessibleResources": "accessibleResources { totalCount }"},
    "Org": {"seeMembers": "members { totalCount }"},
    "Group": {"seeMembers": "members { totalCount }"},
    "Resource": {
        "seeAccess": "access { revision }",
        "seeAccessSubjects": "accessSubjects { totalCount }",
        "seeAuditEvents": "auditEvents { totalCount }",
    },
}
"""The field that a capability to see something is about: it is null without the capability."""

REGISTRY = {
    "createUsers": Probe("createUser", _takes(userName="probe", roles=[])),
    "createRoles": Probe("createRole", _takes(name="Probe")),
    "createOrgs": Probe("createOrg", _takes(slug="probe", name="Probe")),
    "createGroups": Probe("createGroup", _takes(slug="probe", displayName="Probe")),
    "createResourceTypes": Probe("createResourceType", _takes(name="PROBE", hasData=False)),
    "createApiTokens": Probe("createApiToken", _takes(name="Probe")),
}


def _capabilities(kind: str) -> GraphQLObjectType:
    capabilities: GraphQLObjectType = SDL.type_map[f"{kind}Capabilities"]
    return capabilities


def _question() -> str:
    parts = [
        f"... on {kind} {{ viewerCan {{ {' '.join(_capabilities(kind).fields)} }} "
        + " ".join(f"{kind}_{name}: {field}" for name, field in SEEN[kind].items())
        + " }"
        for kind in KINDS
    ]
    registry = " ".join(_capabilities("Viewer").fields)
    return f"query ($ids: [ID!]!) {{ viewer {{ can {{ {registry} }} }} nodes(ids: $ids) {{ id {' '.join(parts)} }} }}"


QUESTION = _question()


def test_every_capability_has_a_change_or_a_field() -> None:
    for kind in KINDS:
        assert {*_capabilities(kind).fields} == {*PROBES[kind], *SEEN[kind]}, kind


@dataclass
class Refusals:
    """The walk of one viewer: the capabilities that they read, and what is refused to them."""

    api: Api
    world: World
    person: Any
    viewer: Row | None
    seen: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)

    async def walk(self, kind: str, row: Row, can: Mapping[str, bool]) -> None:
        probes = {name: each for name, each in PROBES[kind].items() if each.mutation in MUTATIONS}
        refused = await self.refused(
            {name: each for name, each in probes.items() if not each.is_done(self.world, row)}, row
        )
        for name in probes:
            expected = name in refused and not refused[name]
            self.note(f"{kind}.{name}", expected, can[name], row["key"])

    async def refused(self, probes: Mapping[str, Probe], row: Row | None) -> dict[str, Any]:
        """Try all changes in one document, and return the refusal of each."""
        kinds = {name: MUTATIONS[each.mutation].args["input"].type for name, each in probes.items()}
        inputs = {name: self._input(each, row) for name, each in probes.items()}
        heads = ", ".join(f"${name}: {kind}" for name, kind in kinds.items())
        parts = [
            f"{name}: {each.mutation}(input: ${name}) {{ errors {{ code path }} }}" for name, each in probes.items()
        ]
        reply = await self.api(f"mutation ({heads}) {{ {' '.join(parts)} }}", as_=self.person, **inputs)
        top = {error["path"][0]: error["extensions"]["code"] for error in reply.get("errors", ())}
        return {
            name: top.get(name) or _about(each, reply["data"][name]["errors"], row) for name, each in probes.items()
        }

    def _input(self, probe: Probe, row: Row | None) -> dict[str, Any]:
        fields = {"validateOnly": True, **probe.fields(self.world, self.viewer, row or {})}
        return fields if row is None else fields | {_place(probe, row): {"id": identity(row)}}

    def note(self, name: str, expected: bool, told: bool, about: Any) -> None:
        self.seen[f"{name} {expected}"] += 1
        if expected != told:
            self.wrong.append(f"{name} of {about}: told {told}, and it is {expected}")


def _place(probe: Probe, row: Row) -> str:
    """Return the field of the input that names the object."""
    fields = MUTATIONS[probe.mutation].args["input"].type.of_type.fields
    place: str = row["__typename"].lower()
    assert place in fields
    return place


def _about(probe: Probe, errors: list[dict[str, Any]], row: Row | None) -> list[dict[str, Any]]:
    """Return the errors about the object or the rights of the viewer, not those about other input."""
    places = [["input"], *(["input", name] for name in probe.about)]
    places += [] if row is None else [["input", _place(probe, row)]]
    return [error for error in errors if error["path"] in places or error["code"] in {"LOCKED", "PROTECTED"}]


def _sample(random: Random, world: World) -> Iterator[Row]:
    for kind in KINDS:
        rows = world.rows[kind]
        yield from random.sample(rows, min(SAMPLE, len(rows)))


def _world(seed: int) -> World:
    """Return a world with service accounts, and with users who hold everything that others own."""
    random = Random(seed)
    world = crowded(random, 40)
    for user in world.rows["User"]:
        user["isServiceAccount"] = user not in world.cast.values() and random.random() < 0.3
    for resource in world.rows["Resource"]:
        resource["sizeBytes"] = 0  # several large ones exceed what an org can store
    return world


async def _count_on(database: db.Database) -> None:
    """Let PostgreSQL number new rows after those of the world."""
    if database.dialect.name == "postgresql":
        async with database.write() as tx:
            for name in NUMBERED:
                await tx.rows(text(f"SELECT setval(pg_get_serial_sequence('{name}', 'id'), {2**40})"))


@pytest.mark.parametrize("seed", SEEDS)
async def test_a_capability_is_told_exactly_when_the_change_is_not_refused(
    api: Api, database: db.Database, seed: int
) -> None:
    world, random, seen, wrong = _world(seed), Random(seed), Counter[str](), list[str]()
    await world.write(database)
    await _count_on(database)
    for kind, person in world.viewers.items():
        if kind == "gone":
            continue
        reading = world.reading(kind)
        walk = Refusals(api, world, person, reading.viewer)
        rows = {
            identity(row): row for row in [*_sample(random, world), world.cast["gone"], *filter(None, [reading.viewer])]
        }
        reply = await api(QUESTION, as_=person, ids=[*rows])
        assert "errors" not in reply, reply
        for node in filter(None, reply["data"]["nodes"]):
            row = rows[node["id"]]
            await walk.walk(row["__typename"], row, node["viewerCan"])
            for name in SEEN[row["__typename"]]:
                walk.note(
                    f"{row['__typename']}.{name}",
                    node[f"{row['__typename']}_{name}"] is not None,
                    node["viewerCan"][name],
                    row["key"],
                )
        can = reply["data"]["viewer"]["can"]
        for name, refused in (await walk.refused(REGISTRY, None)).items():
            walk.note(f"Viewer.{name}", not refused, can[name], kind)
        wrong += [f"{kind}: {each}" for each in walk.wrong]
        seen += walk.seen

    assert not wrong, "\n".join(wrong)
    names = [f"{kind}.{name}" for kind in KINDS for name in _told(kind)] + [f"Viewer.{name}" for name in REGISTRY]
    assert {f"{name} {value}" for name in names for value in (True, False)} - {*seen} == set()


def _told(kind: str) -> Iterator[str]:
    yield from (name for name, each in PROBES[kind].items() if each.mutation in MUTATIONS)
    yield from SEEN[kind]
