"""Limits password guessing, without letting other users lock an account.

Only wrong passwords count. A guess reserves a place while it is checked, and at most as many guesses are checked at
once as may still be wrong. Others wait for a place. So a hundred simultaneous guesses are never a hundred free
guesses, and a hundred correct passwords all succeed. Wrong guesses are counted by three keys:

- account and address: the first guesses are free, then each wait is twice as long as the one before;
- account from all addresses, with a short maximum wait: the owner at a new address waits seconds;
- address, for all accounts.

After a successful sign-in from an address only the first key counts for that account there.
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
from app.db.cancellation import cancel_and_wait
from app.domain.errors import RateLimited, Unauthenticated, Unavailable
from app.domain.request_origin import current_origin
from app.observability import request_stats, sign_in_log
from app.observability.sign_in_log import Credential, Reason
from app.security.fair_queue import Caller, FairQueue, QueueFull, QueueTurn
from app.services import password_attempts, retries, validation
from app.services.password_attempts import ChecksBusy, GuessLimit, GuessStates, Limits, Slots

__all__ = ["GuessLimit", "LoginAttempt", "LoginThrottle", "address", "viewer_as_caller"]

log = logging.getLogger(__name__)

PURPOSE = b"ostiary: keys of wrong passwords, 1"
"""Input of the key derivation, so that each key derived from the secret is different."""

IPV6_NETWORK_BITS = 64
"""Bits of an IPv6 address that identify a network: its customer controls all addresses with this prefix."""

TRUSTED_ADDRESS_PERIOD = timedelta(days=90)
"""Time after a successful sign-in during which the address is trusted for the account."""

MAX_TRUSTED_WAIT_SECONDS = 60
"""Maximum wait at a trusted address, where another user of the same address may have guessed."""

RENEW_SECONDS = 4.0
"""Interval at which a check in progress renews its reservation, less than `password_attempts.SLOT_SECONDS`."""

MIN_PAUSE, MAX_PAUSE = 0.02, 0.5
"""Seconds between two tries to reserve a place, while other workers check as many guesses as may be wrong."""


@dataclass(slots=True)
class LoginAttempt:
    """A guess that is being checked, with its reservations.

    `pair` is the key of account and address, empty without an account. `reason` is logged if the guess is refused.
    `is_wrong` marks a wrong guess that raises an error other than Unauthenticated.
    """

    pair: str = ""
    slots: Slots = field(default_factory=dict)
    reason: Reason = Reason.WRONG_PASSWORD
    is_wrong: bool = False
    is_over: bool = False

    def set_reason(self, *, user_exists: bool, is_correct: bool) -> None:
        """Set the reason to log if the password is refused. A correct one is refused only to a deactivated user."""
        failure = Reason.WRONG_PASSWORD if user_exists else Reason.UNKNOWN_USER
        self.reason = Reason.DEACTIVATED if is_correct else failure

    async def succeed(self, tx: Transaction) -> None:
        """Count the guess as correct, in the transaction of the sign-in, and trust the address from now on."""
        self.is_over = True
        await password_attempts.count_success(tx, self.slots, self.pair, TRUSTED_ADDRESS_PERIOD)

    async def succeed_now(self, database: Database) -> None:
        """Count the guess as correct in a transaction of its own."""
        async with database.write() as tx:
            await self.succeed(tx)


class LoginThrottle:
    """Counter of wrong guesses in the database, shared by all workers. Its keys are HMACs of accounts and addresses."""

    def __init__(self, settings: config.Throttle, secret: bytes) -> None:
        self._settings = settings
        self._secret = hmac.digest(secret, PURPOSE, "sha256")
        forget = timedelta(minutes=settings.forget_after_minutes)
        self._times = password_attempts.GuessTimes(forget, forget + timedelta(seconds=settings.longest_wait_seconds))
        self._pair = GuessLimit(settings.free_guesses, settings.longest_wait_seconds)
        self._trusted = GuessLimit(settings.free_guesses, min(MAX_TRUSTED_WAIT_SECONDS, settings.longest_wait_seconds))
        self._account = GuessLimit(settings.free_guesses_per_account, settings.longest_wait_per_account_seconds)
        self._address = GuessLimit(settings.free_guesses_per_address, settings.longest_wait_seconds)
        self._ending: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def attempt(
        self, database: Database, queue: FairQueue, user_name: str | None = None
    ) -> AsyncIterator[LoginAttempt]:
        """Wait for a turn, then run the block, which checks a password of an account or a provider's token.

        Raise RateLimited before the block if too many guesses were wrong. The account need not exist. Every refusal is
        logged.
        """
        here, attempt = address(), LoginAttempt()
        account = "" if user_name is None else self._hash_key("account", validation.normalize_key(user_name))
        attempt.pair = "" if user_name is None else self._hash_key("pair", here, validation.normalize_key(user_name))
        try:
            async with self._check(database, queue, attempt, Caller(here, account)):
                retries.forbid()
                yield attempt
        except Exception as error:
            if (reason := _reason(attempt, error)) is not None:
                credential = Credential.PROVIDER_TOKEN if user_name is None else Credential.PASSWORD
                sign_in_log.log_refusal(credential, reason, user_name)
            raise

    @asynccontextmanager
    async def _check(
        self, database: Database, queue: FairQueue, attempt: LoginAttempt, caller: Caller
    ) -> AsyncIterator[None]:
        """Reserve a place for the guess in its turn, and count the result of the block."""
        limits, states = await self._admit(database, caller, attempt.pair)
        async with queue.turn(replace(caller, keys=tuple(limits))) as turn:
            attempt.slots = await self._reserve(database, turn, limits, states)
            try:
                async with self._keep_renewing(database, attempt):
                    yield
            except BaseException as error:
                await self._end(database, attempt, limits, error)
                raise
            finally:
                queue.resume(limits)

    @asynccontextmanager
    async def token_slot(self, database: Database) -> AsyncIterator[None]:
        """Run the block, which renews a session token, and count an invalid token for the address.

        Tokens are counted apart from passwords: an old page with an expired token must not block the sign-in.
        """
        request_stats.current_request().credential = Credential.REFRESH
        limits = {self._hash_key("token", address()): self._address} if self._settings.enabled else {}
        try:
            password_attempts.require_free(
                await password_attempts.load_states(database, limits), limits, database.clock()
            )
        except RateLimited:
            sign_in_log.log_refusal(Credential.REFRESH, Reason.THROTTLED)
            raise
        try:
            yield
        except Unauthenticated:
            async with database.write() as tx:
                await password_attempts.count_failure(tx, limits, self._times)
            raise

    async def flush(self) -> None:
        """Wait until every ended attempt is counted."""
        await asyncio.gather(*self._ending, return_exceptions=True)

    async def _admit(self, database: Database, caller: Caller, pair: str) -> tuple[Limits, GuessStates]:
        """Return the limits of a guess and the states of their keys; raise RateLimited."""
        if not self._settings.enabled:
            return {}, {}
        limits = {self._hash_key("address", caller.address): self._address}
        if pair:
            limits |= {pair: self._pair, caller.account: self._account}
        states, now = await password_attempts.load_states(database, limits), database.clock()
        if pair in states and (states[pair][2] or now) > now:
            limits = {pair: self._trusted}
        password_attempts.require_free(states, limits, now)
        return limits, states

    async def _reserve(self, database: Database, turn: QueueTurn, limits: Limits, states: GuessStates) -> Slots:
        """Reserve a place by all keys in one transaction, as soon as there is room; raise RateLimited."""
        pause = MIN_PAUSE
        while limits:
            try:
                async with database.write() as tx:
                    slots = await password_attempts.reserve(tx, limits, self._times)
                    if not limits.keys() <= states.keys():
                        await password_attempts.delete_old(tx)
                return slots
            except ChecksBusy as busy:
                await turn.retry(busy.key, pause)
                pause = min(pause * 2, MAX_PAUSE)
        return {}

    @asynccontextmanager
    async def _keep_renewing(self, database: Database, attempt: LoginAttempt) -> AsyncIterator[None]:
        """Renew the reservations of a long check while the block runs."""
        task = asyncio.create_task(self._renew(database, attempt)) if attempt.slots else None
        try:
            yield
        finally:
            if task is not None:
                await cancel_and_wait(task)

    async def _renew(self, database: Database, attempt: LoginAttempt) -> None:
        while True:
            await asyncio.sleep(RENEW_SECONDS)
            # The next renewal may succeed, and the end of the check reports a lasting failure.
            with suppress(Exception):
                async with database.write() as tx:
                    slots = await password_attempts.renew(tx, attempt.slots)
                attempt.slots = slots

    async def _end(self, database: Database, attempt: LoginAttempt, limits: Limits, error: BaseException) -> None:
        """Count a wrong guess; release the reservations of a guess that ended without a result.

        A wrong guess is counted before the response is sent, even if the client disconnects.
        """
        if isinstance(error, Unauthenticated) or attempt.is_wrong:
            work = self._count_wrong(database, attempt.slots, limits)
        elif isinstance(error, asyncio.CancelledError) and attempt.is_over:
            return  # the commit may have counted it as correct; otherwise its reservation expires
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
            log.warning("the result of a password check was not counted: %s", str(error) or type(error).__name__)

    async def _count_wrong(self, database: Database, slots: Slots, limits: Limits) -> None:
        if slots:
            async with database.write() as tx:
                await password_attempts.count_checked_failure(tx, limits, slots, self._times)

    async def _release(self, database: Database, slots: Slots) -> None:
        if slots:
            async with database.write() as tx:
                await password_attempts.release(tx, slots)

    def _hash_key(self, *parts: str) -> str:
        text = "\0".join(parts).encode(errors="surrogatepass")
        return hmac.digest(self._secret, text, "sha256").hex()[:32]


def _reason(attempt: LoginAttempt, error: Exception) -> Reason | None:
    """Return the reason to log for an error; None if no credential was refused."""
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
    """Return the queue's caller for work that the viewer of the current request causes."""
    return Caller(address(), f"viewer {request_stats.current_request().viewer}")


def address() -> str:
    """Return the client's IPv4 address, or the network prefix of its IPv6 address."""
    text = current_origin.get().address or ""
    try:
        parsed = ip_address(text)
    except ValueError:
        return text
    if not isinstance(parsed, IPv6Address):
        return str(parsed)
    return str(parsed.ipv4_mapped or int(parsed) >> (128 - IPV6_NETWORK_BITS))
