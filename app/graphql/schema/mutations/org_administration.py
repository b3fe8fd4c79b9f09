"""Mutations of orgs for administrators of the registry: quotas, merging orgs, and moving many resources."""

from collections.abc import Sequence

import strawberry

from app.db import Transaction
from app.db.tables import MAX_BYTES
from app.domain import errors, refs
from app.domain.viewer import Viewer
from app.graphql.context import GraphQLContext
from app.graphql.schema.bulk import reject
from app.graphql.schema.decorators import input_type, object_type, optional
from app.graphql.schema.directives import Permission
from app.graphql.schema.enums import DescribedEnum, enum
from app.graphql.schema.fields import edge
from app.graphql.schema.payloads import (
    ChangeInput,
    MutationError,
    Outcome,
    Payload,
    UpdateInput,
    action,
    fill_payload,
    mutation,
)
from app.graphql.schema.refs import OrgBy, resolve_org
from app.graphql.schema.scalars import BigInt
from app.graphql.schema.types.orgs import Org
from app.graphql.schema.types.resources import Resource
from app.services import org_merging, quotas, read_graph, resource_moves
from app.services.resource_moves import MAX_SLUGS, Move, OnSlugConflict


@enum
class SlugConflictResolution(DescribedEnum):
    """Handling of a resource whose slug is taken in the destination."""

    HALT = int(OnSlugConflict.HALT), "The change is rejected with a CONFLICT for each of them."
    OVERWRITE = (
        int(OnSlugConflict.OVERWRITE),
        "The resource of the destination is deleted with its grants and history. One of another type is a CONFLICT.",
    )
    RENAME = int(OnSlugConflict.RENAME), "The moved resource gets the first free slug of `slug_1`, `slug_2` and so on."


_SOURCE = "The org to take the resources from."
_DESTINATION = "The org to move the resources to; not the source."
_ON_CONFLICT = "What happens to a resource whose slug is taken in the destination."


@input_type
class SetOrgQuotaInput(UpdateInput):
    """A storage quota of an org. Exactly one of `quotaBytes` and `clear` is required."""

    org: OrgBy = strawberry.field(description="The org.")
    quota_bytes: BigInt | None = optional(
        f"The quota in bytes, from 0 to {MAX_BYTES:,}. It may be less than the used bytes: then nothing "
        "more is stored until the org is below it."
    )
    clear: bool = strawberry.field(default=False, description="Remove the org's own quota.")


@input_type
class MergeOrgsInput(ChangeInput):
    """Two orgs to merge."""

    source: OrgBy = strawberry.field(description=_SOURCE)
    destination: OrgBy = strawberry.field(description=_DESTINATION)
    on_conflict: SlugConflictResolution = strawberry.field(
        default=SlugConflictResolution.HALT, description=_ON_CONFLICT
    )
    delete_source: bool = strawberry.field(default=True, description="Whether the source is deleted afterwards.")


@input_type
class MoveResourcesInput(ChangeInput):
    """Resources to move to another org."""

    source: OrgBy = strawberry.field(description=_SOURCE)
    slugs: list[str] = strawberry.field(
        description=f"1 to {MAX_SLUGS:,} slugs of resources in the source, of any type, each once. Letter case is "
        "ignored."
    )
    destination: OrgBy = strawberry.field(description=_DESTINATION)
    on_conflict: SlugConflictResolution = strawberry.field(
        default=SlugConflictResolution.HALT, description=_ON_CONFLICT
    )


@object_type
class SetOrgQuotaPayload(Payload):
    """Payload of `setOrgQuota`."""

    org: Org | None = edge("The updated org.", read_graph.org)


@object_type
class MergeOrgsPayload(Payload):
    """Payload of `mergeOrgs`."""

    org: Org | None = edge("The destination.", read_graph.org)
    deleted_org_id: strawberry.ID | None = strawberry.field(
        description="The id of the deleted source. Null with `deleteSource: false`."
    )
    moved_resources: int | None = strawberry.field(description="Number of resources that were moved.")
    renamed_resources: int | None = strawberry.field(description="Number of moved resources with a new slug.")


