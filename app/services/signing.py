"""The keys that sign tokens: kept in the database for the workers of all hosts, rotated, and known in time."""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from time import monotonic
from typing import NamedTuple

from sqlalchemy import delete, select, update

from app import signing, tokens
from app.auth import REGISTRY
from app.db import Database, Freshness, Transaction
from app.prepared import Row
from app.services import audit
from app.tables import SigningKey, col
from app.telemetry import facts

log = logging.getLogger(__name__)

FRESH = timedelta(seconds=30)
"""How long a worker goes by what it knows of the keys: so long may one that was followed still sign."""

OVERLAP = FRESH * 2
"""How much longer than its last token a key verifies: time for every worker to learn that another signs."""

PAUSE = 0.2
"""Seconds between two looks for keys that are not known, however many tokens name one."""

LOCK = "signing keys"

_KEYS = select(
    col(SigningKey.kid),
    col(SigningKey.sealed),
    col(SigningKey.created_at),
    col(SigningKey.retired_at),
    col(SigningKey.ends_at),
).order_by(col(SigningKey.created_at), col(SigningKey.kid))


class Listed(NamedTuple):
    """A key as it is told to an operator. `is_readable`: the secret of this host opens it."""

    kid: str
    created_at: datetime
    retired_at: datetime | None
    ends_at: datetime | None
    is_readable: bool


@dataclass(slots=True)
class Keyring:
    """What one worker knows of the keys. `signs`: tokens are signed with the newest one, and not with the secret."""

    database: Database
    signer: tokens.Signer
    sealer: signing.Sealer
    signs: bool
    _looked: datetime | None = None
    _began: float = -PAUSE
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    _opened: dict[str, signing.Key | None] = field(default_factory=dict)

    async def open(self) -> None:
        """Know the keys, and make the first one where there is none to sign with."""
        await self._look()
        if self.signs and self.signer.ring.signs is None:
            async with audit.change(self.database, REGISTRY, "rotateKeys") as tx:
                await tx.lock(LOCK)
                if self._ring(await tx.rows(_KEYS)).signs is None:
                    await _put(tx, self.sealer)
                else:
                    audit.discard(tx)  # another worker was faster
            await self._look()

    async def refresh(self) -> None:
        """Look again, unless that was done a moment ago; asked before a token is read or made."""
        if self.is_stale():
            async with self._turn:
                if self.is_stale():
                    await self._look()

    def is_stale(self, now: datetime | None = None) -> bool:
        """Whether it is time to look again."""
        return self._looked is None or not self._looked <= (now or self.database.clock()) < self._looked + FRESH

    async def seek(self) -> None:
        """Look for a key that is not known, which another worker may have made since the last look.

        Whoever makes names up must not make us ask for each: those who come at the same time share one look, and the
        next one has to wait. But nobody is refused by a look that began before she came.
        """
        came = monotonic()
        async with self._turn:
            if self._began <= came:
                await asyncio.sleep(self._began + PAUSE - monotonic())
                await self._look()

    async def _look(self) -> None:
        began, now = monotonic(), self.database.clock()
        asking = facts.CURRENT.set(None)  # it is not the request that asks
        try:
            self.signer.ring = self._ring(await self.database.ask(_KEYS, freshness=Freshness.PRIMARY))
        finally:
            facts.CURRENT.reset(asking)
        self._began, self._looked = began, now

    def _ring(self, rows: Sequence[Row]) -> tokens.Ring:
        self._opened = {kid: self._open(kid, sealed) for kid, sealed, *_ in rows}
        keys = {kid: (key, ends) for kid, _, _, _, ends in rows if (key := self._opened[kid]) is not None}
        current = [keys[kid][0] for kid, _, _, retired, _ in rows if kid in keys and retired is None]
        return tokens.Ring(keys, current[-1] if current and self.signs else None)

    def _open(self, kid: str, sealed: str) -> signing.Key | None:
        if kid in self._opened:
            return self._opened[kid]
        key = self.sealer.opened(kid, sealed)
        if key is None:
            log.warning("the key %s cannot be read: it was sealed under another secret", kid)
        return key


async def listed(keyring: Keyring) -> list[Listed]:
    """Every key that is kept, oldest first."""
    rows = await keyring.database.ask(_KEYS, freshness=Freshness.PRIMARY)
    return [
        Listed(kid, created, retired, ends, keyring.sealer.opened(kid, sealed) is not None)
        for kid, sealed, created, retired, ends in rows
    ]


async def rotate(keyring: Keyring, lifetime: timedelta, *, revoke: bool = False) -> str:
    """Make a key that signs from now on; answers its name.

    Those before it verify until the last token that they have signed has ended; with `revoke` they are gone at once,
    and all those tokens with them.
    """
    async with audit.change(keyring.database, REGISTRY, "rotateKeys") as tx:
        await tx.lock(LOCK)
        is_over = col(SigningKey.ends_at) <= tx.now
        await tx.rows(delete(SigningKey) if revoke else delete(SigningKey).where(is_over))
        ends = {"retired_at": tx.now, "ends_at": tx.now + lifetime + OVERLAP}
        await tx.rows(update(SigningKey).where(col(SigningKey.retired_at).is_(None)).values(**ends))
        return await _put(tx, keyring.sealer)


async def _put(tx: Transaction, sealer: signing.Sealer) -> str:
    key = signing.Key.made()
    await tx.put(SigningKey, [{"kid": key.kid, "sealed": sealer.sealed(key), "created_at": tx.now}])
    return key.kid
