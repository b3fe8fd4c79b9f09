"""The stories of the registry: defaults, editors, locks, revocation, ends, and what deletion leaves."""

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import select

from app import db
from app.config import Settings
from app.db import tables
from app.db.tables import col
from app.domain import refs, resource_roles
from app.domain.resource_roles import MemberLevel, SubjectType
from tests.support.changes import another, answered, change
from tests.support.client import Api, codes
from tests.support.factories import Entity, Make, Person, rows_of
from tests.support.fetching import fetch

ALL = ["METADATA_READ", "METADATA_WRITE", "DATASET_DATA_READ", "DATASET_DATA_WRITE", "ADMIN"]
READ, WRITE, LOAD, STORE, ADMIN = ALL
ROLES = "query ($id: ID!) { resource(by: {id: $id}) { viewerAccess { effectiveRoles } } }"
SUBMIT = change("submitAccess", "resource { slug }")
GRANT = change("grantAccess")
REVOKE = change("revokeAccess")


async def effective_roles(api: Api, person: Person | None, thing: Entity) -> list[str]:
    """Return the roles of a user on a resource; the resource, the list and the check agree on them."""
    resource = (await api(ROLES, as_=person, id=thing.node))["data"]["resource"]
    roles: list[str] = resource["viewerAccess"]["effectiveRoles"] if resource else []
    fields = " ".join(
        f'{role}: resources(filter: {{slug: {{eq: "{thing.slug}"}}, viewerRole: {role}}}) {{ totalCount }}'
        for role in ALL
    )
    listed = (await api(f"{{ {fields} }}", as_=person))["data"]
    assert [role for role in ALL if listed[role]["totalCount"]] == roles
    if person is not None:
        by = f'user: {{id: "{person.node}"}}, resource: {{id: "{thing.node}"}}'
        checks = " ".join(f"{role}: checkAccess({by}, role: {role})" for role in ALL)
        allowed = (await api(f"{{ {checks} }}", as_=person))["data"]
        assert [role for role in ALL if allowed[role]] == roles
    return roles


async def submit(api: Api, as_: Person, thing: Entity, general: list[str], **groups: list[str]) -> None:
    """Replace a configuration as the settings page does: read the revision, send the whole."""
    read = await api("query ($id: ID!) { resource(by: {id: $id}) { access { revision } } }", as_=as_, id=thing.node)
    entries = [{"group": {"slug": slug}, "roles": roles} for slug, roles in groups.items()]
    configuration = {"revision": read["data"]["resource"]["access"]["revision"], "general": {"roles": general}}
    reply = await api(SUBMIT, as_=as_, input={"resource": {"id": thing.node}, **configuration, "groups": entries})
    assert codes(reply) == [], reply


async def _new(api: Api, as_: Person, org: Entity, slug: str) -> Entity:
    create = change("createResource", "resource { id }")
    resource = {"org": {"slug": org.slug}, "type": "DATASET", "slug": slug, "name": slug}
    key = answered(await api(create, as_=as_, input=resource), "createResource")["resource"]["id"]
    return Entity("Resource", refs.key_of("Resource", key) or 0, slug)


async def test_all_users_view_and_download_and_an_editors_group_does_more(api: Api, make: Make) -> None:
    ann, bob, eve = await make.user("ann"), await make.user("bob"), await make.user("eve")
    reef = await _new(api, ann, await make.org(owner=ann), "reef")
    await make.group("editors", bob)

    assert [await effective_roles(api, who, reef) for who in (ann, bob, eve, None)] == [
        ALL,
        [READ, LOAD],
        [READ, LOAD],
        [],
    ]
    await submit(api, ann, reef, [READ, LOAD], editors=[WRITE, STORE])
    assert [await effective_roles(api, who, reef) for who in (ann, bob, eve, None)] == [ALL, ALL[:4], [READ, LOAD], []]
    await submit(api, ann, reef, [], editors=[STORE])
    assert [await effective_roles(api, who, reef) for who in (ann, bob, eve, None)] == [
        ALL,
        [READ, LOAD, STORE],
        [],
        [],
    ]


async def test_two_groups_give_their_union_and_one_that_is_removed_is_still_a_group(api: Api, make: Make) -> None:
    ann, bob = await make.user("ann"), await make.user("bob")
    reef = await _new(api, ann, await make.org(owner=ann), "reef")
    for slug in ("views", "writes"):
        await make.group(slug, bob)

    await submit(api, ann, reef, [], views=[LOAD], writes=[WRITE])
    assert await effective_roles(api, bob, reef) == [READ, WRITE, LOAD]
    await submit(api, ann, reef, [], writes=[WRITE])
    assert await effective_roles(api, bob, reef) == [READ, WRITE]

    groups = await api("{ groups { nodes { slug members { nodes { userName } } } } }", as_=bob)
    people = {"nodes": [{"userName": "bob"}]}
    assert groups["data"]["groups"]["nodes"] == [{"slug": slug, "members": people} for slug in ("views", "writes")]


