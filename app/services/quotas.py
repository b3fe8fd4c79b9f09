"""Quotas: what the owner of an org may store, whether more fits in, and the totals that say what an org keeps."""

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
    """On what terms files come and go: whether quotas are kept to, and how long a ticket is good."""

    enforced: bool
    lifetime: timedelta


def total_of(metadata: Mapping[str, Any]) -> int | None:
    """How many bytes a user's metadata allows her; None for no limit. A limit beyond MAX_BYTES is that."""
    quota = metadata.get("maxStorageMB")
    if isinstance(quota, bool) or not isinstance(quota, int | float) or isnan(quota):
        return None
    return floor(min(max(quota, 0) * MEGABYTE, MAX_BYTES))


def whole_megabytes(used: float) -> int:
    """Bytes as they are answered, of a sum that may be larger than what is counted."""
    return int(min(used, MAX_BYTES))


def format_bytes(number: int) -> str:
    """Bytes in the largest unit of 1,024 that gives 1 or more, with up to three decimals."""
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
    """Raises QuotaExceeded unless the owner of the org may store so much more, or one of the two has no limit.

    She is held until the end, by a lock that is always the last one taken: who reserves for her next sees it.
    """
    if owner is None:
        return
    await tx.lock(f"storage {owner}")
    row = await tx.row(_STORED, owner=owner, uploader=uploader, now=tx.now)
    total = None if row is None else total_of(row[0])
    if row is None or total is None or row[2]:
        return
    used = whole_megabytes(row[1])
    if used + more > total:
        stored = f"The owner of the org may store {format_bytes(total)} and has {format_bytes(used)} stored or reserved: there is"
        told = stored if _sees_storage(viewer, owner) else "With the owner of the org there is"
        raise QuotaExceeded(f"{told} no room for {format_bytes(more)} more.", path)


def _sees_storage(viewer: Viewer, owner: int) -> bool:
    """Return whether the viewer may know how much the owner of an org stores, as with `User.storage`."""
    return viewer.user_id == owner or policy.sees_all_users(viewer)


_GROW = (
    update(Org)
    .where(
        col(Org.id) == bindparam("org", type_=RowId()),
        col(Org.size_bytes) + bindparam("by", type_=BigInteger()) <= MAX_BYTES,
    )
    .values(size_bytes=col(Org.size_bytes) + bindparam("by", type_=BigInteger()))
    .returning(col(Org.id))
)


async def add_bytes(tx: Transaction, org: int, by: int, path: Sequence[str | int] = ()) -> None:
    """Write how much more, or less, an org keeps; raises InvalidInput for more than is counted."""
    if by and not await tx.rows(_GROW, org=org, by=by):
        raise InvalidInput(f"An org keeps at most {MAX_BYTES:,} bytes.", path)
