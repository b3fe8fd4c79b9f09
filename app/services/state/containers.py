"""Writing orgs, groups and their members of a plan."""

from collections.abc import Sequence
from typing import Any

from app.db import Transaction
from app.db.tables import Group, GroupMember, MembersSeenBy, Org, OrgMember
from app.domain.resource_roles import MemberLevel
from app.domain.viewer import SYSTEM
from app.services import audit, groups, new_rows, orgs, validation
from app.services.state import ids
from app.services.state.changes import Change
from app.services.state.model import Doc, Kind


class Owners:
    """The ids of the owners of orgs or resources."""

    def __init__(self, by_key: ids.Ids) -> None:
        self._by_key = by_key

    @classmethod
    async def load(cls, tx: Transaction, changes: Sequence[Change]) -> "Owners":
        """Load the owners of changed orgs or resources."""
        names = [(change.after or {})["owner"] for change in changes]
        keys = [validation.normalize_key(name) for name in names if name is not None]
        return cls(await ids.load(tx, Kind.USER, keys))

    def id_of(self, after: Doc) -> int | None:
        """Return the id of the owner of an org or a resource, None for no owner."""
        name = after["owner"]
        return None if name is None else self._by_key[validation.normalize_key(name)]


async def write_orgs(tx: Transaction, changes: Sequence[Change]) -> None:
    """Create and update orgs. The new owner of an org is no longer its member."""
    owners = await Owners.load(tx, changes)
    rows = [
        orgs.row(tx, orgs.OrgCreate(new["slug"], new["name"], new["description"], new["isPublic"]), owners.id_of(new))
        | {"quota_bytes": new["quotaBytes"]}
        for new in _created(changes)
    ]
    await new_rows.insert(tx, Org, rows)
    if old := [change for change in changes if change.before is not None]:
        await _update_orgs(tx, old, owners)


async def _update_orgs(tx: Transaction, old: Sequence[Change], owners: Owners) -> None:
    keys = await ids.load_rows(tx, Kind.ORG, [change.key[0] for change in old])
    rows: list[dict[str, Any]] = [
        {
            "id": key,
            **orgs.OrgUpdate(after["name"].strip(), after["description"], after["isPublic"]).values,
            "owner_id": owners.id_of(after),
            "quota_bytes": after["quotaBytes"],
        }
        for key, after in zip(keys, [change.after or {} for change in old], strict=True)
    ]
    transferred = [
        {"org_id": row["id"], "user_id": row["owner_id"]}
        for row, change in zip(rows, old, strict=True)
        if "owner" in change.fields and row["owner_id"] is not None
    ]
    if transferred:
        of, to = [each["org_id"] for each in transferred], [each["user_id"] for each in transferred]
        await audit.track_links(tx, audit.ORG_MEMBERS, of=of, to=to)
        await tx.delete_many(OrgMember, transferred)
    await orgs.update_many(tx, rows)


def _created(changes: Sequence[Change]) -> list[Doc]:
    """Return the values of new objects."""
    return [change.after for change in changes if change.before is None and change.after is not None]


async def _pairs(tx: Transaction, kind: Kind, changes: Sequence[Change]) -> list[tuple[int, int, Change]]:
    """Return the ids of container and user of each membership."""
    containers = await ids.load(tx, kind, [change.key[0] for change in changes], will_change=True)
    members = await ids.load(tx, Kind.USER, [change.key[1] for change in changes])
    return [(containers[change.key[0]], members[change.key[1]], change) for change in changes]


async def write_org_members(tx: Transaction, changes: Sequence[Change]) -> None:
    """Add and update members of orgs."""
    pairs = await _pairs(tx, Kind.ORG, changes)
    of, to = [org for org, _, _ in pairs], [user for _, user, _ in pairs]
    await audit.track_links(tx, audit.ORG_MEMBERS, of=of, to=to)
    rows, updates = list[dict[str, Any]](), list[dict[str, Any]]()
    for org, user, change in pairs:
        after = change.after or {}
        level, end = MemberLevel[after["level"]], after["expiresAt"]
        if change.before is None:
            rows.append(
                await orgs.member_row(tx, SYSTEM, org, user, orgs.Membership(level, end)) | {"granted_by": None}
            )
        else:
            granted = {"granted_at": tx.now, "granted_by": None, "granted_by_name": None}
            updates.append({"org_id": org, "user_id": user, "level": int(level), "expires_at": end, **granted})
    await tx.insert(OrgMember, rows)
    await tx.update_many(OrgMember, updates, ("org_id", "user_id"))


async def remove_org_members(tx: Transaction, changes: Sequence[Change]) -> None:
    """Remove members from orgs."""
    pairs = await _pairs(tx, Kind.ORG, changes)
    of, to = [org for org, _, _ in pairs], [user for _, user, _ in pairs]
    await audit.track_links(tx, audit.ORG_MEMBERS, of=of, to=to)
    await tx.delete_many(OrgMember, [{"org_id": org, "user_id": user} for org, user, _ in pairs])


async def write_groups(tx: Transaction, changes: Sequence[Change]) -> None:
    """Create and update groups."""
    rows = [groups.row(tx, groups.GroupCreate(new["slug"], *_group_values(new))) for new in _created(changes)]
    await new_rows.insert(tx, Group, rows)
    old = [change for change in changes if change.before is not None]
    keys = await ids.load_rows(tx, Kind.GROUP, [change.key[0] for change in old])
    updates = [groups.GroupUpdate(*_group_values(change.after or {})) for change in old]
    await groups.update_many(tx, [*zip(keys, updates, strict=True)])


def _group_values(after: Doc) -> tuple[str, str, MembersSeenBy]:
    return after["displayName"].strip(), after["description"], MembersSeenBy(after["membersSeenBy"])


async def write_group_members(tx: Transaction, changes: Sequence[Change]) -> None:
    """Add and update members of groups."""
    pairs = await _pairs(tx, Kind.GROUP, changes)
    of, to = [group for group, _, _ in pairs], [user for _, user, _ in pairs]
    await audit.track_links(tx, audit.GROUP_MEMBERS, of=of, to=to)
    rows, updates = list[dict[str, Any]](), list[dict[str, Any]]()
    for group, user, change in pairs:
        after = change.after or {}
        if change.before is None:
            row = {"group_id": group, "user_id": user, "is_manager": after["isManager"]}
            rows.append({**row, "added_at": tx.now, "added_by": None, "expires_at": after["expiresAt"]})
        else:
            new = {"is_manager": after["isManager"], "expires_at": after["expiresAt"]}
            updates.append({"group_id": group, "user_id": user, **new})
    await tx.insert(GroupMember, rows)
    await tx.update_many(GroupMember, updates, ("group_id", "user_id"))


async def remove_group_members(tx: Transaction, changes: Sequence[Change]) -> None:
    """Remove members from groups."""
    pairs = await _pairs(tx, Kind.GROUP, changes)
    of, to = [group for group, _, _ in pairs], [user for _, user, _ in pairs]
    await audit.track_links(tx, audit.GROUP_MEMBERS, of=of, to=to)
    await tx.delete_many(GroupMember, [{"group_id": group, "user_id": user} for group, user, _ in pairs])
