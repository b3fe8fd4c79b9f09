"""Creating, updating and deleting roles, and assigning them to users."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import bindparam, delete, func, insert, select, update

from app import policy
from app.db import ForeignKeyViolation, Transaction, UniqueViolation
from app.db.tables import Role, RowId, User, UserRole, casefold_key, col
from app.domain import viewer as viewers
from app.domain.errors import Conflict, InvalidInput, NotFound, Problem, Problems, Protected, Retry
from app.domain.refs import RowRef
from app.domain.viewer import DEACTIVATED, Permission, Viewer, permissions_of
from app.query.relations import among, integers, texts
from app.services import audit, validation

ADMIN = viewers.ADMIN

FIXED = frozenset({ADMIN, DEACTIVATED})
"""Keys of the built-in roles whose permissions cannot be changed."""

RolesByKey = dict[str, tuple[int, Permission]]
"""Id and permissions of roles, by the key of their names."""

_ROLE = select(col(Role.id), col(Role.name), col(Role.name_key), col(Role.permissions), col(Role.is_built_in))


@dataclass(frozen=True, slots=True)
class RoleUpdate:
    """New values of a role; None leaves a value unchanged."""

    name: str | None = None
    description: str | None = None
    permissions: Permission | None = None

    @property
    def trimmed(self) -> "RoleUpdate":
        """Return the update with no space at either end of the name, as of all names for display."""
        return self if self.name is None else RoleUpdate(self.name.strip(), self.description, self.permissions)

    @property
    def values(self) -> dict[str, Any]:
        """Return the columns to set."""
        columns = {"name": self.name, "description": self.description}
        values: dict[str, Any] = {column: value for column, value in columns.items() if value is not None}
        if self.name is not None:
            values["name_key"] = casefold_key(self.name)
        if self.permissions is not None:
            values["permissions"] = self.permissions.value
        return values


async def create_role(tx: Transaction, viewer: Viewer, name: str, description: str, permissions: Permission) -> int:
    """Create a role and return its id; needs ROLES_MANAGE, and every permission of the role."""
    policy.require(viewer, Permission.ROLES_MANAGE)
    policy.require_equal_rights(viewer, permissions, "This role")
    policy.require_local_accounts(viewer)
    name = name.strip()
    validation.raise_problems([*validation.role_name_problems(name), *validation.description_problems(description)])
    return await _insert(tx, name, description, permissions)


async def _insert(tx: Transaction, name: str, description: str, permissions: Permission) -> int:
    values = row(tx, name, description, permissions.value)
    try:
        key: int = await tx.value(insert(Role).values(**values).returning(col(Role.id)))
    except UniqueViolation:
        raise _name_conflict(name) from None
    audit.track_new(tx, audit.ROLE, [key])
    return key


def row(tx: Transaction, name: str, description: str, permissions: int) -> dict[str, Any]:
    """Return the columns of a new role."""
    return {
        "name": name,
        "name_key": casefold_key(name),
        "description": description,
        "permissions": permissions,
        "is_built_in": False,
        "created_at": tx.now,
    }


def _name_conflict(name: str) -> Problem:
    return Conflict(f"The role `{name}` already exists.", ("name",))


async def update_role(tx: Transaction, viewer: Viewer, role: RowRef, changes: RoleUpdate) -> int:
    """Change values of a role; needs ROLES_MANAGE, and every permission of the role before and after.

    Built-in roles keep their names, and the FIXED ones their permissions.
    """
    policy.require(viewer, Permission.ROLES_MANAGE)
    if changes.name is not None:
        await tx.lock("admins")  # changes of users read the names of roles with the user, before they wait for its row
    key, name, name_key, mask, is_built_in = await _load_for_update(tx, viewer, role)
    policy.require_equal_rights(viewer, Permission(mask) | (changes.permissions or Permission.NONE), "This role")
    await audit.require_current(tx, audit.ROLE, key)
    changes = changes.trimmed
    new_name = name if changes.name is None else changes.name
    name_problems = [] if new_name == name else [*validation.role_name_problems(new_name)]  # old names may be invalid
    validation.raise_problems([*name_problems, *validation.description_problems(changes.description or "")])
    if is_built_in and new_name != name:
        raise Protected(f"`{name}` is built in: its name cannot be changed.", ("name",))
    if name_key in FIXED and changes.permissions not in (None, Permission(mask)):
        raise Protected(f"`{name}` is built in: its permissions cannot be changed.", ("permissions",))
    if changes.values:
        try:
            await tx.rows(update(Role).where(col(Role.id) == key).values(**changes.values))
        except UniqueViolation:
            raise _name_conflict(new_name) from None
    return int(key)


async def delete_role(tx: Transaction, viewer: Viewer, role: RowRef) -> int:
    """Delete a role without users, and return its id; needs ROLES_MANAGE, and every permission of the role."""
    policy.require(viewer, Permission.ROLES_MANAGE)
    key, name, _, permissions, is_built_in = await _load_for_update(tx, viewer, role)
    policy.require_equal_rights(viewer, Permission(permissions), "This role")
    policy.require_local_accounts(viewer)
    if is_built_in:
        raise Protected(f"`{name}` is built in and cannot be deleted.", ("role",))
    number: int = await tx.value(select(func.count()).select_from(UserRole).where(col(UserRole.role_id) == key))
    if number:
        users = f"{number} user{'s' if number > 1 else ''}"
        raise Conflict(f"`{name}` is assigned to {users}. Remove it from them first.", ("role",))
    try:
        await tx.rows(delete(Role).where(col(Role.id) == key))
    except ForeignKeyViolation:
        raise Retry from None  # the role was just assigned to a user
    return int(key)


async def _load_for_update(tx: Transaction, viewer: Viewer, role: RowRef) -> Any:
    """Return the columns of `_ROLE`, the row locked and tracked; raise NotFound."""
    by, key = validation.normalize_ref(role)
    column = col(Role.id) if by == "id" else col(Role.name_key)
    statement = _ROLE.where(column == bindparam("key", type_=column.type), policy.sees_role(viewer)).with_for_update()
    row = await tx.row(statement, key=key, **viewer.bind_values)
    if row is None:
        raise NotFound("There is no such role.", ("role",))
    await audit.track(tx, audit.ROLE, [row[0]])
    return row


_USER_ROLES = (
    select(col(UserRole.user_id), col(Role.id), col(Role.name_key), col(Role.permissions))
    .select_from(UserRole)
    .join(Role, col(Role.id) == col(UserRole.role_id))
    .where(col(UserRole.user_id) == bindparam("user", type_=RowId()))
)


async def load_by_name(tx: Transaction, names: Iterable[str]) -> RolesByKey:
    """Return the roles with these names, without the names of no role."""
    keys = sorted({validation.normalize_key(name) for name in names})
    if not keys:
        return {}
    statement = select(col(Role.name_key), col(Role.id), col(Role.permissions)).where(
        among(col(Role.name_key), texts(keys))
    )
    return {key: (role_id, Permission(mask)) for key, role_id, mask in await tx.rows(statement)}


def missing_role_problems(names: Sequence[str], roles_by_key: RolesByKey) -> list[Problem]:
    """Return a problem for each name that is not in `roles_by_key`."""
    return [
        InvalidInput(f"There is no role `{name}`.", ("roles", at))
        for at, name in enumerate(names)
        if casefold_key(name) not in roles_by_key
    ]


async def load_of_user(tx: Transaction, user_id: int) -> tuple[dict[str, int], Permission]:
    """Return the ids of a user's roles by key, and the combined permissions of these roles."""
    rows = await tx.rows(_USER_ROLES, user=user_id)
    return {key: role_id for _, role_id, key, _ in rows}, combine_permissions(mask for *_, mask in rows)


