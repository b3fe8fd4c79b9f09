"""Storage quotas of orgs and of their owners, and the stored bytes of an org."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from math import floor, isnan
from typing import Any

from sqlalchemy import BigInteger, Select, bindparam, select, update

from app import policy
from app.db import Transaction
from app.db.tables import MAX_BYTES, Org, RowId, User, col
from app.domain.errors import InvalidInput, QuotaExceeded
from app.domain.refs import RowRef
from app.domain.viewer import Viewer
from app.query.relations import flag_sql
from app.services import audit, orgs

KILO = 1_024
MEGABYTE = KILO * KILO
UNITS = ("bytes", "KB", "MB", "GB", "TB", "PB")


@dataclass(frozen=True, slots=True)
class StoragePolicy:
    """Settings of storage: `enforced` turns quotas on, `lifetime` is the validity of a ticket.

    `default_quota` is the quota in bytes of an org that has neither an owner nor a quota of its own; None for no limit.
    """

    enforced: bool
    lifetime: timedelta
    default_quota: int | None = None


def quota_bytes(metadata: Mapping[str, Any]) -> int | None:
    """Return the quota in a user's metadata, at most MAX_BYTES; None for no limit."""
    quota = metadata.get("maxStorageMB")
    if isinstance(quota, bool) or not isinstance(quota, int | float) or isnan(quota):
        return None
    return floor(min(max(quota, 0) * MEGABYTE, MAX_BYTES))


def bytes_of_megabytes(number: int | None) -> int | None:
    """Return a setting in megabytes as bytes, at most MAX_BYTES; None for no limit."""
    return None if number is None else min(number * MEGABYTE, MAX_BYTES)


def cap_bytes(used: float) -> int:
    """Return a sum of bytes, at most MAX_BYTES. SQL may return a larger sum, as a float."""
    return int(min(used, MAX_BYTES))


def format_bytes(number: int) -> str:
    """Return a number of bytes in the largest binary unit of which it has at least 1, with up to three decimals."""
    size, unit = float(number), 0
    while size >= KILO and unit < len(UNITS) - 1:
        size, unit = size / KILO, unit + 1
    text = f"{size:.3f}".rstrip("0").rstrip(".")
    return f"{text} byte" if (text, unit) == ("1", 0) else f"{text} {UNITS[unit]}"


_QUOTAS = select(
    col(Org.owner_id),
    col(Org.quota_bytes),
    policy.stores_without_limit(bindparam("uploader", type_=RowId())),
).where(col(Org.id) == bindparam("org", type_=RowId()))

_STORED = select(col(User.details), policy.storage_used(col(User.id)), policy.stores_without_limit(col(User.id))).where(
    col(User.id) == bindparam("owner", type_=RowId())
)


@cache
def _select_stored_in_org(viewer: Viewer) -> Select[Any]:
    """Return the statement of the bytes stored in an org, and whether the viewer may see them."""
    is_manager = flag_sql(policy.manages_org(viewer))
    return select(policy.storage_used_in_org(col(Org.id)), is_manager).where(
        col(Org.id) == bindparam("org", type_=RowId())
    )


@dataclass(frozen=True, slots=True)
class Charge:
    """Bytes to store in an org for an uploader. The owner `paid_by` already pays for them; None for nobody."""

    org: int
    bytes: int
    uploader: int | None
    path: Sequence[str | int]
    paid_by: int | None = None


