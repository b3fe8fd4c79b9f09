"""Worlds to read in: made-up rows with somebody of every kind in them, and how they get into a database."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random
from string import ascii_letters, digits
from typing import Any

from hypothesis import strategies as st
from sqlalchemy import delete

from app import db, tables
from tests.make import Person
from tests.naive import identity
from tests.naive_lists import Row, folded

BEGINNING = datetime(2024, 2, 29, 23, 59, 59, 999_999, tzinfo=UTC)
BUILT_IN = {"admin": 255, "user": 8, "deactivated": 0}
CAST: dict[str, Sequence[str]] = {
    "stranger": (),
    "plain": ("user",),
    "viewing": ("user", "Lookers"),
    "managing": ("Makers",),
    "admin": ("admin", "user"),
    "gone": ("admin", "deactivated"),
}
"""Who asks, by the roles that they hold; `nobody` asks too."""


@dataclass
class World:
    """Rows by type, and what can be said about them in a question."""

    rows: dict[str, list[Row]]
    cast: dict[str, Row]
    texts: dict[str, list[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Words that hit something, by the name of the input field that they stand in."""
        for kind, name, word in (
            ("User", "userName", "userName"),
            ("User", "email", "email"),
            ("Role", "name", "role"),
        ):
            found = [row[name] for row in self.rows[kind] if row[name] is not None]
            self.texts[word] = self.texts[name] = [*found, *(text.swapcase() for text in found), "nothing"]

    @property
    def viewers(self) -> dict[str, Person | None]:
        """Everybody who asks."""
        cast = {kind: Person(row["key"], row["userName"]) for kind, row in self.cast.items()}
        return {"nobody": None, **cast}

    @property
    def ids(self) -> list[str]:
        return [identity(row) for rows in self.rows.values() for row in rows]

    @property
    def moments(self) -> list[datetime]:
        return [
            value
            for rows in self.rows.values()
            for row in rows
            for value in row.values()
            if isinstance(value, datetime)
        ]

    async def write(self, database: db.Database) -> None:
        """Make the database hold this world and nothing else."""
        held = [{"user_id": row["key"], "role_id": key} for row in self.rows["User"] for key in row["roles"]]
        async with database.write() as tx:
            for table in (tables.UserRole, tables.User, tables.Role):
                await tx.rows(delete(table))
            await tx.put(tables.Role, [_role_values(row) for row in self.rows["Role"]])
            await tx.put(tables.User, [_user_values(row) for row in self.rows["User"]])
            await tx.put(tables.UserRole, held)


def _role_values(row: Row) -> Row:
    return {
        "id": row["key"],
        "name": row["name"],
        "name_key": folded(row["name"]),
        "description": row["description"],
        "permissions": row["permissions"],
        "is_built_in": row["isBuiltIn"],
        "created_at": row["createdAt"],
    }


def _user_values(row: Row) -> Row:
    return {
        "id": row["key"],
        "user_name": row["userName"],
        "user_key": folded(row["userName"]),
        "email": row["email"],
        "email_key": None if row["email"] is None else folded(row["email"]),
        "token_generation": 0,
        "details": row["metadata"],
        "created_at": row["createdAt"],
        "last_login_at": row["lastLoginAt"],
    }


# --- making them

MOMENTS = [BEGINNING + timedelta(days=days, microseconds=days) for days in (0, 1, 1, 300)]
"""Few, so that many rows were made at the same moment."""

LETTERS = st.characters(codec="utf-8", exclude_categories=("C", "Z"))
NAMES = st.text(ascii_letters + digits, min_size=1, max_size=6)
VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(-1e300, 1e300)
    | st.text(LETTERS, max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(LETTERS, max_size=5), inner, max_size=3),
    max_leaves=5,
)


def role(key: int, name: str, permissions: int, made: datetime = BEGINNING, *, built_in: bool = False) -> Row:
    given = {"name": name, "description": f"About {name}", "permissions": permissions}
    return {"__typename": "Role", "key": key, **given, "isBuiltIn": built_in, "createdAt": made}


def user(key: int, name: str, roles: Sequence[int], **given: Any) -> Row:
    usual: Row = {"email": None, "metadata": {}, "createdAt": BEGINNING, "lastLoginAt": None}
    return {"__typename": "User", "key": key, "userName": name, "roles": set(roles), **usual, **given}


def peopled(roles: Sequence[Row], users: Sequence[Row]) -> World:
    """A world of these, of the built-in roles, and of the cast."""
    every = [role(at, name, mask, built_in=True) for at, (name, mask) in enumerate(BUILT_IN.items(), 1)]
    every += [role(4, "Lookers", 1, MOMENTS[1]), role(5, "Makers", 2, MOMENTS[1]), *roles]
    keys = {row["name"]: row["key"] for row in every}
    cast = {
        name: user(
            at, f"{name}Cast", [keys[held] for held in roles], email=f"{name}@Some.example", lastLoginAt=MOMENTS[1]
        )
        for at, (name, roles) in enumerate(CAST.items(), 500)
    }
    return World({"User": [*users, *cast.values()], "Role": every}, cast)


def _is_new(name: str) -> bool:
    return folded(name) not in {folded(each) for each in (*BUILT_IN, "Lookers", "Makers")}


@st.composite
def worlds(draw: st.DrawFn) -> World:
    """Small worlds of odd names and values."""
    named = st.text(LETTERS, min_size=1, max_size=8).filter(_is_new)
    names = draw(st.lists(named, max_size=3, unique_by=folded))
    roles = [
        role(at, name, draw(st.integers(0, 255)), draw(st.sampled_from(MOMENTS))) for at, name in enumerate(names, 6)
    ]
    keys = draw(st.lists(st.integers(1, 2**31 - 1).filter(lambda key: not 500 <= key < 510), max_size=5, unique=True))
    called = draw(st.lists(NAMES, min_size=len(keys), max_size=len(keys), unique_by=folded))
    held = st.sets(st.integers(1, 5 + len(roles)), max_size=3)
    users = [
        user(
            key,
            name,
            sorted(draw(held)),
            email=draw(st.sampled_from([None, f"{name}@Some.example"])),
            metadata=draw(st.dictionaries(st.text(LETTERS, max_size=5), VALUES, max_size=2)),
            createdAt=draw(st.sampled_from(MOMENTS)),
            lastLoginAt=draw(st.sampled_from([None, *MOMENTS])),
        )
        for key, name in zip(keys, called, strict=True)
    ]
    return peopled(roles, users)


def crowded(random: Random, size: int = 120) -> World:
    """A large one: more of everything than stands on a page of a hundred."""
    roles = [role(key, f"Röle {key}", random.randrange(256), random.choice(MOMENTS)) for key in range(6, 30)]
    users = []
    for key in random.sample(range(600, 6000), size):
        name = f"{random.choice('abcABC')}{random.choice('xyz')}{key}"
        held = random.sample(range(1, 30), random.randrange(4))
        users.append(
            user(
                key,
                name,
                [*held, 2],
                email=random.choice([None, f"{name}@Some.example", f"{name}@other.example"]),
                metadata={"maxStorageMB": key, "tags": [name]},
                createdAt=random.choice(MOMENTS),
                lastLoginAt=random.choice([None, *MOMENTS]),
            )
        )
    return peopled(roles, users)
