"""Slows down whoever guesses passwords, without letting a stranger lock somebody out.

A guess is counted before it is looked at, and taken back when it was right: a hundred at once are a hundred guesses.
It counts in three places:

- for the account *from this address*: the first are free, then each waits twice as long as the one before;
- for the account from all addresses, with a small longest wait: the owner who comes from a new address waits seconds;
- for the address and all accounts.

Where somebody has signed in from an address, what others do elsewhere, and to others there, does not count for her.
"""

import hmac
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from ipaddress import IPv6Address, ip_address
from math import ceil

from sqlalchemy import bindparam, case, delete, select, update
from sqlalchemy.dialects.postgresql import insert  # SQLite spells it alike
from sqlalchemy.types import Integer

from app import settings
from app.db import Database, Transaction
from app.errors import RateLimited, Unauthenticated, Unavailable
from app.origin import ORIGIN
from app.services import names
from app.sources import Keys, among
from app.tables import Guess, Instant, Key, col

PURPOSE = b"ostiary: keys of wrong passwords, 1"
"""Told to the derivation, so that no other key comes of the same secret."""

NETWORK = 64
"""How many bits of an IPv6 address are one household's: it has all addresses that begin so."""

KNOWN = timedelta(days=90)
"""For how long an address is remembered from which somebody signed in."""

LONGEST_KNOWN = 60
"""Seconds that she waits there at most: the wrong passwords may be those of somebody who shares her address."""

CLEARED = 16
"""How many rows that say nothing any more are cleared with each that is made: so there are never many."""

_key = bindparam("key", type_=Key())
_now = bindparam("now", type_=Instant())
_until = bindparam("until", type_=Instant())
_kept = bindparam("kept", type_=Instant())
_free = bindparam("free", type_=Integer())
_THIS = col(Guess.key) == _key
_ONE_MORE = insert(Guess).values(key=_key, failures=1, free_at=_now, kept_until=_kept)
_COUNT = _ONE_MORE.on_conflict_do_update(
    index_elements=[col(Guess.key)],
    set_={
        "failures": case((col(Guess.free_at) < bindparam("stale", type_=Instant()), 1), else_=col(Guess.failures) + 1),
        "free_at": _now,
        "kept_until": case((col(Guess.kept_until) > _kept, col(Guess.kept_until)), else_=_kept),
    },
    where=(col(Guess.free_at) <= _now) | (col(Guess.failures) < _free),
).returning(col(Guess.failures))
_BLOCK = update(Guess).where(_THIS).values(free_at=_until)
_FREE_AT = select(col(Guess.free_at)).where(_THIS)
_STANDING = select(col(Guess.key), col(Guess.failures), col(Guess.free_at), col(Guess.known_until)).where(
    among(col(Guess.key), bindparam("keys", type_=Keys(Key())))
)
_OPENED = update(Guess).where(_THIS).values(failures=0, free_at=_now, known_until=_until, kept_until=_until)
_TAKE_BACK = (
    update(Guess)
    .where(_THIS, col(Guess.failures) > 0)
    .values(
        failures=col(Guess.failures) - 1,
        free_at=case((col(Guess.free_at) == _until, _now), else_=col(Guess.free_at)),
    )
)
_OLD = select(col(Guess.key)).where(col(Guess.kept_until) < _now).order_by(col(Guess.kept_until)).limit(CLEARED)
_CLEAR = delete(Guess).where(col(Guess.key).in_(_OLD.with_for_update(skip_locked=True)))


@dataclass(frozen=True, slots=True)
class Limit:
    """How many guesses are free, and how many seconds is the longest wait after those."""

    free: int
    longest: int

    def wait(self, failures: int) -> int:
        """Seconds until the next one, after so many."""
        return 0 if failures < self.free else min(self.longest, 2 ** min(failures - self.free, 30))


@dataclass(frozen=True, slots=True)
class Attempt:
    """A guess that is counted as wrong: where, and from when on another one was to come there.

    `pair` is the key of the account from this address; empty where no account is named.
    """

    pair: str = ""
    taken: Mapping[str, datetime] = field(default_factory=dict)

    async def was_right(self, tx: Transaction) -> None:
        """It was none; the account was opened from here."""
        for key in sorted(self.taken):
            if key == self.pair:
                await tx.rows(_OPENED, key=key, now=tx.now, until=tx.now + KNOWN)
            else:
                await tx.rows(_TAKE_BACK, key=key, now=tx.now, until=self.taken[key])

    async def was_right_alone(self, database: Database) -> None:
        """The same, where nothing else is changed by that."""
        async with database.write() as tx:
            await self.was_right(tx)

    async def was_not_looked_at(self, tx: Transaction) -> None:
        """It was none, since nobody had the time to look."""
        for key in sorted(self.taken):
            await tx.rows(_TAKE_BACK, key=key, now=tx.now, until=self.taken[key])


