"""Every table: the shape of its rows, their keys, and what must be unique. No relationships, so no hidden queries."""

from datetime import datetime
from enum import IntEnum
from typing import Any

from sqlalchemy import BigInteger, Boolean, ForeignKey, Index, Integer, Text, UniqueConstraint, false
from sqlmodel import Field, SQLModel

from app.columns import MAX_BYTES, MAX_ID, SORT_LENGTH, Document, Folded, Instant, Key, col, folded, sortable

__all__ = [
    "MAX_BYTES",
    "MAX_ID",
    "SORT_LENGTH",
    "Document",
    "Folded",
    "Instant",
    "Key",
    "col",
    "folded",
    "sortable",
]
"""What columns are made of is had from here too."""

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}
SQLModel.metadata.naming_convention = NAMING


class User(SQLModel, table=True):
    """Somebody who signs in. An id is never used twice, so that an old token can never mean somebody else."""

    __tablename__ = "users"
    __table_args__ = (Index(None, "created_at", "id"), {"sqlite_autoincrement": True})

    id: int | None = Field(default=None, primary_key=True, sa_type=Integer)
    user_name: str = Field(sa_type=Text)
    user_key: str = Field(sa_type=Key, unique=True)
    email: str | None = Field(default=None, sa_type=Text)
    email_key: str | None = Field(default=None, sa_type=Key, unique=True)
    password_hash: str | None = Field(default=None, sa_type=Text)
    token_generation: int = Field(sa_type=Integer)
    details: dict[str, Any] = Field(sa_type=Document)
    is_service_account: bool = Field(sa_type=Boolean, sa_column_kwargs={"server_default": false()})
    created_at: datetime = Field(sa_type=Instant)
    last_login_at: datetime | None = Field(default=None, sa_type=Instant)


class Role(SQLModel, table=True):
    """A name for a set of permissions."""

    __tablename__ = "roles"
    __table_args__ = ({"sqlite_autoincrement": True},)

    id: int | None = Field(default=None, primary_key=True, sa_type=Integer)
    name: str = Field(sa_type=Text)
    name_key: str = Field(sa_type=Key, unique=True)
    description: str = Field(sa_type=Text)
    permissions: int = Field(sa_type=Integer)
    is_built_in: bool = Field(sa_type=Boolean)
    created_at: datetime = Field(sa_type=Instant)


class UserRole(SQLModel, table=True):
    """A user holds a role."""

    __tablename__ = "user_roles"
    __table_args__ = (Index(None, "role_id", "user_id"),)

    user_id: int = Field(
        sa_column_args=(ForeignKey("users.id", ondelete="CASCADE"),), primary_key=True, sa_type=Integer
    )
    role_id: int = Field(sa_column_args=(ForeignKey("roles.id"),), primary_key=True, sa_type=Integer)


class RevokedToken(SQLModel, table=True):
    """A token that was signed out before it ended; kept until it would have ended."""

    __tablename__ = "revoked_tokens"
    __table_args__ = (Index(None, "expires_at"),)

    jti: str = Field(primary_key=True, sa_type=Key)
    expires_at: datetime = Field(sa_type=Instant)


class SigningKey(SQLModel, table=True):
    """A key that signs tokens, sealed under the secret. One that another has followed verifies until it ends."""

    __tablename__ = "signing_keys"

    kid: str = Field(primary_key=True, sa_type=Key)
    sealed: str = Field(sa_type=Text)
    created_at: datetime = Field(sa_type=Instant)
    retired_at: datetime | None = Field(default=None, sa_type=Instant)
    ends_at: datetime | None = Field(default=None, sa_type=Instant)


def _points_at(column: str, *, ondelete: str = "CASCADE", **more: Any) -> Any:
    """A column that holds another row's id."""
    return Field(sa_type=Integer, sa_column_args=(ForeignKey(column, ondelete=ondelete),), **more)


