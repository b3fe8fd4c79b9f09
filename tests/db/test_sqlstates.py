"""Claims about the SQLSTATEs of PostgreSQL: each class is a failure that is reported, or a defect of this server."""

import logging
from collections.abc import Iterator
from typing import Any

import asyncpg
import pytest

from app import db
from app.db.failures import DEFECTS, Failure, classify
from tests.support.changes import change
from tests.support.client import Api, codes
from tests.support.factories import Make

ON_POSTGRESQL = pytest.mark.parametrize("backend", ["postgresql"], indirect=True)
CREATE = change("createGroup")
CLASSES: dict[str, Failure | None] = {
    **dict.fromkeys(("00", "01", "02", "03", "09", "0B", "0F", "0Z", "10", "20", "21", "22", "23", "24", "25"), None),
    **dict.fromkeys(("27", "2B", "2D", "2F", "34", "3B", "42"), None),
    **dict.fromkeys(("08", "3D", "57"), Failure.AWAY),
    **dict.fromkeys(("0L", "0P", "28", "44"), Failure.DENIED),
    **dict.fromkeys(("0A", "26", "38", "39", "54", "55", "F0", "HV", "P0"), Failure.UNUSABLE),
    **dict.fromkeys(("58", "XX"), Failure.DAMAGED),
    "3F": Failure.WRONG_SCHEMA,
    "40": Failure.BUSY,
    "53": Failure.FULL,
    "72": Failure.TIMED_OUT,
}
"""All classes of appendix A of PostgreSQL's documentation, and the failure of a state that has none of its own."""

STATES: dict[str, Failure | None] = {
    "2200H": Failure.UNUSABLE,
    "25006": Failure.READ_ONLY,
    "42501": Failure.DENIED,
    "42P01": Failure.WRONG_SCHEMA,
    "42P10": Failure.WRONG_SCHEMA,
    "53300": Failure.NO_CONNECTIONS,
    "54000": Failure.UNUSABLE,
    "55000": Failure.AWAY,
    "55006": Failure.BUSY,
    "0A000": Failure.UNUSABLE,
    "ZZ000": Failure.UNUSABLE,
    "22P02": None,
    "23514": None,
    "42601": None,
}
"""A sample of states, some with a failure other than that of their class."""


def _error(state: str) -> Any:
    return asyncpg.PostgresError.new({"C": state, "M": "a message"})


def _states() -> Iterator[str]:
    kinds: list[Any] = [asyncpg.PostgresError]
    while kinds:
        kind = kinds.pop()
        kinds += kind.__subclasses__()
        if isinstance(kind.sqlstate, str):
            yield kind.sqlstate


@pytest.mark.parametrize("name", CLASSES)
def test_each_class_is_decided(name: str) -> None:
    assert classify(_error(f"{name}999")) is CLASSES[name]
    assert (name in DEFECTS) is (CLASSES[name] is None)


@pytest.mark.parametrize("state", STATES)
def test_a_state_may_differ_from_its_class(state: str) -> None:
    assert classify(_error(state)) is STATES[state]


def test_no_class_of_the_driver_is_missing() -> None:
    states = set(_states())

    assert len(states) > 200
    assert {state[:2] for state in states} - set(CLASSES) == set()


@ON_POSTGRESQL
async def test_a_used_up_sequence_is_a_503_that_is_logged_once(
    api: Api, make: Make, database: db.Database, caplog: pytest.LogCaptureFixture
) -> None:
    root = await make.admin()
    name = await _run(database, "SELECT pg_get_serial_sequence('groups', 'id')")
    before = await _run(database, f"SELECT last_value FROM {name}")
    await _run(database, f"SELECT setval('{name}', 9223372036854775807)")
    caplog.clear()
    try:
        seen = [codes(await api(CREATE, as_=root, input={"slug": f"g{at}", "displayName": "G"})) for at in range(3)]
    finally:
        await _run(database, f"SELECT setval('{name}', {before})")

    assert seen == [["SERVICE_UNAVAILABLE"]] * 3
    warnings = [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert [(record.name, record.exc_info) for record in warnings] == [("app.db.failures", None)]


@ON_POSTGRESQL
async def test_a_database_that_is_closed_to_connections_is_a_503(
    api: Api, make: Make, database: db.Database, caplog: pytest.LogCaptureFixture
) -> None:
    root = await make.admin()
    caplog.clear()
    await _close(database, "false")
    try:
        seen = [codes(await api("{ viewer { user { userName } } }", as_=root)) for _ in range(3)]
    finally:
        await _close(database, "true")

    assert seen == [["TIMEOUT"]] * 3
    assert not [record for record in caplog.records if record.exc_info]
    assert codes(await api("{ viewer { user { userName } } }", as_=root)) == []


async def _run(database: db.Database, statement: str) -> Any:
    connection = await asyncpg.connect(database.url)  # type: ignore[attr-defined]  # PostgreSQL's
    try:
        return await connection.fetchval(statement)
    finally:
        await connection.close()


async def _close(database: db.Database, allows: str) -> None:
    """Allow or refuse connections to the database of the tests, and end those that are open."""
    url: str = database.url  # type: ignore[attr-defined]
    name = url.partition("?")[0].rpartition("/")[2]
    connection = await asyncpg.connect(url.replace(f"/{name}", "/postgres", 1))
    await connection.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS {allows}')
    await connection.fetch("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1", name)
    await connection.close()
