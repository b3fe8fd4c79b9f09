"""The steps of a plan: each reads what hangs on the keys of many objects at once, and puts it in their place.

A step has a `slot`: the response key under which its objects hold a key into a source, until the step replaces it by
what was found. It opens with questions, or none, and goes on with their answers to the steps below.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from operator import itemgetter
from typing import Any

from graphql.execution.values import VariableValues

from app.db import BoundStatement, Database, Freshness
from app.db.statements import CompiledStatement, Row
from app.domain import refs
from app.domain.viewer import Viewer
from app.graphql.coercion.arguments import Arguments
from app.graphql.compiled.fallback import PlanFailed
from app.graphql.compiled.row_builder import Objects, PlanLevel, RowBuilder
from app.query.reader import group_by_key
from app.query.relations import Lookup

ResultTarget = Callable[[Sequence[Sequence[Row]]], PlanLevel]
"""Puts answers in their place; gives the steps that follow."""

Opened = tuple[list[BoundStatement], ResultTarget]

UNASKED: Opened = ([], lambda answers: [])
"""A step that has nothing to ask."""

_key = itemgetter(-1)


@dataclass(slots=True)
class PlanRun:
    """One execution of a plan."""

    viewer: Viewer
    database: Database
    variables: VariableValues
    binds: dict[str, Any]
    freshness: Freshness


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """A statement for many keys, one for a lone key, and what becomes of their rows."""

    many: CompiledStatement
    lone: Callable[[], CompiledStatement]
    shape: RowBuilder

    def question(self, run: PlanRun, keys: Sequence[Any]) -> BoundStatement:
        """Ask for the rows of these keys."""
        if len(keys) == 1:
            return self.lone(), {**run.binds, "key": keys[0]}
        return self.many, {**run.binds, "keys": keys}


@dataclass(frozen=True, slots=True, eq=False)
class RelationStep:
    """An edge to one row, or to all of the few rows of a key."""

    response_key: str
    is_many: bool
    is_required: bool
    rows: Rows

    @property
    def goes_on(self) -> bool:
        """Whether steps follow."""
        return bool(self.rows.shape.children)

    def open(self, run: PlanRun, holders: Objects) -> Opened:
        """Ask for the rows of all keys."""
        keys = keys_of(holders, self.response_key)
        if not keys:
            fill(holders, self.response_key, {}, none, self.is_required)
            return UNASKED

        def place(answers: Sequence[Sequence[Row]]) -> PlanLevel:
            rows = answers[0]
            made = self.rows.shape.make(rows, None, run.viewer)
            found = group_by_key(rows, made) if self.is_many else _first(rows, made)
            fill(holders, self.response_key, found, list if self.is_many else none, self.is_required)
            return self.rows.shape.below(made)

        return [self.rows.question(run, keys)], place


@dataclass(frozen=True, slots=True, eq=False)
class LookupStep:
    """One row by one of several ways, or several in the order of their ids. Nothing is planned for a way not gone."""

    response_key: str
    lookup: Lookup
    is_list: bool
    arguments: Arguments
    goes_on: bool
    parse_refs: Callable[[str], Rows]

    def open(self, run: PlanRun, holders: Objects) -> Opened:
        """Ask each way for its keys."""
        chosen = self._chosen(run)
        by_way: dict[str, list[Any]] = {}
        for each in chosen:
            if each is not None:
                by_way.setdefault(each[0], []).append(each[1])
        rows = {way: self.parse_refs(way) for way in by_way}

        def place(answers: Sequence[Sequence[Row]]) -> PlanLevel:
            found, wave = {}, PlanLevel()
            for (way, each), answer in zip(rows.items(), answers, strict=True):
                made = each.shape.make(answer, None, run.viewer)
                found[way] = _first(answer, made)
                wave += each.shape.below(made)
            each_found = [None if one is None else found[one[0]].get(one[1]) for one in chosen]
            for holder in holders:
                holder[self.response_key] = each_found if self.is_list else each_found[0]
            return wave

        return [each.question(run, list(dict.fromkeys(by_way[way]))) for way, each in rows.items()], place

    def _chosen(self, run: PlanRun) -> list[tuple[str, Any] | None]:
        given = self.arguments.of(run.variables)
        if self.is_list:
            return [self.lookup.choose({"id": each}) for each in refs.check_count(given["ids"])]
        return [self.lookup.choose(given)]


@dataclass(frozen=True, slots=True, eq=False)
class ServiceStep:
    """A question that a service answers with a leaf value."""

    response_key: str
    asks: Callable[..., Any]
    arguments: Arguments
    change: Callable[[Any], Any]

    async def answer(self, run: PlanRun, holders: Objects) -> None:
        """Ask, and put the answer in its place."""
        found = self.change(await self.asks(run.database, run.viewer, self.arguments.of(run.variables)))
        for holder in holders:
            holder[self.response_key] = found


def bare(prepared: CompiledStatement) -> CompiledStatement:
    """A statement whose rows stay as the driver gives them."""
    return replace(prepared, readers=())


def keys_of(parents: Objects, slot: str) -> list[Any]:
    """The keys that objects hold, each once."""
    return list({key: None for holder in parents if (key := holder[slot]) is not None})


def none() -> None:
    """What stands in the place of a row that is not found."""


def _first(rows: Sequence[Row], made: Sequence[Any]) -> dict[Any, Any]:
    """The first of each key."""
    return dict(zip(map(_key, reversed(rows)), reversed(made), strict=True))


def fill(parents: Objects, slot: str, rows_by_key: dict[Any, Any], empty: Callable[[], Any], is_required: bool) -> None:
    """Put what was found in the place of its keys; raises Surprise where nothing is and the API promises something."""
    for holder in parents:
        key = holder[slot]
        if key is not None:
            holder[slot] = rows_by_key[key] if key in rows_by_key else empty()
        if is_required and holder[slot] is None:
            raise PlanFailed("null where the API promises a row")
