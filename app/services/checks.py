"""May she? And why? The questions that data services ask; all are answered by the one query of the policy."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, select
from sqlalchemy.orm import aliased

from app import masks, policy
from app.auth import Permission, Viewer
from app.db import Database
from app.errors import BadInput, Forbidden
from app.masks import Kind
from app.policy import PAIR, THEIRS
from app.services import names
from app.services.roles import Way
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
    """Whether a user holds a role on a resource. Who is unknown, deactivated or gone holds none."""
    user_id, resource_id = await user_key(database, user), await resource_key(database, resource)
    return (await check_access_batch(database, viewer, [(user_id, resource_id, role)]))[0]


async def check_access_batch(database: Database, viewer: Viewer, triples: Sequence[Triple]) -> list[bool]:
    """The same for many at once, in their order, in one statement. 0 stands for what there is not.

    About others ask RESOURCES_MANAGE, and who holds ADMIN on the resource; raises Forbidden for anybody else.
    """
    if len(triples) > MAX_CHECKS:
        raise BadInput(f"At most {MAX_CHECKS:,} checks are made at once, not {len(triples):,}.")
    own = policy.require_signed_in(viewer)
    foreign = {resource for user, resource, _ in triples if user != own}
    proof = set() if Permission.RESOURCES_MANAGE in viewer.permissions else {(own, resource) for resource in foreign}
    found = await _masks(database, {(user, resource) for user, resource, _ in triples} | proof)
    if not all(found.get(pair, 0) & masks.ADMIN for pair in proof):
        raise Forbidden("Only those who hold ADMIN on the resource, or RESOURCES_MANAGE, may ask about somebody else.")
    return [bool(found.get((user, resource), 0) & role) for user, resource, role in triples]


async def _masks(database: Database, asked: set[tuple[int, int]]) -> dict[tuple[int, int], int]:
    pairs = [user * PAIR + resource for user, resource in asked]
    statement = policy.masks_of_pairs(database.dialect.name)
    rows = await database.ask(statement, pairs=pairs, now=database.clock())
    return {divmod(int(pair), PAIR): mask for pair, mask in rows}


async def explain_access(database: Database, viewer: Viewer, user: Way, resource: Way) -> list[Reason]:
    """Every way in which a user comes to roles on a resource; asked as `check_access` is."""
    user_id, resource_id = await user_key(database, user), await resource_key(database, resource)
    await check_access_batch(database, viewer, [(user_id, resource_id, masks.ADMIN)])
    rows = await database.ask(_REASONS, keys=[user_id], resource=resource_id, now=database.clock())
    return [
        Reason(masks.kind_of(subject), masks.key_of(subject), granted, mask, level, _sooner(end, until))
        for subject, granted, mask, level, end, until in rows
    ]


def _sooner(first: datetime | None, second: datetime | None) -> datetime | None:
    ends = [end for end in (first, second) if end is not None]
    return min(ends) if ends else None


_entry = aliased(Access)

_REASONS = (
    select(
        col(_entry.subject),
        col(_entry.granted).op("&")(THEIRS.c.cap),
        policy.held(THEIRS, _entry),
        THEIRS.c.level,
        col(_entry.expires_at),
        THEIRS.c.until,
    )
    .where(
        col(_entry.resource_id) == bindparam("resource"),
        policy.holds(THEIRS, _entry),
        policy.held(THEIRS, _entry) != 0,
    )
    .order_by(col(_entry.subject), THEIRS.c.level)
)

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
