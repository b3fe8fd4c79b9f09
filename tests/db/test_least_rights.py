"""Claims about a server that may not change the schema, in PostgreSQL with the GRANTs of docs/operations.md."""

import asyncio
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
import pytest

from app import administration, cli
from app.config import Settings
from app.db import migrations
from app.db.inspection import inspect_server
from app.db.postgresql import database
from app.domain.errors import OutdatedSchema
from app.services.user_commands import NewUser
from tests.support.postgres import Postgres

NAME = "least rights"
PAGE = Path(__file__).parents[2] / "docs/operations.md"
SETTINGS, FIRST, LATER = re.findall(r"```sql\n(.*?)```", PAGE.read_text(), re.DOTALL)


def _execute(url: str, *statements: str) -> None:
    async def work() -> None:
        connection = await asyncpg.connect(url)
        try:
            for each in statements:
                await connection.execute(each)
        finally:
            await connection.close()

    asyncio.run(work())


def _as(role: str, url: str) -> str:
    parts = urlsplit(url)
    return parts._replace(netloc=f"{role}:a-password@{parts.netloc.rpartition('@')[2]}").geturl()


@pytest.fixture
def superuser(postgres: Postgres) -> Iterator[str]:
    postgres.create(NAME)
    yield postgres.url(NAME)
    postgres.drop(NAME)
    _execute(postgres.url(), "DROP ROLE ostiary", "DROP ROLE ostiary_owner")


@pytest.mark.parametrize("backend", ["sqlite"], indirect=True)  # for other settings
def test_the_documented_role_serves_and_changes_no_schema(superuser: str, settings: Settings) -> None:
    _execute(superuser, FIRST)
    served = settings.model_copy(update={"database_url": _as("ostiary", superuser)})
    with pytest.raises(OutdatedSchema, match="lacks the migrations 0001 to"):
        administration.prepare(served, migrates=False)
    migrations.upgrade(_as("ostiary_owner", superuser))
    _execute(superuser, LATER, SETTINGS)

    assert administration.prepare(served, migrates=False).migrated == []
    user, _ = administration.create_user(served, NewUser("ann", roles=["admin"]), generates=False)
    assert administration.set_user_active(served, user["id"], is_active=False)["isDeactivated"]
    assert administration.reindex(served, lambda *_: None).missing == 0
    assert not administration.end_sessions(served, api_tokens=False).can_miss_events
    _execute(superuser, "REVOKE UPDATE ON SEQUENCE audit_events_id_seq FROM ostiary")
    assert administration.end_sessions(served, api_tokens=False).can_miss_events
    assert asyncio.run(inspect_server(served.database_url)).session_settings == database.SETTINGS
    checks = {check.name: check for check in administration.inspect(served, 1, lambda *_: None)}
    assert {name: check.text for name, check in checks.items() if check.state == "problem"} == {}
    for statement in ("CREATE TABLE mine (id int)", "ALTER TABLE users ADD mine int", "DROP TABLE users"):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            _execute(served.database_url, statement)


@pytest.mark.parametrize("backend", ["sqlite"], indirect=True)
def test_a_server_that_may_not_migrate_names_the_command(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("logging.config.dictConfig", lambda _: None)
    monkeypatch.setattr(migrations, "HEAD", "9999")
    monkeypatch.setattr("app.db.migrations.runner._pending", lambda _: ["9998", "9999"])
    assert cli.main(["serve", "--no-migrate", "--port", "0"]) == 1
    assert "lacks the migrations 9998 to 9999" in (text := capsys.readouterr().err)
    assert "run `ostiary migrate`" in text
    monkeypatch.setenv("OSTIARY_DATABASE_URL", "sqlite:///nothing.db")
    assert cli.main(["serve", "--no-migrate", "--port", "0"]) == 1

    assert "there is no database at nothing.db" in capsys.readouterr().err
    assert not Path("nothing.db").exists()
