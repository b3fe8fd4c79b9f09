"""Division of long work into chunks, between which the event loop runs other tasks."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from time import perf_counter
from typing import TypeVar

T = TypeVar("T")

SLICE = 0.004
"""Seconds of work after which the event loop runs other tasks."""


class LoopYield:
    """An async callable for the end of each chunk; it yields to the event loop once the slice is used up."""

    __slots__ = ("_until",)

    def __init__(self) -> None:
        self._until = perf_counter() + SLICE

    async def __call__(self) -> None:
        if perf_counter() > self._until:
            await asyncio.sleep(0)
            self._until = perf_counter() + SLICE


async def chunks(items: Sequence[T], size: int) -> AsyncIterator[Sequence[T]]:
    """Yield the items in chunks of `size`."""
    if len(items) <= size:
        if items:
            yield items
        return
    pause = LoopYield()
    for at in range(0, len(items), size):
        yield items[at : at + size]
        await pause()
