"""Generated worlds: rows with a viewer of every kind, and the texts and ids that queries can use."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from random import Random
from string import ascii_letters, digits
from typing import Any

from hypothesis import strategies as st

from app import db
from tests.oracle.naive import Reading, identity, permissions
from tests.oracle.naive.lists import Row, folded
from tests.oracle.naive.rights import Rights
from tests.oracle.worlds.entities import BEGINNING, MOMENTS, TITLES, TYPES, Numbers, things
from tests.oracle.worlds.tokens import tokens
from tests.oracle.worlds.written import write
from tests.support.factories import Person

EVERYTHING = 2047
BUILT_IN = {"admin": EVERYTHING, "user": 8, "deactivated": 0}
CUSTOM_ROLES = {"Lookers": 1, "Makers": 2, "Keepers": 48, "Registrars": 64, "Auditors": 128}
CUSTOM_ROLES |= {"Checkers": 256, "Observers": 512, "Surveyors": 1024, "Inspectors": 1 + 128 + 256 + 512 + 1024}
CAST: dict[str, Sequence[str]] = {
    "stranger": (),
    "plain": ("user",),
    "viewing": ("user", "Lookers"),
    "managing": ("Makers",),
    "keeping": ("Keepers",),
    "registrar": ("Registrars",),
    "auditor": ("Auditors",),
    "checking": ("Checkers",),
    "observing": ("Observers", "user"),
    "surveying": ("Surveyors",),
    "inspecting": ("Inspectors",),
    "admin": ("admin", "user"),
    "gone": ("admin", "deactivated"),
}
"""The viewers by their roles; `nobody` is the anonymous viewer."""

WORDS: Mapping[str, Sequence[tuple[str, str]]] = {
    "userName": [("User", "userName")],
    "ownerUserName": [("User", "userName")],
    "email": [("User", "email")],
    "roleName": [("Role", "name")],
    "search": [
        ("User", "userName"),
        ("User", "email"),
        ("Org", "name"),
        ("Group", "displayName"),
        ("Resource", "slug"),
    ],
    "name": [("Role", "name"), ("Org", "name"), ("Resource", "name")],
    "displayName": [("Group", "displayName"), ("User", "displayName")],
    "slug": [("Org", "slug"), ("Group", "slug"), ("Resource", "slug")],
    "orgSlug": [("Org", "slug")],
    "type": [("ResourceType", "name")],
    "actorName": [("AuditEvent", "actorName")],
    "action": [("AuditEvent", "action")],
}
"""The fields with the texts of an input field, by its name."""


@dataclass(frozen=True, slots=True)
class Question:
    """A query with its variables."""

    text: str
    variables: dict[str, Any]


@dataclass(repr=False)
class World:
    """Rows by type, and the values that a query can use."""

    rows: dict[str, list[Row]]
    cast: dict[str, Row]
    tokens: dict[str, Row]
    texts: dict[str, list[str]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Collect texts that match rows, by the name of the input field."""
        for word, places in WORDS.items():
            texts = [row[name] for kind, name in places for row in self.rows[kind] if row[name] is not None]
            self.texts[word] = [*texts, *(text.swapcase() for text in texts), "nothing"]

    def __repr__(self) -> str:
        """Return a short text for Hypothesis, since a complete world is too long to print."""
        return f"World of {sum(map(len, self.rows.values()))} rows"

    @cached_property
    def rights(self) -> Rights:
        return Rights(self.rows)

    @property
    def viewers(self) -> dict[str, Person | str | None]:
        """Return all viewers; some use an API token."""
        cast = {kind: Person(row["key"], row["userName"]) for kind, row in self.cast.items()}
        return {"nobody": None, **cast, **{kind: row["secret"] for kind, row in self.tokens.items()}}

    def reading(self, kind: str) -> Reading:
        """Return the naive view of a viewer."""
        token = self.tokens.get(kind)
        owner = None if token is None else self.rights.by_key["User"][token["user"]]
        return Reading(self.rights, owner or self.cast.get(kind), token)

    @cached_property
    def ids(self) -> list[str]:
        return [identity(row) for rows in self.rows.values() for row in rows]

    def ready(self, kind: str) -> list[Any]:
        """Return complete input objects that match rows, by the name of their type; most types have none."""
        if kind == "ResourcePath":
            slugs = {org["key"]: org["slug"] for org in self.rows["Org"]}
            return [{"orgSlug": slugs[row["org"]], "slug": row["slug"]} for row in self.rows["Resource"]]
        rows = self.rows.get(kind.removesuffix("By"), []) if kind.endswith("By") else []
        return [{"id": identity(row)} for row in rows]

    def checked(self, way: str) -> list[str]:
        """Return all users or resources, as a batch of checks names them in this argument."""
        match way:
            case "userNames":
                return [row["userName"] for row in self.rows["User"]]
            case "resourcePaths":
                return [f"{each['orgSlug']}/{each['slug']}" for each in self.ready("ResourcePath")]
        return [each["id"] for each in self.ready("UserBy" if way == "users" else "ResourceBy")]

    @property
    def lookups(self) -> Question:
        """Return a query that looks up every user by name, visible or not."""
        names = [user["userName"] for user in self.rows["User"]]
        parts = [f'u{at}: user(by: {{userName: "{name}"}}) {{ id email }}' for at, name in enumerate(names)]
        return Question(f"query Named {{ {' '.join(parts)} }}", {})

    @cached_property
    def moments(self) -> list[datetime]:
        return [
            value
            for rows in self.rows.values()
            for row in rows
            for value in row.values()
            if isinstance(value, datetime)
        ]

    async def write(self, database: db.Database) -> None:
        """Replace all rows of the database by this world."""
        await write(database, self.rows)


