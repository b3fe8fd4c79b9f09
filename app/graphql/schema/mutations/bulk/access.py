"""Bulk mutations of access configurations."""

import strawberry

from app.domain.refs import RowRef
from app.graphql.schema.bulk import (
    RESULTS,
    BulkResult,
    OnConflict,
    RemoveInput,
    SaveInput,
    bulk_mutation,
    change_each,
)
from app.graphql.schema.decorators import input_type, object_type
from app.graphql.schema.fields import edge
from app.graphql.schema.mutations.access import GrantInput, RevokedGrantInput, grant_entry, subject_entry
from app.graphql.schema.payloads import Payload
from app.graphql.schema.refs import resolve_resource
from app.graphql.schema.types.resources import Resource
from app.services import read_graph
from app.services.access import GrantEntry
from app.services.bulk import access


@input_type
class GrantAccessBatchInput(SaveInput):
    """Grants of several access configurations. Either all are set or none."""

    grants: list[GrantInput] = strawberry.field(description="From 1 to 1,000 grants.")
    on_conflict: OnConflict = strawberry.field(
        default=OnConflict.UPDATE,
        description="What happens to a grant whose subject has one already: an update replaces its roles and its end. "
        "A grant that has ended does not count. Two grants to one subject on one resource are rejected in any case.",
    )


@input_type
class RevokeAccessBatchInput(RemoveInput):
    """Grants to remove from several access configurations. Either all are removed or none."""

    grants: list[RevokedGrantInput] = strawberry.field(description="From 1 to 1,000 grants.")


@object_type
class GrantAccessBatchResult(BulkResult):
    """Result for one grant."""

    resource: Resource | None = edge("The updated resource. Null if nothing was written.", read_graph.resource)


@object_type
class RevokeAccessBatchResult(BulkResult):
    """Result for one grant."""

    resource: Resource | None = edge("The updated resource. Null if nothing was written.", read_graph.resource)


@object_type
class GrantAccessBatchPayload(Payload):
    """Payload of `grantAccessBatch`."""

    results: list[GrantAccessBatchResult] = strawberry.field(description=RESULTS)


@object_type
class RevokeAccessBatchPayload(Payload):
    """Payload of `revokeAccessBatch`."""

    results: list[RevokeAccessBatchResult] = strawberry.field(description=RESULTS)


def _grant(data: GrantInput) -> tuple[RowRef, GrantEntry]:
    return resolve_resource(data.resource), grant_entry(data)


def _entry(data: RevokedGrantInput) -> tuple[RowRef, GrantEntry]:
    return resolve_resource(data.resource), subject_entry(data.subject)


@object_type
class BulkAccessMutations:
    """Bulk mutations of access configurations."""

    grant_access_batch: GrantAccessBatchPayload | None = bulk_mutation(
        "Set up to 1,000 grants in one transaction. Requires ADMIN on the resources.",
        GrantAccessBatchInput,
        change_each(access.grant_access_batch, "grants", _grant),
        field="grants",
        result=GrantAccessBatchResult,
        shows="resource",
    )
    revoke_access_batch: RevokeAccessBatchPayload | None = bulk_mutation(
        "Remove up to 1,000 grants in one transaction. Requires ADMIN on the resources. The grant to all signed-in "
        "users stays, with no roles.",
        RevokeAccessBatchInput,
        change_each(access.revoke_access_batch, "grants", _entry),
        field="grants",
        result=RevokeAccessBatchResult,
        shows="resource",
    )
