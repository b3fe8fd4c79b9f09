"""A registry of DroneDB made by a test: its two SQLite files, and the folder of its datasets."""

import json
import sqlite3
from base64 import b64encode
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass, field
from hashlib import pbkdf2_hmac
from pathlib import Path
from typing import Any
from uuid import UUID

from tests.support import mysql_dump

IDENTITY = """
CREATE TABLE AspNetUsers (Id TEXT NOT NULL PRIMARY KEY, UserName TEXT, NormalizedUserName TEXT, Email TEXT,
    NormalizedEmail TEXT, EmailConfirmed INTEGER NOT NULL, PasswordHash TEXT, SecurityStamp TEXT, LockoutEnd TEXT,
    LockoutEnabled INTEGER NOT NULL, AccessFailedCount INTEGER NOT NULL, Metadata TEXT NOT NULL);
CREATE TABLE AspNetRoles (Id TEXT NOT NULL PRIMARY KEY, Name TEXT, NormalizedName TEXT, ConcurrencyStamp TEXT);
CREATE TABLE AspNetUserRoles (UserId TEXT NOT NULL, RoleId TEXT NOT NULL, PRIMARY KEY (UserId, RoleId));
"""
REGISTRY = """
CREATE TABLE Organizations (Slug TEXT NOT NULL PRIMARY KEY, Name TEXT NOT NULL, Description TEXT,
    CreationDate TEXT NOT NULL, OwnerId TEXT, IsPublic INTEGER NOT NULL);
CREATE TABLE OrganizationsUsers (OrganizationSlug TEXT NOT NULL, UserId TEXT NOT NULL, GrantedAt TEXT, GrantedBy TEXT,
    Permissions INTEGER NOT NULL DEFAULT 1, PRIMARY KEY (OrganizationSlug, UserId));
CREATE TABLE Datasets (Id INTEGER PRIMARY KEY AUTOINCREMENT, Slug TEXT NOT NULL, OrganizationSlug TEXT NOT NULL,
    InternalRef TEXT NOT NULL, CreationDate TEXT NOT NULL, FileTypes TEXT);
"""
META = "CREATE TABLE entries_meta (id TEXT PRIMARY KEY, path TEXT NOT NULL, key TEXT, data TEXT, mtime INTEGER);"
THEN = "2024-01-15 10:30:00"


def aspnet_hash(password: str, iterations: int = 1_000) -> str:
    """Return a hash of ASP.NET Identity, version 3, with HMAC-SHA256."""
    salt = password.encode().ljust(16, b"!")[:16]
    parts = (number.to_bytes(4, "big") for number in (1, iterations, len(salt)))
    return b64encode(
        b"\1" + b"".join(parts) + salt + pbkdf2_hmac("sha256", password.encode(), salt, iterations)
    ).decode()


@dataclass
class DroneDB:
    """The rows of a registry. A user is its id, and columns that differ from those of a usual account."""

    users: dict[str, dict[str, Any]] = field(default_factory=dict)
    roles: dict[str, Any] = field(default_factory=dict)
    holders: Iterable[tuple[str, str]] = ()
    orgs: Iterable[tuple[Any, ...]] = ()
    """Slug, name, id of the owner, is public."""
    members: Iterable[tuple[Any, ...]] = ()
    """Slug, id of the user, level."""
    datasets: Iterable[tuple[Any, ...]] = ()
    """Slug of the org, slug, metadata."""

    def write(self, folder: Path) -> Path:
        """Write both files, and the metadata of the datasets below `datasets`."""
        folder.mkdir()
        with closing(sqlite3.connect(folder / "identity.db")) as connection, connection:
            connection.executescript(IDENTITY)
            for key, columns in self.users.items():
                user = {"UserName": key, "Metadata": "{}", "LockoutEnabled": 1, **columns}
                user |= {"EmailConfirmed": 1, "AccessFailedCount": 0, "Id": key}
                connection.execute("INSERT INTO AspNetUsers " + _values(user), user)
            connection.executemany("INSERT INTO AspNetRoles (Id, Name) VALUES (?, ?)", self.roles.items())
            connection.executemany("INSERT INTO AspNetUserRoles VALUES (?, ?)", self.holders)
        with closing(sqlite3.connect(folder / "registry.db")) as connection, connection:
            connection.executescript(REGISTRY)
            connection.executemany(
                "INSERT INTO Organizations (CreationDate, Slug, Name, OwnerId, IsPublic) VALUES (?, ?, ?, ?, ?)",
                [(THEN, *org) for org in self.orgs],
            )
            connection.executemany(
                "INSERT INTO OrganizationsUsers (OrganizationSlug, UserId, Permissions) VALUES (?, ?, ?)", self.members
            )
            for at, (org, slug, meta) in enumerate(self.datasets, 1):
                reference = str(UUID(int=at))
                row = org, slug, reference.upper(), THEN
                connection.execute(
                    "INSERT INTO Datasets (OrganizationSlug, Slug, InternalRef, CreationDate) VALUES (?, ?, ?, ?)", row
                )
                if meta is not None:
                    write_meta(folder / "datasets" / org / reference, meta)
        return folder

    def write_dumps(self, folder: Path, **options: bool) -> Path:
        """Write both databases as mysqldump does, and the metadata of the datasets below `datasets`."""
        self.write(folder)
        for name in ("identity", "registry"):
            (folder / f"{name}.sql").write_text(mysql_dump.dump(folder / f"{name}.db", **options))
            (folder / f"{name}.db").unlink()
        return folder


def _values(row: dict[str, Any]) -> str:
    return f"({', '.join(row)}) VALUES ({', '.join(f':{name}' for name in row)})"


def write_meta(folder: Path, meta: dict[str, Any]) -> None:
    """Write the metadata of a dataset, and of one of its files."""
    (folder / ".ddb").mkdir(parents=True)
    with closing(sqlite3.connect(folder / ".ddb/dbase.sqlite")) as connection, connection:
        connection.executescript(META)
        rows = [(f"{at}", "", key, json.dumps(value), 0) for at, (key, value) in enumerate(meta.items())]
        connection.executemany(
            "INSERT INTO entries_meta VALUES (?, ?, ?, ?, ?)", [*rows, ("f", "a.jpg", "visibility", "2", 0)]
        )
