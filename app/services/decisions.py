"""Decisions about access: may a user do this now, also with entries that nobody has stored."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, Select, bindparam, select

from app import policy
from app.db import Database, Freshness, SnapshotReader, at_one_moment
from app.db.tables import Access, Group, GroupMember, KeyText, Lock, Resource, RowId, User, col
from app.domain import resource_roles
from app.domain.errors import BadInput, Forbidden, Unknown
from app.domain.refs import RowRef
from app.domain.resource_roles import SubjectType
from app.domain.viewer import Viewer
from app.query.relations import Keys, among
from app.services import checks, user_refs, validation
from app.services.access import GrantEntry

MAX_ENTRIES = 20
"""Entries that one decision may add."""


class Outcome(StrEnum):
    """The answer of a decision."""

    GRANTED = "GRANTED"
    LOCKED = "LOCKED"
    DENIED = "DENIED"


@dataclass(frozen=True, slots=True)
class Decision:
    """The outcome for one role, and the mask of all effective roles."""

    outcome: Outcome
    mask: int


async def decide(
    database: Database,
    viewer: Viewer,
    user: RowRef | None,
    resource: RowRef,
    role: int,
    entries: Sequence[GrantEntry] = (),
) -> Decision:
    """Return whether a user may act in a role on a resource now; None is a request without a user.

    Additional entries count as if they were in the access configuration. They need the right to ask about others on
    this resource, and to see the members of the groups among them, since the answer tells who is a member. A lock
    refuses the roles that write. Raise like `checks.check_access`, and BadInput for invalid entries.
    """
    policy.require_signed_in(viewer)
    if len(entries) > MAX_ENTRIES:
        raise BadInput(f"`entries` takes at most {MAX_ENTRIES} entries, not {len(entries)}.", "entries")
    user_id = 0 if user is None else await checks.find_user_id(database, viewer, user)
    resource_id = await checks.find_resource_id(database, resource)
    async with at_one_moment(database) as reader:
        if user is None:
            mask = await _load_public_mask(reader, viewer, resource_id)
        else:
            ids, bits = [user_id] * len(resource_roles.BITS), resource_roles.BITS
            has_roles = await checks.check(
                reader, viewer, ids, [resource_id] * len(bits), bits, by_name=user[0] != "id"
            )
            mask = sum(bit for bit, has_role in zip(bits, has_roles, strict=True) if has_role)
        if entries:
            mask |= await _load_additional_mask(reader, viewer, user_id, resource_id, entries)
        if not mask & role:
            return Decision(Outcome.DENIED, mask)
        is_locked = role & resource_roles.WRITE and await _ask(reader, _LOCK, resource=resource_id)
        return Decision(Outcome.LOCKED if is_locked else Outcome.GRANTED, mask)


async def _ask(reader: SnapshotReader, statement: Select[Any], **values: Any) -> list[Any]:
    return await reader.ask(statement, freshness=Freshness.PRIMARY, now=reader.clock(), **values)


async def _load_public_mask(reader: SnapshotReader, viewer: Viewer, resource: int) -> int:
    """Return the roles of everyone, signed in or not, which every caller can find out without a sign-in."""
    if not await _ask(reader, _FULL_MASK, resource=resource):
        checks.raise_unknown("resource", [0] if checks.may_know_missing(viewer, about_others=True) else ())
    rows = await _ask(reader, _PUBLIC, resource=resource, **viewer.bind_values)
    return sum(mask for (mask,) in rows)


async def _load_additional_mask(
    reader: SnapshotReader, viewer: Viewer, user: int, resource: int, entries: Sequence[GrantEntry]
) -> int:
    """Return the effective roles that the entries would give to the user."""
    await checks.require_may_ask(reader, viewer, {resource})
    ((full,),) = await _ask(reader, _FULL_MASK, resource=resource) or ((0,),)
    for at, entry in enumerate(entries):
        _require_valid(entry, full, at)
    groups = await _load_groups(reader, viewer, [entry.ref for entry in entries if entry.kind is SubjectType.GROUP])
    members = {key for (key,) in await _ask(reader, _MEMBERSHIPS, user=user, keys=[*groups.values()])} if groups else ()
    named = await _ask(reader, _active_user_query(viewer.permission_profile), user=user, **viewer.bind_values)
    subjects = user_refs.ids_by_ref(named)
    mask = 0
    for entry in entries:
        applies = {
            SubjectType.ANYONE: bool(named) or not user,
            SubjectType.GENERAL: bool(named),
            SubjectType.GROUP: bool(named) and groups.get(_normalize(entry.ref)) in members,
            SubjectType.USER: _normalize(entry.ref) in subjects,
        }
        if applies[entry.kind]:
            mask |= resource_roles.effective(entry.mask, full)
    return mask


def _require_valid(entry: GrantEntry, full: int, at: int) -> None:
    path, place = f"entries[{at}]", ("entries", at)
    if entry.has_no_subject:
        text = "set `general` or `anyone` to true, or name a group or a user."
        raise BadInput(f"`{path}.subject`: {text}", *place, "subject")
    missing = [name for bit, name in resource_roles.NAMES.items() if entry.mask & bit & ~full]
    if missing:
        text = f"resources of this type do not have {', '.join(missing)}."
        raise BadInput(f"`{path}.roles`: {text}", *place, "roles")
    if entry.kind is SubjectType.ANYONE and entry.mask & ~resource_roles.READ:
        raise BadInput(f"`{path}.roles`: anyone, signed in or not, can have read roles only.", *place, "roles")


def _normalize(ref: RowRef | None) -> RowRef:
    """Return a reference by its normalized key; of an entry without one, a reference that nothing equals."""
    return ("id", 0) if ref is None else validation.normalize_ref(ref)


async def _load_groups(reader: SnapshotReader, viewer: Viewer, refs: Sequence[RowRef | None]) -> dict[RowRef, int]:
    """Return the ids of the groups by reference; raise Unknown, or Forbidden for groups with hidden members."""
    if not refs:
        return {}
    requested = {_normalize(ref) for ref in refs}
    rows = await _ask(
        reader,
        _select_groups(viewer.permission_profile),
        ids=[key for by, key in requested if by == "id"],
        slugs=[key for by, key in requested if by != "id"],
        **viewer.bind_values,
    )
    groups: dict[RowRef, int] = {}
    for key, slug, are_members_seen in rows:
        if not are_members_seen:
            raise Forbidden("This needs GROUPS_VIEW: an entry names a group whose members you may not see.")
        groups |= {("id", key): key, ("slug", slug): key}
    if not requested <= groups.keys():
        raise Unknown("group")
    return groups


@cache
def _select_groups(viewer: Viewer) -> Select[Any]:
    """Return the groups that the viewer sees, and whether they see the members."""
    is_requested = among(col(Group.id), bindparam("ids", type_=Keys(RowId()))) | among(
        col(Group.slug), bindparam("slugs", type_=Keys(KeyText()))
    )
    return select(col(Group.id), col(Group.slug), policy.sees_group_members(viewer)).where(
        is_requested, policy.sees_group(viewer)
    )


def _is_resource(column: Any) -> ColumnElement[bool]:
    return col(column) == bindparam("resource", type_=RowId())


_USER = bindparam("user", type_=RowId())
_LOCK = select(col(Lock.resource_id)).where(_is_resource(Lock.resource_id))
_FULL_MASK = select(col(Resource.full_mask)).where(_is_resource(Resource.id))
_PUBLIC = select(col(Access.mask)).where(
    _is_resource(Access.resource_id),
    col(Access.subject) == resource_roles.ANYONE,
    policy.is_valid_until(Access.expires_at),
)
_MEMBERSHIPS = select(col(GroupMember.group_id)).where(
    col(GroupMember.user_id) == _USER,
    among(col(GroupMember.group_id), bindparam("keys", type_=Keys(RowId()))),
    policy.is_valid_until(GroupMember.expires_at),
)


@cache
def _active_user_query(viewer: Viewer) -> Select[Any]:
    """Return the references by which the viewer may name the user, if the user is not deactivated."""
    return select(*user_refs.key_columns(viewer)).where(col(User.id) == _USER, policy.is_active(col(User.id)))
