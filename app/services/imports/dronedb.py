"""DroneDB Registry: accounts of ASP.NET Core Identity, organizations with members, and datasets with a visibility.

The registry has two SQLite files, `identity.db` and `registry.db`, or two databases of MySQL, of which the files of
mysqldump are read. The name and the visibility of a dataset are always in an SQLite file, in the folder of its files:
DATASETS/ORG/INTERNAL-REF/.ddb/dbase.sqlite.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID

import orjson

from app.db import mysql_dump
from app.db.backups import Report
from app.db.other_sqlite import Columns, Rows, UnreadableFile, read_tables
from app.domain import resource_roles
from app.domain.resource_roles import MemberLevel, SubjectType
from app.domain.viewer import ADMIN, DEACTIVATED
from app.services import validation
from app.services.dataset_visibility import FOR_ANYONE, Visibility
from app.services.imports.translation import (
    Translation,
    UnreadableSource,
    UserNames,
    is_text,
    printable,
    text_or_empty,
    title,
)
from app.services.resources import DEFAULT_MASK
from app.services.state.changes import BUILT_IN
from app.services.state.model import Doc
from app.services.users import DEFAULT_ROLES

IDENTITY_TABLES = {
    "AspNetUsers": Columns(("Id", "UserName"), ("Email", "PasswordHash", "LockoutEnd", "LockoutEnabled", "Metadata")),
    "AspNetRoles": Columns(("Id", "Name")),
    "AspNetUserRoles": Columns(("UserId", "RoleId")),
}
REGISTRY_TABLES = {
    "Organizations": Columns(("Slug", "Name"), ("Description", "OwnerId", "IsPublic")),
    "OrganizationsUsers": Columns(("OrganizationSlug", "UserId"), ("Permissions",)),
    "Datasets": Columns(("Slug", "OrganizationSlug"), ("InternalRef", "Meta")),
}
MEMBERS = "OrganizationsUsers"
"""The table that versions before 2022 do not have."""

IDENTITY, REGISTRY, DATASETS_FOLDER = "identity", "registry", "datasets"
SUFFIXES = (".db", ".sql")
"""The ends of the files of both databases: SQLite, and the output of mysqldump."""

META = {"entries_meta": Columns(("path", "key", "data"))}
META_FILE = Path(".ddb/dbase.sqlite")

DEFAULT_LEVEL = MemberLevel.READ_WRITE
"""The level of all members in versions without a level, and what DroneDB's own migration gives them."""

LASTING = timedelta(days=1)
"""A lockout that ends within a day comes from wrong passwords; a longer one is a deactivated account."""

_FLAGS: Mapping[Any, bool] = {0: False, "0": False, "\0": False, b"\0": False} | dict.fromkeys(
    (1, "1", "\1", b"\1"), True
)
"""A flag as a number, a text or a bit."""

_READ_ROLES = resource_roles.names(DEFAULT_MASK)
_FRACTION = re.compile(r"(\.\d{6})\d+")


class Files(NamedTuple):
    """The two databases, which may be one file, and the folder of the files of datasets."""

    identity: Path
    registry: Path
    datasets: Path | None


def find_files(source: Path, datasets: Path | None, *, accounts_only: bool = False) -> Files:
    """Return the files of a source: a folder with both databases, or one file that has all tables.

    For accounts the identity database is enough. Raises UnreadableSource for a folder with two files of one database.
    """
    if not source.is_dir():
        return Files(source, source, datasets)
    inside = source / DATASETS_FOLDER
    folder = datasets or (inside if inside.is_dir() else None)
    identity = _find_database(source, IDENTITY)
    return Files(identity, identity if accounts_only else _find_database(source, REGISTRY), folder)


def _find_database(folder: Path, name: str) -> Path:
    paths = [folder / f"{name}{suffix}" for suffix in SUFFIXES]
    existing = [path for path in paths if path.exists()]
    if len(existing) > 1:
        raise UnreadableSource(f"{folder} has {existing[0].name} and {existing[1].name}: remove one of them")
    return existing[0] if existing else paths[0]


def translate(
    files: Files,
    now: datetime,
    report: Report | None = None,
    *,
    plain_names: bool,
    org_slugs: Mapping[str, str],
    accounts_only: bool = False,
    warn: Callable[[str], None] = lambda _: None,
) -> Translation:
    """Return the objects of a registry, with the new slugs of some orgs. Raises UnreadableSource.

    `warn` is told what is doubtful about a file.
    """
    read = partial(_read_database, report=report, warn=warn)
    if files.datasets is not None and not files.datasets.is_dir():
        raise UnreadableSource(f"there is no folder {files.datasets}")
    if accounts_only:
        tables = {name: list[dict[str, Any]]() for name in REGISTRY_TABLES}
        tables |= read(files.identity, IDENTITY_TABLES)
    elif files.identity == files.registry:
        tables = read(files.identity, IDENTITY_TABLES | REGISTRY_TABLES)
    else:
        tables = read(files.identity, IDENTITY_TABLES) | read(files.registry, REGISTRY_TABLES)
    translation = _Registry(tables, files.datasets, now, plain_names=plain_names).translation
    _rename_orgs(translation, org_slugs)
    return translation


