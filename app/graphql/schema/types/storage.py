"""Types of tickets for uploads and downloads, and of used storage."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import strawberry

from app import policy
from app.db import tables
from app.db.tables import MAX_BYTES, Stage, col
from app.graphql.schema.decorators import object_type
from app.graphql.schema.enums import DescribedEnum, enum, of_value
from app.graphql.schema.fields import EntityType, column, edge
from app.graphql.schema.scalars import BigInt
from app.graphql.schema.types.resources import Resource
from app.query.relations import Lookup
from app.services import quotas, read_graph, storage

UPLOAD, DOWNLOAD = "upload", "download"


@enum
class TicketKind(DescribedEnum):
    """Kind of a ticket."""

    UPLOAD = UPLOAD, "Upload of files of a resource to a storage service."
    DOWNLOAD = DOWNLOAD, "Download of files of a resource from a storage service."


@enum
class TicketState(DescribedEnum):
    """State of a ticket. Only an OPEN ticket is valid."""

    # The names of `tables.Stage`, in its order.

    OPEN = int(Stage.OPEN), "The ticket is valid."
    FINISHED = int(Stage.FINISHED), "The upload is finished. Its size was added to the resource."
    CANCELLED = int(Stage.CANCELLED), "The upload was cancelled. Its reserved bytes are free again."
    EXPIRED = int(Stage.EXPIRED), "The ticket has expired. Its reserved bytes are free again."
    REVOKED = (
        int(Stage.REVOKED),
        (
            "The user lost the right to use it: the resource was locked (uploads only), the role was revoked, or "
            "the user was deactivated. It is OPEN again if this is undone before it expires."
        ),
    )


def _kind(is_upload: bool) -> TicketKind:
    return TicketKind.UPLOAD if is_upload else TicketKind.DOWNLOAD


def _state(stage: int) -> TicketState:
    return of_value(TicketState, stage)


@object_type
class Ticket(EntityType, row=tables.Ticket):
    """A temporary permission to upload files of a resource to a storage service, or to download them.

    Every client that knows its id may read, finish and cancel it; a storage service needs no account.
    """

    id: strawberry.ID = column(
        "An id that cannot be guessed; it is the claim `jti` of the token. The query `node` does not accept it.",
        sql=tables.Ticket.key,
    )
    kind: TicketKind = column("The kind of the ticket.", sql=tables.Ticket.is_upload, read=_kind)
    size_bytes: BigInt = column(
        "Reserved bytes of an upload. For a download, the size of the resource when it began.", sql=tables.Ticket.bytes
    )
    resource: Resource | None = edge(
        "The resource. Null if the viewer cannot see it.", read_graph.resource, tables.Ticket.resource_id
    )
    created_at: datetime = column("When the upload or download began.")
    expires_at: datetime = column("When it expires, to the second. It is deleted a day later.")
    state: TicketState = column("The current state.", sql=policy.ticket_stage, read=_state)


@object_type
class Storage(EntityType, row=tables.User):
    """Storage quota of a user and its use, in bytes."""

    quota_bytes: BigInt | None = column(
        "The quota: `maxStorageMB` of the user's metadata times 1,048,576, rounded down. Null for no limit. "
        "Enforced with the setting EnableStorageLimiter, and never for users with RESOURCES_MANAGE.",
        sql=tables.User.details,
        read=quotas.quota_bytes,
    )
    used_bytes: BigInt = column(
        "Size of all resources in orgs that the user owns, and bytes reserved by open uploads there.",
        sql=read_graph.storage_used,
        read=quotas.cap_bytes,
    )


@object_type
class OrgStorage(EntityType, row=tables.Org):
    """Storage quota of an org and its use, in bytes."""

    quota_bytes: BigInt | None = column(
        f"The quota of the org itself, from 0 to {MAX_BYTES:,}, set by `setOrgQuota`. It holds beside the quota of the "
        "owner: an upload must fit into both. Null if the org has none of its own: then the quota of the owner alone "
        "holds, and without an owner the setting DefaultOrgStorageMb. Enforced with the setting EnableStorageLimiter, "
        "and never for uploaders with RESOURCES_MANAGE.",
        sql=tables.Org.quota_bytes,
    )
    used_bytes: BigInt = column(
        "Size of all resources in the org, and bytes reserved by open uploads there.",
        sql=policy.storage_used_in_org(col(tables.Org.id)),
        read=quotas.cap_bytes,
    )


def _choose(arguments: Mapping[str, Any]) -> tuple[str, Any] | None:
    key = arguments["id"]
    return ("id", key) if storage.is_key(key) else None


lookup = Lookup({"id": read_graph.ticket}, _choose)
