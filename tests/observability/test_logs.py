"""Claims about the log: one line for each important event, with its cause, and never a secret."""

import io
import json
import logging
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from app import cli
from app.domain import errors
from app.http import middleware
from app.observability import logs
from app.observability.availability import AvailabilityLogger
from app.observability.logs import JsonLines, Lines
from tests.support.client import Api
from tests.support.factories import Make
from tests.support.server import Server, graphql

PASSWORD = "a password of the first administrator"
SECRET = "a secret that signs the tokens of this test"
METRICS = "a-token-that-reads-the-numbers"
INVALID_PASSWORD = "a-password-that-is-not-right"
OWN = "a first password of their own"
LATER = "a later password of their own"
HIDDEN = "a-variable-that-is-nobodys-business"
MINE = "query Mine { viewer { user { userName } } }"
LOGIN = """mutation In($name: String!, $word: String!) {
    login(input: {userName: $name, password: $word}) { session { token } }
}"""
CREATE = """mutation Make($name: String!, $word: String!) {
    createUser(input: {userName: $name, password: $word}) { user { userName } errors { code } }
}"""
CHANGE = """mutation ($old: String!, $new: String!) {
    changePassword(input: {oldPassword: $old, newPassword: $new}) { errors { code } }
}"""
FIND = "query Find($name: String!) { user(by: {userName: $name}) { userName } }"


@pytest.fixture
def written() -> Iterator[io.StringIO]:
    """Yield the JSON log of the test, which includes each request."""
    text = io.StringIO()
    handler = logging.StreamHandler(text)
    handler.setFormatter(JsonLines())
    logging.getLogger().addHandler(handler)
    before = logging.getLogger(logs.REQUESTS).level
    logging.getLogger(logs.REQUESTS).setLevel(logging.INFO)
    yield text
    logging.getLogger(logs.REQUESTS).setLevel(before)
    logging.getLogger().removeHandler(handler)


def _lines(written: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in written.getvalue().splitlines()]


@pytest.fixture
def overrides(request: pytest.FixtureRequest) -> dict[str, Any]:
    return getattr(request, "param", {"OSTIARY_SLOW_REQUEST_MILLISECONDS": "0"})


async def test_a_line_says_what_a_request_was_and_what_it_cost(api: Api, make: Make, written: io.StringIO) -> None:
    ann = await make.user()
    headers = {**api.headers(ann), "x-request-id": "caller-7"}
    reply = await api.client.post("/graphql?secret=1", json={"query": MINE}, headers=headers)

    (line,) = _lines(written)
    assert reply.headers["x-request-id"] == "caller-7"
    assert line.pop("durationMs") > 0
    assert line.pop("time")
    assert line == {
        "level": "info",
        "logger": "ostiary.requests",
        "message": "answered request",
        "requestId": "caller-7",
        "api": "graphql",
        "method": "POST",
        "path": "/graphql",
        "kind": "query",
        "operation": "Mine",
        "viewer": ann.id,
        "status": 200,
        "statements": 2,
    }


TRACE = "0af7651916cd43dd8448eb211c80319c"


@pytest.mark.parametrize(
    ("traceparent", "trace_id"),
    [
        (f"00-{TRACE}-b7ad6b7169203331-01", TRACE),
        (f"00-{TRACE}-b7ad6b7169203331-00", TRACE),
        (f"ff-{TRACE}-b7ad6b7169203331-01", None),
        (f"00-{'0' * 32}-b7ad6b7169203331-01", None),
        (f"00-{TRACE}-{'0' * 16}-01", None),
        (f"00-{TRACE.upper()}-b7ad6b7169203331-01", None),
        (f"00-{TRACE}-b7ad6b7169203331-01 level=info", None),
        ("x" * 4000, None),
        ("", None),
    ],
)
async def test_a_line_has_the_trace_id_of_a_valid_traceparent_only(
    api: Api, written: io.StringIO, traceparent: str, trace_id: str | None
) -> None:
    await api.client.get("/version", headers={"traceparent": traceparent})

    (line,) = _lines(written)
    assert line.get("traceId") == trace_id


