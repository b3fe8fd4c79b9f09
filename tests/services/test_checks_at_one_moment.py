"""Claims about questions about others: the right to ask and the answer are of one moment, and an id says little."""

from typing import Any

import pytest

from app.services import checks
from tests.support.changes import answered, change
from tests.support.client import Api, codes
from tests.support.factories import Make

READ = "METADATA_READ"
QUESTIONS = {
    "checkAccess": f"checkAccess(user: $user, resource: $resource, role: {READ})",
    "explainAccess": "explainAccess(user: $user, resource: $resource) { kind group { slug } }",
    "explainDenial": "explainDenial(user: $user, resource: $resource, role: ADMIN) { cause kind group { slug } }",
}


async def ask(api: Api, name: str, **options: Any) -> Any:
    return await api(f"query ($user: UserBy!, $resource: ResourceBy!) {{ {QUESTIONS[name]} }}", **options)


@pytest.mark.parametrize("name", QUESTIONS)
async def test_a_grant_after_the_right_to_ask_was_read_is_no_part_of_the_answer(
    api: Api, make: Make, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """Else the owner of a resource would learn who belongs to a group whose members they may not see."""
    owner, member = await make.user("owner"), await make.user("member")
    resource = await make.resource(await make.org(owner=owner), general=0)
    group = await make.group("hidden", member)
    subject = {"group": {"id": group.node}}
    grant = {"resource": {"id": resource.node}, "subject": subject, "roles": [READ]}
    question = {"as_": owner, "user": {"userName": "member"}, "resource": {"id": resource.node}}
    before = await ask(api, name, **question)
    require = checks.require_may_ask

    async def grant_meanwhile(*given: Any) -> None:
        await require(*given)
        answered(await api(change("grantAccess"), as_=owner, input=grant), "grantAccess")

    monkeypatch.setattr(checks, "require_may_ask", grant_meanwhile)
    assert await ask(api, name, **question) == before
    monkeypatch.undo()
    assert codes(await ask(api, name, **question)) == ["FORBIDDEN"]


@pytest.mark.parametrize("name", QUESTIONS)
async def test_an_owner_finds_strangers_by_name_and_not_by_id(api: Api, make: Make, name: str) -> None:
    """Ids are numbered, so that they would count all users, and tell who is deactivated."""
    owner, stranger = await make.user("owner"), await make.user("stranger")
    deactivated, holder = await make.user("deactivated-user", "deactivated"), await make.user("holder")
    resource = await make.resource(await make.org(owner=owner), general=0)
    await make.grant(resource, holder, 1)

    async def outcome(user: dict[str, str]) -> list[str]:
        return codes(await ask(api, name, as_=owner, user=user, resource={"id": resource.node}))

    by_id = [await outcome({"id": each}) for each in (stranger.node, deactivated.node, "VXNlcjo5OTk")]
    assert by_id == [["NOT_FOUND"]] * 3
    assert [await outcome({"userName": each}) for each in ("stranger", "deactivated-user", "holder")] == [[]] * 3
    assert await outcome({"id": holder.node}) == []
