"""May she? And why? The questions that data services ask; all are answered by the one query of the policy."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import FromClause, Select, bindparam, select
from sqlalchemy.orm import aliased

from app import masks, policy
from app.auth import Permission, Viewer
from app.db import Database
from app.errors import BadInput, Forbidden
from app.masks import Kind
from app.policy import PAIR, THEIRS, WIDE_PAIR
from app.services import names
from app.services.remembered import masks_of_pairs
from app.services.roles import Way
from app.sources import Keys, among
from app.tables import Access, Key, Resource, RowId, User, col

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
    """Whether a user holds a role on a resource. Who is unknown, deactivated or gone holds none."""
    user_id, resource_id = await user_key(database, user), await resource_key(database, resource)
    return (await check_access_batch(database, viewer, [(user_id, resource_id, role)]))[0]


async def check_access_batch(database: Database, viewer: Viewer, triples: Sequence[Triple]) -> list[bool]:
    """The same for many at once, in their order. 0 stands for what there is not.

    About others ask RESOURCES_MANAGE, and who holds ADMIN on the resource; raises Forbidden for anybody else.
    """
    own = require_few(viewer, len(triples))
    asks_of_all = Permission.RESOURCES_MANAGE in viewer.permissions and not viewer.is_limited
    is_narrow = own < PAIR and all(user < PAIR and resource < PAIR for user, resource, _ in triples)
    base = PAIR if is_narrow else WIDE_PAIR
    proof = set() if asks_of_all else {own * base + resource for user, resource, _ in triples if user != own}
    pairs = [user * base + resource for user, resource, _ in triples]
    found = await _masks(database, viewer, {*pairs, *proof}, base)
    if not all(found.get(pair, 0) & masks.ADMIN for pair in proof):
        raise Forbidden("Only those who hold ADMIN on the resource, or RESOURCES_MANAGE, may ask about somebody else.")
    return [found.get(pair, 0) & role != 0 for pair, (_, _, role) in zip(pairs, triples, strict=True)]


def require_few(viewer: Viewer, number: int) -> int:
    """Refuse too many checks at once, and anonymous ones, before any id is read; returns the viewer's own id."""
    if number > MAX_CHECKS:
        raise BadInput(f"At most {MAX_CHECKS:,} checks are made at once, not {number:,}.")
    return policy.require_signed_in(viewer)


async def _masks(database: Database, viewer: Viewer, asked: set[int], base: int) -> Mapping[int, int]:
    """What users hold on resources, by pair; the viewer herself, what her token lets her of it."""
    if viewer.token_id is None:
        return await masks_of_pairs(database, [*asked], base)
    me = viewer.user_id or 0
    own = [pair for pair in asked if pair // base == me]
    keys = [pair % base for pair in own]
    mine = await database.ask(_mine(viewer.alike), keys=keys, **viewer.binds, now=database.clock()) if own else []
    found = await masks_of_pairs(database, [*asked.difference(own)], base)
    return {**found, **dict.fromkeys(own, 0), **{me * base + resource: mask for resource, mask in mine}}


@cache
def _mine(viewer: Viewer) -> Select[Any]:
    """What the viewer holds on many resources: (resource, mask)."""
    asked = among(col(Resource.id), bindparam("keys", type_=Keys(RowId())))
    return select(col(Resource.id), policy.mask(viewer)).where(asked)


async def explain_access(database: Database, viewer: Viewer, user: Way, resource: Way) -> list[Reason]:
    """Every way in which a user comes to roles on a resource; asked as `check_access` is."""
    user_id, resource_id = await user_key(database, user), await resource_key(database, resource)
    await check_access_batch(database, viewer, [(user_id, resource_id, masks.ADMIN)])
    is_own = user_id == viewer.user_id and viewer.token_id is not None
    statement = _told(policy.mine(viewer)) if is_own else _REASONS
    given = {"keys": [user_id], "resource": resource_id, "now": database.clock()}
    rows = await database.ask(statement, **given, **viewer.binds)
    return [
        Reason(masks.kind_of(subject), masks.key_of(subject), granted, mask, level, _sooner(end, until))
        for subject, granted, mask, level, end, until in rows
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
            col(_entry.resource_id) == bindparam("resource", type_=RowId()),
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
