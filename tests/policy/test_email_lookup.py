"""Who finds a user by e-mail address: the user, and viewers of all users. For others nobody has the address."""

from collections.abc import Callable
from typing import Any

import pytest

from app.domain import resource_roles
from app.domain.resource_roles import MemberLevel
from app.domain.viewer import ALL_PERMISSIONS, Permission
from tests.support.client import Api
from tests.support.factories import Make, Person

USER = "query ($by: UserBy!) { user(by: $by) { userName } }"
EMAIL, ODD, UNKNOWN = "ann@b.example", "ANN@B.Example", "ghost@b.example"
BLIND = ALL_PERMISSIONS & ~Permission.USERS_VIEW & ~Permission.USERS_MANAGE
"""Every permission except those that show the details of all users."""

Question = tuple[str, dict[str, Any]]


def _change(name: str, **values: Any) -> Question:
    text = f"mutation ($input: {name[0].upper()}{name[1:]}Input!) {{ {name}(input: $input) {{ {{}} }} }}"
    errors = "errors { code message path }"
    return text.replace("{}", errors), {"input": values}


def _questions(thing: str, by: dict[str, str]) -> list[Question]:
    """Return a question or a change for each kind of statement that finds a user by a reference."""
    group, org, resource = {"slug": "divers"}, {"slug": "atelier"}, {"id": thing}
    about = "($user: UserBy!, $resource: ResourceBy!)"
    entry = {"subject": {"user": by}, "roles": ["METADATA_READ"]}
    return [
        (USER, {"by": by}),
        (
            f"query {about} {{ checkAccess(user: $user, resource: $resource, role: ADMIN) }}",
            {"user": by, "resource": resource},
        ),
        (
            f"query {about} {{ explainAccess(user: $user, resource: $resource) {{ kind }} }}",
            {"user": by, "resource": resource},
        ),
        _change("addOrgMember", org=org, user=by),
        _change("updateOrgMember", org=org, user=by, level="ADMIN"),
        _change("removeOrgMember", org=org, user=by),
        _change("addOrgMembers", org=org, members=[{"user": by}]),
        _change("removeOrgMembers", org=org, members=[by]),
        _change("addGroupMembers", group=group, members=[{"user": by}]),
        _change("updateGroupMember", group=group, user=by, isManager=True),
        _change("removeGroupMembers", group=group, members=[by]),
        _change("grantAccess", resource=resource, **entry),
        _change("revokeAccess", resource=resource, subject={"user": by}),
        _change("transferOrg", org=org, owner=by),
        _change("deleteUsers", users=[by]),
        _change("signOutEverywhere", user=by),
    ]


async def _world(make: Make, permissions: Permission, belongs: bool) -> tuple[Person, Person, str]:
    """Return a viewer who administers an org, a group and a resource, Ann, who belongs there or not, and its id."""
    ann, viewer = await make.user("Ann", email=EMAIL), await make.holder(permissions, "viewer")
    org = await make.org("atelier", viewer)
    group = await make.group("divers")
    await make.group_member(group, viewer, is_manager=True)
    thing = await make.resource(org, owner=viewer, slug="corals")
    if belongs:
        await make.member(org, ann, MemberLevel.READ_ONLY)
        await make.group_member(group, ann)
        await make.grant(thing, ann, resource_roles.METADATA_READ)
    return viewer, ann, thing.node


async def _answers(api: Api, viewer: Person, questions: list[Question]) -> list[tuple[Any, int]]:
    """Return the answer and the number of statements of each question; no change is kept."""
    answers = []
    for text, variables in questions:
        if "input" in variables:
            variables["input"]["validateOnly"] = True
        reply = (await api.post_with_stats(text, viewer, **variables)).json()
        answers.append(((reply["data"], reply.get("errors")), reply["extensions"]["stats"]["statements"]))
    return answers


