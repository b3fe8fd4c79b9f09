"""Bulk mutations of access configurations."""

from typing import Any

import strawberry

from app.db import Transaction
from app.domain.refs import RowRef
from app.graphql.context import GraphQLContext
from app.graphql.schema.bulk import (
    RESULTS,
    BulkResult,
    Changed,
    OnConflict,
    RemoveInput,
    SaveInput,
    bulk_mutation,
    conflict_of,
    missing_of,
)
from app.graphql.schema.decorators import input_type, object_type
from app.graphql.schema.fields import edge
from app.graphql.schema.list_limits import read_each
from app.graphql.schema.mutations.access import AccessEntryInput, GrantInput, grant_entry, subject_entry
from app.graphql.schema.payloads import Payload
from app.graphql.schema.refs import resolve_resource
from app.graphql.schema.types.resources import Resource
from app.services import read_graph
from app.services.access import GrantEntry
from app.services.bulk import MAX_ENTRIES, access


@input_type
class GrantAccessBatchInput(SaveInput):
    """Entries of several access configurations. Either all are written or none."""

    grants: list[GrantInput] = strawberry.field(description="From 1 to 1,000 entries.")
    on_conflict: OnConflict = strawberry.field(
        default=OnConflict.UPDATE,
        description="What happens to an entry whose subject has one already: an update replaces its roles and its end. "
        "An entry that has ended does not count. Two entries of one subject on one resource are rejected in any case.",
    )


@input_type
class RevokeAccessBatchInput(RemoveInput):
    """Entries to remove from several access configurations. Either all are removed or none."""

    entries: list[AccessEntryInput] = strawberry.field(description="From 1 to 1,000 entries.")


@object_type
class AccessEntryResult(BulkResult):
    """Result for one entry."""

    resource: Resource | None = edge("The resource. Null if nothing was written.", read_graph.resource)


@object_type
class GrantAccessBatchPayload(Payload):
    """Payload of `grantAccessBatch`."""

    results: list[AccessEntryResult] = strawberry.field(description=RESULTS)


@object_type
class RevokeAccessBatchPayload(Payload):
    """Payload of `revokeAccessBatch`."""

    results: list[AccessEntryResult] = strawberry.field(description=RESULTS)


def _grant(data: GrantInput) -> tuple[RowRef, GrantEntry]:
    return resolve_resource(data.resource), grant_entry(data)


def _entry(data: AccessEntryInput) -> tuple[RowRef, GrantEntry]:
    return resolve_resource(data.resource), subject_entry(data.subject)


async def _grant_batch(context: GraphQLContext, tx: Transaction, data: GrantAccessBatchInput, _: Any) -> Changed:
    entries = read_each(_grant, data.grants, MAX_ENTRIES)
    return {}, await access.grant_access_batch(tx, context.viewer, entries, conflict_of(data))


async def _revoke_batch(context: GraphQLContext, tx: Transaction, data: RevokeAccessBatchInput, _: Any) -> Changed:
    entries = read_each(_entry, data.entries, MAX_ENTRIES)
    return {}, await access.revoke_access_batch(tx, context.viewer, entries, missing_of(data))


@object_type
class BulkAccessMutations:
    """Bulk mutations of access configurations."""

    grant_access_batch: GrantAccessBatchPayload | None = bulk_mutation(
        "Set up to 1,000 entries in one transaction. Requires ADMIN on the resources.",
        GrantAccessBatchInput,
        _grant_batch,
        field="grants",
        result=AccessEntryResult,
        shows="resource",
    )
    revoke_access_batch: RevokeAccessBatchPayload | None = bulk_mutation(
        "Remove up to 1,000 entries in one transaction. Requires ADMIN on the resources. The entry of all signed-in "
        "users stays, with no roles.",
        RevokeAccessBatchInput,
        _revoke_batch,
        field="entries",
        result=AccessEntryResult,
        shows="resource",
    )