async def test_a_lock_stops_every_write_of_every_user_and_nothing_else(api: Api, make: Make) -> None:
    root, ann, bob = await make.admin(), await make.user("ann"), await make.user("bob")
    org = await make.org(owner=ann)
    reef = await _new(api, ann, org, "reef")
    await make.group("editors", bob)
    await submit(api, ann, reef, [READ, LOAD], editors=[WRITE, STORE])
    of = {"resource": {"id": reef.node}}
    answered(await api(change("lockResource"), as_=ann, input={**of, "reason": "Review."}), "lockResource")
    writes: list[tuple[str, dict[str, Any], list[Person]]] = [
        ("updateResource", {"name": "Other"}, [root, ann, bob]),
        ("transferResource", {"owner": {"userName": "bob"}}, [root, ann]),
        ("deleteResource", {}, [root, ann]),
    ]

    for name, fields, users in writes:
        for person in users:
            assert codes(await api(change(name), as_=person, input={**of, **fields})) == ["LOCKED"]
    gone = await api(change("deleteOrg"), as_=root, input={"org": {"slug": org.slug}})
    assert codes(gone) == ["LOCKED"]
    eve = await make.user("eve")
    assert codes(await api(change("updateResource"), as_=eve, input={**of, "name": "Other"})) == ["FORBIDDEN"]
    assert LOAD in await effective_roles(api, bob, reef)
    assert await effective_roles(api, eve, reef) == [READ, LOAD]
    await submit(api, ann, reef, [READ])
    assert await effective_roles(api, eve, reef) == [READ]
    answered(await api(change("unlockResource"), as_=root, input={**of, "reason": "Done."}), "unlockResource")
    answered(await api(change("updateResource"), as_=ann, input={**of, "name": "Other"}), "updateResource")


async def test_a_revoked_grant_is_gone_at_the_next_request_of_another_worker(
    api: Api, make: Make, settings: Settings
) -> None:
    ann, bob = await make.user("ann"), await make.user("bob")
    reef = await make.resource(await make.org(), owner=ann, general=0)
    group = await make.group("divers", bob)
    async with another(settings) as other:
        for subject in ({"user": {"userName": "bob"}}, {"group": {"slug": "divers"}}, {"anyone": True}):
            of = {"resource": {"id": reef.node}, "subject": subject}
            for _ in range(2):
                assert await effective_roles(other, bob, reef) == []
                answered(await api(GRANT, as_=ann, input={**of, "roles": [LOAD]}), "grantAccess")
                assert await effective_roles(other, bob, reef) == [READ, LOAD]
                answered(await api(REVOKE, as_=ann, input=of), "revokeAccess")
        await make.grant(reef, group, resource_roles.METADATA_READ)
        assert await effective_roles(other, bob, reef) == [READ]
        leave = {"group": {"slug": "divers"}, "members": [{"userName": "bob"}]}
        assert codes(await api(change("removeGroupMembers"), as_=await make.admin(), input=leave)) == []
        assert await effective_roles(other, bob, reef) == []


async def test_what_ends_stops_at_its_time_with_no_job_running(api: Api, make: Make, database: db.Database) -> None:
    ann = await make.user("ann")
    owner, org = await make.user(), await make.org()
    start = datetime.now(UTC)
    end = start + timedelta(minutes=5)
    by_user, by_group, by_member, by_level, general = [
        await make.resource(org if at == 3 else await make.org(), owner=owner, general=0) for at in range(5)
    ]
    group, brief = await make.group(None, ann), await make.group()
    await make.group_member(brief, ann, expires_at=end)
    await make.member(org, ann, MemberLevel.READ_ONLY, expires_at=end)
    await make.grant(by_member, brief)
    for thing, subject in (
        (by_user, {"user": {"userName": "ann"}}),
        (by_group, {"group": {"id": group.node}}),
        (general, {"general": True}),
    ):
        grant = {"resource": {"id": thing.node}, "subject": subject, "roles": [READ], "expiresAt": end.isoformat()}
        answered(await api(GRANT, as_=owner, input=grant), "grantAccess")
    things = (by_user, by_group, by_member, by_level, general)
    own = "{ viewer { user { accessibleResources { totalCount } } } resources { totalCount } }"

    database.clock = lambda: end - timedelta(seconds=1)
    before = [(await effective_roles(api, ann, thing))[:1] for thing in things], (await api(own, as_=ann))["data"]
    database.clock = lambda: end
    after = [await effective_roles(api, ann, thing) for thing in things], (await api(own, as_=ann))["data"]

    def counted(number: int) -> dict[str, Any]:
        count = {"totalCount": number}
        return {"viewer": {"user": {"accessibleResources": count}}, "resources": count}

    assert before == ([[READ]] * 5, counted(5))
    assert after == ([[]] * 5, counted(0))
    reply = await api(
        "query ($id: ID!) { resource(by: {id: $id}) { accessSubjects { nodes { kind user { id } } } } }",
        as_=owner,
        id=by_user.node,
    )
    expected = [("ORG", None), ("PERMISSION", None), ("USER", {"id": owner.node})]
    assert [(each["kind"], each["user"]) for each in reply["data"]["resource"]["accessSubjects"]["nodes"]] == expected


