"""Password hashing in a bounded thread pool, and the rules for new passwords."""

import asyncio
import logging
import os
import secrets
import string
import sys
import threading
import unicodedata
import warnings
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import NamedTuple, TypeVar

from app.config import PASSWORD_CHARACTERS, PasswordPolicy
from app.domain.errors import InvalidInput
from app.domain.quantities import format_count
from app.security import imported_hashes
from app.security.fair_queue import Caller, FairQueue

with warnings.catch_warnings():
    # passlib 1.7.4 is the last release. It imports the deprecated module `crypt`, and reads the deprecated attribute
    # `argon2.__version__` when the handler is first used. Neither affects argon2id.
    warnings.filterwarnings("ignore", "'crypt' is deprecated", DeprecationWarning)
    warnings.filterwarnings("ignore", r"Accessing argon2\.__version__ is deprecated", DeprecationWarning)
    from passlib.hash import argon2

    argon2.set_backend("argon2_cffi")

log = logging.getLogger(__name__)

# OWASP's password storage cheat sheet, first choice for argon2id: 19 MiB, two passes, no parallelism.
ARGON2ID = argon2.using(type="ID", memory_cost=19456, time_cost=2, parallelism=1)

# The hash of an unknown random password, at the cost above: a check takes as long for an unknown user as for others.
DUMMY_HASH = "$argon2id$v=19$m=19456,t=2,p=1$2nvPmfOeEwKgNObc29s7hw$r/Ue/OqrKz+LmyVFMYP/KZEavTU3nX+xjoe5OGfgSrg"

TURNS_PER_THREAD = 2
"""Two turns use a thread in full: while it hashes the password of one turn, the other turn queries the database."""

NICE = 10
"""Niceness of the hashing threads on Linux, from 0 (priority of the event loop) to 19 (lowest)."""

GENERATED_LENGTH = 24
GENERATED_ALPHABET = string.ascii_letters + string.digits + "-_."

T = TypeVar("T")


class Verification(NamedTuple):
    """Result of a password check. `needs_rehash` is true if the hash has outdated parameters and should be replaced."""

    ok: bool
    needs_rehash: bool


def check_policy(policy: PasswordPolicy | None, password: str) -> list[str]:
    """Return one sentence for each rule that a new password breaks; without a policy there are no rules."""
    if policy is None:
        return []
    password = normalize(password)
    rules = [
        (
            len(password) >= policy.min_length,
            f"A password needs at least {format_count(policy.min_length, 'character')}.",
        ),
        (not policy.require_digit or any(map(str.isdecimal, password)), "A password needs a digit."),
        (not policy.require_uppercase or any(map(str.isupper, password)), "A password needs an upper-case letter."),
        (not policy.require_lowercase or any(map(str.islower, password)), "A password needs a lower-case letter."),
        (
            not policy.require_non_alphanumeric or any(map(_is_other, password)),
            "A password needs a character that is not a letter or digit.",
        ),
    ]
    return [sentence for is_met, sentence in rules if not is_met]


def _is_other(character: str) -> bool:
    return not character.isalnum()


def generate(policy: PasswordPolicy | None) -> str:
    """Return a random password that meets the policy: at least 24 letters, digits and characters of `-_.`."""
    length = max(GENERATED_LENGTH, 0 if policy is None else policy.min_length)
    while True:
        password = "".join(secrets.choice(GENERATED_ALPHABET) for _ in range(length))
        if not check_policy(policy, password):
            return password


class PasswordHasher:
    """A pool of `threads` threads that hash and verify passwords.

    Callers hash within a turn of `queue`, in which at most `max_waiting` callers wait.
    """

    def __init__(self, threads: int, max_waiting: int) -> None:
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="passwords", initializer=_lower_priority)
        self.queue = FairQueue(threads * TURNS_PER_THREAD, max_waiting)

    async def hash(self, password: str) -> str:
        """Return the hash of a password; raise InvalidInput for a password that cannot be hashed."""
        require_usable(password)
        return await self._run(hash_password, password)

    async def hash_for(self, caller: Caller, password: str) -> str:
        """Return the hash of a password, in a turn of the queue."""
        async with self.queue.turn(caller):
            return await self.hash(password)

    async def verify(self, password: str, stored: str | None) -> Verification:
        """Compare a password with a stored hash (None: there is no such user), in the same time for every failure."""
        return await self._run(_verify, password, stored)

    def close(self) -> None:
        """Finish the submitted jobs and accept no others."""
        self._pool.shutdown()

    async def _run(self, job: Callable[..., T], *arguments: object) -> T:
        return await asyncio.wrap_future(self._pool.submit(job, *arguments))


def _lower_priority() -> None:
    """Give this thread a lower priority than the event loop, so that sign-ins do not delay other requests."""
    if sys.platform == "linux":  # other systems have no priority for a thread
        with suppress(OSError):  # a sandbox may forbid the call
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICE)


def require_usable(password: str) -> None:
    """Raise InvalidInput for a password that cannot be hashed."""
    if reason := _unusable_reason(password):
        raise InvalidInput(reason)


def _unusable_reason(password: str) -> str | None:
    if not password:
        return "A password cannot be empty."
    if len(password) > PASSWORD_CHARACTERS:
        return f"A password has at most {format_count(PASSWORD_CHARACTERS, 'character')}."
    if "\0" in password or any("\ud800" <= character <= "\udfff" for character in password):
        return "A password cannot contain NUL or an unpaired surrogate."
    return None


def normalize(password: str) -> str:
    """Return the normal form of a password, NFKC. Keyboards compose the same character from different code points."""
    return password if len(password) > PASSWORD_CHARACTERS else unicodedata.normalize("NFKC", password)


def hash_password(password: str) -> str:
    return str(ARGON2ID.hash(normalize(password)))


def _verify(password: str, stored: str | None) -> Verification:
    """Compare the normal form of a password, then its original form, which earlier versions hashed.

    The second comparison depends on the password alone, so the time reveals nothing about the user.
    """
    usable = None if _unusable_reason(password) else stored
    normal_form = normalize(password)
    result = _compare(normal_form, usable)
    if result.ok or normal_form == password:
        return result
    is_correct = _compare(password, usable).ok
    return Verification(is_correct, needs_rehash=is_correct)


def _compare(password: str, stored: str | None) -> Verification:
    try:
        if stored is not None and not stored.startswith("$argon2"):
            ok = imported_hashes.verify(password, stored)
            return Verification(ok, needs_rehash=ok)
        if stored is not None:
            ok = bool(ARGON2ID.verify(password, stored))
            return Verification(ok, ok and bool(ARGON2ID.needs_update(stored)))
    except ValueError:
        log.warning("a stored password hash has an unknown format; its user cannot sign in until the password is reset")
    ARGON2ID.verify("", DUMMY_HASH)
    return Verification(False, False)