def combine_permissions(masks: Iterable[int | None]) -> Permission:
    """Return all permissions of some roles, of which None has none."""
    combined = 0
    for mask in masks:
        combined |= mask or 0
    return permissions_of(combined)


async def replace(tx: Transaction, viewer: Viewer, user_id: int, names: Sequence[str]) -> None:
    """Replace the roles of a user. The viewer must hold every permission of the old and the new roles."""
    before, permissions = await load_of_user(tx, user_id)
    policy.require_equal_rights(viewer, permissions, "This user")
    roles_by_key = await load_by_name(tx, names)
    validation.raise_problems(missing_role_problems(names, roles_by_key))
    after = {roles_by_key[casefold_key(name)][0] for name in names}
    for name in names:
        policy.require_equal_rights(viewer, roles_by_key[casefold_key(name)][1], f"The role `{name}`")
    removed = [role_id for role_id in before.values() if role_id not in after]
    if removed:
        await tx.rows(
            delete(UserRole).where(col(UserRole.user_id) == user_id, among(col(UserRole.role_id), integers(removed)))
        )
    await assign(tx, [(user_id, role_id) for role_id in sorted(after - set(before.values()))])
    if ADMIN in before and DEACTIVATED not in before:
        await require_an_admin(tx)


async def assign(tx: Transaction, pairs: Sequence[tuple[int, int]]) -> None:
    """Assign roles to users, as pairs of user id and role id."""
    try:
        await tx.insert(UserRole, [{"user_id": user, "role_id": role} for user, role in pairs])
    except (ForeignKeyViolation, UniqueViolation):
        raise Retry from None  # a role was just assigned or deleted, or the user was


async def create_missing(tx: Transaction, names: Sequence[str]) -> None:
    """Create a role without permissions for each name of no role."""
    roles_by_key = await load_by_name(tx, names)
    for key, name in {casefold_key(name): name for name in names}.items():
        if key not in roles_by_key:
            for problem in validation.role_name_problems(name):
                raise type(problem)(problem.message, ("roles", [*names].index(name)))
            try:
                await _insert(tx, name, "", Permission.NONE)
            except Conflict:
                raise Retry from None  # the role was just created


_DEACTIVATED = (
    select(col(UserRole.user_id))
    .join(Role, col(Role.id) == col(UserRole.role_id))
    .where(col(Role.name_key) == DEACTIVATED)
    .correlate(None)
)

_ADMINS = (
    select(func.count())
    .select_from(UserRole)
    .join(Role, col(Role.id) == col(UserRole.role_id))
    .join(User, col(User.id) == col(UserRole.user_id))
    .where(
        col(Role.name_key) == ADMIN, col(UserRole.user_id).not_in(_DEACTIVATED), col(User.is_service_account).is_(False)
    )
)


async def require_an_admin(tx: Transaction, *paths: Sequence[str | int]) -> None:
    """Raise Protected if no user who can sign in has the role `admin`; of several paths, Problems with one for each.

    The caller holds the lock `admins`.
    """
    if not await tx.value(_ADMINS):
        text = "The registry would be left without an active administrator."
        problems = [Protected(text, path) for path in paths or (("roles",),)]
        raise problems[0] if len(problems) == 1 else Problems(problems)
