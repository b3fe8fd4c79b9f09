"""Work over many things in pieces, between which the event loop gives others their turns."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from time import perf_counter
from typing import TypeVar

T = TypeVar("T")

SLICE = 0.004
"""Seconds of work after which others have their turns."""


class LoopYield:
    """Called after each piece of work; lets others have their turns when their time has come."""

    __slots__ = ("_until",)

    def __init__(self) -> None:
        self._until = perf_counter() + SLICE

    async def __call__(self) -> None:
        if perf_counter() > self._until:
            await asyncio.sleep(0)
            self._until = perf_counter() + SLICE


async def chunks(things: Sequence[T], size: int) -> AsyncIterator[Sequence[T]]:
    """So many things at a time."""
    if len(things) <= size:
        if things:
            yield things
        return
    pause = LoopYield()
    for at in range(0, len(things), size):
        yield things[at : at + size]
        await pause()
