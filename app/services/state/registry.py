"""The registry as the objects of a document, read page by page in a fixed order."""

from collections.abc import AsyncIterator, Collection, Sequence
from typing import Any

import orjson
from sqlalchemy import bindparam, select

from app.db import Freshness, SnapshotReader
from app.db.tables import (
    Grant,
    Group,
    GroupMember,
    KeyText,
    Lock,
    Org,
    OrgMember,
    Resource,
    ResourceType,
    Role,
    RowId,
    User,
    UserRole,
    col,
)
from app.db.types import format_instant
from app.domain import resource_roles
from app.domain.json_values import sorted_json
from app.domain.resource_roles import MemberLevel, SubjectType
from app.domain.viewer import permission_names
from app.query.relations import Keys, among
from app.services.state.files import Progress, silent
from app.services.state.model import ANYONE, GENERAL, KINDS, Doc, Reader, State
from app.services.state.model import Location as Place

PAGE = 1_000
"""Objects that are read at once."""

_IDS = bindparam("ids", type_=Keys(RowId()))
_AFTER = bindparam("after", type_=KeyText())


def _page(table: Any, key: Any, *columns: Any) -> Any:
    """Return the statement of a page of rows after a key: id, key, and some columns."""
    rows = select(col(table.id), col(key), *(col(each) for each in columns))
    return rows.where(col(key) > _AFTER).order_by(col(key)).limit(PAGE)


_TYPES = _page(ResourceType, ResourceType.name, ResourceType.has_data)
_ROLES = _page(Role, Role.name_key, Role.name, Role.description, Role.permissions)
_USERS = _page(
    User,
    User.user_key,
    User.user_name,
    User.display_name,
    User.email,
    User.is_service_account,
    User.details,
    User.password_hash,
)
_USER_ROLES = (
    select(col(UserRole.user_id), col(Role.name))
    .join(Role, col(Role.id) == col(UserRole.role_id))
    .where(among(col(UserRole.user_id), _IDS))
    .order_by(col(Role.name_key))
)
_ORGS = _page(Org, Org.slug, Org.name, Org.description, Org.is_public, User.user_name, Org.quota_bytes).outerjoin(
    User, col(User.id) == col(Org.owner_id)
)
_ORG_MEMBERS = (
    select(col(OrgMember.org_id), col(User.user_name), col(OrgMember.level), col(OrgMember.expires_at))
    .join(User, col(User.id) == col(OrgMember.user_id))
    .where(among(col(OrgMember.org_id), _IDS))
    .order_by(col(User.user_key))
)
_GROUPS = _page(Group, Group.slug, Group.display_name, Group.description, Group.members_seen_by)
_GROUP_MEMBERS = (
    select(col(GroupMember.group_id), col(User.user_name), col(GroupMember.is_manager), col(GroupMember.expires_at))
    .join(User, col(User.id) == col(GroupMember.user_id))
    .where(among(col(GroupMember.group_id), _IDS))
    .order_by(col(User.user_key))
)
_RESOURCES = (
    select(
        col(Resource.id),
        col(Resource.path),
        col(Resource.slug),
        col(Org.slug),
        col(ResourceType.name),
        col(Resource.name),
        col(Resource.description),
        col(Resource.details),
        col(User.user_name),
        col(Lock.reason),
    )
    .join(Org, col(Org.id) == col(Resource.org_id))
    .join(ResourceType, col(ResourceType.id) == col(Resource.type_id))
    .outerjoin(User, col(User.id) == col(Resource.owner_id))
    .outerjoin(Lock, col(Lock.resource_id) == col(Resource.id))
    .where(col(Resource.path) > _AFTER)
    .order_by(col(Resource.path))
    .limit(PAGE)
)
_GRANTS = (
    select(
        col(Grant.resource_id),
        col(Grant.subject),
        col(Group.slug),
        col(User.user_name),
        col(Grant.mask),
        col(Grant.expires_at),
    )
    .outerjoin(Group, col(Group.id) == col(Grant.group_id))
    .outerjoin(User, col(User.id) == col(Grant.user_id))
    .where(among(col(Grant.resource_id), _IDS))
    .order_by(col(Group.slug), col(User.user_key))
)


