"""Export of traces to a collector by OTLP/HTTP in JSON, from a thread that no request waits for.

The format is version 1 of the OpenTelemetry protocol: https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding
"""

import asyncio
import logging
import os
import socket
import ssl
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from threading import Event, Thread
from typing import Any

import httpx
import orjson

from app import __version__
from app.observability import counters
from app.observability.availability import AvailabilityLogger
from app.observability.traces import QUERY_TEXT, Span, Trace, Value

log = logging.getLogger(__name__)

INTERVAL = 1.0
"""Seconds between two exports."""

BACKOFF = 5.0
"""Seconds until the next export after one that failed. A collector that comes and goes does not fill the log."""

MAX_BACKOFF = 300.0
"""Longest pause, in seconds, for which a collector may ask with Retry-After. It would lose traces meanwhile."""

MAX_WAITING_BYTES = 32_000_000
"""Most memory of the traces that wait for the export, as `estimate` counts it. Further traces are dropped."""

SPAN_BYTES = 1_500
"""Estimated memory of a span without its statements: the first one of a request has about ten attributes."""

BATCH_SPANS = 512
"""Number of spans from which a request to the collector is complete."""

REQUEST_SECONDS = 5.0
"""Longest wait for the collector to connect, and then for each part of its response."""

IDLE_SECONDS = 2.0
"""Time for which an idle connection is reused. Collectors wait longer, so none closes it during a request."""

CLOSE_SECONDS = 2.0
"""Longest time of the last export, when the server stops."""

MAX_ANSWER_BYTES = 65_536
"""Most bytes of a response that are read."""

MAX_MESSAGE = 500
"""Most characters of a text of the collector in the log."""

TRANSIENT = frozenset(
    {
        HTTPStatus.TOO_MANY_REQUESTS,
        HTTPStatus.BAD_GATEWAY,
        HTTPStatus.SERVICE_UNAVAILABLE,
        HTTPStatus.GATEWAY_TIMEOUT,
    }
)
"""Statuses after which the same traces are sent again, as the protocol requires."""

ERROR = 2
"""Status code of a failed span in OTLP."""

TRACES = "ostiary_traces_total"
EXPORTED, REFUSED, DROPPED = "exported", "refused", "dropped"
"""Values of the label `result`. The thread counts the first two and the event loop the last one: none loses a count."""

counters.declare(TRACES, result=(EXPORTED, REFUSED, DROPPED))


class _Unsuccessful(Exception):
    """A response of the collector with another status than 2xx, and the seconds that it asks to wait, 0 for none."""

    def __init__(self, status: int, wait: float) -> None:
        super().__init__(f"HTTP status {status}")
        self.status, self.wait = status, wait


