"""Storage over GraphQL: tickets for uploads and downloads, and what somebody stores."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import strawberry

from app import policy
from app.db import Transaction, tables
from app.db.tables import MAX_BYTES, Stage
from app.domain import refs
from app.domain.viewer import Viewer
from app.graphql.context import GraphQLContext
from app.graphql.schema.decorators import input_type, object_type
from app.graphql.schema.enums import DescribedEnum, enum, of_value
from app.graphql.schema.fields import EntityType, column, edge
from app.graphql.schema.payloads import ChangeInput, Outcome, Payload, action, mutation
from app.graphql.schema.refs import ResourceBy, resolve_resource
from app.graphql.schema.scalars import BigInt
from app.graphql.schema.types.resources import Resource
from app.query.relations import Lookup
from app.security.tickets import TicketClaims
from app.services import quotas, read_graph, storage

UPLOAD, DOWNLOAD = "upload", "download"
BYTES = f"from 0 to {MAX_BYTES:,}"


@enum
class TicketKind(DescribedEnum):
    """What a ticket is for."""

    UPLOAD = UPLOAD, "To bring files of a resource to a storage service."
    DOWNLOAD = DOWNLOAD, "To fetch files of a resource from a storage service."


@enum
class TicketState(DescribedEnum):
    """How far a ticket has come, and whether it is still good: OPEN alone is."""

    # The names of `tables.Stage`, in its order.

    OPEN = int(Stage.OPEN), "It is good now."
    FINISHED = int(Stage.FINISHED), "The upload was counted; the resource is so much larger."
    CANCELLED = int(Stage.CANCELLED), "The upload was given up, and its bytes are free again."
    EXPIRED = int(Stage.EXPIRED), "Its time is over, and its bytes are free again."
    REVOKED = (
        int(Stage.REVOKED),
        "Whoever began it may no longer: the resource was locked (uploads), the role was taken away, or she was "
        "deactivated. It is OPEN again when that is undone in time.",
    )


def _kind(is_upload: bool) -> TicketKind:
    return TicketKind.UPLOAD if is_upload else TicketKind.DOWNLOAD


def _state(stage: int) -> TicketState:
    return of_value(TicketState, stage)


@object_type
class Ticket(EntityType, row=tables.Ticket):
    """Leave to bring files of a resource to a storage service, or to fetch them there, for a while.

    Whoever knows its id may ask about it, finish it and cancel it: a storage service needs no account here.
    """

    id: strawberry.ID = column(
        "Cannot be guessed; the claim `jti` of its token. `node` does not find it.", of=tables.Ticket.key
    )
    kind: TicketKind = column("What it is for.", of=tables.Ticket.is_upload, read=_kind)
    size_bytes: BigInt = column(
        "What an upload has reserved; what the resource had when a download began.", of=tables.Ticket.bytes
    )
    resource: Resource | None = edge(
        "Whose files; null for those who do not see it.", read_graph.resource, tables.Ticket.resource_id
    )
    created_at: datetime = column("When it was begun.")
    expires_at: datetime = column("When it ends, to the second; a day later it is forgotten.")
    state: TicketState = column(
        "Whether it is still good, at the moment of the question.", of=policy.ticket_stage, read=_state
    )


@object_type
class Storage(EntityType, row=tables.User):
    """What a user may store, and what she does, in bytes."""

    quota_bytes: BigInt | None = column(
        "What she may store: `maxStorageMB` of her metadata times 1,048,576, rounded down; null for no limit. It is "
        "kept to with the setting EnableStorageLimiter, and never for those who hold RESOURCES_MANAGE.",
        of=tables.User.details,
        read=quotas.quota_bytes,
    )
    used_bytes: BigInt = column(
        "What the resources of the orgs that she owns take, and what open uploads there have reserved.",
        of=read_graph.storage_used,
        read=quotas.cap_bytes,
    )


def _choose(arguments: Mapping[str, Any]) -> tuple[str, Any] | None:
    key = arguments["id"]
    return ("id", key) if storage.is_key(key) else None


lookup = Lookup({"id": read_graph.ticket}, _choose)


@input_type
class BeginUploadInput(ChangeInput):
    """What is about to be uploaded."""

    resource: ResourceBy = strawberry.field(description="Whose files; it must be of a type with data.")
    size_bytes: BigInt = strawberry.field(
        description=f"How much will come, {BYTES}. What it is to replace is not taken off before it is finished."
    )


@input_type
class FinishUploadInput(ChangeInput):
    """What has been uploaded."""

    ticket: strawberry.ID = strawberry.field(description="The id of the ticket.")
    size_bytes: BigInt = strawberry.field(
        description=f"How much came, {BYTES}. More than was reserved must fit into the quota again."
    )
    replaced_bytes: BigInt = strawberry.field(
        default=BigInt(0),
        description="How much was there before in the place of what came, and is gone; at most what the resource has. "
        "More than came is believed from those alone who hold RESOURCES_MANAGE.",
    )


@input_type
class CancelUploadInput(ChangeInput):
    """Which upload is given up."""

    ticket: strawberry.ID = strawberry.field(description="The id of the ticket.")


@input_type
class BeginDownloadInput(ChangeInput):
    """What is about to be downloaded."""

    resource: ResourceBy = strawberry.field(description="Whose files; it must be of a type with data.")


SIGNED = (
    "The ticket for a storage service: a JWT, signed with the EdDSA key at `/.well-known/jwks.json`. It is no token to "
    "sign in with. Null when the change was only tried."
)


@object_type
class BeginUploadPayload(Payload):
    """The answer to `beginUpload`."""

    ticket: Ticket | None = edge("The new ticket.", read_graph.ticket)
    token: str | None = strawberry.field(description=SIGNED)


@object_type
class FinishUploadPayload(Payload):
    """The answer to `finishUpload`."""

    ticket: Ticket | None = edge("The ticket as it now is.", read_graph.ticket)
    resource: Resource | None = edge(
        "The resource with its new size; null for those who do not see it.", read_graph.resource
    )


@object_type
class CancelUploadPayload(Payload):
    """The answer to `cancelUpload`."""

    ticket: Ticket | None = edge("The ticket as it now is.", read_graph.ticket)


@object_type
class BeginDownloadPayload(Payload):
    """The answer to `beginDownload`."""

    ticket: Ticket | None = edge("The new ticket.", read_graph.ticket)
    token: str | None = strawberry.field(description=SIGNED)


async def _begin_upload(context: GraphQLContext, given: BeginUploadInput) -> Outcome:
    way, terms = resolve_resource(given.resource), context.app.storage_policy
    async with context.change(dry_run=given.validate_only) as tx:
        begun = await storage.begin_upload(tx, context.viewer, way, given.size_bytes, terms)
    return _opened(context, begun, dry=given.validate_only)


async def _begin_download(context: GraphQLContext, given: BeginDownloadInput) -> Outcome:
    way, terms = resolve_resource(given.resource), context.app.storage_policy
    async with context.change(dry_run=given.validate_only) as tx:
        begun = await storage.begin_download(tx, context.viewer, way, terms)
    return _opened(context, begun, dry=given.validate_only)


def _opened(context: GraphQLContext, begun: storage.StartedTicket, *, dry: bool) -> Outcome:
    """The ticket with its token, once it is kept; one that was only tried has none."""
    if dry:
        return {}
    act = UPLOAD if begun.is_upload else DOWNLOAD
    resource = refs.encode("Resource", begun.resource_id)
    times = begun.begins, begun.ends
    claims = TicketClaims(begun.key, act, resource, begun.path, begun.bytes, begun.user_name, *times)
    return {"ticket": begun.key, "token": context.app.tickets.issue(claims)}


async def _finish(context: GraphQLContext, given: FinishUploadInput) -> Outcome:
    sizes, terms = (given.size_bytes, given.replaced_bytes), context.app.storage_policy
    async with context.change(dry_run=given.validate_only) as tx:
        resource = await storage.finish_upload(tx, context.viewer, given.ticket, *sizes, terms)
    return {"ticket": given.ticket, "resource": resource}


async def _cancel(tx: Transaction, viewer: Viewer, given: CancelUploadInput) -> Outcome:
    return {"ticket": await storage.cancel_upload(tx, given.ticket)}


@object_type
class StorageMutations:
    """Uploads and downloads."""

    begin_upload: BeginUploadPayload | None = action(
        "Reserve bytes and get a ticket to bring them to a storage service. Needs DATASET_DATA_WRITE on the resource, "
        "no lock, and, where quotas are kept to, room with the owner of its org: what she may store, less what her "
        "orgs have and what open uploads there have reserved. There is no limit where the uploader or the owner holds "
        "RESOURCES_MANAGE.",
        BeginUploadInput,
        _begin_upload,
    )
    finish_upload: FinishUploadPayload | None = action(
        "Say how much came: the resource is so much larger, less what was replaced. Whoever presents the ticket may; "
        "the same again is answered again, other numbers are a CONFLICT. A storage service takes a ticket for one "
        "upload, and keeps what came only once this was answered without errors: so a client who finishes her own "
        "upload too early, with too small a number, has nothing of it.",
        FinishUploadInput,
        _finish,
    )
    cancel_upload: CancelUploadPayload | None = mutation(
        "Give up an upload, so that its bytes are free again at once. Whoever presents the ticket may, and may again.",
        CancelUploadInput,
        _cancel,
    )
    begin_download: BeginDownloadPayload | None = action(
        "Get a ticket to fetch the files of a resource from a storage service. Needs DATASET_DATA_READ on it, signed "
        "in or not; a lock does not stop it, and no quota is asked.",
        BeginDownloadInput,
        _begin_download,
    )
