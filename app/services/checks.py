"""May she? And why? The questions that data services ask; all are answered by the one query of the policy."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache, reduce
from operator import or_
from typing import Any

from sqlalchemy import FromClause, Integer, Select, bindparam, not_, select
from sqlalchemy.orm import aliased

from app import masks, policy
from app.auth import Viewer
from app.db import Database
from app.errors import BadInput, Forbidden, Unknown
from app.masks import Kind
from app.policy import PAIR, THEIRS
from app.services import names
from app.services.remembered import NO_RESOURCE, NO_USER, masks_of_pairs
from app.services.roles import Way
from app.sources import Keys, among
from app.tables import Access, Key, Resource, User, col

MAX_CHECKS = 10_000

Triple = tuple[int, int, int]
"""A user, a resource and the bit of a role."""


@dataclass(frozen=True, slots=True)
class Reason:
    """One way in which a user comes to roles on a resource."""

    kind: Kind
    key: int
    granted: int
    mask: int
    level: int | None
    expires_at: datetime | None


async def check_access(database: Database, viewer: Viewer, user: Way, resource: Way, role: int) -> bool:
    """Whether a user holds a role on a resource; asked as `check_access_batch` is."""
    user_id, resource_id = await user_key(database, user), await resource_key(database, resource)
    return (await check_access_batch(database, viewer, [(user_id, resource_id, role)]))[0]


async def check_access_batch(database: Database, viewer: Viewer, triples: Sequence[Triple]) -> list[bool]:
    """The same for many at once, in their order. 0 stands for what does not exist; who is deactivated holds nothing.

    About others asks who holds ACCESS_VIEW, or ADMIN on the resource and may know who belongs to what there; raises
    Forbidden for anybody else, the same whoever is asked about. Then it raises Unknown for what the viewer may not know
    of; a resource that the viewer asks about for themselves gives them nothing instead.
    """
    if len(triples) > MAX_CHECKS:
        raise BadInput(f"At most {MAX_CHECKS:,} checks are made at once, not {len(triples):,}.")
    own = policy.require_signed_in(viewer)
    about_others = any(user != own for user, _, _ in triples)
    if about_others:
        await _require_may_ask(database, viewer, own, triples)
    pairs = [user * PAIR + resource for user, resource, _ in triples]
    found = await _masks(database, viewer, {*pairs})
    held = [found[pair] for pair in pairs]
    _refuse_unknown(viewer, reduce(or_, held, 0), about_others=about_others)
    if about_others and not policy.finds_everybody(viewer):
        await _require_known(database, viewer, {user for user, _, _ in triples if user != own})
    return [mask & role != 0 for mask, (_, _, role) in zip(held, triples, strict=True)]


async def _require_may_ask(database: Database, viewer: Viewer, own: int, triples: Sequence[Triple]) -> None:
    """Raises Forbidden unless the viewer may ask about others on all resources where others are named."""
    if policy.asks_about_everybody(viewer) and not viewer.is_limited:
        return
    resources = {resource for user, resource, _ in triples if user != own}
    if policy.asks_about_everybody(viewer):
        may = await _covers(database, viewer, resources)
    else:
        may = await _administers(database, viewer, resources)
    if not may:
        raise Forbidden("Only those who hold ADMIN on the resource, or ACCESS_VIEW, may ask about another user.")
    if policy.asks_about_everybody(viewer):
        return
    if await database.ask(_hidden(viewer.alike), keys=[*resources], **viewer.binds, now=database.clock()):
        raise Forbidden(
            "This needs ACCESS_VIEW: the resource has an entry of a group whose members you may not see, or is in an "
            "org whose members you may not see."
        )


async def _administers(database: Database, viewer: Viewer, resources: Collection[int]) -> bool:
    """Return whether the viewer holds ADMIN on all of these resources."""
    own = viewer.user_id or 0
    held = await _masks(database, viewer, {own * PAIR + resource for resource in resources})
    return all(held.get(own * PAIR + resource, 0) & masks.ADMIN for resource in resources)


async def _covers(database: Database, viewer: Viewer, resources: Collection[int]) -> bool:
    """Return whether the viewer's limited token covers all of these resources."""
    covered = await database.ask(_COVERED, keys=[*resources], **viewer.binds)
    return {row[0] for row in covered}.issuperset(resources)


@cache
def _hidden(viewer: Viewer) -> Select[Any]:
    """Those of the resources on which the answer would tell the viewer who belongs to a group or an org."""
    is_asked = among(col(Resource.id), bindparam("keys", type_=Keys(Integer())))
    return select(col(Resource.id)).where(is_asked, not_(policy.members_are_seen(viewer))).limit(1)


async def _require_known(database: Database, viewer: Viewer, users: Collection[int]) -> None:
    """Raises Unknown for a user of whom the viewer may not know, as for one who does not exist."""
    known = await database.ask(_known(viewer.alike), keys=[*users], **viewer.binds, now=database.clock())
    if {row[0] for row in known} != {*users}:
        raise Unknown(NO_SUCH_USER)


