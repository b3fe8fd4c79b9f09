"""The world of the peers' kit is written into a database of Ostiary with its roles, grants and locks."""

import asyncio
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from itertools import product
from pathlib import Path

import pytest
from sqlalchemy import select

from app import db
from app.db import Freshness, at_one_moment
from app.db.tables import Lock, Role, User, UserRole, col
from app.domain import resource_roles
from app.policy import PAIR
from app.services import access_cache
from scripts.benchmark.kit_world import main
from tests.support.postgres import Postgres

ROOT, ANN, BEN, EVE = 1, 2, 3, 4
ATOLL, BAY = 1, 2
EVERYTHING = resource_roles.ALL

KIT = """
CREATE TABLE users (id, user_name, email, full_name, active, created_at);
CREATE TABLE roles (id, name);
CREATE TABLE user_roles (user_id, role_id);
CREATE TABLE orgs (id, slug, name);
CREATE TABLE org_members (org_id, user_id);
CREATE TABLE groups (id, name, org_id);
CREATE TABLE group_members (group_id, user_id);
CREATE TABLE resources (id, name, type, org_id, owner_id, locked, created_at);
CREATE TABLE grants (resource_id, group_id, roles);
INSERT INTO users VALUES (1, 'root', 'r@example.org', 'Root', 1, ''), (2, 'Ann', 'A@example.org', 'Ann', 1, ''),
    (3, 'ben', 'b@example.org', 'Ben', 1, ''), (4, 'eve', 'e@example.org', 'Eve', 1, '');
INSERT INTO roles VALUES (1, 'ADMIN'), (2, 'STAFF'), (4, 'USER');
INSERT INTO user_roles VALUES (1, 1), (1, 4), (2, 2), (2, 4), (3, 4), (4, 4);
INSERT INTO orgs VALUES (1, 'reefs', 'Reefs'), (2, 'woods', 'Woods');
INSERT INTO org_members VALUES (2, 3);
INSERT INTO groups VALUES (0, 'GENERAL', 1), (1, 'divers', 1);
INSERT INTO group_members VALUES (1, 2);
INSERT INTO resources VALUES (1, 'atoll', 'MODEL', 1, 3, 0, ''), (2, 'bay', 'NOTEBOOK', 1, 3, 1, '');
INSERT INTO grants VALUES (1, 1, 6), (2, 0, 1);
"""


@pytest.fixture
def kit(tmp_path: Path) -> Path:
    file = tmp_path / "kit.db"
    with closing(sqlite3.connect(file)) as connection:
        connection.executescript(KIT)
    return file


@pytest.fixture
def url(backend: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[str]:
    """Yield the URL of a SQLite file that does not exist, or of an empty database."""
    if backend == "sqlite":
        yield f"sqlite:///{tmp_path / 'ostiary.db'}"
        return
    postgres: Postgres = request.getfixturevalue("postgres")
    postgres.create("kit_world")
    yield postgres.url("kit_world")
    postgres.drop("kit_world")


async def _facts(url: str) -> dict[str, object]:
    database = await db.open_database(url)
    roles = select(col(User.user_name), col(Role.name)).join(UserRole, col(UserRole.user_id) == col(User.id))
    statement = roles.join(Role, col(Role.id) == col(UserRole.role_id)).order_by(col(User.id), col(Role.name_key))
    locks = select(col(Lock.resource_id))
    pairs = [*product((ROOT, ANN, BEN, EVE), (ATOLL, BAY))]
    async with at_one_moment(database) as reader:
        masks = await access_cache.get_masks(reader, [user * PAIR + resource for user, resource in pairs])
    found: dict[str, object] = {
        "roles": [tuple(row) for row in await database.ask(statement, freshness=Freshness.PRIMARY)],
        "locked": await database.ask(locks, freshness=Freshness.PRIMARY),
        "access": {pair: mask for pair, mask in zip(pairs, masks, strict=True) if mask},
    }
    await database.close()
    return found


def test_the_world_of_the_kit_is_the_same_in_ostiary(kit: Path, url: str) -> None:
    assert main([str(kit), url]) == 0

    found = asyncio.run(_facts(url))
    assert found["locked"] == [(2,)]
    assert found["access"] == {
        (ROOT, ATOLL): EVERYTHING,
        (ROOT, BAY): EVERYTHING,
        (ANN, ATOLL): resource_roles.METADATA_WRITE | resource_roles.READ,
        (ANN, BAY): resource_roles.METADATA_READ,
        (BEN, ATOLL): EVERYTHING,
        (BEN, BAY): EVERYTHING,
        (EVE, BAY): resource_roles.METADATA_READ,
    }
    assert found["roles"] == [
        ("root", "admin"),
        ("root", "user"),
        ("Ann", "STAFF"),
        ("Ann", "user"),
        ("ben", "user"),
        ("eve", "user"),
    ]


def test_a_file_of_something_else_and_a_world_that_exists_are_refused(
    kit: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "ostiary.db"
    (other := tmp_path / "other.db").touch()

    for file, path, reason in ((other, target, "is no world of the kit"), (kit, other, "exists")):
        with pytest.raises(SystemExit):
            main([str(file), f"sqlite:///{path}"])
        assert reason in capsys.readouterr().err
    assert not target.exists()
