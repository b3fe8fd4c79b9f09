"""Types of locks and their history."""

from datetime import datetime

from app.db import tables
from app.graphql.schema.connections import Connection
from app.graphql.schema.decorators import object_type
from app.graphql.schema.enums import DescribedEnum, enum
from app.graphql.schema.fields import EntityType, column, edge
from app.graphql.schema.types.users import User
from app.services import read_graph


@enum
class LockAction(DescribedEnum):
    """Action of an entry in a lock history."""

    LOCK = "LOCK", "The resource was locked."
    UNLOCK = "UNLOCK", "The resource was unlocked."


def _action(is_lock: bool) -> LockAction:
    return LockAction.LOCK if is_lock else LockAction.UNLOCK


@object_type
class Lock(EntityType, row=tables.Lock):
    """The lock of a resource. A locked resource cannot be edited, transferred or deleted, and takes no uploads."""

    reason: str = column("The reason; 1 to 1,000 characters.")
    created_at: datetime = column("When the resource was locked.")
    locked_by: User | None = edge(
        "The user who locked the resource. Null if the account was deleted.", read_graph.user_shown, tables.Lock.user_id
    )
    locked_by_name: str | None = column(
        "The user name of the user who locked the resource, also after the account is deleted.",
        sql=tables.Lock.user_name,
    )


@object_type
class LockEvent(EntityType, row=tables.LockEvent):
    """One entry of the lock history of a resource. Immutable; deleted only with the resource."""

    action: LockAction = column("The action.", sql=tables.LockEvent.is_lock, read=_action)
    reason: str = column("The reason; 1 to 1,000 characters.")
    created_at: datetime = column("When the resource was locked or unlocked.")
    actor: User | None = edge(
        "The user who did this. Null if the account was deleted.", read_graph.user_shown, tables.LockEvent.user_id
    )
    actor_name: str | None = column(
        "The user name of the user who did this, also after the account is deleted.", sql=tables.LockEvent.user_name
    )


LockEventConnection = Connection[LockEvent]