class RegistryReader:
    """Reads every object at one moment. Ended memberships and grants are left out unless `with_ended`."""

    def __init__(self, reader: SnapshotReader, *, with_hashes: bool = False, with_ended: bool = False) -> None:
        self._reader, self._with_hashes, self._with_ended = reader, with_hashes, with_ended
        self._now = reader.clock()

    async def pages(self, kinds: Collection[str]) -> AsyncIterator[tuple[str, list[Doc]]]:
        """Yield the objects of some kinds in the order of a document: each time some of one kind."""
        readers = {
            "resourceType": (_TYPES, self._types),
            "role": (_ROLES, self._roles),
            "user": (_USERS, self._users),
            "org": (_ORGS, self._orgs),
            "group": (_GROUPS, self._groups),
            "resource": (_RESOURCES, self._resources),
        }
        for kind in [each for each in readers if each in kinds]:
            statement, read = readers[kind]
            after = ""
            while rows := await self._ask(statement, after=after):
                yield kind, await read(rows)
                after = rows[-1][1]
                if len(rows) < PAGE:
                    break

    async def _ask(self, statement: Any, **values: Any) -> list[Any]:
        return await self._reader.ask(statement, freshness=Freshness.PRIMARY, **values)

    async def _by_id(self, statement: Any, rows: Sequence[Any]) -> dict[int, list[Any]]:
        """Return the parts of some rows by the ids of the rows."""
        parts: dict[int, list[Any]] = {row[0]: [] for row in rows}
        for key, *part in await self._ask(statement, ids=[*parts]):
            parts[key].append(part)
        return parts

    async def _types(self, rows: Sequence[Any]) -> list[Doc]:
        return [{"name": name, "hasData": bool(has_data)} for _, name, has_data in rows]

    async def _roles(self, rows: Sequence[Any]) -> list[Doc]:
        return [
            {"name": name, "description": text, "permissions": permission_names(mask)} for *_, name, text, mask in rows
        ]

    async def _users(self, rows: Sequence[Any]) -> list[Doc]:
        roles, users = await self._by_id(_USER_ROLES, rows), []
        for key, _, user_name, name, email, is_service, metadata, password_hash in rows:
            user: Doc = {"userName": user_name, "displayName": name, "email": email}
            user |= {"isServiceAccount": bool(is_service), "roles": [each for (each,) in roles[key]]}
            user["metadata"] = _sorted(metadata)
            if self._with_hashes and password_hash is not None:
                user["passwordHash"] = password_hash
            users.append(user)
        return users

    async def _orgs(self, rows: Sequence[Any]) -> list[Doc]:
        members = await self._by_id(_ORG_MEMBERS, rows)
        return [
            {
                "slug": slug,
                "name": name,
                "description": text,
                "isPublic": bool(is_public),
                "owner": owner,
                "quotaBytes": quota,
                "members": [
                    {"user": user, "level": MemberLevel(level).name, **_end(end)}
                    for user, level, end in members[key]
                    if self._is_current(end)
                ],
            }
            for key, slug, name, text, is_public, owner, quota in rows
        ]

    async def _groups(self, rows: Sequence[Any]) -> list[Doc]:
        members = await self._by_id(_GROUP_MEMBERS, rows)
        return [
            {
                "slug": slug,
                "displayName": name,
                "description": text,
                "membersSeenBy": seen_by,
                "members": [
                    {"user": user, **({"isManager": True} if is_manager else {}), **_end(end)}
                    for user, is_manager, end in members[key]
                    if self._is_current(end)
                ],
            }
            for key, slug, name, text, seen_by in rows
        ]

    async def _resources(self, rows: Sequence[Any]) -> list[Doc]:
        grants = await self._by_id(_GRANTS, rows)
        return [
            {
                "org": org,
                "slug": slug,
                "type": kind,
                "name": name,
                "description": text,
                "owner": owner,
                "metadata": _sorted(metadata),
                "lock": None if reason is None else {"reason": reason},
                "grants": self._grants(grants[key]),
            }
            for key, _, slug, org, kind, name, text, metadata, owner, reason in rows
        ]

    def _grants(self, rows: Sequence[Any]) -> Doc:
        grants: Doc = {GENERAL: {"roles": []}}
        groups, users = list[Doc](), list[Doc]()
        for subject, group, user, mask, end in rows:
            if not self._is_current(end):
                continue
            grant = {"roles": resource_roles.names(mask), **_end(end)}
            if subject == resource_roles.GENERAL:
                grants[GENERAL] = grant
            elif subject == resource_roles.ANYONE:
                grants[ANYONE] = grant
            elif resource_roles.subject_type(subject) is SubjectType.GROUP:
                groups.append({"group": group, **grant})
            else:
                users.append({"user": user, **grant})
        if ANYONE in grants:
            grants[ANYONE] = grants.pop(ANYONE)  # always after the entry of all signed-in users
        return {**grants, "groups": groups, "users": users}

    def _is_current(self, end: Any) -> bool:
        return self._with_ended or end is None or end > self._now


def _end(end: Any) -> Doc:
    return {} if end is None else {"expiresAt": format_instant(end)}


def _sorted(metadata: Any) -> Any:
    """Return metadata with sorted names, so that the same metadata are the same bytes."""
    return orjson.loads(sorted_json(metadata))


async def read_state(reader: SnapshotReader, progress: Progress = silent) -> State:
    """Read the complete registry as items, with what has ended."""
    collected, number = Reader(), 0
    async for kind, objects in RegistryReader(reader, with_hashes=True, with_ended=True).pages(KINDS):
        for each in objects:
            collected.add(kind, each, Place(""))
        number += len(objects)
        progress("read the registry", number)
    assert not collected.faults, collected.faults[0]
    state = collected.state
    state.items = {each: item for each, item in state.items.items() if not item.is_absent}
    return state
