"""Claims about a registry whose accounts an identity provider keeps: what is not changed here, and how it starts."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from app import administration, db
from app.config import Settings
from app.domain.errors import ManagedElsewhere, SettingsError
from app.rest.errors import error_response
from tests.oracle.matrix import World
from tests.oracle.matrix.entities import THINGS
from tests.oracle.matrix.users import PEOPLE
from tests.support.changes import change, unchanged
from tests.support.client import Api, codes
from tests.support.factories import Make, Person
from tests.support.provider import PASSWORD, Provider
from tests.support.server import Server, graphql

NOBODY_ANSWERS = {"OSTIARY_EXTERNAL_AUTH_URL": "http://127.0.0.1:9/in?key=hush"}
TEXT = "Users, roles and passwords are managed by the identity provider."
MATRIX = PEOPLE | THINGS
ELSEWHERE = {
    "addRoles",
    "assignRoles",
    "changePassword",
    "createRole",
    "createServiceAccount",
    "createUser",
    "createUsers",
    "deactivateUser",
    "deleteRole",
    "deleteUser",
    "deleteUsers",
    "reactivateUser",
    "removeRoles",
    "renameUser",
    "resetPassword",
    "updateUser",
    "updateViewer",
}
"""Mutations that change accounts. Every other mutation works with a provider as without one."""

with_a_provider = pytest.mark.parametrize("overrides", [NOBODY_ANSWERS])
in_both_modes = pytest.mark.parametrize("overrides", [{}, NOBODY_ANSWERS])


async def _ask(api: Api, name: str, as_: Person | None, fields: dict[str, Any] | None) -> dict[str, Any]:
    if fields is None:
        return await api(f"mutation {{ {name} {{ errors {{ code message path }} }} }}", as_=as_)
    return await api(change(name), as_=as_, input=fields)


def _messages(reply: dict[str, Any], name: str) -> list[str]:
    return [error["message"] for error in reply["data"][name]["errors"]]


@in_both_modes
@pytest.mark.parametrize("name", sorted(set(MATRIX) - {"login"}))
async def test_accounts_are_changed_here_or_there(
    api: Api, make: Make, database: db.Database, overrides: dict[str, str], name: str
) -> None:
    root, scene = await make.admin(), await MATRIX[name].scene(make, World.OPEN)

    if overrides and name in ELSEWHERE:
        async with unchanged(database):
            replies = [
                await _ask(api, name, root, fields)
                for fields in (scene.input, {**(scene.input or {}), **scene.invalid})
            ]
        assert [codes(reply) for reply in replies] == [["PROTECTED"]] * 2
        assert [_messages(reply, name) for reply in replies] == [[TEXT]] * 2
    else:
        assert codes(await _ask(api, name, root, scene.input)) == []


@with_a_provider
@pytest.mark.parametrize("name", sorted(ELSEWHERE))
async def test_a_stranger_gets_the_same_reply_as_without_a_provider(
    api: Api, make: Make, database: db.Database, name: str
) -> None:
    case = MATRIX[name]
    scene = await case.scene(make, World.OPEN)
    askers = [(kind, await asker(make, scene)) for kind, asker in case.family.askers.items() if kind not in case.may]

    async with unchanged(database):
        outcomes = {kind: codes(await _ask(api, name, asker, scene.input)) for kind, asker in askers}

    assert outcomes == {kind: [case.outcome(kind, World.OPEN)] for kind, _ in askers}


def test_over_rest_it_is_a_400() -> None:
    response = error_response(ManagedElsewhere(), drone_db_clients=False)

    assert (response.status_code, bytes(response.body).decode()) == (400, f'{{"error":"{TEXT}","noRetry":false}}')


def _without(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.delenv("OSTIARY_EXTERNAL_AUTH_URL")
    return Settings.read()


@with_a_provider
@pytest.mark.parametrize("exposed", [True, False])
def test_no_administrator_is_created(settings: Settings, monkeypatch: pytest.MonkeyPatch, exposed: bool) -> None:
    ready = administration.prepare(settings, exposed=exposed)
    after = administration.prepare(_without(settings, monkeypatch), exposed=True)

    assert (ready.default_password_valid, ready.demo_password_valid) == (False, False)
    assert after.default_password_valid  # there is no user yet, so the administrator would be created with it


@with_a_provider
def test_a_well_known_password_opens_nothing(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    before = administration.prepare(_without(settings, monkeypatch))
    ready = administration.prepare(settings, exposed=True)

    assert before.default_password_valid
    assert not ready.default_password_valid


@with_a_provider
def test_the_demo_is_refused(settings: Settings) -> None:
    with pytest.raises(SettingsError, match="ExternalAuthUrl: "):
        administration.fill(settings)


async def test_a_server_says_where_people_sign_in_and_lets_them_in(tmp_path: Path) -> None:
    async with Provider({"ann": {"roles": ["admin"]}, "bea": {}}) as provider:
        with Server(tmp_path, OSTIARY_EXTERNAL_AUTH_URL=f"{provider.url}?key=hush") as server:
            server.ready()
            ann, bea = await server.token("ann", PASSWORD), await server.token("bea", PASSWORD)
            async with server.client(ann) as client:
                users = await graphql(client, "{ users { nodes { userName roles { name } } } }")
                creation = await graphql(
                    client, 'mutation { createUser(input: {userName: "eve"}) { errors { code } } }'
                )
            async with server.client() as client:
                refusal = await client.post("/users/authenticate", data={"username": "admin", "password": "password"})
            ended = await server.stopped()

    assert [each["userName"] for each in users["data"]["users"]["nodes"]] == ["ann", "bea"]
    assert creation["data"]["createUser"]["errors"] == [{"code": "PROTECTED"}]
    assert (refusal.status_code, refusal.json()) == (401, {"error": "Unauthorized", "noRetry": False})
    assert re.search(r"^  sign-in     at 127.0.0.1, which manages the accounts$", ended.out, re.MULTILINE)
    assert "default password" not in ended.out
    assert not [word for word in (PASSWORD, "hush", ann, bea) if word in ended.out + ended.err]
    assert (ended.code, [json.loads(line)["logger"] for line in ended.err.splitlines()]) == (0, ["ostiary.sign_in"])
