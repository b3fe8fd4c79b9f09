"""A plan in words: what is added, changed and removed, and who gains and who loses access."""

from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import orjson

from app.db.tables import casefold_key
from app.db.types import format_instant
from app.domain import resource_roles
from app.domain.quantities import format_count
from app.domain.viewer import permission_names
from app.services.state.changes import Change, Plan, noun
from app.services.state.model import Doc, Kind

MAX_VALUE = 60
"""Characters of a value in words."""

SIGNS = {"add": "+", "change": "~", "remove": "-"}

_PLURALS = {Kind.ORG_MEMBER: "members of orgs", Kind.GROUP_MEMBER: "members of groups"}


def action(change: Change) -> str:
    """Return what a change does: add, change or remove."""
    return "add" if change.before is None else "remove" if change.after is None else "change"


def count(plan: Plan) -> Counter[str]:
    """Return the numbers of changes by action."""
    return Counter(map(action, plan.changes))


def left_in_words(plan: Plan) -> str:
    """Return how many objects only the registry has, an empty text for none."""
    kinds = [kind for kind in Kind if plan.left[kind]]
    return ", ".join(format_count(plan.left[kind], noun(kind), _PLURALS.get(kind)) for kind in kinds)


def lines(plan: Plan) -> Iterator[str]:
    """Yield a line for each change, then who gains and who loses access."""
    for change in plan.changes:
        what = action(change)
        details = ", ".join(_field(name, change) for name in change.fields) if what == "change" else ""
        yield f"  {SIGNS[what]} {describe(change)}{': ' if details else ''}{details}"
    access = [*access_lines(plan)]
    if access:
        yield ""
        yield "Access:"
        yield from (f"  {line}" for line in access)


def describe(change: Change) -> str:
    """Return an object by its kind and its natural keys."""
    values = change.after or change.before or {}
    match change.kind:
        case Kind.ORG_MEMBER:
            return f"member {values['user']} of org {change.key[0]}"
        case Kind.GROUP_MEMBER:
            return f"member {values['user']} of group {change.key[0]}"
        case Kind.GRANT:
            return f"grant on {change.key[0]} to {subject(change.key[1], values)}"
        case Kind.LOCK:
            return f"lock of {change.key[0]}"
        case _:
            name = (values.get("userName") or values.get("name")) if change.kind in _NAMED else change.key[0]
            return f"{noun(change.kind)} {name}"


_NAMED = frozenset({Kind.USER, Kind.ROLE, Kind.RESOURCE_TYPE})


def subject(key: str, values: Doc) -> str:
    """Return the subject of a grant in words."""
    if key == "general":
        return "every signed-in user"
    if key == "anyone":
        return "anyone"
    kind, _, name = key.partition(":")
    return f"{kind} {values.get(kind, name)}"


def value(kind: Kind, name: str, value_of: Any) -> Any:
    """Return a value as a document has it."""
    if name == "permissions":
        return permission_names(value_of)
    if name == "roles" and kind is Kind.GRANT:
        return resource_roles.names(value_of)
    return format_instant(value_of) if isinstance(value_of, datetime) else value_of


def _field(name: str, change: Change) -> str:
    if name == "passwordHash":
        return "passwordHash (not shown)"
    before, after = ((each or {}).get(name) for each in (change.before, change.after))
    return f"{name} {_short(value(change.kind, name, before))} -> {_short(value(change.kind, name, after))}"


def _short(value_of: Any) -> str:
    text = orjson.dumps(value_of, default=str).decode()
    return text if len(text) <= MAX_VALUE else f"{text[: MAX_VALUE - 1]}…"


def access_lines(plan: Plan) -> Iterator[str]:
    """Yield who gains and who loses access, by subject and roles."""
    for change in plan.changes:
        match change.kind:
            case Kind.GRANT:
                yield from _grant(plan, change)
            case Kind.ORG_MEMBER | Kind.GROUP_MEMBER:
                yield from _member(plan, change)
            case Kind.USER:
                yield from _system_roles(change)
            case Kind.ROLE:
                yield from _permissions(change)
            case _:
                pass
        if change.kind in {Kind.ORG, Kind.RESOURCE}:
            yield from _owner(change)


def _gain_and_loss(who: str, gained: str, lost: str) -> Iterator[str]:
    if gained:
        yield f"{who} gains {gained}"
    if lost:
        yield f"{who} loses {lost}"


