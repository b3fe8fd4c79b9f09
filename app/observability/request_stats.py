"""What is known of the request that is being answered: its line in the log and the counters are made from it.

Nothing of what was sent is kept but names that a request has in any case: no path as it came, no query string, no
body, no variable, no token.
"""

from collections.abc import Awaitable, Callable, MutableMapping
from contextvars import ContextVar
from typing import Any


class RequestStats:
    """`path` is a template; `kind` is query or mutation; `viewer` is a user's id, `codes` those of what was refused.

    `executor` is the one that ran a GraphQL operation, `reason` why it was the reference executor. `made` counts the
    changes of this request that are committed; `after_commit` is called after each of them. What is not said yet
    stands in the class: each request has one of these.
    """

    api: str = "other"
    path: str = ""
    kind: str = "none"
    operation: str | None = None
    viewer: int | None = None
    statements: int = 0
    executor: str = ""
    reason: str = ""
    change_made: int = 0
    after_commit: Callable[[], None] | None = None
    credential: str = ""
    """What a token is presented for, if for more than to say who asks: a refresh."""
    address: str | None = None
    """From where the request comes."""
    receive: Callable[[], Awaitable[MutableMapping[str, Any]]] | None = None
    """Waits for the next ASGI message; once the body was received, that is the end of the connection."""

    def __init__(self, request_id: str, method: str) -> None:
        self.request_id = request_id
        self.method = method
        self.codes: list[str] = []

    def note_commit(self) -> None:
        """Note that a change of this request is committed."""
        self.change_made += 1
        if self.after_commit is not None:
            self.after_commit()


CURRENT: ContextVar[RequestStats | None] = ContextVar("facts", default=None)


def current_request() -> RequestStats:
    """The facts of the request that is being answered; elsewhere, some that nobody reads."""
    return CURRENT.get() or RequestStats("", "")
