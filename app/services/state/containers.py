"""Writing orgs, groups and their members of a plan."""

from collections.abc import Sequence
from typing import Any

from app.db import Transaction
from app.db.statements import Values
from app.db.tables import Group, MembersSeenBy, Org
from app.domain.resource_roles import MemberLevel
from app.domain.viewer import SYSTEM
from app.services import groups, members, orgs, tracked_rows, validation
from app.services.members import MemberTable
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
    await tracked_rows.insert(tx, Org, rows)
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
        await members.remove(tx, members.ORGS, transferred)
    await tracked_rows.update(tx, Org, rows)


def _created(changes: Sequence[Change]) -> list[Doc]:
    """Return the values of new objects."""
    return [change.after for change in changes if change.before is None and change.after is not None]


async def _pairs(tx: Transaction, kind: Kind, changes: Sequence[Change]) -> list[tuple[int, int, Change]]:
    """Return the ids of container and user of each membership."""
    containers = await ids.load(tx, kind, [change.key[0] for change in changes], will_change=True)
    users = await ids.load(tx, Kind.USER, [change.key[1] for change in changes])
    return [(containers[change.key[0]], users[change.key[1]], change) for change in changes]


async def write_org_members(tx: Transaction, changes: Sequence[Change]) -> None:
    """Add and update members of orgs."""
    new, changed = list[Values](), list[Values]()
    for org, user, change in await _pairs(tx, Kind.ORG, changes):
        after = change.after or {}
        membership = orgs.Membership(MemberLevel[after["level"]], after["expiresAt"])
        rows = new if change.before is None else changed
        rows.append(await orgs.member_row(tx, SYSTEM, org, user, membership))
    await members.write(tx, members.ORGS, new, changed)


async def remove_members(kind: Kind, member_table: MemberTable, tx: Transaction, changes: Sequence[Change]) -> None:
    """Remove members from orgs or from groups."""
    pairs = await _pairs(tx, kind, changes)
    await members.remove(tx, member_table, [{member_table.key: key, "user_id": user} for key, user, _ in pairs])


async def write_groups(tx: Transaction, changes: Sequence[Change]) -> None:
    """Create and update groups."""
    rows = [groups.row(tx, groups.GroupCreate(new["slug"], *_group_values(new))) for new in _created(changes)]
    await tracked_rows.insert(tx, Group, rows)
    old = [change for change in changes if change.before is not None]
    keys = await ids.load_rows(tx, Kind.GROUP, [change.key[0] for change in old])
    updates = [groups.GroupUpdate(*_group_values(change.after or {})).values for change in old]
    await tracked_rows.update(tx, Group, [{"id": key, **each} for key, each in zip(keys, updates, strict=True)])


def _group_values(after: Doc) -> tuple[str, str, MembersSeenBy]:
    return after["displayName"].strip(), after["description"], MembersSeenBy(after["membersSeenBy"])


async def write_group_members(tx: Transaction, changes: Sequence[Change]) -> None:
    """Add and update members of groups."""
    new, changed = list[Values](), list[Values]()
    for group, user, change in await _pairs(tx, Kind.GROUP, changes):
        after = change.after or {}
        row = {"group_id": group, "user_id": user, "is_manager": after["isManager"], "expires_at": after["expiresAt"]}
        if change.before is None:
            new.append({**await groups.member_row(tx, SYSTEM, group), **row})
        else:
            changed.append(row)
    await members.write(tx, members.GROUPS, new, changed)
