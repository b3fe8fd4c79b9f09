"""Groups in bulk: creating or updating them, and deleting them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from app import policy
from app.db import Transaction
from app.db.tables import Group, MembersSeenBy, col
from app.domain.errors import NotFound, Problem
from app.domain.refs import RowRef
from app.domain.viewer import Permission, Viewer
from app.query.relations import among, integers, texts
from app.services import bulk, groups, tracked_rows, validation
from app.services.bulk import BulkForm, Label, OnConflict, OnMissing, Result


@dataclass(frozen=True, slots=True)
class GroupEntry:
    """A group to create or to update; None keeps a value of an existing group."""

    slug: str
    display_name: str
    description: str | None = None
    members_seen_by: MembersSeenBy | None = None


@dataclass(frozen=True, slots=True)
class _Existing:
    id: int
    display_name: str
    description: str
    members_seen_by: str

    @property
    def update(self) -> groups.GroupUpdate:
        return groups.GroupUpdate(self.display_name, self.description, MembersSeenBy(self.members_seen_by))


_BY_SLUG = (
    select(col(Group.slug), col(Group.id), col(Group.display_name), col(Group.description), col(Group.members_seen_by))
    .order_by(col(Group.id))
    .with_for_update()
)


class _Form(BulkForm[GroupEntry, _Existing]):
    field = "groups"

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx

    async def load(self, entries: Sequence[GroupEntry]) -> Sequence[_Existing | None]:
        """Return the existing groups by slug."""
        keys = {validation.normalize_key(entry.slug) for entry in entries}
        rows = await self._tx.rows(_BY_SLUG.where(among(col(Group.slug), texts(keys))))
        by_slug = {slug: _Existing(*rest) for slug, *rest in rows}
        return [by_slug.get(validation.normalize_key(entry.slug)) for entry in entries]

    def labels(self, entry: GroupEntry) -> Iterator[Label]:
        """Yield the slug."""
        yield Label(("slug",), f"`{entry.slug}`", validation.normalize_key(entry.slug))

    def problems(self, entry: GroupEntry) -> Iterator[Problem]:
        """Yield the problems of a new group."""
        yield from groups.slug_problems(entry.slug)
        yield from groups.text_problems(entry.display_name.strip(), entry.description or "")

    def conflicts(self, entry: GroupEntry) -> Iterator[Problem]:
        """Yield the problem of a slug that is taken."""
        yield groups.slug_conflict(entry.slug)

    def compare(self, entry: GroupEntry, old: _Existing) -> _Existing | None:
        """Return the new values if one differs."""
        name = entry.display_name.strip()
        validation.raise_problems(groups.text_problems(name, entry.description or ""))
        text = old.description if entry.description is None else entry.description
        seen_by = old.members_seen_by if entry.members_seen_by is None else entry.members_seen_by.value
        new = _Existing(old.id, name, text, seen_by)
        return None if new == old else new

    def key(self, entry: GroupEntry, old: _Existing) -> int:
        """Return the id of the group."""
        return old.id

    async def create(self, entries: Sequence[GroupEntry]) -> Sequence[int]:
        """Insert groups."""
        return await tracked_rows.insert(self._tx, Group, [groups.row(self._tx, _create(entry)) for entry in entries])

    async def update(self, changes: Sequence[tuple[GroupEntry, _Existing, Any]]) -> None:
        """Write the values that differ."""
        await tracked_rows.update(self._tx, Group, [{"id": old.id, **new.update.values} for _, old, new in changes])


def _create(entry: GroupEntry) -> groups.GroupCreate:
    seen_by = entry.members_seen_by or MembersSeenBy.MEMBERS
    return groups.GroupCreate(entry.slug, entry.display_name, entry.description or "", seen_by)


async def create_groups(
    tx: Transaction, viewer: Viewer, entries: Sequence[GroupEntry], on_conflict: OnConflict
) -> list[Result]:
    """Create groups, or update those that exist; needs GROUPS_MANAGE."""
    policy.require(viewer, Permission.GROUPS_MANAGE)
    return await bulk.save(tx, _Form(tx), entries, on_conflict)


async def delete_groups(tx: Transaction, viewer: Viewer, refs: Sequence[RowRef], on_missing: OnMissing) -> list[Result]:
    """Delete groups with their grants; needs GROUPS_MANAGE."""
    policy.require(viewer, Permission.GROUPS_MANAGE)
    bulk.require_number("groups", len(refs))
    keys = await _load(tx, refs)
    results = bulk.select_removals(
        tx, "groups", keys, on_missing, lambda _: NotFound("There is no such group."), "group"
    )
    if ids := bulk.removed_keys(results):
        await groups.delete_rows(tx, ids)
    return results


async def _load(tx: Transaction, refs: Sequence[RowRef]) -> list[int | None]:
    """Return the ids of groups, their rows locked, None for a group that does not exist."""
    normalized = validation.normalize_refs(refs)
    ids = integers(key for by, key in normalized if by == "id")
    slugs = texts(key for by, key in normalized if by != "id")
    statement = select(col(Group.id), col(Group.slug)).where(among(col(Group.id), ids) | among(col(Group.slug), slugs))
    rows = await tx.rows(statement.order_by(col(Group.id)).with_for_update())
    by_ref: dict[RowRef, int] = {("id", key): key for key, _ in rows} | {("slug", slug): key for key, slug in rows}
    return [by_ref.get(ref) for ref in normalized]
