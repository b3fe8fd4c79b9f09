"""Writing resources, grants and locks of a plan."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import delete

from app.db import Transaction
from app.db.tables import Lock, LockEvent, Resource, col
from app.domain import resource_roles
from app.domain.resource_roles import SubjectType
from app.domain.viewer import SYSTEM
from app.query.relations import among, integers
from app.services import audit, grants, resource_types, resources, tracked_rows, validation
from app.services.state import ids
from app.services.state.changes import Change
from app.services.state.containers import Owners
from app.services.state.model import Kind

UNLOCK_REASON = "The declared state has no lock."


GrantRows = Mapping[tuple[int, int], tuple[int, datetime | None] | None]


async def create_resources(tx: Transaction, changes: Sequence[Change]) -> None:
    """Create resources with their grants and their locks."""
    new = [change for change in changes if change.kind is Kind.RESOURCE]
    afters = [change.after or {} for change in new]
    owners = await Owners.load(tx, new)
    orgs = await ids.load(tx, Kind.ORG, [validation.normalize_key(each["org"]) for each in afters])
    types = await resource_types.load(tx, {each["type"] for each in afters})
    rows = []
    for each in afters:
        slug = validation.normalize_key(each["org"])
        create = resources.ResourceCreate(
            ("slug", slug), each["type"], each["slug"], each["name"], each["description"], each["metadata"]
        )
        row = resources.row(tx, create, (orgs[slug], slug), types[each["type"]])
        rows.append({**row, "owner_id": owners.id_of(each)})
    keys = await tracked_rows.insert(tx, Resource, rows, "path")
    by_path = {row["path"]: key for row, key in zip(rows, keys, strict=True)}
    await audit.track_links(tx, audit.GRANTS, source=by_path.values())
    await grants.write_many(tx, SYSTEM, await _grant_rows(tx, [each for each in changes if each.kind is Kind.GRANT]))
    await _insert_locks(tx, {by_path[each.key[0]]: each for each in changes if each.kind is Kind.LOCK})


async def update_resources(tx: Transaction, changes: Sequence[Change]) -> None:
    """Set names, texts, metadata and owners of resources."""
    keys = await ids.load_rows(tx, Kind.RESOURCE, [change.key[0] for change in changes])
    owners = await Owners.load(tx, changes)
    rows = [
        {
            "id": key,
            **resources.ResourceUpdate(after["name"], after["description"], after["metadata"]).values,
            "owner_id": owners.id_of(after),
        }
        for key, after in zip(keys, [change.after or {} for change in changes], strict=True)
    ]
    await resources.update_many(tx, rows)


async def _grant_rows(tx: Transaction, changes: Sequence[Change]) -> GrantRows:
    """Return the rows of grants by the ids of resource and subject, None for grants that are removed."""
    paths = await ids.load(tx, Kind.RESOURCE, [change.key[0] for change in changes], will_change=True)
    named = {kind: await ids.load(tx, kind, _subjects(changes, kind)) for kind in (Kind.GROUP, Kind.USER)}
    rows: dict[tuple[int, int], tuple[int, datetime | None] | None] = {}
    for change in changes:
        kind, _, name = change.key[1].partition(":")
        match kind:
            case "general":
                subject = resource_roles.GENERAL
            case "anyone":
                subject = resource_roles.ANYONE
            case "group":
                subject = resource_roles.subject_id(SubjectType.GROUP, named[Kind.GROUP][name])
            case _:
                subject = resource_roles.subject_id(SubjectType.USER, named[Kind.USER][name])
        after = change.after
        rows[paths[change.key[0]], subject] = None if after is None else (after["roles"], after["expiresAt"])
    return rows


def _subjects(changes: Sequence[Change], kind: Kind) -> list[str]:
    return [name for change in changes for subject, _, name in [change.key[1].partition(":")] if subject == kind.value]


async def write_grants(tx: Transaction, changes: Sequence[Change]) -> None:
    """Set grants."""
    await grants.write_many(tx, SYSTEM, await _grant_rows(tx, changes))


remove_grants = write_grants


async def _insert_locks(tx: Transaction, locked: Mapping[int, Change]) -> None:
    rows = [
        {"resource_id": key, "user_id": None, "user_name": None, "reason": _reason(change), "created_at": tx.now}
        for key, change in locked.items()
    ]
    await tx.insert(Lock, rows)
    await tx.insert(LockEvent, [{**row, "is_lock": True} for row in rows])


def _reason(change: Change) -> str:
    return str((change.after or {})["reason"]).strip()


async def lock(tx: Transaction, changes: Sequence[Change]) -> None:
    """Lock resources. A new reason replaces the lock."""
    keys = await ids.load_rows(tx, Kind.RESOURCE, [change.key[0] for change in changes])
    await audit.track(tx, audit.RESOURCE, keys)
    await tx.rows(delete(Lock).where(among(col(Lock.resource_id), integers(keys))))
    await _insert_locks(tx, dict(zip(keys, changes, strict=True)))


async def unlock(tx: Transaction, changes: Sequence[Change]) -> None:
    """Unlock resources."""
    keys = await ids.load_rows(tx, Kind.RESOURCE, [change.key[0] for change in changes])
    await audit.track(tx, audit.RESOURCE, keys)
    await tx.rows(delete(Lock).where(among(col(Lock.resource_id), integers(keys))))
    event = {"user_id": None, "user_name": None, "is_lock": False, "reason": UNLOCK_REASON, "created_at": tx.now}
    await tx.insert(LockEvent, [{**event, "resource_id": key} for key in keys])
