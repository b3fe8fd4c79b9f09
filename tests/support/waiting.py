"""Waiting for what other tasks and threads do: a fixed pause is too short on a busy machine."""

import asyncio
from collections.abc import Callable

SECONDS = 60.0
"""Longest wait; a condition that holds at all does so much earlier."""

INTERVAL = 0.005


async def until(is_so: Callable[[], object]) -> None:
    """Wait until a condition holds; raise TimeoutError if it does not."""
    async with asyncio.timeout(SECONDS):
        while not is_so():  # noqa: ASYNC110 - no event tells of any condition
            await asyncio.sleep(INTERVAL)