@pytest.mark.parametrize("belongs", [True, False])
async def test_a_hidden_address_is_answered_like_one_that_nobody_has(api: Api, make: Make, belongs: bool) -> None:
    """The viewer has every other permission, and sees Ann as a member, as a manager and in the configuration."""
    viewer, _, thing = await _world(make, BLIND, belongs)

    await _answers(api, viewer, _questions(thing, {"email": "warm@b.example"}))  # rights are cached from here on

    hidden = await _answers(api, viewer, _questions(thing, {"email": EMAIL}))

    assert hidden == await _answers(api, viewer, _questions(thing, {"email": UNKNOWN}))
    assert "Ann" not in str(hidden)


@pytest.mark.parametrize(("permission", "belongs"), [(Permission.USERS_VIEW, True), (Permission.USERS_MANAGE, False)])
async def test_a_viewer_of_users_gets_the_answer_of_the_user_name(
    api: Api, make: Make, permission: Permission, belongs: bool
) -> None:
    viewer, _, thing = await _world(make, permission | Permission.ACCESS_VIEW, belongs)

    by_email = await _answers(api, viewer, _questions(thing, {"email": ODD}))

    by_name = await _answers(api, viewer, _questions(thing, {"userName": "ann"}))
    assert [reply for reply, _ in by_email] == [reply for reply, _ in by_name]
    assert by_email[0][0][0] == {"user": {"userName": "Ann"}}


async def test_a_user_finds_themselves(api: Api, make: Make) -> None:
    ann, _ = await make.user("ann", email=EMAIL), await make.user("eve", email="eve@b.example")
    sign_out = _change("signOutEverywhere", user={"email": ODD}, validateOnly=True)

    assert (await api(USER, as_=ann, by={"email": ODD}))["data"] == {"user": {"userName": "ann"}}
    assert (await api(USER, as_=ann, by={"email": "eve@b.example"}))["data"] == {"user": None}
    assert (await api(sign_out[0], as_=ann, **sign_out[1]))["data"] == {"signOutEverywhere": {"errors": []}}
    assert (await api(USER, by={"email": EMAIL}))["data"] == {"user": None}


DECISION = """query ($subject: DecisionSubject!, $resource: ResourceBy!, $entries: [ContextualEntryInput!]) {
  accessDecision(subject: $subject, resource: $resource, role: ADMIN, entries: $entries) { outcome }
}"""
Named = Callable[[str], dict[str, str]]


@pytest.mark.parametrize(("permission", "outcome"), [(Permission(0), "DENIED"), (Permission.USERS_VIEW, "GRANTED")])
async def test_an_additional_entry_confirms_no_hidden_address(
    api: Api, make: Make, permission: Permission, outcome: str
) -> None:
    viewer, _, thing = await _world(make, permission | Permission.ACCESS_VIEW, True)
    entries = [{"subject": {"user": {"email": EMAIL}}, "roles": ["ADMIN"]}]

    reply = await api(
        DECISION, as_=viewer, subject={"user": {"userName": "ann"}}, resource={"id": thing}, entries=entries
    )

    assert reply == {"data": {"accessDecision": {"outcome": outcome}}}


@pytest.mark.parametrize(("permission", "codes"), [(BLIND, ["NOT_FOUND"]), (Permission.USERS_VIEW, [])])
async def test_a_name_beside_it_does_not_open_the_address(
    api: Api, make: Make, permission: Permission, codes: list[str]
) -> None:
    """One request names the same member by user name, so the row is read; the address still finds nobody."""
    viewer, _, _ = await _world(make, permission, True)
    members = [{"userName": "ann"}, {"email": EMAIL}]
    text, variables = _change("removeGroupMembers", group={"slug": "divers"}, members=members, validateOnly=True)

    payload = (await api(text, as_=viewer, **variables))["data"]["removeGroupMembers"]

    missing = [error["path"][-1] for error in payload["errors"] if error["code"] == "NOT_FOUND"]
    assert missing == (["1"] if codes else [])
