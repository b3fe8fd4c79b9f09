"""Statistics of the current request, from which its log line and its metrics are made.

They hold no content of the request: no literal path, no query string, no body, no variable, no token.
"""

from collections.abc import Awaitable, Callable, MutableMapping
from contextvars import ContextVar
from typing import Any

from app.observability.traces import Trace


class RequestStats:
    """The values of one request. Defaults are class attributes, since every request creates one of these.

    `path` is a route template, `kind` is query or mutation, `viewer` a user id, and `codes` has one error code for each
    error. `executor` is compiled or reference; `reason` says why the reference executor ran the operation.
    `committed_changes` counts the committed changes of this request; `after_commit` is called after each of them.
    """

    api: str = "other"
    path: str = ""
    kind: str = "none"
    operation: str | None = None
    viewer: int | None = None
    statements: int = 0
    executor: str = ""
    reason: str = ""
    committed_changes: int = 0
    after_commit: Callable[[], None] | None = None
    credential: str = ""
    """Kind of credential for the sign-in log, if the token does not say it: a refresh."""
    address: str | None = None
    """IP address of the client."""
    traceparent: str = ""
    """Valid `traceparent` header of the request (W3C Trace Context); of its trace, if it has one. Else empty."""
    trace: Trace | None = None
    """The spans of this request, if it is sampled and traces are exported."""
    is_unsampled: bool = False
    """True if traces are exported and this request has none: servers that it calls shall not begin one."""
    position: Any = None
    """Position of the database's log that a read replica must have replayed before it answers this request."""
    receive: Callable[[], Awaitable[MutableMapping[str, Any]]] | None = None
    """ASGI receive. After the body, its next message is the end of the connection."""

    def __init__(self, request_id: str, method: str) -> None:
        self.request_id = request_id
        self.method = method
        self.codes: list[str] = []

    def note_commit(self) -> None:
        """Count a committed change of this request and call `after_commit`."""
        self.committed_changes += 1
        if self.after_commit is not None:
            self.after_commit()

    def forget_operation(self) -> None:
        """Forget what was noted about the operation of this request, which is read again."""
        for name in ("kind", "operation", "executor", "reason"):
            self.__dict__.pop(name, None)


CURRENT: ContextVar[RequestStats | None] = ContextVar("request_stats", default=None)


def current_request() -> RequestStats:
    """Return the statistics of the current request; outside of a request, a new object that is read by nothing."""
    return CURRENT.get() or RequestStats("", "")
