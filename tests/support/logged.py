"""Reads of the audit log without the API, as plain rows."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select

from app import db
from app.db.tables import AuditChange, AuditEvent, col
from tests.support.fetching import fetch


@dataclass
class Event:
    """An event with its changes, by the kind and the name of the object: `User ann`."""

    id: int
    actor_id: int | None
    actor: str | None
    channel: str
    address: str | None
    request_id: str | None
    action: str
    changes: dict[str, tuple[Any, Any]] = field(default_factory=dict)

    @property
    def kinds(self) -> list[str]:
        """Return the kinds of the changed objects, each once."""
        return sorted({thing.partition(" ")[0] for thing in self.changes})


_EVENTS = (
    AuditEvent.id,
    AuditEvent.actor_id,
    AuditEvent.actor_name,
    AuditEvent.face,
    AuditEvent.address,
    AuditEvent.request_id,
    AuditEvent.action,
)
_CHANGES = (AuditChange.event_id, AuditChange.kind, AuditChange.name, AuditChange.before, AuditChange.after)


async def events(database: db.Database) -> list[Event]:
    """Return all events, the oldest first."""
    rows = await fetch(database, select(*map(col, _EVENTS)).order_by(col(AuditEvent.id)))
    by_id = {row[0]: Event(*row) for row in rows}
    for event, kind, name, before, after in await fetch(database, select(*map(col, _CHANGES))):
        thing = f"{kind} {name}"
        assert thing not in by_id[event].changes, "one row for each thing"
        by_id[event].changes[thing] = before, after
    return list(by_id.values())


@dataclass
class Since:
    """The events that were written during a block."""

    events: list[Event] = field(default_factory=list)

    @property
    def one(self) -> Event:
        """The only event."""
        (event,) = self.events
        return event


@asynccontextmanager
async def logged(database: db.Database) -> AsyncIterator[Since]:
    """`async with logged(database) as since: …`, then `since.events`."""
    before, since = len(await events(database)), Since()
    yield since
    since.events += (await events(database))[before:]
