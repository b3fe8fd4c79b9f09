"""Checks of the registry that a plan would make: the rules of the services, and references to nothing."""

from collections import Counter
from collections.abc import Callable, Iterator
from functools import cached_property
from typing import Any

from app.db.tables import MAX_BYTES, casefold_key
from app.domain import resource_roles
from app.domain.errors import Problem
from app.domain.viewer import ADMIN, DEACTIVATED
from app.security import imported_hashes
from app.services import grants, groups, orgs, resources, validation
from app.services.roles import FIXED
from app.services.state.changes import BUILT_IN, NEEDED, Change, Plan, fault_at, is_equal, noun
from app.services.state.model import ANYONE, SECTIONS, Doc, Fault, Key, Kind, Location

_SECTIONS = {Kind(kind): section for section, kind in SECTIONS.items()}


class Checks:
    """Checks of the final state, in which every reference must lead to an object."""

    def __init__(self, plan: Plan, *, externally_managed: bool) -> None:
        self._plan, self._final, self._externally_managed = plan, plan.final, externally_managed

    def faults(self) -> Iterator[Fault]:
        """Yield a fault for each invalid value of a change."""
        checks = {
            Kind.RESOURCE_TYPE: self._resource_type,
            Kind.ROLE: self._role,
            Kind.USER: self._user,
            Kind.ORG: self._org,
            Kind.ORG_MEMBER: self._org_member,
            Kind.GROUP: self._group,
            Kind.GROUP_MEMBER: self._group_member,
            Kind.RESOURCE: self._resource,
            Kind.GRANT: self._grant,
            Kind.LOCK: self._lock,
        }
        for change in self._plan.changes:
            if change.after is not None and not self._lacks_needed(change):
                for problem in (*checks[change.kind](change, change.after), *_end_problems(change, change.after)):
                    yield fault_at(problem.message, change.item, *problem.path)
        yield from self._grant_limits()
        yield from self._emails()
        for change in self._plan.changes:
            if change.after is None and change.kind in _SECTIONS:
                for text in self._removal_problems(change):
                    yield Fault(text, Location(_SECTIONS[change.kind]))
        yield from self._administrators()

    def _lacks_needed(self, change: Change) -> bool:
        return change.before is None and any(name not in change.item.values for name in NEEDED.get(change.kind, ()))

    def _exists(self, kind: Kind, name: str) -> bool:
        return (kind, (validation.normalize_key(name),)) in self._final

    def _reference(self, kind: Kind, name: str, *path: str | int) -> Iterator[Problem]:
        if not self._exists(kind, name):
            yield Problem(f"There is no {noun(kind)} `{name}`, neither in the registry nor in the document.", path)

    def _fixed(self, change: Change, *names: str) -> Iterator[Problem]:
        """Yield a problem for each value that never changes."""
        for name in names:
            if change.before is not None and name in change.fields:
                yield Problem(f"`{name}` of a {noun(change.kind)} never changes.", (name,))

    def _resource_type(self, change: Change, after: Doc) -> Iterator[Problem]:
        yield from self._fixed(change, "hasData", "name")
        if change.before is None:
            yield from validation.type_name_problems(after["name"])

    def _elsewhere(self) -> Iterator[Problem]:
        if self._externally_managed:
            yield Problem("The identity provider manages users and roles: they cannot be changed here.")

    def _role(self, change: Change, after: Doc) -> Iterator[Problem]:
        yield from self._elsewhere()
        if change.before is None or "name" in change.fields:
            yield from validation.role_form_problems(after["name"])  # names from before newer rules come back too
        yield from validation.description_problems(after["description"])
        if "name" in change.fields and change.key[0] in BUILT_IN and change.before is not None:
            yield Problem("The name of a built-in role cannot be changed.", ("name",))
        if change.key[0] in FIXED and "permissions" in change.fields:
            yield Problem("The permissions of this built-in role cannot be changed.", ("permissions",))

    def _user(self, change: Change, after: Doc) -> Iterator[Problem]:
        if change.before is None or {*change.fields} & {"roles", "email", "passwordHash"}:
            yield from self._elsewhere()
        yield from self._fixed(change, "isServiceAccount")
        if change.before is None:
            yield from validation.user_name_problems(after["userName"])
        checks: dict[str, Callable[[Any], Iterator[Problem]]] = {
            "displayName": validation.display_name_problems,
            "email": validation.email_problems,
            "metadata": validation.metadata_problems,
        }
        for name in checks.keys() & {*change.fields}:
            yield from checks[name](after[name])
        for at, name in enumerate(after["roles"] if "roles" in change.fields else ()):
            yield from self._reference(Kind.ROLE, name, "roles", at)
        if "passwordHash" in change.fields:
            if after["isServiceAccount"]:
                yield Problem("A service account has no password.", ("passwordHash",))
            if (reason := imported_hashes.problem(imported_hashes.normalize(after["passwordHash"]))) is not None:
                yield Problem(reason, ("passwordHash",))

    def _org(self, change: Change, after: Doc) -> Iterator[Problem]:
        if change.before is None:
            yield from orgs.slug_problems(after["slug"])
        if {*change.fields} & {"name", "description"}:
            yield from orgs.text_problems(after["name"], after["description"])
        if not 0 <= (after["quotaBytes"] or 0) <= MAX_BYTES:
            yield Problem("This must be a number of bytes, 0 or more.", ("quotaBytes",))
        if "owner" in change.fields:
            yield from self._owner(change, after)
            if change.before is not None and self._has_locks(f"{change.key[0]}/"):
                yield Problem("Resources of this org are locked, so its owner cannot change. Unlock them.", ("owner",))

    def _owner(self, change: Change, after: Doc) -> Iterator[Problem]:
        """Check a new owner. A deactivated user can own a new object, since that is how a registry is brought back."""
        if after["owner"] is None:
            return
        yield from self._reference(Kind.USER, after["owner"], "owner")
        owner = self._final.get((Kind.USER, (validation.normalize_key(after["owner"]),)))
        if owner is not None and change.before is not None and _holds(owner, DEACTIVATED):
            yield Problem("This user is deactivated and cannot become an owner.", ("owner",))

    def _has_locks(self, prefix: str) -> bool:
        return any(kind is Kind.LOCK and key[0].startswith(prefix) for kind, key in self._final)

    def _org_member(self, change: Change, after: Doc) -> Iterator[Problem]:
        yield from self._reference(Kind.ORG, change.key[0], "org")
        yield from self._reference(Kind.USER, after["user"], "user")
        org = self._final.get((Kind.ORG, change.key[:1]), {})
        if org.get("owner") and is_equal("owner", org["owner"], after["user"]):
            yield orgs.owner_is_no_member()

    def _group(self, change: Change, after: Doc) -> Iterator[Problem]:
        if change.before is None:
            yield from groups.slug_problems(after["slug"])
        if {*change.fields} & {"displayName", "description"}:
            yield from groups.text_problems(after["displayName"], after["description"])

    def _group_member(self, change: Change, after: Doc) -> Iterator[Problem]:
        yield from self._reference(Kind.GROUP, change.key[0], "group")
        yield from self._reference(Kind.USER, after["user"], "user")

    def _resource(self, change: Change, after: Doc) -> Iterator[Problem]:
        yield from self._fixed(change, "type")
        if change.before is None:
            yield from self._reference(Kind.ORG, after["org"], "org")
            yield from self._reference(Kind.RESOURCE_TYPE, after["type"], "type")
            yield from validation.slug_problems(after["slug"])
        yield from resources.text_problems(after["name"], after["description"], after["metadata"])
        if "owner" in change.fields:
            yield from self._owner(change, after)
        is_locked = (Kind.LOCK, change.key) in self._plan.current.items
        if change.before is not None and is_locked and (Kind.LOCK, change.key) in self._final:
            yield Problem("The resource is locked. Unlock it first: `lock: null`.")

    def _grant(self, change: Change, after: Doc) -> Iterator[Problem]:
        path, subject = change.key
        for name, kind in (("group", Kind.GROUP), ("user", Kind.USER)):
            if name in after:
                yield from self._reference(kind, after[name], name)
        resource = self._final.get((Kind.RESOURCE, (path,)), {})
        kind_of = self._final.get((Kind.RESOURCE_TYPE, (validation.normalize_key(resource.get("type", "")),)))
        full = resource_roles.ALL if kind_of is None or kind_of["hasData"] else resource_roles.NON_DATA
        yield from grants.role_problems(after["roles"], full, is_for_anyone=subject == ANYONE)

    def _grant_limits(self) -> Iterator[Fault]:
        """Yield a fault for each resource whose new grants are too many, at the last one of them."""
        added = [each for each in self._plan.changes_of(Kind.GRANT) if each.before is None and _is_counted(each.key)]
        new = {change.key[0]: change for change in added}
        before, after = (
            Counter(key[0] for kind, key in items if kind is Kind.GRANT and key[0] in new and _is_counted(key))
            for items in (self._plan.current.items, self._final)
        )
        for path, change in new.items():
            for problem in grants.number_problems(after[path], before[path]):
                yield fault_at(problem.message, change.item)

    def _lock(self, change: Change, after: Doc) -> Iterator[Problem]:
        yield from validation.reason_problems(after["reason"])

    def _emails(self) -> Iterator[Fault]:
        """Yield a fault for each new e-mail address that another user has."""
        changed = {change.key: change for change in self._plan.changes_of(Kind.USER) if "email" in change.fields}
        holders: dict[str, list[Key]] = {}
        for (kind, key), values in self._final.items():
            if kind is Kind.USER and values.get("email"):
                holders.setdefault(casefold_key(values["email"]), []).append(key)
        for email, keys in holders.items():
            for key in keys[:-1] if len(keys) > 1 else ():
                at = changed.get(key) or changed.get(keys[-1])
                if at is not None:
                    yield fault_at(f"The email address `{email}` belongs to more than one user.", at.item, "email")

    def _removal_problems(self, change: Change) -> Iterator[str]:
        """Yield why a service would refuse to delete an object."""
        name = change.key[0]
        if change.kind in {Kind.USER, Kind.ROLE}:
            yield from (problem.message for problem in self._elsewhere())
        if change.kind is Kind.ROLE and name in self._assigned_roles:
            yield f"The role `{name}` is assigned to users who stay. Remove it from them first."
        is_locked = {
            Kind.USER: name in self._owners_of_locked,
            Kind.ORG: any(path.startswith(f"{name}/") for path in self._locked_before),
            Kind.RESOURCE: name in self._locked_before,
        }
        if is_locked.get(change.kind):
            reason = {Kind.USER: "owns what is locked", Kind.ORG: "has locked resources", Kind.RESOURCE: "is locked"}
            yield f"The {noun(change.kind)} `{name}` {reason[change.kind]}, so it cannot be removed. Unlock it first."

    @cached_property
    def _locked_before(self) -> list[str]:
        """The paths of resources that are locked now: what is removed cannot be unlocked by the same document."""
        return [item.key[0] for item in self._plan.current.items_of(Kind.LOCK)]

    @cached_property
    def _owners_of_locked(self) -> set[str]:
        """The keys of users who own a resource that stays locked, or the org of one."""
        owners = set[str]()
        for kind, key in self._final:
            if kind is Kind.LOCK:
                org = key[0].partition("/")[0]
                for owned in ((Kind.RESOURCE, key), (Kind.ORG, (org,))):
                    owner = self._final.get(owned, {}).get("owner")
                    owners |= set() if owner is None else {validation.normalize_key(owner)}
        return owners

    @cached_property
    def _users(self) -> list[Doc]:
        return [values for (kind, _), values in self._final.items() if kind is Kind.USER]

    @cached_property
    def _assigned_roles(self) -> set[str]:
        return {casefold_key(name) for user in self._users for name in user["roles"]}

    def _administrators(self) -> Iterator[Fault]:
        """Require an active administrator if there is one, and where the services do.

        They do when a user is deleted, and when the roles of an administrator change, deactivated or not.
        """
        needs_one = any(
            map(_is_administrator, (item.values for item in self._plan.current.items_of(Kind.USER)))
        ) or any(
            change.after is None or ("roles" in change.fields and _holds(change.before, ADMIN))
            for change in self._plan.changes_of(Kind.USER)
        )
        if needs_one and not any(map(_is_administrator, self._users)):
            yield Fault("The registry would be left without an active administrator.", Location("users"))


def _end_problems(change: Change, after: Doc) -> Iterator[Problem]:
    """Yield the problem of a new end that is too late. One in the past comes back with the registry that had it."""
    if "expiresAt" in change.fields:
        yield from validation.latest_end_problems(after["expiresAt"])


def _is_counted(key: Key) -> bool:
    """Return whether a grant counts for `grants.MAX_ENTRIES`."""
    return key[1].partition(":")[0] in {Kind.GROUP.value, Kind.USER.value}


def _holds(user: Doc | None, role: str) -> bool:
    return user is not None and role in map(casefold_key, user["roles"])


def _is_administrator(user: Doc) -> bool:
    return _holds(user, ADMIN) and not _holds(user, DEACTIVATED) and not user["isServiceAccount"]
