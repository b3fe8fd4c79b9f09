"""Rows of memberships in orgs and in groups, for the changes that check them."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Select, delete, select

from app import policy
from app.db import ForeignKeyViolation, Transaction, UniqueViolation
from app.db.statements import Values
from app.db.tables import GroupMember, OrgMember, User, col
from app.domain.errors import Conflict, NotFound, Problem, Retry
from app.domain.refs import RowRef
from app.domain.viewer import Viewer
from app.query.relations import among, integers
from app.services import audit, user_refs, validation
from app.services.audit.states import LinkKind


@dataclass(frozen=True, slots=True)
class MemberTable:
    """The table of the members of orgs or groups.

    `key` is the column of the id of the org or group, and `right` that of the level, or of the right to manage.
    """

    table: Any
    key: str
    right: str
    links: LinkKind
    missing: str

    @property
    def column(self) -> ColumnElement[int]:
        """Return the column of the id of the org or group."""
        return col(getattr(self.table, self.key))

    def matches(self, key: int, user_ids: Iterable[int]) -> tuple[ColumnElement[bool], ...]:
        """Return the conditions of the rows of some users in one org or group."""
        return self.column == key, among(col(self.table.user_id), integers(user_ids))

    def select_current(self, *columns: Any) -> Select[Any]:
        """Return the SELECT of memberships that have not ended: some columns, the right and the end."""
        ends = self.table.expires_at
        return select(*columns, col(getattr(self.table, self.right)), col(ends)).where(policy.is_valid_until(ends))

    def not_found(self, *path: str | int) -> Problem:
        """Return the problem of a user who is no member."""
        return NotFound(self.missing, path)


ORGS = MemberTable(OrgMember, "org_id", "level", audit.ORG_MEMBERS, "The org has no such member.")
GROUPS = MemberTable(
    GroupMember, "group_id", "is_manager", audit.GROUP_MEMBERS, "This user is not a member of the group."
)


class MemberState(NamedTuple):
    """A membership that a client has read: the level, or whether the user manages the group; and the end."""

    right: int
    expires_at: datetime | None


class Member(NamedTuple):
    """A current member: the level in an org, or whether the user manages a group; and the end, None for no end."""

    user_id: int
    right: int
    expires_at: datetime | None


async def load(tx: Transaction, viewer: Viewer, member_table: MemberTable, key: int, user: RowRef) -> Member:
    """Return a member of an org or a group; raise NotFound. The caller has checked that the viewer may see members."""
    of_users = member_table.select_current(col(User.id)).join(
        member_table.table, col(member_table.table.user_id) == col(User.id)
    )
    statement = of_users.where(member_table.column == key, user_refs.matches(viewer, user))
    row = await tx.row(statement, **viewer.bind_values, now=tx.now)
    if row is None:
        raise member_table.not_found("user")
    return Member(*row)


def require_current(member: Member, read: MemberState | None) -> None:
    """Raise Conflict if the membership is no longer as the client has read it; None accepts any."""
    if read is not None and read != (member.right, member.expires_at):
        raise Conflict("Somebody else has changed this membership meanwhile.", ("ifCurrent",))


async def load_ids(
    tx: Transaction, viewer: Viewer, member_table: MemberTable, key: int, refs: Sequence[RowRef]
) -> list[int | None]:
    """Return the ids of current members, None for each user who is not one; otherwise like `load`."""
    refs = validation.normalize_refs(refs)
    of_users = member_table.select_current(*user_refs.key_columns(viewer)).join(
        member_table.table, col(member_table.table.user_id) == col(User.id)
    )
    statement = of_users.where(member_table.column == key, user_refs.matches_any(viewer, refs))
    ids = user_refs.ids_by_ref(await tx.rows(statement, **viewer.bind_values, now=tx.now))
    return [ids.get(ref) for ref in refs]


async def add(tx: Transaction, member_table: MemberTable, key: int, rows: Sequence[Values]) -> None:
    """Insert memberships of one org or group, and delete those of the same users that have ended; raise as `write`."""
    await _track(tx, member_table, rows)
    is_of_users = member_table.matches(key, [row["user_id"] for row in rows])
    await tx.rows(delete(member_table.table).where(*is_of_users, col(member_table.table.expires_at) <= tx.now))
    await write(tx, member_table, rows, ())


async def write(tx: Transaction, member_table: MemberTable, new: Sequence[Values], changed: Sequence[Values]) -> None:
    """Insert and update memberships, each with the ids of both ends. Raise Retry if one was just added or deleted."""
    await _track(tx, member_table, [*new, *changed])
    try:
        await tx.insert(member_table.table, new)
    except (ForeignKeyViolation, UniqueViolation):
        raise Retry from None
    await tx.update_many(member_table.table, changed, (member_table.key, "user_id"))


async def remove(tx: Transaction, member_table: MemberTable, pairs: Sequence[Values]) -> None:
    """Delete memberships, each by the ids of both ends."""
    await _track(tx, member_table, pairs)
    await tx.delete_many(member_table.table, pairs)


async def _track(tx: Transaction, member_table: MemberTable, rows: Sequence[Values]) -> None:
    await audit.track_links(
        tx, member_table.links, source={row[member_table.key] for row in rows}, target={row["user_id"] for row in rows}
    )
