"""Storage quotas of org owners, and the stored bytes of an org."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from math import floor, isnan
from typing import Any

from sqlalchemy import BigInteger, bindparam, or_, select, update

from app import policy
from app.db import Transaction
from app.db.tables import MAX_BYTES, Org, RowId, User, col
from app.domain.errors import InvalidInput, QuotaExceeded
from app.domain.viewer import Viewer

KILO = 1_024
MEGABYTE = KILO * KILO
UNITS = ("bytes", "KB", "MB", "GB", "TB", "PB")


@dataclass(frozen=True, slots=True)
class StoragePolicy:
    """Settings of storage: `enforced` turns quotas on, `lifetime` is the validity of a ticket."""

    enforced: bool
    lifetime: timedelta


def quota_bytes(metadata: Mapping[str, Any]) -> int | None:
    """Return the quota in a user's metadata, at most MAX_BYTES; None for no limit."""
    quota = metadata.get("maxStorageMB")
    if isinstance(quota, bool) or not isinstance(quota, int | float) or isnan(quota):
        return None
    return floor(min(max(quota, 0) * MEGABYTE, MAX_BYTES))


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


_STORED = select(
    col(User.details),
    policy.storage_used(col(User.id)),
    or_(
        policy.stores_without_limit(col(User.id)),
        policy.stores_without_limit(bindparam("uploader", type_=RowId())),
    ),
).where(col(User.id) == bindparam("owner", type_=RowId()))


async def require_room(
    tx: Transaction, viewer: Viewer, owner: int | None, uploader: int | None, more: int, path: Sequence[str | int]
) -> None:
    """Raise QuotaExceeded if `more` bytes exceed the quota of the org's owner.

    There is no limit if the owner or the uploader is exempt. The owner's storage is locked until the end of the
    transaction, always as the last lock, so that concurrent uploads for one owner see each other.
    """
    if owner is None:
        return
    await tx.lock(f"storage {owner}")
    row = await tx.row(_STORED, owner=owner, uploader=uploader, now=tx.now)
    quota = None if row is None else quota_bytes(row[0])
    if row is None or quota is None or row[2]:
        return
    used = cap_bytes(row[1])
    if used + more > quota:
        message = f"The storage quota of the org's owner has no room for {format_bytes(more)} more"
        if _sees_storage(viewer, owner):
            message += f": {format_bytes(used)} of {format_bytes(quota)} are stored or reserved"
        raise QuotaExceeded(f"{message}.", path)


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


async def add_bytes_of_many(tx: Transaction, changes: Mapping[int, int]) -> None:
    """Subtract bytes from the stored bytes of orgs, by their ids; a change is 0 or negative."""
    await tx.execute_many(_SUBTRACT_BYTES, [{"org": org, "by": by} for org, by in sorted(changes.items()) if by])


_SUBTRACT_BYTES = (
    update(Org)
    .where(col(Org.id) == bindparam("org", type_=RowId()))
    .values(size_bytes=col(Org.size_bytes) + bindparam("by", type_=BigInteger()))
)
