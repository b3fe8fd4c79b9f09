"""Row builders: functions from rows to JSON objects, compiled from Python text. A selection is a dictionary display.

A function that is generated for its selection needs no loop over the fields of a row, as the methods that `dataclasses`
generates. Its text contains only response keys, names of the schema and column indexes; all other values are bound by
name.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, ClassVar, Protocol, TypeGuard, TypeVar

from app.db import BoundStatement
from app.db.statements import Row
from app.graphql.compiled.plan_run import Objects, PlanRun
from app.graphql.compiled.service_step import ServiceStep
from app.query.relations import FieldSpec, Layout, Table

Path = tuple[str, ...]
"""The response keys that lead from an object to a nested object of the same row."""

Children = tuple[tuple[Path, "Step"], ...]
"""Steps, each with the path to the objects that hold its keys."""

PlanLevel = list[tuple["Step", Objects]]
"""Steps with the objects that hold their keys."""

ResultTarget = Callable[[Sequence[Sequence[Row]]], PlanLevel]
"""A function that writes results into the parent objects and returns the steps that follow."""

OpenedStep = tuple[list[BoundStatement], ResultTarget]
"""The statements of a step, and the target of their results."""

KeyColumns = tuple[int, ...]
"""The index of the column that has the keys of a step, then those that are null in rows whose key is not needed."""

NO_KEYS = None
"""In place of the columns of the keys of a step: the viewers of the plan may see no key."""

Maker = Callable[[Sequence[Any], Any, Any], Objects]
"""A function of the rows, a function that writes the cursor of a row, and the `PlanRun`; returns one object a row."""


class Step(Protocol):
    """A read of the rows of one field for many parent objects at once."""

    is_joinable: ClassVar[bool]
    """True for a `JoinableStep` that can be read with the one before it."""

    @property
    def has_children(self) -> bool:
        """Return whether steps may follow."""

    def open(self, run: PlanRun, parents: Objects, /) -> OpenedStep:
        """Return the statements for the keys of all parents, and their target."""


class JoinableStep(Step, Protocol):
    """A step whose statements can be sent before its keys are known: another statement selects them."""

    @property
    def row_builders(self) -> "Sequence[RowBuilder]":
        """Return the builders of the rows of the first statement."""

    def open_unkeyed(self, run: PlanRun, /) -> list[BoundStatement]:
        """Return the statements of `open` for the keys that another statement selects."""


def is_joinable(step: Step) -> TypeGuard[JoinableStep]:
    """Return whether a step can be joined with the one before."""
    return step.is_joinable


@dataclass(frozen=True, slots=True, eq=False)
class RowBuilder:
    """The function that makes objects of the rows of a statement, and the steps that follow.

    `services` are the fields of the root that need no rows. `key_columns` has the steps whose keys are the unchanged
    values of a column. `is_of_viewer` is True if the objects depend on the viewer, not only on their permissions.
    """

    make: Maker
    services: tuple[tuple[Path, ServiceStep], ...]
    children: Children
    key_columns: Mapping[Step, KeyColumns | None]
    is_of_viewer: bool = False

    def next_level(self, objects: Objects) -> PlanLevel:
        """Return the steps that follow."""
        return next_level(self.children, objects)


S = TypeVar("S")


def next_level(children: Sequence[tuple[Path, S]], objects: Objects) -> list[tuple[S, Objects]]:
    """Return each step with the objects at the end of its path. Steps without objects are left out."""
    level = []
    for path, step in children:
        parents = objects
        for key in path:
            parents = [part for each in parents if (part := each[key]) is not None]
        if parents:
            level.append((step, parents))
    return level


@dataclass(slots=True)
class Columns:
    """The growing select list of a statement; a column that is requested twice is selected once.

    Sort keys are selected only when the query asks for cursors (`has_cursors`).
    """

    has_cursors: bool = False
    _positions: dict[tuple[str, FieldSpec, Table], int] = field(default_factory=dict)

    def add(self, name: str, spec: FieldSpec, table: Table) -> int:
        """Return the index of a field in the row, and select the field if it is new."""
        return self._positions.setdefault((name, spec, table), len(self._positions))

    def layout(self) -> Layout:
        """Return the select list. Equal lists are one object, so that plans share statements."""
        return _layout(tuple(self._positions))


@lru_cache(maxsize=4096)
def _layout(specs: tuple[tuple[str, FieldSpec, Table], ...]) -> Layout:
    return Layout(specs)


@dataclass(slots=True)
class BuilderSource:
    """The source text of a row builder in progress. `names` are the values that the text refers to.

    `run_locals` has the local names of values that are the same for all rows of a run, with their expressions.
    """

    columns: Columns
    names: dict[str, Any] = field(default_factory=dict)
    services: list[tuple[Path, ServiceStep]] = field(default_factory=list)
    children: list[tuple[Path, Step]] = field(default_factory=list)
    key_columns: dict[Step, KeyColumns | None] = field(default_factory=dict)
    run_locals: dict[str, str] = field(default_factory=dict)
    is_of_viewer: bool = False

    def bind(self, value: Any) -> str:
        """Return a new name for a value."""
        name = f"v{len(self.names)}"
        self.names[name] = value
        return name

    def viewer(self) -> str:
        """Return the local name of the viewer."""
        self.run_locals["viewer"] = "run.viewer"
        self.is_of_viewer = True
        return "viewer"

    def column(self, index: int, serializer: Any, *, required: bool) -> str:
        """Return the text for the value of a column. A null of a column that is not `required` is not serialized."""
        value = f"row[{index}]"
        if serializer is None:
            return value
        serialized = f"{self.bind(serializer)}({value})"
        return serialized if required else f"None if {value} is None else {serialized}"

    def build(self, text: str) -> RowBuilder:
        """Compile the text of an object."""
        values = "".join(f"    {name} = {expression}\n" for name, expression in self.run_locals.items())
        program = f"def make(rows, cursor, run):\n{values}    return [{text} for row in rows]\n"
        exec(compile(program, "<row builder>", "exec"), self.names)  # noqa: S102 - of a request, only GraphQL names get in
        make, services, children = self.names["make"], tuple(self.services), tuple(self.children)
        return RowBuilder(make, services, children, self.key_columns, self.is_of_viewer)
