"""The README keeps its word: its tables are complete, its advice is followed. Its tour is taken by `tests/docs`."""

import argparse
import re
import sqlite3
from pathlib import Path

import httpx

from app import cli, errors
from app.settings import HIDDEN, Settings
from tests.serving import Server

TEXT = (Path(__file__).parents[1] / "README.md").read_text()


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
    form = {"username": name, "password": "password"}
    found: str = client.post("/users/authenticate", data=form).json()["token"]
    client.cookies.clear()
    return found
