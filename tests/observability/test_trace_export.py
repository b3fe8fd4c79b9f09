"""Claims about the export of traces: in batches, by a thread, and never to the cost of a request."""

import json
import logging
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
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
        self.received: list[tuple[str, str | None, dict[str, Any]]] = []

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/v1/traces"


class _Handler(BaseHTTPRequestHandler):
    server: Collector

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        self.server.received.append((self.path, self.headers["content-type"], body))
        self.send_response(self.server.status)
        self.end_headers()

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
    limit = monotonic() + 10
    while not is_true():
        assert monotonic() < limit
        sleep(0.005)


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

    ids = [
        span["spanId"] for *_, body in collector.received for span in body["resourceSpans"][0]["scopeSpans"][0]["spans"]
    ]
    assert ids == [span.id for each in made for span in each.spans]
    assert len(collector.received) == 8


async def test_a_collector_that_fails_is_logged_once_and_its_traces_are_dropped(
    collector: Collector, caplog: pytest.LogCaptureFixture
) -> None:
    exporter = TraceExporter(collector.address)
    collector.status = 503
    with caplog.at_level(logging.WARNING, trace_export.__name__):
        async with exporter.running():
            for _ in range(3):
                with counted(REFUSED, 1):
                    exporter.add(trace())
            collector.status = 200
            with counted(EXPORTED, 1):
                exporter.add(trace())

    assert [record.message for record in caplog.records] == [
        "the trace collector does not answer: HTTP status 503",
        "the trace collector answers again",
    ]


def test_the_queue_has_a_limit_and_nobody_waits_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trace_export, "MAX_WAITING", 10)
    exporter = TraceExporter("http://127.0.0.1:9/v1/traces")  # its thread does not run, as with a collector that hangs
    with counted(DROPPED, 15):
        for _ in range(20):
            exporter.add(trace(2))


async def test_the_stop_of_the_server_waits_a_limited_time_for_a_collector_that_hangs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(trace_export, "CLOSE_SECONDS", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        exporter = TraceExporter(f"http://127.0.0.1:{silent.getsockname()[1]}/v1/traces")
        began = monotonic()
        async with exporter.running():
            exporter.add(trace())

    assert monotonic() - began < 5
