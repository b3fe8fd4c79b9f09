"""Explanations of access in words, for operators: which roles a user holds on a resource, and why."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, select

from app.db import Database, Freshness
from app.db.tables import Group, Org, Resource, User, col
from app.db.types import RowId, format_instant
from app.domain import refs, resource_roles
from app.domain.errors import OstiaryError
from app.domain.refs import RowRef
from app.domain.resource_roles import MemberLevel, SubjectType
from app.domain.viewer import SYSTEM
from app.query.relations import Keys, among
from app.services import checks, denials
from app.services.denials import Cause

_KEYS = bindparam("keys", type_=Keys(RowId()))
_GROUPS = select(col(Group.id), col(Group.slug)).where(among(col(Group.id), _KEYS))
_ORGS = select(col(Org.id), col(Org.slug)).where(among(col(Org.id), _KEYS))
_USER = select(col(User.user_name)).where(among(col(User.id), _KEYS))
_RESOURCE = select(col(Resource.path)).where(among(col(Resource.id), _KEYS))

_SUBJECTS = {
    SubjectType.ANYONE: "the grant{} to anyone",
    SubjectType.GENERAL: "the grant{} to every signed-in user",
    SubjectType.USER: "a grant{} to the user",
    SubjectType.OWNER: "ownership of the resource",
    SubjectType.REGISTRY: "the permission RESOURCES_MANAGE",
}

Names = Mapping[SubjectType, Mapping[int, str]]
"""Slugs of groups and orgs by their ids."""


@dataclass(frozen=True, slots=True)
class RoleExplanation:
    """The answer for one role, and the reasons in words, why the user holds it or why not."""

    role: str
    is_held: bool
    reasons: list[str]


@dataclass(frozen=True, slots=True)
class Explanation:
    """All roles of a user on a resource, from the smallest to ADMIN; `user` and `resource` are their names."""

    user: str
    resource: str
    roles: list[RoleExplanation]


async def explain(database: Database, user: str, resource: str) -> Explanation:
    """Explain the access of a user, by name or id, to a resource, by id or ORG/SLUG. Raises OstiaryError."""
    user_ref = await _refer(database, "User", user, ("user_name", user))
    resource_ref = await _refer(database, "Resource", resource, ("path", resource))
    reasons = await checks.explain_access(database, SYSTEM, user_ref, resource_ref)
    refusals = {
        bit: await denials.explain_denial(database, SYSTEM, user_ref, resource_ref, bit)
        for bit in resource_roles.BITS
        if not any(reason.mask & bit for reason in reasons)
    }
    names = await _load_names(database, [*reasons, *(each for some in refusals.values() for each in some)])
    roles = [
        RoleExplanation(resource_roles.NAMES[bit], False, [_word_denial(each, names) for each in refusals[bit]])
        if bit in refusals
        else RoleExplanation(
            resource_roles.NAMES[bit], True, [_word_reason(each, names) for each in reasons if each.mask & bit]
        )
        for bit in resource_roles.BITS
    ]
    user_id, resource_id = await _ids(database, user_ref, resource_ref)
    ((user_name,),) = await database.ask(_USER, freshness=Freshness.PRIMARY, keys=[user_id])
    ((path,),) = await database.ask(_RESOURCE, freshness=Freshness.PRIMARY, keys=[resource_id])
    return Explanation(user_name, path, roles)


async def _refer(database: Database, kind: str, text: str, by_name: RowRef) -> RowRef:
    """Return the reference of a text: a name takes precedence over an id. Raises OstiaryError if it is neither."""
    find = _find_user_id if kind == "User" else checks.find_resource_id
    if await find(database, by_name):
        return by_name
    if (key := refs.key_of(kind, text)) is not None:
        return ("id", key)
    name = "a name" if kind == "User" else "ORG/SLUG"
    raise OstiaryError(f"there is no {kind.lower()} {text}: give {name} or an id")


async def _ids(database: Database, user: RowRef, resource: RowRef) -> tuple[int, int]:
    return await _find_user_id(database, user), await checks.find_resource_id(database, resource)


async def _find_user_id(database: Database, user: RowRef) -> int:
    return await checks.find_user_id(database, SYSTEM, user)


async def _load_names(database: Database, reasons: Iterable[checks.Reason | denials.Denial]) -> Names:
    names: dict[SubjectType, Mapping[int, str]] = {}
    subjects = {(each.kind, each.key) for each in reasons}
    for kind, statement in ((SubjectType.GROUP, _GROUPS), (SubjectType.ORG, _ORGS)):
        keys = [key for of_kind, key in subjects if of_kind is kind]
        rows = await database.ask(statement, freshness=Freshness.PRIMARY, keys=keys)
        names[kind] = {row[0]: row[1] for row in rows}
    return names


def _word_reason(reason: checks.Reason, names: Names) -> str:
    text = _word_subject(reason.kind, reason.key, names, reason.granted)
    if reason.level is not None:
        text = f"the level {MemberLevel(reason.level).name} {text.replace('membership', '', 1).strip()}"
    return f"{text}{_word_end(reason.expires_at)}"


def _word_roles(granted: int) -> str:
    names = [name for bit, name in resource_roles.NAMES.items() if granted & bit]
    return f" of {', '.join(names)}" if names and granted != resource_roles.ALL else ""


def _word_end(moment: datetime | None) -> str:
    return "" if moment is None else f" until {format_instant(moment, 'seconds')}"


def _word_subject(kind: SubjectType | None, key: int, names: Names, granted: int = resource_roles.ALL) -> str:
    """Return a subject in words, a grant with its roles unless it has all of them."""
    if kind is SubjectType.GROUP:
        return f"the grant{_word_roles(granted)} to the group {names[kind].get(key, key)}"
    if kind is SubjectType.ORG:
        return f"membership in the org {names[kind].get(key, key)}"
    return "" if kind is None else _SUBJECTS[kind].format(_word_roles(granted))


def _word_denial(denial: Any, names: Names) -> str:
    subject = _word_subject(denial.kind, denial.key, names)
    match denial.cause:
        case Cause.DEACTIVATED:
            return "the user is deactivated"
        case Cause.ENDED:
            return f"{subject} ended at {format_instant(denial.ended_at, 'seconds')}"
        case Cause.WITHOUT_ROLE:
            return f"{subject} does not include it"
        case Cause.NOT_OF_TYPE:
            return "resources of this type do not have this role"
    return "no grant, membership or ownership gives it"
