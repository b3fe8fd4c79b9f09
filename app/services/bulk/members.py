"""Members of an org or a group in bulk: adding or updating them, and removing them."""

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import delete

from app import policy
from app.db import Transaction
from app.db.tables import col
from app.domain.errors import Conflict, Forbidden, Problem
from app.domain.refs import RowRef
from app.domain.resource_roles import MemberLevel
from app.domain.viewer import Viewer
from app.services import audit, bulk, expiry, groups, members, orgs, users, validation
from app.services.bulk import BulkForm, Label, OnConflict, OnMissing, Result
from app.services.members import GROUPS, ORGS, Member, MemberTable


@dataclass(frozen=True, slots=True)
class MemberEntry:
    """A user to add; None keeps the level or the end of an existing membership. A group has no levels.

    A new one has the level READ_WRITE and no end then. `user_id` is set when the entry is resolved, 0 for no such user.
    """

    user: RowRef
    expires_at: datetime | None = None
    level: MemberLevel | None = None
    user_id: int = 0


class _Form(BulkForm[MemberEntry, Member]):
    """The members of one locked org or group. `until` is the end of the viewer's right to manage them."""

    field = "members"
    member_table: ClassVar[MemberTable]

    def __init__(self, tx: Transaction, viewer: Viewer, key: int, until: datetime | None) -> None:
        self._tx, self._viewer, self._key, self._until = tx, viewer, key, until

    async def load(self, entries: Sequence[MemberEntry]) -> Sequence[Member | None]:
        """Return the current memberships."""
        statement = self.member_table.select_current(col(self.member_table.table.user_id))
        is_of_users = self.member_table.matches(self._key, [entry.user_id for entry in entries])
        rows = await self._tx.rows(statement.where(*is_of_users), now=self._tx.now)
        current = {row[0]: Member(*row) for row in rows}
        return [current.get(entry.user_id) for entry in entries]

    def labels(self, entry: MemberEntry) -> Iterator[Label]:
        """Yield the user."""
        if entry.user_id:
            yield Label((), "This user", entry.user_id)

    def problems(self, entry: MemberEntry) -> Iterator[Problem]:
        """Yield the problems of a new member."""
        yield from validation.end_problems(entry.expires_at, self._tx.now)
        yield from expiry.problems(entry.expires_at, self._until)
        if not entry.user_id:
            yield users.user_not_found(("user",))

    def conflicts(self, entry: MemberEntry) -> Iterator[Problem]:
        """Yield the problem of a user who is a member."""
        yield Conflict("This user is already a member.", ("user",))

    def compare(self, entry: MemberEntry, old: Member) -> Member | None:
        """Return the new right and end if one differs."""
        right = old.right if entry.level is None else int(entry.level)
        new = Member(old.user_id, right, entry.expires_at or old.expires_at)
        if new == old:
            return None
        problems = [*validation.end_problems(entry.expires_at, self._tx.now)]
        if expiry.is_later(new.expires_at, old.expires_at) or new.right > old.right:
            problems += expiry.problems(new.expires_at, self._until)
        validation.raise_problems(problems)
        return new

    def key(self, entry: MemberEntry, old: Member) -> int:
        """Return the id of the user."""
        return old.user_id

    @abstractmethod
    async def _row(self) -> dict[str, Any]:
        """Return the columns of a new member but the user, the level and the end."""

    async def create(self, entries: Sequence[MemberEntry]) -> Sequence[int]:
        """Insert memberships, and delete those of the same users that have ended."""
        row = await self._row()
        levels = ({} if entry.level is None else {self.member_table.right: int(entry.level)} for entry in entries)
        rows = [
            {**row, **level, "user_id": entry.user_id, "expires_at": entry.expires_at}
            for entry, level in zip(entries, levels, strict=True)
        ]
        await members.add(self._tx, self.member_table, self._key, rows)
        return [entry.user_id for entry in entries]


class _GroupForm(_Form):
    member_table = GROUPS

    async def _row(self) -> dict[str, Any]:
        return await groups.member_row(self._tx, self._viewer, self._key)

    async def update(self, changes: Sequence[tuple[MemberEntry, Member, Any]]) -> None:
        """Set the ends of memberships."""
        rows = [{"group_id": self._key, "user_id": new.user_id, "expires_at": new.expires_at} for _, _, new in changes]
        await members.write(self._tx, self.member_table, (), rows)


