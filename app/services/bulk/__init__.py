"""Bulk changes: many entries in one transaction, each with a status. All entries are written, or none.

A bulk form declares how an entry finds its existing object, and how objects are created and updated. `save` decides
for each entry what happens, and collects the results. The number of statements does not depend on the number of
entries.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, ClassVar, Generic, NamedTuple, TypeVar

from app.db import Transaction
from app.domain.errors import Conflict, InvalidInput, Problem, Problems
from app.services import audit, validation

MAX_ENTRIES = 1_000

Path = tuple[str | int, ...]
E = TypeVar("E")
"""An entry of the request."""
X = TypeVar("X")
"""The existing object of an entry."""


class OnConflict(Enum):
    """Treatment of an entry whose object exists: an error, nothing, or an update."""

    FAIL = "FAIL"
    SKIP = "SKIP"
    UPDATE = "UPDATE"


class OnMissing(Enum):
    """Treatment of an entry whose object does not exist: an error, or nothing."""

    FAIL = "FAIL"
    SKIP = "SKIP"


class Status(Enum):
    """Outcome of an entry of a bulk change."""

    CREATED = "CREATED"
    UPDATED = "UPDATED"
    UNCHANGED = "UNCHANGED"
    SKIPPED = "SKIPPED"
    REMOVED = "REMOVED"


class Result(NamedTuple):
    """The id of an entry's object, None if there is none, and what was done with it."""

    key: int | None
    status: Status


class Label(NamedTuple):
    """A value that must be unique in a request: its path in the entry, its name in errors, and what is compared."""

    path: Path
    name: str
    key: Hashable


class BulkForm(ABC, Generic[E, X]):
    """One bulk change of one request. `field` is the name of the list in its input.

    `duplicate` is the class of the problem of two entries with one label.
    """

    field: ClassVar[str]
    duplicate: ClassVar[type[Problem]] = Conflict

    @abstractmethod
    async def load(self, entries: Sequence[E]) -> Sequence[X | None]:
        """Return the existing object of each entry, its row locked, None for no object."""

    @abstractmethod
    def labels(self, entry: E) -> Iterable[Label]:
        """Return the values of an entry that no other entry may have."""

    @abstractmethod
    def problems(self, entry: E) -> Iterable[Problem]:
        """Return the problems of an entry that is created."""

    @abstractmethod
    def conflicts(self, entry: E) -> Iterable[Problem]:
        """Return the problems of an entry whose object exists and may not be updated. They reveal nothing else."""

    @abstractmethod
    def compare(self, entry: E, old: X) -> Any:
        """Return what differs from the given values of an entry, None for nothing.

        Raise Problem or Problems; for an object that the viewer may not change, the same as `conflicts`.
        """

    @abstractmethod
    def key(self, entry: E, old: X) -> int | None:
        """Return the id in the result of an entry whose object exists; it may be None if the viewer does not see it."""

    @abstractmethod
    async def create(self, entries: Sequence[E]) -> Sequence[int]:
        """Create the objects of some entries, and return their ids in order."""

    @abstractmethod
    async def update(self, changes: Sequence[tuple[E, X, Any]]) -> None:
        """Update some objects, each with the result of `compare`. Problems name them by their index in `changes`."""


async def save(
    tx: Transaction,
    form: BulkForm[E, X],
    entries: Sequence[E],
    on_conflict: OnConflict,
    problems: Sequence[Problem] = (),
) -> list[Result]:
    """Create or update the objects of all entries, or none; return one result for each entry.

    Raise Problems that name every invalid entry; `problems` are those that the caller has found already. A request
    that changes nothing writes no event.
    """
    require_number(form.field, len(entries))
    olds = await form.load(entries)
    plan = _decide(form, entries, olds, on_conflict)
    validation.raise_problems([*problems, *_duplicates(form, entries), *plan.problems])
    keys = [None if old is None else form.key(entry, old) for entry, old in zip(entries, olds, strict=True)]
    if plan.updates:  # first, since a new object may receive a value that an updated one gives up
        await _update(form, entries, olds, plan.updates)
    if plan.created:
        for at, key in zip(plan.created, await _create(form, entries, plan.created), strict=True):
            keys[at] = key
    if not plan.created and not plan.updates:
        audit.discard(tx)
    return [Result(*each) for each in zip(keys, plan.statuses, strict=True)]


@dataclass(slots=True)
class _Plan:
    """Decisions about the entries: their statuses, the indexes to create, and the changes by index."""

    statuses: list[Status] = field(default_factory=list)
    created: list[int] = field(default_factory=list)
    updates: list[tuple[int, Any]] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    def create(self, at: int) -> None:
        self.statuses.append(Status.CREATED)
        self.created.append(at)

    def update(self, at: int, change: Any) -> None:
        self.statuses.append(Status.UNCHANGED if change is None else Status.UPDATED)
        if change is not None:
            self.updates.append((at, change))


