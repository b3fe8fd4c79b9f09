"""Access checks for data services: may a user do this, and why. All use the query of the policy package."""

from collections.abc import AsyncIterator, Collection, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import FromClause, Select, bindparam, not_, select

from app import policy
from app.db import Database, Freshness, SnapshotReader, at_one_moment
from app.db.tables import Access, KeyText, Resource, RowId, User, aliased, col
from app.domain import resource_roles
from app.domain.errors import BadInput, Forbidden, Unknown
from app.domain.refs import RowRef
from app.domain.resource_roles import SubjectType
from app.domain.viewer import Viewer
from app.policy import PAIR, USER_SUBJECTS, WIDE_PAIR
from app.query.relations import Keys, among
from app.services import validation
from app.services.access_cache import get_masks, mark_missing

MAX_CHECKS = 10_000

Reader = Database | SnapshotReader


@dataclass(frozen=True, slots=True)
class Reason:
    """One path by which a user holds roles on a resource: an entry, and the subject through which it applies."""

    kind: SubjectType
    key: int
    granted: int
    mask: int
    level: int | None
    expires_at: datetime | None


async def check_access(database: Database, viewer: Viewer, user: RowRef, resource: RowRef, role: int) -> bool:
    """Return whether a user holds a role on a resource; raise like `check_access_batch`."""
    user_id, resource_id = await find_user_id(database, viewer, user), await find_resource_id(database, resource)
    by_name = user[0] != "id"
    return (await check_access_batch(database, viewer, [user_id], [resource_id], [role], by_name=by_name))[0]


async def check_access_batch(
    database: Database,
    viewer: Viewer,
    users: Sequence[int],
    resources: Sequence[int],
    roles: Sequence[int],
    *,
    by_name: bool = False,
) -> list[bool]:
    """Return whether each user holds the role, given by its bit, on the resource at the same index.

    An id 0 does not exist; a deactivated user holds no role. The three are columns, since a tuple for each check would
    take longer than the lookup.

    To ask about other users, the viewer needs ACCESS_VIEW, or ADMIN on the resource and the right to see the members of
    its org and of the groups with an entry. Raise Forbidden otherwise, whether or not the users exist. Then raise
    Unknown for users and resources that the viewer may not know of. Checks of the viewer's own access return False for
    such resources.
    """
    if _needs_no_snapshot(viewer, users):
        return await check(database, viewer, users, resources, roles, by_name=by_name)
    async with open_reader(database, viewer, users) as reader:
        return await check(reader, viewer, users, resources, roles, by_name=by_name)


def _needs_no_snapshot(viewer: Viewer, users: Collection[int]) -> bool:
    """Return whether the right to ask about these users depends on no row."""
    is_unconditional = policy.asks_about_everybody(viewer) and not viewer.is_limited
    return is_unconditional or all(user == viewer.user_id for user in users)


@asynccontextmanager
async def open_reader(database: Database, viewer: Viewer, users: Collection[int]) -> AsyncIterator[Reader]:
    """Open what a check of these users reads from.

    The right to ask depends on the resource: on its entries, or for a limited token on its org. It and the answer are
    read at one moment, since a change in between would reveal what the viewer may not know.
    """
    if _needs_no_snapshot(viewer, users):
        yield database
    else:
        async with at_one_moment(database) as reader:
            yield reader


