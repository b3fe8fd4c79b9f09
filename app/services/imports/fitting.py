"""Leaving out what the registry refuses. The checks are those of `ostiary apply`: there is no second set of rules."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from app.db import Database, at_one_moment
from app.services import validation
from app.services.imports.translation import Misfit, Translation, UnreadableSource, describe, printable
from app.services.state.changes import Plan
from app.services.state.files import Progress, silent
from app.services.state.model import GENERAL, Doc, Fault, Kind, Location, Reader, State
from app.services.state.planning import compare
from app.services.state.registry import read_state

Part = str | int

OPTIONAL = frozenset({"email", "displayName", "passwordHash", "metadata", "owner", "description", "lock"})
"""Fields without which an object can still come."""

MAX_ROUNDS = 50
"""Rounds of checks. Each one leaves out what refers to an object that the round before left out. Four are usual."""

OBJECT_PARTS = 2
"""Parts of the path of a whole object: its section and its number."""

_STEP = re.compile(r"\[(\d+)\]|([^.\[\]]+)")


@dataclass(frozen=True, slots=True)
class Fit:
    """The part of a source that fits: its objects by section, the plan that makes them, and what is left out."""

    sections: Mapping[str, list[Doc]]
    plan: Plan
    misfits: list[Misfit]
    unchanged_passwords: int
    """Users who have a password here, which stays."""


async def fit(
    database: Database, source: Translation, progress: Progress = silent, *, externally_managed: bool = False
) -> Fit:
    """Compare a source with the registry at one moment, and leave out what the registry refuses."""
    async with at_one_moment(database) as reader:
        current = await read_state(reader, progress)
        now = database.clock()
    return fit_into(current, source, now, externally_managed=externally_managed)


def fit_into(current: State, source: Translation, now: datetime, *, externally_managed: bool) -> Fit:
    """Return what fits. Raises UnreadableSource for a fault of the whole, such as the loss of all administrators."""
    sections, misfits = source.sections, [*source.misfits]
    number = 0
    if externally_managed:  # the provider makes the users; what refers to one who is unknown here is left out below
        sections = {**sections, "users": [], "roles": []}
    else:
        number = _keep_accounts(current, sections["users"])
    for _ in range(MAX_ROUNDS):
        faults, plan = _check(
            sections,
            lambda state: compare(state, current, prune=False, now=now, externally_managed=externally_managed),
        )
        if not faults and plan is not None:
            return Fit({name: values for name, values in sections.items() if values}, plan, misfits, number)
        misfits += _leave_out(sections, faults)
    raise UnreadableSource("the source has too many faults that follow from each other; nothing was changed")


def _keep_accounts(current: State, users: list[Doc]) -> int:
    """Let the users who are here keep their roles and passwords, and return the number of those passwords.

    The first sign-in replaces an imported hash, so a second import would take the new one away and end the session.
    Without their roles, it would activate a user who was deactivated here in between.
    """
    number = 0
    for user in users:
        account = current.items.get((Kind.USER, (validation.normalize_key(user["userName"]),)))
        if account is None:
            continue
        if "roles" in user:
            roles = {validation.normalize_key(name): name for name in (*user["roles"], *account.values["roles"])}
            user["roles"] = sorted(roles.values())
        if account.values.get("passwordHash") is not None:
            number += user.pop("passwordHash", None) is not None
    return number


def _check(
    sections: Mapping[str, list[Doc]], compare_with_registry: Callable[[State], Plan]
) -> tuple[list[Fault], Plan | None]:
    reader = Reader()
    for section, objects in sections.items():
        if objects:
            reader.add_section(section, objects)
    if reader.faults:
        return reader.faults, None
    plan = compare_with_registry(reader.state)
    return plan.faults, plan


def _leave_out(sections: Mapping[str, list[Doc]], faults: list[Fault]) -> list[Misfit]:
    """Remove what the faults are about, each thing once.

    Whole objects go first: without them, some faults of the others are gone, such as an e-mail address of two users.
    """
    targets: dict[tuple[Part, ...], str] = {}
    for fault in faults:
        target = _removable_part(_parse_path(fault.location))
        if not target:
            raise UnreadableSource(f"{fault.message} Nothing was changed.")
        targets.setdefault(target, fault.message)
    objects = {target: message for target, message in targets.items() if len(target) == OBJECT_PARTS}
    chosen = objects or targets
    misfits = [Misfit(*_describe_target(sections, target), message) for target, message in chosen.items()]
    for target in sorted(chosen, key=_sort_key, reverse=True):  # from the back: a removal moves what is behind it
        *parents, last = target
        holder: Any = sections
        for part in parents:
            holder = holder[part]
        if last == GENERAL:
            holder[last] = {"roles": []}  # without an entry, every signed-in user would have the default roles
        else:
            del holder[last]
    return misfits


def _sort_key(target: tuple[Part, ...]) -> list[tuple[int, str]]:
    return [(part, "") if isinstance(part, int) else (0, part) for part in target]


def _parse_path(location: Location) -> tuple[Part, ...]:
    return tuple(int(index) if index else name for index, name in _STEP.findall(location.path))


def _removable_part(path: tuple[Part, ...]) -> tuple[Part, ...]:
    """Return the smallest part whose absence repairs a fault at this path, () for the whole document."""
    size = OBJECT_PARTS if len(path) >= OBJECT_PARTS else 0
    match path:
        case (_, int(), "grants", "groups" | "users", int(), *_):
            size = 5
        case (_, int(), "members", int(), *_) | (_, int(), "grants", "general" | "anyone", *_):
            size = 4
        case ("users", int(), "roles", int(), *_) | ("users", int(), "metadata", str(), *_):
            size = 4
        case (_, int(), str(name), *_) if name in OPTIONAL:
            size = 3
    return path[:size]


def _describe_target(sections: Mapping[str, list[Doc]], target: tuple[Part, ...]) -> tuple[str, str]:
    """Return the words for a part of the source, and the field of it that is left out."""
    section, at, *inner = target
    value: Any = sections[str(section)][int(at)]
    part = field = ""
    match inner:
        case ["members", int(number)]:
            part = f"member {printable(value['members'][number]['user'])} of "
        case ["grants", str(by), int(number)]:
            name = by.removesuffix("s")
            part = f"grant to {name} {printable(value['grants'][by][number][name])} on "
        case ["grants", str(subject)]:
            part = f"grant to {'every signed-in user' if subject == GENERAL else subject} on "
        case ["roles", int(number)]:
            field = f"role {printable(value['roles'][number])}"
        case [*names]:
            field = " ".join(map(str, names))
    return f"{part}{describe(str(section), value)}", field
