"""Types of locks and their history."""

from datetime import datetime

import strawberry

from app.db import Transaction, tables
from app.domain.viewer import Viewer
from app.graphql.schema.connections import Connection
from app.graphql.schema.decorators import input_type, object_type
from app.graphql.schema.enums import DescribedEnum, enum
from app.graphql.schema.fields import EntityType, column, edge
from app.graphql.schema.payloads import ChangeInput, Outcome, Payload, mutation
from app.graphql.schema.refs import ResourceBy, resolve_resource
from app.graphql.schema.types.resources import Resource
from app.graphql.schema.types.users import User
from app.services import locks, read_graph


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
        of=tables.Lock.user_name,
    )


@object_type
class LockEvent(EntityType, row=tables.LockEvent):
    """One entry of the lock history of a resource. Immutable; deleted only with the resource."""

    action: LockAction = column("The action.", of=tables.LockEvent.is_lock, read=_action)
    reason: str = column("The reason; 1 to 1,000 characters.")
    created_at: datetime = column("When.")
    actor: User | None = edge(
        "The user who did this. Null if the account was deleted.", read_graph.user_shown, tables.LockEvent.user_id
    )
    actor_name: str | None = column(
        "The user name of the user who did this, also after the account is deleted.", of=tables.LockEvent.user_name
    )


LockEventConnection = Connection[LockEvent]


@input_type
class LockResourceInput(ChangeInput):
    """The resource to lock, with a reason."""

    resource: ResourceBy = strawberry.field(description="The resource.")
    reason: str = strawberry.field(
        description="The reason; 1 to 1,000 characters after trimming. Users with METADATA_READ can see it."
    )


@input_type
class UnlockResourceInput(LockResourceInput):
    """The resource to unlock, with a reason."""


@object_type
class LockResourcePayload(Payload):
    """Payload of `lockResource`."""

    resource: Resource | None = edge("The updated resource.", read_graph.resource)


@object_type
class UnlockResourcePayload(Payload):
    """Payload of `unlockResource`."""

    resource: Resource | None = edge("The updated resource.", read_graph.resource)


async def _lock(tx: Transaction, viewer: Viewer, given: LockResourceInput) -> Outcome:
    return {"resource": await locks.lock_resource(tx, viewer, resolve_resource(given.resource), given.reason)}


async def _unlock(tx: Transaction, viewer: Viewer, given: UnlockResourceInput) -> Outcome:
    return {"resource": await locks.unlock_resource(tx, viewer, resolve_resource(given.resource), given.reason)}


@object_type
class LockMutations:
    """Mutations of locks."""

    lock_resource: LockResourcePayload | None = mutation(
        "Lock a resource. Until it is unlocked, no user can edit, transfer or delete it or upload files, "
        "administrators included. Reading, downloading and changes of the access configuration stay possible. "
        "Requires ADMIN on the resource.",
        LockResourceInput,
        _lock,
    )
    unlock_resource: UnlockResourcePayload | None = mutation(
        "Unlock a resource. Requires ADMIN on the resource.", UnlockResourceInput, _unlock
    )
