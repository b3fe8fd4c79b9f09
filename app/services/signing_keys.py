"""The keys that sign session tokens: stored encrypted in the database, shared by the workers of all hosts, rotated."""

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

MAX_AGE = timedelta(seconds=30)
"""Maximum age of the keys that a worker has read. A retired key may sign for so long after a rotation."""

OVERLAP = MAX_AGE * 2
"""Time that a retired key verifies after the end of its tokens, until every worker has read the new key."""

MIN_INTERVAL = 0.2
"""Minimum seconds between two reads because of unknown keys, for any number of tokens that name one."""

LOCK = "signing keys"

_KEYS = select(
    col(SigningKey.kid),
    col(SigningKey.sealed),
    col(SigningKey.created_at),
    col(SigningKey.retired_at),
    col(SigningKey.ends_at),
).order_by(col(SigningKey.created_at), col(SigningKey.kid))


class KeyInfo(NamedTuple):
    """A key for operators. `is_readable` is true if this host's secret decrypts it."""

    kid: str
    created_at: datetime
    retired_at: datetime | None
    ends_at: datetime | None
    is_readable: bool


@dataclass(slots=True)
class KeyStore:
    """The keys that one worker has read. If `signing_key` is true, the newest signs tokens, otherwise the secret."""

    database: Database
    signer: session_tokens.TokenSigner
    cipher: signing.KeyCipher
    signing_key: bool
    _refreshed_at: datetime | None = None
    _refresh_started_at: float = -MIN_INTERVAL
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    _decrypted: dict[str, signing.Key | None] = field(default_factory=dict)

    async def open(self) -> None:
        """Read the keys, and create the first signing key if there is none."""
        await self._load()
        if self.signing_key and self.signer.keys.signing_key is None:
            async with audit.transaction(self.database, SYSTEM, "rotateKeys") as tx:
                await tx.lock(LOCK)
                if self._verification_keys(await tx.rows(_KEYS)).signing_key is None:
                    await _insert_key(tx, self.cipher)
                else:
                    audit.discard(tx)  # another worker has created it
            await self._load()

    async def refresh(self) -> None:
        """Read the keys again if they are older than MAX_AGE. Called before a token is verified or issued."""
        if self.is_stale():
            async with self._lock:
                if self.is_stale():
                    await self._load()

    def is_stale(self, now: datetime | None = None) -> bool:
        """Return whether the keys must be read again; true as well after the clock was set back."""
        return (
            self._refreshed_at is None
            or not self._refreshed_at <= (now or self.database.clock()) < self._refreshed_at + MAX_AGE
        )

    async def refresh_for_unknown_key(self) -> None:
        """Read the keys again, because a token names an unknown key, which another worker may have created.

        Concurrent callers share one read, and reads are at least MIN_INTERVAL apart, so that tokens with invented
        names cause few queries. The read always begins after the call, so a new key is never missed.
        """
        called_at = monotonic()
        async with self._lock:
            if self._refresh_started_at <= called_at:
                await asyncio.sleep(self._refresh_started_at + MIN_INTERVAL - monotonic())
                await self._load()

    async def _load(self) -> None:
        started_at, now = monotonic(), self.database.clock()
        token = request_stats.CURRENT.set(None)  # the query does not count as one of the request
        try:
            self.signer.keys = self._verification_keys(await self.database.ask(_KEYS, freshness=Freshness.PRIMARY))
        finally:
            request_stats.CURRENT.reset(token)
        self._refresh_started_at, self._refreshed_at = started_at, now

    def _verification_keys(self, rows: Sequence[Row]) -> session_tokens.VerificationKeys:
        self._decrypted = {kid: self._decrypt(kid, encrypted) for kid, encrypted, *_ in rows}
        keys = {kid: (key, ends_at) for kid, _, _, _, ends_at in rows if (key := self._decrypted[kid]) is not None}
        current = [keys[kid][0] for kid, _, _, retired_at, _ in rows if kid in keys and retired_at is None]
        return session_tokens.VerificationKeys(keys, current[-1] if current and self.signing_key else None)

    def _decrypt(self, kid: str, encrypted: str) -> signing.Key | None:
        if kid in self._decrypted:
            return self._decrypted[kid]
        key = self.cipher.decrypt(kid, encrypted)
        if key is None:
            log.warning("the key %s cannot be decrypted: it was encrypted under another secret", kid)
        return key


async def list_keys(store: KeyStore) -> list[KeyInfo]:
    """Return every stored key, oldest first."""
    rows = await store.database.ask(_KEYS, freshness=Freshness.PRIMARY)
    return [
        KeyInfo(kid, created_at, retired_at, ends_at, store.cipher.decrypt(kid, encrypted) is not None)
        for kid, encrypted, created_at, retired_at, ends_at in rows
    ]


async def rotate(store: KeyStore, lifetime: timedelta, *, revoke: bool = False) -> str:
    """Create a key that signs from now on, and return its name.

    Older keys verify until their last token has ended. With `revoke` they are deleted, and all their tokens become
    invalid.
    """
    async with audit.transaction(store.database, SYSTEM, "rotateKeys") as tx:
        await tx.lock(LOCK)
        is_over = col(SigningKey.ends_at) <= tx.now
        await tx.rows(delete(SigningKey) if revoke else delete(SigningKey).where(is_over))
        ends = {"retired_at": tx.now, "ends_at": tx.now + lifetime + OVERLAP}
        await tx.rows(update(SigningKey).where(col(SigningKey.retired_at).is_(None)).values(**ends))
        return await _insert_key(tx, store.cipher)


async def _insert_key(tx: Transaction, cipher: signing.KeyCipher) -> str:
    key = signing.Key.generate()
    await tx.insert(SigningKey, [{"kid": key.kid, "sealed": cipher.encrypt(key), "created_at": tx.now}])
    return key.kid
