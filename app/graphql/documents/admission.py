"""Admission of new documents: a queue that limits the share of a worker that validation takes."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from math import ceil
from time import monotonic

from app.domain.errors import RateLimited
from app.graphql.documents.cache import Invalid
from app.graphql.documents.charges import Charge

MAX_WAITING = 32
MIN_CHARGE = 0.001
"""Seconds that each new document is charged at least, for the handling of its request."""


@dataclass(frozen=True, slots=True)
class AdmissionPolicy:
    """The shares of a worker for valid and for invalid documents, and the seconds of computing in a burst."""

    share: float
    share_of_invalid: float
    allowance: float


ANONYMOUS = AdmissionPolicy(share=1 / 16, share_of_invalid=1 / 16, allowance=0.1)
SIGNED_IN = AdmissionPolicy(share=1 / 4, share_of_invalid=1 / 16, allowance=0.25)


class AdmissionQueue:
    """A queue that processes one new document at a time. Cached documents bypass it.

    Each document is charged its seconds of computing divided by the share: with a share of 1/16, one second blocks the
    queue for sixteen seconds. Its own request is answered at once; later requests wait when the allowance is used up.
    So a page with twenty new documents does not wait, and a flood takes no more than the share.
    """

    def __init__(
        self,
        clock: Callable[[], float] = monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        policy: AdmissionPolicy = ANONYMOUS,
    ) -> None:
        self._clock, self._sleep, self._policy = clock, sleep, policy
        self._lock = asyncio.Lock()
        self._waiting = 0
        self._free_at = clock() - self._max_credit

    @property
    def _max_credit(self) -> float:
        """Seconds that an idle queue may be ahead of the clock: the time in which it earns the allowance."""
        return self._policy.allowance / self._policy.share

    @asynccontextmanager
    async def slot(self) -> AsyncIterator[Charge]:
        """Wait for the queue, and charge the block; raises RateLimited when too many requests wait."""
        if self._waiting >= MAX_WAITING:
            seconds = max(1, ceil(self._free_at - self._clock()))
            raise RateLimited("Too many new documents wait for validation. Try again in a moment.", seconds)
        self._waiting += 1
        try:
            async with self._lock:
                while (rest := self._free_at - self._clock()) > 0:
                    await self._sleep(rest)
                charge, share = Charge(), self._policy.share
                try:
                    yield charge
                except Invalid:
                    share = self._policy.share_of_invalid
                    raise
                finally:
                    spent = max(charge.seconds, MIN_CHARGE)
                    self._free_at = max(self._free_at, self._clock() - self._max_credit) + spent / share
        finally:
            self._waiting -= 1
