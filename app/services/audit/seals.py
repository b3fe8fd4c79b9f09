"""Seals of the audit log: what makes tampering visible.

A seal covers the events between two ids and holds the digest of each. Its hash covers the hash of the seal before, so
that no seal can be changed or left out. A signature with a key that is not in the database covers both, and the events
that are left after a removal: only the owner of the secret can amend a seal.
"""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Protocol

import orjson
from sqlalchemy import BigInteger, Executable, Integer, Text, bindparam, select, tuple_, type_coerce

from app.db import Freshness
from app.db.statements import Row
from app.db.tables import AuditChange, AuditEvent, AuditSeal, KeyText, RowId, col
from app.db.types import format_instant
from app.security.seal_key import SealKey

NO_HASH = "0" * 64
"""Hash before the first seal."""

LOCK = "audit seals"
"""Name of the lock of those who write seals."""

PAGE = 200
"""Changes that are read at once."""

_ID_BYTES, _DIGEST_BYTES = 8, 32
_ENTRY_BYTES = _ID_BYTES + _DIGEST_BYTES

Entries = dict[int, bytes]
"""Digests of events by their ids, in the order of the ids."""


class Reader(Protocol):
    """A database, or a snapshot of it."""

    async def ask(self, statement: Executable, *, freshness: Freshness, **values: Any) -> list[Row]: ...


@dataclass(frozen=True, slots=True)
class Seal:
    """A row of `audit_seals`, in the order of its columns."""

    number: int
    first_event: int
    last_event: int
    events: int
    digest: str
    previous: str
    hash: str
    sealed_at: datetime
    entries: bytes
    amended_at: datetime | None
    is_rewritten: bool
    key_id: str
    signature: str

    @classmethod
    def new(cls, after: "Seal | None", entries: Entries, at: datetime, key: SealKey) -> "Seal":
        """Return the seal that follows on `after`."""
        number, first, previous = (
            (1, 1, NO_HASH) if after is None else (after.number + 1, after.last_event + 1, after.hash)
        )
        packed = pack(entries)
        digest = hashlib.sha256(packed).hexdigest()
        seal = cls(number, first, max(entries), len(entries), digest, previous, "", at, packed, None, False, "", "")
        return replace(seal, hash=seal.expected_hash()).signed(key)

    def amended(self, entries: Entries, at: datetime, key: SealKey, *, rewrites: bool = False) -> "Seal":
        """Return the seal of the same events after some were lawfully removed, or rewritten."""
        is_rewritten = self.is_rewritten or rewrites
        return replace(self, entries=pack(entries), amended_at=at, is_rewritten=is_rewritten).signed(key)

    def expected_hash(self) -> str:
        """Return the hash that belongs to the events as they were sealed, and to the seal before."""
        at = format_instant(self.sealed_at)
        parts = (self.number, self.first_event, self.last_event, self.events, self.digest, self.previous, at)
        return hashlib.sha256(orjson.dumps(parts)).hexdigest()

    def signed_text(self) -> bytes:
        """Return what the signature covers."""
        amended = format_instant(self.amended_at), bool(self.is_rewritten)
        return orjson.dumps([self.hash, hashlib.sha256(self.entries).hexdigest(), *amended])

    def signed(self, key: SealKey) -> "Seal":
        """Return the seal with the signature of a key."""
        return replace(self, key_id=key.id, signature=key.sign(self.signed_text()))

    def values(self) -> dict[str, Any]:
        """Return the row."""
        return {name: getattr(self, name) for name in SEAL_COLUMNS}


SEAL_COLUMNS = tuple(AuditSeal.__table__.columns.keys())  # type: ignore[attr-defined]  # SQLModel adds it


def pack(entries: Entries) -> bytes:
    """Return the digests as they are stored: 8 bytes of the id and 32 of the digest for each."""
    return b"".join(key.to_bytes(_ID_BYTES, "big") + digest for key, digest in sorted(entries.items()))


def unpack(packed: bytes) -> Entries:
    """Return the digests; of a text that is no list of them, as many as it has."""
    return {
        int.from_bytes(packed[at : at + _ID_BYTES], "big"): packed[at + _ID_BYTES : at + _ENTRY_BYTES]
        for at in range(0, len(packed), _ENTRY_BYTES)
    }


async def last_seal(reader: Reader) -> Seal | None:
    """Return the newest seal."""
    rows = await reader.ask(_LAST_SEAL, freshness=Freshness.PRIMARY)
    return Seal(*rows[0]) if rows else None


async def digest_events(reader: Reader, events: Iterable[Row], first: int, last: int) -> Entries:
    """Return the digests of events with all their changes. A change of an event that is missing counts as one.

    `events` are rows of EVENT_COLUMNS, all from the id `first` to `last`.
    """
    hashes = {row[0]: hashlib.sha256(_line(row)) for row in events}
    after: Sequence[Any] = (first, "", 0)
    while True:
        values = dict(zip(("event", "name", "key"), after, strict=True))
        rows = await reader.ask(_CHANGES, freshness=Freshness.PRIMARY, **values, last=last, size=PAGE)
        for row in rows:
            hashes.setdefault(row[0], hashlib.sha256()).update(_line(row))
        if len(rows) < PAGE:
            return {key: hashes[key].digest() for key in sorted(hashes)}
        after = rows[-1][:3]


async def digest_range(reader: Reader, first: int, last: int) -> Entries:
    """Return the digests of all events from one id to another."""
    rows = await reader.ask(_EVENTS, freshness=Freshness.PRIMARY, first=first, last=last)
    return await digest_events(reader, rows, first, last)


def _line(row: Row) -> bytes:
    """Return a row as one line of JSON, the same on both databases."""
    return orjson.dumps([format_instant(value) if isinstance(value, datetime) else value for value in row]) + b"\n"


EVENT_COLUMNS = tuple(
    map(
        col,
        (
            AuditEvent.id,
            AuditEvent.at,
            AuditEvent.actor_id,
            AuditEvent.actor_name,
            AuditEvent.actor_key,
            AuditEvent.face,
            AuditEvent.address,
            AuditEvent.request_id,
            AuditEvent.action,
        ),
    )
)
SELECT_SEALS = select(*(getattr(AuditSeal, name) for name in SEAL_COLUMNS))

_LAST_SEAL = SELECT_SEALS.order_by(col(AuditSeal.number).desc()).limit(1)
_first, _last = (bindparam(name, type_=RowId()) for name in ("first", "last"))
_EVENTS = (
    select(*EVENT_COLUMNS).where(col(AuditEvent.id) >= _first, col(AuditEvent.id) <= _last).order_by(col(AuditEvent.id))
)

# The index has this order. The documents are read as their text, which both databases store as it was written.
_ORDER = (col(AuditChange.event_id), col(AuditChange.name), col(AuditChange.id))
_CHANGES = (
    select(
        *_ORDER,
        col(AuditChange.at),
        col(AuditChange.kind),
        col(AuditChange.key),
        col(AuditChange.subject),
        type_coerce(col(AuditChange.before), Text),
        type_coerce(col(AuditChange.after), Text),
    )
    .where(
        col(AuditChange.event_id) <= _last,
        tuple_(*_ORDER)
        > tuple_(
            bindparam("event", type_=RowId()), bindparam("name", type_=KeyText()), bindparam("key", type_=BigInteger())
        ),
    )
    .order_by(*_ORDER)
    .limit(bindparam("size", type_=Integer()))
)
