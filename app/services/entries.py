"""The entries of an audit event, one for each thing that it concerns; many of them are kept as bytes meanwhile.

A change may concern a hundred thousand things. As objects they would keep the collector of garbage busy for longer than
others may have to wait; as bytes it does not look at them.
"""

import marshal
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from app import ids
from app.db import pieces
from app.services.snapshots import Asked, Shot, Side, Thing, Tie, Values

AT_ONCE = 250
"""How many things are looked at by one statement, and compared in one piece."""

MAX_CHANGE = 32_768
"""How many bytes are kept of what a thing was before, and of what it is after."""

MOST_TIES = MAX_CHANGE // 6
"""How many ties under one word pass that in any case: so many are never shown, and no more are collected."""


@dataclass(slots=True)
class Entry:
    """What is kept of one thing: before is None when it was made, after when it was deleted."""

    name: str | None
    before: Values | None
    after: Values | None

    def tie(self, side: Side, was: Any, now: Any) -> None:
        """Tell what it has to do with another thing, under the name of that one."""
        for values, value in ((self.before, was), (self.after, now)):
            if values is not None:
                here = values.setdefault(side.word, {})
                if value is not None and len(here) <= MOST_TIES:
                    here[side.name] = value


class Entries:
    """The entries of an event by their things."""

    def __init__(self) -> None:
        self._open: dict[Thing, Entry] = {}
        self._packed: dict[Thing, bytes] = {}

    def at(self, thing: Thing, name: str | None) -> Entry:
        """Return the entry of a thing; a new one where it has none."""
        found = self._open.get(thing)
        if found is None:
            packed = self._packed.pop(thing, None)
            found = self._open[thing] = Entry(name, {}, {}) if packed is None else Entry(*_loaded(packed))
        return found

    def put(self, thing: Thing, entry: Entry) -> None:
        """Take the entry of a thing that has none yet."""
        self._open[thing] = entry

    def pack(self) -> None:
        """Keep as bytes what is there, unless it is little."""
        if len(self._open) > AT_ONCE:
            for thing, entry in self._open.items():
                self._packed[thing] = marshal.dumps((entry.name, entry.before, entry.after))
            self._open.clear()

    async def taken(self) -> AsyncIterator[Iterable[tuple[Thing, Entry]]]:
        """Hand out all that have a name, some at a time, and keep none of them."""
        async for things in pieces([*self._packed], AT_ONCE):
            yield [(thing, Entry(*_loaded(self._packed.pop(thing)))) for thing in things]
        yield [(thing, entry) for thing, entry in self._open.items() if entry.name is not None]

    def compare(self, thing: Thing, before: Shot | None, after: Shot | None) -> None:
        """Take what differs; all there is of what was made or deleted."""
        if before is None or after is None:
            if (shot := before or after) is not None:
                values = (None if each is None else each.holds for each in (before, after))
                self.put(thing, Entry(shot.name, *values))
            return
        words = [word for word, value in before.holds.items() if not _is_same(value, after.holds[word])]
        values = ({word: shot.holds[word] for word in words} for shot in (before, after))
        self.put(thing, Entry(after.name, *values))

    def move(self, thing: Thing, was: Sequence[Side], now: Sequence[Side]) -> None:
        """Tell of what came to an org or an owner, or left one, there too."""
        node = ids.encode(*thing)
        for side in was:
            self.at(side.thing, side.called).tie(side, node, None)
        for side in now:
            self.at(side.thing, side.called).tie(side, None, node)

    def tie(self, asked: Asked, ends: tuple[int, int], was: Tie | None, now: Tie | None) -> None:
        """Tell a tie that differs at both its ends; one that does not, makes them known where they were asked for."""
        tie = now or was
        assert tie is not None
        values = [None if each is None else each.holds for each in (was, now)]
        for side, key, keys in zip(tie.sides, ends, (asked.of, asked.to), strict=False):
            if values[0] != values[1]:
                self.at(side.thing, side.called).tie(side, *values)
            elif keys is not None and key in keys:
                self.at(side.thing, side.called)


def _is_same(was: Any, now: Any) -> bool:
    """To Python 1 is true and 1.0; in JSON they are not the same."""
    if was is now or type(was) is type(now) is str:
        return bool(was == now)
    return orjson.dumps(was, option=orjson.OPT_SORT_KEYS) == orjson.dumps(now, option=orjson.OPT_SORT_KEYS)


def fitting(values: Values | None) -> Values | None:
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


def packed_shot(shot: Shot) -> bytes:
    """A shot as bytes."""
    return marshal.dumps((shot.name, shot.holds, packed_sides(shot.places)))


def opened_shot(shot: Shot | bytes | None) -> Shot | None:
    """A shot that may have been kept as bytes."""
    if not isinstance(shot, bytes):
        return shot
    name, holds, places = _loaded(shot)
    return Shot(name, holds, frozenset(opened_sides(places)))


def packed_tie(tie: Tie) -> bytes:
    """A tie as bytes."""
    return marshal.dumps((packed_sides(tie.sides), tie.holds))


def opened_tie(tie: Tie | bytes | None) -> Tie | None:
    """A tie that may have been kept as bytes."""
    if not isinstance(tie, bytes):
        return tie
    sides, holds = _loaded(tie)
    return Tie(opened_sides(sides), holds)


def packed_sides(sides: Iterable[Side]) -> bytes:
    """Sides as bytes."""
    return marshal.dumps([(side.thing, side.called, side.word, side.name) for side in sides])


def opened_sides(sides: bytes) -> tuple[Side, ...]:
    """Sides that were kept as bytes."""
    return tuple(Side(*each) for each in _loaded(sides))


def _loaded(packed: bytes) -> Any:
    return marshal.loads(packed)  # noqa: S302 - this process has written it
