"""Idempotency keys of changes: a repeated request gets the stored answer and changes nothing.

The outcome is written in the transaction of the change, so that it exists exactly if the change was committed. For that
the transaction stays open until the outcome is known: `audit.transaction` opens it by `KeyedChange.open`.
"""

import asyncio
import hashlib
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import Any, TypeVar
from weakref import WeakValueDictionary

from sqlalchemy import and_, bindparam, delete, select, tuple_, update

from app.db import Database, Freshness, Transaction
from app.db.statements import Row
from app.db.tables import JSONDocument, KeyText, MutationKey, RowId, User, UTCDateTime, col
from app.domain.errors import Conflict, InvalidInput
from app.domain.json_values import sorted_json
from app.domain.viewer import Viewer
from app.security.input_digest import InputDigest
from app.services import retries

Result = TypeVar("Result")

Outcome = Mapping[str, Any]
"""An outcome as JSON values."""

LIFETIME = timedelta(hours=24)

MAX_LENGTH = 128
_KEY = re.compile(rf"[ -~]{{1,{MAX_LENGTH}}}")

MAX_DELETED = 50
"""Old rows that one change deletes."""


@dataclass(frozen=True, slots=True)
class StoredOutcome:
    """The outcome of an earlier change with the same key and the same input."""

    outcome: Outcome


class KeyReused(Conflict):
    """The key belongs to another change of the last 24 hours."""


class _AlreadyMade(Exception):
    """Another request has made the change. It rolls back the transaction of this one."""

    def __init__(self, stored: StoredOutcome) -> None:
        super().__init__()
        self.stored = stored


@dataclass(eq=False)
class KeyedChange:
    """One change with an idempotency key. `path` is the path of the key in the input."""

    database: Database
    actor_id: int
    key_hash: str
    action: str
    input_hash: str
    path: tuple[str, ...]
    _stack: AsyncExitStack = field(default_factory=AsyncExitStack, init=False)
    _tx: Transaction | None = field(default=None, init=False)

    async def answer(
        self, work: Callable[[], Awaitable[Result]], pack: Callable[[Result], Outcome | None]
    ) -> Result | StoredOutcome:
        """Run the change unless it was made before, and return its result or the stored outcome.

        `pack` returns the outcome to store; None for a rejected change. Concurrent requests with one key wait for each
        other, in the transaction if they run in different processes. Raises Conflict if the key belongs to another
        change.
        """
        async with self._lock():
            if (stored := await self.find()) is not None:
                return stored
            try:
                result = await retries.run(partial(self._attempt, work, pack))
            except _AlreadyMade as repeated:
                return repeated.stored
            except Exception:
                # Another process may have made the change meanwhile, so that this one was rejected.
                if (stored := await self.find()) is None:
                    raise
                return stored
            return result if pack(result) is not None else await self.find() or result

    def _lock(self) -> asyncio.Lock:
        """Return the lock of the key in this process, so that no second request does the slow work in vain."""
        locks: WeakValueDictionary[tuple[int, str], asyncio.Lock]
        locks = self.database.caches.setdefault("locks of mutation keys", WeakValueDictionary())
        key = self.actor_id, self.key_hash
        lock = locks.get(key)
        if lock is None:
            lock = locks[key] = asyncio.Lock()
        return lock

    async def _attempt(self, work: Callable[[], Awaitable[Result]], pack: Callable[[Result], Outcome | None]) -> Result:
        """Run the change, store its outcome and commit both."""
        token = CURRENT.set(self)
        try:
            async with self._stack:
                result = await work()
                tx, outcome = self._tx, pack(result)
                if tx is not None and outcome is not None:
                    await self._store(tx, outcome)
            if tx is not None and tx.is_undone and outcome is not None:
                await self._store_alone(outcome)
            return result
        finally:
            self._tx = None
            CURRENT.reset(token)

    def open(self, transaction: AbstractAsyncContextManager[Transaction]) -> AbstractAsyncContextManager[Transaction]:
        """Open the transaction of the change. The end of the block leaves it open; an exception rolls it back."""
        return self._open(transaction)

    @asynccontextmanager
    async def _open(self, transaction: AbstractAsyncContextManager[Transaction]) -> AsyncIterator[Transaction]:
        assert self._tx is None, "a change has one transaction"
        self._tx = tx = await self._stack.enter_async_context(transaction)
        try:
            await self._lock_and_check(tx)
            yield tx
        except BaseException as error:
            self._tx = None
            await self._stack.__aexit__(type(error), error, error.__traceback__)
            raise

    async def _lock_and_check(self, tx: Transaction) -> None:
        """Wait for other requests with the key; end the transaction if one of them has made the change."""
        await tx.lock(f"mutation key {self.actor_id} {self.key_hash}")
        if (stored := self._stored(await tx.rows(_FIND, **self._values, after=tx.now - LIFETIME))) is not None:
            raise _AlreadyMade(stored)

    async def find(self) -> StoredOutcome | None:
        """Return the stored outcome of this change; raises Conflict if the key belongs to another change."""
        after = self.database.clock() - LIFETIME
        return self._stored(await self.database.ask(_FIND, freshness=Freshness.PRIMARY, **self._values, after=after))

    def _stored(self, rows: list[Row]) -> StoredOutcome | None:
        if not rows:
            return None
        action, input_hash, outcome = rows[0]
        if (action, input_hash) != (self.action, self.input_hash):
            text = "This key was used for another change in the last 24 hours. Send a new key."
            raise KeyReused(text, self.path)
        return StoredOutcome(outcome)

    async def _store(self, tx: Transaction, outcome: Outcome) -> None:
        """Store the outcome, and delete old rows, this key's too; a user who deleted themselves keeps none.

        These rows are no change of the registry: a transaction that writes nothing else is undone, and they with it.
        """
        has_written = tx.has_written
        await self._write(tx, outcome)
        tx.has_written = has_written

    async def _store_alone(self, outcome: Outcome) -> None:
        """Store the outcome of a change without effect, since what it has stored itself was undone with it."""
        async with self.database.write() as tx:
            await self._store(tx, outcome)

    async def _write(self, tx: Transaction, outcome: Outcome) -> None:
        await tx.rows(_DELETE_OLD, before=tx.now - LIFETIME)
        await tx.rows(_DELETE_THIS, **self._values)
        if await tx.value(_ACTOR, actor=self.actor_id) is None:
            return
        names = {"action": self.action, "input_hash": self.input_hash, "outcome": outcome, "created_at": tx.now}
        await tx.insert(MutationKey, [{"actor_id": self.actor_id, "key_hash": self.key_hash, **names}])

    async def complete(self, outcome: Outcome) -> None:
        """Add the outcome to the row of a committed change."""
        async with self.database.write() as tx:
            await tx.rows(_COMPLETE, **self._values, outcome=outcome)

    @property
    def _values(self) -> dict[str, Any]:
        return {"actor": self.actor_id, "key": self.key_hash}


