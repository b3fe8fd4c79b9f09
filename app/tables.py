"""Every table: the shape of its rows, their keys, and what must be unique. No relationships, so no hidden queries."""

from datetime import UTC, datetime
from typing import Any

import orjson
from sqlalchemy import Boolean, ColumnElement, Dialect, ForeignKey, Index, Integer, Text
from sqlalchemy.dialects.postgresql import TIMESTAMP
from sqlalchemy.types import TypeDecorator, TypeEngine
from sqlmodel import Field, SQLModel

MAX_ID = 2**31 - 1
"""The largest id that a row can have: `INTEGER` on PostgreSQL is 32 bits."""

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}
SQLModel.metadata.naming_convention = NAMING


class Instant(TypeDecorator[datetime]):
    """A moment in UTC: `TIMESTAMPTZ`, or text of one fixed width that sorts as time does."""

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Choose the column's type."""
        postgres = dialect.name == "postgresql"
        return dialect.type_descriptor(TIMESTAMP(timezone=True) if postgres else Text())

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        """Write the moment; a value without a time zone is a mistake of ours."""
        if value is None or dialect.name == "postgresql":
            return value
        return value.astimezone(UTC).isoformat(timespec="microseconds")

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        """Read the moment, always in UTC."""
        return datetime.fromisoformat(value) if isinstance(value, str) else value


class Key(TypeDecorator[str]):
    """Text compared by its bytes, so that both databases sort and page alike."""

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Choose the column's type: PostgreSQL would else sort by the rules of some language."""
        return dialect.type_descriptor(Text(collation="C") if dialect.name == "postgresql" else Text())


class Folded(Key):
    """The same, for values that are compared without regard to letter case."""

    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        """Write the value as the stored keys are written."""
        return None if value is None else folded(value)


def folded(text: str) -> str:
    """How a name is written where it is compared without regard to letter case."""
    return text.casefold()


class Document(TypeDecorator[Any]):
    """JSON kept as text, so that keys and values come back as they went in."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:
        """Write the JSON."""
        return None if value is None else orjson.dumps(value).decode()

    def process_result_value(self, value: Any, dialect: Dialect) -> Any:
        """Read the JSON."""
        return None if value is None else orjson.loads(value)


def col(attribute: Any) -> ColumnElement[Any]:
    """A table's attribute as what it is in SQL; its annotation speaks of a row's value."""
    column: ColumnElement[Any] = attribute
    return column


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
