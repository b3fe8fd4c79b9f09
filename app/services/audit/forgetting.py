"""Erasing a deleted user from the audit log: the events stay, and say a pseudonym in place of names and addresses."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import orjson
from sqlalchemy import Executable, Text, bindparam, exists, null, select, tuple_, type_coerce, update

from app.db import Database, Freshness, Transaction, at_one_moment
from app.db.statements import Row
from app.db.tables import (
    AuditChange,
    AuditEvent,
    Grant,
    GroupMember,
    KeyText,
    Lock,
    LockEvent,
    OrgMember,
    RowId,
    User,
    casefold_key,
    col,
)
from app.domain import refs
from app.domain.errors import OstiaryError
from app.domain.viewer import SYSTEM
from app.query.relations import among, texts
from app.security.seal_key import SealKey
from app.services import retries
from app.services.audit import recorder
from app.services.audit.pruning import begin, end, load_seals, require_sealed
from app.services.audit.sealing import seal_all
from app.services.audit.seals import PAGE, Entries, Reader, Seal, digest_range, unpack
from app.services.audit.states import USER

ACTION = "forgetUser"

PERSONAL = ("displayName", "email", "metadata")
"""Values of a user that are erased; the user name is replaced."""

NAMES = frozenset({"owner", "user", "userName"})
"""Keys of values that are user names."""

MEMBERS, ACCESS = "members", "access"
"""Keys of objects whose keys are user names, and `user:` with user names."""

_SUBJECT = "user:"

Report = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class Forgotten:
    """The number of events that were changed, and the name that the log has now."""

    events: int
    pseudonym: str


@dataclass(slots=True)
class _Identity:
    """A deleted user as the log knows them: the user names with their first and last event, and the addresses."""

    key: int
    names: list[tuple[str, int, int]] = field(default_factory=list)
    emails: set[str] = field(default_factory=set)

    @property
    def pseudonym(self) -> str:
        """Return the name in place of all others. No user name has spaces and letters like these."""
        return f"forgotten user {self.key}"

    def span(self) -> tuple[int, int]:
        """Return the first and the last event in which the names may occur."""
        return min(first for _, first, _ in self.names), max(last for *_, last in self.names)

    def is_name(self, text: str, event: int) -> bool:
        """Return whether a text is a name that the user had at an event; at others it may be that of another user."""
        key = casefold_key(text)
        return any(casefold_key(name) == key and first <= event <= last for name, first, last in self.names)


async def forget(database: Database, key: SealKey, user: str, report: Report) -> Forgotten:
    """Erase a deleted user, given by the global id or by the last user name, as one audit event.

    Raises OstiaryError if there is no such user in the log, if several had the name, or if the user still exists.
    Raises LogDiffers if an event to change is not as it was sealed.
    """
    await seal_all(database, key)
    identity = await _identify(database, await _find(database, user))
    changes = [change async for change in _rewritten(database, identity, report)]
    return await retries.run(partial(_write, database, key, identity, changes))


async def _write(
    database: Database, key: SealKey, identity: _Identity, changes: Sequence[tuple[int, Mapping[str, Any]]]
) -> Forgotten:
    rows = await database.ask(_ACTED, freshness=Freshness.PRIMARY, user=identity.key)
    events = sorted({row[0] for row in rows} | {event for event, _ in changes})
    async with at_one_moment(database) as reader:
        seals = await load_seals(reader, events)
        for seal in seals:
            await require_sealed(reader, seal, key)
    name = identity.pseudonym
    async with recorder.transaction(database, SYSTEM, ACTION) as tx:
        await begin(tx, seals)
        await tx.rows(_FORGET_ACTOR, user=identity.key, new_name=name, new_key=casefold_key(name))
        await tx.update_many(AuditChange, [values for _, values in changes])
        amended = [seal.amended(await _digests(tx, seal, events), tx.now, key, rewrites=True) for seal in seals]
        await end(tx, amended)
        await _forget_in_registry(tx, identity)
        recorder.note(tx, USER, identity.key, {"forgotten": True, "events": len(events)}, name=name)
    return Forgotten(len(events), name)


async def _digests(tx: Transaction, seal: Seal, events: Sequence[int]) -> Entries:
    """Return the digests of a seal, those of the changed events new."""
    entries, reader = unpack(seal.entries), _TransactionReader(tx)
    for event in events:
        if event in entries:
            entries |= await digest_range(reader, event, event)
    return entries


class _TransactionReader:
    """Reads of the rows as the transaction has changed them."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    async def ask(self, statement: Executable, *, freshness: Freshness, **values: Any) -> list[Row]:
        """Read the rows of one statement."""
        del freshness
        return await self._tx.rows(statement, **values)