CURRENT: ContextVar[KeyedChange | None] = ContextVar("keyed_change", default=None)
"""The change with an idempotency key that is in progress."""


def require_valid(key: str, viewer: Viewer, path: tuple[str, ...]) -> int:
    """Return the id of the viewer; raise InvalidInput for an invalid key, or for an anonymous viewer."""
    if not _KEY.fullmatch(key):
        raise InvalidInput(f"An idempotency key has 1 to {MAX_LENGTH} printable ASCII characters.", path)
    if viewer.user_id is None:
        raise InvalidInput("An idempotency key requires a signed-in user. Sign in, or send no key.", path)
    return viewer.user_id


def keyed_change(
    database: Database,
    digest: InputDigest,
    viewer: Viewer,
    key: str,
    action: str,
    values: Any,
    path: tuple[str, ...] = ("clientMutationKey",),
    kind: type[KeyedChange] = KeyedChange,
) -> KeyedChange:
    """Return the change of a key; `values` are the input as JSON values. Raises InvalidInput.

    The keys of an API token are its own: what it may see and do can be less than what its user may.
    """
    actor_id = require_valid(key, viewer, path)
    own_key = key if viewer.token_id is None else f"{viewer.token_id}\0{key}"
    key_hash = hashlib.sha256(own_key.encode()).hexdigest()
    input_hash = digest.digest(sorted_json([action, values]))
    return kind(database, actor_id, key_hash, action, input_hash, path)


_ACTOR = select(col(User.id)).where(col(User.id) == bindparam("actor", type_=RowId()))

_THIS = and_(
    col(MutationKey.actor_id) == bindparam("actor", type_=RowId()),
    col(MutationKey.key_hash) == bindparam("key", type_=KeyText()),
)

_FIND = select(col(MutationKey.action), col(MutationKey.input_hash), col(MutationKey.outcome)).where(
    _THIS, col(MutationKey.created_at) > bindparam("after", type_=UTCDateTime())
)

_COMPLETE = update(MutationKey).where(_THIS).values(outcome=bindparam("outcome", type_=JSONDocument()))

# A CTE with row locks runs once. As a plain subquery PostgreSQL may run it again for each row, past its limit.
_OLD = (
    select(col(MutationKey.actor_id), col(MutationKey.key_hash))
    .where(col(MutationKey.created_at) <= bindparam("before", type_=UTCDateTime()))
    .order_by(col(MutationKey.created_at))
    .limit(MAX_DELETED)
    .with_for_update(skip_locked=True)
    .cte("old")
)
_DELETE_OLD = delete(MutationKey).where(
    tuple_(col(MutationKey.actor_id), col(MutationKey.key_hash)).in_(select(_OLD.c.actor_id, _OLD.c.key_hash))
)
_DELETE_THIS = delete(MutationKey).where(_THIS)