async def check(
    reader: Reader,
    viewer: Viewer,
    users: Sequence[int],
    resources: Sequence[int],
    roles: Sequence[int],
    *,
    by_name: bool = False,
) -> list[bool]:
    """Check within an open reader; `by_name` says that the viewer knows the user name."""
    viewer_id = require_check_count(viewer, len(users))
    if not users:
        return []
    others = {*users} - {viewer_id}
    if others and (viewer.is_limited or not policy.asks_about_everybody(viewer)):
        requested = {resource for user, resource in zip(users, resources, strict=True) if user != viewer_id}
        await require_may_ask(reader, viewer, requested)
    base = _base(max(users), max(resources))
    pairs = [user * base + resource for user, resource in zip(users, resources, strict=True)]
    masks = await _load_masks(reader, viewer, pairs, base)
    marks = (
        [(at, mask) for at, mask in enumerate(masks) if mask > policy.EXPIRES] if max(masks) > policy.EXPIRES else []
    )
    if marks and may_know_missing(viewer, about_others=bool(others)):
        raise_unknown("resource", (at for at, mark in marks if mark & policy.NO_RESOURCE))
    if others and policy.finds_everybody(viewer):
        if marks:
            raise_unknown("user", (at for at, mark in marks if mark & policy.NO_USER))
    elif others:
        holders = {user for user, mask in zip(users, masks, strict=True) if 0 < mask < policy.EXPIRES}
        unproven = others if by_name else others - holders
        missing = unproven - await _load_known_users(reader, viewer, unproven, by_name=by_name)
        raise_unknown("user", (at for at, user in enumerate(users) if user in missing))
    return [mask & role != 0 for mask, role in zip(masks, roles, strict=True)]


def require_check_count(viewer: Viewer, number: int) -> int:
    """Return the viewer's id; raise BadInput for too many checks and Unauthenticated for anonymous ones.

    Call it before any id is decoded.
    """
    if number > MAX_CHECKS:
        raise BadInput(f"One request can make at most {MAX_CHECKS:,} checks, not {number:,}. Split it.")
    return policy.require_signed_in(viewer)


def _base(*keys: int) -> int:
    """Return the factor of a user's id in a pair with any of these ids."""
    return PAIR if max(keys) < PAIR else WIDE_PAIR


async def require_may_ask(reader: Reader, viewer: Viewer, resources: Collection[int]) -> None:
    """Raise Forbidden unless the viewer may ask about other users on all of these resources."""
    if policy.asks_about_everybody(viewer):
        is_allowed = not viewer.is_limited or await _includes(reader, viewer, resources)
    else:
        is_allowed = await _is_admin(reader, viewer, resources)
    if not is_allowed:
        lacks_it = viewer.token_id is not None and not policy.asks_about_everybody(viewer)
        missing = " This API token does not have ACCESS_VIEW." if lacks_it else ""
        raise Forbidden(
            f"Only those who hold ADMIN on the resource, or ACCESS_VIEW, may ask about another user.{missing}"
        )
    if policy.asks_about_everybody(viewer):
        return
    if await reader.ask(
        _hidden_members_query(viewer.permission_profile),
        freshness=Freshness.PRIMARY,
        keys=[*resources],
        **viewer.bind_values,
        now=reader.clock(),
    ):
        raise Forbidden(
            "This needs ACCESS_VIEW: the resource has an entry of a group whose members you may not see, or is in an "
            "org whose members you may not see."
        )


async def _is_admin(reader: Reader, viewer: Viewer, resources: Collection[int]) -> bool:
    """Return whether the viewer holds ADMIN on all of these resources."""
    viewer_id = viewer.user_id or 0
    base = _base(viewer_id, *resources)
    masks = await _load_masks(reader, viewer, [viewer_id * base + resource for resource in resources], base)
    return all(mask & resource_roles.ADMIN for mask in masks)


async def _includes(reader: Reader, viewer: Viewer, resources: Collection[int]) -> bool:
    """Return whether all of these resources are in the scope of the viewer's token."""
    rows = await reader.ask(_IN_SCOPE, freshness=Freshness.PRIMARY, keys=[*resources], **viewer.bind_values)
    return {row[0] for row in rows}.issuperset(resources)


@cache
def _hidden_members_query(viewer: Viewer) -> Select[Any]:
    """Return one of the resources whose answer would reveal a membership that the viewer may not see."""
    is_requested = among(col(Resource.id), bindparam("keys", type_=Keys(RowId())))
    return select(col(Resource.id)).where(is_requested, not_(policy.members_are_seen(viewer))).limit(1)