class Org(SQLModel, table=True):
    """People and the resources that they keep together.

    `size_bytes` is the sum of the sizes of its resources, written in the transaction that changes one of them.
    """

    __tablename__ = "orgs"
    __table_args__ = (Index(None, "name_key", "id"), Index(None, "owner_id"), {"sqlite_autoincrement": True})

    id: int | None = Field(default=None, primary_key=True, sa_type=Integer)
    slug: str = Field(sa_type=Key, unique=True)
    name: str = Field(sa_type=Text)
    name_key: str = Field(sa_type=Key)
    description: str = Field(sa_type=Text)
    owner_id: int | None = _points_at("users.id", ondelete="SET NULL", default=None)
    is_public: bool = Field(sa_type=Boolean)
    size_bytes: int = Field(sa_type=BigInteger, sa_column_kwargs={"server_default": "0"})
    created_at: datetime = Field(sa_type=Instant)


class OrgMember(SQLModel, table=True):
    """A user belongs to an org at a level; the owner is no member."""

    __tablename__ = "org_members"
    __table_args__ = (Index(None, "user_id", "org_id"),)

    org_id: int = _points_at("orgs.id", primary_key=True)
    user_id: int = _points_at("users.id", primary_key=True)
    level: int = Field(sa_type=Integer)
    granted_at: datetime = Field(sa_type=Instant)
    granted_by: int | None = _points_at("users.id", ondelete="SET NULL", default=None, index=True)
    expires_at: datetime | None = Field(default=None, sa_type=Instant)


class Group(SQLModel, table=True):
    """Users who receive grants together."""

    __tablename__ = "groups"
    __table_args__ = (Index(None, "name_key", "id"), {"sqlite_autoincrement": True})

    id: int | None = Field(default=None, primary_key=True, sa_type=Integer)
    slug: str = Field(sa_type=Key, unique=True)
    display_name: str = Field(sa_type=Text)
    name_key: str = Field(sa_type=Key)
    description: str = Field(sa_type=Text)
    created_at: datetime = Field(sa_type=Instant)


class GroupMember(SQLModel, table=True):
    """A user belongs to a group."""

    __tablename__ = "group_members"
    __table_args__ = (Index(None, "user_id", "group_id"),)

    group_id: int = _points_at("groups.id", primary_key=True)
    user_id: int = _points_at("users.id", primary_key=True)
    is_manager: bool = Field(sa_type=Boolean)
    added_at: datetime = Field(sa_type=Instant)
    added_by: int | None = _points_at("users.id", ondelete="SET NULL", default=None, index=True)
    expires_at: datetime | None = Field(default=None, sa_type=Instant)


class ResourceType(SQLModel, table=True):
    """A kind of resource: its name, and whether it has data files."""

    __tablename__ = "resource_types"
    __table_args__ = ({"sqlite_autoincrement": True},)

    id: int | None = Field(default=None, primary_key=True, sa_type=Integer)
    name: str = Field(sa_type=Key, unique=True)
    has_data: bool = Field(sa_type=Boolean)
    is_built_in: bool = Field(sa_type=Boolean)


class Resource(SQLModel, table=True):
    """A thing that is kept: its type never changes. `full_mask` is every role that the type has.

    `path` is the slug of its org and its own, with a `/` between: the name that people use.
    """

    __tablename__ = "resources"
    __table_args__ = (
        Index(None, "name_key", "id"),
        Index(None, "created_at", "id"),
        Index(None, "updated_at", "id"),
        Index(None, "org_id", "name_key", "id"),
        Index(None, "owner_id"),
        Index(None, "type_id"),
        {"sqlite_autoincrement": True},
    )

    id: int | None = Field(default=None, primary_key=True, sa_type=Integer)
    org_id: int = _points_at("orgs.id")
    type_id: int = Field(sa_type=Integer, sa_column_args=(ForeignKey("resource_types.id"),))
    slug: str = Field(sa_type=Key)
    path: str = Field(sa_type=Key, unique=True)
    name: str = Field(sa_type=Text)
    name_key: str = Field(sa_type=Key)
    description: str = Field(sa_type=Text)
    details: dict[str, Any] = Field(sa_type=Document)
    owner_id: int | None = _points_at("users.id", ondelete="SET NULL", default=None)
    size_bytes: int = Field(sa_type=BigInteger)
    full_mask: int = Field(sa_type=Integer)
    revision: int = Field(sa_type=Integer)
    created_at: datetime = Field(sa_type=Instant)
    updated_at: datetime = Field(sa_type=Instant)