@object_type
class MoveResourcesResult:
    """Result for one slug."""

    index: int = strawberry.field(description="Index in `input.slugs`, starting at 0.")
    resource: Resource | None = edge(
        "The moved resource, with its new path. Null if nothing was written.", read_graph.resource
    )
    errors: list[MutationError] = strawberry.field(description="Reasons why this item was rejected.")


@object_type
class MoveResourcesPayload(Payload):
    """Payload of `moveResources`."""

    org: Org | None = edge("The destination.", read_graph.org)
    results: list[MoveResourcesResult] = strawberry.field(
        description="One result for each slug, in the order of the input. Empty if the input as a whole is rejected."
    )


async def _set_quota(tx: Transaction, viewer: Viewer, data: SetOrgQuotaInput) -> Outcome:
    if data.clear == (data.quota_bytes is not None):
        raise errors.InvalidInput("Send either `quotaBytes`, or `clear: true` for no quota.", ("quotaBytes",))
    return {"org": await quotas.set_org_quota(tx, viewer, resolve_org(data.org), data.quota_bytes)}


async def _merge(context: GraphQLContext, data: MergeOrgsInput) -> Outcome:
    source, destination = resolve_org(data.source), resolve_org(data.destination)
    async with context.change(dry_run=data.validate_only) as tx:
        merged = await org_merging.merge_orgs(
            tx,
            context.viewer,
            source,
            destination,
            OnSlugConflict(data.on_conflict.value),
            context.app.storage_policy,
            deletes_source=data.delete_source,
        )
        problems = [move.problem.under("source") for move in merged.moves if move.problem is not None]
        if problems:
            raise errors.Problems(problems)
    return {
        "org": merged.destination,
        "deleted_org_id": refs.encode("Org", merged.source) if merged.is_source_deleted else None,
        "moved_resources": len(merged.moves),
        "renamed_resources": sum(move.slug != move.new_slug for move in merged.moves),
    }


async def _move(context: GraphQLContext, data: MoveResourcesInput) -> Outcome:
    orgs = resolve_org(data.source), resolve_org(data.destination)
    on_conflict = OnSlugConflict(data.on_conflict.value)
    moves: Sequence[Move] = []
    try:
        async with context.change(dry_run=data.validate_only) as tx:
            key, moves = await resource_moves.move_resources(
                tx, context.viewer, *orgs, data.slugs, on_conflict, context.app.storage_policy
            )
            problems = [move.problem.under("slugs", at) for at, move in enumerate(moves) if move.problem is not None]
            if problems:
                raise errors.Problems(problems)
    except errors.Problem as problem:
        return reject(MoveResourcesResult, 0, [problem])
    except errors.Problems as several:
        return reject(MoveResourcesResult, len(moves), several.problems)
    moved = [fill_payload(MoveResourcesResult, {"index": at, "resource": move.id}) for at, move in enumerate(moves)]
    return {"org": key, "results": moved}


@object_type
class OrgAdministrationMutations:
    """Mutations of orgs for administrators of the registry."""

    set_org_quota: SetOrgQuotaPayload | None = mutation(
        "Set or remove the storage quota of an org itself. It holds beside the quota of the owner, and is enforced "
        "with the setting EnableStorageLimiter.",
        SetOrgQuotaInput,
        _set_quota,
        requires=Permission.ORGS_MANAGE,
    )
    merge_orgs: MergeOrgsPayload | None = action(
        "Move all resources and members of an org to another org, and delete the empty org. A user who is in both "
        "keeps the higher level, and of two equal ones the one that ends later; the owner of the source becomes a "
        "member with the level ADMIN. Rejected as a whole while one of the resources is locked, or if they exceed a "
        "quota.",
        MergeOrgsInput,
        _merge,
        requires=Permission.ORGS_MANAGE,
    )
    move_resources: MoveResourcesPayload | None = action(
        "Move resources of one org to another org, all or none. They keep their owners, grants and history. Rejected "
        "as a whole while one of them is locked, or if they exceed a quota.",
        MoveResourcesInput,
        _move,
        requires=Permission.ORGS_MANAGE,
    )