def _grant(plan: Plan, change: Change) -> Iterator[str]:
    path, key = change.key
    who = subject(key, change.after or change.before or {})
    full = _full_mask(plan, path)
    before, after = (_effective(each, full) for each in plan.sides(change))
    end = _until(change.after)
    gained, lost = (", ".join(resource_roles.names(mask)) for mask in (after & ~before, before & ~after))
    yield from _gain_and_loss(who, gained and f"{gained} on {path}{end}", lost and f"{lost} on {path}")
    if before and before == after and "expiresAt" in change.fields:
        yield f"{who} keeps {', '.join(resource_roles.names(after))} on {path}{end or ' without an end'}"


def _full_mask(plan: Plan, path: str) -> int:
    resource = plan.final.get((Kind.RESOURCE, (path,)))
    if resource is None:
        item = plan.current.items.get((Kind.RESOURCE, (path,)))
        resource = {} if item is None else item.values
    of_type = plan.final.get((Kind.RESOURCE_TYPE, (casefold_key(resource.get("type", "")),)), {})
    return resource_roles.ALL if of_type.get("hasData", True) else resource_roles.NON_DATA


def _effective(grant: Doc | None, full: int) -> int:
    return 0 if grant is None else resource_roles.effective(grant["roles"], full)


def _until(after: Doc | None) -> str:
    end = (after or {}).get("expiresAt")
    return "" if end is None else f" until {format_instant(end, 'seconds')}"


def _member(plan: Plan, change: Change) -> Iterator[str]:
    before, after = plan.sides(change)
    if before is None and after is None:
        return
    who = f"user {(after or before or {})['user']}"
    if change.kind is Kind.GROUP_MEMBER:
        where = f"the roles of group {change.key[0]}"
        if before is None:
            yield f"{who} gains {where}{_until(change.after)}"
        elif after is None:
            yield f"{who} loses {where}"
        elif "expiresAt" in change.fields:
            yield f"{who} keeps {where}{_until(change.after) or ' without an end'}"
        return
    levels = [None if each is None else each["level"] for each in (before, after)]
    if levels[0] == levels[1]:
        yield f"{who} keeps {levels[1]} in org {change.key[0]}{_until(change.after) or ' without an end'}"
    else:
        gained, lost = levels[1] and f"{levels[1]} in org {change.key[0]}{_until(change.after)}", levels[0]
        yield from _gain_and_loss(who, gained or "", f"{lost} in org {change.key[0]}" if lost else "")


def _system_roles(change: Change) -> Iterator[str]:
    before, after = ({*((each or {}).get("roles") or ())} for each in (change.before, change.after))
    who = f"user {(change.after or change.before or {})['userName']}"
    gained, lost = sorted(after - before), sorted(before - after)
    yield from _gain_and_loss(who, _roles(gained) if gained else "", _roles(lost) if lost else "")


def _roles(names: list[str]) -> str:
    return f"the system role{'s' if len(names) > 1 else ''} {', '.join(names)}"


def _permissions(change: Change) -> Iterator[str]:
    if change.before is None or change.after is None:
        return
    before, after = change.before["permissions"], change.after["permissions"]
    gained, lost = (", ".join(permission_names(mask)) for mask in (after & ~before, before & ~after))
    yield from _gain_and_loss(f"every user with the system role {change.after['name']}", gained, lost)


def _owner(change: Change) -> Iterator[str]:
    before, after = ((each or {}).get("owner") for each in (change.before, change.after))
    if before == after:
        return
    where = f"the ownership of {change.kind.value} {change.key[0]}"
    if after is not None:
        yield f"user {after} gains {where}"
    if before is not None:
        yield f"user {before} loses {where}"


def as_json(plan: Plan) -> Doc:
    """Return the plan for machines."""
    return {
        "changes": [
            {
                "action": action(change),
                "kind": change.kind.value,
                "object": describe(change),
                "path": change.item.path or None,
                **({"file": change.item.file} if change.item.file else {}),
                "fields": {name: _sides(change, name) for name in change.fields if name != "passwordHash"},
            }
            for change in plan.changes
        ],
        "access": [*access_lines(plan)],
        "counts": {name: count(plan)[name] for name in SIGNS},
        "leftAlone": {kind.value: number for kind, number in plan.left.items()},
    }


def _sides(change: Change, name: str) -> Doc:
    sides = {"before": change.before, "after": change.after}
    return {
        side: None if values is None or name not in values else value(change.kind, name, values[name])
        for side, values in sides.items()
    }
