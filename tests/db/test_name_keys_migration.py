"""Tests of the migration that rewrites the keys of names, on rows as earlier versions wrote them."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from alembic import command
from sqlalchemy import Connection, text

from app.cli import main
from app.db import migrations
from app.db.migrations import runner
from app.db.tables import casefold_key, sort_key
from app.domain.errors import SettingsError
from tests.db.test_tables import fresh

__all__ = ["fresh"]

BEFORE, AT = "0008", "2024-01-01T00:00:00+00:00"
COMPOSED, DECOMPOSED, PLAIN = "Caf\u00e9", "Cafe\u0301", "Cafe"
WIDE = "\uff30\uff49\uff4c\uff4f\uff54s"


def _run(url: str, work: Callable[[Connection], Any]) -> Any:
    results: list[Any] = []

    def keep(connection: Connection) -> list[str]:
        results.append(work(connection))
        return []

    runner._with_connection(url, keep)
    return results[0]


def _older(url: str, *rows: tuple[str, dict[str, Any]]) -> None:
    """Make a database of the step before, with rows as the code of that time wrote them."""

    def make(connection: Connection) -> None:
        command.upgrade(runner._config(connection), BEFORE)
        for table, row in rows:
            columns, values = ", ".join(row), ", ".join(f":{name}" for name in row)
            connection.execute(text(f"INSERT INTO {table} ({columns}) VALUES ({values})"), row)

    _run(url, make)


def _moment(url: str) -> Any:
    return AT if url.startswith("sqlite") else datetime.fromisoformat(AT)


def _user(url: str, key: int, email: str | None) -> tuple[str, dict[str, Any]]:
    row = {"id": key, "user_name": f"user{key}", "user_key": f"user{key}", "token_generation": 0, "details": "{}"}
    row |= {"email": email, "email_key": email and email.casefold(), "created_at": _moment(url)}
    return "users", row


def _role(url: str, key: int, name: str) -> tuple[str, dict[str, Any]]:
    row = {"id": key, "name": name, "name_key": name.casefold(), "description": "", "permissions": 0}
    return "roles", row | {"is_built_in": False, "created_at": _moment(url)}


def _token(url: str, key: int, user: int, name: str) -> tuple[str, dict[str, Any]]:
    row = {"id": key, "user_id": user, "name": name, "name_key": name.casefold()[:200], "prefix": "", "hash": str(key)}
    return "api_tokens", row | {"permissions": 0, "is_limited": False, "created_at": _moment(url)}


def _org(url: str, key: int, name: str) -> tuple[str, dict[str, Any]]:
    row = {"id": key, "slug": f"org{key}", "name": name, "name_key": name.casefold()[:200], "description": ""}
    return "orgs", row | {"is_public": False, "created_at": _moment(url)}


def _group(url: str, key: int, name: str) -> tuple[str, dict[str, Any]]:
    row = {"id": key, "slug": f"group{key}", "display_name": name, "name_key": name.casefold()[:200]}
    return "groups", row | {"description": "", "created_at": _moment(url)}


def _resource(url: str, key: int, name: str) -> list[tuple[str, dict[str, Any]]]:
    at = {"name_key": name.casefold()[:200], "created_at": _moment(url), "updated_at": _moment(url)}
    row = {"id": key, "org_id": 1, "type_id": 1, "slug": f"r{key}", "path": f"org1/r{key}", "name": name}
    row |= {"description": "", "details": "{}", "size_bytes": 0, "full_mask": 31, "revision": 1}
    entry = {"resource_id": key, "granted": 1, "mask": 1, "type_id": 1}
    entries = [("access", {**entry, "subject": subject, **at}) for subject in (1, 8)]
    return [("resources", row | at), *entries]


def _keys(connection: Connection) -> dict[str, list[str]]:
    queries = {
        "email": "SELECT email_key FROM users ORDER BY id",
        "role": "SELECT name_key FROM roles WHERE id > 100 ORDER BY id",
        "token": "SELECT name_key FROM api_tokens ORDER BY id",
        "org": "SELECT name_key FROM orgs ORDER BY id",
        "group": "SELECT name_key FROM groups ORDER BY id",
        "resource": "SELECT name_key FROM resources ORDER BY id",
        "access": "SELECT DISTINCT name_key FROM access ORDER BY name_key",
    }
    return {what: [row[0] for row in connection.execute(text(statement))] for what, statement in queries.items()}


def test_keys_are_written_as_the_code_writes_them_and_names_stay(fresh: str) -> None:
    emails = [f"{DECOMPOSED}@example.com", None, "ANN@example.com"]
    titles = [COMPOSED, DECOMPOSED, PLAIN, WIDE]
    roles = [DECOMPOSED, PLAIN, WIDE, "\u0430dmin", ".."]
    rows = [_user(fresh, at, email) for at, email in enumerate(emails, 1)]
    rows += [_role(fresh, at, name) for at, name in enumerate(roles, 101)]
    rows += [_token(fresh, at, at % 2 + 1, name) for at, name in enumerate((COMPOSED, DECOMPOSED, PLAIN), 1)]
    for at, name in enumerate(titles, 1):
        rows += [_org(fresh, at, name), _group(fresh, at, name), *_resource(fresh, at, name)]
    _older(fresh, *rows)

    assert migrations.upgrade(fresh)[0] == "0010"

    sorted_ = [sort_key(name) for name in titles]
    assert _run(fresh, _keys) == {
        "email": [casefold_key(email) if email else None for email in emails],
        "role": [casefold_key(name) for name in roles],
        "token": [sort_key(name) for name in (COMPOSED, DECOMPOSED, PLAIN)],
        "org": sorted_,
        "group": sorted_,
        "resource": sorted_,
        "access": sorted({*sorted_}),
    }
    names = _run(
        fresh, lambda it: [row[0] for row in it.execute(text("SELECT name FROM roles WHERE id > 100 ORDER BY id"))]
    )
    assert names == roles, "names that are no longer made, and how they are spelled, stay"


@pytest.mark.parametrize("what", ["roles", "emails", "tokens", "a wide one"])
def test_names_that_are_one_stop_the_start_and_change_nothing(
    fresh: str, what: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = {
        "roles": [_role(fresh, 101, COMPOSED), _role(fresh, 102, DECOMPOSED)],
        "emails": [_user(fresh, 1, f"{COMPOSED}@a.b"), _user(fresh, 2, f"{DECOMPOSED}@a.b")],
        "tokens": [_user(fresh, 1, None), _token(fresh, 1, 1, COMPOSED), _token(fresh, 2, 1, DECOMPOSED)],
        "a wide one": [_role(fresh, 101, WIDE), _role(fresh, 102, "pilots")],
    }[what]
    _older(fresh, *rows, _org(fresh, 1, DECOMPOSED))
    before = _run(fresh, _keys)

    with pytest.raises(SettingsError) as refused:
        migrations.upgrade(fresh)

    spelled = {
        "roles": f"  roles.name: {COMPOSED!a} (id 101) and {DECOMPOSED!a} (id 102)",
        "emails": f"  users.email: {COMPOSED + '@a.b'!a} (id 1) and {DECOMPOSED + '@a.b'!a} (id 2)",
        "tokens": f"  api_tokens.name: {COMPOSED!a} (id 1) and {DECOMPOSED!a} (id 2)",
        "a wide one": f"  roles.name: {WIDE!a} (id 101) and 'pilots' (id 102)",
    }
    lines = str(refused.value).splitlines()
    assert (len(lines), lines[1]) == (3, spelled[what])
    assert _run(fresh, _keys) == before

    monkeypatch.setenv("OSTIARY_DATABASE_URL", fresh)
    assert main(["migrate"]) == 2
    assert capsys.readouterr().err.splitlines() == [f"ostiary: {line}" for line in lines], "lines, and no trace"


def test_the_same_name_of_two_users_tokens_is_no_collision(fresh: str) -> None:
    users = [_user(fresh, 1, None), _user(fresh, 2, None)]
    _older(fresh, *users, _token(fresh, 1, 1, COMPOSED), _token(fresh, 2, 2, DECOMPOSED))

    assert migrations.upgrade(fresh)[0] == "0010"


def test_of_many_collisions_only_some_are_reported(fresh: str) -> None:
    pairs = [(f"{at}{COMPOSED}", f"{at}{DECOMPOSED}") for at in range(60)]
    names = [name for pair in pairs for name in pair]
    _older(fresh, *(_role(fresh, at, name) for at, name in enumerate(names, 101)))

    with pytest.raises(SettingsError, match="and 10 more"):
        migrations.upgrade(fresh)
