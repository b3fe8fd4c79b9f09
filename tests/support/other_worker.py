"""Changes by another worker: once, or again and again while a test asks."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from itertools import count
from random import Random
from typing import Any

import pytest

from app import db


async def change_rows(database: db.Database, *written: Any) -> None:
    """Execute statements in one transaction, as another worker does."""
    async with database.write() as tx:
        for statement in written:
            await tx.rows(statement)


@asynccontextmanager
async def keep_changing(database: db.Database, change: Callable[[int], Sequence[Any]]) -> AsyncIterator[list[int]]:
    """Execute the statements of `change(0)`, `change(1)` and so on until the block ends, each in one transaction.

    Returns the growing list of the numbers of these changes, after the first one. After some of them nothing changes
    for a while.
    """
    changed, has_begun, random = list[int](), asyncio.Event(), Random(0)

    async def change_forever() -> None:
        for number in count():
            await change_rows(database, *change(number))
            changed.append(number)
            has_begun.set()
            await asyncio.sleep(random.random() * 0.004 if number % 7 else 0.05)

    task = asyncio.create_task(change_forever())
    await has_begun.wait()
    yield changed
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
