"""Traces of requests: one tree of spans for each sampled request, in the terms of OpenTelemetry.

They hold no content of a request: no literal path, no query string, no body, no value of a variable, no token. Without
`TracesEndpoint` no request has a trace, and `span` is called at work that takes long anyway.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from enum import IntEnum
from random import SystemRandom
from time import perf_counter_ns, time_ns
from typing import Final

Value = str | int | float | bool | list[str]
"""A value of an attribute."""

QUERY_TEXT = "db.query.text"
"""Attribute with the statements of a span."""

SAMPLED = 1
"""Flag of traceparent: the caller records the trace."""

MAX_SPANS = 1_000
"""Most spans of one request. The first span says how many more there were."""

RATIO_BITS = 56
"""Random bits of a trace id, at its end, that decide about its sampling (W3C Trace Context Level 2)."""

_ids = SystemRandom()


class Kind(IntEnum):
    """Kinds of spans, by their numbers in OTLP."""

    INTERNAL = 1
    SERVER = 2
    CLIENT = 3


class Trace:
    """The spans of one request. `spans[0]` is the request itself, and the only one whose parent is outside."""

    __slots__ = ("dropped", "epoch", "id", "is_open", "spans")

    def __init__(self, trace_id: str, parent_id: str, name: str) -> None:
        self.id = trace_id
        self.epoch: Final = time_ns() - perf_counter_ns()
        """Nanoseconds from 1970 to the zero of `perf_counter_ns`. The clock may be set while a request runs."""
        self.is_open = True
        self.dropped = 0
        self.spans: list[Span] = []
        self.spans.append(Span(self, parent_id, name, Kind.SERVER))

    def end(self) -> None:
        """End the request and its open spans. Work that goes on, such as a delayed write, changes the trace no more."""
        if self.dropped:
            self.spans[0].attributes["ostiary.spans.dropped"] = self.dropped
        self.is_open = False
        now = perf_counter_ns()
        for each in self.spans:
            each.ended = each.ended or now


class Span:
    """One piece of work; `began` and `ended` are of `perf_counter_ns`, and `ended` is 0 until the end."""

    __slots__ = ("attributes", "began", "ended", "id", "is_error", "kind", "name", "parent_id", "trace")

    def __init__(self, trace: Trace, parent_id: str, name: str, kind: Kind) -> None:
        self.trace, self.parent_id, self.name, self.kind = trace, parent_id, name, kind
        self.id = f"{_ids.getrandbits(64) or 1:016x}"
        self.attributes: dict[str, Value] = {}
        self.is_error = False
        self.ended = 0
        self.began = perf_counter_ns()

    @property
    def traceparent(self) -> str:
        """The header for servers that this work calls."""
        return f"00-{self.trace.id}-{self.id}-{SAMPLED:02x}"

    def end(self, error: BaseException | None = None, *, is_expected: bool = False) -> None:
        """End the work, unless its request has ended. Of an error only its class is kept: its text may be a client's.

        An expected error is an ordinary outcome, and the span has not failed.
        """
        if not self.trace.is_open:
            return
        self.ended = perf_counter_ns()
        if error is not None:
            self.is_error = not is_expected
            self.attributes["error.type"] = type(error).__name__


CURRENT: ContextVar[Span | None] = ContextVar("span", default=None)
"""The span whose work runs now."""


def begin(name: str, kind: Kind, attributes: Mapping[str, Value] | None = None) -> Span | None:
    """Begin a span below the current one; None if this request has no trace. Its caller ends it."""
    parent = CURRENT.get()
    if parent is None or not (trace := parent.trace).is_open:
        return None
    if len(trace.spans) >= MAX_SPANS:
        trace.dropped += 1
        return None
    span = Span(trace, parent.id, name, kind)
    if attributes:
        span.attributes |= attributes
    trace.spans.append(span)
    return span


@contextmanager
def span(
    name: str,
    kind: Kind = Kind.INTERNAL,
    attributes: Mapping[str, Value] | None = None,
    *,
    expected: type[BaseException] | tuple[type[BaseException], ...] = (),
) -> Iterator[None]:
    """Record the block as a span below the current one, if this request has a trace.

    Errors of the classes `expected` are ordinary outcomes of the block: refusals, for which it has not failed.
    """
    current = begin(name, kind, attributes)
    if current is None:
        yield
        return
    token = CURRENT.set(current)
    try:
        yield
    except BaseException as error:
        current.end(error, is_expected=isinstance(error, expected))
        raise
    else:
        current.end()
    finally:
        CURRENT.reset(token)


def start(traceparent: str, ratio: float, name: str) -> Trace | None:
    """Return the trace of a request, or None if it is not sampled.

    A valid `traceparent` decides by its flag. If it is empty, a share `ratio` of the requests is sampled: those with
    the highest random bits, as in OpenTelemetry, so that all servers choose the same traces.
    """
    if traceparent:
        _, trace_id, parent_id, flags = traceparent.split("-")
        return Trace(trace_id, parent_id, name) if int(flags, 16) & SAMPLED else None
    number = _ids.getrandbits(128) or 1
    if number % (1 << RATIO_BITS) < (1 - ratio) * (1 << RATIO_BITS):
        return None
    return Trace(f"{number:032x}", "", name)


def unsampled() -> str:
    """Return a new header for servers that a request calls which is not sampled: they sample it neither."""
    return f"00-{_ids.getrandbits(128) or 1:032x}-{_ids.getrandbits(64) or 1:016x}-00"
