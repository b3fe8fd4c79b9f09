"""Claims about the access configuration of a resource: who is granted which roles, and until when."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from app import db
from app.domain import resource_roles
from app.domain.resource_roles import MemberLevel
from app.domain.viewer import Permission
from tests.support.changes import answered, change, problems, unchanged
from tests.support.client import Api, codes
from tests.support.factories import Entity, Make

ACCESS = """access {
  revision general { roles expiresAt } anyone { roles expiresAt }
  groups { group { slug } roles expiresAt } users { user { userName } roles expiresAt }
}"""
SUBMIT = change("submitAccess", f"resource {{ {ACCESS} }}")
GRANT = change("grantAccess", f"resource {{ {ACCESS} }}")
REVOKE = change("revokeAccess", f"resource {{ {ACCESS} }}")
BATCH = change("grantAccessBatch", "results { index resource { slug } errors { code path } }")
PREVIEW = """query ($input: SubmitAccessInput!) { previewAccess(input: $input) {
  changes { kind group { slug } user { userName } gained lost expiresAt userCount } errors { code path }
} }"""
SEES = "query ($id: ID!) { resource(by: {id: $id}) { slug access { revision } accessSubjects { totalCount } } }"
READ, WRITE, LOAD, STORE = "METADATA_READ", "METADATA_WRITE", "DATASET_DATA_READ", "DATASET_DATA_WRITE"
FAR = "2999-01-01T00:00:00.000000Z"


def of(thing: Entity, **fields: Any) -> dict[str, Any]:
    return {"resource": {"id": thing.node}, **fields}


def roles(*names: str, until: str | None = None) -> dict[str, Any]:
    return {"roles": list(names), "expiresAt": until}


async def test_a_submitted_configuration_takes_the_place_of_the_old_one(api: Api, make: Make) -> None:
    ann, zoe = await make.user("ann"), await make.user("zoe")
    reef = await make.resource(await make.org(), owner=ann)
    await make.group("old", zoe)
    await make.group("divers", display_name="A divers")
    await make.group("boats", display_name="b boats")
    answered(
        await api(GRANT, as_=ann, input=of(reef, subject={"group": {"slug": "old"}}, **roles(READ))), "grantAccess"
    )

    wanted: dict[str, Any] = {
        "general": roles(),
        "anyone": roles(READ, until=FAR),
        "groups": [
            {"group": {"slug": "boats"}, **roles()},
            {"group": {"slug": "divers"}, **roles(STORE, WRITE, WRITE, until=FAR)},
        ],
        "users": [{"user": {"userName": "ZOE"}, **roles("ADMIN")}],
    }
    reply = await api(SUBMIT, as_=ann, input=of(reef, revision=2, **wanted))

    assert answered(reply, "submitAccess")["resource"]["access"] == {
        "revision": 3,
        "general": roles(),
        "anyone": roles(READ, until=FAR),
        "groups": [{"group": {"slug": "divers"}, **roles(WRITE, STORE, until=FAR)}, wanted["groups"][0]],
        "users": [{"user": {"userName": "zoe"}, **roles("ADMIN")}],
    }


async def test_a_stale_revision_is_a_conflict_that_shows_the_current_configuration(
    api: Api, make: Make, database: db.Database
) -> None:
    ann = await make.user("ann")
    reef = await make.resource(await make.org(), owner=ann, revision=7)

    async with unchanged(database):
        replies = [await api(SUBMIT, as_=ann, input=of(reef, revision=at, general=roles())) for at in (6, 8)]

    for reply in replies:
        assert problems(reply) == {"CONFLICT input.revision"}
        access = reply["data"]["submitAccess"]["resource"]["access"]
        assert (access["revision"], access["general"]) == (7, roles(READ, LOAD))


async def test_an_invalid_configuration_is_refused_and_every_problem_is_named(
    api: Api, make: Make, database: db.Database
) -> None:
    ann = await make.user("ann")
    model = await make.resource(await make.org(), type="MODEL", owner=ann)
    group = await make.group("divers")
    invalid = {
        "groups": [
            {"group": {"slug": "divers"}, **roles(READ)},
            {"group": {"slug": "none"}, **roles(READ)},
            {"group": {"slug": "a\0"}, **roles(LOAD)},
            {"group": {"id": group.node}, **roles(READ)},
        ],
        "users": [
            {"user": {"userName": "ann"}, **roles(STORE)},
            {"user": {"userName": "nobody"}, **roles(READ, until="2001-01-01T00:00:00Z")},
            {"user": {"id": group.node}, **roles()},
        ],
        "anyone": roles(WRITE),
    }

    async with unchanged(database):
        reply = await api(SUBMIT, as_=ann, input=of(model, revision=1, **invalid))
        preview = await api(PREVIEW, as_=ann, input=of(model, revision=1, **invalid))

    expected = {
        "INVALID_INPUT input.general",
        "INVALID_INPUT input.anyone.roles",
        "NOT_FOUND input.groups.1.group",
        "NOT_FOUND input.groups.2.group",
        "INVALID_INPUT input.groups.2.roles",
        "INVALID_INPUT input.groups.3",
        "INVALID_INPUT input.users.0.roles",
        "NOT_FOUND input.users.1.user",
        "INVALID_INPUT input.users.1.expiresAt",
        "NOT_FOUND input.users.2.user",
    }
    assert problems(reply) == problems(preview) == expected
    unknown = await api(SUBMIT, as_=ann, input=of(model, revision=1, general={"roles": ["FLY"]}))
    assert codes(unknown) == ["BAD_USER_INPUT"]


async def test_a_configuration_has_at_most_a_thousand_entries(api: Api, make: Make, database: db.Database) -> None:
    ann = await make.user("ann")
    reef = await make.resource(await make.org(), owner=ann)
    many = [{"group": {"slug": f"group{at}"}, "roles": []} for at in range(1000)]
    one = [{"user": {"id": ann.node}, "roles": []}]

    async with unchanged(database):
        reply = await api(SUBMIT, as_=ann, input=of(reef, revision=1, general=roles(), groups=many, users=one))

    assert problems(reply) == {"INVALID_INPUT input.groups"}


async def test_a_preview_tells_who_would_gain_and_lose_and_writes_nothing(
    api: Api, make: Make, database: db.Database
) -> None:
    ann, zoe, gone = await make.user("ann"), await make.user("zoe"), await make.user("gone", "deactivated")
    reef = await make.resource(await make.org(), owner=ann)
    divers, boats = await make.group("divers", ann, zoe, gone), await make.group("boats", zoe)
    await make.group_member(boats, ann, expires_at=datetime(2001, 1, 1, tzinfo=UTC))
    await make.grant(reef, divers, resource_roles.DATA_WRITE)
    await make.grant(reef, boats, resource_roles.METADATA_READ)
    await make.grant(reef, zoe, resource_roles.METADATA_READ)
    wanted = {
        "general": roles(READ),
        "groups": [{"group": {"slug": "boats"}, **roles(WRITE, until=FAR)}],
        "users": [{"user": {"userName": "zoe"}, **roles(READ)}, {"user": {"userName": "ann"}, **roles("ADMIN")}],
    }

    async with unchanged(database):
        reply = await api(PREVIEW, as_=ann, input=of(reef, revision=99, **wanted))

    def result(kind: str, gained: list[str], lost: list[str], users: int | None, **more: Any) -> dict[str, Any]:
        plain = {"group": None, "user": None, "expiresAt": None}
        return {"kind": kind, "gained": gained, "lost": lost, "userCount": users, **plain, **more}

    assert reply["data"]["previewAccess"] == {
        "changes": [
            result("GENERAL", [], [LOAD], None),
            result("GROUP", [], [READ, LOAD, STORE], 3, group={"slug": "divers"}),
            result("GROUP", [WRITE], [], 1, group={"slug": "boats"}, expiresAt=FAR),
            result("USER", [READ, WRITE, LOAD, STORE, "ADMIN"], [], 1, user={"userName": "ann"}),
        ],
        "errors": [],
    }


async def test_one_entry_is_granted_and_revoked_and_the_others_stay(
    api: Api, make: Make, database: db.Database
) -> None:
    ann, _ = await make.user("ann"), await make.user("zoe")
    reef = await make.resource(await make.org(), owner=ann)
    await make.group("divers")
    subjects: list[dict[str, Any]] = [
        {"group": {"slug": "divers"}},
        {"user": {"userName": "zoe"}},
        {"anyone": True},
        {"general": True},
    ]

    for subject in subjects:
        answered(await api(GRANT, as_=ann, input=of(reef, subject=subject, **roles(READ))), "grantAccess")
    again = await api(GRANT, as_=ann, input=of(reef, subject=subjects[0], **roles(WRITE, until=FAR)))
    assert answered(again, "grantAccess")["resource"]["access"] == {
        "revision": 6,
        "general": roles(READ),
        "anyone": roles(READ),
        "groups": [{"group": {"slug": "divers"}, **roles(WRITE, until=FAR)}],
        "users": [{"user": {"userName": "zoe"}, **roles(READ)}],
    }

    for subject in subjects:
        reply = await api(REVOKE, as_=ann, input=of(reef, subject=subject))
    left = answered(reply, "revokeAccess")["resource"]["access"]
    assert left == {"revision": 10, "general": roles(), "anyone": None, "groups": [], "users": []}
    async with unchanged(database):
        for subject in subjects[:3]:
            assert problems(await api(REVOKE, as_=ann, input=of(reef, subject=subject))) == {"NOT_FOUND input.subject"}


async def test_an_invalid_entry_is_refused(api: Api, make: Make, database: db.Database) -> None:
    ann = await make.user("ann")
    model = await make.resource(await make.org(), type="MODEL", owner=ann)
    past = (datetime.now(UTC) - timedelta(seconds=1)).isoformat()
    invalid: list[tuple[dict[str, Any], dict[str, Any], set[str]]] = [
        (
            {"group": {"slug": "none"}},
            roles(LOAD),
            {"NOT_FOUND input.subject.group", "INVALID_INPUT input.roles"},
        ),
        ({"user": {"userName": "none"}}, roles(READ), {"NOT_FOUND input.subject.user"}),
        ({"user": {"userName": "a\0"}}, roles(READ), {"NOT_FOUND input.subject.user"}),
        ({"general": True}, roles(READ, until=past), {"INVALID_INPUT input.expiresAt"}),
        ({"anyone": True}, roles("ADMIN"), {"INVALID_INPUT input.roles"}),
        ({"general": False}, roles(READ), {"INVALID_INPUT input.subject"}),
        ({"anyone": False}, roles(READ), {"INVALID_INPUT input.subject"}),
    ]

    async with unchanged(database):
        for subject, fields, expected in invalid:
            assert problems(await api(GRANT, as_=ann, input=of(model, subject=subject, **fields))) == expected
        for none in ({}, {"general": True, "anyone": True}):
            reply = await api(GRANT, as_=ann, input=of(model, subject=none, **roles(READ)))
            assert codes(reply) == ["BAD_USER_INPUT"]


async def test_only_a_user_who_may_grant_learns_that_a_subject_is_invalid(
    api: Api, make: Make, database: db.Database
) -> None:
    ann, eve = await make.user("ann"), await make.user("eve")
    seen = await make.resource(await make.org(), owner=ann)
    hidden = await make.resource(await make.org(), general=0)
    askers = [(None, seen), (None, hidden), (eve, hidden), (eve, seen)]
    nobody = {"subject": {"general": False}}

    async with unchanged(database):
        granted = [await api(GRANT, as_=who, input=of(it, **nobody, **roles())) for who, it in askers]
        revoked = [await api(REVOKE, as_=who, input=of(it, **nobody)) for who, it in askers]
        batches = [await api(BATCH, as_=who, input={"grants": [of(it, **nobody, **roles())]}) for who, it in askers]
        own = await api(REVOKE, as_=ann, input=of(seen, **nobody))

    wanted = [["UNAUTHENTICATED"], ["UNAUTHENTICATED"], ["NOT_FOUND"], ["FORBIDDEN"]]
    assert [[*map(codes, replies)] for replies in (granted, revoked, batches)] == [wanted] * 3
    assert problems(own) == {"INVALID_INPUT input.subject"}


async def test_a_batch_grants_all_or_none_and_says_of_each_why(api: Api, make: Make, database: db.Database) -> None:
    ann, _, org = await make.user("ann"), await make.user("zoe"), await make.org()
    mine, other = await make.resource(org, slug="mine", owner=ann), await make.resource(org, owner=ann, slug="other")
    hidden, model = await make.resource(org, general=0), await make.resource(org, type="MODEL", owner=ann)
    zoe, general = {"user": {"userName": "zoe"}}, {"general": True}
    good = [of(mine, subject=zoe, **roles(WRITE)), of(other, subject=zoe, **roles(READ))]
    bad = [
        of(hidden, subject=zoe, **roles(READ)),
        of(model, subject={"user": {"userName": "none"}}, **roles(LOAD)),
        {"resource": {"path": {"orgSlug": org.slug, "slug": "mine"}}, "subject": zoe, **roles(READ)},
    ]

    async with unchanged(database):
        reply = await api(BATCH, as_=ann, input={"grants": [*good, *bad]})
        invalid = await api(BATCH, as_=ann, input={"grants": [*good, of(mine, subject={"general": False}, **roles())]})
        tried = await api(BATCH, as_=ann, input={"grants": good, "validateOnly": True})
    result = reply["data"]["grantAccessBatch"]["results"]
    assert [each["resource"] for each in result] == [None] * 5
    assert [[".".join([error["code"], *error["path"][3:]]) for error in each["errors"]] for each in result] == [
        [],
        [],
        ["NOT_FOUND.resource"],
        ["NOT_FOUND.subject.user", "INVALID_INPUT.roles"],
        ["INVALID_INPUT.subject"],
    ]
    assert [error["path"][2] for each in result for error in each["errors"]] == ["2", "3", "3", "4"]
    assert problems(invalid) == {"INVALID_INPUT input.grants.2.subject"}
    assert codes(tried) == []

    done = answered(
        await api(BATCH, as_=ann, input={"grants": [*good, of(mine, subject=general, **roles())]}), "grantAccessBatch"
    )
    assert [(each["index"], each["resource"]["slug"], each["errors"]) for each in done["results"]] == [
        (0, "mine", []),
        (1, "other", []),
        (2, "mine", []),
    ]


async def test_a_batch_is_of_one_to_a_thousand(api: Api, make: Make, database: db.Database) -> None:
    ann = await make.user("ann")
    reef = await make.resource(await make.org(), owner=ann)
    entry = of(reef, subject={"general": True}, roles=[])

    async with unchanged(database):
        for number in (0, 1001):
            reply = await api(BATCH, as_=ann, input={"grants": [entry] * number})
            assert problems(reply) == {"INVALID_INPUT input.grants"}
            assert reply["data"]["grantAccessBatch"]["results"] == []


async def test_only_an_admin_sees_and_changes_a_configuration(api: Api, make: Make, database: db.Database) -> None:
    org = await make.org()
    reader, editor, deleter = await make.user(), await make.user(), await make.user()
    admin, manager = await make.user(), await make.user()
    registry = await make.holder(Permission.RESOURCES_MANAGE)
    eve = await make.holder(Permission.GROUPS_MANAGE | Permission.USERS_MANAGE | Permission.ORGS_MANAGE)
    reef = await make.resource(org, slug="reef", general=0)
    for person, mask in ((reader, resource_roles.READ), (editor, resource_roles.WRITE), (admin, resource_roles.ADMIN)):
        await make.grant(reef, person, mask)
    await make.member(org, deleter, MemberLevel.READ_WRITE_DELETE)
    await make.member(org, manager, MemberLevel.ADMIN)
    requests = [
        (SUBMIT, of(reef, revision=1, general=roles())),
        (PREVIEW, of(reef, revision=1, general=roles())),
        (GRANT, of(reef, subject={"general": True}, **roles(READ))),
        (REVOKE, of(reef, subject={"user": {"id": reader.node}})),
    ]

    async with unchanged(database):
        for text, fields in requests:
            for person in (reader, editor, deleter):
                assert codes(await api(text, as_=person, input=fields)) == ["FORBIDDEN"]
            assert problems(await api(text, as_=eve, input=fields)) == {"NOT_FOUND input.resource"}
            assert codes(await api(text, input=fields)) == ["UNAUTHENTICATED"]
        one = {"grants": [requests[2][1]]}
        assert codes(await api(BATCH, as_=reader, input=one)) == ["FORBIDDEN"]
        assert problems(await api(BATCH, as_=eve, input=one)) == {"NOT_FOUND input.grants.0.resource"}
        assert codes(await api(BATCH, input=one)) == ["UNAUTHENTICATED"]
    for person in (reader, editor, deleter):
        seen = {"slug": "reef", "access": None, "accessSubjects": None}
        assert await api(SEES, as_=person, id=reef.node) == {"data": {"resource": seen}}
    for person in (admin, manager, registry):
        assert (await api(SEES, as_=person, id=reef.node))["data"]["resource"]["access"] == {"revision": 1}


async def test_what_anyone_reads_is_seen_by_nobody_signed_in(api: Api, make: Make) -> None:
    ann = await make.user("ann")
    reef = await make.resource(await make.org("sea"), owner=ann, slug="reef", general=0)
    own = """query ($id: ID!) { resource(by: {id: $id}) { slug org { slug } access { revision } viewerAccess {
      effectiveRoles sources { kind } } } resources { nodes { slug } totalCount } }"""
    hidden = {"data": {"resource": None, "resources": {"nodes": [], "totalCount": 0}}}
    assert await api(own, id=reef.node) == hidden

    grant = of(reef, subject={"anyone": True}, **roles(LOAD))
    answered(await api(GRANT, as_=ann, input=grant), "grantAccess")

    access = {"effectiveRoles": [READ, LOAD], "sources": [{"kind": "ANYONE"}]}
    assert await api(own, id=reef.node) == {
        "data": {
            "resource": {"slug": "reef", "org": None, "access": None, "viewerAccess": access},
            "resources": {"nodes": [{"slug": "reef"}], "totalCount": 1},
        }
    }
    answered(await api(REVOKE, as_=ann, input=of(reef, subject={"anyone": True})), "revokeAccess")
    assert await api(own, id=reef.node) == hidden


async def test_null_is_as_absent_in_a_configuration(api: Api, make: Make) -> None:
    ann = await make.user("ann")
    reef = await make.resource(await make.org(), owner=ann)
    whole = of(reef, revision=1, general=roles(READ), anyone=None, groups=None, users=None)

    previewed = await api(PREVIEW, as_=ann, input=whole)
    submitted = await api(SUBMIT, as_=ann, input=whole)

    assert problems(previewed) == problems(submitted) == set()
    assert [each["kind"] for each in previewed["data"]["previewAccess"]["changes"]] == ["GENERAL"]


@pytest.mark.parametrize("end", ["9999-12-31T00:00:00Z", "9999-12-31T23:59:59.999999Z"])
async def test_a_grant_ends_before_the_last_day_of_all(api: Api, make: Make, database: db.Database, end: str) -> None:
    """PostgreSQL has the last moment as infinity, and lists have that day for no end."""
    ann = await make.user("ann")
    reef = await make.resource(await make.org(), owner=ann)
    grant = of(reef, subject={"user": {"userName": "ann"}}, **roles(READ, until=end))

    async with unchanged(database):
        assert problems(await api(GRANT, as_=ann, input=grant)) == {"INVALID_INPUT input.expiresAt"}
    answered(await api(GRANT, as_=ann, input={**grant, "expiresAt": "9999-12-30T23:59:59.999999Z"}), "grantAccess")
    again = {**grant, "expiresAt": FAR}
    answered(await api(GRANT, as_=ann, input=again), "grantAccess")
