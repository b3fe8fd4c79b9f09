"""A server as a tutorial teaches it: Strawberry, SQLAlchemy sessions and a DataLoader for each edge.

It reads the tables of the benchmark and knows the rules of access that the benchmark asks about. It is as fast as the
documentation of its libraries makes it: no statement is written for a query, and nothing is cached after a request.
"""

import asyncio
import os
import socket
import sys
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from enum import Enum
from typing import IO, Any

import jwt
import strawberry
import uvicorn
from sqlalchemy import BigInteger, Executable, create_engine, or_, select
from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from strawberry.asgi import GraphQL
from strawberry.dataloader import DataLoader

from app.db.types import UTCDateTime
from app.domain import resource_roles
from app.domain.resource_roles import MemberLevel, SubjectType
from app.domain.viewer import Permission

ALGORITHM = "HS256"
KEY = "OSTIARY_SECRET"
"""The environment variable with the key of the tokens."""

CONNECTIONS = 10
"""Connections to PostgreSQL, as many as Ostiary opens."""


class Base(DeclarativeBase):
    """The mapped classes; each maps only the columns that the questions need."""

    type_annotation_map = {datetime: UTCDateTime}  # noqa: RUF012 - as SQLAlchemy documents it


class UserRow(Base):
    __tablename__ = "users"
    id: Mapped[int] = mapped_column(primary_key=True)
    user_name: Mapped[str]
    user_key: Mapped[str]
    email: Mapped[str | None]


class RoleRow(Base):
    __tablename__ = "roles"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    name_key: Mapped[str]
    permissions: Mapped[int]


class UserRoleRow(Base):
    __tablename__ = "user_roles"
    user_id: Mapped[int] = mapped_column(primary_key=True)
    role_id: Mapped[int] = mapped_column(primary_key=True)


class OrgRow(Base):
    __tablename__ = "orgs"
    id: Mapped[int] = mapped_column(primary_key=True)
    slug: Mapped[str]
    name: Mapped[str]
    name_key: Mapped[str]
    owner_id: Mapped[int | None]


class OrgMemberRow(Base):
    __tablename__ = "org_members"
    org_id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(primary_key=True)
    level: Mapped[int]
    expires_at: Mapped[datetime | None]


class GroupRow(Base):
    __tablename__ = "groups"
    id: Mapped[int] = mapped_column(primary_key=True)
    display_name: Mapped[str]


class GroupMemberRow(Base):
    __tablename__ = "group_members"
    group_id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(primary_key=True)
    expires_at: Mapped[datetime | None]


class ResourceRow(Base):
    __tablename__ = "resources"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    name_key: Mapped[str]
    org_id: Mapped[int]
    owner_id: Mapped[int | None]
    full_mask: Mapped[int]


class GrantRow(Base):
    __tablename__ = "grants"
    id: Mapped[int] = mapped_column(primary_key=True)
    resource_id: Mapped[int]
    subject: Mapped[int] = mapped_column(BigInteger)
    group_id: Mapped[int | None]
    mask: Mapped[int]
    expires_at: Mapped[datetime | None]


class Reader:
    """Runs SELECTs, each in a session of its own.

    No asynchronous driver of SQLite is a requirement of the project, so its sessions run in threads.
    """

    def __init__(self, url: str) -> None:
        self._is_sqlite = url.startswith("sqlite")
        if self._is_sqlite:
            self._engine = create_engine(url)
        else:
            address = url.replace("postgresql://", "postgresql+asyncpg://")
            self._pool = create_async_engine(address, pool_size=CONNECTIONS, max_overflow=0)

    async def rows(self, statement: Executable) -> Sequence[Any]:
        """Return the rows of a SELECT."""
        if self._is_sqlite:
            return await asyncio.to_thread(self._read, statement)
        async with AsyncSession(self._pool) as session:
            return (await session.execute(statement)).all()

    def _read(self, statement: Executable) -> Sequence[Any]:
        with Session(self._engine) as session:
            return session.execute(statement).all()

    async def entities(self, statement: Executable) -> list[Any]:
        """Return the first column of each row."""
        return [row[0] for row in await self.rows(statement)]


