"""Claims about the users who see a group's members: on the group, on the user, in the log."""

from typing import Any

from app.domain.viewer import Permission
from tests.support.changes import answered, change
from tests.support.client import Api, codes
from tests.support.factories import Make, Person

UPDATE = change("updateGroup")
PILOTS = {"slug": "pilots"}
SEEN = """query ($slug: String!) { group(by: {slug: $slug}) {
  membersSeenBy memberCount viewerIsMember members { totalCount nodes { userName email } }
} }"""


async def test_members_are_seen_by_members_or_by_everybody_signed_in(api: Api, make: Make) -> None:
    """They see names, and nothing that identifies a member outside the group."""
    boss, eve = await make.holder(Permission.GROUPS_MANAGE), await make.user("eve")
    ann, gone = await make.user("ann", email="ann@b.example"), await make.user("gone", "deactivated")
    observer = await make.holder(Permission.GROUPS_VIEW)
    new_group = {"slug": "choir", "displayName": "Choir", "membersSeenBy": "SIGNED_IN"}
    answered(await api(change("createGroup"), as_=boss, input=new_group), "createGroup")
    members = [{"user": {"userName": each.user_name}} for each in (ann, gone)]
    adding = {"group": {"slug": "choir"}, "members": members}
    answered(await api(change("addGroupMembers"), as_=boss, input=adding), "addGroupMembers")
    token, _ = await make.api_token(eve, limits=[])

    async def seen(asker: Person | str | None) -> Any:
        return (await api(SEEN, as_=asker, slug="choir"))["data"]["group"]

    def expected(seen_by: str, emails: list[str | None] | None, *, is_mine: bool = False) -> dict[str, Any]:
        listed = [
            {"userName": name, "email": email} for name, email in zip(("ann", "gone"), emails or [], strict=False)
        ]
        members = None if emails is None else {"totalCount": 2, "nodes": listed}
        return {"membersSeenBy": seen_by, "memberCount": 2, "viewerIsMember": is_mine, "members": members}

    assert await seen(eve) == expected("SIGNED_IN", [None, None])
    assert await seen(ann) == expected("SIGNED_IN", ["ann@b.example", None], is_mine=True)
    assert await seen(token) == expected("SIGNED_IN", None)
    assert await seen(None) is None
    lookup = await api('{ users { totalCount } user(by: {userName: "ann"}) { id } }', as_=eve)
    assert lookup["data"] == {"users": {"totalCount": 1}, "user": None}
    for asker, outcome in ((ann, ["FORBIDDEN"]), (observer, ["FORBIDDEN"]), (boss, [])):
        narrowing = {"group": {"slug": "choir"}, "membersSeenBy": "MEMBERS"}
        assert codes(await api(UPDATE, as_=asker, input=narrowing)) == outcome
    assert await seen(eve) == expected("MEMBERS", None)
    assert await seen(observer) == await seen(boss) == expected("MEMBERS", [None, None])


async def test_the_log_records_who_sees_the_members(api: Api, make: Make) -> None:
    root = await make.admin()
    await make.group("pilots")
    update = {"group": PILOTS, "membersSeenBy": "SIGNED_IN"}
    answered(await api(UPDATE, as_=root, input=update), "updateGroup")

    events = await api("{ auditEvents(first: 1) { nodes { changes { nodes { before after } } } } }", as_=root)

    (event,) = events["data"]["auditEvents"]["nodes"]
    assert event["changes"]["nodes"] == [
        {"before": {"membersSeenBy": "MEMBERS"}, "after": {"membersSeenBy": "SIGNED_IN"}}
    ]


async def test_a_user_viewer_sees_of_the_groups_of_others_those_whose_members_they_see(api: Api, make: Make) -> None:
    bob = await make.user("bob")
    viewing = await make.holder(Permission.USERS_VIEW)
    both = await make.holder(Permission.USERS_VIEW | Permission.GROUPS_VIEW)
    await make.group("hidden", bob)
    await make.group("open", bob, members_seen_by="SIGNED_IN")
    await make.group("shared", bob, viewing)
    query = '{ user(by: {userName: "bob"}) { groups { totalCount nodes { slug } } } }'

    async def seen(asker: Person) -> Any:
        groups = (await api(query, as_=asker))["data"]["user"]["groups"]
        assert groups["totalCount"] == len(groups["nodes"])
        return [each["slug"] for each in groups["nodes"]]

    assert await seen(viewing) == ["open", "shared"]
    assert await seen(both) == await seen(bob) == ["hidden", "open", "shared"]
