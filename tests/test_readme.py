"""The README keeps its word: its tour is taken, its tables are complete, its advice is followed."""

import argparse
import json
import re
import shlex
import sqlite3
from pathlib import Path
from string import Template
from typing import Any

import httpx
import pytest
from graphql import parse, validate

from app import cli, errors, schema
from app.settings import HIDDEN, Settings
from tests.serving import Server

TEXT = (Path(__file__).parents[1] / "README.md").read_text()
OPERATIONS: list[str] = re.findall(r"^```graphql\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)
STEPS: list[tuple[str, str, str]] = re.findall(
    r"^```(sh|graphql)\n((?:(?!```).)*?)^```\n```json\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL
)
"""What is asked and what is answered, each right after the other: commands of curl, or an operation and who asks."""

PASSWORDS = {"admin": "password", **dict(re.findall(r'userName: "(\w+)", password: "([^"]+)"', TEXT))}
OTHERWISE = "…"
"""Stands in the README for what differs from run to run, alone or after what does not."""


@pytest.mark.parametrize("operation", OPERATIONS)
def test_every_operation_is_one_of_the_schema(operation: str) -> None:
    assert validate(schema.core(), parse(operation)) == []


def test_every_setting_stands_in_the_table_with_its_variable_its_default_and_its_meaning() -> None:
    shown = {key: "password" if each.value == HIDDEN else each.value for key, each in Settings().describe().items()}
    rows = [
        f"| `{key}` | `{each.variable}` | `{shown[key]}` | {each.description} |"
        for key, each in Settings().describe().items()
    ]

    assert _table("| key | variable | default | meaning |") == rows


def test_every_command_stands_in_the_table() -> None:
    commands = next(each for each in cli._parser()._actions if isinstance(each, argparse._SubParsersAction))  # noqa: SLF001 - argparse has no other way to ask
    rows = [f"| `ostiary {each.dest}` | {each.help} |" for each in commands._choices_actions]  # noqa: SLF001 - the same

    assert _table("| command | does |") == rows


def test_every_code_stands_in_the_table() -> None:
    codes = {kind.code for base in (errors.Refusal, errors.Problem) for kind in base.__subclasses__()}
    found = {code for row in _table("| code | where | when |") for code in re.findall(r"`([A-Z_]+)`", row)}

    assert codes <= found


def test_the_tour_is_answered_as_it_says(tmp_path: Path) -> None:
    with Server(tmp_path) as server:
        server.ready()
        with httpx.Client(base_url=server.address, trust_env=False) as client:
            for kind, asked, answered in STEPS:
                replies = (
                    [_curl(client, line) for line in asked.splitlines()] if kind == "sh" else [_ask(client, asked)]
                )
                expected = (
                    [json.loads(line) for line in answered.splitlines()] if kind == "sh" else [json.loads(answered)]
                )
                assert all(map(_is_as_told, expected, replies)), json.dumps(replies, ensure_ascii=False)
                assert len(expected) == len(replies)


def test_a_backup_of_a_running_server_can_be_put_back(tmp_path: Path) -> None:
    statement = re.search(r'"(VACUUM INTO [^"]+)"', TEXT)
    assert statement
    with Server(tmp_path) as server:
        server.ready()
        with sqlite3.connect(tmp_path / "data/ostiary.db") as connection:
            connection.execute(statement[1].replace("backup.db", f"{tmp_path}/backup.db"))
        connection.close()
    for end in ("", "-wal", "-shm"):
        (tmp_path / f"data/ostiary.db{end}").unlink(missing_ok=True)
    (tmp_path / "backup.db").rename(tmp_path / "data/ostiary.db")

    with Server(tmp_path) as server:
        server.ready()
        with httpx.Client(base_url=server.address, trust_env=False) as client:
            assert _token(client, "admin")
        assert "migrated" not in server.out


def test_behind_a_proxy_on_this_machine_the_cookie_is_secure(tmp_path: Path) -> None:
    own = {"OSTIARY_TRUSTED_PROXIES": '["127.0.0.1"]', "OSTIARY_DEFAULT_ADMIN__PASSWORD": "a password of their own"}
    with Server(tmp_path, **own) as server:
        server.ready()
        with httpx.Client(base_url=server.address, trust_env=False) as client:
            form = {"username": "admin", "password": own["OSTIARY_DEFAULT_ADMIN__PASSWORD"]}
            plain = client.post("/users/authenticate", data=form)
            secure = client.post("/users/authenticate", data=form, headers={"x-forwarded-proto": "https"})

    assert "secure" not in plain.headers["set-cookie"].lower()
    assert "; secure" in secure.headers["set-cookie"].lower()


def _table(head: str) -> list[str]:
    """The rows below a head."""
    below = TEXT.partition(f"{head}\n")[2].splitlines()[1:]
    return below[: next(at for at, line in enumerate(below) if not line.startswith("|"))]


def _token(client: httpx.Client, name: str) -> str:
    form = {"username": name, "password": PASSWORDS[name]}
    found: str = client.post("/users/authenticate", data=form).json()["token"]
    client.cookies.clear()
    return found


def _ask(client: httpx.Client, operation: str) -> Any:
    """Ask as the one whom the first line names."""
    name = operation.removeprefix("# ").split("\n", 1)[0]
    headers = {"authorization": f"Bearer {_token(client, name)}"}
    return client.post("/graphql", json={"query": operation}, headers=headers).json()


def _curl(client: httpx.Client, line: str) -> Any:
    """Do what curl does with -X, -H and -d: a body makes it a POST."""
    _, address, *words = shlex.split(Template(line).substitute(TOKEN=_token(client, "admin")))
    options = list(zip(words[::2], words[1::2], strict=True))
    headers = {"content-type": "application/x-www-form-urlencoded"}
    headers |= {name.lower(): value for flag, each in options if flag == "-H" for name, value in [each.split(": ", 1)]}
    content = "&".join(each for flag, each in options if flag == "-d")
    method = dict(options).get("-X", "POST" if content else "GET")
    reply = client.request(method, address.removeprefix("localhost:5000"), headers=headers, content=content)
    client.cookies.clear()
    return reply.json()


def _is_as_told(told: Any, found: Any) -> bool:
    if isinstance(told, str) and told.endswith(OTHERWISE):
        return str(found).startswith(told.removesuffix(OTHERWISE))
    if isinstance(told, dict) and isinstance(found, dict):
        return list(told) == list(found) and all(_is_as_told(told[key], found[key]) for key in told)
    if isinstance(told, list) and isinstance(found, list):
        return len(told) == len(found) and all(map(_is_as_told, told, found))
    return bool(told == found)
