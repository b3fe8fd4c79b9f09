"""Types, filter and order of the audit log."""

from datetime import datetime
from typing import Any

import strawberry

from app import policy
from app.db import tables
from app.domain.viewer import Viewer
from app.graphql.schema.connections import (
    Connection,
    DateTimeFilter,
    NullableStringFilter,
    OrderDirection,
    StringFilter,
)
from app.graphql.schema.decorators import input_type, object_type, optional
from app.graphql.schema.directives import Permission
from app.graphql.schema.enums import DescribedEnum, enum, of_value
from app.graphql.schema.fields import EntityType, column, edge
from app.graphql.schema.node import Node
from app.graphql.schema.scalars import JSON
from app.graphql.schema.types.users import User
from app.query.relations import ROOT_KEY
from app.services import read_graph
from app.services.audit.pruning import AUDIT_LOG
from app.services.entities import ENTITIES

PRIVATE: Any = {"guard": policy.sees_audit, "requires": Permission.AUDIT_VIEW}

BEFORE = (
    "The fields that differ, as they were before. Null if the event created the object. It never contains a "
    "password, a token or the key of a ticket. Values beyond 32 KiB are omitted and `truncated` is true."
)
AFTER = "The same fields afterwards. Null if the event deleted the object."


@enum
class AuditChannel(DescribedEnum):
    """Interface through which a change was made."""

    # The channels of `app.domain.request_origin`.

    GRAPHQL = "GRAPHQL", "The GraphQL API."
    REST = "REST", "The REST API."
    COMMAND = "COMMAND", "A command on the server, or the start of the server."


@enum
class AuditObjectType(DescribedEnum):
    """Type of a changed object."""

    _ignore_ = "entity"
    for entity in ENTITIES.values():
        if entity.audit is not None:
            vars()[entity.constant] = entity.name, entity.audit_text
    AUDIT_LOG = AUDIT_LOG, "The audit log itself, of which old events were removed. No query finds it by id."


def _channel(value: str) -> AuditChannel:
    return of_value(AuditChannel, value)


def _object_type(value: str) -> AuditObjectType:
    return of_value(AuditObjectType, value)


@object_type
class AuditChange(EntityType, row=tables.AuditChange):
    """Change of one object by an event."""

    object_type: AuditObjectType = column("The type of the object.", sql=tables.AuditChange.kind, read=_object_type)
    object_id: strawberry.ID = column(
        "The global id of the object, which may be deleted.", sql=tables.AuditChange.subject
    )
    object_name: str = column(
        "Name of the object at that time: a user name, a slug, or the name of a role or type.",
        sql=tables.AuditChange.name,
    )
    before: JSON | None = column(BEFORE)
    after: JSON | None = column(AFTER)


AuditChangeConnection = Connection[AuditChange]


@object_type
class AuditEvent(Node, row=tables.AuditEvent):
    """A change: who made it, when, from where, and what it changed.

    It is written in the same transaction as the change. Only the operator removes old events or erases deleted users.
    """

    created_at: datetime = column("When the change was made.", sql=tables.AuditEvent.at)
    action: str = column(
        "Name of the mutation that makes this change, such as `createUser`. REST requests use the same names."
    )
    actor_name: str | None = column("The user name of the actor. Null for an anonymous request and for the system.")
    actor: User | None = edge(
        "The user who made the change. Null if that user was deleted.",
        read_graph.user_shown,
        tables.AuditEvent.actor_id,
    )
    channel: AuditChannel = column("The interface of the request.", sql=tables.AuditEvent.face, read=_channel)
    address: str | None = column("The network address of the client. Null for a command.", **PRIVATE)
    request_id: str | None = column("The value of the header `X-Request-Id`.", **PRIVATE)
    changes: AuditChangeConnection | None = edge(
        "The changed objects, by name. Empty if nothing differed.",
        read_graph.audit_changes,
        tables.AuditEvent.id,
        **PRIVATE,
    )


AuditEventConnection = Connection[AuditEvent]


@object_type
class ResourceAuditEventFacts(EntityType, row=tables.AuditChange):
    """Change of one resource by an event."""

    before: JSON | None = column(BEFORE)
    after: JSON | None = column(AFTER)


ResourceAuditEventConnection = Connection[AuditEvent, ResourceAuditEventFacts]


@enum
class AuditEventOrderField(DescribedEnum):
    """Field by which audit events can be sorted."""

    CREATED_AT = (
        "created_at",
        "Order in which the changes were committed. A reader that continues from a cursor misses none.",
    )


@input_type
class AuditEventOrder:
    """One sort key of audit events."""

    field: AuditEventOrderField = strawberry.field(description="The field to sort by.")
    direction: OrderDirection = strawberry.field(default=OrderDirection.ASC, description="The direction.")


@input_type
class AuditEventFilter:
    """Conditions on an audit event. All of them must match. At most 4 levels deep and 50 comparisons.

    Null is refused.
    """

    actor_name: NullableStringFilter | None = optional(
        "The user name of the actor, without regard to letter case. Missing for changes by the system."
    )
    action: StringFilter | None = optional("Name of the mutation, such as `createUser`.")
    object_id: strawberry.ID | None = optional("The global id of a changed object, which may be deleted.")
    created_at: DateTimeFilter | None = optional("When the change was made.")
    and_: list["AuditEventFilter"] | None = optional("All of these must match.", name="and")
    or_: list["AuditEventFilter"] | None = optional("At least one of these must match.", name="or")
    not_: "AuditEventFilter | None" = optional("This must not match.", name="not")


def log_key(viewer: Viewer) -> int | None:
    """Return the key of the complete log if the viewer may read it; None otherwise."""
    return ROOT_KEY if policy.reads_audit(viewer) else None
