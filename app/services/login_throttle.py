"""Slows down whoever guesses passwords, without letting a stranger lock somebody out.

Only wrong passwords count. A guess that is being checked is *reserved*: as many are checked at once as may still be
wrong, and further ones wait until one of those ends. So a hundred guesses at once are never a hundred free guesses, and
a hundred right ones are all let in. Guesses are counted in three places:

- for the account *from this address*: the first are free, then each waits twice as long as the one before;
- for the account from all addresses, with a small longest wait: the owner who comes from a new address waits seconds;
- for the address and all accounts.

Where somebody has signed in from an address, what others do elsewhere, and to others there, does not count for her.
"""

import asyncio
import hmac
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta
from ipaddress import IPv6Address, ip_address

from app import config
from app.db import Database, Transaction
from app.domain.errors import RateLimited, Unauthenticated, Unavailable
from app.domain.request_origin import current_origin
from app.observability import request_stats, sign_in_log
from app.observability.sign_in_log import Credential, Reason
from app.security.fair_queue import Caller, FairQueue, QueueFull, QueueTurn
from app.services import password_attempts, validation
from app.services.password_attempts import ChecksBusy, GuessLimit, Limits, Slots, Standing

__all__ = ["GuessLimit", "LoginAttempt", "LoginThrottle", "address", "viewer_as_caller"]

log = logging.getLogger(__name__)

PURPOSE = b"ostiary: keys of wrong passwords, 1"
"""Told to the derivation, so that no other key comes of the same secret."""

NETWORK = 64
"""How many bits of an IPv6 address are one household's: it has all addresses that begin so."""

KNOWN = timedelta(days=90)
"""For how long an address is remembered from which somebody signed in."""

MAX_KNOWN_SECONDS = 60
"""Seconds that she waits there at most: the wrong passwords may be those of somebody who shares her address."""

RENEW_SECONDS = 4.0
"""After how long a check in progress is counted again; one that ends sooner costs nothing. See `guesses`."""

FIRST_PAUSE, LONGEST_PAUSE = 0.02, 0.5
"""Seconds between two tries to reserve, where other workers check what may still be wrong."""


@dataclass(slots=True)
class LoginAttempt:
    """A guess that is being checked, and where it is reserved.

    `pair` is the key of the account from this address; empty where no account is named. `reason` is what the log tells
    if the guess is refused; `is_wrong` says that it is a wrong one, as Unauthenticated does.
    """

    pair: str = ""
    slots: Slots = field(default_factory=dict)
    reason: Reason = Reason.WRONG_PASSWORD
    is_wrong: bool = False
    is_over: bool = False

    def note(self, *, is_known: bool, is_right: bool) -> None:
        """Note why a password is refused, if it is: one that is right is so for its user alone."""
        wrong = Reason.WRONG_PASSWORD if is_known else Reason.UNKNOWN_USER
        self.reason = Reason.DEACTIVATED if is_right else wrong

    async def succeed(self, tx: Transaction) -> None:
        """It was right; the account was opened from here."""
        self.is_over = True
        await password_attempts.count_right(tx, self.slots, self.pair, KNOWN)

    async def succeed_now(self, database: Database) -> None:
        """The same, where nothing else is changed by that."""
        async with database.write() as tx:
            await self.succeed(tx)


