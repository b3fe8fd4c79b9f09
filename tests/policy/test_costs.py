"""Tests of the cost of reads: the number of statements depends on the query, not on the rows or the viewer."""

from typing import Any

import pytest

from app.domain import resource_roles
from app.domain.resource_roles import MemberLevel
from tests.support.client import Api
from tests.support.factories import Make, Person

NESTED = """{ resources(first: 100) { nodes {
  name type { name } viewerAccess { effectiveRoles } org { slug name } access { groups { group { displayName } roles } }
} } }"""
WIDE = """{ resources(first: 100, orderBy: [{field: UPDATED_AT, direction: DESC}], filter: {viewerRole: METADATA_READ})
{
  totalCount edges { cursor node {
    id metadata owner { userName } lock { reason lockedBy { userName } } lockHistory(first: 3) { nodes { reason } }
    accessSubjects(first: 3) { totalCount nodes { kind roles user { userName } } }
    viewerAccess { grantedRoles effectiveRoles sources { kind effectiveRoles group { slug } orgLevel expiresAt } }
    access { revision general { roles } anyone { roles } users { user { userName } roles } }
  } }
} }"""
MEMBERS = """{ orgs(first: 100) { nodes { slug viewerLevel owner { userName }
  members(first: 3) { totalCount edges { level node { userName } } } resources(first: 3) { totalCount nodes { slug } }
} } groups(first: 100) { nodes { slug members(first: 3) { totalCount edges { isManager node { userName } } } } } }"""
USERS = """{ users(first: 100) { nodes { userName
  accessibleResources(first: 3, role: METADATA_READ) { totalCount nodes { slug type { name } org { slug } } }
  grants(first: 3) { totalCount edges { roles expiresAt isExpired node { slug org { slug } } } }
} } }"""


async def _row(make: Make, at: int, ann: Person, *people: Person) -> None:
    """Create a resource with at least one object in each of its relations."""
    org = await make.org(is_public=True, owner=ann)
    user = await make.user()
    await make.member(org, user, MemberLevel.READ_ONLY)
    group = await make.group(None, user, ann, *people)
    reef = await make.resource(org, owner=ann, name=f"Name {at}")
    await make.grant(reef, group, resource_roles.METADATA_WRITE)
    for each in (user, ann):
        await make.grant(reef, each, resource_roles.METADATA_READ)
    await make.locked(reef, ann)


@pytest.mark.usefixtures("nothing_cached")
async def test_statements_do_not_grow_with_rows_and_are_the_same_for_everybody(api: Api, make: Make) -> None:
    ann, root, eve = await make.user("ann"), await make.admin(), await make.user("eve")
    await _row(make, 0, ann, root)
    queries = (NESTED, WIDE, MEMBERS, USERS)

    async def spent(query: str, *askers: Person | None) -> set[int]:
        return {await api.statements(query, as_=asker) for asker in askers}

    few = [await spent(query, root, ann) for query in queries]
    for at in range(1, 12):
        await _row(make, at, ann, root)
    many = [await spent(query, root, ann) for query in queries]

    assert few == many
    assert [len(numbers) for numbers in many] == [1] * len(queries)
    for query, numbers in zip(queries, many, strict=True):
        assert max(await spent(query, eve)) <= min(numbers)


@pytest.mark.usefixtures("nothing_cached")
async def test_the_page_of_the_issue_takes_as_many_statements_for_one_row_as_for_a_hundred(
    api: Api, make: Make
) -> None:
    ann, viewer, eve, root = await make.user("ann"), await make.user(), await make.user(), await make.admin()
    org, group = await make.org(is_public=True, owner=ann), await make.group(None, viewer)

    async def add() -> None:
        await make.grant(await make.resource(org, owner=ann), group, resource_roles.METADATA_WRITE)

    async def spent() -> list[int]:
        return [await api.statements(NESTED, as_=asker) for asker in (root, ann, viewer, eve)]

    await add()
    one = await spent()
    for _ in range(99):
        await add()
    page: Any = await api(NESTED, as_=viewer)

    assert len(page["data"]["resources"]["nodes"]) == 100
    assert await spent() == one
    assert max(one) == one[0] == one[1] == 4
