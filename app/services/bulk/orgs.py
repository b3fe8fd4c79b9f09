"""Orgs in bulk: creating or updating them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from sqlalchemy import Select, bindparam, select

from app import policy
from app.db import Transaction
from app.db.tables import Org, RowId, col
from app.domain.errors import InvalidInput, Problem
from app.domain.refs import RowRef
from app.domain.viewer import Permission, Viewer
from app.query.relations import Keys, among, flag_sql, texts
from app.services import bulk, orgs, ownership, tracked_rows, users, validation
from app.services.bulk import BulkForm, Label, OnConflict, Result


@dataclass(frozen=True, slots=True)
class OrgEntry:
    """An org to create or to update; None keeps a value of an existing org.

    `owner` is the owner of a new org, None for the viewer. `owner_id` is set when the entry is resolved, 0 for no such
    user.
    """

    slug: str
    name: str
    description: str | None = None
    is_public: bool | None = None
    owner: RowRef | None = None
    owner_id: int = 0


@dataclass(frozen=True, slots=True)
class _Existing:
    """An existing org. `is_permitted` says whether the viewer may see and change it."""

    id: int
    is_permitted: bool
    name: str = ""
    description: str = ""
    is_public: bool = False

    @property
    def update(self) -> orgs.OrgUpdate:
        return orgs.OrgUpdate(self.name, self.description, self.is_public)


_LOCK = select(col(Org.slug), col(Org.id)).order_by(col(Org.id)).with_for_update()


class _Form(BulkForm[OrgEntry, _Existing]):
    field = "orgs"

    def __init__(self, tx: Transaction, viewer: Viewer) -> None:
        self._tx, self._viewer = tx, viewer

    async def load(self, entries: Sequence[OrgEntry]) -> Sequence[_Existing | None]:
        """Return the existing orgs by slug. A second statement reads those that the viewer may see."""
        tx, keys = self._tx, {validation.normalize_key(entry.slug) for entry in entries}
        locked: dict[str, int] = dict(await tx.rows(_LOCK.where(among(col(Org.slug), texts(keys)))))
        statement = _select_visible(self._viewer.permission_profile)
        rows = await tx.rows(statement, keys=[*locked.values()], **self._viewer.bind_values, now=tx.now)
        visible = {key: _Existing(key, bool(may), name, text, bool(public)) for key, may, name, text, public in rows}
        ids = [locked.get(validation.normalize_key(entry.slug)) for entry in entries]
        return [None if key is None else visible.get(key, _Existing(key, False)) for key in ids]

    def labels(self, entry: OrgEntry) -> Iterator[Label]:
        """Yield the slug."""
        yield Label(("slug",), f"`{entry.slug}`", validation.normalize_key(entry.slug))

    def problems(self, entry: OrgEntry) -> Iterator[Problem]:
        """Yield the problems of a new org."""
        if not entry.owner_id:
            yield users.user_not_found(("owner",))
        yield from orgs.slug_problems(entry.slug)
        yield from orgs.text_problems(entry.name.strip(), entry.description or "")

    def conflicts(self, entry: OrgEntry) -> Iterator[Problem]:
        """Yield the problem of a slug that is taken."""
        yield orgs.slug_conflict(entry.slug)

    def compare(self, entry: OrgEntry, old: _Existing) -> _Existing | None:
        """Return the new values if one differs."""
        if not old.is_permitted:
            raise orgs.slug_conflict(entry.slug)
        name = entry.name.strip()
        validation.raise_problems(orgs.text_problems(name, entry.description or ""))
        text = old.description if entry.description is None else entry.description
        is_public = old.is_public if entry.is_public is None else entry.is_public
        new = replace(old, name=name, description=text, is_public=is_public)
        return None if new == old else new

    def key(self, entry: OrgEntry, old: _Existing) -> int:
        """Return the id of the org."""
        return old.id

    async def create(self, entries: Sequence[OrgEntry]) -> Sequence[int]:
        """Insert orgs. A concurrent deactivation of an owner waits for the reference of the new row."""
        tx = self._tx
        rows = [orgs.row(tx, _create(entry), entry.owner_id) for entry in entries]
        ids = await tracked_rows.insert(tx, Org, rows)
        active = await ownership.load_active(tx, [*{entry.owner_id for entry in entries}])
        validation.raise_problems(
            [
                InvalidInput("This user cannot become an owner.", (self.field, at, "owner"))
                for at, entry in enumerate(entries)
                if entry.owner_id not in active
            ]
        )
        return ids

    async def update(self, changes: Sequence[tuple[OrgEntry, _Existing, Any]]) -> None:
        """Write the values that differ."""
        await tracked_rows.update(self._tx, Org, [{"id": old.id, **new.update.values} for _, old, new in changes])


def _create(entry: OrgEntry) -> orgs.OrgCreate:
    return orgs.OrgCreate(entry.slug, entry.name, entry.description or "", bool(entry.is_public))


@cache
def _select_visible(viewer: Viewer) -> Select[Any]:
    may_write = flag_sql(policy.writes_org(viewer))
    columns = select(col(Org.id), may_write, col(Org.name), col(Org.description), col(Org.is_public))
    return columns.where(among(col(Org.id), bindparam("keys", type_=Keys(RowId()))), policy.sees_org(viewer))


async def create_orgs(
    tx: Transaction, viewer: Viewer, entries: Sequence[OrgEntry], on_conflict: OnConflict
) -> list[Result]:
    """Create orgs, or update those that exist; needs ORGS_CREATE, and ORGS_MANAGE for other owners.

    An update needs the level READ_WRITE in the org. It keeps the owner.
    """
    user_id = policy.require(viewer, Permission.ORGS_CREATE)
    bulk.require_number("orgs", len(entries))
    named = [(at, entry.owner) for at, entry in enumerate(entries) if entry.owner is not None]
    owner_ids = dict.fromkeys(range(len(entries)), user_id)
    if named:
        ids = await users.load_many(tx, viewer, [owner for _, owner in named])
        owner_ids |= {at: key or 0 for (at, _), key in zip(named, ids, strict=True)}
    if any(key not in (0, user_id) for key in owner_ids.values()):
        policy.require(viewer, Permission.ORGS_MANAGE)
    resolved = [replace(entry, owner_id=owner_ids[at]) for at, entry in enumerate(entries)]
    return await bulk.save(tx, _Form(tx, viewer), resolved, on_conflict)
