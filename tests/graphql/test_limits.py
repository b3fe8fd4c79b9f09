"""Claims about the limits of documents and times in the settings, tested over HTTP."""

import asyncio
from math import ceil
from typing import Any

import pytest

from app import db
from app.config import Limits, Settings
from app.http.deadlines import Timer
from tests.support.changes import unchanged
from tests.support.client import Api, codes
from tests.support.factories import Make

RANGES = Limits.model_json_schema()["properties"]
LARGEST = {name: each["maximum"] for name, each in RANGES.items()}


@pytest.fixture
def limits() -> dict[str, int]:
    return {}


@pytest.fixture
def overrides(limits: dict[str, int]) -> dict[str, Any]:
    return {f"OSTIARY_LIMITS__{name.upper()}": str(value) for name, value in limits.items()} | {
        "OSTIARY_QUERY_SECONDS": "2",
        "OSTIARY_MUTATION_SECONDS": "3",
    }


@pytest.mark.parametrize("limits", [{"aliases": 1, "tokens": 150}])
async def test_a_limit_of_the_settings_is_enforced_and_its_error_has_both_numbers(api: Api) -> None:
    cases = {
        "aliases": (1, 2, "{ a: __typename b: __typename }"),
        "tokens": (150, 153, "{ " + "__typename " * 151 + "}"),
    }

    for name, (maximum, actual, text) in cases.items():
        response = await api.client.post("/graphql", json={"query": text})
        (error,) = response.json()["errors"]
        facts = {"code": "OPERATION_TOO_COMPLEX", "limit": name, "maximum": maximum, "value": actual}
        assert error["extensions"] == facts
        assert f"{name} may be {maximum} at most, but here it is {actual}." in error["message"]
    assert await api("{ a: __typename }") == {"data": {"a": "Query"}}


@pytest.mark.parametrize("limits", [{"cost": 100}])
async def test_pages_are_weighed_with_variables_every_time(api: Api, make: Make) -> None:
    await make.user("ann")
    text = "query ($n: Int = 2) { users(first: $n) { nodes { userName } } }"

    for _ in range(2):
        assert codes(await api(text, n=100)) == ["OPERATION_TOO_COMPLEX"]
        assert "errors" not in await api(text, n=45)
        assert "errors" not in await api(text)


@pytest.mark.parametrize("limits", [LARGEST])
async def test_the_deepest_documents_that_a_setting_may_allow_end_no_process(api: Api, make: Make) -> None:
    ann = await make.user("ann")
    await make.group("divers", ann)
    levels = LARGEST["nesting"] - 4
    deep = "viewer { user { " + "... on User { " * levels + "id" + " }" * levels + " } }"
    circles = levels // 4
    circle = "groups(first: 1) { nodes { members(first: 1) { nodes { " * circles + "id" + "}" * circles * 4
    values = "(by: " + "[" * levels + "]" * levels + ")"

    assert "errors" not in await api(f"{{ {deep} }}", as_=ann)
    assert _depth(await api(f"{{ viewer {{ user {{ {circle} }} }} }}", as_=ann)) > circles * 4
    assert set(codes(await api(f"{{ user{values} {{ id }} }}", as_=ann))) == {"GRAPHQL_VALIDATION_FAILED"}


def _depth(value: Any) -> int:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return 1 + max(map(_depth, inner), default=0)


async def test_an_operation_has_the_time_that_the_settings_give_it(
    api: Api, make: Make, database: db.Database, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    seconds, read_until, change_until = [], asyncio.timeout_at, Timer.start

    def read_is_late(deadline: float) -> asyncio.Timeout:
        seconds.append(ceil(deadline - asyncio.get_running_loop().time()))
        return read_until(0)

    def change_is_late(timer: Timer, deadline: float) -> None:
        seconds.append(ceil(deadline - timer.loop.time()))
        change_until(timer, 0)

    root = await make.admin()
    monkeypatch.setattr(asyncio, "timeout_at", read_is_late)
    monkeypatch.setattr(Timer, "start", change_is_late)
    async with unchanged(database):
        read = await api.post("{ viewer { user { roles { name } } } }", as_=root)
        async with database.write():  # SQLite has one writer: the change has to wait
            changed = await api.post(
                'mutation { createRole(input: {name: "new", permissions: []}) { errors { code } } }', as_=root
            )

    assert [(each.status_code, codes(each.json())) for each in (read, changed)] == [(503, ["TIMEOUT"])] * 2
    assert [*dict.fromkeys(seconds)] == [settings.query_seconds, settings.mutation_seconds] == [2, 3]


def test_every_limit_has_a_smallest_and_a_largest_value() -> None:
    for name, value in Limits().model_dump().items():
        assert RANGES[name]["minimum"] <= value <= LARGEST[name]
