"""Claims about deleting users: the successor gets what they owned, and nothing is left of them."""

from sqlalchemy import or_, select

from app import db
from app.db import tables
from app.db.tables import col
from app.domain import resource_roles
from app.domain.resource_roles import MemberLevel, SubjectType
from tests.support.changes import answered, change, problems, unchanged
from tests.support.client import Api
from tests.support.factories import Entity, Make, Person, rows_of, stale
from tests.support.fetching import fetch

DELETE = change("deleteUser", "deletedUserId orgsTransferred resourcesTransferred")


async def _estate(make: Make) -> tuple[Person, Person, Entity, Entity]:
    """Create Ann, who owns an org, a resource in it and one in another org; Bea belongs to the org."""
    ann, bea = await make.user("ann"), await make.user("bea")
    org, other = await make.org("acme", ann), await make.org("other")
    await make.member(org, bea, MemberLevel.READ_ONLY)
    await make.member(other, ann)
    mine = await make.resource(other, owner=ann, general=0)
    granted = await make.resource(org, owner=ann, general=0)
    await make.grant(granted, ann)
    await make.group("pilots", ann)
    return ann, bea, mine, granted


async def _traces(database: db.Database, user: Person) -> list[int]:
    """Return the number of rows of a user in each table that could grant them anything."""
    holding = [tables.OrgMember, tables.GroupMember, tables.Grant]
    left = [
        len(await fetch(database, select(1).where(col(table.user_id) == user.id)))  # type: ignore[attr-defined]  # all three
        for table in holding
    ]
    subject = col(tables.Access.subject)
    conditions = [subject == resource_roles.subject_id(kind, user.id) for kind in (SubjectType.USER, SubjectType.OWNER)]
    subjects = select(subject).where(or_(*conditions))
    return [*left, len(await fetch(database, subjects))]


async def test_what_a_deleted_user_owned_is_nobodys(api: Api, make: Make, database: db.Database) -> None:
    root = await make.admin()
    ann, bea, mine, granted = await _estate(make)

    reply = await api(DELETE, as_=root, input={"user": {"id": ann.node}})

    deleted = answered(reply, "deleteUser")
    assert (deleted["orgsTransferred"], deleted["resourcesTransferred"]) == (0, 0)
    assert await _traces(database, ann) == [0, 0, 0, 0]
    assert await stale(database) == set()
    owners = [*await fetch(database, select(col(tables.Org.owner_id)))]
    assert [*owners, *await fetch(database, select(col(tables.Resource.owner_id)))] == [(None,)] * 4
    org = await api('{ org(by: {slug: "acme"}) { viewerLevel owner { id } } }', as_=bea)
    assert org["data"]["org"] == {"viewerLevel": "READ_ONLY", "owner": None}
    assert {mine.id, granted.id} == {row[0] for row in await fetch(database, select(col(tables.Resource.id)))}


async def test_a_successor_takes_over_orgs_and_resources(api: Api, make: Make, database: db.Database) -> None:
    root = await make.admin()
    ann, bea, mine, _ = await _estate(make)

    reply = await api(DELETE, as_=root, input={"user": {"id": ann.node}, "successor": {"userName": "bea"}})

    deleted = answered(reply, "deleteUser")
    assert (deleted["orgsTransferred"], deleted["resourcesTransferred"]) == (1, 2)
    assert await _traces(database, ann) == [0, 0, 0, 0]
    assert await stale(database) == set()
    assert await rows_of(database, tables.OrgMember) == 0
    reply = await api(
        'query ($id: ID!) { org(by: {slug: "acme"}) { viewerLevel } node(id: $id) { id } }', as_=bea, id=mine.node
    )
    assert reply["data"] == {"org": {"viewerLevel": "ADMIN"}, "node": {"id": mine.node}}


async def test_a_user_is_not_their_own_successor(api: Api, make: Make, database: db.Database) -> None:
    root = await make.admin()
    ann, *_ = await _estate(make)

    async with unchanged(database):
        reply = await api(DELETE, as_=root, input={"user": {"id": ann.node}, "successor": {"userName": "ann"}})

    assert problems(reply) == {"INVALID_INPUT input.successor"}
