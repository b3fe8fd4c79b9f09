"""Claims about creating, updating, transferring and deleting resources over GraphQL."""

from datetime import UTC, datetime, timedelta
from typing import Any

from app import db
from app.domain import resource_roles
from app.domain.resource_roles import MemberLevel
from app.domain.viewer import Permission
from tests.support.changes import answered, change, problems, unchanged
from tests.support.client import Api, codes
from tests.support.factories import Entity, Make, Person

SELECTION = """resource {
  slug name description type { name } metadata createdAt updatedAt org { slug } owner { userName } lock { reason }
  viewerAccess { effectiveRoles }
  access { revision general { roles expiresAt } anyone { roles } groups { roles } users { roles } }
}"""
CREATE = change("createResource", SELECTION)
UPDATE = change("updateResource", "resource { name description metadata createdAt updatedAt }")
TRANSFER = change("transferResource", "resource { slug org { slug } owner { userName } }")
DELETE = change("deleteResource", "deletedResourceId")
CREATE_TYPE = change("createResourceType", "resourceType { name hasData isBuiltIn }")
AT = "query ($org: String!, $slug: String!) { resource(by: {path: {orgSlug: $org, slug: $slug}}) { slug } }"
EVERY = ["METADATA_READ", "METADATA_WRITE", "DATASET_DATA_READ", "DATASET_DATA_WRITE", "ADMIN"]


def new(org: Entity, **fields: Any) -> dict[str, Any]:
    return {"org": {"slug": org.slug}, "type": "DATASET", "slug": "reef", "name": "Reef", **fields}


def of(thing: Entity) -> dict[str, Any]:
    return {"resource": {"id": thing.node}}


async def test_a_writer_of_an_org_creates_a_resource_they_own_and_everybody_reads(
    api: Api, make: Make, database: db.Database
) -> None:
    ann, org = await make.user("ann"), await make.org("sea", is_public=True)
    await make.member(org, ann, MemberLevel.READ_WRITE)
    now = datetime(2030, 1, 2, 3, 4, 5, tzinfo=UTC)
    database.clock = lambda: now

    fields = new(org, name=" Reef ", description="Corals.", metadata={"a": [1, None, {"ü": 1.5}]})
    reply = await api(CREATE, as_=ann, input=fields)

    stamp = reply["data"]["createResource"]["resource"]["createdAt"]
    assert datetime.fromisoformat(stamp) == now
    assert answered(reply, "createResource") == {
        "resource": {
            "slug": "reef",
            "name": "Reef",
            "description": "Corals.",
            "type": {"name": "DATASET"},
            "metadata": {"a": [1, None, {"ü": 1.5}]},
            "createdAt": stamp,
            "updatedAt": stamp,
            "org": {"slug": "sea"},
            "owner": {"userName": "ann"},
            "lock": None,
            "viewerAccess": {"effectiveRoles": EVERY},
            "access": {
                "revision": 1,
                "general": {"roles": ["METADATA_READ", "DATASET_DATA_READ"], "expiresAt": None},
                "anyone": None,
                "groups": [],
                "users": [],
            },
        },
        "errors": [],
    }


async def test_a_model_has_no_data_roles_to_give(api: Api, make: Make) -> None:
    ann = await make.user()
    org = await make.org(owner=ann)

    resource = answered(await api(CREATE, as_=ann, input=new(org, type="MODEL")), "createResource")["resource"]

    assert resource["access"]["general"]["roles"] == ["METADATA_READ"]
    assert resource["viewerAccess"]["effectiveRoles"] == ["METADATA_READ", "METADATA_WRITE", "ADMIN"]


async def test_every_problem_of_a_new_resource_is_named(api: Api, make: Make, database: db.Database) -> None:
    ann = await make.user()
    org = await make.org(owner=ann)
    invalid = {"type": "NOTHING", "slug": "Re ef", "name": " ", "description": "x" * 1001, "metadata": [1]}

    async with unchanged(database):
        reply = await api(CREATE, as_=ann, input=new(org, **invalid))

    assert problems(reply) == {f"INVALID_INPUT input.{name}" for name in invalid}


