"""Export of traces to a collector by OTLP/HTTP in JSON, from a thread that no request waits for.

The format is version 1 of the OpenTelemetry protocol: https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding
"""

import asyncio
import logging
import os
import socket
from collections import deque
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from threading import Event, Thread
from typing import Any
from urllib.parse import urlsplit

import orjson

from app import __version__
from app.observability import counters
from app.observability.availability import AvailabilityLogger
from app.observability.traces import Span, Trace, Value

log = logging.getLogger(__name__)

INTERVAL = 1.0
"""Seconds between two exports."""

BACKOFF = 5.0
"""Seconds until the next export after one that failed. A collector that comes and goes does not fill the log."""

MAX_WAITING = 20_000
"""Most spans that wait for the export. Traces beyond that are dropped: about 10 MB of memory."""

BATCH_SPANS = 512
"""Number of spans from which a request to the collector is complete."""

REQUEST_SECONDS = 5.0
"""Longest wait for the collector to connect, and then for each part of its response."""

CLOSE_SECONDS = 2.0
"""Longest time of the last export, when the server stops."""

OK = range(200, 300)
ERROR = 2
"""Status code of a failed span in OTLP."""

TRACES = "ostiary_traces_total"
EXPORTED, REFUSED, DROPPED = "exported", "refused", "dropped"
"""Values of the label `result`. The thread counts the first two and the event loop the last one: none loses a count."""

counters.declare(TRACES, result=(EXPORTED, REFUSED, DROPPED))


class TraceExporter:
    """A queue of traces, and the thread that exports them.

    A trace that the collector does not take is dropped and counted: a collector that is away costs no memory, and the
    log has one line for its outage.
    """

    def __init__(self, endpoint: str) -> None:
        self._url = urlsplit(endpoint)
        self._queue: deque[Trace] = deque()
        self._waiting = 0
        self._taken = 0
        self._stops = Event()
        self._availability = AvailabilityLogger("the trace collector", log)
        self._resource = _attributes(
            {
                "service.name": "ostiary",
                "service.version": __version__,
                "service.instance.id": f"{socket.gethostname()}:{os.getpid()}",
            }
        )
        self._thread = Thread(target=self._run, name="traces", daemon=True)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Export during the block. At its end, what waits has `CLOSE_SECONDS`; whatever is left then is lost."""
        self._thread.start()
        try:
            yield
        finally:
            self._stops.set()
            await asyncio.to_thread(self._thread.join, CLOSE_SECONDS)

    def add(self, trace: Trace) -> None:
        """Queue an ended trace, or drop it if too many wait. Called by the event loop, and never waits."""
        if self._waiting - self._taken >= MAX_WAITING:
            counters.increment(TRACES, result=DROPPED)
            return
        self._waiting += len(trace.spans)  # each of the two numbers is written by one thread only
        self._queue.append(trace)

    def _run(self) -> None:
        pause = INTERVAL
        while not self._stops.wait(pause):
            pause = INTERVAL if self._export_waiting() else BACKOFF
        self._export_waiting()

    def _export_waiting(self) -> bool:
        """Export all batches, or drop the first one that fails and return False."""
        for batch in self._batches():
            try:
                self._post(orjson.dumps(self._document(batch)))
            except (OSError, HTTPException) as error:
                self._availability.mark_down(error)
                counters.add(TRACES, len(batch), result=REFUSED)
                return False
            self._availability.mark_up()
            counters.add(TRACES, len(batch), result=EXPORTED)
        return True

    def _batches(self) -> Iterator[list[Trace]]:
        while self._queue:
            batch, spans = [], 0
            while self._queue and spans < BATCH_SPANS:
                batch.append(trace := self._queue.popleft())
                spans += len(trace.spans)
            self._taken += spans
            yield batch

    def _post(self, body: bytes) -> None:
        """Send one request. Raises OSError or HTTPException if the collector does not take it."""
        kind = HTTPSConnection if self._url.scheme == "https" else HTTPConnection
        seconds = CLOSE_SECONDS / 2 if self._stops.is_set() else REQUEST_SECONDS
        connection = kind(self._url.hostname or "", self._url.port, timeout=seconds)
        try:
            connection.request("POST", self._url.path, body, {"Content-Type": "application/json"})
            response = connection.getresponse()
            if response.status not in OK:
                raise HTTPException(f"HTTP status {response.status}")
        finally:
            connection.close()

    def _document(self, batch: list[Trace]) -> dict[str, Any]:
        """Return the body of an export request."""
        scope = {"name": "ostiary", "version": __version__}
        spans = [_span(span) for trace in batch for span in trace.spans]
        return {
            "resourceSpans": [
                {"resource": {"attributes": self._resource}, "scopeSpans": [{"scope": scope, "spans": spans}]}
            ]
        }


def _span(span: Span) -> dict[str, Any]:
    """Return a span in OTLP. One that has not ended with its request, ends with it."""
    trace = span.trace
    ended = span.ended or trace.spans[0].ended
    fields: dict[str, Any] = {
        "traceId": trace.id,
        "spanId": span.id,
        "name": span.name,
        "kind": span.kind.value,
        "startTimeUnixNano": str(trace.epoch + span.began),
        "endTimeUnixNano": str(trace.epoch + ended),
        "attributes": _attributes(span.attributes),
        "status": {"code": ERROR} if span.is_error else {},
    }
    if span.parent_id:
        fields["parentSpanId"] = span.parent_id
    return fields


def _attributes(attributes: dict[str, Value]) -> list[dict[str, Any]]:
    return [{"key": name, "value": _value(value)} for name, value in attributes.items()]


def _value(value: Value) -> dict[str, Any]:
    match value:
        case bool():
            return {"boolValue": value}
        case int():
            return {"intValue": str(value)}
        case float():
            return {"doubleValue": value}
        case str():
            return {"stringValue": value}
    return {"arrayValue": {"values": [{"stringValue": each} for each in value]}}