async def _load_known_users(reader: Reader, viewer: Viewer, users: Collection[int], *, by_name: bool) -> set[int]:
    """Return the users of whom the viewer may know; by an exact name more users are found than by an id."""
    rows = await reader.ask(
        _known_users_query(viewer.permission_profile, by_name),
        freshness=Freshness.PRIMARY,
        keys=[*users],
        **viewer.bind_values,
        now=reader.clock(),
    )
    return {row[0] for row in rows}


@cache
def _known_users_query(viewer: Viewer, by_name: bool) -> Select[Any]:
    """Return those of the users of whom the viewer may know that they exist."""
    is_requested = among(col(User.id), bindparam("keys", type_=Keys(RowId())))
    is_known = policy.finds_user(viewer) if by_name else policy.knows_user(viewer)
    return select(col(User.id)).where(is_requested, is_known)


def may_know_missing(viewer: Viewer, *, about_others: bool) -> bool:
    """Return whether the viewer may learn that a resource does not exist."""
    may_ask = about_others and policy.asks_about_everybody(viewer)
    return not viewer.is_limited and (may_ask or policy.sees_all_resources(viewer))


_IN_SCOPE = select(col(Resource.id)).where(
    among(col(Resource.id), bindparam("keys", type_=Keys(RowId()))), policy.scope_includes_resource(Resource.id)
)


def raise_unknown(noun: str, missing: Iterable[int]) -> None:
    """Raise Unknown for the first index of an object that does not exist for the viewer, if there is one."""
    for index in missing:
        raise Unknown(noun, index)


