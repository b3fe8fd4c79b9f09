"""Members of a group in bulk: adding or updating them, and removing them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, delete, select, update

from app import policy
from app.db import ForeignKeyViolation, Transaction, UniqueViolation
from app.db.tables import GroupMember, RowId, UTCDateTime, col
from app.domain.errors import Conflict, Problem, Retry
from app.domain.refs import RowRef
from app.domain.viewer import Viewer
from app.query.relations import among, integers
from app.services import audit, bulk, expiry, groups, users, validation
from app.services.bulk import BulkForm, Label, OnConflict, OnMissing, Result


@dataclass(frozen=True, slots=True)
class GroupMemberEntry:
    """A user to add to a group, and when the membership ends; None is no end, or the end of an existing membership.

    `user_id` is set when the entry is resolved, 0 for no such user.
    """

    user: RowRef
    expires_at: datetime | None = None
    user_id: int = 0


@dataclass(frozen=True, slots=True)
class _Member:
    user_id: int
    expires_at: datetime | None


_UPDATE = (
    update(GroupMember)
    .where(
        col(GroupMember.group_id) == bindparam("group", type_=RowId()),
        col(GroupMember.user_id) == bindparam("user", type_=RowId()),
    )
    .values(expires_at=bindparam("new_end", type_=UTCDateTime()))
)


class _Form(BulkForm[GroupMemberEntry, _Member]):
    """The members of one locked group. `until` is the end of the viewer's right to manage them."""

    field = "members"

    def __init__(self, tx: Transaction, viewer: Viewer, group: int, until: datetime | None) -> None:
        self._tx, self._viewer, self._group, self._until = tx, viewer, group, until

    async def load(self, entries: Sequence[GroupMemberEntry]) -> Sequence[_Member | None]:
        """Return the current memberships."""
        statement = select(col(GroupMember.user_id), col(GroupMember.expires_at)).where(
            col(GroupMember.group_id) == self._group,
            among(col(GroupMember.user_id), integers(entry.user_id for entry in entries)),
            policy.is_valid_until(GroupMember.expires_at),
        )
        members = {key: _Member(key, end) for key, end in await self._tx.rows(statement, now=self._tx.now)}
        return [members.get(entry.user_id) for entry in entries]

    def labels(self, entry: GroupMemberEntry, old: _Member | None) -> Iterator[Label]:
        """Yield the user."""
        if entry.user_id:
            yield Label((), "This user", entry.user_id)

    def problems(self, entry: GroupMemberEntry) -> Iterator[Problem]:
        """Yield the problems of a new member."""
        yield from validation.end_problems(entry.expires_at, self._tx.now)
        yield from expiry.problems(entry.expires_at, self._until)
        if not entry.user_id:
            yield users.user_not_found(("user",))

    def conflicts(self, entry: GroupMemberEntry, old: _Member) -> Iterator[Problem]:
        """Yield the problem of a user who is a member."""
        yield Conflict("This user is already a member.", ("user",))

    def compare(self, entry: GroupMemberEntry, old: _Member) -> datetime | None:
        """Return the new end if it differs."""
        if entry.expires_at is None or entry.expires_at == old.expires_at:
            return None
        problems = [*validation.end_problems(entry.expires_at, self._tx.now)]
        if expiry.is_later(entry.expires_at, old.expires_at):
            problems += expiry.problems(entry.expires_at, self._until)
        validation.raise_problems(problems)
        return entry.expires_at

    def key(self, entry: GroupMemberEntry, old: _Member) -> int:
        """Return the id of the user."""
        return old.user_id

    async def create(self, entries: Sequence[GroupMemberEntry]) -> Sequence[int]:
        """Insert memberships, and delete those of the same users that have ended."""
        tx, ids = self._tx, [entry.user_id for entry in entries]
        await audit.track_links(tx, audit.GROUP_MEMBERS, of=[self._group], to=ids)
        ended = col(GroupMember.group_id) == self._group, col(GroupMember.expires_at) <= tx.now
        await tx.rows(delete(GroupMember).where(*ended, among(col(GroupMember.user_id), integers(ids))))
        row: dict[str, Any] = {"group_id": self._group, "is_manager": False}
        row |= {"added_at": tx.now, "added_by": self._viewer.user_id}
        row["added_by_name"] = await users.name_of(tx, self._viewer)
        rows = [
            {**row, "user_id": key, "expires_at": entry.expires_at} for key, entry in zip(ids, entries, strict=True)
        ]
        try:
            await tx.insert(GroupMember, rows)
        except (ForeignKeyViolation, UniqueViolation):
            raise Retry from None  # a member was just added or deleted
        return ids

    async def update(self, changes: Sequence[tuple[GroupMemberEntry, _Member, Any]]) -> None:
        """Set the ends of memberships."""
        ids = [old.user_id for _, old, _ in changes]
        await audit.track_links(self._tx, audit.GROUP_MEMBERS, of=[self._group], to=ids)
        values = [{"group": self._group, "user": old.user_id, "new_end": end} for _, old, end in changes]
        await self._tx.execute_many(_UPDATE, values)


async def add_group_members(
    tx: Transaction,
    viewer: Viewer,
    group: RowRef,
    entries: Sequence[GroupMemberEntry],
    on_conflict: OnConflict = OnConflict.FAIL,
) -> tuple[int, list[Result]]:
    """Add users to a group, or update their memberships; needs to manage its members.

    Return the id of the group, and the results with the ids of the users. A membership that has ended is replaced.
    """
    key, until = await groups.load_managed_until(tx, viewer, group)
    bulk.require_number("members", len(entries))
    user_ids = await users.load_many(tx, viewer, [entry.user for entry in entries])
    entries = [replace(entry, user_id=user_id or 0) for entry, user_id in zip(entries, user_ids, strict=True)]
    return key, await bulk.save(tx, _Form(tx, viewer, key, until), entries, on_conflict)


async def remove_group_members(
    tx: Transaction, viewer: Viewer, group: RowRef, members: Sequence[RowRef], on_missing: OnMissing
) -> tuple[int, list[Result]]:
    """Remove members from a group; needs to manage its members."""
    key = await groups.load_managed(tx, viewer, group)
    bulk.require_number("members", len(members))
    user_ids = await groups.load_members(tx, viewer, key, members)
    results = bulk.select_removals(tx, "members", user_ids, on_missing, lambda _: groups.member_not_found(), "user")
    if ids := bulk.removed_keys(results):
        await audit.track_links(tx, audit.GROUP_MEMBERS, of=[key], to=ids)
        is_member = col(GroupMember.group_id) == key, among(col(GroupMember.user_id), integers(ids))
        await tx.rows(delete(GroupMember).where(*is_member))
    return key, results