class Lock(SQLModel, table=True):
    """A resource is locked: one row while it is."""

    __tablename__ = "locks"

    resource_id: int = _points_at("resources.id", primary_key=True)
    user_id: int | None = _points_at("users.id", ondelete="SET NULL", default=None, index=True)
    reason: str = Field(sa_type=Text)
    created_at: datetime = Field(sa_type=Instant)


class LockEvent(SQLModel, table=True):
    """Who locked or unlocked a resource, when and why; never changed."""

    __tablename__ = "lock_events"
    __table_args__ = (Index(None, "resource_id", "created_at", "id"), {"sqlite_autoincrement": True})

    id: int | None = Field(default=None, primary_key=True, sa_type=Integer)
    resource_id: int = _points_at("resources.id")
    user_id: int | None = _points_at("users.id", ondelete="SET NULL", default=None, index=True)
    is_lock: bool = Field(sa_type=Boolean)
    reason: str = Field(sa_type=Text)
    created_at: datetime = Field(sa_type=Instant)


class Grant(SQLModel, table=True):
    """An entry of a resource's access configuration: a set of roles for one subject, as it was given."""

    __tablename__ = "grants"
    __table_args__ = (
        UniqueConstraint("resource_id", "subject"),
        Index(None, "group_id"),
        Index(None, "user_id"),
        {"sqlite_autoincrement": True},
    )

    id: int | None = Field(default=None, primary_key=True, sa_type=Integer)
    resource_id: int = _points_at("resources.id")
    subject: int = Field(sa_type=BigInteger)
    group_id: int | None = _points_at("groups.id", default=None)
    user_id: int | None = _points_at("users.id", default=None)
    mask: int = Field(sa_type=Integer)
    expires_at: datetime | None = Field(default=None, sa_type=Instant)


class Access(SQLModel, table=True):
    """The access index: what a subject holds on a resource, after implications, beside all that lists are sorted by.

    It follows from orgs, resources and grants, is written in the transaction that changes them, and can be made anew.
    """

    __tablename__ = "access"
    __table_args__ = (
        Index(
            "ix_access_by_name",
            "subject",
            "name_key",
            "resource_id",
            "mask",
            "type_id",
            "expires_at",
        ),
        Index("ix_access_by_creation", "subject", "created_at", "resource_id"),
        Index("ix_access_by_change", "subject", "updated_at", "resource_id"),
    )

    resource_id: int = _points_at("resources.id", primary_key=True)
    subject: int = Field(primary_key=True, sa_type=BigInteger)
    granted: int = Field(sa_type=Integer)
    mask: int = Field(sa_type=Integer)
    type_id: int = Field(sa_type=Integer)
    expires_at: datetime | None = Field(default=None, sa_type=Instant)
    name_key: str = Field(sa_type=Key)
    created_at: datetime = Field(sa_type=Instant)
    updated_at: datetime = Field(sa_type=Instant)


class ApiToken(SQLModel, table=True):
    """A token for programs: of the token itself there is but a hash.

    One that `is_limited` is good for its orgs and resources alone, also once these are gone.
    """

    __tablename__ = "api_tokens"
    __table_args__ = (UniqueConstraint("user_id", "name_key"), {"sqlite_autoincrement": True})

    id: int | None = Field(default=None, primary_key=True, sa_type=Integer)
    user_id: int = _points_at("users.id")
    name: str = Field(sa_type=Text)
    name_key: str = Field(sa_type=Key)
    prefix: str = Field(sa_type=Text)
    hash: str = Field(sa_type=Key, unique=True)
    permissions: int = Field(sa_type=Integer)
    is_limited: bool = Field(sa_type=Boolean)
    created_at: datetime = Field(sa_type=Instant)
    expires_at: datetime | None = Field(default=None, sa_type=Instant)
    last_used_at: datetime | None = Field(default=None, sa_type=Instant)