async def _forget_in_registry(tx: Transaction, identity: _Identity) -> None:
    """Replace the name where it is stored beside what the user did. Most of these rows no longer have the id."""
    values = {"new_name": identity.pseudonym}
    await tx.rows(_FORGET_GRANTS, user=identity.key, **values)
    names = [name for name, *_ in identity.names]
    for table, name, actor in _RECORDED:
        statement = update(table).where(among(col(name), texts(names)), col(actor).is_(None))
        await tx.rows(statement.values({col(name): bindparam("new_name", type_=Text())}), **values)


async def _find(reader: Reader, user: str) -> int:
    """Return the id of a deleted user; raise OstiaryError without exactly one."""
    key = refs.key_of(USER, user)
    rows = await reader.ask(_USERS, freshness=Freshness.PRIMARY)
    matching = {
        row[0]: bool(row[2])
        for row in rows
        if row[0] == key or (key is None and casefold_key(row[1]) == casefold_key(user))
    }
    deleted = [int(each) for each, is_present in matching.items() if not is_present]
    if len(deleted) == 1:
        return deleted[0]
    if deleted:
        ids = ", ".join(refs.encode(USER, each) for each in sorted(deleted))
        raise OstiaryError(f"several deleted users had the name {user}; name one by id: {ids}")
    if matching:
        raise OstiaryError(f"{user} still has an account: delete it first, then erase it from the log")
    raise OstiaryError(f"the audit log has no user {user}")


async def _identify(reader: Reader, key: int) -> _Identity:
    """Collect the names, with the events between which they were this user's, and the e-mail addresses."""
    identity = _Identity(key)
    rows = await reader.ask(_STATES, freshness=Freshness.PRIMARY, subject=refs.encode(USER, key))
    acted = await reader.ask(_ACTED, freshness=Freshness.PRIMARY, user=key)
    begin_at, last = 0, max([row[0] for row in [*rows, *acted]], default=0)
    current = rows[0][1] if rows else next((row[1] for row in acted if row[1]), identity.pseudonym)
    for event, name, before, after in rows:
        for values in (before or {}, after or {}):
            if isinstance(values.get("email"), str):
                identity.emails.add(values["email"].casefold())
        if before is None and after:
            begin_at = event
        old, new = ((values or {}).get("userName") for values in (before, after))
        if isinstance(old, str) and isinstance(new, str):
            identity.names.append((old, begin_at, event))
            begin_at, current = event, new
        else:
            current = name
    identity.names.append((current, begin_at, last))
    return identity


async def _rewritten(reader: Reader, identity: _Identity, report: Report) -> AsyncIterator[tuple[int, dict[str, Any]]]:
    """Yield the event and the new values of every row of the log that says something of the user."""
    first, last = identity.span()
    after: Sequence[Any] = (first, "", 0)
    clues = {name.casefold() for name, *_ in identity.names} | identity.emails
    read = 0
    while True:
        values = dict(zip(("event", "name", "key"), after, strict=True))
        rows = await reader.ask(_CHANGES, freshness=Freshness.PRIMARY, **values, last=last)
        for row in rows:
            if (change := _rewrite(row, identity, clues)) is not None:
                yield change
        read += len(rows)
        report("changes read", read, 0)
        if len(rows) < PAGE:
            return
        after = rows[-1][:3]


