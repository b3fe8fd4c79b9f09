"""The difference between a document and the registry, and what is wrong with the result."""

from collections.abc import Iterator
from datetime import datetime

from app.db.tables import casefold_key
from app.domain import resource_roles
from app.services import resources
from app.services.state.changes import BUILT_IN, NEEDED, Change, Plan, fault_at, has_ended, is_equal, noun
from app.services.state.checks import Checks
from app.services.state.model import GENERAL, Doc, Fault, Item, Key, Kind, State
from app.services.users import DEFAULT_ROLES

DEFAULTS: dict[Kind, Doc] = {
    Kind.RESOURCE_TYPE: {"hasData": False},
    Kind.ROLE: {"description": "", "permissions": 0},
    Kind.USER: {
        "displayName": None,
        "email": None,
        "isServiceAccount": False,
        "roles": list(DEFAULT_ROLES),
        "metadata": {},
    },
    Kind.ORG: {"description": "", "isPublic": False, "owner": None, "quotaBytes": None},
    Kind.ORG_MEMBER: {"expiresAt": None},
    Kind.GROUP: {"description": "", "membersSeenBy": "MEMBERS"},
    Kind.GROUP_MEMBER: {"isManager": False, "expiresAt": None},
    Kind.RESOURCE: {"description": "", "owner": None, "metadata": {}},
}
"""Values of new objects that the document does not give. A membership that has ended begins again with them."""

PRUNED = (Kind.GRANT, Kind.GROUP_MEMBER, Kind.ORG_MEMBER, Kind.RESOURCE, Kind.GROUP, Kind.ORG, Kind.USER, Kind.ROLE)
"""The kinds that are removed, in this order."""

DEFAULT_GENERAL: Doc = {"roles": resources.DEFAULT_MASK, "expiresAt": None}


def compare(document: State, current: State, *, prune: bool, now: datetime, externally_managed: bool = False) -> Plan:
    """Return the plan that makes the registry equal to the document, or its faults."""
    plan = Plan(current, now)
    removed = {each for each in _surplus(document, current) if _is_removed(each, document, current, now, prune=prune)}
    removed |= {each for each in current.items if _lost_parent(each, removed)}
    for kind, key in _surplus(document, current) - removed:
        if kind is not Kind.LOCK and not has_ended(current.items[kind, key].values, now) and not _is_fixed(kind, key):
            plan.left[kind] += 1
    plan.faults += _removed_references(document, removed)
    plan.final = {each: item.values for each, item in current.items.items() if each not in removed}
    for item in document.items.values():
        _compare_item(plan, item)
    _add_default_grants(plan)
    order = {kind: at for at, kind in enumerate(PRUNED)}
    for each in sorted(removed, key=lambda each: (order.get(each[0], len(PRUNED)), each[1])):
        plan.changes.append(Change(current.items[each], current.items[each].values, None))
    plan.faults += Checks(plan, externally_managed=externally_managed).faults()
    return plan


def _surplus(document: State, current: State) -> set[tuple[Kind, Key]]:
    return current.items.keys() - document.items.keys()


def _is_removed(each: tuple[Kind, Key], document: State, current: State, now: datetime, *, prune: bool) -> bool:
    """Return whether pruning removes an item that the document does not have."""
    kind, key = each
    if not prune or kind not in PRUNED or _is_fixed(kind, key):
        return False
    parents = {"", key[0]} if kind in {Kind.GRANT, Kind.GROUP_MEMBER, Kind.ORG_MEMBER} else {""}
    is_listed = any((kind, parent) in document.complete for parent in parents)
    return is_listed and not has_ended(current.items[each].values, now)


def _is_fixed(kind: Kind, key: Key) -> bool:
    """Return whether an item is always there: a built-in role, and the grant to every signed-in user."""
    return (kind is Kind.ROLE and key[0] in BUILT_IN) or (kind is Kind.GRANT and key[1] == GENERAL)


def _lost_parent(each: tuple[Kind, Key], removed: set[tuple[Kind, Key]]) -> bool:
    """Return whether an item is deleted with its org, group, resource or user."""
    kind, key = each
    match kind:
        case Kind.RESOURCE:
            return (Kind.ORG, (key[0].partition("/")[0],)) in removed
        case Kind.ORG_MEMBER:
            return (Kind.ORG, key[:1]) in removed or (Kind.USER, key[1:]) in removed
        case Kind.GROUP_MEMBER:
            return (Kind.GROUP, key[:1]) in removed or (Kind.USER, key[1:]) in removed
        case Kind.GRANT | Kind.LOCK:
            org = key[0].partition("/")[0]
            subject, _, name = key[-1].partition(":")
            with_resource = (Kind.RESOURCE, key[:1]) in removed or (Kind.ORG, (org,)) in removed
            return with_resource or (subject in {"group", "user"} and (Kind(subject), (name,)) in removed)
        case _:
            return False


def _removed_references(document: State, removed: set[tuple[Kind, Key]]) -> Iterator[Fault]:
    """Yield a fault for each object of the document that needs one that is removed."""
    for each, item in document.items.items():
        owner = item.values.get("owner")
        names = [*item.values.get("roles", ())] if item.kind is Kind.USER else []
        lost = [("roles", at) for at, name in enumerate(names) if (Kind.ROLE, (casefold_key(name),)) in removed]
        if each in removed or lost or (owner and (Kind.USER, (casefold_key(owner),)) in removed):
            part = lost[0] if lost else ("owner",) if owner else ()
            yield fault_at("This needs an object that is not in the document, and that --prune removes.", item, *part)


def _compare_item(plan: Plan, item: Item) -> None:
    each = item.kind, item.key
    old = plan.current.items.get(each)
    if item.is_absent:
        if old is not None:
            plan.changes.append(Change(item, old.values, None))
            plan.final.pop(each, None)
        return
    if old is None:
        after = {**DEFAULTS.get(item.kind, {}), **item.values}
        plan.changes.append(Change(item, None, after, tuple(after)))
        for name in NEEDED.get(item.kind, ()):
            if name not in item.values:
                plan.faults.append(fault_at(f"`{name}` is missing. A new {noun(item.kind)} needs it.", item))
    else:
        values = item.values
        if has_ended(old.values, plan.now):
            values = {**DEFAULTS.get(item.kind, {}), **values}
        after = {**old.values, **values}
        fields = tuple(name for name in values if not is_equal(name, old.values.get(name), values[name]))
        is_general = item.kind is Kind.GRANT and item.key[1] == GENERAL
        gives_nothing = is_general and not after["roles"] and has_ended(old.values, plan.now)
        if fields and not gives_nothing:  # no roles, and roles that have ended, are the same
            plan.changes.append(Change(item, old.values, after, fields))
    plan.final[each] = after


def _add_default_grants(plan: Plan) -> None:
    """Add the grant to every signed-in user that each new resource has if the document gives none."""
    for change in plan.changes_of(Kind.RESOURCE):
        each = Kind.GRANT, (*change.key, GENERAL)
        if change.before is None and each not in plan.final:
            has_data = plan.final.get((Kind.RESOURCE_TYPE, (casefold_key(change.item.values.get("type", "")),)), {})
            full = resource_roles.ALL if has_data.get("hasData") else resource_roles.NON_DATA
            values = {**DEFAULT_GENERAL, "roles": resources.DEFAULT_MASK & full}
            item = Item(*each, values, change.item.path, change.item.line, change.item.file)
            plan.changes.append(Change(item, None, values, tuple(values)))
            plan.final[each] = values