class _OrgForm(_Form):
    member_table = ORGS

    def __init__(self, tx: Transaction, viewer: Viewer, org: orgs.OrgForUpdate) -> None:
        super().__init__(tx, viewer, org.id, org.until)
        self._owner_id = org.owner_id

    def problems(self, entry: MemberEntry) -> Iterator[Problem]:
        """Yield the problems of a new member, who must not be the owner."""
        yield from super().problems(entry)
        if entry.user_id == self._owner_id:
            yield orgs.owner_is_no_member()

    async def _row(self) -> dict[str, Any]:
        return await orgs.member_row(self._tx, self._viewer, self._key, 0, orgs.Membership())

    async def update(self, changes: Sequence[tuple[MemberEntry, Member, Any]]) -> None:
        """Set levels and ends. The viewer and this time replace those of the first grant."""
        row = await self._row()
        rows = [{**row, "user_id": key, "level": level, "expires_at": end} for _, _, (key, level, end) in changes]
        await members.write(self._tx, self.member_table, (), rows)


async def _add(
    tx: Transaction, viewer: Viewer, form: _Form, entries: Sequence[MemberEntry], on_conflict: OnConflict
) -> list[Result]:
    bulk.require_number("members", len(entries))
    user_ids = await users.load_many(tx, viewer, [entry.user for entry in entries])
    entries = [replace(entry, user_id=user_id or 0) for entry, user_id in zip(entries, user_ids, strict=True)]
    return await bulk.save(tx, form, entries, on_conflict)


async def add_group_members(
    tx: Transaction,
    viewer: Viewer,
    group: RowRef,
    entries: Sequence[MemberEntry],
    on_conflict: OnConflict = OnConflict.FAIL,
) -> tuple[int, list[Result]]:
    """Add users to a group, or update their memberships; needs to manage its members.

    Return the id of the group, and the results with the ids of the users. A membership that has ended is replaced.
    """
    key, until = await groups.load_managed_until(tx, viewer, group)
    return key, await _add(tx, viewer, _GroupForm(tx, viewer, key, until), entries, on_conflict)


async def add_org_members(
    tx: Transaction, viewer: Viewer, org: RowRef, entries: Sequence[MemberEntry], on_conflict: OnConflict
) -> tuple[int, list[Result]]:
    """Add users to an org, or update their memberships, like `add_group_members`; needs the level ADMIN."""
    target = await orgs.require(tx, viewer, org, policy.manages_org, orgs.ADMIN)
    return target.id, await _add(tx, viewer, _OrgForm(tx, viewer, target), entries, on_conflict)


async def remove_group_members(
    tx: Transaction, viewer: Viewer, group: RowRef, refs: Sequence[RowRef], on_missing: OnMissing
) -> tuple[int, list[Result]]:
    """Remove members from a group; needs to manage its members."""
    key = await groups.load_managed(tx, viewer, group)
    bulk.require_number("members", len(refs))
    return key, await _remove(tx, GROUPS, key, await members.load_ids(tx, viewer, GROUPS, key, refs), on_missing)


async def remove_org_members(
    tx: Transaction, viewer: Viewer, org: RowRef, refs: Sequence[RowRef], on_missing: OnMissing
) -> tuple[int, list[Result]]:
    """Remove members from an org; needs the level ADMIN, or that the only entry is the viewer."""
    target = await orgs.load_for_update(tx, viewer, org, policy.manages_org)
    bulk.require_number("members", len(refs))
    user_ids = await members.load_ids(tx, viewer, ORGS, target.id, refs)
    if not target.is_permitted and user_ids != [viewer.user_id]:
        raise Forbidden(f"This needs {orgs.ADMIN}, or to be that member.")
    return target.id, await _remove(tx, ORGS, target.id, user_ids, on_missing)


async def _remove(
    tx: Transaction, member_table: MemberTable, key: int, user_ids: Sequence[int | None], on_missing: OnMissing
) -> list[Result]:
    results = bulk.select_removals(tx, "members", user_ids, on_missing, lambda _: member_table.not_found(), "user")
    if ids := bulk.removed_keys(results):
        await audit.track_links(tx, member_table.links, source=[key], target=ids)
        await tx.rows(delete(member_table.table).where(*member_table.matches(key, ids)))
    return results