def _decide(form: BulkForm[E, X], entries: Sequence[E], olds: Sequence[X | None], on_conflict: OnConflict) -> _Plan:
    plan = _Plan()
    for at, (entry, old) in enumerate(zip(entries, olds, strict=True)):
        problems: Sequence[Problem] = ()
        if old is None:
            problems = [*form.problems(entry)]
            plan.create(at)
        elif on_conflict is OnConflict.FAIL:
            problems = [*form.problems(entry), *form.conflicts(entry)]
            plan.create(at)
        elif on_conflict is OnConflict.SKIP:
            plan.statuses.append(Status.SKIPPED)
        else:
            change, problems = _compare(form, entry, old)
            plan.update(at, change)
        plan.problems += (problem.under(form.field, at) for problem in problems)
    return plan


def _compare(form: BulkForm[E, X], entry: E, old: X) -> tuple[Any, Sequence[Problem]]:
    """Return what differs, or the problems of the entry."""
    try:
        return form.compare(entry, old), ()
    except Problem as problem:
        return None, (problem,)
    except Problems as several:
        return None, several.problems


async def _create(form: BulkForm[E, X], entries: Sequence[E], created: Sequence[int]) -> Sequence[int]:
    """Create objects. A problem that only the database finds is moved to the index of its entry in the request."""
    try:
        return await form.create([entries[at] for at in created])
    except Problems as refused:
        raise Problems([_move(problem, form.field, created) for problem in refused.problems]) from None


async def _update(
    form: BulkForm[E, X], entries: Sequence[E], olds: Sequence[X | None], updates: Sequence[tuple[int, Any]]
) -> None:
    """Update objects, with the problems as in `_create`."""
    indexes = [at for at, _ in updates]
    try:
        await form.update([(entries[at], _present(olds[at]), change) for at, change in updates])
    except Problems as refused:
        raise Problems([_move(problem, form.field, indexes) for problem in refused.problems]) from None
    except Problem as problem:
        raise _move(problem, form.field, indexes) from None


def _move(problem: Problem, field: str, indexes: Sequence[int]) -> Problem:
    first, *rest = problem.path or ("",)
    if first != field or not rest or not rest[0].isdigit():
        return problem
    return type(problem)(problem.message, (field, indexes[int(rest[0])], *rest[1:]))


def _duplicates(form: BulkForm[E, X], entries: Sequence[E]) -> Iterator[Problem]:
    """Yield a problem for each label that an earlier entry has."""
    labels = ((at, label) for at, entry in enumerate(entries) for label in form.labels(entry))
    for at, label in validation.duplicates(labels, key=lambda each: (each[1].path[:1], each[1].key)):
        text = f"{label.name} is listed more than once. Remove the duplicate."
        yield form.duplicate(text, (form.field, at, *label.path))


def _present(old: X | None) -> X:
    assert old is not None
    return old


def require_number(field: str, number: int) -> None:
    """Raise InvalidInput unless a request has 1 to MAX_ENTRIES entries."""
    if not 1 <= number <= MAX_ENTRIES:
        raise InvalidInput(f"`{field}` must have 1 to {MAX_ENTRIES:,} items, not {number:,}.", (field,))


def select_removals(
    tx: Transaction,
    field: str,
    keys: Sequence[int | None],
    on_missing: OnMissing,
    missing: Callable[[int], Problem],
    noun: str,
    problems: Sequence[Problem] = (),
) -> list[Result]:
    """Return the result of each entry of a removal by the id of its object, None for no object.

    Raise Problems for missing objects (unless they are skipped) and for objects that are listed twice, with the
    `problems` that the caller has found. `missing` returns the problem of an entry by its index. If nothing is to be
    removed, no event is written.
    """
    problems = [
        *problems,
        *(
            Conflict(f"This {noun} is listed more than once. Remove the duplicate.", (field, at))
            for at, _ in validation.duplicates(enumerate(keys), key=lambda each: each[1])
        ),
    ]
    if on_missing is OnMissing.FAIL:
        problems += [missing(at).under(field, at) for at, key in enumerate(keys) if key is None]
    validation.raise_problems(problems)
    results = [Result(key, Status.SKIPPED if key is None else Status.REMOVED) for key in keys]
    if not removed_keys(results):
        audit.discard(tx)
    return results


def removed_keys(results: Sequence[Result]) -> list[int]:
    """Return the ids of the objects to remove, in their order."""
    return sorted(key for key, status in results if status is Status.REMOVED and key is not None)
