"""What is kept beside the registry: keys and tokens, guesses, tickets, and the audit log."""

from datetime import datetime
from enum import IntEnum
from typing import Any

from sqlalchemy import BigInteger, Boolean, ForeignKey, Index, Integer, Text, UniqueConstraint
from sqlmodel import Field, SQLModel

from app.db.tables.registry import points_at
from app.db.types import JSONDocument, KeyText, RowId, UTCDateTime


class RevokedToken(SQLModel, table=True):
    """A token that was signed out before it ended; kept until it would have ended."""

    __tablename__ = "revoked_tokens"
    __table_args__ = (Index(None, "expires_at"),)

    jti: str = Field(primary_key=True, sa_type=KeyText)
    expires_at: datetime = Field(sa_type=UTCDateTime)


class SigningKey(SQLModel, table=True):
    """A key that signs tokens, sealed under the secret. One that another has followed verifies until it ends."""

    __tablename__ = "signing_keys"

    kid: str = Field(primary_key=True, sa_type=KeyText)
    sealed: str = Field(sa_type=Text)
    created_at: datetime = Field(sa_type=UTCDateTime)
    retired_at: datetime | None = Field(default=None, sa_type=UTCDateTime)
    ends_at: datetime | None = Field(default=None, sa_type=UTCDateTime)


class ApiToken(SQLModel, table=True):
    """A token for programs: of the token itself there is but a hash.

    One that `is_limited` is good for its orgs and resources alone, also once these are gone.
    """

    __tablename__ = "api_tokens"
    __table_args__ = (UniqueConstraint("user_id", "name_key"), {"sqlite_autoincrement": True})

    id: int | None = Field(default=None, primary_key=True, sa_type=RowId)
    user_id: int = points_at("users.id")
    name: str = Field(sa_type=Text)
    name_key: str = Field(sa_type=KeyText)
    prefix: str = Field(sa_type=Text)
    hash: str = Field(sa_type=KeyText, unique=True)
    permissions: int = Field(sa_type=Integer)
    is_limited: bool = Field(sa_type=Boolean)
    created_at: datetime = Field(sa_type=UTCDateTime)
    expires_at: datetime | None = Field(default=None, sa_type=UTCDateTime)
    last_used_at: datetime | None = Field(default=None, sa_type=UTCDateTime)


class ApiTokenOrg(SQLModel, table=True):
    """A limited token is good for an org and all that is in it."""

    __tablename__ = "api_token_orgs"

    token_id: int = points_at("api_tokens.id", primary_key=True)
    org_id: int = points_at("orgs.id", primary_key=True, index=True)


class ApiTokenResource(SQLModel, table=True):
    """A limited token is good for a resource."""

    __tablename__ = "api_token_resources"

    token_id: int = points_at("api_tokens.id", primary_key=True)
    resource_id: int = points_at("resources.id", primary_key=True, index=True)


class Stage(IntEnum):
    """How far a ticket has come. The last two are never stored: they are seen when somebody looks."""

    OPEN = 0
    FINISHED = 1
    CANCELLED = 2
    EXPIRED = 3
    REVOKED = 4


class Guess(SQLModel, table=True):
    """How many wrong passwords came lately, and from when on another may: `services/throttle.py` says where and why.

    `checks` are being checked since the slot of time `checks_slot`, `checks_before` since the one before.
    """

    __tablename__ = "guesses"
    __table_args__ = (Index(None, "kept_until"),)

    key: str = Field(primary_key=True, sa_type=KeyText)
    failures: int = Field(sa_type=Integer)
    free_at: datetime = Field(sa_type=UTCDateTime)
    known_until: datetime | None = Field(default=None, sa_type=UTCDateTime)
    kept_until: datetime = Field(sa_type=UTCDateTime)
    checks: int = Field(sa_type=Integer, sa_column_kwargs={"server_default": "0"})
    checks_before: int = Field(sa_type=Integer, sa_column_kwargs={"server_default": "0"})
    checks_slot: int = Field(sa_type=Integer, sa_column_kwargs={"server_default": "0"})


class Ticket(SQLModel, table=True):
    """Leave to upload to a resource, or to download it. Whoever knows the key may speak for the ticket.

    `org_id` is that of the resource and moves with it: what an org has reserved is found without its resources. The
    last two say how an upload was finished.
    """

    __tablename__ = "tickets"
    __table_args__ = (
        Index(None, "org_id", "is_upload", "stage", "expires_at"),
        Index(None, "resource_id"),
        Index(None, "user_id"),
        Index(None, "expires_at"),
    )

    key: str = Field(primary_key=True, sa_type=KeyText)
    resource_id: int = points_at("resources.id")
    org_id: int = Field(sa_type=RowId)
    user_id: int | None = points_at("users.id", default=None)
    is_upload: bool = Field(sa_type=Boolean)
    bytes: int = Field(sa_type=BigInteger)
    stage: int = Field(sa_type=Integer)
    created_at: datetime = Field(sa_type=UTCDateTime)
    expires_at: datetime = Field(sa_type=UTCDateTime)
    final_bytes: int | None = Field(default=None, sa_type=BigInteger)
    replaced_bytes: int | None = Field(default=None, sa_type=BigInteger)


class AuditEvent(SQLModel, table=True):
    """Who did what, when and from where. The database refuses to change or delete one.

    The actor is told by id and by name without a foreign key, so that they may be deleted and their events stay.
    The id is the event's number: numbers follow the order of commits (docs/decisions/0181-order-of-events.md).
    """

    __tablename__ = "audit_events"
    __table_args__ = (
        Index(None, "at", "id"),
        Index(None, "actor_key", "id"),
        Index(None, "action", "id"),
        {"sqlite_autoincrement": True},
    )

    id: int | None = Field(default=None, primary_key=True, sa_type=RowId)
    at: datetime = Field(sa_type=UTCDateTime)
    actor_id: int | None = Field(default=None, sa_type=RowId)
    actor_name: str | None = Field(default=None, sa_type=Text)
    actor_key: str | None = Field(default=None, sa_type=KeyText)
    face: str = Field(sa_type=KeyText)
    address: str | None = Field(default=None, sa_type=Text)
    request_id: str | None = Field(default=None, sa_type=Text)
    action: str = Field(sa_type=KeyText)


class AuditChange(SQLModel, table=True):
    """What an event did to one thing: what differs, as it was before and as it is after.

    The thing is told by kind and key, and by both in one, its global id; it may be gone. `before` is null for one that
    was made, `after` for one that was deleted. `at` is that of the event.
    """

    __tablename__ = "audit_changes"
    __table_args__ = (
        Index(None, "event_id", "name", "id"),
        Index(None, "subject", "event_id"),
        {"sqlite_autoincrement": True},
    )

    id: int | None = Field(default=None, primary_key=True, sa_type=RowId)
    event_id: int = Field(sa_type=RowId, sa_column_args=(ForeignKey("audit_events.id"),))
    at: datetime = Field(sa_type=UTCDateTime)
    kind: str = Field(sa_type=KeyText)
    key: int = Field(sa_type=RowId)
    subject: str = Field(sa_type=KeyText)
    name: str = Field(sa_type=KeyText)
    before: dict[str, Any] | None = Field(default=None, sa_type=JSONDocument)
    after: dict[str, Any] | None = Field(default=None, sa_type=JSONDocument)
