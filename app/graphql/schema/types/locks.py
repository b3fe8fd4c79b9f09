"""Locks over GraphQL."""

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
    """What an entry of a lock history did."""

    LOCK = "LOCK", "The resource was locked."
    UNLOCK = "UNLOCK", "The resource was unlocked."


def _action(is_lock: bool) -> LockAction:
    return LockAction.LOCK if is_lock else LockAction.UNLOCK


@object_type
class Lock(EntityType, row=tables.Lock):
    """While a resource has one, nobody edits, uploads, transfers or deletes it."""

    reason: str = column("Why; 1 to 1,000 characters.")
    created_at: datetime = column("Since when.")
    locked_by: User | None = edge(
        "Who locked; null when the account is gone.", read_graph.user_shown, tables.Lock.user_id
    )
    locked_by_name: str | None = column(
        "The user name of who locked, which stays when the account is gone.", of=tables.Lock.user_name
    )


@object_type
class LockEvent(EntityType, row=tables.LockEvent):
    """Somebody locked or unlocked a resource. Never changed or deleted while the resource is there."""

    action: LockAction = column("What was done.", of=tables.LockEvent.is_lock, read=_action)
    reason: str = column("Why; 1 to 1,000 characters.")
    created_at: datetime = column("When.")
    actor: User | None = edge(
        "Who did it; null when the account is gone.", read_graph.user_shown, tables.LockEvent.user_id
    )
    actor_name: str | None = column(
        "The user name of who did it, which stays when the account is gone.", of=tables.LockEvent.user_name
    )


LockEventConnection = Connection[LockEvent]


@input_type
class LockResourceInput(ChangeInput):
    """Which resource to lock, and why."""

    resource: ResourceBy = strawberry.field(description="Which resource.")
    reason: str = strawberry.field(description="1 to 1,000 characters after trimming; seen with METADATA_READ.")


@input_type
class UnlockResourceInput(LockResourceInput):
    """Which resource to unlock, and why."""


@object_type
class LockResourcePayload(Payload):
    """The answer to `lockResource`."""

    resource: Resource | None = edge("The resource as it now is.", read_graph.resource)


@object_type
class UnlockResourcePayload(Payload):
    """The answer to `unlockResource`."""

    resource: Resource | None = edge("The resource as it now is.", read_graph.resource)


async def _lock(tx: Transaction, viewer: Viewer, given: LockResourceInput) -> Outcome:
    return {"resource": await locks.lock_resource(tx, viewer, resolve_resource(given.resource), given.reason)}


async def _unlock(tx: Transaction, viewer: Viewer, given: UnlockResourceInput) -> Outcome:
    return {"resource": await locks.unlock_resource(tx, viewer, resolve_resource(given.resource), given.reason)}


@object_type
class LockMutations:
    """The changes of locks."""

    lock_resource: LockResourcePayload | None = mutation(
        "Lock a resource: until it is unlocked, nobody edits, uploads, transfers or deletes it, administrators "
        "included. Reading, downloading and the access configuration go on. Needs ADMIN on it.",
        LockResourceInput,
        _lock,
    )
    unlock_resource: UnlockResourcePayload | None = mutation(
        "Unlock a resource. Needs ADMIN on it.", UnlockResourceInput, _unlock
    )
