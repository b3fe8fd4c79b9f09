"""Users in bulk: creating or updating them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import bindparam, null, select, update

from app import policy
from app.db import Database, Freshness, Transaction, UniqueViolation
from app.db.tables import KeyText, Role, User, UserRole, casefold_key, col
from app.domain.errors import Problem, Retry
from app.domain.json_values import is_same_json
from app.domain.viewer import Permission, Viewer
from app.query.relations import Keys, among, integers, texts
from app.services import audit, bulk, provisioning, roles, users, validation
from app.services.bulk import BulkForm, Label, OnConflict, Result


@dataclass(frozen=True, slots=True)
class UserEntry:
    """A user to create or to update; None keeps a value of an existing user, and "" deletes an address or a name.

    A list `roles` in the metadata takes precedence over `roles`, and its missing roles are created. An existing user
    keeps the password.
    """

    user_name: str
    email: str | None = None
    password_hash: str | None = None
    roles: Sequence[str] | None = None
    metadata: dict[str, Any] | None = None
    lacks_hash: bool = False
    display_name: str | None = None

    @property
    def key(self) -> str:
        """Return the key of the user name."""
        return validation.normalize_key(self.user_name)

    @property
    def role_names(self) -> Sequence[str] | None:
        """Return the names of the given roles, None if there are none."""
        in_metadata = self.metadata.get("roles") if isinstance(self.metadata, dict) else None
        is_list = isinstance(in_metadata, list) and all(isinstance(name, str) for name in in_metadata)
        return in_metadata if is_list else self.roles

    def create(self) -> users.UserCreate:
        """Return the values of a new user."""
        role_names = users.DEFAULT_ROLES if self.roles is None else self.roles
        email, metadata = users.strip(self.email), {} if self.metadata is None else self.metadata
        display_name = users.strip(self.display_name)
        return users.UserCreate(
            self.user_name, email, self.password_hash, role_names, metadata, display_name=display_name
        )


@dataclass(frozen=True, slots=True)
class _Existing:
    id: int
    user_name: str
    display_name: str | None
    email: str | None
    metadata: dict[str, Any]
    permissions: Permission
    roles: Mapping[str, int]
    """Ids of the roles by their keys."""


@dataclass(frozen=True, slots=True)
class _Change:
    """The new values of a user. `roles` are names, None if they stay."""

    display_name: str | None
    email: str | None
    metadata: dict[str, Any]
    roles: Sequence[str] | None
    changes_email: bool
    changes_row: bool


_USERS = (
    select(
        col(User.user_key),
        col(User.id),
        col(User.user_name),
        col(User.display_name),
        col(User.email),
        col(User.details),
        col(Role.name_key),
        col(Role.id),
        col(Role.permissions),
    )
    .select_from(User)
    .outerjoin(UserRole, col(UserRole.user_id) == col(User.id))
    .outerjoin(Role, col(Role.id) == col(UserRole.role_id))
    .order_by(col(User.id))
    .with_for_update(of=User)
)
_EMAILS = select(col(User.email_key), col(User.id))
_CLEAR_EMAILS = update(User).values(email_key=null())


class _Form(BulkForm[UserEntry, _Existing]):
    field = "users"

    def __init__(self, tx: Transaction, viewer: Viewer, on_conflict: OnConflict, *, with_orgs: bool) -> None:
        self._tx, self._viewer, self._on_conflict, self._with_orgs = tx, viewer, on_conflict, with_orgs
        self._roles: roles.RolesByKey = {}
        self._email_owners: dict[str, int] = {}
        self._leaving: set[int] = set()

    async def load(self, entries: Sequence[UserEntry]) -> Sequence[_Existing | None]:
        """Return the existing users by name; load the roles and the owners of the addresses too."""
        tx = self._tx
        await tx.lock("admins")
        rows = await tx.rows(_USERS.where(among(col(User.user_key), texts({entry.key for entry in entries}))))
        existing = _read(rows)
        emails = [(entry, users.strip(entry.email)) for entry in entries if entry.email is not None]
        keys = texts({validation.normalize_key(email) for _, email in emails if email is not None})
        self._email_owners = dict(await tx.rows(_EMAILS.where(among(col(User.email_key), keys))))
        self._leaving = {
            existing[entry.key].id
            for entry, email in emails
            if self._on_conflict is OnConflict.UPDATE and entry.key in existing and existing[entry.key].email != email
        }
        names = {name for entry in entries for name in (*(entry.roles or ()), *(entry.role_names or ()))}
        self._roles = await roles.load_by_name(tx, names | {*users.DEFAULT_ROLES})
        return [existing.get(entry.key) for entry in entries]

    def labels(self, entry: UserEntry) -> Iterator[Label]:
        """Yield the user name and the e-mail address."""
        yield Label(("userName",), f"`{entry.user_name}`", casefold_key(entry.user_name))
        if (email := users.strip(entry.email)) is not None:
            yield Label(("email",), f"`{email}`", casefold_key(email))

    def problems(self, entry: UserEntry) -> Iterator[Problem]:
        """Yield the problems of a new user."""
        if entry.lacks_hash:
            raise Retry  # the user was just deleted, and the next attempt hashes the password
        new = entry.create()
        yield from users.value_problems(new, self._roles)
        yield from self._email_conflicts(new.email, 0)

    def conflicts(self, entry: UserEntry) -> Iterator[Problem]:
        """Yield the problem of a name that is taken."""
        yield users.name_taken("userName", entry.user_name)

    def _email_conflicts(self, email: str | None, user_id: int) -> Iterator[Problem]:
        """Yield a problem if another user has the address, unless the same request gives that user another one."""
        owner = None if email is None else self._email_owners.get(validation.normalize_key(email))
        if email is not None and owner is not None and owner != user_id and owner not in self._leaving:
            yield users.name_taken("email", email)

    def compare(self, entry: UserEntry, old: _Existing) -> _Change | None:
        """Return the new values if one differs."""
        if old.permissions & ~self._viewer.permissions:
            raise users.name_taken("userName", entry.user_name)
        email = old.email if entry.email is None else users.strip(entry.email)
        metadata = old.metadata if entry.metadata is None else entry.metadata
        name = old.display_name if entry.display_name is None else users.strip(entry.display_name)
        problems = [*self._email_conflicts(email, old.id)]
        problems += validation.email_problems(email) if email != old.email else ()
        problems += validation.display_name_problems(name) if name != old.display_name else ()
        problems += validation.metadata_problems(metadata) if entry.metadata is not None else ()
        validation.raise_problems(problems)
        names = entry.role_names
        if entry.roles is not None:
            validation.raise_problems(roles.missing_role_problems(entry.roles, self._roles))
        is_same_roles = names is None or {casefold_key(name) for name in names} == old.roles.keys()
        is_same_row = (name, email) == (old.display_name, old.email) and is_same_json(metadata, old.metadata)
        if is_same_roles and is_same_row:
            return None
        return _Change(name, email, metadata, None if is_same_roles else names, email != old.email, not is_same_row)

    def key(self, entry: UserEntry, old: _Existing) -> int:
        """Return the id of the user."""
        return old.id

    async def create(self, entries: Sequence[UserEntry]) -> Sequence[int]:
        """Create users, with their orgs if the settings say so."""
        new = [entry.create() for entry in entries]
        return await provisioning.provision(self._tx, self._viewer, new, with_orgs=self._with_orgs)

    async def update(self, changes: Sequence[tuple[UserEntry, _Existing, Any]]) -> None:
        """Write the values and the roles that differ."""
        await audit.track(self._tx, audit.USER, [old.id for _, old, _ in changes])
        written = [(old, change) for _, old, change in changes if change.changes_row]
        moved = [old.id for old, change in written if change.changes_email]
        if moved:  # two users may exchange their addresses
            await self._tx.rows(_CLEAR_EMAILS.where(among(col(User.id), integers(moved))))
        try:
            await self._tx.update_many(User, [_values(old, change) for old, change in written])
        except UniqueViolation:
            raise Retry from None  # the next attempt names each value that was just taken
        new_roles = [(at, old, change.roles) for at, (_, old, change) in enumerate(changes) if change.roles is not None]
        await self._replace_roles(new_roles)

    async def _replace_roles(self, changes: Sequence[tuple[int, _Existing, Sequence[str]]]) -> None:
        """Replace the roles of users. The viewer must hold every permission of the new ones, as of the old ones."""
        if not changes:
            return
        names = {name for *_, role_names in changes for name in role_names}
        await roles.create_missing(self._tx, sorted(names))
        by_key = await roles.load_by_name(self._tx, names)
        for name in sorted(names):
            policy.require_equal_rights(self._viewer, by_key[casefold_key(name)][1], f"The role `{name}`")
        removed, added = list[dict[str, int]](), list[tuple[int, int]]()
        for _, old, role_names in changes:
            after = {by_key[casefold_key(name)][0] for name in role_names}
            before = {*old.roles.values()}
            removed += ({"user_id": old.id, "role_id": role_id} for role_id in sorted(before - after))
            added += ((old.id, role_id) for role_id in sorted(after - before))
        await self._tx.delete_many(UserRole, removed)
        await roles.assign(self._tx, added)
        admins = [at for at, old, _ in changes if roles.ADMIN in old.roles]
        await roles.require_an_admin(self._tx, *((self.field, at, "roles") for at in admins))


def _read(rows: Sequence[Any]) -> dict[str, _Existing]:
    """Return the existing users by the key of their name. The rows have one for each role."""
    role_ids: dict[str, dict[str, int]] = {}
    masks: dict[str, int] = {}
    for user_key, *_, role_key, role_id, mask in rows:
        masks[user_key] = masks.get(user_key, 0) | (mask or 0)
        of_user = role_ids.setdefault(user_key, {})
        if role_key is not None:
            of_user[role_key] = role_id
    return {
        user_key: _Existing(key, user_name, name, email, metadata, Permission(masks[user_key]), role_ids[user_key])
        for user_key, key, user_name, name, email, metadata, *_ in rows
    }


def _values(old: _Existing, change: _Change) -> dict[str, Any]:
    email = change.email
    values = {"email": email, "email_key": None if email is None else casefold_key(email)}
    display = users.display_values(change.display_name, old.user_name)
    return {"id": old.id, **values, **display, "details": change.metadata}


async def create_users(
    tx: Transaction,
    viewer: Viewer,
    entries: Sequence[UserEntry],
    on_conflict: OnConflict,
    problems: Sequence[Problem] = (),
    *,
    with_orgs: bool,
) -> list[Result]:
    """Create users, or update those that exist; needs USERS_MANAGE, and every permission of their roles.

    An update needs every permission of the existing user too. `problems` are reported together with those of the users.
    """
    users.require_create(viewer, len(entries))
    return await bulk.save(tx, _Form(tx, viewer, on_conflict, with_orgs=with_orgs), entries, on_conflict, problems)


_NAMES = select(col(User.user_key)).where(among(col(User.user_key), bindparam("keys", type_=Keys(KeyText()))))


async def load_existing_names(database: Database, viewer: Viewer, user_names: Sequence[str]) -> set[str]:
    """Return the keys of those user names that exist; needs USERS_MANAGE."""
    policy.require(viewer, Permission.USERS_MANAGE)
    keys = [*{validation.normalize_key(name) for name in user_names}]
    return {row[0] for row in await database.ask(_NAMES, freshness=Freshness.PRIMARY, keys=keys)}