LETTERS = st.characters(exclude_categories=("C", "Z"))
"""Without surrogates, which are in C. To name the codec would mean the same, and takes seconds to compute."""

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


def role(key: int, name: str, mask: int, created_at: datetime = BEGINNING, *, built_in: bool = False) -> Row:
    columns = {"name": name, "description": f"About {name}", "permissions": permissions(mask)}
    more = {"isBuiltIn": built_in, "createdAt": created_at, "revision": key % 7 + 1}
    return {"__typename": "Role", "key": key, **columns, **more}


def user(key: int, name: str, roles: Sequence[int], **columns: Any) -> Row:
    usual: Row = {"isServiceAccount": False, "email": None, "metadata": {}, "createdAt": BEGINNING, "lastLoginAt": None}
    named = {"userName": name, "displayName": None, "roles": set(roles), "revision": key % 7 + 1}
    return {"__typename": "User", "key": key, **named, **usual, **columns}


FIRST = len(BUILT_IN) + len(CUSTOM_ROLES) + 1
"""The key of the first role that is not in every world."""


def peopled(random: Random, roles: Sequence[Row], users: Sequence[Row], numbers: Numbers) -> World:
    """Return a world of these users and roles, the built-in roles, the cast, and objects in these numbers."""
    every = [role(at, name, mask, built_in=True) for at, (name, mask) in enumerate(BUILT_IN.items(), 1)]
    every += [role(at, name, mask, MOMENTS[1]) for at, (name, mask) in enumerate(CUSTOM_ROLES.items(), len(every) + 1)]
    keys = {row["name"]: row["key"] for row in every}
    cast = {
        name: user(
            at,
            f"{name}Cast",
            [keys[each] for each in roles],
            email=f"{name}@Some.example",
            lastLoginAt=MOMENTS[1],
        )
        for at, (name, roles) in enumerate(CAST.items(), 500)
    }
    people = [*users, *cast.values()]
    entities = things(random, [row["key"] for row in [*users, *list(cast.values()) * 4]], numbers)
    api_tokens = tokens(random, cast, entities)
    rows = {
        "User": people,
        "Role": [*every, *roles],
        "ResourceType": [*TYPES],
        **entities,
        "ApiToken": [*api_tokens.values()],
    }
    return World(rows, cast, api_tokens)


def _is_new(name: str) -> bool:
    return folded(name) not in {folded(each) for each in (*BUILT_IN, *CUSTOM_ROLES)}


@st.composite
def worlds(draw: st.DrawFn) -> World:
    """Generate small worlds with unusual names and values."""
    named = st.text(LETTERS, min_size=1, max_size=8).filter(_is_new)
    names = draw(st.lists(named, max_size=3, unique_by=folded))
    roles = [
        role(at, name, draw(st.integers(0, EVERYTHING)), draw(st.sampled_from(MOMENTS)))
        for at, name in enumerate(names, FIRST)
    ]
    keys = draw(st.lists(st.integers(1, 2**31 - 1).filter(lambda key: not 500 <= key < 520), max_size=5, unique=True))
    called = draw(st.lists(NAMES, min_size=len(keys), max_size=len(keys), unique_by=folded))
    role_sets = st.sets(st.integers(1, FIRST - 1 + len(roles)), max_size=3)
    users = [
        user(
            key,
            name,
            sorted(draw(role_sets)),
            displayName=draw(st.sampled_from([None, *TITLES])),
            email=draw(st.sampled_from([None, f"{name}@Some.example"])),
            metadata=draw(st.dictionaries(st.text(LETTERS, max_size=5), VALUES, max_size=2)),
            createdAt=draw(st.sampled_from(MOMENTS)),
            lastLoginAt=draw(st.sampled_from([None, *MOMENTS])),
        )
        for key, name in zip(keys, called, strict=True)
    ]
    return peopled(Random(draw(st.integers(0, 2**32))), roles, users, Numbers(orgs=3, groups=3, resources=5))


def lonely(random: Random) -> World:
    """Return an almost empty world."""
    users = [user(key, f"lonely{key}", [2]) for key in (600, 601)]
    return peopled(random, [], users, Numbers(orgs=1, groups=1, resources=1))


def crowded(random: Random, size: int = 120) -> World:
    """Return a large world, with more rows of each type than a page of a hundred."""
    roles = [
        role(key, f"Röle {key}", random.randrange(EVERYTHING + 1), random.choice(MOMENTS)) for key in range(FIRST, 30)
    ]
    users = []
    for key in random.sample(range(600, 6000), size):
        name = f"{random.choice('abcABC')}{random.choice('xyz')}{key}"
        role_keys = random.sample(range(1, 30), random.randrange(4))
        users.append(
            user(
                key,
                name,
                [*role_keys, 2],
                displayName=random.choice([None, *TITLES]),
                email=random.choice([None, f"{name}@Some.example", f"{name}@other.example"]),
                metadata={"maxStorageMB": key, "tags": [name]},
                createdAt=random.choice(MOMENTS),
                lastLoginAt=random.choice([None, *MOMENTS]),
            )
        )
    return peopled(random, roles, users, Numbers(orgs=30, groups=25, resources=size))
