"""Rewrite the keys of names: case-folded NFKC, and sort keys that sort accented letters next to plain ones.

Names with equal new keys are reported before any row changes; the migration neither merges nor renames them.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from alembic import op

from app.db.tables import KeyText, casefold_key, sort_key
from app.domain.errors import SettingsError

revision = "0010"
down_revision = "0008"

BATCH = 5_000
MAX_REPORTED = 50


@dataclass(frozen=True)
class Names:
    """A column of names and the column of their keys, which are unique among rows with an equal value of `within`."""

    table: str
    name: str
    key: str
    write: Callable[[str], str]
    is_unique: bool = True
    within: str | None = None

    @property
    def rows(self) -> sa.TableClause:
        """Return the table with the columns that the migration reads."""
        columns: list[sa.ColumnClause[Any]] = [sa.column("id", sa.BigInteger), sa.column(self.name, sa.Text)]
        columns.append(sa.column(self.key, KeyText))
        if self.within:
            columns.append(sa.column(self.within, sa.BigInteger))
        return sa.table(self.table, *columns)


ALL = (
    Names("users", "user_name", "user_key", casefold_key),
    Names("users", "email", "email_key", casefold_key),
    Names("roles", "name", "name_key", casefold_key),
    Names("api_tokens", "name", "name_key", sort_key, within="user_id"),
    Names("orgs", "name", "name_key", sort_key, is_unique=False),
    Names("groups", "display_name", "name_key", sort_key, is_unique=False),
    Names("resources", "name", "name_key", sort_key, is_unique=False),
)


@dataclass(frozen=True)
class Change:
    """A row with a new key."""

    id: int
    within: int | None
    name: str
    key: str


def upgrade() -> None:
    """Rewrite the keys that differ, also in the access index; raises SettingsError if new keys collide."""
    changes = {names: [*_changed(names)] for names in ALL}
    if collisions := [line for names in ALL if names.is_unique for line in _collisions(names, changes[names])]:
        raise SettingsError(_refusal(collisions))
    for names, changed in changes.items():
        _write(names.rows, "id", names.key, changed)
        if names.table == "resources":
            access = sa.table("access", sa.column("resource_id", sa.BigInteger), sa.column("name_key", KeyText))
            _write(access, "resource_id", "name_key", changed)


def _changed(names: Names) -> Iterator[Change]:
    rows, last = names.rows, -1
    within = rows.c[names.within] if names.within else sa.null()
    chosen = sa.select(rows.c.id, rows.c[names.name], rows.c[names.key], within).order_by(rows.c.id).limit(BATCH)
    while batch := op.get_bind().execute(chosen.where(rows.c.id > last)).all():
        for row_id, name, key, place in batch:
            if name is not None and (new := names.write(name)) != key:
                yield Change(row_id, place, name, new)
        last = batch[-1][0]


def _collisions(names: Names, changed: Sequence[Change]) -> list[str]:
    """Return a line for each new key that several rows would have."""
    rows, moved = names.rows, {change.id for change in changed}
    within = rows.c[names.within] if names.within else sa.null()
    names_by_key: dict[tuple[Any, str], list[tuple[int, str]]] = {}
    for change in changed:
        names_by_key.setdefault((change.within, change.key), []).append((change.id, change.name))
    for keys in _batches(sorted({key for _, key in names_by_key})):
        chosen = sa.select(rows.c.id, within, rows.c[names.key], rows.c[names.name])
        for row_id, place, key, name in op.get_bind().execute(chosen.where(rows.c[names.key].in_(keys))):
            if row_id not in moved and (place, key) in names_by_key:
                names_by_key[place, key].append((row_id, name))
    return [_line(names, each) for each in names_by_key.values() if len(each) > 1]


def _line(names: Names, rows: Sequence[tuple[int, str]]) -> str:
    listed = " and ".join(f"{name!a} (id {row_id})" for row_id, name in sorted(rows))
    return f"  {names.table}.{names.name}: {listed}"


def _refusal(collisions: Sequence[str]) -> str:
    more = [f"  … and {len(collisions) - MAX_REPORTED:,} more"] if len(collisions) > MAX_REPORTED else []
    return "\n".join(
        [
            "the database has names that are equal in this version; nothing was changed:",
            *collisions[:MAX_REPORTED],
            *more,
            "Rename or delete all but one of each with the previous version, then start this version again.",
        ]
    )


def _write(table: sa.TableClause, by: str, column: str, changed: Sequence[Change]) -> None:
    if changed:
        statement = sa.update(table).where(table.c[by] == sa.bindparam("row")).values({column: sa.bindparam("written")})
        for batch in _batches(changed):
            op.get_bind().execute(statement, [{"row": change.id, "written": change.key} for change in batch])


def _batches(items: Sequence[Any]) -> Iterator[Sequence[Any]]:
    return (items[at : at + BATCH] for at in range(0, len(items), BATCH))