class Throttle:
    """Counts in the database, so that all workers share it. What stands there names nobody: it is hashed with a key."""

    def __init__(self, numbers: settings.Throttle, secret: bytes) -> None:
        self._numbers = numbers
        self._secret = hmac.digest(secret, PURPOSE, "sha256")
        self._forget = timedelta(minutes=numbers.forget_after_minutes)
        self._pair = Limit(numbers.free_guesses, numbers.longest_wait_seconds)
        self._known = Limit(numbers.free_guesses, min(LONGEST_KNOWN, numbers.longest_wait_seconds))
        self._account = Limit(numbers.free_guesses_per_account, numbers.longest_wait_per_account_seconds)
        self._address = Limit(numbers.free_guesses_per_address, numbers.longest_wait_seconds)

    @asynccontextmanager
    async def attempt(self, database: Database, user_name: str | None = None) -> AsyncIterator[Attempt]:
        """Around a guess at the password of an account, or at a token that says itself whose it is.

        Raises RateLimited, without a look at the guess, for somebody who has to wait. The account need not exist.
        """
        attempt = await self._begun(database, user_name) if self._numbers.enabled else Attempt()
        try:
            yield attempt
        except (RateLimited, Unavailable):
            async with database.write() as tx:
                await attempt.was_not_looked_at(tx)
            raise

    @asynccontextmanager
    async def weighing_tokens(self, database: Database) -> AsyncIterator[None]:
        """Around the renewal of a token: bad ones count for the address, and not with the passwords.

        An old page that knows only a token that has ended must not keep people from signing in anew.
        """
        limits = {self._name("token", address()): self._address} if self._numbers.enabled else {}
        _require_free(await _standing(database, limits), limits, database.clock())
        try:
            yield
        except Unauthenticated:
            await self._counted(database, limits)
            raise

    async def _begun(self, database: Database, user_name: str | None) -> Attempt:
        here = address()
        limits = {self._name("address", here): self._address}
        pair = ""
        if user_name is not None:
            account = names.sought(user_name)
            pair = self._name("pair", here, account)
            limits |= {pair: self._pair, self._name("account", account): self._account}
        standing, now = await _standing(database, limits), database.clock()
        if pair in standing and (standing[pair][2] or now) > now:
            limits = {pair: self._known}
        _require_free(standing, limits, now)
        return Attempt(pair, await self._counted(database, limits))

    async def _counted(self, database: Database, limits: Mapping[str, Limit]) -> dict[str, datetime]:
        """Count one more everywhere or nowhere; answers from when on the next may come."""
        taken, is_new = {}, False
        async with database.write() as tx:
            times = {"now": tx.now, "stale": tx.now - self._forget}
            kept = tx.now + self._forget + timedelta(seconds=self._numbers.longest_wait_seconds)
            for key in sorted(limits):  # in one order, or two of us wait for each other
                failures = await tx.value(_COUNT, key=key, free=limits[key].free, kept=kept, **times)
                if failures is None:
                    raise _too_many(await tx.value(_FREE_AT, key=key), tx.now)
                wait, is_new = limits[key].wait(failures), is_new or failures == 1
                taken[key] = tx.now + timedelta(seconds=wait)
                if wait:
                    await tx.rows(_BLOCK, key=key, until=taken[key])
            if is_new:
                await tx.rows(_CLEAR, now=tx.now)
        return taken

    def _name(self, *parts: str) -> str:
        text = "\0".join(parts).encode(errors="surrogatepass")
        return hmac.digest(self._secret, text, "sha256").hex()[:32]


Standing = Mapping[str, tuple[int, datetime, datetime | None]]
"""By key: how many were wrong, from when on the next may come, and until when the address is known."""


async def _standing(database: Database, limits: Mapping[str, Limit]) -> Standing:
    rows = await database.ask(_STANDING, keys=list(limits)) if limits else []
    return {key: (failures, free_at, known_until) for key, failures, free_at, known_until in rows}


def _require_free(standing: Standing, limits: Mapping[str, Limit], now: datetime) -> None:
    blocked = [free_at for key, (failures, free_at, _) in standing.items() if _stops(limits.get(key), failures)]
    if (until := max(blocked, default=now)) > now:
        raise _too_many(until, now)


def _stops(limit: Limit | None, failures: int) -> bool:
    return limit is not None and failures >= limit.free


def _too_many(until: datetime, now: datetime) -> RateLimited:
    seconds = max(1, ceil((until - now).total_seconds()))
    return RateLimited(f"Too much was wrong lately. Try again in {seconds:,} second{'s' * (seconds > 1)}.", seconds)


def address() -> str:
    """Where the guess comes from: all of an IPv4 address, the network of an IPv6 one."""
    text = ORIGIN.get().address or ""
    try:
        found = ip_address(text)
    except ValueError:
        return text
    if not isinstance(found, IPv6Address):
        return str(found)
    return str(found.ipv4_mapped or int(found) >> (128 - NETWORK))
