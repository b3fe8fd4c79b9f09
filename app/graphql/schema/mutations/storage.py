"""Mutations of uploads and downloads."""

import strawberry

from app.db import Transaction
from app.db.tables import MAX_BYTES
from app.domain import refs
from app.domain.viewer import Viewer
from app.graphql.context import GraphQLContext
from app.graphql.schema.decorators import input_type, object_type
from app.graphql.schema.fields import edge
from app.graphql.schema.outcomes import SECRET
from app.graphql.schema.payloads import ChangeInput, Outcome, Payload, action, mutation
from app.graphql.schema.refs import ResourceBy, resolve_resource
from app.graphql.schema.scalars import BigInt
from app.graphql.schema.types.resources import Resource
from app.graphql.schema.types.storage import DOWNLOAD, UPLOAD, Ticket
from app.security.tickets import TicketClaims
from app.services import read_graph, storage

BYTES = f"from 0 to {MAX_BYTES:,}"


@input_type
class BeginUploadInput(ChangeInput):
    """The upload to begin."""

    resource: ResourceBy = strawberry.field(description="The resource. Its type must have data.")
    size_bytes: BigInt = strawberry.field(
        description=f"Bytes to upload, {BYTES}. Replaced files are only subtracted when the upload is finished."
    )


@input_type
class FinishUploadInput(ChangeInput):
    """The finished upload."""

    ticket: strawberry.ID = strawberry.field(description="The id of the ticket.")
    size_bytes: BigInt = strawberry.field(
        description=f"Uploaded bytes, {BYTES}. If more than reserved, they must fit into the quota again."
    )
    replaced_bytes: BigInt = strawberry.field(
        default=BigInt(0),
        description="Bytes of the files that this upload replaced, at most the size of the resource. More "
        "than `sizeBytes` requires RESOURCES_MANAGE.",
    )


@input_type
class CancelUploadInput(ChangeInput):
    """The upload to cancel."""

    ticket: strawberry.ID = strawberry.field(description="The id of the ticket.")


@input_type
class BeginDownloadInput(ChangeInput):
    """The download to begin."""

    resource: ResourceBy = strawberry.field(description="The resource. Its type must have data.")


SIGNED_TICKET = (
    "The ticket for the storage service: a JWT, signed with the EdDSA key at `/.well-known/jwks.json`. It "
    "cannot be used to sign in. Null with `validateOnly`, and when a `clientMutationKey` is sent again."
)


@object_type
class BeginUploadPayload(Payload):
    """Payload of `beginUpload`."""

    ticket: Ticket | None = edge("The new ticket.", read_graph.ticket)
    token: str | None = strawberry.field(description=SIGNED_TICKET, metadata=SECRET)


@object_type
class FinishUploadPayload(Payload):
    """Payload of `finishUpload`."""

    ticket: Ticket | None = edge("The updated ticket.", read_graph.ticket)
    resource: Resource | None = edge(
        "The resource with its new size. Null if the viewer cannot see it.", read_graph.resource
    )


@object_type
class CancelUploadPayload(Payload):
    """Payload of `cancelUpload`."""

    ticket: Ticket | None = edge("The updated ticket.", read_graph.ticket)


@object_type
class BeginDownloadPayload(Payload):
    """Payload of `beginDownload`."""

    ticket: Ticket | None = edge("The new ticket.", read_graph.ticket)
    token: str | None = strawberry.field(description=SIGNED_TICKET, metadata=SECRET)


async def _begin_upload(context: GraphQLContext, data: BeginUploadInput) -> Outcome:
    ref, storage_policy = resolve_resource(data.resource), context.app.storage_policy
    async with context.change(dry_run=data.validate_only) as tx:
        ticket = await storage.begin_upload(tx, context.viewer, ref, data.size_bytes, storage_policy)
    return _issue_token(context, ticket, dry=data.validate_only)


async def _begin_download(context: GraphQLContext, data: BeginDownloadInput) -> Outcome:
    ref, storage_policy = resolve_resource(data.resource), context.app.storage_policy
    async with context.change(dry_run=data.validate_only) as tx:
        ticket = await storage.begin_download(tx, context.viewer, ref, storage_policy)
    return _issue_token(context, ticket, dry=data.validate_only)


def _issue_token(context: GraphQLContext, ticket: storage.StartedTicket, *, dry: bool) -> Outcome:
    """Return the ticket with its token after the commit; an empty outcome with `validateOnly`."""
    if dry:
        return {}
    kind = UPLOAD if ticket.is_upload else DOWNLOAD
    resource = refs.encode("Resource", ticket.resource_id)
    times = ticket.begins, ticket.ends
    claims = TicketClaims(ticket.key, kind, resource, ticket.path, ticket.bytes, ticket.user_name, *times)
    return {"ticket": ticket.key, "token": context.app.tickets.issue(claims)}


async def _finish(context: GraphQLContext, data: FinishUploadInput) -> Outcome:
    sizes, storage_policy = (data.size_bytes, data.replaced_bytes), context.app.storage_policy
    async with context.change(dry_run=data.validate_only) as tx:
        resource = await storage.finish_upload(tx, context.viewer, data.ticket, *sizes, storage_policy)
    return {"ticket": data.ticket, "resource": resource}


async def _cancel(tx: Transaction, viewer: Viewer, data: CancelUploadInput) -> Outcome:
    return {"ticket": await storage.cancel_upload(tx, data.ticket)}


@object_type
class StorageMutations:
    """Mutations of uploads and downloads."""

    begin_upload: BeginUploadPayload | None = action(
        "Reserve bytes and return a ticket to upload files to a storage service. Requires DATASET_DATA_WRITE "
        "on the resource, which must not be locked. If quotas are enforced, the size must fit into the remaining "
        "quota of its org, if the org has one, and into that of the owner of its org: the quota, less the size of the "
        "resources there and the bytes reserved by open uploads. An uploader with RESOURCES_MANAGE has no limit, and "
        "an owner with it has no quota.",
        BeginUploadInput,
        _begin_upload,
    )
    finish_upload: FinishUploadPayload | None = action(
        "Report the uploaded size, which is added to the size of the resource, less the replaced bytes. Any "
        "client with the ticket may do so. The same values can be sent again; other values are a CONFLICT. A "
        "storage service accepts a ticket for one upload, and keeps the files only after this mutation "
        "succeeded: a client who finishes an upload early, with too small a size, gains nothing.",
        FinishUploadInput,
        _finish,
    )
    cancel_upload: CancelUploadPayload | None = mutation(
        "Cancel an upload and free its reserved bytes. Any client with the ticket may do so, and repeat it.",
        CancelUploadInput,
        _cancel,
    )
    begin_download: BeginDownloadPayload | None = action(
        "Return a ticket to download files of a resource from a storage service. Requires DATASET_DATA_READ "
        "on the resource, signed in or not. A locked resource can be downloaded; quotas do not apply.",
        BeginDownloadInput,
        _begin_download,
    )
