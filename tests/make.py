"""Makes what a claim needs, in one short line, past the services: a test of a rule must not rest on the rule."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import count
from typing import Any

from sqlalchemy import func, insert, select
from sqlmodel import SQLModel

from app import db, passwords, tables
from app.auth import Permission
from app.schema import ids
from app.services.accounts import Desk
from app.sources import among, texts
from app.tables import col

PASSWORD = "correct horse battery staple"


@dataclass(frozen=True, slots=True)
class Person:
    """A user as tests speak of her."""

    id: int
    user_name: str
    generation: int = 0

    @property
    def node(self) -> str:
        """Her global id."""
        return ids.encode("User", self.id)


@cache
def _hash() -> str:
    return passwords.hashed(PASSWORD)


class Make:
    """A factory over one database."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self._numbers = count(1)

    async def user(self, user_name: str | None = None, *roles: str, **given: Any) -> Person:
        """A user with roles by name; her password is `PASSWORD`."""
        name = user_name or f"user{next(self._numbers)}"
        return (await self.users([name], roles, **given))[0]

    async def users(self, names: Sequence[str], roles: Sequence[str] = (), **given: Any) -> list[Person]:
        """Many users at once with the same roles."""
        async with self.desk.database.write() as tx:
            made = [Person(await tx.value(_user(tx, name, given)), name) for name in names]
            wanted = select(col(tables.Role.id)).where(among(col(tables.Role.name_key), texts(roles)))
            held = [row[0] for row in await tx.rows(wanted)]
            assert len(held) == len(set(roles)), roles
            for person in made:
                for role in held:
                    await tx.rows(insert(tables.UserRole).values(user_id=person.id, role_id=role))
        return made

    async def admin(self, user_name: str = "root") -> Person:
        """An administrator."""
        return await self.user(user_name, "admin")

    async def role(self, name: str, permissions: Permission = Permission.NONE) -> int:
        """A role; answers its id."""
        values = {
            "name": name,
            "name_key": tables.folded(name),
            "description": "",
            "permissions": permissions.value,
            "is_built_in": False,
        }
        async with self.desk.database.write() as tx:
            statement = insert(tables.Role).values(**values, created_at=tx.now).returning(col(tables.Role.id))
            return int(await tx.value(statement))

    async def holder(self, permissions: Permission, user_name: str | None = None) -> Person:
        """A user who holds just these permissions."""
        name = f"role{next(self._numbers)}"
        await self.role(name, permissions)
        return await self.user(user_name, name)


def _user(tx: db.Transaction, name: str, given: dict[str, Any]) -> Any:
    email = given.get("email")
    values = {
        "user_name": name,
        "user_key": tables.folded(name),
        "email": email,
        "email_key": None if email is None else tables.folded(email),
        "password_hash": given.get("password_hash", _hash()),
        "token_generation": 0,
        "details": given.get("details", {}),
        "created_at": given.get("created_at", tx.now),
    }
    return insert(tables.User).values(**values).returning(col(tables.User.id))


async def rows_of(database: db.Database, table: type[SQLModel]) -> int:
    """How many rows a table has: a refusal shows with it that nothing changed."""
    counted: int = (await database.ask(select(func.count()).select_from(table)))[0][0]
    return counted


async def everything(database: db.Database) -> dict[str, list[Any]]:
    """All that is stored, to compare before and after a refusal."""
    found = {}
    for table in SQLModel.metadata.sorted_tables:
        rows = await database.ask(select(*table.c))
        found[table.name] = sorted(rows, key=repr)
    return found
