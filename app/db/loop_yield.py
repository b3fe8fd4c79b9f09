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


class Turns:
    """An async context for each piece of the work that concurrent tasks of one request do without waiting.

    One piece runs at a time, and the event loop runs other tasks once the slice is used up. Without it, all tasks
    that are ready run before the loop looks at connections.
    """

    __slots__ = ("_lock", "_pause")

    def __init__(self) -> None:
        self._lock, self._pause = asyncio.Lock(), LoopYield()

    async def __aenter__(self) -> None:
        await self._lock.acquire()

    async def __aexit__(self, *_: object) -> None:
        try:
            await self._pause()
        finally:
            self._lock.release()


def chunks(items: Sequence[T], size: int) -> AsyncIterator[Sequence[T]]:
    """Yield the items in chunks of `size`."""
    return _OneChunk(items) if len(items) <= size else _chunks(items, size)


class _OneChunk(AsyncIterator[Sequence[T]]):
    """An iterator over few items: most changes have some of these, and the loop keeps a record of each generator."""

    __slots__ = ("_items",)

    def __init__(self, items: Sequence[T]) -> None:
        self._items = items

    async def __anext__(self) -> Sequence[T]:
        items, self._items = self._items, ()
        if not items:
            raise StopAsyncIteration
        return items


async def _chunks(items: Sequence[T], size: int) -> AsyncIterator[Sequence[T]]:
    pause = LoopYield()
    for at in range(0, len(items), size):
        yield items[at : at + size]
        await pause()
