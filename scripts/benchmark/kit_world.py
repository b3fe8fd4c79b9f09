"""Writes the world of the peers' kit into a database of Ostiary, so that all servers have the same rows.

The kit generates its world as a SQLite file of the textbook server. Its own loader knows the tables of an early
version of Ostiary.
"""

import argparse
import sqlite3
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from app.db import tables
from app.domain import resource_roles
from app.domain.resource_roles import MemberLevel, SubjectType
from app.security import passwords
from scripts.benchmark.filling import fill_postgresql, fill_sqlite
from scripts.benchmark.world import (
    ADMIN,
    BEGINNING,
    PASSWORD,
    ExistingIds,
    Rows,
    Spec,
    World,
    entry,
    group_member,
    org_member,
    rows_of,
)

SQLITE = "sqlite:///"


class KitWorld(World):
    """The rows of a file of the kit. Group 0 of the kit is every signed-in user."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        counts = (self._ask(f"SELECT count(*) FROM {table}") for table in ("users", "orgs", "groups", "resources"))  # noqa: S608 - names of ours
        self.spec = Spec(*(next(rows)[0] for rows in counts))

    def tables(self, existing: ExistingIds) -> list[Rows]:
        """Return all tables, each after the ones that it references: first the roles and types that are missing."""
        roles = _new_ids(existing.roles, self._ask("SELECT name FROM roles ORDER BY id"))
        types = _new_ids(existing.types, self._ask("SELECT DISTINCT type FROM resources ORDER BY type"))
        complete = ExistingIds({**existing.roles, **roles}, {**existing.types, **types})
        return [
            rows_of(tables.Role, (_role(name, key) for name, key in roles.items())),
            rows_of(tables.ResourceType, (_type(name, key) for name, key in types.items())),
            *super().tables(complete),
        ]

    def _ask(self, statement: str) -> Iterator[Any]:
        return iter(self._connection.execute(statement))

    def _users(self) -> Iterator[dict[str, Any]]:
        secret = passwords.hash_password(PASSWORD)
        for key, name, email, full_name in self._ask("SELECT id, user_name, email, full_name FROM users"):
            yield {
                "id": key,
                "user_name": name,
                "user_key": tables.casefold_key(name),
                "display_key": tables.sort_key(name),
                "revision": 1,
                "email": email,
                "email_key": tables.casefold_key(email),
                "password_hash": secret,
                "token_generation": 0,
                "details": {"fullName": full_name},
                "is_service_account": False,
                "created_at": BEGINNING,
            }

    def _user_roles(self, existing: ExistingIds) -> Iterator[dict[str, Any]]:
        ids = {tables.casefold_key(name): key for name, key in existing.roles.items()}
        names = dict(self._ask("SELECT id, name FROM roles"))
        for user, role in self._ask("SELECT user_id, role_id FROM user_roles"):
            yield {"user_id": user, "role_id": ids[tables.casefold_key(names[role])]}

    def _orgs(self) -> Iterator[dict[str, Any]]:
        for key, slug, name in self._ask("SELECT id, slug, name FROM orgs"):
            yield {
                **{"id": key, "slug": slug, "name": name, "name_key": tables.sort_key(name), "description": ""},
                **{"is_public": True, "size_bytes": 0, "revision": 1, "created_at": BEGINNING},
            }

    def _org_members(self) -> Iterator[dict[str, Any]]:
        for org, user in self._ask("SELECT org_id, user_id FROM org_members"):
            yield org_member(org, user, MemberLevel.READ_ONLY, None)

    def _groups(self) -> Iterator[dict[str, Any]]:
        for key, name in self._ask("SELECT id, name FROM groups WHERE id > 0"):
            yield {
                **{"id": key, "slug": name, "display_name": name, "name_key": tables.sort_key(name), "description": ""},
                **{"members_seen_by": "MEMBERS", "revision": 1, "created_at": BEGINNING},
            }

    def _group_members(self) -> Iterator[dict[str, Any]]:
        for group, user in self._ask("SELECT group_id, user_id FROM group_members"):
            yield group_member(group, user, None, is_manager=False)

    def _resources(self, existing: ExistingIds) -> Iterator[dict[str, Any]]:
        slugs = dict(self._ask("SELECT id, slug FROM orgs"))
        for key, name, kind, org, owner in self._ask("SELECT id, name, type, org_id, owner_id FROM resources"):
            yield {
                **{"id": key, "org_id": org, "type_id": existing.types[kind], "slug": name},
                **{"path": f"{slugs[org]}/{name}", "name": name, "name_key": tables.sort_key(name)},
                **{"description": "", "details": {}, "owner_id": owner, "size_bytes": 0},
                **{"full_mask": resource_roles.ALL, "edit_revision": 1, "revision": 1},
                **{"created_at": BEGINNING, "updated_at": BEGINNING},
            }

    def _grants(self) -> Iterator[dict[str, Any]]:
        """Yield the entry of all signed-in users for each resource, empty where the kit has none, and the others."""
        general = dict(self._ask("SELECT resource_id, roles FROM grants WHERE group_id = 0"))
        number = 0
        for (key,) in self._ask("SELECT id FROM resources"):
            number += 1
            yield {"id": number, "resource_id": key, **entry(resource_roles.GENERAL, general.get(key, 0))}
        for key, group, mask in self._ask("SELECT resource_id, group_id, roles FROM grants WHERE group_id > 0"):
            number += 1
            subject = resource_roles.subject_id(SubjectType.GROUP, group)
            yield {"id": number, "resource_id": key, **entry(subject, mask, group_id=group)}

    def _locks(self) -> Iterator[dict[str, Any]]:
        for (key,) in self._ask("SELECT id FROM resources WHERE locked"):
            yield {"resource_id": key, "user_id": ADMIN, "reason": "In review.", "created_at": BEGINNING}


def _new_ids(existing: Mapping[str, int], names: Iterable[tuple[str]]) -> dict[str, int]:
    """Return ids for the names that do not exist, without regard to letter case."""
    known, first = {tables.casefold_key(name) for name in existing}, max(existing.values()) + 1
    new = [name for (name,) in names if tables.casefold_key(name) not in known]
    return {name: first + number for number, name in enumerate(new)}


def _role(name: str, key: int) -> dict[str, Any]:
    return {
        **{"id": key, "name": name, "name_key": tables.casefold_key(name), "description": "", "permissions": 0},
        **{"is_built_in": False, "revision": 1, "created_at": BEGINNING},
    }


def _type(name: str, key: int) -> dict[str, Any]:
    return {"id": key, "name": name, "has_data": True, "is_built_in": False}


def load(file: Path, url: str) -> None:
    """Write the world of a file of the kit into a new SQLite file, or into an empty database of PostgreSQL."""
    with closing(sqlite3.connect(f"{file.resolve().as_uri()}?mode=ro", uri=True)) as connection:
        world = KitWorld(connection)
        if url.startswith(SQLITE):
            fill_sqlite(Path(url.removeprefix(SQLITE)), world)
        else:
            fill_postgresql(url, world)


def main(arguments: Sequence[str] | None = None) -> int:
    """Write a world; return 2 and tell why if the file is none of the kit, or the database is not empty."""
    parser = argparse.ArgumentParser(prog="scripts/peers-world", description=__doc__)
    parser.add_argument("file", type=Path, help="the file of the kit: PEERS_HOME/world/d100k.db")
    parser.add_argument("url", help="URL of the database of Ostiary, which must not exist (SQLite) or be empty")
    options = parser.parse_args(arguments)
    path = Path(options.url.removeprefix(SQLITE))
    if options.url.startswith(SQLITE) and path.exists():
        parser.error(f"{path} exists: a world is written to a new file")
    try:
        load(options.file, options.url)
    except sqlite3.OperationalError as error:
        parser.error(f"{options.file} is no world of the kit: {error}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
