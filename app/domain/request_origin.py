"""The origin of the current request, in a context variable: services and policies read it without a parameter."""

from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class RequestOrigin:
    """The API of a request (`GRAPHQL`, `REST` or `COMMAND`), the client's address and the request id.

    `is_direct_local` returns whether a process of this machine sent the request without a proxy (`http.locality`).
    """

    api: str
    address: str | None = None
    request_id: str | None = None
    is_direct_local: Callable[[], bool] = field(default=lambda: False, compare=False)


COMMAND = RequestOrigin("COMMAND", is_direct_local=lambda: True)
"""The origin of commands on the server's own machine."""

current_origin: ContextVar[RequestOrigin] = ContextVar("origin", default=COMMAND)