class LoginThrottle:
    """Counts in the database, so that all workers share it. What stands there names nobody: it is hashed with a key."""

    def __init__(self, numbers: config.Throttle, secret: bytes) -> None:
        self._numbers = numbers
        self._secret = hmac.digest(secret, PURPOSE, "sha256")
        forget = timedelta(minutes=numbers.forget_after_minutes)
        self._times = password_attempts.GuessTimes(forget, forget + timedelta(seconds=numbers.longest_wait_seconds))
        self._pair = GuessLimit(numbers.free_guesses, numbers.longest_wait_seconds)
        self._known = GuessLimit(numbers.free_guesses, min(MAX_KNOWN_SECONDS, numbers.longest_wait_seconds))
        self._account = GuessLimit(numbers.free_guesses_per_account, numbers.longest_wait_per_account_seconds)
        self._address = GuessLimit(numbers.free_guesses_per_address, numbers.longest_wait_seconds)
        self._ending: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def attempt(
        self, database: Database, queue: FairQueue, user_name: str | None = None
    ) -> AsyncIterator[LoginAttempt]:
        """Around a guess at the password of an account, or at a token that says itself whose it is.

        The guess waits for its turn. Raises RateLimited, without a look at the guess, where too much was wrong lately.
        The account need not exist. Every refusal is told to the log.
        """
        here, attempt = address(), LoginAttempt()
        account = "" if user_name is None else self._name("account", validation.normalize_key(user_name))
        attempt.pair = "" if user_name is None else self._name("pair", here, validation.normalize_key(user_name))
        try:
            async with self._checking(database, queue, attempt, Caller(here, account)):
                yield attempt
        except Exception as error:
            if (reason := _reason(attempt, error)) is not None:
                credential = Credential.PROVIDER_TOKEN if user_name is None else Credential.PASSWORD
                sign_in_log.log_refusal(credential, reason, user_name)
            raise

    @asynccontextmanager
    async def _checking(
        self, database: Database, queue: FairQueue, attempt: LoginAttempt, caller: Caller
    ) -> AsyncIterator[None]:
        """Around the check of a guess in its turn, while it is reserved."""
        limits, found = await self._admit(database, caller, attempt.pair)
        async with queue.turn(replace(caller, keys=tuple(limits))) as turn:
            attempt.slots = await self._reserve(database, turn, limits, found)
            try:
                async with self._keep_renewing(database, attempt):
                    yield
            except BaseException as error:
                await self._end(database, attempt, limits, error)
                raise
            finally:
                queue.release(limits)

    @asynccontextmanager
    async def token_slot(self, database: Database) -> AsyncIterator[None]:
        """Around the renewal of a token: bad ones count for the address, and not with the passwords.

        An old page that knows only a token that has ended must not keep people from signing in anew.
        """
        request_stats.current_request().credential = Credential.REFRESH
        limits = {self._name("token", address()): self._address} if self._numbers.enabled else {}
        try:
            password_attempts.require_free(
                await password_attempts.load_standing(database, limits), limits, database.clock()
            )
        except RateLimited:
            sign_in_log.log_refusal(Credential.REFRESH, Reason.THROTTLED)
            raise
        try:
            yield
        except Unauthenticated:
            async with database.write() as tx:
                await password_attempts.count(tx, limits, self._times)
            raise

    async def flush(self) -> None:
        """Wait until all that has ended is counted."""
        await asyncio.gather(*self._ending, return_exceptions=True)

    async def _admit(self, database: Database, caller: Caller, pair: str) -> tuple[Limits, Standing]:
        """Return what limits the guess, and what was counted there; raises RateLimited."""
        if not self._numbers.enabled:
            return {}, {}
        limits = {self._name("address", caller.address): self._address}
        if pair:
            limits |= {pair: self._pair, caller.account: self._account}
        found, now = await password_attempts.load_standing(database, limits), database.clock()
        if pair in found and (found[pair][2] or now) > now:
            limits = {pair: self._known}
        password_attempts.require_free(found, limits, now)
        return limits, found

    async def _reserve(self, database: Database, turn: QueueTurn, limits: Limits, found: Standing) -> Slots:
        """Reserve the guess everywhere or nowhere, as soon as there is room; raises RateLimited."""
        pause = FIRST_PAUSE
        while limits:
            try:
                async with database.write() as tx:
                    slots = await password_attempts.reserve(tx, limits, self._times)
                    if not limits.keys() <= found.keys():
                        await password_attempts.clear(tx)
                return slots
            except ChecksBusy as busy:
                await turn.retry(busy.key, pause)
                pause = min(pause * 2, LONGEST_PAUSE)
        return {}

    @asynccontextmanager
    async def _keep_renewing(self, database: Database, attempt: LoginAttempt) -> AsyncIterator[None]:
        """Keep a check counted that takes long."""
        task = asyncio.create_task(self._renew(database, attempt)) if attempt.slots else None
        try:
            yield
        finally:
            if task is not None:
                task.cancel()

    async def _renew(self, database: Database, attempt: LoginAttempt) -> None:
        while True:
            await asyncio.sleep(RENEW_SECONDS)
            with suppress(Exception):  # the next time, perhaps; the end of the check tells what is wrong
                async with database.write() as tx:
                    attempt.slots = await password_attempts.renew(tx, attempt.slots)

    async def _end(self, database: Database, attempt: LoginAttempt, limits: Limits, error: BaseException) -> None:
        """Count a guess that was not right: as wrong if it was looked at and is wrong, else as none.

        A wrong one is counted before it is answered, also when the client does not wait for that.
        """
        if isinstance(error, Unauthenticated) or attempt.is_wrong:
            work = self._count_wrong(database, attempt.slots, limits)
        elif isinstance(error, asyncio.CancelledError) and attempt.is_over:
            return  # it may be counted as right; if it is not, its reservation ends by itself
        else:
            work = self._release(database, attempt.slots)
        task = asyncio.create_task(work)
        self._ending.add(task)
        task.add_done_callback(self._on_task_end)
        if isinstance(error, Exception):
            await asyncio.shield(task)

    def _on_task_end(self, task: asyncio.Task[None]) -> None:
        self._ending.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.warning("the end of a password check was not counted: %s", str(error) or type(error).__name__)

    async def _count_wrong(self, database: Database, slots: Slots, limits: Limits) -> None:
        if slots:
            async with database.write() as tx:
                await password_attempts.count_wrong(tx, limits, slots, self._times)

    async def _release(self, database: Database, slots: Slots) -> None:
        if slots:
            async with database.write() as tx:
                await password_attempts.release(tx, slots)

    def _name(self, *parts: str) -> str:
        text = "\0".join(parts).encode(errors="surrogatepass")
        return hmac.digest(self._secret, text, "sha256").hex()[:32]


def _reason(attempt: LoginAttempt, error: Exception) -> Reason | None:
    """Return what the log tells of an error; None where no credential was refused."""
    match error:
        case QueueFull():
            return Reason.QUEUE_FULL
        case RateLimited():
            return Reason.THROTTLED
        case Unavailable() if attempt.reason is not Reason.PROVIDER_AWAY:
            return None
        case Unavailable() | Unauthenticated():
            return attempt.reason
    return attempt.reason if attempt.is_wrong else None


def viewer_as_caller() -> Caller:
    """Return who waits in a queue for something that a viewer asks for."""
    return Caller(address(), f"viewer {request_stats.current_request().viewer}")


def address() -> str:
    """Where the guess comes from: all of an IPv4 address, the network of an IPv6 one."""
    text = current_origin.get().address or ""
    try:
        found = ip_address(text)
    except ValueError:
        return text
    if not isinstance(found, IPv6Address):
        return str(found)
    return str(found.ipv4_mapped or int(found) >> (128 - NETWORK))
