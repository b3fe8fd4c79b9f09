"""The graceful stop: after the signal the worker is not ready, and unfinished requests get a 503 response."""

import asyncio
import logging
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from time import monotonic
from types import FrameType

from starlette.types import ASGIApp, Message, Receive, Scope, Send

log = logging.getLogger(__name__)

LAST_SECONDS = 2.0
"""Seconds for cancelled requests to roll back before the database is closed."""

SIGNALS = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def stop_on_hangup() -> Iterator[None]:
    """Handle SIGHUP as SIGTERM."""
    before = signal.signal(signal.SIGHUP, lambda *_: signal.raise_signal(signal.SIGTERM))
    try:
        yield
    finally:
        signal.signal(signal.SIGHUP, before)


async def run_lifespan(app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
    """Run an application until the server stops. If a second signal ends it at once, one line says so.

    Starlette would send a trace of the cancellation, as of a fault.
    """

    async def send_unless_cancelled(message: Message) -> None:
        is_cancelled = isinstance(sys.exception(), asyncio.CancelledError)
        if message["type"] == "lifespan.shutdown.failed" and is_cancelled:
            message = {"type": "lifespan.shutdown.complete"}
        await send(message)

    try:
        await app(scope, receive, send_unless_cancelled)
    except asyncio.CancelledError:
        log.warning("stopped at once: another signal came before the end of the stop")


@dataclass(slots=True)
class Shutdown:
    """The state of the graceful stop. `is_requested` is true from the first signal on."""

    is_requested: bool = False

    @contextmanager
    def on_signals(self) -> Iterator[None]:
        """Set `is_requested` on SIGINT and SIGTERM, then call the previous handler."""
        before = {number: signal.getsignal(number) for number in SIGNALS}

        def note(number: int, frame: FrameType | None) -> None:
            self.is_requested = True
            handler = before[signal.Signals(number)]
            if callable(handler):
                handler(number, frame)

        for number in SIGNALS:
            signal.signal(number, note)
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


async def wait_idle(running: Callable[[], int]) -> None:
    """Wait until `running` returns 0, for at most `LAST_SECONDS`."""
    deadline = monotonic() + LAST_SECONDS
    while running() and monotonic() < deadline:  # noqa: ASYNC110 - an event would slow every request
        await asyncio.sleep(0.01)