@cache
def _known(viewer: Viewer) -> Select[Any]:
    """Those of the asked users of whom the viewer may know that they exist."""
    is_asked = among(col(User.id), bindparam("keys", type_=Keys(Integer())))
    return select(col(User.id)).where(is_asked, policy.finds_user(viewer))


def _refuse_unknown(viewer: Viewer, found: int, *, about_others: bool) -> None:
    """Raises Unknown for what does not exist, to who may know that: `found` has `NO_USER` and `NO_RESOURCE`."""
    asks = about_others and policy.asks_about_everybody(viewer)
    if found & NO_RESOURCE and not viewer.is_limited and (asks or policy.sees_all_resources(viewer)):
        raise Unknown("There is no such resource.")
    if found & NO_USER and policy.finds_everybody(viewer):
        raise Unknown(NO_SUCH_USER)


NO_SUCH_USER = "There is no such user."

_COVERED = select(col(Resource.id)).where(
    among(col(Resource.id), bindparam("keys", type_=Keys(Integer()))), policy.covers_resource(Resource.id)
)


async def _masks(database: Database, viewer: Viewer, asked: Collection[int]) -> Mapping[int, int]:
    """What users hold on resources, by pair; the viewer, what their token lets them of it.

    Who asks as an administrator of a resource is not told who administers the registry, unless they see that.
    """
    me = viewer.user_id or 0
    is_told = policy.knows_registrars(viewer)
    if viewer.token_id is None and is_told:
        return await masks_of_pairs(database, [*asked])
    own = [pair for pair in asked if pair // PAIR == me]
    others = [pair for pair in asked if pair // PAIR != me]
    known = await masks_of_pairs(database, own)
    if not others and viewer.token_id is None:
        return known
    told = await masks_of_pairs(database, others, registry=is_told)
    found = {pair: told[pair] for pair in others}
    if viewer.token_id is None:
        return found | {pair: known[pair] for pair in own}
    keys = [pair % PAIR for pair in own]
    rows = await database.ask(_mine(viewer.alike), keys=keys, **viewer.binds, now=database.clock()) if own else []
    by_token = {me * PAIR + resource: mask for resource, mask in rows}
    return found | {pair: by_token.get(pair, 0) | known[pair] & NO_RESOURCE for pair in own}


@cache
def _mine(viewer: Viewer) -> Select[Any]:
    """What the viewer holds on many resources: (resource, mask)."""
    asked = among(col(Resource.id), bindparam("keys", type_=Keys(Integer())))
    return select(col(Resource.id), policy.mask(viewer)).where(asked)


async def explain_access(database: Database, viewer: Viewer, user: Way, resource: Way) -> list[Reason]:
    """Every way in which a user comes to roles on a resource; asked as `check_access` is."""
    user_id, resource_id = await user_key(database, user), await resource_key(database, resource)
    await check_access_batch(database, viewer, [(user_id, resource_id, masks.ADMIN)])
    is_own = user_id == viewer.user_id
    statement = _told(policy.mine(viewer)) if is_own and viewer.token_id is not None else _REASONS
    given = {"keys": [user_id], "resource": resource_id, "now": database.clock()}
    rows = await database.ask(statement, **given, **viewer.binds)
    is_told = is_own or policy.knows_registrars(viewer)
    return [
        Reason(masks.kind_of(subject), masks.key_of(subject), granted, mask, level, _sooner(end, until))
        for subject, granted, mask, level, end, until in rows
        if is_told or subject != masks.REGISTRY
    ]


def _sooner(first: datetime | None, second: datetime | None) -> datetime | None:
    ends = [end for end in (first, second) if end is not None]
    return min(ends) if ends else None


_entry = aliased(Access)


@cache
def _told(acting: FromClause) -> Select[Any]:
    """Each way in which somebody who acts so comes to roles on the bound `resource`."""
    return (
        select(
            col(_entry.subject),
            col(_entry.granted).op("&")(acting.c.cap),
            policy.held(acting, _entry),
            acting.c.level,
            col(_entry.expires_at),
            acting.c.until,
        )
        .where(
            col(_entry.resource_id) == bindparam("resource", type_=Integer()),
            policy.holds(acting, _entry),
            policy.held(acting, _entry) != 0,
        )
        .order_by(col(_entry.subject), acting.c.level)
    )


_REASONS = _told(THEIRS)

_USER = select(col(User.id)).where(col(User.user_key) == bindparam("name", type_=Key()))

_RESOURCE = select(col(Resource.id)).where(col(Resource.path) == bindparam("path", type_=Key()))


async def user_key(database: Database, user: Way) -> int:
    """The id of a user whom a question names, 0 for nobody; the answer to the question says no more than it may."""
    way, key = user
    rows: list[Any] = [] if way == "id" else await database.ask(_USER, name=names.sought(str(key)))
    return int(key) if way == "id" else rows[0][0] if rows else 0


async def resource_key(database: Database, resource: Way) -> int:
    """The id of a resource that a question names, 0 for none."""
    way, key = resource
    if way == "id":
        return int(key)
    rows = await database.ask(_RESOURCE, path=names.sought(key))
    return rows[0][0] if rows else 0