class Loaders:
    """The DataLoaders of a request."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self.user = DataLoader(self._by_id(UserRow))
        self.org = DataLoader(self._by_id(OrgRow))
        self.group = DataLoader(self._by_id(GroupRow))
        self.resource = DataLoader(self._by_id(ResourceRow))
        self.grants = DataLoader(self._grants)
        self.roles_of_user = DataLoader(self._roles_of_user)
        self.orgs_of_user = DataLoader(self._orgs_of_user)
        self.memberships = DataLoader(self._memberships)
        self.groups_of_user = DataLoader(self._groups_of_user)

    def _by_id(self, table: Any) -> Callable[[list[int]], Any]:
        async def load(keys: list[int]) -> list[Any]:
            rows = await self._reader.entities(select(table).where(table.id.in_(keys)))
            by_key = {row.id: row for row in rows}
            return [by_key.get(key) for key in keys]

        return load

    async def _grants(self, keys: list[int]) -> list[list[GrantRow]]:
        rows = await self._reader.entities(select(GrantRow).where(GrantRow.resource_id.in_(keys)))
        return _in_lists(keys, ((row.resource_id, row) for row in rows))

    async def _roles_of_user(self, keys: list[int]) -> list[list[RoleRow]]:
        joined = select(UserRoleRow.user_id, RoleRow).join(RoleRow, RoleRow.id == UserRoleRow.role_id)
        rows = await self._reader.rows(joined.where(UserRoleRow.user_id.in_(keys)).order_by(RoleRow.name_key))
        return _in_lists(keys, rows)

    async def _orgs_of_user(self, keys: list[int]) -> list[list[OrgRow]]:
        joined = select(OrgMemberRow.user_id, OrgRow).join(OrgRow, OrgRow.id == OrgMemberRow.org_id)
        rows = await self._reader.rows(
            joined.where(OrgMemberRow.user_id.in_(keys), _lasts(OrgMemberRow)).order_by(OrgRow.name_key)
        )
        return _in_lists(keys, rows)

    async def _memberships(self, keys: list[int]) -> list[list[OrgMemberRow]]:
        rows = await self._reader.entities(
            select(OrgMemberRow).where(OrgMemberRow.user_id.in_(keys), _lasts(OrgMemberRow))
        )
        return _in_lists(keys, ((row.user_id, row) for row in rows))

    async def _groups_of_user(self, keys: list[int]) -> list[list[int]]:
        columns = select(GroupMemberRow.user_id, GroupMemberRow.group_id)
        rows = await self._reader.rows(columns.where(GroupMemberRow.user_id.in_(keys), _lasts(GroupMemberRow)))
        return _in_lists(keys, rows)


def _lasts(table: Any) -> Any:
    return or_(table.expires_at.is_(None), table.expires_at > datetime.now(UTC))


def _in_lists(keys: Iterable[int], rows: Iterable[Any]) -> list[list[Any]]:
    lists = defaultdict(list)
    for key, value in rows:
        lists[key].append(value)
    return [lists[key] for key in keys]


async def effective_roles(loaders: Loaders, user: int, resource: ResourceRow) -> int:
    """Return the mask of the roles of a user on a resource."""
    full, now = resource.full_mask, datetime.now(UTC)
    roles = await loaders.roles_of_user.load(user)
    if resource.owner_id == user or any(role.permissions & Permission.RESOURCES_MANAGE.value for role in roles):
        return full
    org = await loaders.org.load(resource.org_id)
    if org.owner_id == user:
        return full
    memberships = await loaders.memberships.load(user)
    mask = sum(resource_roles.CAPS[MemberLevel(each.level)] & full for each in memberships if each.org_id == org.id)
    subjects = {
        resource_roles.ANYONE,
        resource_roles.GENERAL,
        resource_roles.subject_id(SubjectType.USER, user),
        *(resource_roles.subject_id(SubjectType.GROUP, key) for key in await loaders.groups_of_user.load(user)),
    }
    for grant in await loaders.grants.load(resource.id):
        if grant.subject in subjects and (grant.expires_at is None or grant.expires_at > now):
            mask |= resource_roles.effective(grant.mask, full)
    return mask


@strawberry.enum
class ResourceRole(Enum):
    METADATA_READ = resource_roles.METADATA_READ
    METADATA_WRITE = resource_roles.METADATA_WRITE
    DATASET_DATA_READ = resource_roles.DATA_READ
    DATASET_DATA_WRITE = resource_roles.DATA_WRITE
    ADMIN = resource_roles.ADMIN


Info = strawberry.Info[Any, Any]


def _roles(mask: int) -> list[ResourceRole]:
    return [role for role in ResourceRole if mask & role.value]


async def _viewer(info: Info) -> UserRow:
    """Return the user of the token in the request."""
    context = info.context
    if "user" not in context:
        token = context["request"].headers["authorization"].removeprefix("Bearer ")
        context["user"] = int(jwt.decode(token, context["key"], algorithms=[ALGORITHM])["sub"])
    row: UserRow = await context["loaders"].user.load(context["user"])
    return row


@strawberry.type
class Org:
    slug: str
    name: str


@strawberry.type
class User:
    id: int
    user_name: str
    email: str | None

    @strawberry.field
    async def roles(self, info: Info) -> list[str]:
        return [role.name for role in await info.context["loaders"].roles_of_user.load(self.id)]

    @strawberry.field
    async def orgs(self, info: Info) -> list[Org]:
        rows = await info.context["loaders"].orgs_of_user.load(self.id)
        return [Org(slug=row.slug, name=row.name) for row in rows]


@strawberry.type
class Group:
    display_name: str


@strawberry.type
class Grant:
    row: strawberry.Private[GrantRow]

    @strawberry.field
    async def group(self, info: Info) -> Group:
        return Group(display_name=(await info.context["loaders"].group.load(self.row.group_id)).display_name)

    @strawberry.field
    def roles(self) -> list[ResourceRole]:
        return _roles(self.row.mask)


@strawberry.type
class Resource:
    id: int
    name: str
    row: strawberry.Private[ResourceRow]

    @strawberry.field
    async def org(self, info: Info) -> Org:
        row = await info.context["loaders"].org.load(self.row.org_id)
        return Org(slug=row.slug, name=row.name)

    @strawberry.field
    async def effective_roles(self, info: Info) -> list[ResourceRole]:
        viewer = await _viewer(info)
        return _roles(await effective_roles(info.context["loaders"], viewer.id, self.row))

    @strawberry.field
    async def grants(self, info: Info) -> list[Grant]:
        rows = await info.context["loaders"].grants.load(self.id)
        return [Grant(row=row) for row in rows if row.group_id is not None]


def _user(row: UserRow) -> User:
    return User(id=row.id, user_name=row.user_name, email=row.email)


@strawberry.type
class Query:
    @strawberry.field
    async def viewer(self, info: Info) -> User:
        return _user(await _viewer(info))

    @strawberry.field
    async def users(self, info: Info, first: int) -> list[User]:
        await _viewer(info)
        statement = select(UserRow).order_by(UserRow.user_key).limit(first)
        return [_user(row) for row in await info.context["reader"].entities(statement)]

    @strawberry.field
    async def resources(self, info: Info, first: int) -> list[Resource]:
        await _viewer(info)
        statement = select(ResourceRow).order_by(ResourceRow.name_key, ResourceRow.id).limit(first)
        rows = await info.context["reader"].entities(statement)
        return [Resource(id=row.id, name=row.name, row=row) for row in rows]

    @strawberry.field
    async def check_access(self, info: Info, user: int, resource: int, role: ResourceRole) -> bool:
        await _viewer(info)
        loaders = info.context["loaders"]
        mask = await effective_roles(loaders, user, await loaders.resource.load(resource))
        return bool(mask & role.value)


class App(GraphQL[Any, Any]):
    """The GraphQL endpoint; each request has loaders of its own."""

    def __init__(self, reader: Reader, key: str) -> None:
        super().__init__(strawberry.Schema(Query))
        self._reader, self._key = reader, key

    async def get_context(self, request: Any, response: Any) -> Any:
        """Return the context of a request."""
        loaders = Loaders(self._reader)
        return {"request": request, "response": response, "reader": self._reader, "key": self._key, "loaders": loaders}


async def live(request: Request) -> Response:
    """Tell that the server runs."""
    return Response(b"{}", media_type="application/json")


def server(environment: Mapping[str, str]) -> uvicorn.Server:
    """Return the server of the database in the environment, with what `ostiary serve` serves with."""
    endpoint = App(Reader(environment["OSTIARY_DATABASE_URL"]), environment[KEY])
    app = Starlette(routes=[Route("/graphql", endpoint), Route("/health/live", live)])
    return uvicorn.Server(uvicorn.Config(app, http="httptools", ws="none", log_level="warning", access_log=False))


def listen(log: IO[bytes]) -> socket.socket:
    """Return a socket on a free port, and write its address to the log."""
    listening = socket.socket()
    listening.bind(("127.0.0.1", 0))
    log.write(b"http://127.0.0.1:%d\n" % listening.getsockname()[1])
    log.flush()
    return listening


if __name__ == "__main__":
    server(os.environ).run([listen(sys.stdout.buffer)])
