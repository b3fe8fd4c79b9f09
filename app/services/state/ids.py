"""Ids of the rows that changes name, locked until the transaction ends."""

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import select

from app.db import Transaction
from app.db.tables import Group, Org, Resource, ResourceType, Role, User, col
from app.domain.errors import Retry
from app.query.relations import among, texts
from app.services.state.model import Kind

_COLUMNS: dict[Kind, tuple[Any, Any]] = {
    Kind.RESOURCE_TYPE: (ResourceType, ResourceType.name),
    Kind.ROLE: (Role, Role.name_key),
    Kind.USER: (User, User.user_key),
    Kind.ORG: (Org, Org.slug),
    Kind.GROUP: (Group, Group.slug),
    Kind.RESOURCE: (Resource, Resource.path),
}


class Ids(dict[str, int]):
    """Ids by key."""

    def __missing__(self, key: str) -> int:
        """Raise Retry for an object that another change has just removed."""
        raise Retry(f"`{key}` was just removed. Nothing more was changed. Try again.")


async def load(tx: Transaction, kind: Kind, keys: Iterable[str], *, will_change: bool = False) -> Ids:
    """Return the ids of objects by their normalized keys, locked against deletion, or against every change."""
    table, key = _COLUMNS[kind]
    wanted = [*{*keys}]
    if not wanted:
        return Ids()
    statement = select(col(key), col(table.id)).where(among(col(key), texts(wanted))).order_by(col(table.id))
    locked = statement.with_for_update() if will_change else statement.with_for_update(read=True, key_share=True)
    return Ids(dict(await tx.rows(locked)))


async def load_rows(tx: Transaction, kind: Kind, keys: Sequence[str]) -> list[int]:
    """Return the ids of objects that will change, in the order of their keys."""
    ids = await load(tx, kind, keys, will_change=True)
    return [ids[key] for key in keys]
