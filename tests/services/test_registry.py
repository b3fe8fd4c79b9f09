"""Claims about `Query.registry`: what everybody may know of the settings, and no more."""

import json
from typing import Any

import pytest

from app import __version__
from tests.support.client import Api
from tests.support.factories import Make
from tests.support.rest_client import Rest

POLICY = "minLength requiresDigit requiresUppercase requiresLowercase requiresNonAlphanumeric"
REGISTRY = f"{{ registry {{ version userManagement isStorageLimited groupContact passwordPolicy {{ {POLICY} }} }} }}"
RULES = {f"requires{kind}": False for kind in ("Digit", "Uppercase", "Lowercase", "NonAlphanumeric")}
DEFAULTS = {
    "version": __version__,
    "userManagement": "LOCAL",
    "isStorageLimited": False,
    "groupContact": None,
    "passwordPolicy": {"minLength": 12, **RULES},
}
EXTERNAL = {"OSTIARY_EXTERNAL_AUTH_URL": "http://127.0.0.1:9/in?key=hush"}
CONTACT = "Ask the data office: https://help.example.org/groups"
STRICT = {
    "OSTIARY_ENABLE_STORAGE_LIMITER": "true",
    "OSTIARY_PASSWORD_POLICY": json.dumps({"MinLength": 8, "RequireDigit": True, "RequireNonAlphanumeric": True}),
}
STRICT_RULES = {"minLength": 8, **RULES, "requiresDigit": True, "requiresNonAlphanumeric": True}


async def _registry(api: Api, as_: Any = None) -> Any:
    """Return the registry, which both executors answer alike: a plan answers the second time."""
    replies = [await api(REGISTRY, as_=as_) for _ in range(3)]
    assert replies[0] == replies[1] == replies[2]
    return replies[0]["data"]["registry"]


async def test_everybody_reads_the_same(api: Api, make: Make) -> None:
    token, _ = await make.api_token(await make.user("ann"))

    for as_ in (None, await make.user(), await make.admin(), token):
        assert await _registry(api, as_) == DEFAULTS


@pytest.mark.parametrize(
    ("overrides", "expected"),
    [
        (STRICT, {"isStorageLimited": True, "passwordPolicy": STRICT_RULES}),
        ({"OSTIARY_PASSWORD_POLICY": "null"}, {"passwordPolicy": None}),
        ({"OSTIARY_GROUP_CONTACT": f" {CONTACT} "}, {"groupContact": CONTACT}),
        (EXTERNAL, {"userManagement": "IDENTITY_PROVIDER", "passwordPolicy": None}),
    ],
)
async def test_it_follows_the_settings(
    api: Api, rest: Rest, make: Make, overrides: dict[str, str], expected: dict[str, Any]
) -> None:
    registry, features = await _registry(api), (await rest("GET", "/sys/features")).json()

    assert registry == DEFAULTS | expected
    assert features["registryVersion"] == registry["version"]
    assert features["userManagement"] is (registry["userManagement"] == "LOCAL")
    assert features["storageLimiter"] is registry["isStorageLimited"]


async def test_it_needs_no_statement_and_stands_beside_other_fields(api: Api, make: Make) -> None:
    ann = await make.user("ann")
    query = "{ registry { ...R } again: registry { userManagement } viewer { user { userName } } } %s"
    fragment = "fragment R on Registry { __typename userManagement passwordPolicy { __typename minLength } }"

    replies = [await api(query % fragment, as_=ann) for _ in range(3)]

    assert replies[0] == replies[1] == replies[2]
    assert replies[0]["data"] == {
        "registry": {
            "__typename": "Registry",
            "userManagement": "LOCAL",
            "passwordPolicy": {"__typename": "PasswordPolicy", "minLength": 12},
        },
        "again": {"userManagement": "LOCAL"},
        "viewer": {"user": {"userName": "ann"}},
    }
    counts = [await api.statements(text) for text in ("{ __typename }", "{ registry { version } }") * 2]
    assert len(set(counts)) == 1


async def test_the_query_of_a_payload_has_it(api: Api, make: Make) -> None:
    root = await make.admin()
    text = """mutation ($input: CreateRoleInput!) {
      createRole(input: $input) { query { registry { userManagement } } errors { code } } }"""

    for name in ("one", "two"):
        reply = await api(text, as_=root, input={"name": name, "permissions": []})
        assert reply["data"]["createRole"]["query"] == {"registry": {"userManagement": "LOCAL"}}