BAD = [
    ("slug", "a"),
    ("slug", "a--b"),
    ("slug", "-a"),
    ("slug", "é1"),
    ("slug", "a" * 129),
    ("name", "x" * 201),
    ("name", "a\nb"),
    ("description", "a\0b"),
    ("metadata", {"a": "x" * 65_536}),
    ("type", "dataset"),
    ("type", "A\0"),
]


async def test_a_bad_value_makes_no_resource(api: Api, make: Make, database: db.Database) -> None:
    ann = await make.user()
    org = await make.org(owner=ann)

    async with unchanged(database):
        reported = [
            (name, problems(await api(CREATE, as_=ann, input=new(org, **{name: value})))) for name, value in BAD
        ]

    assert reported == [(name, {f"INVALID_INPUT input.{name}"}) for name, _ in BAD]


async def test_a_slug_is_taken_in_its_org_alone(api: Api, make: Make, database: db.Database) -> None:
    ann = await make.user()
    org, other = await make.org(owner=ann), await make.org(owner=ann)
    await make.resource(org, slug="reef", general=0)

    async with unchanged(database):
        assert problems(await api(CREATE, as_=ann, input=new(org))) == {"CONFLICT input.slug"}
    answered(await api(CREATE, as_=ann, input=new(other)), "createResource")

    assert (await api(AT, as_=ann, org=other.slug, slug="reef"))["data"] == {"resource": {"slug": "reef"}}
    assert (await api(AT, as_=ann, org=org.slug, slug="reefs"))["data"] == {"resource": None}


async def test_a_user_creates_nothing_in_an_org_they_cannot_write(api: Api, make: Make, database: db.Database) -> None:
    eve, hidden, seen = await make.user(), await make.org(), await make.org(is_public=True)
    read = await make.org()
    await make.member(read, eve, MemberLevel.READ_ONLY)
    registry = await make.holder(Permission.RESOURCES_MANAGE)

    async with unchanged(database):
        assert problems(await api(CREATE, as_=eve, input=new(hidden))) == {"NOT_FOUND input.org"}
        assert codes(await api(CREATE, as_=registry, input=new(hidden))) == ["FORBIDDEN"]  # who sees every org
        assert problems(await api(CREATE, as_=eve, input=new(Entity("Org", 999, "none")))) == {"NOT_FOUND input.org"}
        assert codes(await api(CREATE, as_=eve, input=new(seen))) == ["FORBIDDEN"]
        assert codes(await api(CREATE, as_=eve, input=new(read))) == ["FORBIDDEN"]
        assert codes(await api(CREATE, input=new(seen))) == ["UNAUTHENTICATED"]


async def test_a_tried_change_is_undone(api: Api, make: Make, database: db.Database) -> None:
    ann = await make.user()
    org = await make.org(owner=ann)
    reef = await make.resource(org)

    async with unchanged(database):
        tried = await api(CREATE, as_=ann, input=new(org, validateOnly=True))
        assert answered(tried, "createResource") == {"resource": None, "errors": []}
        for text in (UPDATE, TRANSFER, DELETE):
            assert codes(await api(text, as_=ann, input={**of(reef), "validateOnly": True})) == []


async def test_an_update_changes_what_is_given_and_moves_the_resource_in_its_lists(
    api: Api, make: Make, database: db.Database
) -> None:
    ann = await make.user()
    org = await make.org(owner=ann)
    first, _ = await make.resource(org, name="Alpha", description="Old."), await make.resource(org, name="beta")
    later = datetime.now(UTC).replace(microsecond=0) + timedelta(hours=1)
    database.clock = lambda: later
    lists = """{ byName: resources { nodes { name } }
      latest: resources(orderBy: [{field: UPDATED_AT, direction: DESC}], first: 1) { nodes { name } } }"""

    reply = await api(UPDATE, as_=ann, input={**of(first), "name": "Gamma", "metadata": {"k": 1}})

    changed = answered(reply, "updateResource")["resource"]
    assert (changed["name"], changed["description"], changed["metadata"]) == ("Gamma", "Old.", {"k": 1})
    assert datetime.fromisoformat(changed["updatedAt"]) == later > datetime.fromisoformat(changed["createdAt"])
    assert (await api(lists, as_=ann))["data"] == {
        "byName": {"nodes": [{"name": "beta"}, {"name": "Gamma"}]},
        "latest": {"nodes": [{"name": "Gamma"}]},
    }