class ApiTokenOrg(SQLModel, table=True):
    """A limited token is good for an org and all that is in it."""

    __tablename__ = "api_token_orgs"

    token_id: int = _points_at("api_tokens.id", primary_key=True)
    org_id: int = _points_at("orgs.id", primary_key=True, index=True)


class ApiTokenResource(SQLModel, table=True):
    """A limited token is good for a resource."""

    __tablename__ = "api_token_resources"

    token_id: int = _points_at("api_tokens.id", primary_key=True)
    resource_id: int = _points_at("resources.id", primary_key=True, index=True)


class Stage(IntEnum):
    """How far a ticket has come. The last two are never stored: they are seen when somebody looks."""

    OPEN = 0
    FINISHED = 1
    CANCELLED = 2
    EXPIRED = 3
    REVOKED = 4


class Guess(SQLModel, table=True):
    """How many wrong passwords came lately, and from when on another may: `services/throttle.py` says where and why."""

    __tablename__ = "guesses"
    __table_args__ = (Index(None, "kept_until"),)

    key: str = Field(primary_key=True, sa_type=Key)
    failures: int = Field(sa_type=Integer)
    free_at: datetime = Field(sa_type=Instant)
    known_until: datetime | None = Field(default=None, sa_type=Instant)
    kept_until: datetime = Field(sa_type=Instant)


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

    key: str = Field(primary_key=True, sa_type=Key)
    resource_id: int = _points_at("resources.id")
    org_id: int = Field(sa_type=Integer)
    user_id: int | None = _points_at("users.id", default=None)
    is_upload: bool = Field(sa_type=Boolean)
    bytes: int = Field(sa_type=BigInteger)
    stage: int = Field(sa_type=Integer)
    created_at: datetime = Field(sa_type=Instant)
    expires_at: datetime = Field(sa_type=Instant)
    final_bytes: int | None = Field(default=None, sa_type=BigInteger)
    replaced_bytes: int | None = Field(default=None, sa_type=BigInteger)


class AuditEvent(SQLModel, table=True):
    """Who did what, when and from where. The database refuses to change or delete one.

    The actor is told by id and by name without a foreign key, so that she may be deleted and her events stay.
    """

    __tablename__ = "audit_events"
    __table_args__ = (
        Index(None, "at", "id"),
        Index(None, "actor_key", "at", "id"),
        Index(None, "action", "at", "id"),
        {"sqlite_autoincrement": True},
    )

    id: int | None = Field(default=None, primary_key=True, sa_type=Integer)
    at: datetime = Field(sa_type=Instant)
    actor_id: int | None = Field(default=None, sa_type=Integer)
    actor_name: str | None = Field(default=None, sa_type=Text)
    actor_key: str | None = Field(default=None, sa_type=Key)
    face: str = Field(sa_type=Key)
    address: str | None = Field(default=None, sa_type=Text)
    request_id: str | None = Field(default=None, sa_type=Text)
    action: str = Field(sa_type=Key)


class AuditChange(SQLModel, table=True):
    """What an event did to one thing: what differs, as it was before and as it is after.

    The thing is told by kind and key, and by both in one, its global id; it may be gone. `before` is null for one that
    was made, `after` for one that was deleted. `at` is that of the event, so that the events of a thing are one walk
    along an index.
    """

    __tablename__ = "audit_changes"
    __table_args__ = (
        Index(None, "event_id", "name", "id"),
        Index(None, "subject", "at", "event_id"),
        {"sqlite_autoincrement": True},
    )

    id: int | None = Field(default=None, primary_key=True, sa_type=Integer)
    event_id: int = Field(sa_type=Integer, sa_column_args=(ForeignKey("audit_events.id"),))
    at: datetime = Field(sa_type=Instant)
    kind: str = Field(sa_type=Key)
    key: int = Field(sa_type=Integer)
    subject: str = Field(sa_type=Key)
    name: str = Field(sa_type=Key)
    before: dict[str, Any] | None = Field(default=None, sa_type=Document)
    after: dict[str, Any] | None = Field(default=None, sa_type=Document)
