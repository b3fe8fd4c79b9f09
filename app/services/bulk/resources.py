"""Resources in bulk: creating or updating them, and deleting them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import delete, select

from app import policy
from app.db import Transaction
from app.db.tables import Resource, ResourceType, col
from app.domain import resource_roles
from app.domain.errors import Conflict, Forbidden, InvalidInput, Locked, NotFound, Problem
from app.domain.json_values import is_same_json
from app.domain.refs import RowRef
from app.domain.viewer import Viewer
from app.query.relations import among, integers
from app.services import audit, bulk, ownership, quotas, resource_types, resources, tracked_rows, validation
from app.services.bulk import BulkForm, Label, OnConflict, OnMissing, Result
from app.services.bulk.resource_rows import OrgOfResources, load_orgs, load_resources, lock_orgs
from app.services.resources import ResourceForUpdate


@dataclass(frozen=True, slots=True)
class ResourceEntry:
    """A resource to create or to update; None keeps a value of an existing resource.

    `found_org` is set when the entry is resolved, None for an org that the viewer may not see.
    """

    org: RowRef
    type: str
    slug: str
    name: str
    description: str | None = None
    metadata: dict[str, Any] | None = None
    found_org: OrgOfResources | None = None

    @property
    def path(self) -> str | None:
        """Return the path of the resource, None without an org."""
        return None if self.found_org is None else validation.normalize_key(f"{self.found_org.slug}/{self.slug}")


@dataclass(frozen=True, slots=True)
class _Values:
    type: str
    name: str
    description: str
    metadata: dict[str, Any]


@dataclass(frozen=True, slots=True)
class _Existing:
    """An existing resource; None for one that the viewer may not see."""

    row: ResourceForUpdate | None
    values: _Values | None


_VALUES = select(
    col(Resource.id), col(ResourceType.name), col(Resource.name), col(Resource.description), col(Resource.details)
).join(ResourceType, col(ResourceType.id) == col(Resource.type_id))


class _Form(BulkForm[ResourceEntry, _Existing]):
    field = "resources"

    def __init__(self, tx: Transaction, viewer: Viewer, on_conflict: OnConflict) -> None:
        self._tx, self._viewer, self._on_conflict = tx, viewer, on_conflict
        self._types: dict[str, tuple[int, int]] = {}

    async def load(self, entries: Sequence[ResourceEntry]) -> Sequence[_Existing | None]:
        """Return the existing resources by path; load the types too."""
        tx, paths = self._tx, [entry.path for entry in entries]
        self._types = await resource_types.load(tx, {entry.type for entry in entries})
        refs: list[RowRef] = [("path", path) for path in paths if path is not None]
        visible, existing = await load_resources(tx, self._viewer, refs)
        by_path = {ref[1]: row for ref, row in zip(refs, visible, strict=True) if row is not None}
        keys = integers(row.id for row in by_path.values())
        values = {key: _Values(*rest) for key, *rest in await tx.rows(_VALUES.where(among(col(Resource.id), keys)))}
        olds = []
        for entry, path in zip(entries, paths, strict=True):
            row = by_path.get(path or "")
            is_there = ("path", path) in existing
            olds.append(_Existing(row, None if row is None else values[row.id]) if is_there else None)
            self._require_permitted(entry, row)
        return olds

    def _require_permitted(self, entry: ResourceEntry, row: ResourceForUpdate | None) -> None:
        """Raise Forbidden for an org in which the viewer creates nothing, unless they see the existing resource."""
        is_known = row is not None and self._on_conflict is not OnConflict.FAIL
        if entry.found_org is not None and not entry.found_org.is_writable and not is_known:
            raise Forbidden("This needs READ_WRITE on the org.")

    def labels(self, entry: ResourceEntry) -> Iterator[Label]:
        """Yield the path."""
        if entry.path is not None:
            yield Label(("slug",), f"`{entry.slug}`", entry.path)

    def problems(self, entry: ResourceEntry) -> Iterator[Problem]:
        """Yield the problems of a new resource; only one for an org that the viewer may not see."""
        if entry.found_org is None:
            yield NotFound("There is no such org.", ("org",))
            return
        if entry.type not in self._types:
            yield InvalidInput(f"There is no type `{entry.type}`.", ("type",))
        yield from validation.slug_problems(entry.slug)
        yield from self._text_problems(entry)

    def _text_problems(self, entry: ResourceEntry) -> Iterator[Problem]:
        metadata = {} if entry.metadata is None else entry.metadata
        return resources.text_problems(entry.name.strip(), entry.description or "", metadata)

    def conflicts(self, entry: ResourceEntry) -> Iterator[Problem]:
        """Yield the problem of a slug that is taken."""
        yield resources.slug_conflict(entry.slug)

    def compare(self, entry: ResourceEntry, old: _Existing) -> _Values | None:
        """Return the new values if one differs."""
        if old.row is None or old.values is None or not old.row.mask & resource_roles.METADATA_WRITE:
            raise resources.slug_conflict(entry.slug)
        problems = [*self._text_problems(entry)]
        if entry.type != old.values.type:
            problems.append(Conflict("This resource has another type, which never changes.", ("type",)))
        validation.raise_problems(problems)
        values = old.values
        text = values.description if entry.description is None else entry.description
        metadata = values.metadata if entry.metadata is None else entry.metadata
        new = _Values(values.type, entry.name.strip(), text, metadata)
        if _is_same(new, values):
            return None
        if old.row.is_locked:
            raise Locked()
        return new

    def key(self, entry: ResourceEntry, old: _Existing) -> int | None:
        """Return the id of the resource, None if the viewer may not see it."""
        return None if old.row is None else old.row.id

    async def create(self, entries: Sequence[ResourceEntry]) -> Sequence[int]:
        """Insert resources of which the viewer is the owner, with the default grants."""
        tx, owner = self._tx, policy.require_signed_in(self._viewer)
        rows = [self._row(entry, owner) for entry in entries]
        ids = await tracked_rows.insert(tx, Resource, rows, "path")
        await ownership.require_active(tx, owner)
        full_masks = {key: row["full_mask"] for key, row in zip(ids, rows, strict=True)}
        await resources.finish_creation(tx, self._viewer, full_masks)
        return ids

    def _row(self, entry: ResourceEntry, owner: int) -> dict[str, Any]:
        assert entry.found_org is not None
        org = entry.found_org.id, entry.found_org.slug
        metadata = {} if entry.metadata is None else entry.metadata
        new = resources.ResourceCreate(entry.org, entry.type, entry.slug, entry.name, entry.description or "", metadata)
        return {**resources.row(self._tx, new, org, self._types[entry.type]), "owner_id": owner}

    async def update(self, changes: Sequence[tuple[ResourceEntry, _Existing, Any]]) -> None:
        """Write the values that differ, and refresh the access index."""
        rows = [
            {"id": old.row.id, **resources.ResourceUpdate(new.name, new.description, new.metadata).values}
            for _, old, new in changes
            if old.row is not None
        ]
        await resources.update_many(self._tx, rows)


def _is_same(values: _Values, other: _Values) -> bool:
    names_are_same = (values.name, values.description) == (other.name, other.description)
    return names_are_same and is_same_json(values.metadata, other.metadata)


async def create_resources(
    tx: Transaction, viewer: Viewer, entries: Sequence[ResourceEntry], on_conflict: OnConflict
) -> list[Result]:
    """Create resources, or update those that exist; needs READ_WRITE in the orgs.

    An update needs METADATA_WRITE on the resource, which must not be locked.
    """
    policy.require_signed_in(viewer)
    bulk.require_number("resources", len(entries))
    orgs = await load_orgs(tx, viewer, [entry.org for entry in entries])
    resolved = [replace(entry, found_org=org) for entry, org in zip(entries, orgs, strict=True)]
    return await bulk.save(tx, _Form(tx, viewer, on_conflict), resolved, on_conflict)


async def delete_resources(
    tx: Transaction, viewer: Viewer, refs: Sequence[RowRef], on_missing: OnMissing
) -> list[Result]:
    """Delete unlocked resources with their grants; needs ADMIN on them, or READ_WRITE_DELETE in their orgs."""
    policy.require_signed_in(viewer)
    bulk.require_number("resources", len(refs))
    await lock_orgs(tx, refs)
    rows, _ = await load_resources(tx, viewer, refs)
    if not all(row is None or row.may_delete or row.mask & resource_roles.ADMIN for row in rows):
        raise Forbidden(resources.DELETION)
    keys = [None if row is None else row.id for row in rows]
    locked = [Locked(path=("resources", at)) for at, row in enumerate(rows) if row and row.is_locked]
    results = bulk.select_removals(
        tx, "resources", keys, on_missing, lambda _: NotFound("There is no such resource."), "resource", locked
    )
    if not (ids := bulk.removed_keys(results)):
        return results
    await audit.track(tx, audit.RESOURCE, ids)
    await audit.track_links(tx, audit.GRANTS, source=ids)
    await tx.rows(delete(Resource).where(among(col(Resource.id), integers(ids))))
    freed: dict[int, int] = {}
    for row in rows:
        if row is not None:
            freed[row.org_id] = freed.get(row.org_id, 0) + row.size_bytes
    await quotas.subtract_bytes(tx, freed)
    return results
