"""Tables of the registry: users, roles, orgs, groups, resources, and access."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    ForeignKey,
    Index,
    Integer,
    PrimaryKeyConstraint,
    Text,
    UniqueConstraint,
    column,
    false,
    text,
)
from sqlmodel import Field, SQLModel

from app.db.types import Earliest, JSONDocument, KeyText, RowId, UTCDateTime, WideInteger, or_bound

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}
SQLModel.metadata.naming_convention = NAMING


def revision_column() -> Any:
    """Return the column of a row's revision, which every change of the row's own values increments."""
    return Field(sa_type=Integer, sa_column_kwargs={"server_default": "1"})


class User(SQLModel, table=True):
    """A user account. Ids are never reused, so that an old token cannot refer to another user.

    `display_key` is the sort key of the display name, or of the user name if there is no display name. `account_key`
    is the key of the first name of a renamed user: session tokens carry it, so that renaming ends no session.
    """

    __tablename__ = "users"
    __table_args__ = (
        Index(None, "created_at", "id"),
        Index(None, "display_key", "id"),
        # An expression, since a list places the users without a sign-in before all others.
        Index("ix_users_last_login_at_id", or_bound(column("last_login_at"), Earliest()), "id"),
        {"sqlite_autoincrement": True},
    )

    id: int | None = Field(default=None, primary_key=True, sa_type=RowId)
    user_name: str = Field(sa_type=Text)
    user_key: str = Field(sa_type=KeyText, unique=True)
    account_key: str | None = Field(default=None, sa_type=KeyText)
    display_name: str | None = Field(default=None, sa_type=Text)
    display_key: str = Field(sa_type=KeyText, sa_column_kwargs={"server_default": ""})
    email: str | None = Field(default=None, sa_type=Text)
    email_key: str | None = Field(default=None, sa_type=KeyText, unique=True)
    password_hash: str | None = Field(default=None, sa_type=Text)
    token_generation: int = Field(sa_type=WideInteger)
    details: dict[str, Any] = Field(sa_type=JSONDocument)
    is_service_account: bool = Field(sa_type=Boolean, sa_column_kwargs={"server_default": false()})
    revision: int = revision_column()
    created_at: datetime = Field(sa_type=UTCDateTime)
    last_login_at: datetime | None = Field(default=None, sa_type=UTCDateTime)


class Role(SQLModel, table=True):
    """A system role: a named set of permissions."""

    __tablename__ = "roles"
    __table_args__ = ({"sqlite_autoincrement": True},)

    id: int | None = Field(default=None, primary_key=True, sa_type=RowId)
    name: str = Field(sa_type=Text)
    name_key: str = Field(sa_type=KeyText, unique=True)
    description: str = Field(sa_type=Text)
    permissions: int = Field(sa_type=Integer)
    is_built_in: bool = Field(sa_type=Boolean)
    revision: int = revision_column()
    created_at: datetime = Field(sa_type=UTCDateTime)


class UserRole(SQLModel, table=True):
    """The system role of a user."""

    __tablename__ = "user_roles"
    __table_args__ = (Index(None, "role_id", "user_id"),)

    user_id: int = Field(sa_column_args=(ForeignKey("users.id", ondelete="CASCADE"),), primary_key=True, sa_type=RowId)
    role_id: int = Field(sa_column_args=(ForeignKey("roles.id"),), primary_key=True, sa_type=RowId)


def index_of_ends() -> Index:
    """Return an index of the rows that have an end, for the removal of those that ended long ago."""
    has_end = text("expires_at IS NOT NULL")
    return Index(None, "expires_at", sqlite_where=has_end, postgresql_where=has_end)


def points_at(column: str, *, ondelete: str = "CASCADE", **more: Any) -> Any:
    """Return a column with a foreign key to another row's id."""
    return Field(sa_type=RowId, sa_column_args=(ForeignKey(column, ondelete=ondelete),), **more)