def _rewrite(row: Row, identity: _Identity, clues: set[str]) -> tuple[int, dict[str, Any]] | None:
    """Return the event and the new values of a row, None if they are the old ones."""
    event, name, change_key, kind, key, *documents = row
    is_own = (kind, key) == (USER, identity.key)
    text = "\n".join(each for each in documents if each is not None).casefold()
    if not is_own and not any(clue in text for clue in clues):
        return None
    old = [None if each is None else orjson.loads(each) for each in documents]
    eraser = _Eraser(identity, event)
    new = [eraser.erase(_without_personal(each) if is_own else each) for each in old]
    new_name = identity.pseudonym if is_own else name
    if (new_name, new) == (name, old):
        return None
    return event, {"id": change_key, "name": new_name, "before": new[0], "after": new[1]}


def _without_personal(values: dict[str, Any] | None) -> dict[str, Any] | None:
    if values is None:
        return None
    return {key: None if key in PERSONAL else value for key, value in values.items()}


@dataclass(frozen=True, slots=True)
class _Eraser:
    """Replacement of the names and the e-mail addresses of a user in the values of one event."""

    identity: _Identity
    event: int

    def erase(self, value: Any, under: str = "") -> Any:
        """Return the value, which is stored under a key, without them."""
        if isinstance(value, dict):
            return {self._erase_key(key, under): self.erase(each, key) for key, each in value.items()}
        if isinstance(value, list):
            return [self.erase(each, under) for each in value]
        if isinstance(value, str):
            if value.casefold() in self.identity.emails:
                return None
            if under in NAMES and self.identity.is_name(value, self.event):
                return self.identity.pseudonym
        return value

    def _erase_key(self, key: str, under: str) -> str:
        if under == MEMBERS and self.identity.is_name(key, self.event):
            return self.identity.pseudonym
        is_subject = under == ACCESS and key.startswith(_SUBJECT)
        if is_subject and self.identity.is_name(key.removeprefix(_SUBJECT), self.event):
            return f"{_SUBJECT}{self.identity.pseudonym}"
        return key


_USER = bindparam("user", type_=RowId())
_ACTED = select(col(AuditEvent.id), col(AuditEvent.actor_name)).where(col(AuditEvent.actor_id) == _USER)
_EXISTS = exists().where(col(User.id) == col(AuditChange.key)).correlate(AuditChange)
_USERS = select(col(AuditChange.key), col(AuditChange.name), _EXISTS).where(col(AuditChange.kind) == USER).distinct()
_STATES = (
    select(col(AuditChange.event_id), col(AuditChange.name), col(AuditChange.before), col(AuditChange.after))
    .where(col(AuditChange.subject) == bindparam("subject", type_=KeyText()))
    .order_by(col(AuditChange.event_id))
)
_ORDER = (col(AuditChange.event_id), col(AuditChange.name), col(AuditChange.id))
_after = tuple_(bindparam("event", type_=RowId()), bindparam("name", type_=KeyText()), bindparam("key", type_=RowId()))
_CHANGES = (
    select(
        *_ORDER,
        col(AuditChange.kind),
        col(AuditChange.key),
        type_coerce(col(AuditChange.before), Text),
        type_coerce(col(AuditChange.after), Text),
    )
    .where(
        col(AuditChange.event_id) <= bindparam("last", type_=RowId()),
        tuple_(*_ORDER) > _after,
    )
    .order_by(*_ORDER)
    .limit(PAGE)
)
_FORGET_ACTOR = (
    update(AuditEvent)
    .where(col(AuditEvent.actor_id) == _USER)
    .values(
        actor_name=bindparam("new_name", type_=Text()),
        actor_key=bindparam("new_key", type_=KeyText()),
        address=null(),
    )
)
_FORGET_GRANTS = (
    update(Grant).where(col(Grant.granted_by) == _USER).values(granted_by_name=bindparam("new_name", type_=Text()))
)
_RECORDED: tuple[tuple[Any, Any, Any], ...] = (
    (OrgMember, OrgMember.granted_by_name, OrgMember.granted_by),
    (GroupMember, GroupMember.added_by_name, GroupMember.added_by),
    (Lock, Lock.user_name, Lock.user_id),
    (LockEvent, LockEvent.user_name, LockEvent.user_id),
)
"""Tables, their columns of names, and the columns of the ids, which are null after the user was deleted."""
