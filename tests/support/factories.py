"""Create rows for a claim, without the services: a test of a rule must not depend on the rule."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from itertools import count
from typing import Any

from sqlalchemy import Select, bindparam, func, select, update
from sqlmodel import SQLModel

from app import db
from app.db import tables
from app.db.statements import compile_insert
from app.db.tables import col
from app.domain import refs, resource_roles
from app.domain.resource_roles import MemberLevel, SubjectType
from app.domain.viewer import Permission
from app.query.relations import Keys, among
from app.security import api_token_format, passwords
from app.services import access_index
from app.services.app_context import AppContext
from tests.support.fetching import fetch

PASSWORD = "correct horse battery staple"

_ROLES = select(col(tables.Role.id)).where(
    among(col(tables.Role.name_key), bindparam("names", type_=Keys(tables.KeyText())))
)


@dataclass(frozen=True, slots=True)
class Person:
    """A user, as tests refer to one."""

    id: int
    user_name: str
    generation: int = 0

    @property
    def node(self) -> str:
        """Return the global id."""
        return refs.encode("User", self.id)


@dataclass(frozen=True, slots=True)
class Entity:
    """An org, a group or a resource, as tests refer to one."""

    kind: str
    id: int
    slug: str

    @property
    def node(self) -> str:
        """Return the global id."""
        return refs.encode(self.kind, self.id)


@cache
def _hash() -> str:
    return passwords.hash_password(PASSWORD)


async def stored_person(database: db.Database, user_name: str) -> Person:
    """Return a user that a service created, with the generation of their tokens."""
    columns = (tables.User.id, tables.User.user_name, tables.User.token_generation)
    named = col(tables.User.user_key) == tables.casefold_key(user_name)
    rows = await fetch(database, select(*(col(column) for column in columns)).where(named))
    return Person(*rows[0])


class Make:
    """A factory over one database."""

    def __init__(self, context: AppContext) -> None:
        self.app = context
        self._numbers = count(1)

    async def user(self, user_name: str | None = None, *roles: str, **columns: Any) -> Person:
        """Create a user with roles by name; their password is `PASSWORD`."""
        name = user_name or f"user{next(self._numbers)}"
        return (await self.users([name], roles, **columns))[0]

    async def users(self, names: Sequence[str], roles: Sequence[str] = (), **columns: Any) -> list[Person]:
        """Create many users with the same roles."""
        async with self.app.database.write() as tx:
            people = [Person(await _inserted(tx, tables.User, _user(tx, name, columns)), name) for name in names]
            role_ids = [row[0] for row in await tx.rows(_ROLES, names=[*roles])]
            assert len(role_ids) == len(set(roles)), roles
            pairs = [{"user_id": person.id, "role_id": role} for person in people for role in role_ids]
            await tx.insert(tables.UserRole, pairs)
        return people

    async def admin(self, user_name: str = "root") -> Person:
        """Create an administrator."""
        return await self.user(user_name, "admin")

    async def role(self, name: str, permissions: Permission = Permission.NONE) -> int:
        """Create a role, and return its id."""
        values = {
            "name": name,
            "name_key": tables.casefold_key(name),
            "description": "",
            "permissions": permissions.value,
            "is_built_in": False,
        }
        async with self.app.database.write() as tx:
            return await _inserted(tx, tables.Role, {**values, "created_at": tx.now})

    async def api_token(
        self, person: Person, permissions: Permission = Permission.NONE, limits: Sequence[Entity] | None = None
    ) -> tuple[str, int]:
        """Create an API token of a user, limited to these orgs and resources if there are any; return it and its id."""
        token, name = api_token_format.generate(), f"token{next(self._numbers)}"
        row = {"user_id": person.id, "name": name, "name_key": name, "prefix": api_token_format.prefix(token)}
        row |= {
            "hash": api_token_format.digest(token),
            "permissions": permissions.value,
            "is_limited": limits is not None,
        }
        key = await self._put(tables.ApiToken, row)
        async with self.app.database.write() as tx:
            for thing in limits or ():
                of = tables.ApiTokenOrg if thing.kind == "Org" else tables.ApiTokenResource
                await tx.insert(of, [{"token_id": key, f"{thing.kind.lower()}_id": thing.id}])
        return token, key

    async def holder(self, permissions: Permission, user_name: str | None = None) -> Person:
        """Create a user with exactly these permissions."""
        name = f"role{next(self._numbers)}"
        await self.role(name, permissions)
        return await self.user(user_name, name)

    async def org(self, slug: str | None = None, owner: Person | None = None, **columns: Any) -> Entity:
        """Create an org. By default it is private and has no owner."""
        slug = slug or f"org{next(self._numbers)}"
        name = columns.get("name", slug)
        values = {"slug": slug, "name": name, "name_key": tables.sort_key(name), "owner_id": owner and owner.id}
        values |= {"description": "", "is_public": False}
        return Entity("Org", await self._put(tables.Org, values | columns), slug)

    async def member(
        self,
        org: Entity,
        person: Person,
        level: MemberLevel = MemberLevel.READ_WRITE,
        expires_at: datetime | None = None,
    ) -> None:
        """Add a user to an org."""
        async with self.app.database.write() as tx:
            row = {"org_id": org.id, "user_id": person.id, "level": int(level), "granted_at": tx.now}
            await tx.insert(tables.OrgMember, [{**row, "expires_at": expires_at}])

    async def group(self, slug: str | None = None, *people: Person, **columns: Any) -> Entity:
        """Create a group with members."""
        slug = slug or f"group{next(self._numbers)}"
        name = columns.get("display_name", slug)
        values = {"slug": slug, "display_name": name, "name_key": tables.sort_key(name), "description": ""}
        group = Entity("Group", await self._put(tables.Group, values | columns), slug)
        for person in people:
            await self.group_member(group, person)
        return group

    async def group_member(
        self, group: Entity, person: Person, *, is_manager: bool = False, expires_at: datetime | None = None
    ) -> None:
        """Add a user to a group."""
        async with self.app.database.write() as tx:
            row = {"group_id": group.id, "user_id": person.id, "is_manager": is_manager, "added_at": tx.now}
            await tx.insert(tables.GroupMember, [{**row, "expires_at": expires_at}])

    async def resource(
        self,
        org: Entity,
        type: str = "DATASET",  # noqa: A002 - the name of the field in the API
        owner: Person | None = None,
        general: int | None = resource_roles.METADATA_READ | resource_roles.DATA_READ,
        **columns: Any,
    ) -> Entity:
        """Create a resource with the mask `general` for signed-in users; None leaves that entry out."""
        slug = columns.get("slug") or f"resource{next(self._numbers)}"
        name = columns.get("name", slug)
        kind = select(col(tables.ResourceType.id), col(tables.ResourceType.has_data))
        type_id, has_data = (await fetch(self.app.database, kind.where(col(tables.ResourceType.name) == type)))[0]
        full = resource_roles.ALL if has_data else resource_roles.NON_DATA
        values = {
            "org_id": org.id,
            "type_id": type_id,
            "slug": slug,
            "path": f"{org.slug}/{slug}",
            "name": name,
            "name_key": tables.sort_key(name),
            "description": "",
            "details": {},
            "owner_id": owner and owner.id,
            "size_bytes": 0,
            "full_mask": full,
            "revision": 1,
            "updated_at": self.app.database.clock(),
        }
        entity = Entity("Resource", await self._put(tables.Resource, values | columns), slug)
        await self._weigh(org)
        await self._granted(entity, [] if general is None else [_grant(entity, resource_roles.GENERAL, general & full)])
        return entity

    async def grant(
        self,
        resource: Entity,
        to: Person | Entity | None,
        mask: int = resource_roles.METADATA_READ,
        expires_at: datetime | None = None,
    ) -> None:
        """Add an entry of a user or a group to the access configuration of a resource; None is anyone."""
        if to is None:
            await self._granted(resource, [_grant(resource, resource_roles.ANYONE, mask) | {"expires_at": expires_at}])
            return
        group = isinstance(to, Entity)
        entry = _grant(
            resource, resource_roles.subject_id(SubjectType.GROUP if group else SubjectType.USER, to.id), mask
        )
        entry |= {"group_id" if group else "user_id": to.id, "expires_at": expires_at}
        await self._granted(resource, [entry])

    async def ticket(
        self,
        resource: Entity,
        person: Person | None = None,
        size: int = 0,
        *,
        is_upload: bool = True,
        expires_at: datetime | None = None,
    ) -> str:
        """Create an open ticket, valid for an hour, and return its id."""
        key = f"ticket{next(self._numbers):026}"
        org = select(col(tables.Resource.org_id)).where(col(tables.Resource.id) == resource.id)
        async with self.app.database.write() as tx:
            row = {"key": key, "resource_id": resource.id, "org_id": await tx.value(org), "bytes": size, "stage": 0}
            row |= {"user_id": person and person.id, "is_upload": is_upload, "created_at": tx.now}
            await tx.insert(tables.Ticket, [{**row, "expires_at": expires_at or tx.now + timedelta(hours=1)}])
        return key

    async def locked(self, resource: Entity, by: Person | None = None) -> None:
        """Lock a resource."""
        async with self.app.database.write() as tx:
            row = {"resource_id": resource.id, "user_id": by and by.id, "reason": "Because.", "created_at": tx.now}
            row["user_name"] = by and by.user_name
            await tx.insert(tables.Lock, [row])
            await tx.insert(tables.LockEvent, [{**row, "is_lock": True}])

    async def _weigh(self, org: Entity) -> None:
        """Store the total size of the resources of an org."""
        size = func.coalesce(func.sum(col(tables.Resource.size_bytes)), 0)
        taken = select(size).where(col(tables.Resource.org_id) == org.id).scalar_subquery()
        async with self.app.database.write() as tx:
            await tx.rows(update(tables.Org).where(col(tables.Org.id) == org.id).values(size_bytes=taken))

    async def _put(self, table: Any, values: dict[str, Any]) -> int:
        """Insert a row, and return its id."""
        async with self.app.database.write() as tx:
            row = {"created_at": tx.now} | values
            return await _inserted(tx, table, row)

    async def _granted(self, resource: Entity, grants: Sequence[dict[str, Any]]) -> None:
        async with self.app.database.write() as tx:
            await tx.insert(tables.Grant, grants)
            await access_index.refresh(tx, [resource.id])


def _grant(resource: Entity, subject: int, mask: int) -> dict[str, Any]:
    nobody = {"group_id": None, "user_id": None, "expires_at": None}
    return {"resource_id": resource.id, "subject": subject, "mask": mask, **nobody}


async def _inserted(tx: db.Transaction, table: Any, row: dict[str, Any]) -> int:
    """Insert a row, and return its id."""
    statement = _insert_of(table, tuple(row))
    return int(await tx.value(statement, **{f"new_{name}": value for name, value in row.items()}))


@cache
def _insert_of(table: Any, columns: tuple[str, ...]) -> Any:
    """Return the statement for rows of these columns: the same for all tests, so that it is compiled once."""
    return compile_insert(table, columns).returning(col(table.id))


def _user(tx: db.Transaction, name: str, columns: dict[str, Any]) -> dict[str, Any]:
    email = columns.get("email")
    return {
        "user_name": name,
        "user_key": tables.casefold_key(name),
        "display_name": columns.get("display_name"),
        "display_key": tables.sort_key(columns.get("display_name") or name),
        "email": email,
        "email_key": None if email is None else tables.casefold_key(email),
        "password_hash": columns.get("password_hash", _hash()),
        "token_generation": 0,
        "is_service_account": columns.get("is_service_account", False),
        "details": columns.get("details", {}),
        "created_at": columns.get("created_at", tx.now),
        "last_login_at": columns.get("last_login_at"),
    }


async def rows_of(database: db.Database, table: type[SQLModel]) -> int:
    """Return the number of rows of a table, to show that a refused change stores nothing."""
    counted: int = (await fetch(database, select(func.count()).select_from(table)))[0][0]
    return counted


async def stale(database: db.Database) -> set[Any]:
    """Return the rows of the access index that are wrong, and those that are missing."""
    stored = await fetch(database, select(*(col(getattr(tables.Access, name)) for name in access_index.COLUMNS)))
    return {*stored} ^ {*await fetch(database, access_index.definition())}


async def everything(database: db.Database) -> dict[str, list[Any]]:
    """Return all stored rows, to compare before and after a refusal, without the counters of refusals."""
    statements = _all_rows()
    answers = await database.read(
        [(database.prepare(each), {}) for each in statements.values()], freshness=db.Freshness.PRIMARY
    )
    return dict(zip(statements, answers, strict=True))


@cache
def _all_rows() -> dict[str, Select[Any]]:
    """Return for each table the statement that selects all rows in the order of their keys."""
    compared = (table for table in SQLModel.metadata.sorted_tables if table.name != tables.Guess.__tablename__)
    return {table.name: select(*table.c).order_by(*table.primary_key) for table in compared}


async def all_but_the_log(database: db.Database) -> dict[str, list[Any]]:
    """Return all stored rows except those of the audit log."""
    return {name: rows for name, rows in (await everything(database)).items() if not name.startswith("audit_")}
