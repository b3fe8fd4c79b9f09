"""Claims about ids beyond 32 bits: every table continues to count, and every query about such rows has an answer."""

from typing import Any

import pytest
from sqlalchemy import text
from sqlmodel import SQLModel

from app import db
from app.domain import refs
from app.domain.refs import MAX_ID
from tests.support.changes import change
from tests.support.client import Api, codes
from tests.support.factories import Make

FAR = 2**40
"""Beyond 32 bits, and beyond what a JavaScript number could lose digits of in eight times its size."""

COUNTED = [table.name for table in SQLModel.metadata.sorted_tables if "id" in table.c]

CHECKS = """query ($user: ID!, $resource: ID!) {
  checkAccess(user: {id: $user}, resource: {id: $resource}, role: METADATA_READ)
  checkAccessBatch(users: [$user], resources: [$resource], roles: [ADMIN])
  explainAccess(user: {id: $user}, resource: {id: $resource}) { kind }
  explainDenial(user: {id: $user}, resource: {id: $resource}, role: ADMIN) { __typename }
  resource(by: {id: $resource}) { name viewerAccess { effectiveRoles } access { users { user { userName } } } }
  auditEvents(first: 2) { nodes { action changes { nodes { objectId } } } }
}"""


@pytest.fixture(autouse=True)
async def counted_far(database: db.Database, backend: str) -> None:
    """Every table whose ids are counted goes on from far beyond 32 bits."""
    async with database.write() as tx:
        for table in COUNTED:
            for statement in _count_from(table, backend):
                await tx.rows(text(statement))


async def test_users_orgs_groups_and_resources_with_such_ids_are_created_read_and_checked(
    api: Api, make: Make, backend: str
) -> None:
    root = await make.admin()
    for name, fields in _CHANGES:
        reply = await api(change(name), as_=root, input=fields)
        assert codes(reply) == [], reply

    created = await api(
        '{ user(by: {userName: "ann"}) { id } resource(by: {path: {orgSlug: "reef", slug: "corals"}}) { id } }',
        as_=root,
    )
    user, resource = (created["data"][name]["id"] for name in ("user", "resource"))
    reply = await api(CHECKS, as_=root, user=user, resource=resource)

    for name, node in (("User", user), ("Resource", resource)):
        key = refs.key_of(name, node)
        assert key is not None
        assert key > 2**32
    data: Any = reply["data"]
    assert data["checkAccess"] is True
    assert data["checkAccessBatch"] == [False]
    assert {reason["kind"] for reason in data["explainAccess"]} == {"GENERAL", "GROUP"}
    assert data["resource"]["viewerAccess"]["effectiveRoles"][-1] == "ADMIN"
    assert data["auditEvents"]["nodes"][0]["action"] == "grantAccess"


async def test_the_largest_id_is_read_and_a_larger_one_is_not_found(api: Api, make: Make) -> None:
    root = await make.admin()
    largest, beyond = refs.encode("User", MAX_ID), refs.encode("User", MAX_ID + 1)

    replies = [await api("query ($id: ID!) { node(id: $id) { id } }", as_=root, id=each) for each in (largest, beyond)]

    assert [reply["data"] for reply in replies] == [{"node": None}, {"node": None}]


_CHANGES: list[tuple[str, dict[str, Any]]] = [
    ("createUser", {"userName": "ann", "password": "correct horse battery"}),
    ("createOrg", {"slug": "reef", "name": "Reef"}),
    ("createGroup", {"slug": "divers", "displayName": "Divers"}),
    ("addGroupMembers", {"group": {"slug": "divers"}, "members": [{"user": {"userName": "ann"}}]}),
    ("createResource", {"org": {"slug": "reef"}, "type": "DATASET", "slug": "corals", "name": "Corals"}),
    (
        "grantAccess",
        {
            "resource": {"path": {"orgSlug": "reef", "slug": "corals"}},
            "subject": {"group": {"slug": "divers"}},
            "roles": ["METADATA_WRITE"],
        },
    ),
]


def _count_from(table: str, backend: str) -> list[str]:
    """The statements that let a table go on from `FAR`; the names are those of our own tables."""
    if backend == "postgresql":
        return [f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), {FAR})"]
    clear = f"DELETE FROM sqlite_sequence WHERE name = '{table}'"
    return [clear, f"INSERT INTO sqlite_sequence (name, seq) VALUES ('{table}', {FAR})"]
