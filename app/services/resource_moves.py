"""Moving the resources of an org to another org: rows, slugs that both orgs use, stored bytes and the access index."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any

from sqlalchemy import bindparam, delete, or_, select, update

from app import policy
from app.db import Transaction, chunks
from app.db.tables import KeyText, Org, Resource, ResourceType, RowId, Ticket, aliased, col
from app.domain.errors import Conflict, InvalidInput, Locked, NotFound, Problem
from app.domain.refs import RowRef
from app.domain.viewer import Viewer
from app.query.relations import Keys, among, integers
from app.services import access_index, audit, orgs, ownership, quotas, validation

MAX_SLUGS = 1_000
"""Resources that one `move_resources` moves at most. A merge has no such limit."""

MAX_SLUG = 128


class OnSlugConflict(IntEnum):
    """The handling of a slug that is taken in the destination, with the numbers of the documented REST API."""

    HALT = 0
    """The resource stays where it is."""
    OVERWRITE = 1
    """The resource of the destination is deleted, if it has the same type."""
    RENAME = 2
    """The resource gets the first free slug of `slug_1`, `slug_2` and so on."""


@dataclass(frozen=True, slots=True)
class Move:
    """The move of one resource: its id and new slug, or the problem for which it stays."""

    slug: str
    id: int | None = None
    new_slug: str | None = None
    problem: Problem | None = None


@dataclass(frozen=True, slots=True)
class OrgPair:
    """Two different orgs, locked until the transaction ends, and the viewer who may manage both."""

    viewer: Viewer
    source: orgs.OrgForUpdate
    destination: orgs.OrgForUpdate
    destination_slug: str


@dataclass(slots=True)
class _Plan:
    """The rows that a move changes: new slugs by resource id, and the deleted resources of the destination."""

    moves: list[Move] = field(default_factory=list)
    sizes: dict[int, int] = field(default_factory=dict)
    overwritten: dict[int, int] = field(default_factory=dict)

    @property
    def new_slugs(self) -> dict[int, str]:
        return {move.id: move.new_slug for move in self.moves if move.id is not None and move.new_slug is not None}


@dataclass(frozen=True, slots=True)
class _Row:
    id: int
    slug: str
    type_id: int
    size_bytes: int
    org_id: int


async def move_resources(
    tx: Transaction,
    viewer: Viewer,
    source: RowRef,
    destination: RowRef,
    slugs: Sequence[str],
    on_conflict: OnSlugConflict,
    storage_policy: quotas.StoragePolicy,
    type_name: str | None = None,
) -> tuple[int, list[Move]]:
    """Move resources of one org to another, and return the id of the destination and a result for each slug.

    Needs ORGS_MANAGE, which could do the same by transferring the org. None of the resources may be locked. With
    `type_name`, resources of other types do not exist. The caller may raise the problems to roll everything back.
    """
    pair = await lock_pair(tx, viewer, source, destination)
    if not 1 <= len(slugs) <= MAX_SLUGS:
        raise InvalidInput(f"`slugs` must have 1 to {MAX_SLUGS:,} entries, not {len(slugs):,}.", ("slugs",))
    keys = [validation.normalize_key(slug) for slug in slugs]
    validation.raise_problems(
        [
            InvalidInput(problem.message, ("slugs", at))
            for at, key in enumerate(keys)
            for problem in validation.slug_problems(key)
        ]
        + [
            InvalidInput(f"`{key}` is listed more than once. Remove the duplicate.", ("slugs", at))
            for at, key in validation.duplicates(enumerate(keys), key=lambda each: each[1])
        ]
    )
    type_id = None if type_name is None else await tx.value(_TYPE, name=type_name)
    moves = await move_all(tx, pair, on_conflict, storage_policy, keys, type_id)
    by_slug = {move.slug: move for move in moves}
    unknown = NotFound("There is no such resource.")
    return pair.destination.id, [by_slug.get(key) or Move(key, problem=unknown) for key in keys]


async def lock_pair(tx: Transaction, viewer: Viewer, source: RowRef, destination: RowRef) -> OrgPair:
    """Return both orgs, locked in the order of their ids; needs ORGS_MANAGE."""
    policy.require_signed_in(viewer)
    lock = select(col(Org.id)).where(or_(_is(source), _is(destination))).order_by(col(Org.id)).with_for_update()
    await tx.rows(lock)
    loaded = []
    for ref, path in ((source, "source"), (destination, "destination")):
        try:
            loaded.append(await orgs.require(tx, viewer, ref, policy.governs_orgs, "the permission ORGS_MANAGE"))
        except NotFound as problem:
            raise NotFound(problem.message, (path,)) from None
    if loaded[0].id == loaded[1].id:
        raise InvalidInput("`source` and `destination` must be different orgs.", ("destination",))
    slug = await tx.value(select(col(Org.slug)).where(col(Org.id) == bindparam("key", type_=RowId())), key=loaded[1].id)
    return OrgPair(viewer, loaded[0], loaded[1], slug)


def _is(org: RowRef) -> Any:
    by, key = validation.normalize_ref(org)
    return col(getattr(Org, by)) == key


async def move_all(
    tx: Transaction,
    pair: OrgPair,
    on_conflict: OnSlugConflict,
    storage_policy: quotas.StoragePolicy,
    slugs: Collection[str] | None = None,
    type_id: int | None = None,
) -> list[Move]:
    """Move resources of a locked org, all or those with these slugs and this type, and return a move for each."""
    rows = await _lock_resources(tx, pair, slugs)
    moving = [row for row in rows if row.org_id == pair.source.id and type_id in (None, row.type_id)]
    taken = {row.slug: row for row in rows if row.org_id == pair.destination.id}
    plan = await _plan(tx, pair, moving, taken, on_conflict)
    if plan.new_slugs or plan.overwritten:
        await _require_unlocked(tx, list(plan.new_slugs), "source")
        await _require_unlocked(tx, list(plan.overwritten), "destination")
        await _write(tx, pair, plan, storage_policy)
    return plan.moves


async def _require_unlocked(tx: Transaction, keys: Sequence[int], place: str) -> None:
    """Raise Locked with the org as its place if a resource of it is locked."""
    async for batch in chunks(keys, access_index.BATCH_SIZE):
        try:
            await ownership.require_unlocked(tx, among(col(Resource.id), integers(batch)), "org")
        except Locked as problem:
            raise Locked(problem.message, (place,)) from None


async def _lock_resources(tx: Transaction, pair: OrgPair, slugs: Collection[str] | None) -> list[_Row]:
    """Return the resources to move, and those of the destination with the same slugs; their rows are locked."""
    other = aliased(Resource)
    of_source = col(Resource.org_id) == pair.source.id
    same = select(col(other.slug)).where(col(other.org_id) == pair.source.id)
    in_destination = (col(Resource.org_id) == pair.destination.id) & col(Resource.slug).in_(same)
    values: dict[str, Any] = {}
    condition = or_(of_source, in_destination)
    if slugs is not None:
        condition &= among(col(Resource.slug), bindparam("slugs", type_=Keys(KeyText())))
        values["slugs"] = list(slugs)
    columns = (Resource.id, Resource.slug, Resource.type_id, Resource.size_bytes, Resource.org_id)
    statement = select(*map(col, columns)).where(condition).order_by(col(Resource.id)).with_for_update()
    return [_Row(*row[:5]) for row in await tx.rows(statement, **values)]


async def _plan(
    tx: Transaction, pair: OrgPair, moving: Sequence[_Row], taken: Mapping[str, _Row], on_conflict: OnSlugConflict
) -> _Plan:
    plan, renamed = _Plan(), list[_Row]()
    for row in moving:
        rival = taken.get(row.slug)
        if rival is None or (on_conflict is OnSlugConflict.OVERWRITE and rival.type_id == row.type_id):
            plan.moves.append(Move(row.slug, row.id, row.slug))
            plan.overwritten |= {} if rival is None else {rival.id: rival.size_bytes}
        elif on_conflict is OnSlugConflict.RENAME:
            renamed.append(row)
        else:
            kind = " of another type" if on_conflict is OnSlugConflict.OVERWRITE else ""
            text = f"The destination already has a resource `{row.slug}`{kind}."
            plan.moves.append(Move(row.slug, problem=Conflict(text)))
    used = {move.slug for move in plan.moves}
    for row, slug in (await _free_slugs(tx, pair.destination.id, renamed, used)).items():
        plan.moves.append(Move(row.slug, row.id, slug))
    moved = plan.new_slugs
    plan.sizes = {row.id: row.size_bytes for row in moving if row.id in moved}
    return plan


async def _free_slugs(tx: Transaction, org: int, rows: Sequence[_Row], used: set[str]) -> dict[_Row, str]:
    """Return a slug for each resource that neither the org nor another moved resource uses."""
    slugs: dict[_Row, str] = {}
    number, waiting = 1, list(rows)
    while waiting:
        tried = {row: numbered_slug(row.slug, number) for row in waiting}
        rivals = await tx.rows(_SELECT_SLUGS, org=org, slugs=list(set(tried.values())))
        used |= {rival[0] for rival in rivals}
        for row, slug in tried.items():
            if slug not in used:
                slugs[row] = slug
                used.add(slug)
        waiting, number = [row for row in waiting if row not in slugs], number + 1
    return slugs


def numbered_slug(slug: str, number: int) -> str:
    """Return the slug with a number behind it, cut to the length of a slug."""
    suffix = f"_{number}"
    return f"{slug[: MAX_SLUG - len(suffix)]}{suffix}"


async def _write(tx: Transaction, pair: OrgPair, plan: _Plan, storage_policy: quotas.StoragePolicy) -> None:
    new_slugs, source, destination = plan.new_slugs, pair.source.id, pair.destination.id
    await audit.track(tx, audit.RESOURCE, [*new_slugs, *plan.overwritten])
    await audit.track_links(tx, audit.GRANTS, source=list(plan.overwritten))
    async for batch in chunks(list(plan.overwritten), access_index.BATCH_SIZE):
        await tx.rows(delete(Resource).where(among(col(Resource.id), integers(batch))))
    moved, deleted = sum(plan.sizes.values()), sum(plan.overwritten.values())
    await quotas.add_bytes(tx, destination, -deleted)
    await _require_room(tx, pair, list(new_slugs), moved - deleted, storage_policy)
    values = [
        {
            "id": key,
            "org_id": destination,
            "slug": slug,
            "path": f"{pair.destination_slug}/{slug}",
            "updated_at": tx.now,
        }
        for key, slug in new_slugs.items()
    ]
    await tx.update_many(Resource, values)
    async for batch in chunks(list(new_slugs), access_index.BATCH_SIZE):
        of_batch = among(col(Ticket.resource_id), integers(batch))
        await tx.rows(update(Ticket).where(of_batch).values(org_id=destination))
    await quotas.add_bytes(tx, source, -moved)
    await quotas.add_bytes(tx, destination, moved, ("destination",))
    await access_index.refresh(tx, new_slugs)


async def _require_room(
    tx: Transaction, pair: OrgPair, moved: Sequence[int], growth: int, storage_policy: quotas.StoragePolicy
) -> None:
    """Raise QuotaExceeded if the moved and reserved bytes are more than the destination may store."""
    if not storage_policy.enforced:
        return
    reserved = 0
    async for batch in chunks(list(moved), access_index.BATCH_SIZE):
        of_batch = among(col(Ticket.resource_id), integers(batch))
        total = await tx.value(
            select(policy.sum_of(Ticket.bytes)).where(of_batch, policy.is_reserved(Ticket)), now=tx.now
        )
        reserved += quotas.cap_bytes(total)
    if growth + reserved > 0:
        viewer = pair.viewer
        charge = quotas.Charge(
            pair.destination.id, growth + reserved, viewer.user_id, ("destination",), paid_by=pair.source.owner_id
        )
        await quotas.require_room(tx, viewer, charge, storage_policy)


_TYPE = select(col(ResourceType.id)).where(col(ResourceType.name) == bindparam("name", type_=KeyText()))

_SELECT_SLUGS = select(col(Resource.slug)).where(
    col(Resource.org_id) == bindparam("org", type_=RowId()),
    among(col(Resource.slug), bindparam("slugs", type_=Keys(KeyText()))),
)