class Org(SQLModel, table=True):
    """An org: its members and their common resources.

    `size_bytes` is the sum of the sizes of its resources, updated in the transaction that changes one of them.
    `quota_bytes` limits that sum; without it the quota of the owner applies.
    """

    __tablename__ = "orgs"
    __table_args__ = (Index(None, "name_key", "id"), Index(None, "owner_id"), {"sqlite_autoincrement": True})

    id: int | None = Field(default=None, primary_key=True, sa_type=RowId)
    slug: str = Field(sa_type=KeyText, unique=True)
    name: str = Field(sa_type=Text)
    name_key: str = Field(sa_type=KeyText)
    description: str = Field(sa_type=Text)
    owner_id: int | None = points_at("users.id", ondelete="SET NULL", default=None)
    is_public: bool = Field(sa_type=Boolean)
    size_bytes: int = Field(sa_type=BigInteger, sa_column_kwargs={"server_default": "0"})
    quota_bytes: int | None = Field(default=None, sa_type=BigInteger)
    revision: int = revision_column()
    created_at: datetime = Field(sa_type=UTCDateTime)


class OrgMember(SQLModel, table=True):
    """The membership of a user in an org, with a level; the owner has no row."""

    __tablename__ = "org_members"
    __table_args__ = (Index(None, "user_id", "org_id"), index_of_ends())

    org_id: int = points_at("orgs.id", primary_key=True)
    user_id: int = points_at("users.id", primary_key=True)
    level: int = Field(sa_type=Integer)
    granted_at: datetime = Field(sa_type=UTCDateTime)
    granted_by: int | None = points_at("users.id", ondelete="SET NULL", default=None, index=True)
    granted_by_name: str | None = Field(default=None, sa_type=Text)
    expires_at: datetime | None = Field(default=None, sa_type=UTCDateTime)


class MembersSeenBy(StrEnum):
    """The users who see the members of a group, besides those who see the members of every group."""

    MEMBERS = "MEMBERS"
    SIGNED_IN = "SIGNED_IN"


class Group(SQLModel, table=True):
    """Users who receive grants together."""

    __tablename__ = "groups"
    __table_args__ = (Index(None, "name_key", "id"), {"sqlite_autoincrement": True})

    id: int | None = Field(default=None, primary_key=True, sa_type=RowId)
    slug: str = Field(sa_type=KeyText, unique=True)
    display_name: str = Field(sa_type=Text)
    name_key: str = Field(sa_type=KeyText)
    description: str = Field(sa_type=Text)
    members_seen_by: str = Field(sa_type=KeyText, sa_column_kwargs={"server_default": MembersSeenBy.MEMBERS.value})
    revision: int = revision_column()
    created_at: datetime = Field(sa_type=UTCDateTime)


class GroupMember(SQLModel, table=True):
    """The membership of a user in a group."""

    __tablename__ = "group_members"
    __table_args__ = (Index(None, "user_id", "group_id"), index_of_ends())

    group_id: int = points_at("groups.id", primary_key=True)
    user_id: int = points_at("users.id", primary_key=True)
    is_manager: bool = Field(sa_type=Boolean)
    added_at: datetime = Field(sa_type=UTCDateTime)
    added_by: int | None = points_at("users.id", ondelete="SET NULL", default=None, index=True)
    added_by_name: str | None = Field(default=None, sa_type=Text)
    expires_at: datetime | None = Field(default=None, sa_type=UTCDateTime)


class ResourceType(SQLModel, table=True):
    """A type of resources: its name, and whether they have data files."""

    __tablename__ = "resource_types"
    __table_args__ = ({"sqlite_autoincrement": True},)

    id: int | None = Field(default=None, primary_key=True, sa_type=RowId)
    name: str = Field(sa_type=KeyText, unique=True)
    has_data: bool = Field(sa_type=Boolean)
    is_built_in: bool = Field(sa_type=Boolean)


