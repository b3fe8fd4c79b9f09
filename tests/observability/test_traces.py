"""Claims about traces: one tree for each request, which holds nothing that a client has sent."""

import asyncio
import io
import json
import logging
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette

from app import db
from app.domain.viewer import ANONYMOUS, Viewer
from app.http import RequestMiddleware, traced_middleware
from app.observability import logs, request_stats, traces
from app.observability.logs import JsonLines
from app.observability.request_stats import RequestStats
from app.observability.trace_export import TraceExporter
from app.observability.traces import Kind, Trace
from tests.support.client import Api, codes
from tests.support.factories import Make
from tests.support.rest_client import Rest

HIDDEN = "nobodysbusiness"
CALLER = "0af7651916cd43dd8448eb211c80319c"
PARENT = "b7ad6b7169203331"
FIND = "query Find($name: String!) { user(by: {userName: $name}) { userName roles { name } } }"
CREATE = """mutation Make($name: String!, $word: String!, $dry: Boolean) {
    createUser(input: {userName: $name, password: $word, validateOnly: $dry}) { user { userName } errors { code } }
}"""
LOGIN = "mutation In($name: String!) { login(input: {userName: $name, password: $name}) { session { token } } }"
LISTS = """query ($name: String!) {
    users(first: 2, filter: {userName: {contains: $name}}) { nodes { userName roles { name } } }
    orgs(first: 2) { nodes { slug } }
}"""

Document = dict[str, Any]


@pytest.fixture
def overrides(request: pytest.FixtureRequest) -> dict[str, Any]:
    return {"OSTIARY_TRACES_ENDPOINT": "http://127.0.0.1:9", **getattr(request, "param", {})}


@pytest.fixture(autouse=True)
def exported(monkeypatch: pytest.MonkeyPatch) -> list[Document]:
    """The export requests, one for each trace, as soon as the request has ended."""
    documents: list[Document] = []

    def add(self: TraceExporter, trace: Trace) -> None:
        documents.append(json.loads(json.dumps(self._document([trace]))))

    monkeypatch.setattr(TraceExporter, "add", add)
    return documents


@pytest.fixture
def requests_log() -> Iterator[io.StringIO]:
    """The JSON lines of the requests of a test."""
    text, log = io.StringIO(), logging.getLogger(logs.REQUESTS)
    handler, before = logging.StreamHandler(text), log.level
    handler.setFormatter(JsonLines())
    log.addHandler(handler)
    log.setLevel(logging.INFO)
    yield text
    log.removeHandler(handler)
    log.setLevel(before)


def spans(document: Document) -> list[Document]:
    (resource,) = document["resourceSpans"]
    (scope,) = resource["scopeSpans"]
    return list(scope["spans"])


def attributes(span: Document) -> dict[str, Any]:
    """Return the attributes of a span by name, with their values as strings or lists."""
    return {each["key"]: next(iter(each["value"].values())) for each in span["attributes"]}


def names(document: Document) -> list[str]:
    return [span["name"] for span in spans(document)]


def require_tree(document: Document) -> None:
    """Require one root, and that each other span lies in the time of its parent."""
    root, *others = spans(document)
    by_id = {span["spanId"]: span for span in [root, *others]}
    assert len(by_id) == 1 + len(others)
    assert root["kind"] == Kind.SERVER
    for span in others:
        parent = by_id[span["parentSpanId"]]
        assert span["traceId"] == root["traceId"]
        assert int(parent["startTimeUnixNano"]) <= int(span["startTimeUnixNano"]) <= int(span["endTimeUnixNano"])
        assert int(span["endTimeUnixNano"]) <= int(root["endTimeUnixNano"])


async def test_each_request_is_one_tree_without_anything_that_the_client_has_sent(
    api: Api, rest: Rest, make: Make, exported: list[Document]
) -> None:
    ann = await make.user("ann", "admin")
    asked = 0
    for query, person in ((FIND, ann), (FIND, None), (CREATE, ann), (CREATE, ann), (LOGIN, None), (LISTS, ann)):
        for _ in range(2):
            reply = await api(query, person, name=f"{HIDDEN}{asked}", word=f"{HIDDEN} as a long password")
            assert "GRAPHQL_VALIDATION_FAILED" not in codes(reply), reply
            asked += 1
    await api(f'{{ user(by: {{userName: "{HIDDEN}"}}) {{ userName }} }}', ann)
    await api(f"{{ {HIDDEN} }}", ann)
    await api(FIND, HIDDEN, name="x")
    await api(FIND, ann, name={HIDDEN: HIDDEN})
    await rest("GET", f"/users/{HIDDEN}/meta?a={HIDDEN}", ann)
    await rest("PUT", f"/users/{HIDDEN}", ann, json={"password": HIDDEN, HIDDEN: 1})
    await rest("POST", "/users/authenticate", data={"username": HIDDEN, "password": HIDDEN})
    await rest("GET", f"/{HIDDEN}")
    await rest(HIDDEN.upper(), "/version", headers={"cookie": HIDDEN, "user-agent": HIDDEN})

    assert len(exported) == asked + 9
    for document in exported:
        require_tree(document)
        assert HIDDEN not in json.dumps(document).lower()
    statements = [attributes(span) for document in exported for span in spans(document) if span["kind"] == Kind.CLIENT]
    assert {each["db.system.name"] for each in statements} == {make.app.database.dialect.name}


