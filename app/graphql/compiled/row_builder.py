"""Rows become objects: one selection is one dictionary display, written as Python and compiled with its plan.

A function that is written for its selection needs no loop over the fields of a row, as `dataclasses` has none over the
fields of an instance. What it is written from are names of GraphQL, places of columns, and nothing that a client chose
otherwise: everything else is handed in as a value.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from app.query.relations import FieldSpec, Layout, Table

Path = tuple[str, ...]
"""The response keys that lead from an object to one of the same row."""

Objects = list[dict[str, Any]]
Children = tuple[tuple[Path, Any], ...]
"""Steps, each with the way to the objects that hold its keys."""

PlanLevel = list[tuple[Any, Objects]]
"""Steps with the objects that hold their keys."""

Maker = Callable[[Sequence[Any], Any, Any], Objects]
"""From rows, a function that writes a row's cursor, and the viewer, to objects."""


@dataclass(frozen=True, slots=True, eq=False)
class RowBuilder:
    """What becomes of each row of a statement, and which steps go on from there."""

    make: Maker
    children: Children

    def below(self, objects: Objects) -> PlanLevel:
        """The steps that follow."""
        return below(self.children, objects)


def below(children: Children, objects: Objects) -> PlanLevel:
    """Each step with the objects at the end of its path, past parts that are null; none where there are no objects."""
    found: PlanLevel = []
    for path, step in children:
        holders = objects
        for key in path:
            holders = [part for each in holders if (part := each[key]) is not None]
        if holders:
            found.append((step, holders))
    return found


@dataclass(slots=True)
class Columns:
    """The select list of a statement as it grows; what is asked for twice is read once.

    Its rows `has_cursors` where somebody wants to know the place of one.
    """

    has_cursors: bool = False
    _positions: dict[tuple[str, FieldSpec, Table], int] = field(default_factory=dict)

    def add(self, name: str, cell: FieldSpec, table: Table) -> int:
        """Where a cell stands in the row."""
        return self._positions.setdefault((name, cell, table), len(self._positions))

    def layout(self) -> Layout:
        """The select list; the same for the same cells, so that plans share statements."""
        return _layout(tuple(self._positions))


@lru_cache(maxsize=4096)
def _layout(cells: tuple[tuple[str, FieldSpec, Table], ...]) -> Layout:
    return Layout(cells)


@dataclass(slots=True)
class BuilderSource:
    """A shape that is being written: `known` are the values that its text speaks of."""

    columns: Columns
    known: dict[str, Any] = field(default_factory=dict)
    children: list[tuple[Path, Any]] = field(default_factory=list)

    def name(self, value: Any) -> str:
        """A name for a value."""
        name = f"v{len(self.known)}"
        self.known[name] = value
        return name

    def value(self, at: int, change: Any, *, required: bool) -> str:
        """The text of a cell: kept, or changed; nulls stay null where they may be."""
        cell = f"row[{at}]"
        if change is None:
            return cell
        changed = f"{self.name(change)}({cell})"
        return changed if required else f"None if {cell} is None else {changed}"

    def build(self, text: str) -> RowBuilder:
        """Compile the text of an object."""
        program = f"def make(rows, cursor, viewer):\n    return [{text} for row in rows]\n"
        exec(compile(program, "<shape>", "exec"), self.known)  # noqa: S102 - written above, of names and numbers
        return RowBuilder(self.known["make"], tuple(self.children))
