"""The audit log over GraphQL."""

from datetime import datetime
from typing import Any

import strawberry

from app import policy
from app.db import tables
from app.domain.viewer import Viewer
from app.graphql.schema.connections import Connection, DateTimeFilter, OrderDirection, StringFilter
from app.graphql.schema.decorators import input_type, object_type
from app.graphql.schema.directives import Permission
from app.graphql.schema.enums import DescribedEnum, enum, of_value
from app.graphql.schema.fields import EntityType, column, edge
from app.graphql.schema.node import Node
from app.graphql.schema.scalars import JSON
from app.graphql.schema.types.users import User
from app.query.relations import ROOT_KEY
from app.services import read_graph
from app.services.entities import ENTITIES

PRIVATE: Any = {"guard": policy.sees_audit, "requires": Permission.AUDIT_VIEW}

BEFORE = (
    "What differs, as it was; null when the thing was made by this. Never a password, a token or the key of a ticket. "
    "What passes 32 KiB is left out, and `truncated` is true."
)
AFTER = "The same as it was afterwards; null when the thing was deleted by this."


@enum
class AuditChannel(DescribedEnum):
    """Where a change was asked for."""

    # The faces of `app.domain.request_origin`.

    GRAPHQL = "GRAPHQL", "At the GraphQL API."
    REST = "REST", "At the REST API."
    COMMAND = "COMMAND", "By a command on the machine itself, or at the start of the server."


@enum
class AuditObjectType(DescribedEnum):
    """What sort of object was changed."""

    _ignore_ = "entity"
    for entity in ENTITIES.values():
        if entity.audit is not None:
            vars()[entity.constant] = entity.name, entity.audit_text


def _channel(value: str) -> AuditChannel:
    return of_value(AuditChannel, value)


def _object_type(value: str) -> AuditObjectType:
    return of_value(AuditObjectType, value)


@object_type
class AuditChange(EntityType, row=tables.AuditChange):
    """What an event did to one thing."""

    object_type: AuditObjectType = column("What sort of thing.", of=tables.AuditChange.kind, read=_object_type)
    object_id: strawberry.ID = column("The global id of the thing, which may be gone.", of=tables.AuditChange.subject)
    object_name: str = column(
        "What it was called: a user name, a slug, the name of a role or type.", of=tables.AuditChange.name
    )
    before: JSON | None = column(BEFORE)
    after: JSON | None = column(AFTER)


AuditChangeConnection = Connection[AuditChange]


@object_type
class AuditEvent(Node, row=tables.AuditEvent):
    """A change that was made: who, when, from where and what.

    It is written with the change itself, and never changed or deleted.
    """

    created_at: datetime = column("When.", of=tables.AuditEvent.at)
    action: str = column("The mutation that makes this change, as `createUser`; REST uses the same names.")
    actor_name: str | None = column("The user name of who did it; null for nobody and for the registry itself.")
    actor: User | None = edge("Who did it; null when she is gone.", read_graph.user_shown, tables.AuditEvent.actor_id)
    channel: AuditChannel = column("Where it was asked for.", of=tables.AuditEvent.face, read=_channel)
    address: str | None = column("The address that it was asked from; null for a command.", **PRIVATE)
    request_id: str | None = column("What the request called itself in `X-Request-Id`.", **PRIVATE)
    changes: AuditChangeConnection | None = edge(
        "What it did, a change for each thing, by name; empty when nothing differed.",
        read_graph.audit_changes,
        tables.AuditEvent.id,
        **PRIVATE,
    )


AuditEventConnection = Connection[AuditEvent]


@object_type
class ResourceAuditEventFacts(EntityType, row=tables.AuditChange):
    """An event in a page of those of a resource, with what it did to that."""

    before: JSON | None = column(BEFORE)
    after: JSON | None = column(AFTER)


ResourceAuditEventConnection = Connection[AuditEvent, ResourceAuditEventFacts]


@enum
class AuditEventOrderField(DescribedEnum):
    """What events can be ordered by."""

    CREATED_AT = (
        "created_at",
        "In the order in which the changes were committed: a reader that goes on from a cursor misses none.",
    )


@input_type
class AuditEventOrder:
    """One term of an order of events."""

    field: AuditEventOrderField = strawberry.field(description="What to order by.")
    direction: OrderDirection = strawberry.field(default=OrderDirection.ASC, description="Which way.")


@input_type
class AuditEventFilter:
    """Keeps events that match everything given. At most 4 levels deep and 50 comparisons."""

    actor_name: StringFilter | None = strawberry.field(
        default=None, description="The user name of who did it, without regard to letter case."
    )
    action: StringFilter | None = strawberry.field(default=None, description="What was done, as `createUser`.")
    object_id: strawberry.ID | None = strawberry.field(
        default=None, description="The global id of a thing that it was done to; it may be gone."
    )
    created_at: DateTimeFilter | None = strawberry.field(default=None, description="When it was done.")
    and_: list["AuditEventFilter"] | None = strawberry.field(
        default=None, name="and", description="All of these match."
    )
    or_: list["AuditEventFilter"] | None = strawberry.field(
        default=None, name="or", description="At least one of these matches."
    )
    not_: "AuditEventFilter | None" = strawberry.field(default=None, name="not", description="This does not match.")


def whole_log(viewer: Viewer) -> int | None:
    """The key of the whole log, for those who read it."""
    return ROOT_KEY if policy.reads_audit(viewer) else None
