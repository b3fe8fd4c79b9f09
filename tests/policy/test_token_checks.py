"""Claims about checks by API token: a token never shows more rights than it carries."""

from tests.services.test_api_tokens import ask, create_token
from tests.support.client import Api, codes
from tests.support.factories import Make


async def test_a_token_finds_its_rights_to_be_less_in_every_way_of_asking(api: Api, make: Make) -> None:
    """The user holds ADMIN everywhere through a permission that the token does not carry."""
    root, bea = await make.admin(), await make.user("bea")
    thing = await make.resource(await make.org("reef"), general=0)
    token, _ = await create_token(api, root)
    full, _ = await create_token(api, root, name="full", permissions=["RESOURCES_MANAGE"])
    own = 'checkAccess(user: {userName: "root"}, resource: {id: $id}, role: METADATA_READ)'
    query = f"query ($id: ID!) {{ {own} node(id: $id) {{ id }} resources {{ totalCount }}"
    query += " viewer { user { accessibleResources { totalCount } } }"
    query += ' explainAccess(user: {userName: "root"}, resource: {id: $id}) { kind } }'

    less, more = [(await ask(api, each, query, id=thing.node))["data"] for each in (token, full)]

    none, one = {"totalCount": 0}, {"totalCount": 1}
    assert [less["checkAccess"], less["node"], less["resources"], less["explainAccess"]] == [False, None, none, []]
    assert less["viewer"]["user"]["accessibleResources"] == none
    assert [more["checkAccess"], more["resources"], more["explainAccess"]] == [True, one, [{"kind": "PERMISSION"}]]
    assert more["viewer"]["user"]["accessibleResources"] == one
    about = "query ($id: ID!, $user: ID!) { checkAccess(user: {id: $user}, resource: {id: $id}, role: ADMIN) }"
    replies = [await ask(api, each, about, id=thing.node, user=bea.node) for each in (token, full)]
    assert [codes(reply) for reply in replies] == [["FORBIDDEN"], []]
