"""Two administrators edit one membership: the second is told, and writes nothing over the first."""

from typing import Any

import pytest

from tests.support.changes import change, problems
from tests.support.client import Api
from tests.support.factories import Make

END = "2098-01-01T00:00:00Z"
CONFLICT = {"CONFLICT input.ifCurrent"}
EDGES = """
{ org(slug: "lab") { members { edges { level expiresAt } } }
  group(slug: "crew") { members { edges { isManager expiresAt } } } }
"""
CASES: dict[str, tuple[str, dict[str, Any], dict[str, Any], list[dict[str, Any]]]] = {
    "an org": (
        "updateOrgMember",
        {"level": "READ_ONLY"},
        {"level": "ADMIN"},
        [{"level": "ADMIN"}, {"level": "READ_ONLY", "expiresAt": END}],
    ),
    "a group": (
        "updateGroupMember",
        {"isManager": False},
        {"isManager": True},
        [{"isManager": True}, {"isManager": False, "expiresAt": END}],
    ),
}
"""For each kind: its mutation, the membership as it was read, a change of it, and other memberships."""


@pytest.mark.parametrize("case", CASES)
async def test_a_membership_that_was_changed_meanwhile_is_not_overwritten(api: Api, make: Make, case: str) -> None:
    mutation, read, new, others = CASES[case]
    root = await make.admin()
    await make.user("ann")
    org = {"org": {"slug": "lab"}}
    group = {"group": {"slug": "crew"}}
    member = {"user": {"userName": "ann"}}
    for name, given in (
        ("createOrg", {"slug": "lab", "name": "Lab"}),
        ("createGroup", {"slug": "crew", "displayName": "Crew"}),
        ("addOrgMember", org | member | {"level": "READ_ONLY"}),
        ("addGroupMembers", group | {"members": [member]}),
    ):
        assert problems(await api(change(name), as_=root, input=given)) == set()
    place = (org if case == "an org" else group) | member

    for other in others:
        before = await api(EDGES, as_=root)
        refused = await api(change(mutation), as_=root, input=place | new | {"ifCurrent": other})
        assert problems(refused) == CONFLICT
        assert await api(EDGES, as_=root) == before

    assert problems(await api(change(mutation), as_=root, input=place | new | {"ifCurrent": read})) == set()
    assert (
        problems(await api(change(mutation), as_=root, input=place | {"expiresAt": END, "ifCurrent": read})) == CONFLICT
    )
    last = place | {"clear": ["EXPIRES_AT"], "ifCurrent": new | {"expiresAt": END}}
    assert problems(await api(change(mutation), as_=root, input=place | {"expiresAt": END, "ifCurrent": new})) == set()
    assert problems(await api(change(mutation), as_=root, input=last)) == set()
