"""Passwords of new users: many are hashed one after the other, and hashes of other systems are checked.

Hashing waits in the same queue as sign-ins, with a turn for each password, so that others are answered meanwhile.
"""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial

from app import policy
from app.domain.errors import InvalidInput, Problem
from app.domain.viewer import Permission, Viewer
from app.security import imported_hashes, passwords
from app.security.fair_queue import QueueFull, run_while_connected
from app.services import password_changes, retries, validation
from app.services.app_context import AppContext
from app.services.login_throttle import viewer_as_caller

HASHES_AT_ONCE = 2


@dataclass(frozen=True, slots=True)
class NewPassword:
    """A password, a hash of another system, or neither; and the path of the user in the input."""

    path: tuple[str | int, ...]
    password: str | None = field(default=None, repr=False)
    imported: str | None = field(default=None, repr=False)


async def hash_new_passwords(
    app: AppContext, viewer: Viewer, new: Sequence[NewPassword], *, dry_run: bool = False
) -> list[str | None]:
    """Return the hash of each new password, None for none; needs USERS_MANAGE.

    Raise Problems with the problems of all passwords. A dry run hashes nothing. Stops when the client disconnects.
    """
    policy.require(viewer, Permission.USERS_MANAGE)
    policy.require_local_accounts(viewer)
    validation.raise_problems([problem.under(*each.path) for each in new for problem in _problems(app, each)])
    hashes = [None if each.imported is None else imported_hashes.normalize(each.imported) for each in new]
    texts = {at: each.password for at, each in enumerate(new) if each.password is not None}
    if dry_run or not texts:
        return hashes
    # The second attempt of a change needs other hashes only if other users are new then.
    key = "hashes", tuple(new[at].path for at in texts)
    return await retries.run_once(key, partial(_hash_all, app, texts, hashes))


def _problems(app: AppContext, new: NewPassword) -> Iterator[Problem]:
    if new.imported is not None:
        if new.password is not None:
            yield InvalidInput("Set `password` or `passwordHash`, not both.", ("passwordHash",))
        if (reason := imported_hashes.problem(imported_hashes.normalize(new.imported))) is not None:
            yield InvalidInput(reason, ("passwordHash",))
    if new.password is not None:
        try:
            passwords.require_usable(new.password)
        except InvalidInput as problem:
            yield problem.under("password")
        yield from password_changes.policy_problems(app, new.password, ("password",))


async def _hash_all(app: AppContext, texts: dict[int, str], hashes: list[str | None]) -> list[str | None]:
    await run_while_connected(_hash_each(app, texts, hashes))
    return hashes


async def _hash_each(app: AppContext, texts: dict[int, str], hashes: list[str | None]) -> None:
    """Hash passwords into `hashes`, at most HASHES_AT_ONCE at a time."""
    remaining, caller = iter(texts.items()), viewer_as_caller()

    async def hash_remaining() -> None:
        for at, text in remaining:
            while hashes[at] is None:
                try:
                    hashes[at] = await app.hasher.hash_for(caller, text)
                except QueueFull as full:
                    await asyncio.sleep(full.retry_after)

    async with asyncio.TaskGroup() as tasks:
        for _ in range(HASHES_AT_ONCE):
            tasks.create_task(hash_remaining())