async def test_the_work_of_a_request_has_spans(api: Api, make: Make, exported: list[Document], backend: str) -> None:
    ann = await make.user("ann", "admin")
    text = f"{FIND} # {backend}"
    for _ in range(3):
        await api(text, ann, name="ann")
    await api(CREATE, ann, name="newuser", word="a word of theirs")
    await api(CREATE, ann, name="newuser", word="a word of theirs")
    await api(CREATE, ann, name="another", word="a word of theirs", dry=True)

    first, second, third, created, refused, tried = exported
    assert names(first)[:2] == ["query Find", "authenticate"]
    assert "parse and validate the document" in names(first)
    assert "compile the plan" in names(second)
    assert "parse and validate the document" not in names(second)
    assert names(third)[0] == "query Find"
    assert "SELECT users" in names(third)
    assert [each for each in names(created) if each in ("BEGIN", "COMMIT", "ROLLBACK", "INSERT users")] == [
        "BEGIN",
        "INSERT users",
        "COMMIT",
    ]
    assert "ROLLBACK" in names(refused)
    assert "ROLLBACK" in names(tried)
    assert attributes(spans(created)[0]) | {"ostiary.request.id": "", "ostiary.statements": ""} == {
        "url.scheme": "http",
        "http.request.method": "POST",
        "http.response.status_code": "200",
        "http.route": "/graphql",
        "graphql.operation.type": "mutation",
        "graphql.operation.name": "Make",
        "ostiary.api": "graphql",
        "ostiary.executor": "reference",
        "ostiary.executor.reason": "first request",
        "ostiary.request.id": "",
        "ostiary.statements": "",
    }


async def test_the_span_of_a_request_has_its_error_and_not_its_text(
    app: Starlette, rest: Rest, exported: list[Document], monkeypatch: pytest.MonkeyPatch
) -> None:
    await rest("GET", "/users")

    async def fail(*_: Any, **__: Any) -> None:
        raise RuntimeError(HIDDEN)

    monkeypatch.setattr("app.services.session.authenticate_cached", lambda *_: None)
    monkeypatch.setattr("app.services.session.authenticate", fail)
    await rest("GET", "/users")

    refused, failed = exported
    assert (spans(refused)[0]["name"], spans(refused)[0]["status"]) == ("GET /users", {})
    assert attributes(spans(refused)[0])["ostiary.error.codes"] == {"values": [{"stringValue": "UNAUTHENTICATED"}]}
    root, child = spans(failed)
    assert root["status"] == child["status"] == {"code": 2}
    assert attributes(root)["error.type"] == "INTERNAL_SERVER_ERROR"
    assert attributes(child)["error.type"] == "RuntimeError"
    assert HIDDEN not in json.dumps(failed)


TRACEPARENTS: dict[str, tuple[str, str] | str | None] = {
    f"00-{CALLER}-{PARENT}-01": (CALLER, PARENT),
    f"cc-{CALLER}-{PARENT}-ff": (CALLER, PARENT),
    f"00-{CALLER}-{PARENT}-00": None,
    f"00-{CALLER}-{'0' * 16}-01": "own",
    f"ff-{CALLER}-{PARENT}-01": "own",
    f"cc-{CALLER}-{PARENT}-01-{HIDDEN}": (CALLER, PARENT),
    f"cc-{CALLER}-{PARENT}-01{HIDDEN}": "own",
    f"00-{CALLER}-{PARENT}-01-{HIDDEN}": "own",
    "": "own",
}
"""Values of the header, each with trace and parent: those of the caller, its own, or none."""


@pytest.mark.parametrize("overrides", [{}, {"OSTIARY_TRACES_RATIO": "0"}], indirect=True)
async def test_a_valid_traceparent_is_the_parent_and_decides_about_the_trace(
    client: httpx.AsyncClient, exported: list[Document], overrides: dict[str, Any], requests_log: io.StringIO
) -> None:
    for traceparent, expected in TRACEPARENTS.items():
        exported.clear()
        await client.get("/version", headers={"traceparent": traceparent})

        logged = json.loads(requests_log.getvalue().splitlines()[-1]).get("traceId")
        if expected is None or (expected == "own" and "OSTIARY_TRACES_RATIO" in overrides):
            assert (exported, logged) == ([], CALLER if expected is None else None)
            continue
        root, *_ = spans(exported[0])
        assert logged == root["traceId"]
        if expected == "own":
            assert root["traceId"] != CALLER
            assert "parentSpanId" not in root
        else:
            assert (root["traceId"], root["parentSpanId"]) == expected