class Resource(SQLModel, table=True):
    """A resource. Its type never changes. `full_mask` contains every role of the type.

    `path` is `ORG_SLUG/SLUG`, the natural key of the API. `revision` is the one of the access configuration,
    `edit_revision` the one of the resource's own values.
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

    id: int | None = Field(default=None, primary_key=True, sa_type=RowId)
    org_id: int = points_at("orgs.id")
    type_id: int = Field(sa_type=RowId, sa_column_args=(ForeignKey("resource_types.id"),))
    slug: str = Field(sa_type=KeyText)
    path: str = Field(sa_type=KeyText, unique=True)
    name: str = Field(sa_type=Text)
    name_key: str = Field(sa_type=KeyText)
    description: str = Field(sa_type=Text)
    details: dict[str, Any] = Field(sa_type=JSONDocument)
    owner_id: int | None = points_at("users.id", ondelete="SET NULL", default=None)
    size_bytes: int = Field(sa_type=BigInteger)
    full_mask: int = Field(sa_type=Integer)
    revision: int = Field(sa_type=Integer)
    edit_revision: int = revision_column()
    created_at: datetime = Field(sa_type=UTCDateTime)
    updated_at: datetime = Field(sa_type=UTCDateTime)


class Lock(SQLModel, table=True):
    """The lock of a resource; an unlocked resource has no row."""

    __tablename__ = "locks"

    resource_id: int = points_at("resources.id", primary_key=True)
    user_id: int | None = points_at("users.id", ondelete="SET NULL", default=None, index=True)
    user_name: str | None = Field(default=None, sa_type=Text)
    reason: str = Field(sa_type=Text)
    created_at: datetime = Field(sa_type=UTCDateTime)


class LockEvent(SQLModel, table=True):
    """A locking or unlocking of a resource with user, time and reason; never updated."""

    __tablename__ = "lock_events"
    __table_args__ = (Index(None, "resource_id", "created_at", "id"), {"sqlite_autoincrement": True})

    id: int | None = Field(default=None, primary_key=True, sa_type=RowId)
    resource_id: int = points_at("resources.id")
    user_id: int | None = points_at("users.id", ondelete="SET NULL", default=None, index=True)
    user_name: str | None = Field(default=None, sa_type=Text)
    is_lock: bool = Field(sa_type=Boolean)
    reason: str = Field(sa_type=Text)
    created_at: datetime = Field(sa_type=UTCDateTime)


class Grant(SQLModel, table=True):
    """A grant: the roles of one subject on a resource, without implied roles, and who granted them.

    Grants from before migration 0015 have no time and no granting user. `granted_by` has no foreign key, so that the
    deletion of a user searches no grants; ids of users are never reused.
    """

    __tablename__ = "grants"
    __table_args__ = (
        UniqueConstraint("resource_id", "subject"),
        Index(None, "group_id"),
        Index(None, "user_id"),
        index_of_ends(),
        {"sqlite_autoincrement": True},
    )

    id: int | None = Field(default=None, primary_key=True, sa_type=RowId)
    resource_id: int = points_at("resources.id")
    subject: int = Field(sa_type=BigInteger)
    group_id: int | None = points_at("groups.id", default=None)
    user_id: int | None = points_at("users.id", default=None)
    mask: int = Field(sa_type=Integer)
    expires_at: datetime | None = Field(default=None, sa_type=UTCDateTime)
    granted_at: datetime | None = Field(default=None, sa_type=UTCDateTime)
    granted_by: int | None = Field(default=None, sa_type=RowId)
    granted_by_name: str | None = Field(default=None, sa_type=Text)


class Access(SQLModel, table=True):
    """The access index: the effective roles of each subject on a resource, with the sort keys of lists.

    It is derived from orgs, resources and grants, updated in the transaction that changes them, and can be rebuilt.
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
        PrimaryKeyConstraint("resource_id", "subject", postgresql_include=["granted", "mask", "expires_at"]),
        Index("ix_access_by_resource", "resource_id", "subject", "granted", "mask", "expires_at").ddl_if(
            dialect="sqlite"
        ),
        Index("ix_access_by_creation", "subject", "created_at", "resource_id"),
        Index("ix_access_by_change", "subject", "updated_at", "resource_id"),
    )

    resource_id: int = points_at("resources.id", primary_key=True)
    subject: int = Field(primary_key=True, sa_type=BigInteger)
    granted: int = Field(sa_type=Integer)
    mask: int = Field(sa_type=Integer)
    type_id: int = Field(sa_type=RowId)
    expires_at: datetime | None = Field(default=None, sa_type=UTCDateTime)
    name_key: str = Field(sa_type=KeyText)
    created_at: datetime = Field(sa_type=UTCDateTime)
    updated_at: datetime = Field(sa_type=UTCDateTime)