@pytest.mark.parametrize(
    ("method", "path", "expected"),
    [
        (
            "GET",
            f"/users/{HIDDEN}/meta?a={HIDDEN}",
            ("/users/{userName}/meta", "rest", "query", 401, ["UNAUTHENTICATED"]),
        ),
        ("DELETE", f"/Users/{HIDDEN}/", ("/users/{userName}", "rest", "mutation", 401, ["UNAUTHENTICATED"])),
        ("GET", f"/openapi/{HIDDEN}", ("/openapi/{name}", "other", "none", 404, None)),
        ("GET", f"/{HIDDEN}", ("", "other", "none", 404, None)),
        ("DELETE", f"/graphql?{HIDDEN}", ("/graphql", "graphql", "none", 405, ["BAD_REQUEST"])),
    ],
)
async def test_a_path_is_logged_as_its_template(
    client: httpx.AsyncClient, written: io.StringIO, method: str, path: str, expected: tuple[Any, ...]
) -> None:
    await client.request(method, path)

    (line,) = _lines(written)
    assert tuple(line.get(name) for name in ("path", "api", "kind", "status", "codes")) == expected
    assert HIDDEN not in written.getvalue()


@pytest.mark.parametrize("sent_id", ["", "a b", "x" * 129, "né", 'a"', "a\tb"])
async def test_an_id_that_could_be_anything_is_replaced(client: httpx.AsyncClient, sent_id: str) -> None:
    reply = await client.get("/health/live", headers=[(b"x-request-id", sent_id.encode())])
    twice = await client.get("/health/live", headers=[("x-request-id", "a"), ("x-request-id", "b")])

    assert len(reply.headers["x-request-id"]) == len(twice.headers["x-request-id"]) == 16


async def test_an_unexpected_error_is_logged_once_with_its_trace_and_the_id_of_the_reply(
    app: Starlette, client: httpx.AsyncClient, written: io.StringIO
) -> None:
    async def bug(request: Request) -> Response:
        raise RuntimeError(request.method)

    app.router.routes.insert(0, Route("/bug", bug))
    reply = await client.get("/bug")

    surprise, request = _lines(written)
    assert (reply.status_code, reply.json()) == (
        500,
        {"error": f"Unexpected error. The log has it as {surprise['errorId']}.", "noRetry": False},
    )
    assert surprise["requestId"] == request["requestId"] == reply.headers["x-request-id"]
    assert surprise["exception"].endswith("RuntimeError: GET")
    assert (request["level"], request["path"], request["status"]) == ("warning", "/bug", 500)
    assert request["codes"] == ["INTERNAL_SERVER_ERROR"]


