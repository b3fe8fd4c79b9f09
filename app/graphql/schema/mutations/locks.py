"""Mutations of locks."""

import strawberry

from app.db import Transaction
from app.domain.viewer import Viewer
from app.graphql.schema.decorators import input_type, object_type
from app.graphql.schema.fields import edge
from app.graphql.schema.payloads import ChangeInput, Outcome, Payload, mutation
from app.graphql.schema.refs import ResourceBy, resolve_resource
from app.graphql.schema.types.resources import Resource
from app.services import locks, read_graph


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


async def _lock(tx: Transaction, viewer: Viewer, data: LockResourceInput) -> Outcome:
    return {"resource": await locks.lock_resource(tx, viewer, resolve_resource(data.resource), data.reason)}


async def _unlock(tx: Transaction, viewer: Viewer, data: UnlockResourceInput) -> Outcome:
    return {"resource": await locks.unlock_resource(tx, viewer, resolve_resource(data.resource), data.reason)}


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
