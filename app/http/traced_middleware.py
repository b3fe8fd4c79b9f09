"""The outermost middleware of a server that exports traces: it adds the span of the request itself."""

from collections.abc import Callable

from starlette.types import ASGIApp, Scope

from app.http.middleware import OTHER, UNEXPECTED, RequestLog, RequestMiddleware
from app.observability import traces
from app.observability.request_stats import RequestStats
from app.observability.traces import Trace, Value

MAX_NAME = 100
"""Most characters of the operation name that a client has chosen, in the name of a span."""

UNTRACED = frozenset({"/health/live", "/health/ready", "/metrics"})
"""Paths that other programs ask every few seconds."""

SERVER_ERROR = 500


class TracedRequestMiddleware(RequestMiddleware):
    """Middleware that passes the trace of each sampled request to `export` when the response is sent."""

    def __init__(self, app: ASGIApp, log: RequestLog, export: Callable[[Trace], None], ratio: float) -> None:
        super().__init__(app, log)
        self._export, self._ratio = export, ratio

    def _begin(self, scope: Scope) -> RequestStats:
        stats = super()._begin(scope)
        trace = None
        if scope["path"].removeprefix(scope.get("root_path", "")) not in UNTRACED:
            trace = traces.start(stats.traceparent, self._ratio, stats.method)
        stats.is_unsampled = trace is None
        if trace is not None:
            stats.trace, stats.traceparent = trace, trace.spans[0].traceparent
            trace.spans[0].attributes |= {"url.scheme": scope["scheme"], "ostiary.request.id": stats.request_id}
        traces.CURRENT.set(None if trace is None else trace.spans[0])
        return stats

    def _end(self, stats: RequestStats, status: int, milliseconds: float) -> None:
        super()._end(stats, status, milliseconds)
        if (trace := stats.trace) is not None:
            traces.CURRENT.set(None)
            describe(trace, stats, status)
            trace.end()
            self._export(trace)


def describe(trace: Trace, stats: RequestStats, status: int) -> None:
    """Set the name, the attributes and the status of the span of a request, which are known at its end."""
    span, codes = trace.spans[0], list(dict.fromkeys(stats.codes))
    method = "_OTHER" if stats.method == OTHER else stats.method
    name, attributes = f"{'HTTP' if stats.method == OTHER else method} {stats.path}".rstrip(), span.attributes
    attributes |= {"http.request.method": method, "ostiary.api": stats.api, "ostiary.statements": stats.statements}
    optional: dict[str, Value] = {
        "http.response.status_code": status,
        "http.route": stats.path,
        "ostiary.executor": stats.executor,
        "ostiary.executor.reason": stats.reason,
        "ostiary.error.codes": codes,
    }
    attributes |= {key: value for key, value in optional.items() if value}
    if stats.api == "graphql" and stats.kind != "none":
        name = f"{stats.kind} {stats.operation or ''}".rstrip()[:MAX_NAME]
        attributes["graphql.operation.type"] = stats.kind
        if stats.operation:
            attributes["graphql.operation.name"] = stats.operation[:MAX_NAME]
    span.name, span.is_error = name, status >= SERVER_ERROR or status == 0 or UNEXPECTED in codes
    if span.is_error:
        attributes["error.type"] = _error_type(status, codes)


def _error_type(status: int, codes: list[str]) -> str:
    """Return the kind of the error of a failed request; status 0 is a request that ended before its response."""
    if UNEXPECTED in codes:
        return UNEXPECTED
    if codes:
        return codes[0]
    return str(status) if status else "cancelled"
