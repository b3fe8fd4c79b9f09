"""Claims about the export of traces: in batches, by a thread, and never to the cost of a request."""

import asyncio
import json
import logging
import socket
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Event, Thread
from time import monotonic, sleep
from typing import Any

import pytest

from app.observability import counters, trace_export, traces
from app.observability.trace_export import DROPPED, EXPORTED, REFUSED, TRACES, TraceExporter
from app.observability.traces import Trace


class Collector(HTTPServer):
    """A collector on a free port, which answers with `status` and keeps what it gets."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.status = 200
        self.answer = b"{}"
        self.retry_after: str | None = None
        self.connections = 0
        self.received: list[tuple[str, str | None, dict[str, Any]]] = []

    def get_request(self) -> Any:
        self.connections += 1
        return super().get_request()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/v1/traces"


class _Handler(BaseHTTPRequestHandler):
    server: Collector
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.server.received.append((self.path, self.headers["content-type"], body))
        self.send_response(self.server.status)
        if self.server.retry_after is not None:
            self.send_header("retry-after", self.server.retry_after)
        self.send_header("content-length", str(len(self.server.answer)))
        self.end_headers()
        self.wfile.write(self.server.answer)

    def log_message(self, *_: object) -> None:
        """Write nothing."""


@pytest.fixture
def collector() -> Iterator[Collector]:
    with Collector() as server:
        thread = Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trace_export, "INTERVAL", 0.01)
    monkeypatch.setattr(trace_export, "BACKOFF", 0.01)


def trace(spans: int = 1) -> Trace:
    made = traces.start("", 1.0, "GET /")
    assert made is not None
    token = traces.CURRENT.set(made.spans[0])
    for _ in range(spans - 1):
        with traces.span("work", attributes={"text": "a", "number": 1, "share": 0.5, "is": True, "list": ["b"]}):
            pass
    traces.CURRENT.reset(token)
    made.end()
    return made


@contextmanager
def counted(result: str, number: int) -> Iterator[None]:
    """Wait until this many more traces have this result."""
    name = counters.sample(TRACES, result=result)
    before = counters.samples()[name]
    yield
    wait_until(lambda: counters.samples()[name] == before + number)


def wait_until(is_true: Callable[[], bool]) -> None:
    limit = monotonic() + 60
    while not is_true():
        assert monotonic() < limit
        sleep(0.005)


def spans_of(body: dict[str, Any]) -> list[str]:
    """Return the ids of the spans of an export request."""
    return [span["spanId"] for span in body["resourceSpans"][0]["scopeSpans"][0]["spans"]]


async def test_traces_arrive_in_the_format_of_otlp(collector: Collector) -> None:
    exporter, made = TraceExporter(collector.address), trace(2)
    with counted(EXPORTED, 1):
        async with exporter.running():
            exporter.add(made)

    ((path, content_type, body),) = collector.received
    (resource,) = body["resourceSpans"]
    (scope,) = resource["scopeSpans"]
    root, child = scope["spans"]
    assert (path, content_type) == ("/v1/traces", "application/json")
    assert {"key": "service.name", "value": {"stringValue": "ostiary"}} in resource["resource"]["attributes"]
    assert (len(root["traceId"]), len(root["spanId"])) == (32, 16)
    assert (child["traceId"], child["parentSpanId"]) == (root["traceId"], root["spanId"])
    assert child["attributes"] == [
        {"key": "text", "value": {"stringValue": "a"}},
        {"key": "number", "value": {"intValue": "1"}},
        {"key": "share", "value": {"doubleValue": 0.5}},
        {"key": "is", "value": {"boolValue": True}},
        {"key": "list", "value": {"arrayValue": {"values": [{"stringValue": "b"}]}}},
    ]


async def test_many_traces_share_a_request_and_each_arrives_once(
    collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trace_export, "BATCH_SPANS", 20)
    exporter, made = TraceExporter(collector.address), [trace(3) for _ in range(50)]
    for each in made:
        exporter.add(each)
    with counted(EXPORTED, 50):
        async with exporter.running():
            pass

    ids = [span for *_, body in collector.received for span in spans_of(body)]
    assert ids == [span.id for each in made for span in each.spans]
    assert len(collector.received) == 8


@pytest.mark.parametrize("status", [429, 503])
async def test_traces_wait_for_a_collector_that_is_away_and_the_log_has_its_outage_once(
    collector: Collector, caplog: pytest.LogCaptureFixture, status: int
) -> None:
    exporter, made = TraceExporter(collector.address), [trace() for _ in range(3)]
    collector.status = status
    with caplog.at_level(logging.WARNING, trace_export.__name__):
        async with exporter.running():
            for each in made[:2]:
                collector.received.clear()
                exporter.add(each)
                wait_until(lambda: len(collector.received) > 1)
            with counted(EXPORTED, 3):
                collector.status = 200
                exporter.add(made[2])

    assert spans_of(collector.received[-1][2]) == [each.spans[0].id for each in made]
    assert [record.message for record in caplog.records] == [
        f"the trace collector takes no traces: HTTP status {status}",
        "the trace collector takes traces again",
    ]


class Pauses(Event):
    """A stop of the exporter that notes how long it would pause, and does not."""

    def __init__(self) -> None:
        super().__init__()
        self.noted: list[float] = []

    def wait(self, timeout: float | None = None) -> bool:
        self.noted.append(timeout or 0)
        return super().wait(0.01)


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize(
    ("header", "least", "maximum"),
    [
        ("120", 120, 120),
        ("Fri, 04 Dec 2099 12:00:00 GMT", 300, 300),
        ("86400", 300, 300),
        ("0", 5, 5),
        (None, 5, 5),
        ("-7", 5, 5),
        ("soon", 5, 5),
        ("\xb2", 5, 5),
        ("Sat, 28 Nov 1998 07:00:00 GMT", 5, 5),
        ("Sat, 28 Nov 1998 07:00:00 -0000", 5, 5),
        ("9" * 400, 300, 300),
    ],
)
async def test_the_next_export_waits_as_long_as_the_collector_asks(
    collector: Collector, monkeypatch: pytest.MonkeyPatch, status: int, header: str | None, least: float, maximum: float
) -> None:
    monkeypatch.setattr(trace_export, "BACKOFF", 5.0)
    exporter, pauses = TraceExporter(collector.address), Pauses()
    monkeypatch.setattr(exporter, "_stops", pauses)
    collector.status = status
    collector.retry_after = header
    async with exporter.running():
        exporter.add(trace())
        wait_until(lambda: len(collector.received) > 1)
        collector.status, collector.retry_after = 200, None

    unhurried = [each for each in pauses.noted if each > 1]
    assert unhurried
    assert all(least <= each <= maximum for each in unhurried)


@pytest.mark.parametrize("status", [302, 400])
async def test_traces_that_the_collector_refuses_are_counted_and_not_sent_again(
    collector: Collector, caplog: pytest.LogCaptureFixture, status: int
) -> None:
    exporter = TraceExporter(collector.address)
    collector.status = status
    async with exporter.running():
        for _ in range(3):
            with counted(REFUSED, 1):
                exporter.add(trace())
        collector.status = 200
        with counted(EXPORTED, 1):
            exporter.add(trace())

    assert len(collector.received) == 4
    assert caplog.messages[:-1] == [f"the trace collector takes no traces: HTTP status {status}"]


async def test_no_error_ends_the_export(
    collector: Collector, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    exporter, unencodable = TraceExporter(collector.address), trace()
    unencodable.spans[0].name = "\ud800"
    async with exporter.running():
        with counted(REFUSED, 1):
            exporter.add(unencodable)
        with monkeypatch.context() as elsewhere, counted(REFUSED, 1):
            elsewhere.setattr(exporter, "_endpoint", "http://a..b:4318/v1/traces")
            exporter.add(trace())
        with counted(EXPORTED, 1):
            exporter.add(trace())

    assert len(caplog.messages) == 2


async def test_a_partial_success_counts_what_is_rejected_and_tells_its_reason_once(
    collector: Collector, caplog: pytest.LogCaptureFixture
) -> None:
    exporter = TraceExporter(collector.address)
    async with exporter.running():
        for answer, result in (
            ({"partialSuccess": {"rejectedSpans": "7", "errorMessage": "too old"}}, REFUSED),
            ({"partialSuccess": {"rejectedSpans": 1}}, REFUSED),
            ({"partialSuccess": {"rejectedSpans": "0", "errorMessage": "a hint"}}, EXPORTED),
            ({"partialSuccess": {"rejectedSpans": "some"}}, EXPORTED),
            (["x" * trace_export.MAX_ANSWER_BYTES], EXPORTED),
            ([], EXPORTED),
        ):
            collector.answer = json.dumps(answer).encode()
            with counted(result, 1):
                exporter.add(trace(2))

    (message,) = caplog.messages
    assert message.endswith("too old")


async def test_exports_share_a_connection(collector: Collector) -> None:
    exporter = TraceExporter(collector.address)
    async with exporter.running():
        for _ in range(3):
            with counted(EXPORTED, 1):
                exporter.add(trace())

    assert (len(collector.received), collector.connections) == (3, 1)


async def test_an_ipv6_address_needs_no_port(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, int]] = []

    def connect(address: tuple[str, int], *_: object, **__: object) -> socket.socket:
        asked.append(address)
        raise OSError

    monkeypatch.setattr(socket, "create_connection", connect)
    exporter = TraceExporter("http://[::1]/v1/traces")
    async with exporter.running():
        exporter.add(trace())
        wait_until(lambda: bool(asked))

    assert set(asked) == {("::1", 80)}


def test_the_queue_has_a_limit_and_nobody_waits_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trace_export, "MAX_WAITING_BYTES", 10 * trace_export.SPAN_BYTES)
    exporter = TraceExporter("http://127.0.0.1:9/v1/traces")  # its thread does not run, as with a collector that hangs
    with counted(DROPPED, 15):
        for _ in range(20):
            exporter.add(trace(2))


def test_the_estimate_of_a_trace_is_near_its_memory() -> None:
    made = []
    tracemalloc.start()
    try:
        for number in range(10, 40):
            made.append(trace(3))
            made[-1].spans[1].attributes[traces.QUERY_TEXT] = f"{number}" * 1_000
        taken, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert taken < sum(map(trace_export.estimate, made)) < 4 * taken


async def test_the_stop_of_the_server_waits_a_limited_time_for_a_collector_that_hangs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(trace_export, "CLOSE_SECONDS", 0.2)
    monkeypatch.setattr(trace_export, "REQUEST_SECONDS", 600)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        silent.settimeout(60)
        exporter = TraceExporter(f"http://127.0.0.1:{silent.getsockname()[1]}/v1/traces")
        async with asyncio.timeout(120), exporter.running():
            exporter.add(trace())
            connection, _ = await asyncio.to_thread(silent.accept)
        with connection:
            assert exporter._thread.is_alive(), "it still waits for an answer, and the server has stopped"
