"""Claims about the words of REST errors: a message names fields of the body that was sent, not those of GraphQL."""

import re
from typing import Any

import pytest

from tests.oracle.rest_matrix import ROUTES, ROWS, scene
from tests.support.factories import Make
from tests.support.rest_client import Rest

Key = tuple[str, str]

CHANGING = [key for key, route in ROUTES.items() if route.fields]

NAMED = re.compile(r"`([A-Za-z]+)`")
"""Matches a name in a message."""

WRONG: list[Any] = ["", " ", "x", "!", "a--b", "X" * 70, "x" * 5_000, "ghost", "nobody@", [], ["ghost"], ["!", "!"], 99]
WRONG += [["x"] * 1_001, "{", '"' + "x" * 5_000 + '"', '" "', "9"]


@pytest.fixture
def overrides() -> dict[str, Any]:
    """Every route does what it is for."""
    return {"OSTIARY_ENABLE_ORGANIZATION_MEMBER_MANAGEMENT": "true"}


@pytest.mark.parametrize("key", CHANGING, ids=" ".join)
async def test_a_message_names_the_fields_of_the_body(rest: Rest, make: Make, key: Key) -> None:
    route = ROUTES[key]
    root, here = await make.admin(), await scene(make, 0, joined=ROWS[key].joined)
    path, good = key[1].format(**here.words), ROWS[key].input(here)
    known = {field.name for field in route.fields} | {*route.parameter_names}
    foreign = set()

    for name in (field.name for field in route.fields):
        same = [good["sourceOrgSlug"]] if name == "destinationOrgSlug" else []
        for value in [*WRONG, *same]:
            reply = await rest(key[0], path, root, json={**good, name: value})
            if reply.is_client_error:
                message = reply.json()["error"]
                values = {word for each in (value, *good.values()) for word in _texts(each)}
                foreign |= {(name, word) for word in NAMED.findall(message) if word not in known | values}

    assert foreign == set()


def _texts(value: Any) -> set[str]:
    """Return the texts of a value, which a message may repeat."""
    return {value} if isinstance(value, str) else {str(each) for each in value} if isinstance(value, list) else set()


LONG = "x" * 5_000
MOVED = {"sourceOrgSlug": "org0", "destinationOrgSlug": "empty0", "datasetSlugs": ["ds0"]}
NAMES: list[tuple[str, str, dict[str, Any], str]] = [
    ("POST", "/sys/move-datasets", {"datasetSlugs": []}, "`datasetSlugs` must"),
    ("POST", "/sys/move-datasets", {"datasetSlugs": ["ds0", "ds0"]}, "`datasetSlugs`: `ds0` is listed"),
    ("POST", "/sys/move-datasets", {"sourceOrgSlug": "ghost"}, "`sourceOrgSlug`: There is no"),
    ("POST", "/sys/merge-organizations", {"destinationOrgSlug": "ghost"}, "`destinationOrgSlug`: There is no"),
    ("POST", "/sys/merge-organizations", {"destinationOrgSlug": "org0"}, "`sourceOrgSlug` and `destinationOrgSlug`"),
    ("POST", "/orgs/org0/ds", {"slug": "ds", "tagline": LONG}, "`tagline`: A description"),
    ("PUT", "/orgs/org0/ds/ds0", {"tagline": LONG}, "`tagline`: A description"),
    ("POST", "/orgs/org0/ds/ds0/meta/set", {"key": "tagline", "data": f'"{LONG}"'}, "`data`: A description"),
    ("POST", "/orgs/org0/ds/ds0/meta/set", {"key": "name", "data": '""'}, "`data`: A name"),
]


@pytest.mark.parametrize(("method", "path", "body", "text"), NAMES)
async def test_a_field_with_another_name_in_graphql_is_named(
    rest: Rest, make: Make, method: str, path: str, body: dict[str, Any], text: str
) -> None:
    root = await make.admin()
    await scene(make, 0)

    reply = await rest(method, path, root, json={**(MOVED if path.startswith("/sys") else {}), **body})

    assert reply.is_client_error
    assert reply.json()["error"].startswith(text)
