"""No kind of name has two spaces in a row or one at an end: browsers show neither, so two names would look alike."""

from typing import Any

import pytest
from graphql import GraphQLInputObjectType

from app import db
from app.graphql import schema
from app.services import validation
from tests.support.changes import change, problems, unchanged
from tests.support.client import Api
from tests.support.factories import PASSWORD, Make, Person, everything

SHOWN = {"name", "displayName", "userName", "email", "slug"}
SPACED = "Reef  Lab"
OF_GROUP, OF_ORG = {"slug": "divers"}, {"slug": "reef"}
PATH = {"path": {"orgSlug": "reef", "slug": "corals"}}
NEW_USER = {
    "userName": SPACED,
    "displayName": SPACED,
    "email": f"{SPACED}@example.org",
    "password": "coral reefs at noon",
}
CHANGES: dict[str, dict[str, Any]] = {
    "createUser": NEW_USER,
    "createUsers": {"users": [NEW_USER]},
    "updateUser": {"user": {"userName": "ann"}, "displayName": SPACED, "email": f"{SPACED}@example.org"},
    "renameUser": {"user": {"userName": "ann"}, "userName": SPACED},
    "updateViewer": {"password": PASSWORD, "displayName": SPACED, "email": f"{SPACED}@example.org"},
    "createServiceAccount": {"userName": SPACED, "displayName": SPACED},
    "createRole": {"name": SPACED},
    "updateRole": {"role": {"name": "pilots"}, "name": SPACED},
    "createOrg": {"slug": SPACED, "name": SPACED},
    "updateOrg": {"org": OF_ORG, "name": SPACED},
    "createGroup": {"slug": SPACED, "displayName": SPACED},
    "updateGroup": {"group": OF_GROUP, "displayName": SPACED},
    "createResource": {"org": OF_ORG, "type": "DATASET", "slug": SPACED, "name": SPACED},
    "updateResource": {"resource": PATH, "name": SPACED},
    "renameResource": {"resource": PATH, "slug": SPACED},
    "createResourceType": {"name": SPACED, "hasData": False},
    "createApiToken": {"name": SPACED},
}
"""The changes that write a name, with every such field of their inputs."""


def test_every_change_with_a_name_is_listed() -> None:
    inputs = {name: each for name, each in schema.core().type_map.items() if isinstance(each, GraphQLInputObjectType)}
    writing = {
        name: SHOWN & {*each.fields} for name, each in inputs.items() if name.startswith(("Create", "Update", "Rename"))
    }

    assert {name: each for name, each in writing.items() if each} == {
        f"{name[0].upper()}{name[1:]}Input": SHOWN & {*values} for name, values in CHANGES.items() if SHOWN & {*values}
    }


async def _world(make: Make) -> Person:
    """Make what the changes name, and return an administrator."""
    root = await make.admin()
    await make.user("ann")
    org = await make.org("reef")
    await make.resource(org, slug="corals")
    await make.group("divers")
    await make.role("pilots")
    return root


@pytest.mark.parametrize("name", CHANGES)
async def test_a_run_of_spaces_is_refused_in_every_kind_of_name(
    api: Api, make: Make, database: db.Database, name: str
) -> None:
    root = await _world(make)
    values = CHANGES[name]["users"][0] if name == "createUsers" else CHANGES[name]

    async with unchanged(database):
        found = problems(await api(change(name), as_=root, input=CHANGES[name]))

    prefix = "input.users.0." if name == "createUsers" else "input."
    assert found >= {f"INVALID_INPUT {prefix}{field}" for field in SHOWN & {*values}}


FOR_DISPLAY = {"name", "displayName"}
KEYS = {"slug": "new", "userName": "bea", "email": "bea@example.org"}
"""Names that identify something, as a change may have them; its names for display are padded."""


@pytest.mark.parametrize(
    "name", [name for name, values in CHANGES.items() if FOR_DISPLAY & {*values} and name != "createResourceType"]
)
async def test_spaces_at_both_ends_are_removed_from_every_kind_of_name_for_display(
    api: Api, make: Make, database: db.Database, name: str
) -> None:
    root = await _world(make)
    padded = dict.fromkeys(FOR_DISPLAY & {*CHANGES[name]}, " \tReef Lab\xa0 ")
    keys = {key: KEYS[key] for key in KEYS.keys() & {*CHANGES[name]}}

    assert problems(await api(change(name), as_=root, input=CHANGES[name] | keys | padded)) == set()

    stored = repr(await everything(database))
    assert "'Reef Lab'" in stored
    assert "tReef Lab" not in stored


@pytest.mark.parametrize("name", ["a \u00a8b", "a\u3000\u3000b", "a \u00a0b"])
def test_a_run_in_the_key_of_a_name_is_one_too(name: str) -> None:
    assert [*validation.role_name_problems(name)]
    assert [*validation.title_problems(name)]


async def test_a_name_from_before_stays(api: Api, make: Make) -> None:
    root = await make.admin()
    await make.role(SPACED)

    reply = await api(
        change("updateRole", "role { name description }"),
        as_=root,
        input={"role": {"name": SPACED}, "name": SPACED, "description": "kept"},
    )

    assert reply["data"]["updateRole"] == {"role": {"name": SPACED, "description": "kept"}, "errors": []}
