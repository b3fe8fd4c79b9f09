"""Tests that repeated checks over the API cost little, and that each sees what was acknowledged before."""

from sqlalchemy import delete

from app import db
from app.db.tables import GroupMember
from tests.support.client import Api
from tests.support.factories import Make

CHECK = """query ($user: ID!, $resource: ID!) {
  checkAccess(user: {id: $user}, resource: {id: $resource}, role: METADATA_READ) }"""
GRANT_AND_CHECK = """mutation ($input: GrantAccessInput!, $user: ID!, $resource: ID!) {
  grantAccess(input: $input) { errors { message } query {
    checkAccess(user: {id: $user}, resource: {id: $resource}, role: METADATA_READ) } } }"""


async def test_a_repeated_check_reads_the_viewer_and_on_postgresql_what_has_changed(
    api: Api, make: Make, backend: str
) -> None:
    """SQLite tells without a statement that nothing has changed. PostgreSQL is asked in the same round trip."""
    ann = await make.user("ann")
    named = {"user": ann.node, "resource": (await make.resource(await make.org(), owner=ann)).node}
    expected = {"sqlite": 1, "postgresql": 2}[backend]

    assert [await api.statements(CHECK, as_=ann, **named) for _ in range(4)][2:] == [expected] * 2


async def test_a_request_sees_its_own_change_although_it_began_before(api: Api, make: Make) -> None:
    ann, org = await make.user("ann"), await make.org()
    reefs = [await make.resource(org, owner=ann, general=None) for _ in range(2)]
    group = await make.group("crew", ann)
    ben = await make.user("ben")
    await make.group_member(group, ben)
    registry = await make.admin()
    for reef in reefs:
        named = {"user": ben.node, "resource": reef.node}
        for _ in range(3):
            assert (await api(CHECK, as_=registry, **named))["data"] == {"checkAccess": False}
        granted = {"resource": {"id": reef.node}, "subject": {"group": {"slug": "crew"}}, "roles": ["METADATA_READ"]}
        answer = await api(GRANT_AND_CHECK, as_=registry, input=granted, **named)
        assert answer["data"]["grantAccess"] == {"errors": [], "query": {"checkAccess": True}}


async def test_the_next_request_sees_what_another_worker_has_committed(
    api: Api, make: Make, own_db: db.Database
) -> None:
    ann, reef = await make.user("ann"), await make.resource(await make.org(), general=None)
    group = await make.group()
    await make.grant(reef, group)
    registry, named = await make.admin(), {"user": ann.node, "resource": reef.node}
    row = {"group_id": group.id, "user_id": ann.id, "is_manager": False}
    for _ in range(3):
        for is_member in (False, True):
            for _ in range(3):
                assert (await api(CHECK, as_=registry, **named))["data"] == {"checkAccess": is_member}
            async with own_db.write() as tx:
                if is_member:
                    await tx.rows(delete(GroupMember))
                else:
                    await tx.insert(GroupMember, [{**row, "added_at": tx.now}])