@pytest.mark.parametrize("overrides", [{"OSTIARY_SLOW_REQUEST_MILLISECONDS": "2000"}], indirect=True)
async def test_a_slow_request_is_logged_though_others_are_not(
    client: httpx.AsyncClient, written: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    logging.getLogger(logs.REQUESTS).setLevel(logging.WARNING)
    clock = iter([100.0, 101.9, 200.0, 202.0])
    monkeypatch.setattr(middleware, "perf_counter", lambda: next(clock))

    await client.get("/health/live")
    await client.get("/version")

    (line,) = _lines(written)
    assert (line["level"], line["message"], line["path"]) == ("warning", "slow request", "/version")
    assert line["durationMs"] == 2000


def test_a_console_line_has_the_same_content() -> None:
    record = logging.LogRecord("ostiary.requests", logging.INFO, "", 0, "answered request", (), None)
    record.fields = {"path": "/graphql", "operation": None, "codes": ["A", "B"], "status": 200}

    assert (
        Lines().format(record).endswith(" INFO ostiary.requests: answered request path=/graphql codes=A,B status=200")
    )


@pytest.mark.parametrize(
    ("level", "requests", "expected"),
    [
        ("warning", False, ("WARNING", "WARNING", "WARNING")),
        ("debug", False, ("DEBUG", "WARNING", "WARNING")),
        ("error", False, ("ERROR", "ERROR", "ERROR")),
        ("error", True, ("ERROR", "ERROR", "INFO")),
    ],
)
def test_the_levels_are_ours_and_others_stay_quiet(level: str, requests: bool, expected: tuple[str, ...]) -> None:
    config = logs.configuration("json", level, requests=requests)

    assert (
        config["loggers"]["app"]["level"],
        config["root"]["level"],
        config["loggers"][logs.REQUESTS]["level"],
    ) == expected
    assert config["loggers"]["asyncpg.pool"]["level"] == "ERROR"


def test_an_outage_is_logged_once_and_once_more_when_it_ends(caplog: pytest.LogCaptureFixture) -> None:
    reach = AvailabilityLogger("the database", logging.getLogger("app.db"))

    reach.mark_up()
    for error in (OSError("gone"), OSError("still gone")):
        reach.mark_down(error)
    reach.mark_up()
    reach.mark_up()
    reach.mark_down(errors.TimedOut(""))

    assert [record.getMessage() for record in caplog.records] == [
        "the database does not answer: gone",
        "the database answers again",
        "the database does not answer: TimedOut",
    ]


@pytest.mark.parametrize("shape", ["json", "console"])
async def test_no_secret_is_ever_in_the_log(tmp_path: Path, url: str, shape: str) -> None:
    own = {
        "OSTIARY_DATABASE_URL": url,
        "OSTIARY_SECRET": SECRET,
        "OSTIARY_DEFAULT_ADMIN__PASSWORD": PASSWORD,
        "OSTIARY_METRICS_TOKEN": METRICS,
        "OSTIARY_LOG_FORMAT": shape,
        "OSTIARY_LOG_LEVEL": "debug",
        "OSTIARY_LOG_REQUESTS": "true",
    }
    with Server(tmp_path, **own) as server:
        server.ready()
        tokens = await _day(server)
        ended = await server.stopped()

    lines = ended.err.splitlines()
    assert sum("/users/authenticate" in line for line in lines) == 5
    assert sum("Find" in line for line in lines) == 2
    if shape == "json":
        assert all(isinstance(json.loads(line), dict) for line in lines)
    secrets = [
        SECRET,
        PASSWORD,
        METRICS,
        INVALID_PASSWORD,
        OWN,
        LATER,
        HIDDEN,
        *tokens,
        *(token.split(".")[2] for token in tokens),
    ]
    if url.startswith("postgresql:"):
        secrets.append(url)
    assert [secret for secret in secrets if secret in ended.out + ended.err] == []
    assert ended.code == 0


async def _day(server: Server) -> list[str]:
    """Sign in with valid and invalid credentials, over both APIs and in every form; return the tokens."""
    admin = await server.token("admin", PASSWORD)
    async with server.client(admin) as client:
        await graphql(client, CREATE, name="ann", word=OWN)
        await graphql(client, FIND, name=HIDDEN)
        await client.get("/graphql", params={"query": FIND, "variables": json.dumps({"name": HIDDEN})})
        await client.get("/metrics", headers={"authorization": f"Bearer {METRICS}"})
        await client.post("/users", json={"userName": "bob", "password": LATER, "roles": [HIDDEN]})
    ann = await server.token("ann", OWN)
    async with server.client(ann) as client:
        await graphql(client, CHANGE, old=INVALID_PASSWORD, new=LATER)
        changed = (await graphql(client, CHANGE, old=OWN, new=LATER))["data"]["changePassword"]["errors"]
        await client.post("/users/authenticate/refresh")
    async with server.client() as nobody:
        reply = await graphql(nobody, LOGIN, name="ann", word=LATER)
        await graphql(nobody, LOGIN, name="ann", word=INVALID_PASSWORD)
        await nobody.post("/users/authenticate", data={"username": "ann", "password": INVALID_PASSWORD})
        await nobody.post("/users/authenticate", json={"username": "tried", "password": INVALID_PASSWORD})
        await nobody.post("/graphql", json={"query": MINE}, headers={"cookie": f"jwtToken={ann}"})
        await nobody.get(f"/{HIDDEN}", headers={"authorization": f"Bearer {INVALID_PASSWORD}"})
        await nobody.post("/graphql", content=HIDDEN, headers={"content-type": "application/json"})
        await nobody.post("/graphql", json={"query": "{ nothing }", "operationName": HIDDEN})
    assert changed == []
    return [admin, ann, reply["data"]["login"]["session"]["token"]]


@pytest.mark.parametrize(
    ("log_format", "on_a_terminal", "shape"),
    [
        (None, True, Lines),
        (None, False, JsonLines),
        (" ", False, JsonLines),
        ("Console", False, Lines),
        ("json", True, JsonLines),
    ],
)
def test_a_terminal_gets_console_lines(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, log_format: str | None, on_a_terminal: bool, shape: type
) -> None:
    seen: list[dict[str, Any]] = []
    monkeypatch.setattr("logging.config.dictConfig", seen.append)
    monkeypatch.setattr("app.cli._prepare", lambda *_, **__: SimpleNamespace(migrated=[]))
    monkeypatch.setattr("sys.stderr.isatty", lambda: on_a_terminal)
    monkeypatch.chdir(tmp_path)
    if log_format is not None:
        monkeypatch.setenv("OSTIARY_LOG_FORMAT", log_format)

    assert cli.main(["migrate"]) == 0

    assert seen[0]["formatters"]["lines"]["()"] == f"app.observability.logs.{shape.__name__}"
