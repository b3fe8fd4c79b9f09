"""May she? And why? The questions that data services ask; all are answered by the one query of the policy."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import FromClause, Select, bindparam, not_, select
from sqlalchemy.orm import aliased

from app import policy
from app.db import Database, Freshness
from app.db.tables import Access, KeyText, Resource, RowId, User, col
from app.domain import resource_roles
from app.domain.errors import BadInput, Forbidden, Unknown
from app.domain.resource_roles import SubjectType
from app.domain.viewer import Viewer
from app.policy import PAIR, USER_SUBJECTS, WIDE_PAIR
from app.query.relations import Keys, among
from app.services import validation
from app.services.access_cache import NO_RESOURCE, NO_USER, get_masks, mark_missing
from app.services.roles import RowRef

MAX_CHECKS = 10_000

Triple = tuple[int, int, int]
"""A user, a resource and the bit of a role."""


@dataclass(frozen=True, slots=True)
class Reason:
    """One way in which a user comes to roles on a resource."""

    kind: SubjectType
    key: int
    granted: int
    mask: int
    level: int | None
    expires_at: datetime | None


async def check_access(database: Database, viewer: Viewer, user: RowRef, resource: RowRef, role: int) -> bool:
    """Whether a user holds a role on a resource; asked as `check_access_batch` is."""
    user_id, resource_id = await user_key(database, user), await resource_key(database, resource)
    return (await check_access_batch(database, viewer, [(user_id, resource_id, role)]))[0]


async def check_access_batch(database: Database, viewer: Viewer, triples: Sequence[Triple]) -> list[bool]:
    """The same for many at once, in their order. 0 stands for what does not exist; who is deactivated holds nothing.

    About others asks who holds ACCESS_VIEW, or ADMIN on the resource and may know who belongs to what there; raises
    Forbidden for anybody else, the same whoever is asked about. Then it raises Unknown for what the viewer may not know
    of; a resource that the viewer asks about for themselves gives them nothing instead.
    """
    own = require_few(viewer, len(triples))
    others = {user for user, _, _ in triples if user != own}
    if others:
        await _require_may_ask(database, viewer, {resource for user, resource, _ in triples if user != own})
    base = _base(own, *(key for user, resource, _ in triples for key in (user, resource)))
    pairs = [user * base + resource for user, resource, _ in triples]
    found = await _masks(database, viewer, {*pairs}, base)
    missing = {mark for pair in pairs if (mark := found[pair]) > policy.ENDS}
    if _tells_of_resources(viewer, about_others=bool(others)):
        _raise_unknown(any(mark & NO_RESOURCE for mark in missing), "resource")
    if others:
        await _refuse_unknown_users(database, viewer, others, any(mark & NO_USER for mark in missing))
    return [found[pair] & role != 0 for pair, (_, _, role) in zip(pairs, triples, strict=True)]


def require_few(viewer: Viewer, number: int) -> int:
    """Refuse too many checks at once, and anonymous ones, before any id is read; returns the viewer's own id."""
    if number > MAX_CHECKS:
        raise BadInput(f"At most {MAX_CHECKS:,} checks are made at once, not {number:,}.")
    return policy.require_signed_in(viewer)


def _base(*keys: int) -> int:
    """Return by how much a user's id is multiplied in a pair with any of these ids."""
    return PAIR if max(keys) < PAIR else WIDE_PAIR


async def _require_may_ask(database: Database, viewer: Viewer, resources: Collection[int]) -> None:
    """Raises Forbidden unless the viewer may ask about others on all of these resources."""
    if policy.asks_about_everybody(viewer):
        may = not viewer.is_limited or await _covers(database, viewer, resources)
    else:
        may = await _administers(database, viewer, resources)
    if not may:
        raise Forbidden("Only those who hold ADMIN on the resource, or ACCESS_VIEW, may ask about another user.")
    if policy.asks_about_everybody(viewer):
        return
    if await database.ask(
        _hidden_query(viewer.permission_profile),
        freshness=Freshness.PRIMARY,
        keys=[*resources],
        **viewer.bind_values,
        now=database.clock(),
    ):
        raise Forbidden(
            "This needs ACCESS_VIEW: the resource has an entry of a group whose members you may not see, or is in an "
            "org whose members you may not see."
        )


async def _administers(database: Database, viewer: Viewer, resources: Collection[int]) -> bool:
    """Return whether the viewer holds ADMIN on all of these resources."""
    own = viewer.user_id or 0
    base = _base(own, *resources)
    held = await _masks(database, viewer, {own * base + resource for resource in resources}, base)
    return all(held.get(own * base + resource, 0) & resource_roles.ADMIN for resource in resources)


async def _covers(database: Database, viewer: Viewer, resources: Collection[int]) -> bool:
    """Return whether the viewer's limited token covers all of these resources."""
    covered = await database.ask(_COVERED, freshness=Freshness.PRIMARY, keys=[*resources], **viewer.bind_values)
    return {row[0] for row in covered}.issuperset(resources)


@cache
def _hidden_query(viewer: Viewer) -> Select[Any]:
    """Those of the resources on which the answer would tell the viewer who belongs to a group or an org."""
    is_asked = among(col(Resource.id), bindparam("keys", type_=Keys(RowId())))
    return select(col(Resource.id)).where(is_asked, not_(policy.members_are_seen(viewer))).limit(1)


async def _refuse_unknown_users(database: Database, viewer: Viewer, users: Collection[int], is_missing: bool) -> None:
    """Raises Unknown for a user who does not exist, or of whom the viewer may not know."""
    if policy.finds_everybody(viewer):
        _raise_unknown(is_missing, "user")
        return
    known = await database.ask(
        _known_query(viewer.permission_profile),
        freshness=Freshness.PRIMARY,
        keys=[*users],
        **viewer.bind_values,
        now=database.clock(),
    )
    _raise_unknown(not {row[0] for row in known}.issuperset(users), "user")


