"""The entries of an audit event, one for each object that the change concerns.

A change may concern a hundred thousand objects. As Python objects they would make each run of the garbage collector
block the event loop for too long. So most entries are stored as bytes, which the collector does not scan.
"""

import marshal
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from app.db import chunks
from app.domain import refs
from app.domain.json_values import is_same_json
from app.services.audit.states import AuditLink, LinkEnd, LinkQuery, ObjectRef, ObjectState, Values

BATCH_SIZE = 250
"""Objects that one statement loads, and that are compared without yielding to the event loop."""

MAX_CHANGE = 32_768
"""Bytes stored of an object's state before a change, and of its state after it."""

MAX_LINKS = MAX_CHANGE // 6
"""Links under one key. More would exceed MAX_CHANGE in any case and be cut, so they are not collected."""


@dataclass(slots=True)
class AuditEntry:
    """The stored values of one object. `before` is None if the change created it, `after` if it deleted it."""

    name: str | None
    before: Values | None
    after: Values | None

    def link(self, end: LinkEnd, before: Any, after: Any) -> None:
        """Add the values of a link to another object, under the name of that object."""
        for values, value in ((self.before, before), (self.after, after)):
            if values is not None:
                links = values.setdefault(end.key, {})
                if value is not None and len(links) <= MAX_LINKS:
                    links[end.other_name] = value


class AuditEntries:
    """The entries of an event by their objects."""

    def __init__(self) -> None:
        self.differ = False
        """True if any value differs."""
        self._open: dict[ObjectRef, AuditEntry] = {}
        self._packed: dict[ObjectRef, bytes] = {}

    def at(self, ref: ObjectRef, name: str | None) -> AuditEntry:
        """Return the entry of an object, a new one if it has none."""
        entry = self._open.get(ref)
        if entry is None:
            packed = self._packed.pop(ref, None)
            entry = self._open[ref] = AuditEntry(name, {}, {}) if packed is None else AuditEntry(*_load(packed))
        return entry

    def put(self, ref: ObjectRef, entry: AuditEntry) -> None:
        """Set the entry of an object that has none."""
        self._open[ref] = entry

    def pack(self) -> None:
        """Store the entries as bytes, unless they are few."""
        if len(self._open) > BATCH_SIZE:
            for ref, entry in self._open.items():
                self._packed[ref] = marshal.dumps((entry.name, entry.before, entry.after))
            self._open.clear()

    def pop_all(self) -> AsyncIterator[Iterable[tuple[ObjectRef, AuditEntry]]]:
        """Yield all entries that have a name in batches, and remove them."""
        few = [(ref, entry) for ref, entry in self._open.items() if entry.name is not None]
        return self._pop_packed(few) if self._packed else chunks(few, BATCH_SIZE)

    async def _pop_packed(
        self, few: Sequence[tuple[ObjectRef, AuditEntry]]
    ) -> AsyncIterator[Iterable[tuple[ObjectRef, AuditEntry]]]:
        async for batch in chunks([*self._packed], BATCH_SIZE):
            yield [(ref, AuditEntry(*_load(self._packed.pop(ref)))) for ref in batch]
        yield few

    def compare(self, ref: ObjectRef, before: ObjectState | None, after: ObjectState | None) -> Sequence[str]:
        """Add the values that differ, or all values if the object was created or deleted.

        Return the names of the values that differ of an object that is neither new nor deleted.
        """
        if before is None or after is None:
            if (state := before or after) is not None:
                values = (None if each is None else each.values for each in (before, after))
                self.put(ref, AuditEntry(state.name, *values))
                self.differ = True
            return ()
        values_after = after.values
        keys = [
            key
            for key, value in before.values.items()
            if value is not (new := values_after[key]) and not is_same_json(value, new)
        ]
        old, new = {key: before.values[key] for key in keys}, {key: values_after[key] for key in keys}
        self.put(ref, AuditEntry(after.name, old, new))
        self.differ |= bool(keys)
        return keys

    def move(self, ref: ObjectRef, was: Sequence[LinkEnd], now: Sequence[LinkEnd]) -> None:
        """Add links to the orgs and owners that an object has left (`was`) or joined (`now`)."""
        global_id = refs.encode(*ref)
        self.differ |= bool(was or now)
        for end in was:
            self.at(end.ref, end.object_name).link(end, global_id, None)
        for end in now:
            self.at(end.ref, end.object_name).link(end, None, global_id)

    def link(self, query: LinkQuery, ids: tuple[int, int], was: AuditLink | None, now: AuditLink | None) -> None:
        """Add a link that differs at both of its ends.

        A link that does not differ adds only the names of its objects, where the query asks for them by id.
        """
        link = now or was
        assert link is not None
        values = [None if each is None else each.values for each in (was, now)]
        for end, row_id, requested in zip(link.ends, ids, (query.source, query.target), strict=False):
            if values[0] != values[1]:
                self.at(end.ref, end.object_name).link(end, *values)
                self.differ = True
            elif requested is not None and row_id in requested:
                self.at(end.ref, end.object_name)


def fit_to_limit(values: Values | None) -> Values | None:
    """Return the values that fit in MAX_CHANGE, the smallest first, with a mark if any are cut."""
    if values is None or len(orjson.dumps(values)) <= MAX_CHANGE:
        return values
    sizes = {key: len(orjson.dumps(value)) for key, value in values.items()}
    bytes_left, fitting = MAX_CHANGE, {"truncated": True}
    for key in sorted(sizes, key=sizes.__getitem__):
        bytes_left -= sizes[key] + len(key)
        if bytes_left > 0:
            fitting[key] = values[key]
    return fitting


def pack_state(state: ObjectState) -> bytes:
    return marshal.dumps((state.name, state.values, pack_ends(state.parents)))


def unpack_state(state: ObjectState | bytes | None) -> ObjectState | None:
    if not isinstance(state, bytes):
        return state
    name, values, parents = _load(state)
    return ObjectState(name, values, frozenset(unpack_ends(parents)))


def pack_link(link: AuditLink) -> bytes:
    return marshal.dumps((pack_ends(link.ends), link.values))


def unpack_link(link: AuditLink | bytes | None) -> AuditLink | None:
    if not isinstance(link, bytes):
        return link
    ends, values = _load(link)
    return AuditLink(unpack_ends(ends), values)


def pack_ends(ends: Iterable[LinkEnd]) -> bytes:
    return marshal.dumps([(end.ref, end.object_name, end.key, end.other_name) for end in ends])


def unpack_ends(ends: bytes) -> tuple[LinkEnd, ...]:
    return tuple(LinkEnd(*each) for each in _load(ends))


def _load(packed: bytes) -> Any:
    return marshal.loads(packed)  # noqa: S302 - this process wrote the bytes
