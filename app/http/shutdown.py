"""How the server ends: from the signal on it is not ready, and what its time does not suffice for is refused."""

import asyncio
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from time import monotonic
from types import FrameType

LAST_SECONDS = 2.0
"""How long requests that were cut off may take to undo what they began, before the database is closed."""

SIGNALS = (signal.SIGINT, signal.SIGTERM)


@contextmanager
def stop_on_hangup() -> Iterator[None]:
    """Let SIGHUP stop this process as SIGTERM does."""
    before = signal.signal(signal.SIGHUP, lambda *_: signal.raise_signal(signal.SIGTERM))
    try:
        yield
    finally:
        signal.signal(signal.SIGHUP, before)


@dataclass(slots=True)
class Shutdown:
    """Whether the end has begun."""

    is_requested: bool = False

    @contextmanager
    def on_signals(self) -> Iterator[None]:
        """Take note of the signals that end the server; those who handled them before go on to do so."""
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
    """Wait until nothing runs, but not for ever."""
    give_up = monotonic() + LAST_SECONDS
    while running() and monotonic() < give_up:  # noqa: ASYNC110 - an event would cost every request something
        await asyncio.sleep(0.01)