async def require_room(tx: Transaction, viewer: Viewer, charge: Charge, storage_policy: StoragePolicy) -> None:
    """Raise QuotaExceeded if the bytes exceed the quota of the org or that of its owner; both must have room.

    An org without an owner has its own quota or the default one. There is no limit if the uploader is exempt, and no
    quota of an owner who is exempt. The storage of the org and that of the owner are locked in this order until the
    end of the transaction, always as the last locks, so that concurrent uploads see each other.
    """
    row = await tx.row(_QUOTAS, org=charge.org, uploader=charge.uploader) if storage_policy.enforced else None
    if row is None or row[2]:
        return
    owner, quota, _ = row
    if owner is None and quota is None:
        quota = storage_policy.default_quota
    if quota is not None:
        await tx.lock(f"storage of org {charge.org}")
        statement = _select_stored_in_org(viewer.permission_profile)
        stored = await tx.row(statement, org=charge.org, **viewer.bind_values, now=tx.now)
        assert stored is not None, "the org is locked"
        _require_fits(charge, cap_bytes(stored[0]), quota, "the org", is_shown=bool(stored[1]))
    if owner is not None and owner != charge.paid_by:
        await _require_room_of_owner(tx, viewer, owner, charge)


async def _require_room_of_owner(tx: Transaction, viewer: Viewer, owner: int, charge: Charge) -> None:
    await tx.lock(f"storage {owner}")
    row = await tx.row(_STORED, owner=owner, now=tx.now)
    quota = None if row is None or row[2] else quota_bytes(row[0])
    if row is not None and quota is not None:
        is_shown = _sees_storage(viewer, owner)
        _require_fits(charge, cap_bytes(row[1]), quota, "the org's owner", is_shown=is_shown)


def _require_fits(charge: Charge, used: int, quota: int, whose: str, *, is_shown: bool) -> None:
    if used + charge.bytes > quota:
        message = f"The storage quota of {whose} has no room for {format_bytes(charge.bytes)} more"
        if is_shown:
            message += f": {format_bytes(used)} of {format_bytes(quota)} are stored or reserved"
        raise QuotaExceeded(f"{message}.", charge.path)


def _sees_storage(viewer: Viewer, owner: int) -> bool:
    """Return whether the viewer may see the storage of the org's owner, as with `User.storage`."""
    return viewer.user_id == owner or policy.sees_all_users(viewer)


_ADD_BYTES = (
    update(Org)
    .where(
        col(Org.id) == bindparam("org", type_=RowId()),
        col(Org.size_bytes) + bindparam("by", type_=BigInteger()) <= MAX_BYTES,
    )
    .values(size_bytes=col(Org.size_bytes) + bindparam("by", type_=BigInteger()))
    .returning(col(Org.id))
)


async def add_bytes(tx: Transaction, org: int, by: int, path: Sequence[str | int] = ()) -> None:
    """Add bytes, maybe a negative number, to the stored bytes of an org; raise InvalidInput above MAX_BYTES."""
    if by and not await tx.rows(_ADD_BYTES, org=org, by=by):
        raise InvalidInput(f"An org stores at most {MAX_BYTES:,} bytes.", path)


async def subtract_bytes(tx: Transaction, freed: Mapping[int, int]) -> None:
    """Subtract the bytes of deleted resources from the stored bytes of their orgs, by the ids of the orgs."""
    await tx.execute_many(_SUBTRACT_BYTES, [{"org": org, "by": by} for org, by in sorted(freed.items()) if by])


_SUBTRACT_BYTES = (
    update(Org)
    .where(col(Org.id) == bindparam("org", type_=RowId()))
    .values(size_bytes=col(Org.size_bytes) - bindparam("by", type_=BigInteger()))
)


async def set_org_quota(tx: Transaction, viewer: Viewer, org: RowRef, quota: int | None) -> int:
    """Set the quota of an org in bytes, None for none of its own, and return the org's id; needs ORGS_MANAGE.

    A quota below the stored bytes is valid: nothing more is stored then.
    """
    target = await orgs.require(tx, viewer, org, policy.governs_orgs, "the permission ORGS_MANAGE")
    await audit.require_current(tx, audit.ORG, target.id)
    if quota is not None and not 0 <= quota <= MAX_BYTES:
        raise InvalidInput(f"`quotaBytes` must be a number of bytes from 0 to {MAX_BYTES:,}.", ("quotaBytes",))
    await audit.track(tx, audit.ORG, [target.id])
    await tx.update(Org, target.id, {"quota_bytes": quota})
    return target.id
