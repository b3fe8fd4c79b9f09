"""Waits that survive a cancellation: for a commit that has begun, for a statement in a thread, and for a task."""

import asyncio
from collections.abc import Callable
from typing import Any, TypeVar

T = TypeVar("T")


async def outlast(waiter: Callable[[], asyncio.Future[T]], *, is_answer: bool = False) -> T:
    """Return the result of an operation that cannot be undone, even if the task is cancelled meanwhile.

    `waiter` returns a new future for the result on each call, since a cancellation also cancels the future. A
    cancellation is raised at the next await of the task, unless `is_answer`: then the task goes on and responds.
    """
    is_cancelled = False
    while True:
        future = waiter()
        try:
            result = await future
            break
        except asyncio.CancelledError:
            if future.done() and not future.cancelled():  # the result and the cancellation coincide
                is_cancelled, result = True, future.result()
                break
            is_cancelled = True
    if is_cancelled and not is_answer:
        _cancel_again()
    return result


async def outlast_task(task: asyncio.Task[T], *, is_answer: bool = False) -> T:
    """Return the result of a task that runs independently of its waiter, as `outlast` does."""

    def waiter() -> asyncio.Future[T]:
        if task.cancelled():
            raise asyncio.CancelledError
        return asyncio.shield(task)

    return await outlast(waiter, is_answer=is_answer)


async def end_first(future: asyncio.Future[Any]) -> None:
    """Wait until a future is done; a cancellation during the wait is raised afterwards."""
    error: asyncio.CancelledError | None = None
    while not future.done():
        try:
            await asyncio.wait([future])
        except asyncio.CancelledError as cancelled:
            error = cancelled
    if error is not None:
        raise error


async def cancel_and_wait(task: asyncio.Task[Any]) -> None:
    """Cancel a task and wait for its end, so that nothing of it runs beside what follows."""
    task.cancel()
    await end_first(task)


def _cancel_again() -> None:
    """Cancel the current task at its next await, so that it counts as one cancellation."""
    task = asyncio.current_task()
    assert task is not None
    task.uncancel()
    task.cancel()