async def test_an_update_needs_to_be_right_and_metadata_write(api: Api, make: Make, database: db.Database) -> None:
    org = await make.org()
    reef, hidden = await make.resource(org), await make.resource(org, general=0)
    eve, ann, writer = await make.user(), await make.user(), await make.user()
    await make.grant(reef, ann, resource_roles.METADATA_WRITE)
    await make.grant(reef, writer, resource_roles.DATA_WRITE)
    invalid = {"name": "", "description": "x" * 1001, "metadata": "text"}

    async with unchanged(database):
        assert codes(await api(UPDATE, as_=eve, input={**of(reef), "name": "X"})) == ["FORBIDDEN"]
        assert codes(await api(UPDATE, as_=writer, input={**of(reef), "name": "X"})) == ["FORBIDDEN"]
        assert codes(await api(UPDATE, input={**of(reef), "name": "X"})) == ["UNAUTHENTICATED"]
        assert problems(await api(UPDATE, as_=eve, input={**of(hidden), "name": "X"})) == {"NOT_FOUND input.resource"}
        assert problems(await api(UPDATE, as_=ann, input={**of(reef), **invalid})) == {
            f"INVALID_INPUT input.{name}" for name in invalid
        }
    answered(await api(UPDATE, as_=ann, input={**of(reef), "name": "X"}), "updateResource")


async def test_what_cannot_be_a_path_leads_nowhere(api: Api, make: Make, database: db.Database) -> None:
    root = await make.admin()

    async with unchanged(database):
        for org, slug in (("a\0", "b"), ("a", "b/c"), ("", "")):
            by = {"path": {"orgSlug": org, "slug": slug}}
            assert problems(await api(UPDATE, as_=root, input={"resource": by})) == {"NOT_FOUND input.resource"}
            assert await api(AT, as_=root, org=org, slug=slug) == {"data": {"resource": None}}
        reply = await api(CREATE, as_=root, input=new(Entity("Org", 0, "a\0")))
        assert problems(reply) == {"NOT_FOUND input.org"}


async def test_the_owner_gives_a_resource_away_and_holds_it_no_longer(api: Api, make: Make) -> None:
    ann, bea = await make.user("ann"), await make.user("bea")
    reef = await make.resource(await make.org("sea", is_public=True), owner=ann, general=0)

    transferred = answered(
        await api(TRANSFER, as_=ann, input={**of(reef), "owner": {"userName": "bea"}}), "transferResource"
    )

    assert transferred["resource"] is None
    assert await api(AT, as_=ann, org="sea", slug=reef.slug) == {"data": {"resource": None}}
    assert await api(AT, as_=bea, org="sea", slug=reef.slug) == {"data": {"resource": {"slug": reef.slug}}}


async def test_a_resource_moves_to_an_org_with_the_access_of_its_people(api: Api, make: Make) -> None:
    ann, old, reader = await make.user("ann"), await make.user(), await make.user()
    here, there = await make.org("here", owner=old), await make.org("there")
    await make.member(there, ann)
    await make.member(there, reader, MemberLevel.READ_ONLY)
    reef = await make.resource(here, owner=ann, general=0)

    moved = answered(await api(TRANSFER, as_=ann, input={**of(reef), "org": {"id": there.node}}), "transferResource")

    assert moved["resource"] == {"slug": reef.slug, "org": {"slug": "there"}, "owner": {"userName": "ann"}}
    assert (await api(AT, as_=reader, org="there", slug=reef.slug))["data"]["resource"] is not None
    assert (await api(AT, as_=old, org="there", slug=reef.slug))["data"]["resource"] is None
    assert (await api(AT, as_=ann, org="here", slug=reef.slug))["data"]["resource"] is None


