"""Waits that a cancellation does not end: for a commit that has begun, and for a statement that runs in a thread."""

import asyncio
from collections.abc import Callable
from typing import Any, TypeVar

T = TypeVar("T")


async def outlast(waiter: Callable[[], asyncio.Future[T]], *, is_answer: bool = False) -> T:
    """Return the result of what cannot be undone any more, even where the task is cancelled meanwhile.

    `waiter` returns a future that ends with it, a new one for each call: a cancellation ends the future, too. The task
    is cancelled at its next wait then, unless the result `is_answer`: whoever is to be told it goes on to do so.
    """
    is_cut = False
    while True:
        future = waiter()
        try:
            found = await future
            break
        except asyncio.CancelledError:
            if future.done() and not future.cancelled():  # both came at one moment
                is_cut, found = True, future.result()
                break
            is_cut = True
    if is_cut and not is_answer:
        _cancel_again()
    return found


async def outlast_task(task: asyncio.Task[T], *, is_answer: bool = False) -> T:
    """Do the same with a task, which goes on by itself; only the end of the loop cancels it."""

    def waiter() -> asyncio.Future[T]:
        if task.cancelled():
            raise asyncio.CancelledError
        return asyncio.shield(task)

    return await outlast(waiter, is_answer=is_answer)


async def end_first(future: asyncio.Future[Any]) -> None:
    """Wait for the end of what cannot be stopped; a cancellation that came meanwhile is raised after that."""
    error: asyncio.CancelledError | None = None
    while not future.done():
        try:
            await asyncio.wait([future])
        except asyncio.CancelledError as cancelled:
            error = cancelled
    if error is not None:
        raise error


def _cancel_again() -> None:
    """Cancel the task that runs, at its next wait, and count that once."""
    task = asyncio.current_task()
    assert task is not None
    task.uncancel()
    task.cancel()
