"""The keys that sign tokens: kept in the database for the workers of all hosts, rotated, and known in time."""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from time import monotonic
from typing import NamedTuple

from sqlalchemy import delete, select, update

from app.db import Database, Freshness, Transaction
from app.db.statements import Row
from app.db.tables import SigningKey, col
from app.domain.viewer import SYSTEM
from app.observability import request_stats
from app.security import keys as signing
from app.security import session_tokens
from app.services import audit

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


class KeyInfo(NamedTuple):
    """A key as it is told to an operator. `is_readable`: the secret of this host opens it."""

    kid: str
    created_at: datetime
    retired_at: datetime | None
    ends_at: datetime | None
    is_readable: bool


@dataclass(slots=True)
class KeyStore:
    """What one worker knows of the keys. `signs`: tokens are signed with the newest one, and not with the secret."""

    database: Database
    signer: session_tokens.TokenSigner
    cipher: signing.KeyCipher
    signing_key: bool
    _refreshed_at: datetime | None = None
    _refresh_started_at: float = -PAUSE
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    _decrypted: dict[str, signing.Key | None] = field(default_factory=dict)

    async def open(self) -> None:
        """Know the keys, and make the first one where there is none to sign with."""
        await self._load()
        if self.signing_key and self.signer.ring.signing_key is None:
            async with audit.transaction(self.database, SYSTEM, "rotateKeys") as tx:
                await tx.lock(LOCK)
                if self._verification_keys(await tx.rows(_KEYS)).signing_key is None:
                    await _put(tx, self.cipher)
                else:
                    audit.discard(tx)  # another worker was faster
            await self._load()

    async def refresh(self) -> None:
        """Look again, unless that was done a moment ago; asked before a token is read or made."""
        if self.is_stale():
            async with self._turn:
                if self.is_stale():
                    await self._load()

    def is_stale(self, now: datetime | None = None) -> bool:
        """Whether it is time to look again."""
        return (
            self._refreshed_at is None
            or not self._refreshed_at <= (now or self.database.clock()) < self._refreshed_at + FRESH
        )

    async def look_for_unknown(self) -> None:
        """Look for a key that is not known, which another worker may have made since the last look.

        Whoever makes names up must not make us ask for each: those who come at the same time share one look, and the
        next one has to wait. But nobody is refused by a look that began before she came.
        """
        came = monotonic()
        async with self._turn:
            if self._refresh_started_at <= came:
                await asyncio.sleep(self._refresh_started_at + PAUSE - monotonic())
                await self._load()

    async def _load(self) -> None:
        began, now = monotonic(), self.database.clock()
        asking = request_stats.CURRENT.set(None)  # it is not the request that asks
        try:
            self.signer.ring = self._verification_keys(await self.database.ask(_KEYS, freshness=Freshness.PRIMARY))
        finally:
            request_stats.CURRENT.reset(asking)
        self._refresh_started_at, self._refreshed_at = began, now

    def _verification_keys(self, rows: Sequence[Row]) -> session_tokens.VerificationKeys:
        self._decrypted = {kid: self._open(kid, sealed) for kid, sealed, *_ in rows}
        keys = {kid: (key, ends) for kid, _, _, _, ends in rows if (key := self._decrypted[kid]) is not None}
        current = [keys[kid][0] for kid, _, _, retired, _ in rows if kid in keys and retired is None]
        return session_tokens.VerificationKeys(keys, current[-1] if current and self.signing_key else None)

    def _open(self, kid: str, sealed: str) -> signing.Key | None:
        if kid in self._decrypted:
            return self._decrypted[kid]
        key = self.cipher.decrypt(kid, sealed)
        if key is None:
            log.warning("the key %s cannot be read: it was sealed under another secret", kid)
        return key


async def list_keys(keyring: KeyStore) -> list[KeyInfo]:
    """Every key that is kept, oldest first."""
    rows = await keyring.database.ask(_KEYS, freshness=Freshness.PRIMARY)
    return [
        KeyInfo(kid, created, retired, ends, keyring.cipher.decrypt(kid, sealed) is not None)
        for kid, sealed, created, retired, ends in rows
    ]


async def rotate(keyring: KeyStore, lifetime: timedelta, *, revoke: bool = False) -> str:
    """Make a key that signs from now on; answers its name.

    Those before it verify until the last token that they have signed has ended; with `revoke` they are gone at once,
    and all those tokens with them.
    """
    async with audit.transaction(keyring.database, SYSTEM, "rotateKeys") as tx:
        await tx.lock(LOCK)
        is_over = col(SigningKey.ends_at) <= tx.now
        await tx.rows(delete(SigningKey) if revoke else delete(SigningKey).where(is_over))
        ends = {"retired_at": tx.now, "ends_at": tx.now + lifetime + OVERLAP}
        await tx.rows(update(SigningKey).where(col(SigningKey.retired_at).is_(None)).values(**ends))
        return await _put(tx, keyring.cipher)


async def _put(tx: Transaction, sealer: signing.KeyCipher) -> str:
    key = signing.Key.generate()
    await tx.insert(SigningKey, [{"kid": key.kid, "sealed": sealer.encrypt(key), "created_at": tx.now}])
    return key.kid
