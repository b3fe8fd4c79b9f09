"""The entries of an audit event, one for each thing that it concerns; many of them are kept as bytes meanwhile.

A change may concern a hundred thousand things. As objects they would keep the collector of garbage busy for longer than
others may have to wait; as bytes it does not look at them.
"""

import marshal
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from app.db import chunks
from app.domain import refs
from app.services.audit.states import AuditLink, LinkEnd, LinkQuery, ObjectRef, ObjectState, Values

BATCH_SIZE = 250
"""How many things are looked at by one statement, and compared in one piece."""

MAX_CHANGE = 32_768
"""How many bytes are kept of what a thing was before, and of what it is after."""

MAX_LINKS = MAX_CHANGE // 6
"""How many ties under one word pass that in any case: so many are never shown, and no more are collected."""


@dataclass(slots=True)
class AuditEntry:
    """What is kept of one thing: before is None when it was made, after when it was deleted."""

    name: str | None
    before: Values | None
    after: Values | None

    def link(self, side: LinkEnd, was: Any, now: Any) -> None:
        """Tell what it has to do with another thing, under the name of that one."""
        for values, value in ((self.before, was), (self.after, now)):
            if values is not None:
                here = values.setdefault(side.word, {})
                if value is not None and len(here) <= MAX_LINKS:
                    here[side.name] = value


class AuditEntries:
    """The entries of an event by their things."""

    def __init__(self) -> None:
        self._open: dict[ObjectRef, AuditEntry] = {}
        self._packed: dict[ObjectRef, bytes] = {}

    def at(self, thing: ObjectRef, name: str | None) -> AuditEntry:
        """Return the entry of a thing; a new one where it has none."""
        found = self._open.get(thing)
        if found is None:
            packed = self._packed.pop(thing, None)
            found = self._open[thing] = AuditEntry(name, {}, {}) if packed is None else AuditEntry(*_load(packed))
        return found

    def put(self, thing: ObjectRef, entry: AuditEntry) -> None:
        """Take the entry of a thing that has none yet."""
        self._open[thing] = entry

    def pack(self) -> None:
        """Keep as bytes what is there, unless it is little."""
        if len(self._open) > BATCH_SIZE:
            for thing, entry in self._open.items():
                self._packed[thing] = marshal.dumps((entry.name, entry.before, entry.after))
            self._open.clear()

    async def pop_all(self) -> AsyncIterator[Iterable[tuple[ObjectRef, AuditEntry]]]:
        """Hand out all that have a name, some at a time, and keep none of them."""
        async for things in chunks([*self._packed], BATCH_SIZE):
            yield [(thing, AuditEntry(*_load(self._packed.pop(thing)))) for thing in things]
        yield [(thing, entry) for thing, entry in self._open.items() if entry.name is not None]

    def compare(self, thing: ObjectRef, before: ObjectState | None, after: ObjectState | None) -> None:
        """Take what differs; all there is of what was made or deleted."""
        if before is None or after is None:
            if (shot := before or after) is not None:
                values = (None if each is None else each.holds for each in (before, after))
                self.put(thing, AuditEntry(shot.name, *values))
            return
        words = [word for word, value in before.holds.items() if not _is_same(value, after.holds[word])]
        values = ({word: shot.holds[word] for word in words} for shot in (before, after))
        self.put(thing, AuditEntry(after.name, *values))

    def move(self, thing: ObjectRef, was: Sequence[LinkEnd], now: Sequence[LinkEnd]) -> None:
        """Tell of what came to an org or an owner, or left one, there too."""
        node = refs.encode(*thing)
        for side in was:
            self.at(side.thing, side.called).link(side, node, None)
        for side in now:
            self.at(side.thing, side.called).link(side, None, node)

    def link(self, asked: LinkQuery, ends: tuple[int, int], was: AuditLink | None, now: AuditLink | None) -> None:
        """Tell a tie that differs at both its ends; one that does not, makes them known where they were asked for."""
        tie = now or was
        assert tie is not None
        values = [None if each is None else each.holds for each in (was, now)]
        for side, key, keys in zip(tie.sides, ends, (asked.of, asked.to), strict=False):
            if values[0] != values[1]:
                self.at(side.thing, side.called).link(side, *values)
            elif keys is not None and key in keys:
                self.at(side.thing, side.called)


def _is_same(was: Any, now: Any) -> bool:
    """To Python 1 is true and 1.0; in JSON they are not the same."""
    if was is now or type(was) is type(now) is str:
        return bool(was == now)
    return orjson.dumps(was, option=orjson.OPT_SORT_KEYS) == orjson.dumps(now, option=orjson.OPT_SORT_KEYS)


def fit_to_limit(values: Values | None) -> Values | None:
    """As much as is kept, the smallest first, and a word that there was more."""
    if values is None or len(orjson.dumps(values)) <= MAX_CHANGE:
        return values
    sizes = {word: len(orjson.dumps(value)) for word, value in values.items()}
    left, kept = MAX_CHANGE, {"truncated": True}
    for word in sorted(sizes, key=sizes.__getitem__):
        left -= sizes[word] + len(word)
        if left > 0:
            kept[word] = values[word]
    return kept


def pack_state(shot: ObjectState) -> bytes:
    """A shot as bytes."""
    return marshal.dumps((shot.name, shot.holds, pack_ends(shot.places)))


def unpack_state(shot: ObjectState | bytes | None) -> ObjectState | None:
    """A shot that may have been kept as bytes."""
    if not isinstance(shot, bytes):
        return shot
    name, holds, places = _load(shot)
    return ObjectState(name, holds, frozenset(unpack_ends(places)))


def pack_link(tie: AuditLink) -> bytes:
    """A tie as bytes."""
    return marshal.dumps((pack_ends(tie.sides), tie.holds))


def unpack_link(tie: AuditLink | bytes | None) -> AuditLink | None:
    """A tie that may have been kept as bytes."""
    if not isinstance(tie, bytes):
        return tie
    sides, holds = _load(tie)
    return AuditLink(unpack_ends(sides), holds)


def pack_ends(sides: Iterable[LinkEnd]) -> bytes:
    """Sides as bytes."""
    return marshal.dumps([(side.thing, side.called, side.word, side.name) for side in sides])


def unpack_ends(sides: bytes) -> tuple[LinkEnd, ...]:
    """Sides that were kept as bytes."""
    return tuple(LinkEnd(*each) for each in _load(sides))


def _load(packed: bytes) -> Any:
    return marshal.loads(packed)  # noqa: S302 - this process has written it
