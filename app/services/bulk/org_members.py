"""Members of an org in bulk: adding or updating them, and removing them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Integer, Text, bindparam, delete, select, update

from app import policy
from app.db import ForeignKeyViolation, Transaction, UniqueViolation
from app.db.tables import OrgMember, RowId, User, UTCDateTime, col
from app.domain.errors import Conflict, Forbidden, Problem, Retry
from app.domain.refs import RowRef
from app.domain.resource_roles import MemberLevel
from app.domain.viewer import Viewer
from app.query.relations import among, integers
from app.services import audit, bulk, expiry, orgs, user_refs, users, validation
from app.services.bulk import BulkForm, Label, OnConflict, OnMissing, Result


@dataclass(frozen=True, slots=True)
class OrgMemberEntry:
    """A user to add to an org; None keeps the level or the end of an existing membership.

    A new one has the level READ_WRITE and no end then. `user_id` is set when the entry is resolved, 0 for no such user.
    """

    user: RowRef
    level: MemberLevel | None = None
    expires_at: datetime | None = None
    user_id: int = 0


@dataclass(frozen=True, slots=True)
class _Member:
    user_id: int
    level: int
    expires_at: datetime | None


_UPDATE = (
    update(OrgMember)
    .where(
        col(OrgMember.org_id) == bindparam("org", type_=RowId()),
        col(OrgMember.user_id) == bindparam("user", type_=RowId()),
    )
    .values(
        level=bindparam("new_level", type_=Integer()),
        expires_at=bindparam("new_end", type_=UTCDateTime()),
        granted_at=bindparam("new_at", type_=UTCDateTime()),
        granted_by=bindparam("new_by", type_=RowId()),
        granted_by_name=bindparam("new_name", type_=Text()),
    )
)


class _Form(BulkForm[OrgMemberEntry, _Member]):
    """The members of one locked org."""

    field = "members"

    def __init__(self, tx: Transaction, viewer: Viewer, org: orgs.OrgForUpdate) -> None:
        self._tx, self._viewer, self._org = tx, viewer, org

    async def load(self, entries: Sequence[OrgMemberEntry]) -> Sequence[_Member | None]:
        """Return the current memberships."""
        columns = select(col(OrgMember.user_id), col(OrgMember.level), col(OrgMember.expires_at))
        statement = columns.where(
            col(OrgMember.org_id) == self._org.id,
            among(col(OrgMember.user_id), integers(entry.user_id for entry in entries)),
            policy.is_valid_until(OrgMember.expires_at),
        )
        members = {row[0]: _Member(*row) for row in await self._tx.rows(statement, now=self._tx.now)}
        return [members.get(entry.user_id) for entry in entries]

    def labels(self, entry: OrgMemberEntry, old: _Member | None) -> Iterator[Label]:
        """Yield the user."""
        if entry.user_id:
            yield Label((), "This user", entry.user_id)

    def problems(self, entry: OrgMemberEntry) -> Iterator[Problem]:
        """Yield the problems of a new member."""
        yield from validation.end_problems(entry.expires_at, self._tx.now)
        yield from expiry.problems(entry.expires_at, self._org.until)
        if not entry.user_id:
            yield users.user_not_found(("user",))
        elif entry.user_id == self._org.owner_id:
            yield orgs.owner_is_no_member()

    def conflicts(self, entry: OrgMemberEntry, old: _Member) -> Iterator[Problem]:
        """Yield the problem of a user who is a member."""
        yield Conflict("This user is already a member.", ("user",))

    def compare(self, entry: OrgMemberEntry, old: _Member) -> _Member | None:
        """Return the new level and end if one differs."""
        level = old.level if entry.level is None else int(entry.level)
        new = _Member(old.user_id, level, entry.expires_at or old.expires_at)
        if new == old:
            return None
        problems = [*validation.end_problems(entry.expires_at, self._tx.now)]
        if expiry.is_later(new.expires_at, old.expires_at) or new.level > old.level:
            problems += expiry.problems(new.expires_at, self._org.until)
        validation.raise_problems(problems)
        return new

    def key(self, entry: OrgMemberEntry, old: _Member) -> int:
        """Return the id of the user."""
        return old.user_id

    async def create(self, entries: Sequence[OrgMemberEntry]) -> Sequence[int]:
        """Insert memberships, and delete those of the same users that have ended."""
        tx, org_id, ids = self._tx, self._org.id, [entry.user_id for entry in entries]
        await audit.track_links(tx, audit.ORG_MEMBERS, of=[org_id], to=ids)
        ended = col(OrgMember.org_id) == org_id, col(OrgMember.expires_at) <= tx.now
        await tx.rows(delete(OrgMember).where(*ended, among(col(OrgMember.user_id), integers(ids))))
        row = await orgs.member_row(tx, self._viewer, org_id, 0, orgs.Membership())
        rows = [
            {
                **row,
                "user_id": entry.user_id,
                "level": row["level"] if entry.level is None else int(entry.level),
                "expires_at": entry.expires_at,
            }
            for entry in entries
        ]
        try:
            await tx.insert(OrgMember, rows)
        except (ForeignKeyViolation, UniqueViolation):
            raise Retry from None  # a member was just added or deleted
        return ids

    async def update(self, changes: Sequence[tuple[OrgMemberEntry, _Member, Any]]) -> None:
        """Set levels and ends. The viewer and this time replace those of the first grant."""
        tx, ids = self._tx, [old.user_id for _, old, _ in changes]
        await audit.track_links(tx, audit.ORG_MEMBERS, of=[self._org.id], to=ids)
        by = {"org": self._org.id, "new_at": tx.now, "new_by": self._viewer.user_id}
        by["new_name"] = await users.name_of(tx, self._viewer)
        await tx.execute_many(
            _UPDATE,
            [{**by, "user": new.user_id, "new_level": new.level, "new_end": new.expires_at} for _, _, new in changes],
        )


async def add_org_members(
    tx: Transaction, viewer: Viewer, org: RowRef, entries: Sequence[OrgMemberEntry], on_conflict: OnConflict
) -> tuple[int, list[Result]]:
    """Add users to an org, or update their memberships; needs the level ADMIN.

    Return the id of the org, and the results with the ids of the users. A membership that has ended is replaced.
    """
    target = await orgs.require(tx, viewer, org, policy.manages_org, orgs.ADMIN)
    bulk.require_number("members", len(entries))
    user_ids = await users.load_many(tx, viewer, [entry.user for entry in entries])
    entries = [replace(entry, user_id=user_id or 0) for entry, user_id in zip(entries, user_ids, strict=True)]
    return target.id, await bulk.save(tx, _Form(tx, viewer, target), entries, on_conflict)


async def remove_org_members(
    tx: Transaction, viewer: Viewer, org: RowRef, members: Sequence[RowRef], on_missing: OnMissing
) -> tuple[int, list[Result]]:
    """Remove members from an org; needs the level ADMIN, or that the only entry is the viewer."""
    target = await orgs.load_for_update(tx, viewer, org, policy.manages_org)
    bulk.require_number("members", len(members))
    user_ids = await _load_members(tx, viewer, target.id, members)
    if not target.is_permitted and user_ids != [viewer.user_id]:
        raise Forbidden(f"This needs {orgs.ADMIN}, or to be that member.")
    results = bulk.select_removals(tx, "members", user_ids, on_missing, lambda _: orgs.member_not_found(), "user")
    if ids := bulk.removed_keys(results):
        await audit.track_links(tx, audit.ORG_MEMBERS, of=[target.id], to=ids)
        is_member = col(OrgMember.org_id) == target.id, among(col(OrgMember.user_id), integers(ids))
        await tx.rows(delete(OrgMember).where(*is_member))
    return target.id, results


async def _load_members(tx: Transaction, viewer: Viewer, org_id: int, members: Sequence[RowRef]) -> list[int | None]:
    """Return the ids of current members, None for each user who is not one."""
    refs = validation.normalize_refs(members)
    statement = (
        select(*user_refs.key_columns(viewer))
        .join(OrgMember, col(OrgMember.user_id) == col(User.id))
        .where(col(OrgMember.org_id) == org_id, policy.is_valid_until(OrgMember.expires_at))
        .where(user_refs.matches_any(viewer, refs))
    )
    ids = user_refs.ids_by_ref(await tx.rows(statement, **viewer.bind_values, now=tx.now))
    return [ids.get(ref) for ref in refs]