@cache
def _known_query(viewer: Viewer) -> Select[Any]:
    """Those of the asked users of whom the viewer may know that they exist."""
    is_asked = among(col(User.id), bindparam("keys", type_=Keys(RowId())))
    return select(col(User.id)).where(is_asked, policy.finds_user(viewer))


def _tells_of_resources(viewer: Viewer, *, about_others: bool) -> bool:
    """Return whether the viewer may learn that a resource does not exist."""
    asks = about_others and policy.asks_about_everybody(viewer)
    return not viewer.is_limited and (asks or policy.sees_all_resources(viewer))


_COVERED = select(col(Resource.id)).where(
    among(col(Resource.id), bindparam("keys", type_=Keys(RowId()))), policy.scope_includes_resource(Resource.id)
)


def _raise_unknown(is_missing: bool, what: str) -> None:
    """Raises Unknown if something that a question names does not exist for the asker."""
    if is_missing:
        raise Unknown(f"There is no such {what}.")


async def _masks(database: Database, viewer: Viewer, asked: Collection[int], base: int) -> Mapping[int, int]:
    """What users hold on resources, by pair; the viewer, what their token lets them of it.

    Who asks as an administrator of a resource is not told who administers the registry, unless they see that.
    """
    me = viewer.user_id or 0
    is_told = policy.knows_registrars(viewer)
    if viewer.token_id is None and is_told:
        return await get_masks(database, [*asked], base)
    own = [pair for pair in asked if pair // base == me]
    others = [pair for pair in asked if pair // base != me]
    found = await get_masks(database, others, base, registry=is_told)
    if viewer.token_id is None:
        return {**found, **await masks_of_pairs(database, own, base)}
    keys = [pair % base for pair in own]
    mine = (
        await database.ask(
            _viewer_masks(viewer.permission_profile),
            freshness=Freshness.PRIMARY,
            keys=keys,
            **viewer.bind_values,
            now=database.clock(),
        )
        if own
        else []
    )
    held = dict.fromkeys(own, 0) | {me * base + resource: mask for resource, mask in mine}
    return {**found, **await mark_missing(database, held, base)}


@cache
def _viewer_masks(viewer: Viewer) -> Select[Any]:
    """What the viewer holds on many resources: (resource, mask)."""
    asked = among(col(Resource.id), bindparam("keys", type_=Keys(RowId())))
    return select(col(Resource.id), policy.effective_mask(viewer)).where(asked)


async def explain_access(database: Database, viewer: Viewer, user: RowRef, resource: RowRef) -> list[Reason]:
    """Every way in which a user comes to roles on a resource; asked as `check_access` is."""
    user_id, resource_id = await user_key(database, user), await resource_key(database, resource)
    await check_access_batch(database, viewer, [(user_id, resource_id, resource_roles.ADMIN)])
    is_own = user_id == viewer.user_id
    statement = _reason_columns(policy.viewer_subjects(viewer)) if is_own and viewer.token_id is not None else _REASONS
    given = {"keys": [user_id], "resource": resource_id, "now": database.clock()}
    rows = await database.ask(statement, freshness=Freshness.PRIMARY, **given, **viewer.bind_values)
    is_told = is_own or policy.knows_registrars(viewer)
    return [
        Reason(
            resource_roles.subject_type(subject),
            resource_roles.subject_key(subject),
            granted,
            mask,
            level,
            _sooner(end, until),
        )
        for subject, granted, mask, level, end, until in rows
        if is_told or subject != resource_roles.REGISTRY
    ]


def _sooner(first: datetime | None, second: datetime | None) -> datetime | None:
    ends = [end for end in (first, second) if end is not None]
    return min(ends) if ends else None


_entry = aliased(Access)


@cache
def _reason_columns(acting: FromClause) -> Select[Any]:
    """Each way in which somebody who acts so comes to roles on the bound `resource`."""
    return (
        select(
            col(_entry.subject),
            col(_entry.granted).op("&")(acting.c.cap),
            policy.roles_sql(acting, _entry),
            acting.c.level,
            col(_entry.expires_at),
            acting.c.until,
        )
        .where(
            col(_entry.resource_id) == bindparam("resource", type_=RowId()),
            policy.holds_access(acting, _entry),
            policy.roles_sql(acting, _entry) != 0,
        )
        .order_by(col(_entry.subject), acting.c.level)
    )


_REASONS = _reason_columns(USER_SUBJECTS)

_USER = select(col(User.id)).where(col(User.user_key) == bindparam("name", type_=KeyText()))

_RESOURCE = select(col(Resource.id)).where(col(Resource.path) == bindparam("path", type_=KeyText()))


async def user_key(database: Database, user: RowRef) -> int:
    """The id of a user whom a question names, 0 for nobody; the answer to the question says no more than it may."""
    way, key = user
    rows: list[Any] = (
        []
        if way == "id"
        else await database.ask(_USER, freshness=Freshness.PRIMARY, name=validation.normalize_key(str(key)))
    )
    return int(key) if way == "id" else rows[0][0] if rows else 0


async def resource_key(database: Database, resource: RowRef) -> int:
    """The id of a resource that a question names, 0 for none."""
    way, key = resource
    if way == "id":
        return int(key)
    rows = await database.ask(_RESOURCE, freshness=Freshness.PRIMARY, path=validation.normalize_key(key))
    return rows[0][0] if rows else 0