async def _load_masks(reader: Reader, viewer: Viewer, pairs: Sequence[int], base: int) -> list[int]:
    """Return the roles of users on resources for each pair, the viewer's own within the scope of their token.

    Roles through RESOURCES_MANAGE are left out for other users, unless the viewer may see who holds that permission.
    """
    viewer_id = viewer.user_id or 0
    with_registry = policy.sees_registry_administrators(viewer)
    if viewer.token_id is None and with_registry:
        return await get_masks(reader, pairs, base)
    own = [pair for pair in pairs if pair // base == viewer_id]
    others = [pair for pair in pairs if pair // base != viewer_id]
    masks = dict(zip(others, await get_masks(reader, others, base, registry=with_registry), strict=True))
    if viewer.token_id is None:
        masks |= zip(own, await get_masks(reader, own, base), strict=True)
    elif own:
        rows = await reader.ask(
            _viewer_masks(viewer.permission_profile),
            freshness=Freshness.PRIMARY,
            keys=[*{pair % base for pair in own}],
            **viewer.bind_values,
            now=reader.clock(),
        )
        own_masks = dict.fromkeys(own, 0) | {viewer_id * base + resource: mask for resource, mask in rows}
        masks |= await mark_missing(reader, own_masks, base)
    return [masks[pair] for pair in pairs]


@cache
def _viewer_masks(viewer: Viewer) -> Select[Any]:
    """Return the viewer's roles on many resources: (resource, mask)."""
    is_requested = among(col(Resource.id), bindparam("keys", type_=Keys(RowId())))
    return select(col(Resource.id), policy.effective_mask(viewer)).where(is_requested)


async def explain_access(database: Database, viewer: Viewer, user: RowRef, resource: RowRef) -> list[Reason]:
    """Return every path by which a user holds roles on a resource; raise like `check_access`."""
    user_id, resource_id = await find_user_id(database, viewer, user), await find_resource_id(database, resource)
    is_own = user_id == viewer.user_id
    query = _reason_columns(policy.viewer_subjects(viewer)) if is_own and viewer.token_id is not None else _REASONS
    async with open_reader(database, viewer, {user_id}) as reader:
        await check(reader, viewer, [user_id], [resource_id], [resource_roles.ADMIN], by_name=user[0] != "id")
        values = {"keys": [user_id], "resource": resource_id, "now": database.clock()}
        rows = await reader.ask(query, freshness=Freshness.PRIMARY, **values, **viewer.bind_values)
    with_registry = is_own or policy.sees_registry_administrators(viewer)
    return [
        Reason(
            resource_roles.subject_type(subject),
            resource_roles.subject_key(subject),
            granted,
            mask,
            level,
            min((each for each in (end, until) if each is not None), default=None),
        )
        for subject, granted, mask, level, end, until in rows
        if with_registry or subject != resource_roles.REGISTRY
    ]


_access = aliased(Access)


@cache
def _reason_columns(subjects: FromClause) -> Select[Any]:
    """Return each path by which these subjects hold roles on the bound `resource`."""
    return (
        select(
            col(_access.subject),
            col(_access.granted).op("&")(subjects.c.cap),
            policy.roles_sql(subjects, _access),
            subjects.c.level,
            col(_access.expires_at),
            subjects.c.until,
        )
        .where(
            col(_access.resource_id) == bindparam("resource", type_=RowId()),
            policy.holds_access(subjects, _access),
            policy.roles_sql(subjects, _access) != 0,
        )
        .order_by(col(_access.subject), subjects.c.level)
    )


_REASONS = _reason_columns(USER_SUBJECTS)

_USER_BY_NAME = select(col(User.id)).where(col(User.user_key) == bindparam("key", type_=KeyText()))

_RESOURCE_BY_PATH = select(col(Resource.id)).where(col(Resource.path) == bindparam("path", type_=KeyText()))


async def find_user_id(database: Database, viewer: Viewer, user: RowRef) -> int:
    """Return the id of the user, or 0. A lookup by e-mail finds only users whose address the viewer may see.

    The check itself decides what else the viewer may learn of the user.
    """
    by, key = validation.normalize_ref(user)
    if by == "id":
        return int(key)
    statement = _user_by_email(viewer.permission_profile) if by == "email" else _USER_BY_NAME
    rows = await database.ask(statement, freshness=Freshness.PRIMARY, key=key, **viewer.bind_values)
    return rows[0][0] if rows else 0


@cache
def _user_by_email(viewer: Viewer) -> Select[Any]:
    is_named = col(User.email_key) == bindparam("key", type_=KeyText())
    return select(col(User.id)).where(is_named, policy.sees_user_details(viewer))


async def find_resource_id(database: Database, resource: RowRef) -> int:
    """Return the id of the resource, 0 if there is none."""
    column, key = resource
    if column == "id":
        return int(key)
    rows = await database.ask(_RESOURCE_BY_PATH, freshness=Freshness.PRIMARY, path=validation.normalize_key(key))
    return rows[0][0] if rows else 0


async def find_user_ids(database: Database, names: Sequence[str]) -> list[int]:
    """Return the ids of users by name like `find_user_id`, with one statement."""
    return await _find_ids(database, _USERS_BY_NAME, names)


async def find_resource_ids(database: Database, paths: Sequence[str]) -> list[int]:
    """Return the ids of resources by path like `find_resource_id`, with one statement."""
    return await _find_ids(database, _RESOURCES_BY_PATH, paths)


async def _find_ids(database: Database, statement: Select[Any], texts: Sequence[str]) -> list[int]:
    keys = [*map(validation.normalize_key, texts)]
    rows = await database.ask(statement, freshness=Freshness.PRIMARY, keys=[*{*keys}])
    ids: dict[str, int] = {key: row_id for key, row_id in rows}  # noqa: C416 - to mypy a row has any length
    return [ids.get(key, 0) for key in keys]


_KEY_TEXTS = bindparam("keys", type_=Keys(KeyText()))
_USERS_BY_NAME = select(col(User.user_key), col(User.id)).where(among(col(User.user_key), _KEY_TEXTS))
_RESOURCES_BY_PATH = select(col(Resource.path), col(Resource.id)).where(among(col(Resource.path), _KEY_TEXTS))
