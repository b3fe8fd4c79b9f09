"""Hashing passwords in a bounded pool beside the event loop, and the rules that a new one must follow."""

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
from app.security.fair_queue import Caller, FairQueue

with warnings.catch_warnings():
    # passlib 1.7.4 is its last release: it imports the standard library's old crypt, and asks argon2-cffi for its
    # version in a way that is going out of use, when the handler is first used. We use neither.
    warnings.filterwarnings("ignore", "'crypt' is deprecated", DeprecationWarning)
    warnings.filterwarnings("ignore", r"Accessing argon2\.__version__ is deprecated", DeprecationWarning)
    from passlib.hash import argon2

    argon2.set_backend("argon2_cffi")

log = logging.getLogger(__name__)

# OWASP's password storage cheat sheet, first choice for argon2id: 19 MiB, two passes, one lane.
ARGON2ID = argon2.using(type="ID", memory_cost=19456, time_cost=2, parallelism=1)

# The hash of a random password that nobody knows, at the cost above: an unknown user takes the time of a known one.
DUMMY_HASH = "$argon2id$v=19$m=19456,t=2,p=1$2nvPmfOeEwKgNObc29s7hw$r/Ue/OqrKz+LmyVFMYP/KZEavTU3nX+xjoe5OGfgSrg"

TURNS_PER_THREAD = 2
"""While the password of one turn is hashed, the database is asked for the other one."""

NICE = 10
"""How far the threads that hash stand back behind the event loop; 19 would be behind everything."""

GENERATED_LENGTH = 24
GENERATED_ALPHABET = string.ascii_letters + string.digits + "-_."

T = TypeVar("T")


class Verification(NamedTuple):
    """Whether the password was right, and whether its hash is of an older kind and wants to be made anew."""

    ok: bool
    needs_rehash: bool


def check_policy(policy: PasswordPolicy | None, password: str) -> list[str]:
    """Name every rule that a new password breaks, a sentence each; no policy demands nothing."""
    if policy is None:
        return []
    password = normalize(password)
    rules = [
        (len(password) >= policy.min_length, f"A password needs at least {_characters(policy.min_length)}."),
        (not policy.require_digit or any(map(str.isdecimal, password)), "A password needs a digit."),
        (not policy.require_uppercase or any(map(str.isupper, password)), "A password needs an upper-case letter."),
        (not policy.require_lowercase or any(map(str.islower, password)), "A password needs a lower-case letter."),
        (
            not policy.require_non_alphanumeric or any(map(_is_other, password)),
            "A password needs a character that is no letter or digit.",
        ),
    ]
    return [sentence for kept, sentence in rules if not kept]


def _is_other(character: str) -> bool:
    return not character.isalnum()


def _characters(number: int) -> str:
    return f"{number:,} character{'' if number == 1 else 's'}"


def generate(policy: PasswordPolicy | None) -> str:
    """Make up a password that keeps the policy: at least 24 characters of letters, digits and three signs."""
    length = max(GENERATED_LENGTH, 0 if policy is None else policy.min_length)
    while True:
        made = "".join(secrets.choice(GENERATED_ALPHABET) for _ in range(length))
        if not check_policy(policy, made):
            return made


class PasswordHasher:
    """Hashes and verifies in `threads` threads.

    Clients take their turns in `queue`, in which at most `most` wait, and hash within a turn.
    """

    def __init__(self, threads: int, most: int) -> None:
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="passwords", initializer=_lower_priority)
        self.queue = FairQueue(threads * TURNS_PER_THREAD, most)

    async def hash(self, password: str) -> str:
        """Make the text to store for a password."""
        if reason := _unusable(password):
            raise InvalidInput(reason)
        return await self._run(hash_password, password)

    async def hash_for(self, caller: Caller, password: str) -> str:
        """Make the text to store for a password, when it is the caller's turn."""
        async with self.queue.turn(caller):
            return await self.hash(password)

    async def verify(self, password: str, stored: str | None) -> Verification:
        """Compare with what is stored (None: there is no such user), in the same time whatever is wrong."""
        return await self._run(_verify, password, stored)

    def close(self) -> None:
        """Finish what waits, and take nothing more."""
        self._pool.shutdown()

    async def _run(self, job: Callable[..., T], *arguments: object) -> T:
        return await asyncio.wrap_future(self._pool.submit(job, *arguments))


def _lower_priority() -> None:
    """Let the event loop go before this thread where there are too few cores for both: signing in can wait a little."""
    if sys.platform == "linux":  # elsewhere threads have no priority of their own
        with suppress(OSError):  # a sandbox may forbid it
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICE)


def _unusable(password: str) -> str | None:
    if not password:
        return "A password cannot be empty."
    if len(password) > PASSWORD_CHARACTERS:
        return f"A password has at most {_characters(PASSWORD_CHARACTERS)}."
    if "\0" in password or any("\ud800" <= character <= "\udfff" for character in password):
        return "A password cannot hold NUL or half a character."
    return None


def normalize(password: str) -> str:
    """Return the form of a password that is hashed: NFKC, since keyboards differ in how they compose characters."""
    return password if len(password) > PASSWORD_CHARACTERS else unicodedata.normalize("NFKC", password)


def hash_password(password: str) -> str:
    return str(ARGON2ID.hash(normalize(password)))


def _verify(password: str, stored: str | None) -> Verification:
    """Compare with a hash of the normal form, and with one from before there was a normal form.

    The second comparison depends on the password alone, so that the time tells nothing of the user.
    """
    usable = None if _unusable(password) else stored
    form = normalize(password)
    verdict = _compare(form, usable)
    if verdict.ok or form == password:
        return verdict
    is_right = _compare(password, usable).ok
    return Verification(is_right, needs_rehash=is_right)


def _compare(password: str, stored: str | None) -> Verification:
    try:
        if stored is not None:
            ok = bool(ARGON2ID.verify(password, stored))
            return Verification(ok, ok and bool(ARGON2ID.needs_update(stored)))
    except ValueError:
        log.warning("a stored password hash is not one of argon2's: its user cannot sign in until it is set anew")
    ARGON2ID.verify("", DUMMY_HASH)
    return Verification(False, False)