async def _left(database: db.Database, kind: SubjectType, thing: Entity | Person) -> list[Any]:
    """Return the rows of the configurations and the index that still name a subject."""
    subject = resource_roles.subject_id(kind, thing.id)
    grants = await fetch(database, select(col(tables.Grant.id)).where(col(tables.Grant.subject) == subject))
    entries = await fetch(database, select(col(tables.Access.mask)).where(col(tables.Access.subject) == subject))
    return [*grants, *entries]


async def test_a_deleted_group_leaves_nothing_and_its_slug_starts_clean(
    api: Api, make: Make, database: db.Database
) -> None:
    root, bob, owner = await make.admin(), await make.user("bob"), await make.user()
    group, org = await make.group("divers", bob), await make.org()
    things = [await make.resource(org, general=0, owner=owner) for _ in range(2)]
    for thing in things:
        await make.grant(thing, group, resource_roles.METADATA_WRITE)
    assert await effective_roles(api, bob, things[0]) == [READ, WRITE]

    gone = await api(change("deleteGroup"), as_=root, input={"group": {"slug": "divers"}})
    assert codes(gone) == []
    assert [await effective_roles(api, bob, thing) for thing in things] == [[], []]
    assert await _left(database, SubjectType.GROUP, group) == []

    again = await make.group("divers", bob)
    assert again.id != group.id
    assert [await effective_roles(api, bob, thing) for thing in things] == [[], []]
    reply = await api(
        "query ($id: ID!) { resource(by: {id: $id}) { access { revision groups { roles } } } }",
        as_=owner,
        id=things[0].node,
    )
    assert reply["data"]["resource"]["access"] == {"revision": 2, "groups": []}


async def test_a_deleted_user_leaves_nothing_and_their_name_starts_clean(
    api: Api, make: Make, database: db.Database
) -> None:
    root, bob, org = await make.admin(), await make.user("bob"), await make.org()
    owned, granted = await make.resource(org, general=0, owner=bob), await make.resource(org, general=0)
    await make.grant(granted, bob, resource_roles.ADMIN)
    await make.member(org, bob)
    await make.group("divers", bob)

    assert codes(await api(change("deleteUser"), as_=root, input={"user": {"userName": "bob"}})) == []
    assert await _left(database, SubjectType.USER, bob) == await _left(database, SubjectType.OWNER, bob) == []

    again = await make.user("bob")
    assert again.id != bob.id
    assert [await effective_roles(api, again, thing) for thing in (owned, granted)] == [[], []]
    assert codes(await api(ROLES, as_=bob, id=granted.node)) == ["UNAUTHENTICATED"]


async def test_a_deleted_org_leaves_nothing_and_its_slug_starts_clean(
    api: Api, make: Make, database: db.Database
) -> None:
    ann, bob = await make.user("ann", "user"), await make.user("bob")
    org = await make.org("sea", owner=ann)
    await make.member(org, bob, MemberLevel.ADMIN)
    reef = await make.resource(org, slug="reef")
    await make.grant(reef, bob, resource_roles.ADMIN)

    gone = await api(change("deleteOrg", "deletedResources"), as_=ann, input={"org": {"slug": "sea"}})
    assert answered(gone, "deleteOrg")["deletedResources"] == 1
    assert await effective_roles(api, bob, reef) == []
    stored = (tables.Resource, tables.Grant, tables.Access, tables.OrgMember, tables.Org)
    assert [await rows_of(database, table) for table in stored] == [0] * 5

    create = {"slug": "sea", "name": "Sea"}
    assert codes(await api(change("createOrg"), as_=ann, input=create)) == []
    again = await _new(api, ann, Entity("Org", 0, "sea"), "reef")
    assert again.id != reef.id
    assert await effective_roles(api, bob, again) == [READ, LOAD]
    assert (await api('{ org(by: {slug: "sea"}) { slug } }', as_=bob))["data"] == {"org": None}
