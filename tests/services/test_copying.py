"""Claims about a copied registry: the same answers, with the tokens and the secret of before."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app import db
from app.config import Settings
from app.db.copying import CopyFailed
from app.services import copying
from tests.conftest import BACKENDS
from tests.support.changes import another
from tests.support.client import Api
from tests.support.copying import Databases, databases, execute, fill
from tests.support.factories import Make
from tests.support.postgres import Postgres

pytestmark = pytest.mark.direct  # a pooler is refused

QUESTIONS = """{
  viewer { user { id userName email } }
  users(first: 50, orderBy: [{field: USER_NAME}]) { totalCount nodes { id userName roles { name } } }
  resources(first: 50, orderBy: [{field: NAME}]) { totalCount nodes { id slug name viewerAccess { effectiveRoles } } }
  groups(first: 50) { nodes { id slug members(first: 20) { nodes { id } } } }
  auditEvents(first: 20) { nodes { id action createdAt changes(first: 5) { nodes { objectId } } } }
}"""
CREATE_TOKEN = 'mutation { createApiToken(input: {name: "script"}) { token errors { message } } }'


@pytest.fixture
def overrides() -> dict[str, Any]:
    return {"OSTIARY_TOKEN_ALGORITHM": "EdDSA"}


@pytest.fixture
def settings(url: str, overrides: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Settings without a secret, which the first start then writes into a file."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OSTIARY_DATABASE_URL", url)
    for name, value in overrides.items():
        monkeypatch.setenv(name, value)
    return Settings.read()


@pytest.fixture
def spare(tmp_path: Path, postgres: Postgres) -> Iterator[Databases]:
    with databases(tmp_path, postgres) as made:
        yield made


@pytest.fixture
async def filled(own_db: db.Database, settings: Settings) -> None:
    """A registry before the first start, which then makes its signing key."""
    await fill(own_db)


def _with(settings: Settings, url: str) -> Settings:
    return settings.model_copy(update={"database_url": url})


async def _copy(source: Settings, target: Settings) -> copying.CopyResult:
    return await asyncio.to_thread(copying.run, source, target, lambda *_: None)


async def test_a_copy_answers_the_same_with_the_tokens_of_before(
    settings: Settings, backend: str, filled: None, make: Make, api: Api, spare: Databases
) -> None:
    person = await make.user("boss", "admin")
    session = api.token(person)
    token = (await api(CREATE_TOKEN, session))["data"]["createApiToken"]["token"]
    answers = [await api(QUESTIONS, each) for each in (session, token, None)]
    assert "errors" not in answers[0], answers[0]
    secret = settings.secret_path.read_text()
    other = next(kind for kind in BACKENDS if kind != backend)

    there = _with(settings, spare.empty(other))
    result = await _copy(settings, there)
    async with another(there) as copy:
        assert [await copy(QUESTIONS, each) for each in (session, token, None)] == answers

    if other == "sqlite":
        assert result.secret == there.secret_path
        assert there.secret_path.stat().st_mode & 0o777 == 0o600
    assert there.secret_path.read_text() == secret
    assert (result.index.missing, result.index.surplus) == (0, 0)

    back = _with(settings, spare.empty(backend))
    await _copy(there, back)
    async with another(back) as copy:
        assert [await copy(QUESTIONS, each) for each in (session, token, None)] == answers


async def test_a_wrong_index_is_told_and_rebuilt(settings: Settings, own_db: db.Database, spare: Databases) -> None:
    await fill(own_db)
    settings.secret_path.parent.mkdir(exist_ok=True)
    settings.secret_path.write_text("x" * 40)
    execute(
        settings.database_url,
        "UPDATE access SET granted = granted + 1 WHERE subject = (SELECT min(subject) FROM access)",
    )
    target = _with(settings, spare.empty("sqlite"))

    result = await _copy(settings, target)

    assert result.index.missing == result.index.surplus > 0
    assert (await _copy(target, _with(settings, spare.empty("sqlite")))).index.missing == 0


async def test_another_secret_is_no_reason_to_lose_one(settings: Settings, spare: Databases) -> None:
    """TARGET is not touched if tokens of SOURCE would end there; without any secret the result says so."""
    target = _with(settings, spare.empty("sqlite"))
    settings.secret_path.parent.mkdir(exist_ok=True)
    settings.secret_path.write_text("x" * 40)
    target.secret_path.parent.mkdir()
    target.secret_path.write_text("y" * 40)

    with pytest.raises(CopyFailed, match="another secret than SOURCE"):
        await _copy(settings, target)
    assert not target.sqlite_path.exists()
    assert target.secret_path.read_text() == "y" * 40
    with pytest.raises(CopyFailed, match="the same database"):
        await _copy(settings, settings)

    settings.secret_path.unlink()
    result = await _copy(settings, target)
    assert result.secret is None
    assert "no secret of SOURCE" in result.notes[0]