async def test_a_resource_goes_only_where_the_viewer_may_bring_it(api: Api, make: Make, database: db.Database) -> None:
    ann, editor, _ = await make.user(), await make.user(), await make.user("zoe")
    here, hidden, seen, full = await make.org(), await make.org(), await make.org(is_public=True), await make.org()
    await make.member(full, ann)
    reef = await make.resource(here, owner=ann, slug="reef")
    await make.resource(full, slug="reef")
    await make.grant(reef, editor, resource_roles.METADATA_WRITE | resource_roles.DATA_WRITE)

    async def moved(as_: Person, **to: Any) -> Any:
        return await api(TRANSFER, as_=as_, input={**of(reef), **to})

    async with unchanged(database):
        assert problems(await moved(ann, org={"id": hidden.node})) == {"NOT_FOUND input.org"}
        assert codes(await moved(ann, org={"id": seen.node})) == ["FORBIDDEN"]
        assert problems(await moved(ann, org={"id": full.node})) == {"CONFLICT input.org"}
        assert problems(await moved(ann, owner={"userName": "nobody"})) == {"NOT_FOUND input.owner"}
        assert codes(await moved(editor, owner={"id": editor.node})) == ["FORBIDDEN"]


DELETERS: dict[str, tuple[MemberLevel | int | Permission | None, list[str]]] = {
    "stranger": (None, ["NOT_FOUND"]),
    "reader": (resource_roles.DATA_READ, ["FORBIDDEN"]),
    "editor": (resource_roles.METADATA_WRITE | resource_roles.DATA_WRITE, ["FORBIDDEN"]),
    "member": (MemberLevel.READ_WRITE, ["FORBIDDEN"]),
    "deleter": (MemberLevel.READ_WRITE_DELETE, []),
    "manager": (MemberLevel.ADMIN, []),
    "admin": (resource_roles.ADMIN, []),
    "owner": (None, []),
    "registry": (Permission.RESOURCES_MANAGE, []),
    "orgs": (Permission.ORGS_MANAGE, ["NOT_FOUND"]),
}


async def _asker(make: Make, name: str, org: Entity) -> tuple[Person, Entity]:
    """Return a user of the table and a resource on which they have that right."""
    right, _ = DELETERS[name]
    eve = await make.holder(right, name) if isinstance(right, Permission) else await make.user(name)
    reef = await make.resource(org, general=0, owner=eve if name == "owner" else None)
    if isinstance(right, MemberLevel):
        await make.member(org, eve, right)
    elif isinstance(right, int):
        await make.grant(reef, eve, right)
    return eve, reef


async def test_who_deletes_a_resource(api: Api, make: Make, database: db.Database) -> None:
    org = await make.org()

    for name, (_, refused) in DELETERS.items():
        eve, reef = await _asker(make, name, org)
        if refused:
            async with unchanged(database):
                assert (name, codes(await api(DELETE, as_=eve, input=of(reef)))) == (name, refused)
        else:
            gone = answered(await api(DELETE, as_=eve, input=of(reef)), "deleteResource")
            assert (name, gone["deletedResourceId"]) == (name, reef.node)
            assert codes(await api(DELETE, as_=eve, input=of(reef))) == ["NOT_FOUND"]


async def test_a_new_type_is_created_by_the_registry_and_used(api: Api, make: Make, database: db.Database) -> None:
    registry, ann = await make.holder(Permission.RESOURCES_MANAGE), await make.user()
    org = await make.org(owner=ann)
    wanted = {"name": "VIDEO_2", "hasData": True}

    async with unchanged(database):
        assert codes(await api(CREATE_TYPE, as_=ann, input=wanted)) == ["FORBIDDEN"]
        assert codes(await api(CREATE_TYPE, input=wanted)) == ["UNAUTHENTICATED"]
        for name in ("", "video", "2D", "A B", "A" * 65, "A\0"):
            reply = await api(CREATE_TYPE, as_=registry, input={"name": name, "hasData": False})
            assert problems(reply) == {"INVALID_INPUT input.name"}
    created = answered(await api(CREATE_TYPE, as_=registry, input=wanted), "createResourceType")
    assert created["resourceType"] == {"name": "VIDEO_2", "hasData": True, "isBuiltIn": False}
    assert problems(await api(CREATE_TYPE, as_=registry, input=wanted)) == {"CONFLICT input.name"}

    film = answered(await api(CREATE, as_=ann, input=new(org, type="VIDEO_2")), "createResource")["resource"]
    assert film["viewerAccess"]["effectiveRoles"] == EVERY
    types = await api("{ resourceTypes { nodes { name } totalCount } }")
    assert [each["name"] for each in types["data"]["resourceTypes"]["nodes"]] == sorted(
        ["DATASET", "MODEL", "MODEL_RUN", "ORGANISATION", "PERSON", "STUDY", "VIDEO_2", "WORKFLOW"]
    )