async def test_servers_that_a_request_asks_get_its_own_span_as_their_parent(
    rest: Rest, exported: list[Document], monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []

    async def authenticate(*_: Any, **__: Any) -> Viewer:
        seen.append(request_stats.current_request().traceparent)
        return ANONYMOUS

    monkeypatch.setattr("app.services.session.authenticate_cached", lambda *_: None)
    monkeypatch.setattr("app.services.session.authenticate", authenticate)
    await rest("GET", "/users", headers={"traceparent": f"00-{CALLER}-{PARENT}-01"})

    root, *_ = spans(exported[0])
    assert seen == [f"00-{CALLER}-{root['spanId']}-01"]


@pytest.mark.parametrize("ratio", [0.0, 0.25, 1.0])
def test_the_ratio_is_the_share_of_traced_requests(ratio: float) -> None:
    number = sum(traces.start("", ratio, "GET") is not None for _ in range(2_000))

    assert abs(number - 2_000 * ratio) < 2_000 * ratio * (1 - ratio) * 0.6 + 1


def test_the_traces_with_the_highest_random_bits_are_sampled(monkeypatch: pytest.MonkeyPatch) -> None:
    for number, is_sampled in ((3 << 54, True), ((3 << 54) - 1, False), ((1 << 56) - 1, True), (1 << 56, False)):
        with monkeypatch.context() as chance:
            chance.setattr("app.observability.traces._ids.getrandbits", lambda _, number=number: number)
            assert (traces.start("", 0.25, "GET") is not None) is is_sampled


@pytest.mark.parametrize("prefix", ["", "/registry"])
async def test_probes_have_no_trace_and_other_paths_have_one(
    app: Starlette, exported: list[Document], prefix: str
) -> None:
    transport = httpx.ASGITransport(app, root_path=prefix)
    async with httpx.AsyncClient(transport=transport, base_url="http://testserver") as client:
        for path in ("/health/live", "/health/ready", "/metrics"):
            await client.get(prefix + path)
        assert exported == []
        await client.get(f"{prefix}/metricsandmore")

    assert len(exported) == 1


async def test_a_span_of_an_ordinary_outcome_has_not_failed(
    api: Api, make: Make, exported: list[Document], backend: str
) -> None:
    ann = await make.user("ann", "admin")
    await api(FIND, HIDDEN, name="x")
    await api(f"{{ {HIDDEN} }}", ann)
    for _ in range(3):
        await api(f"{{ __schema {{ queryType {{ name }} }} }} # {backend}", ann)
    for _ in range(2):
        await api(CREATE, ann, name="twice", word="a word of theirs")

    kinds = {attributes(span).get("error.type") for document in exported for span in spans(document)}
    assert {"InvalidToken", "Invalid"} <= kinds
    assert "compile the plan" in {name for document in exported for name in names(document)}
    failed = [span for document in exported for span in spans(document) if span["status"]]
    assert [span["name"] for span in failed] == []


@pytest.mark.parametrize(
    ("status", "sent", "expected"),
    [
        (0, [], "cancelled"),
        (500, ["NOT_FOUND", "INTERNAL_SERVER_ERROR"], "INTERNAL_SERVER_ERROR"),
        (503, ["SERVICE_UNAVAILABLE"], "SERVICE_UNAVAILABLE"),
        (502, [], "502"),
    ],
)
def test_a_failed_request_has_the_kind_of_its_error(status: int, sent: list[str], expected: str) -> None:
    trace, stats = traces.start("", 1.0, "GET"), RequestStats("", "GET")
    assert trace is not None
    stats.codes = sent
    traced_middleware.describe(trace, stats, status)

    root = trace.spans[0]
    assert (root.is_error, root.attributes["error.type"]) == (True, expected)
    assert root.attributes.get("http.response.status_code", 0) == status


async def test_spans_that_outlive_their_request_end_with_it_and_change_no_more() -> None:
    trace = traces.start("", 1.0, "GET")
    assert trace is not None
    token = traces.CURRENT.set(trace.spans[0])
    with suppress(RuntimeError), traces.span("long"):
        trace.end()
        raise RuntimeError
    traces.CURRENT.reset(token)

    root, long = trace.spans
    assert (long.ended, long.attributes, long.is_error) == (root.ended, {}, False)


async def test_work_that_outlives_its_request_and_spans_beyond_the_limit_are_left_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(traces, "MAX_SPANS", 3)
    trace = traces.start("", 1.0, "GET")
    assert trace is not None
    token = traces.CURRENT.set(trace.spans[0])
    later = asyncio.Event()

    async def work() -> None:
        await later.wait()
        with traces.span("late"):
            pass

    task = asyncio.create_task(work())
    for _ in range(5):
        with traces.span("early"):
            pass
    trace.end()
    later.set()
    await task
    traces.CURRENT.reset(token)

    assert [span.name for span in trace.spans[1:]] == ["early", "early"]
    assert trace.spans[0].attributes == {"ostiary.spans.dropped": 3}


@pytest.mark.parametrize("overrides", [{"OSTIARY_TRACES_ENDPOINT": ""}], indirect=True)
async def test_without_the_setting_no_part_of_the_server_traces(app: Starlette, database: db.Database) -> None:
    assert type(app.middleware_stack) is RequestMiddleware
    assert not isinstance(database, db.TracedDatabase)