class TraceExporter:
    """A queue of traces, and the thread that exports them.

    While the collector is away, traces wait until `MAX_WAITING_BYTES` are reached; the log has one line for its outage.
    A batch that the collector refuses, or whose export fails in another way, is lost. All traces that are lost are
    counted, and no error ends the thread.
    """

    def __init__(self, endpoint: str) -> None:
        self._endpoint = endpoint
        self._client: httpx.Client | None = None
        self._queue: deque[Trace] = deque()
        self._added = 0
        self._taken = 0
        self._stops = Event()
        self._availability = AvailabilityLogger(
            "the trace collector", log, down="takes no traces", up="takes traces again"
        )
        self._tells_rejections = True
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
        if self._added - self._taken >= MAX_WAITING_BYTES:
            counters.increment(TRACES, result=DROPPED)
            return
        self._added += estimate(trace)  # each of the two numbers is written by one thread only
        self._queue.append(trace)

    def _run(self) -> None:
        pause = INTERVAL
        while not self._stops.wait(pause):
            pause = self._export_waiting()
        self._export_waiting()
        if self._client is not None:
            self._client.close()

    def _export_waiting(self) -> float:
        """Export all batches until one fails, which is queued again if it may succeed later.

        Returns the seconds until the next export, which a collector may make longer.
        """
        while batch := self._take_batch():
            try:
                rejected = self._post(orjson.dumps(self._document(batch)))
            except Exception as error:  # else the thread would end, and nothing would tell
                self._availability.mark_down(error)
                if _is_transient(error):
                    self._put_back(batch)
                else:
                    counters.add(TRACES, len(batch), result=REFUSED)
                return _pause_after(error)
            self._availability.mark_up()
            refused = min(rejected, len(batch))  # the collector does not say to which traces these spans belong
            counters.add(TRACES, refused, result=REFUSED)
            counters.add(TRACES, len(batch) - refused, result=EXPORTED)
        return INTERVAL

    def _take_batch(self) -> list[Trace]:
        batch: list[Trace] = []
        spans = 0
        while self._queue and spans < BATCH_SPANS:
            batch.append(trace := self._queue.popleft())
            spans += len(trace.spans)
        self._taken += sum(map(estimate, batch))
        return batch

    def _put_back(self, batch: list[Trace]) -> None:
        self._queue.extendleft(reversed(batch))
        self._taken -= sum(map(estimate, batch))

    def _post(self, body: bytes) -> int:
        """Send one request and return the number of spans that the collector rejects; it accepts the others.

        Raises `_Unsuccessful` for another status than 2xx, and the errors of httpx.
        """
        if self._client is None:
            self._client = _client(self._endpoint)
        seconds = CLOSE_SECONDS / 2 if self._stops.is_set() else REQUEST_SECONDS
        with self._client.stream("POST", self._endpoint, content=body, timeout=seconds) as response:
            if not response.is_success:
                raise _Unsuccessful(response.status_code, _read_wait(response.headers.get("retry-after", "")))
            return self._read_rejected(_read_start(response))

    def _read_rejected(self, answer: bytes) -> int:
        """Return the number of rejected spans in a positive response, and log the first reason."""
        try:
            partial = orjson.loads(answer)["partialSuccess"]
            rejected, message = int(partial["rejectedSpans"]), str(partial.get("errorMessage", ""))[:MAX_MESSAGE]
        except (ValueError, LookupError, TypeError, AttributeError):
            return 0  # usually an empty object: nothing was rejected
        if rejected > 0 and self._tells_rejections:
            self._tells_rejections = False
            log.warning("the trace collector rejects spans, only the first rejection is logged: %s", message)
        return max(rejected, 0)

    def _document(self, batch: list[Trace]) -> dict[str, Any]:
        """Return the body of an export request."""
        scope = {"name": "ostiary", "version": __version__}
        spans = [_span(span) for trace in batch for span in trace.spans]
        return {
            "resourceSpans": [
                {"resource": {"attributes": self._resource}, "scopeSpans": [{"scope": scope, "spans": spans}]}
            ]
        }


def _client(endpoint: str) -> httpx.Client:
    """Return a client that keeps its connection, follows no redirect and uses no proxy of the environment."""
    if endpoint.startswith("https:"):
        context = httpx.create_ssl_context(trust_env=False)
        context.load_default_certs()  # an organization may run its own authority
    else:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # not used: all authorities take long to load
    return httpx.Client(
        headers={
            "Accept-Encoding": "identity",  # else a small answer could decompress to a huge one
            "Content-Type": "application/json",
            "User-Agent": f"ostiary/{__version__}",
        },
        verify=context,
        trust_env=False,
        follow_redirects=False,
        limits=httpx.Limits(max_connections=1, keepalive_expiry=IDLE_SECONDS),
    )


def _read_start(response: httpx.Response) -> bytes:
    body = bytearray()
    for chunk in response.iter_raw():
        body += chunk
        if len(body) > MAX_ANSWER_BYTES:
            break
    return bytes(body)


def _read_wait(text: str) -> float:
    """Return the seconds of a header Retry-After, a number or a date; 0 for any other text, and for the past."""
    try:
        if text.isascii() and text.isdigit():
            return float(text)
        return max(0.0, (parsedate_to_datetime(text) - datetime.now(UTC)).total_seconds())
    except (ValueError, TypeError):  # a date without a zone cannot be subtracted
        return 0.0


def _pause_after(error: Exception) -> float:
    """Return the seconds until the next export. The protocol asks clients to follow Retry-After."""
    wait = error.wait if isinstance(error, _Unsuccessful) else 0.0
    return max(BACKOFF, min(wait, MAX_BACKOFF))


def _is_transient(error: Exception) -> bool:
    """Return True if the collector has not got the request, or asks to send it again later."""
    if isinstance(error, _Unsuccessful):
        return error.status in TRANSIENT
    return isinstance(error, httpx.ConnectError | httpx.ConnectTimeout)


def estimate(trace: Trace) -> int:
    """Return about how many bytes a trace takes. Spans often share the text of their statements; it counts for each."""
    return sum(SPAN_BYTES + len(str(span.attributes.get(QUERY_TEXT, ""))) for span in trace.spans)


def _span(span: Span) -> dict[str, Any]:
    """Return a span in OTLP."""
    trace = span.trace
    fields: dict[str, Any] = {
        "traceId": trace.id,
        "spanId": span.id,
        "name": span.name,
        "kind": span.kind.value,
        "startTimeUnixNano": str(trace.epoch + span.began),
        "endTimeUnixNano": str(trace.epoch + span.ended),
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
