"""From where something is asked: kept beside the request, for what happens far below the face that was asked."""

from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class RequestOrigin:
    """Which face was asked (`GRAPHQL`, `REST` or `COMMAND`), from which address, in which request.

    `is_direct_local` finds out whether a process of this machine sent the request itself (`web.locality`).
    """

    api: str
    address: str | None = None
    request_id: str | None = None
    is_direct_local: Callable[[], bool] = field(default=lambda: False, compare=False)


COMMAND = RequestOrigin("COMMAND", is_direct_local=lambda: True)
"""The command line of the machine itself."""

current_origin: ContextVar[RequestOrigin] = ContextVar("origin", default=COMMAND)
