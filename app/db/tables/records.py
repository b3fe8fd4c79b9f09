"""Tables beside the registry: keys and tokens, failed sign-ins, tickets, and the audit log."""

from datetime import datetime
from enum import IntEnum
from typing import Any

from sqlalchemy import BigInteger, Boolean, ForeignKey, Index, Integer, LargeBinary, Text, UniqueConstraint
from sqlmodel import Field, SQLModel

from app.db.tables.registry import index_of_ends, points_at
from app.db.types import JSONDocument, KeyText, RowId, UTCDateTime


class RevokedToken(SQLModel, table=True):
    """A session token that was revoked before its expiry; stored until its expiry."""

    __tablename__ = "revoked_tokens"
    __table_args__ = (Index(None, "expires_at"),)

    jti: str = Field(primary_key=True, sa_type=KeyText)
    expires_at: datetime = Field(sa_type=UTCDateTime)


class SigningKey(SQLModel, table=True):
    """A signing key, encrypted with the secret. A retired key verifies tokens until `ends_at`."""

    __tablename__ = "signing_keys"

    kid: str = Field(primary_key=True, sa_type=KeyText)
    sealed: str = Field(sa_type=Text)
    created_at: datetime = Field(sa_type=UTCDateTime)
    retired_at: datetime | None = Field(default=None, sa_type=UTCDateTime)
    ends_at: datetime | None = Field(default=None, sa_type=UTCDateTime)


class ApiToken(SQLModel, table=True):
    """An API token, stored as a hash.

    If `is_limited`, it is valid only for its orgs and resources, even after all of these are deleted.
    """

    __tablename__ = "api_tokens"
    __table_args__ = (UniqueConstraint("user_id", "name_key"), index_of_ends(), {"sqlite_autoincrement": True})

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
    """An org in the scope of a limited token, with all its resources."""

    __tablename__ = "api_token_orgs"

    token_id: int = points_at("api_tokens.id", primary_key=True)
    org_id: int = points_at("orgs.id", primary_key=True, index=True)


class ApiTokenResource(SQLModel, table=True):
    """A resource in the scope of a limited token."""

    __tablename__ = "api_token_resources"

    token_id: int = points_at("api_tokens.id", primary_key=True)
    resource_id: int = points_at("resources.id", primary_key=True, index=True)


class Stage(IntEnum):
    """The stage of a ticket. The last two are never stored but computed on each read."""

    OPEN = 0
    FINISHED = 1
    CANCELLED = 2
    EXPIRED = 3
    REVOKED = 4


class Guess(SQLModel, table=True):
    """The recent wrong passwords of a key, and the time of its next attempt; see `services/login_throttle.py`.

    `checks` counts the running password checks since the time slot `checks_slot`, `checks_before` those of the slot
    before it.
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
    """A permission to upload to a resource or to download it; its key is a bearer secret.

    `org_id` is the org of the resource and changes with it, so that the reserved bytes of an org are found without its
    resources. The last two columns are the outcome of an upload.
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
    """An audit event: actor, action, time and origin. The database rejects updates and deletes without an AuditPermit.

    The id and name of the actor are no foreign key, so that events outlive the user.
    Ids follow the order of commits (docs/decisions/0181-order-of-events.md).
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
    """The change of one object by an event: the differing values before and after.

    `kind` and `key` identify the object, as does `subject`, its global id; the object may be deleted. `before` is null
    for a created object, `after` for a deleted one. `at` is the time of the event.
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


class AuditSeal(SQLModel, table=True):
    """The seal of the events from `first_event` to `last_event`; see `services/audit/seals.py`.

    `entries` are the digests of the events that are still in the log. They are fewer than `events` after some were
    removed (then `amended_at` is set), and others than at first after a user was forgotten (then also `is_rewritten`).
    """

    __tablename__ = "audit_seals"
    __table_args__ = (Index(None, "last_event"),)

    number: int = Field(primary_key=True, sa_type=RowId, sa_column_kwargs={"autoincrement": False})
    first_event: int = Field(sa_type=RowId)
    last_event: int = Field(sa_type=RowId)
    events: int = Field(sa_type=Integer)
    digest: str = Field(sa_type=KeyText)
    previous: str = Field(sa_type=KeyText)
    hash: str = Field(sa_type=KeyText)
    sealed_at: datetime = Field(sa_type=UTCDateTime)
    entries: bytes = Field(sa_type=LargeBinary)
    amended_at: datetime | None = Field(default=None, sa_type=UTCDateTime)
    is_rewritten: bool = Field(sa_type=Boolean)
    key_id: str = Field(sa_type=KeyText)
    signature: str = Field(sa_type=KeyText)


class AuditPermit(SQLModel, table=True):
    """A row that exists only inside of a transaction that removes or changes audit events: the triggers look for it."""

    __tablename__ = "audit_permits"

    number: int = Field(primary_key=True, sa_type=RowId, sa_column_kwargs={"autoincrement": False})


class MutationKey(SQLModel, table=True):
    """The outcome of a change with an idempotency key, stored for a day: a repeated request gets the same answer.

    `input_hash` is the digest of the mutation and its input, so that a key cannot be reused for another change.
    """

    __tablename__ = "mutation_keys"
    __table_args__ = (Index(None, "created_at"),)

    actor_id: int = points_at("users.id", primary_key=True)
    key_hash: str = Field(primary_key=True, sa_type=KeyText)
    action: str = Field(sa_type=KeyText)
    input_hash: str = Field(sa_type=KeyText)
    outcome: dict[str, Any] = Field(sa_type=JSONDocument)
    created_at: datetime = Field(sa_type=UTCDateTime)