def _rename_orgs(translation: Translation, new_slugs: Mapping[str, str]) -> None:
    orgs = {org["slug"]: org for org in translation.sections["orgs"]}
    for old, new in new_slugs.items():
        if old not in orgs:
            raise UnreadableSource(f"the source has no org {printable(old)}")
        if new in orgs or [*new_slugs.values()].count(new) > 1:  # two orgs in one would mix their people
            raise UnreadableSource(f"two orgs would have the slug {printable(new)}")
        orgs[old]["slug"] = new
    for dataset in translation.sections["resources"]:
        dataset["org"] = new_slugs.get(dataset["org"], dataset["org"])


def _read_database(
    path: Path, tables: Mapping[str, Columns], report: Report | None, warn: Callable[[str], None]
) -> dict[str, Rows]:
    try:
        if not path.is_file():
            raise UnreadableSource(f"there is no file {path}")
        if mysql_dump.is_dump(path):
            return mysql_dump.read_tables(
                path, tables, optional=(MEMBERS,), report=report, warn=lambda text: warn(f"{path} {text}")
            )
        return read_tables(path, tables, optional=(MEMBERS,))
    except (UnreadableFile, OSError) as error:
        raise UnreadableSource(f"{path} is no database of DroneDB Registry: {error}") from None


class _Registry:
    """Builds the translation from the rows of all tables."""

    def __init__(self, tables: Mapping[str, Rows], datasets: Path | None, now: datetime, *, plain_names: bool) -> None:
        self.translation = Translation()
        self._tables, self._datasets, self._now = tables, datasets, now
        users = tables["AspNetUsers"]
        self._names = UserNames((row["UserName"] for row in users if is_text(row["UserName"])), plain=plain_names)
        self._user_names = {row["Id"]: row["UserName"] for row in users}
        self._add_roles()
        self._add_users()
        self._add_orgs()
        self._add_datasets()

    def _add_roles(self) -> None:
        self._role_names: dict[Any, str] = {}
        for row in self._tables["AspNetRoles"]:
            name = row["Name"]
            if not is_text(name):
                self.translation.leave_out(f"role {printable(str(row['Id']))}", "It has no name.")
            elif (key := validation.normalize_key(name)) in BUILT_IN:
                self._role_names[row["Id"]] = key
            elif problem := next(validation.role_name_problems(name), None):
                self.translation.leave_out(f"role {printable(name)}", problem.message)
            elif self.translation.add("role", {"name": name}):
                self._role_names[row["Id"]] = name

    def _add_users(self) -> None:
        role_names: dict[Any, list[str]] = {}
        for row in self._tables["AspNetUserRoles"]:
            if (role := self._role_names.get(row["RoleId"])) is not None:
                role_names.setdefault(row["UserId"], []).append(role)
        for row in self._tables["AspNetUsers"]:
            name = row["UserName"]
            if not is_text(name):
                self.translation.leave_out(f"user {printable(str(row['Id']))}", "It has no user name.")
            elif self._names.is_ambiguous(name):
                self.translation.leave_out(f"user {printable(name)}", "Another user would have the same plain name.")
            else:
                self.translation.add("user", self._translate_user(row, name, role_names.get(row["Id"], [])))

    def _translate_user(self, row: Mapping[str, Any], name: str, roles: list[str]) -> Doc:
        user: Doc = {"userName": self._names.local_name(name)}
        if row["Email"]:
            user["email"] = row["Email"]
        # Every account of DroneDB may create organizations, whatever its roles.
        added = [] if ADMIN in roles else [*DEFAULT_ROLES]
        locked = [DEACTIVATED] if self._is_locked_out(row) else []
        user["roles"] = sorted({*roles, *added, *locked})
        if row["Metadata"]:
            metadata = _parse_json(row["Metadata"])
            user |= {} if metadata is None else {"metadata": metadata}
        if row["PasswordHash"]:
            user["passwordHash"] = row["PasswordHash"]
        return user

    def _is_locked_out(self, row: Mapping[str, Any]) -> bool:
        end = row["LockoutEnd"]
        thing = f"user {printable(str(row['UserName']))}"
        if not is_text(end) or not self._flag(row, "LockoutEnabled", thing, otherwise=True):
            return False
        try:
            moment = datetime.fromisoformat(_FRACTION.sub(r"\1", end))
        except ValueError:
            self.translation.leave_out(thing, "It is no time.", "LockoutEnd")
            return True
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)) > self._now + LASTING

    def _flag(self, row: Mapping[str, Any], name: str, thing: str, *, otherwise: bool) -> bool:
        """Return a flag, which is false if it is missing; `otherwise` and a misfit for a value that is none."""
        value = row[name]
        if value is not None and value not in _FLAGS:
            self.translation.leave_out(thing, f"There is no flag {printable(str(value))}.", name)
            return otherwise
        return _FLAGS.get(value, False)

    def _add_orgs(self) -> None:
        members: dict[Any, list[Mapping[str, Any]]] = {}
        for row in self._tables[MEMBERS]:
            members.setdefault(row["OrganizationSlug"], []).append(row)
        for row in self._tables["Organizations"]:
            slug, owner = row["Slug"], row["OwnerId"]
            if not is_text(slug):
                self.translation.leave_out(f"org {printable(str(slug))}", "It has no slug.")
                continue
            org: Doc = {"slug": slug, "name": title(str(row["Name"] or ""), slug)}
            is_public = self._flag(row, "IsPublic", f"org {printable(slug)}", otherwise=False)
            org |= {"description": str(row["Description"] or ""), "isPublic": is_public}
            if owner and (name := self._user_name(owner, f"org {printable(slug)}", "owner")) is not None:
                org["owner"] = name
            org["members"] = [*self._translate_members(slug, owner, members.get(slug, []))]
            self.translation.add("org", org)

    def _translate_members(self, slug: str, owner: Any, rows: Iterable[Mapping[str, Any]]) -> Iterable[Doc]:
        for row in rows:
            if row["UserId"] == owner:
                continue  # the owner may do everything here, and is no member
            level = DEFAULT_LEVEL.value if row["Permissions"] is None else row["Permissions"]
            thing = (
                f"member {printable(str(self._user_names.get(row['UserId'], row['UserId'])))} of org {printable(slug)}"
            )
            if level not in {each.value for each in MemberLevel}:
                self.translation.leave_out(thing, f"There is no level {printable(str(level))}.")
            elif (name := self._user_name(row["UserId"], thing)) is not None and self.translation.is_first(
                thing, "member", slug, validation.normalize_key(name)
            ):
                yield {"user": name, "level": MemberLevel(level).name}

    def _user_name(self, key: Any, thing: str, field: str = "") -> str | None:
        """Return the name of a user by id, None and a misfit for one that has none."""
        name = self._user_names.get(key)
        if is_text(name):
            return self._names.local_name(name)
        self.translation.leave_out(thing, f"There is no user {printable(str(key))} with a name.", field)
        return None

    def _add_datasets(self) -> None:
        for row in self._tables["Datasets"]:
            org, slug = row["OrganizationSlug"], row["Slug"]
            if not is_text(org) or not is_text(slug):
                self.translation.leave_out(f"resource {printable(str(org))}/{printable(str(slug))}", "It has no slug.")
                continue
            meta = self._load_metadata(org, row)
            dataset: Doc = {"org": org, "slug": slug, "type": "DATASET"}
            dataset |= {
                "name": title(text_or_empty(meta.get("name")), slug),
                "description": text_or_empty(meta.get("tagline")),
            }
            dataset["grants"] = _grants_for(
                self._translate_visibility(f"resource {printable(org)}/{printable(slug)}", meta)
            )
            self.translation.add("resource", dataset)

    def _load_metadata(self, org: str, row: Mapping[str, Any]) -> Doc:
        """Return the metadata of a dataset, which may have `name`, `tagline` and `visibility`."""
        meta = _parse_json(row["Meta"]) if row["Meta"] else None
        if isinstance(meta, dict):
            return meta
        try:
            # A folder that a row names must be below the datasets: neither part can have a slash here.
            folder = str(UUID(str(row["InternalRef"])))
            if self._datasets is None or not validation.SLUG.fullmatch(org):
                return {}
            path = self._datasets / org / folder / META_FILE
            rows = read_tables(path, META)["entries_meta"] if path.is_file() else []
        except (ValueError, OSError, UnreadableFile):
            return {}
        return {each["key"]: _parse_json(each["data"]) for each in rows if each["path"] == "" and is_text(each["key"])}

    def _translate_visibility(self, thing: str, meta: Doc) -> Visibility:
        level = meta.get("visibility")
        if level is None and isinstance(meta.get("public"), bool | int):
            level = Visibility.PUBLIC if meta["public"] else Visibility.PRIVATE  # versions before the three levels
        if type(level) is str and level.isdecimal() and len(level) == 1:
            level = int(level)
        if isinstance(level, int) and level in {each.value for each in Visibility}:
            return Visibility(level)
        reason = "It is unknown" if level is None else f"There is no visibility {printable(str(level))}"
        self.translation.leave_out(thing, f"{reason}, so the dataset is private.", "visibility")
        return Visibility.PRIVATE


def _grants_for(level: Visibility) -> Doc:
    """Return the grants for a visibility, in the meaning of DroneDB: anyone who has the address reads UNLISTED."""
    readers = FOR_ANYONE.readers[level]
    grants: Doc = {"general": {"roles": _READ_ROLES if SubjectType.GENERAL in readers else []}}
    if SubjectType.ANYONE in readers:
        grants["anyone"] = {"roles": _READ_ROLES}
    return grants


def _parse_json(text: Any) -> Any:
    """Return the value of a JSON text, and the text itself if it is none."""
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return text
