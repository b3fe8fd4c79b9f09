"""Reads of the audit log for operators: without a viewer, with every value."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, bindparam, exists, func, select, tuple_

from app.db import Database, Freshness
from app.db.statements import Row
from app.db.tables import AuditChange, AuditEvent, KeyText, RowId, casefold_key, col
from app.db.types import format_instant
from app.query.relations import SETTLED, Keys, among
from app.services.audit.seals import EVENT_COLUMNS, PAGE


@dataclass(frozen=True, slots=True)
class EventFilter:
    """Conditions on events, all of which must match; None matches every event.

    The times are from `since` on and before `until`. `actor` is a user name, `object_id` a global id.
    """

    since: datetime | None = None
    until: datetime | None = None
    actor: str | None = None
    action: str | None = None
    object_id: str | None = None

    def apply(self, events: Select[Any]) -> Select[Any]:
        """Return the SELECT of events with these conditions."""
        if self.since is not None:
            events = events.where(col(AuditEvent.at) >= self.since)
        if self.until is not None:
            events = events.where(col(AuditEvent.at) < self.until)
        if self.actor is not None:
            events = events.where(col(AuditEvent.actor_key) == casefold_key(self.actor))
        if self.action is not None:
            events = events.where(col(AuditEvent.action) == self.action)
        if self.object_id is not None:
            is_about = col(AuditChange.subject) == self.object_id
            events = events.where(exists().where(col(AuditChange.event_id) == col(AuditEvent.id), is_about))
        return events


async def newest(database: Database, conditions: EventFilter, limit: int) -> list[dict[str, Any]]:
    """Return the newest events, the newest first."""
    rows = conditions.apply(select(*EVENT_COLUMNS)).order_by(col(AuditEvent.id).desc()).limit(limit)
    events = await database.ask(rows, freshness=Freshness.PRIMARY)
    return [event async for event in _with_changes(database, events[::-1])][::-1]


async def stream(database: Database, conditions: EventFilter) -> AsyncIterator[dict[str, Any]]:
    """Yield all events that are committed now, the oldest first."""
    ((last,),) = await database.ask(_LAST, freshness=Freshness.PRIMARY)
    page = (
        conditions.apply(select(*EVENT_COLUMNS))
        .where(col(AuditEvent.id) > bindparam("after", type_=RowId()), col(AuditEvent.id) <= (last or 0))
        .order_by(col(AuditEvent.id))
        .limit(PAGE)
    )
    after = 0
    while events := await database.ask(page, freshness=Freshness.PRIMARY, after=after):
        async for event in _with_changes(database, events):
            yield event
        after = events[-1][0]


async def _with_changes(database: Database, events: Sequence[Row]) -> AsyncIterator[dict[str, Any]]:
    """Yield events, which are in the order of their ids, each as soon as its changes are read."""
    open_events = [_describe(event) for event in events]
    keys, at = [event[0] for event in events], 0
    after: Sequence[Any] = (0, "", 0)
    rows: Sequence[Row] = [()] * PAGE
    while len(rows) == PAGE:
        values = dict(zip(("event", "name", "key"), after, strict=True))
        rows = await database.ask(_CHANGES, freshness=Freshness.PRIMARY, events=keys, **values)
        for event, name, key, kind, subject, before, change in rows:
            while keys[at] != event:
                yield open_events[at]
                at += 1
            described = {"objectType": kind, "objectId": subject, "objectName": name, "before": before, "after": change}
            open_events[at]["changes"].append(described)
            after = event, name, key
    for each in open_events[at:]:
        yield each


def _describe(event: Row) -> dict[str, Any]:
    key, at, actor_id, actor_name, _, channel, address, request_id, action = event
    return {
        "event": key,
        "createdAt": format_instant(at),
        "action": action,
        "actorId": actor_id,
        "actorName": actor_name,
        "channel": channel,
        "address": address,
        "requestId": request_id,
        "changes": [],
    }


_LAST = select(func.max(col(AuditEvent.id))).where(col(AuditEvent.id) <= SETTLED)
_ORDER = (col(AuditChange.event_id), col(AuditChange.name), col(AuditChange.id))
_after = tuple_(bindparam("event", type_=RowId()), bindparam("name", type_=KeyText()), bindparam("key", type_=RowId()))
_CHANGES = (
    select(*_ORDER, col(AuditChange.kind), col(AuditChange.subject), col(AuditChange.before), col(AuditChange.after))
    .where(among(col(AuditChange.event_id), bindparam("events", type_=Keys(RowId()))), tuple_(*_ORDER) > _after)
    .order_by(*_ORDER)
    .limit(PAGE)
)
