"""How much of a worker goes to documents that nobody knows yet: a queue that charges what each one computes."""

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
LEAST_CHARGE = 0.001
"""Seconds that every new document is charged: to take the request and to answer it costs something too."""


@dataclass(frozen=True, slots=True)
class AdmissionPolicy:
    """Which shares of a worker valid and refused documents may take, and how many seconds of it are free at first."""

    share: float
    share_of_refused: float
    allowance: float


ANONYMOUS = AdmissionPolicy(share=1 / 16, share_of_refused=1 / 16, allowance=0.1)
SIGNED_IN = AdmissionPolicy(share=1 / 4, share_of_refused=1 / 16, allowance=0.25)


class AdmissionQueue:
    """One document after another. Whoever is known already does not come here, and so does not wait for others.

    A document that took a second takes the queue's share of sixteen seconds, say: its sender is answered at once, and
    the next document waits, unless less than the allowance was taken lately. So a page that opens with twenty new
    documents does not wait, and a flood of them takes its share and no more, however many send it.
    """

    def __init__(
        self,
        clock: Callable[[], float] = monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        terms: AdmissionPolicy = ANONYMOUS,
    ) -> None:
        self._clock, self._sleep, self._terms = clock, sleep, terms
        self._lock = asyncio.Lock()
        self._waiting = 0
        self._free_at = clock() - self._saved

    @property
    def _saved(self) -> float:
        """How many seconds a queue that rests may be ahead of the clock: in that time it earns the allowance."""
        return self._terms.allowance / self._terms.share

    @asynccontextmanager
    async def slot(self) -> AsyncIterator[Charge]:
        """The queue for oneself, with what is to be charged; raises RateLimited when too many wait for it."""
        if self._waiting >= MAX_WAITING:
            seconds = max(1, ceil(self._free_at - self._clock()))
            raise RateLimited("Too many new documents are being looked at. Try again in a moment.", seconds)
        self._waiting += 1
        try:
            async with self._lock:
                while (rest := self._free_at - self._clock()) > 0:
                    await self._sleep(rest)
                charge, share = Charge(), self._terms.share
                try:
                    yield charge
                except Invalid:
                    share = self._terms.share_of_refused
                    raise
                finally:
                    spent = max(charge.seconds, LEAST_CHARGE)
                    self._free_at = max(self._free_at, self._clock() - self._saved) + spent / share
        finally:
            self._waiting -= 1
