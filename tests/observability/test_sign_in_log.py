"""Claims about the lines of refusals: no user forges one, a flood logs few, and the filter for fail2ban finds them."""

import asyncio
import configparser
import json
import logging
import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette

from app.observability import counters, logs, sign_in_log
from app.observability.logs import JsonLines, Lines
from app.observability.sign_in_log import MAX_LINES_PER_SECOND, MAX_NAME_CHARACTERS, Reason
from app.security import api_token_format
from tests.support.client import Api
from tests.support.factories import PASSWORD, Make
from tests.support.password_guessing import LOGIN, WRONG_PASSWORD
from tests.support.refusing import EVIL, Log, Scene, written

FAMILY = "ostiary_sign_ins_refused_total"
PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "fail2ban.md"
ANN = 'login(input: {userName: "ann", password: "wrong"}) { errors { code } }'


@pytest.fixture
def log() -> Iterator[Log]:
    with written() as log_of_test:
        yield log_of_test


@pytest.fixture
def scene(app: Starlette, api: Api, make: Make) -> Scene:
    return Scene(app, api, make)


HOSTILE = {
    "a line of its own": f"ann\n2031-01-01T00:00:00+0000 WARNING ostiary.sign_in: refused credential address={EVIL}",
    "a carriage return": "ann\r2031-01-01T00:00:00+0000 WARNING",
    "what a terminal obeys": "ann\x1b[2J\x1b]0;title\x07\x9b31m",
    "other line ends": "ann\u2028b\u2029c\x85d\x0be\x0cf",
    "text that runs backwards": "ann\u202egnp.exe",
    "fields": "ann address=198.51.100.1 reason=unknown_user",
    "quotes": 'ann" address=198.51.100.1, "address": "198.51.100.1"}',
    "backslashes": "ann\\n\\",
    "half a character": "ann\ud800",
    "nothing printable": "\0\0",
    "spaces": "  ann  ",
    "a long name": "ä" * 5_000,
}


@pytest.mark.parametrize("name", HOSTILE.values(), ids=HOSTILE)
async def test_no_name_forges_a_line_or_a_field(scene: Scene, log: Log, name: str) -> None:
    body = json.dumps({"query": f"mutation {{ {ANN} }}".replace('"ann"', json.dumps(name))}).encode()
    async with scene.guess.client(EVIL) as client:
        await client.post("/graphql", content=body, headers={"content-type": "application/json"})
        if "\ud800" not in name:
            await client.post(LOGIN, json={"username": name, "password": WRONG_PASSWORD})

    console = [line for line in log.lines("console") if "ostiary.sign_in" in line]
    assert len(console) == len(log.refusals) >= ("\ud800" not in name)
    for line, logged in zip(console, log.refusals, strict=True):
        assert line.isprintable()
        assert logged["userName"] == (name if len(name) <= MAX_NAME_CHARACTERS else f"{name[:MAX_NAME_CHARACTERS]}…")
        assert [_hosts(line, each) for each in _failregexes()].count([EVIL]) == 1


def test_no_logged_value_forges_a_line_in_a_message_or_a_trace() -> None:
    forged = "x\n2031-01-01T00:00:00+0000 WARNING ostiary.sign_in: refused\x1b[2J"
    try:
        raise ValueError(forged)
    except ValueError as error:
        trace = (type(error), error, error.__traceback__)
    record = logging.LogRecord("app", logging.ERROR, "", 0, "it failed: %s", (forged,), trace)
    record.fields = {"path": forged, "codes": [forged]}

    first, *others = Lines().format(record).split("\n")

    assert first.isprintable()
    assert all(line.isprintable() and line.startswith("  ") for line in others)
    assert len(JsonLines().format(record).splitlines()) == 1


async def test_a_flood_is_a_few_lines_and_a_number(scene: Scene, log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [100.0]
    monkeypatch.setattr(sign_in_log, "monotonic", lambda: clock[0])
    before = counters.samples()
    for _ in range(MAX_LINES_PER_SECOND + 7):
        await scene.send("nonsense")
    await scene.send(api_token_format.generate())
    assert [line["reason"] for line in log.refusals] == ["malformed"] * MAX_LINES_PER_SECOND + ["unknown_token"]

    clock[0] += 1
    await scene.send("nonsense")

    summary, line = log.refusals[-2:]
    assert (summary["reason"], summary["credential"], summary["suppressed"]) == ("malformed", "session_token", 7)
    assert line["reason"] == "malformed"
    sample = f'{FAMILY}{{api="graphql",credential="session_token",reason="malformed"}}'
    assert counters.samples()[sample] == before.get(sample, 0) + MAX_LINES_PER_SECOND + 8


async def test_the_number_of_suppressed_lines_is_logged_even_when_nothing_follows(scene: Scene, log: Log) -> None:
    for _ in range(MAX_LINES_PER_SECOND + 3):
        await scene.send("nonsense")

    await asyncio.sleep(1.2)

    assert [line["suppressed"] for line in log.refusals if "suppressed" in line] == [3]


def _filter() -> dict[str, str]:
    """Return the filter of the page, as fail2ban reads it."""
    (text,) = re.findall(r"```ini\n# /etc/fail2ban/filter.d/ostiary.conf\n(.*?)```", PAGE.read_text(), re.DOTALL)
    read = configparser.ConfigParser()
    read.read_string(text)
    return dict(read["Definition"])


def _failregexes() -> list[re.Pattern[str]]:
    patterns = [each.replace("<HOST>", r"(?P<host>[\w.:]+)") for each in _filter()["failregex"].splitlines()]
    return [re.compile(each) for each in patterns]


def _hosts(line: str, pattern: re.Pattern[str]) -> list[str]:
    return [match["host"] for match in pattern.finditer(line)]


async def test_the_filter_of_the_page_finds_the_address_of_each_refusal_and_nothing_else(
    scene: Scene, log: Log, client: httpx.AsyncClient
) -> None:
    """Match real lines of both formats; requests are logged too, one of them with an id that looks like a field."""
    requests = logging.getLogger(logs.REQUESTS)
    before = requests.level
    requests.setLevel(logging.INFO)
    await scene.make.user("ann")
    await scene.guess.rest(EVIL, "ann")
    await scene.guess.rest("2001:db8::7", "ghost")
    await scene.send("nonsense")
    await scene.send(scene.signed(exp=1))
    id_ = {"x-request-id": "address=198.51.100.9"}
    async with scene.guess.client(EVIL) as somebody:
        await somebody.post(LOGIN, json={"username": "address=198.51.100.9", "password": WRONG_PASSWORD}, headers=id_)
        await somebody.post(LOGIN, json={"username": "ann", "password": PASSWORD}, headers=id_)
    requests.setLevel(before)

    for shape in ("console", "json"):
        lines = log.lines(shape)
        hosts = [host for line in lines for pattern in _failregexes() for host in _hosts(line, pattern)]
        assert len(lines) == 6 + 5
        assert hosts == [EVIL, "2001:db8::7", EVIL, EVIL]


def test_the_reasons_of_the_filter_are_reasons_and_the_page_tells_all() -> None:
    assert {*_filter()["reasons"].split("|")} < {*Reason}
    assert [reason for reason in Reason if f"`{reason}`" not in PAGE.read_text()] == []
