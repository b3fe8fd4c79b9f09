"""Roles: making, changing and deleting them, and the rules about who holds which."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import bindparam, delete, func, insert, select, update

from app import policy
from app.db import ForeignKeyViolation, Transaction, UniqueViolation
from app.db.tables import Role, RowId, User, UserRole, casefold_key, col
from app.domain.errors import Conflict, InvalidInput, NotFound, Problem, Protected
from app.domain.refs import RowRef
from app.domain.viewer import DEACTIVATED, Permission, Viewer
from app.query.relations import among, integers, texts
from app.services import audit, validation

ADMIN = "admin"
"""The key of the built-in role that holds everything."""

FIXED = frozenset({ADMIN, DEACTIVATED})
"""The built-in roles whose permissions are what they mean."""

RoleIds = dict[str, tuple[int, Permission]]
"""Roles by key: the id, and what it carries."""

_FOUND = select(col(Role.id), col(Role.name), col(Role.name_key), col(Role.permissions), col(Role.is_built_in))


@dataclass(frozen=True, slots=True)
class RoleUpdate:
    """What an update gives; None leaves it as it is."""

    name: str | None = None
    description: str | None = None
    permissions: Permission | None = None

    @property
    def values(self) -> dict[str, Any]:
        """The columns to set."""
        given = {"name": self.name, "description": self.description}
        values: dict[str, Any] = {column: value for column, value in given.items() if value is not None}
        if self.name is not None:
            values["name_key"] = casefold_key(self.name)
        if self.permissions is not None:
            values["permissions"] = self.permissions.value
        return values


async def create_role(tx: Transaction, viewer: Viewer, name: str, description: str, permissions: Permission) -> int:
    """Make a role that carries no more than the viewer holds; answers its id."""
    policy.require(viewer, Permission.ROLES_MANAGE)
    policy.require_equal_rights(viewer, permissions, "This role")
    policy.require_local_accounts(viewer)
    validation.raise_problems([*validation.role_name_problems(name), *validation.description_problems(description)])
    return await _insert(tx, name, description, permissions)


async def _insert(tx: Transaction, name: str, description: str, permissions: Permission) -> int:
    values = {
        "name": name,
        "name_key": casefold_key(name),
        "description": description,
        "permissions": permissions.value,
        "is_built_in": False,
        "created_at": tx.now,
    }
    try:
        key: int = await tx.value(insert(Role).values(**values).returning(col(Role.id)))
    except UniqueViolation:
        raise _already_taken(name) from None
    audit.track_new(tx, audit.ROLE, [key])
    return key


def _already_taken(name: str) -> Problem:
    return Conflict(f"There is a role `{name}` already.", ("name",))


async def update_role(tx: Transaction, viewer: Viewer, role: RowRef, changes: RoleUpdate) -> int:
    """Change what is given. A built-in role keeps its name; `admin` and `deactivated` keep their permissions too."""
    policy.require(viewer, Permission.ROLES_MANAGE)
    key, name, name_key, mask, built_in = await _load(tx, viewer, role)
    policy.require_equal_rights(viewer, Permission(mask) | (changes.permissions or Permission.NONE), "This role")
    wanted = name if changes.name is None else changes.name
    renamed = [] if wanted == name else [*validation.role_name_problems(wanted)]  # older names may break newer rules
    validation.raise_problems([*renamed, *validation.description_problems(changes.description or "")])
    if built_in and wanted != name:
        raise Protected(f"`{name}` is built in: its name stays.", ("name",))
    if name_key in FIXED and changes.permissions not in (None, Permission(mask)):
        raise Protected(f"`{name}` is built in: its permissions stay.", ("permissions",))
    if changes.values:
        try:
            await tx.rows(update(Role).where(col(Role.id) == key).values(**changes.values))
        except UniqueViolation:
            raise _already_taken(wanted) from None
    return int(key)


async def delete_role(tx: Transaction, viewer: Viewer, role: RowRef) -> int:
    """Delete a role that nobody holds; answers the id it had."""
    policy.require(viewer, Permission.ROLES_MANAGE)
    key, name, _, permissions, built_in = await _load(tx, viewer, role)
    policy.require_equal_rights(viewer, Permission(permissions), "This role")
    policy.require_local_accounts(viewer)
    if built_in:
        raise Protected(f"`{name}` is built in and stays.", ("role",))
    holders: int = await tx.value(select(func.count()).select_from(UserRole).where(col(UserRole.role_id) == key))
    if holders:
        raise Conflict(
            f"`{name}` is held by {holders} user{'s' if holders > 1 else ''}. Take it from them first.", ("role",)
        )
    try:
        await tx.rows(delete(Role).where(col(Role.id) == key))
    except ForeignKeyViolation:
        raise Conflict(f"Somebody was given `{name}` at this moment.", ("role",)) from None
    return int(key)


async def _load(tx: Transaction, viewer: Viewer, role: RowRef) -> Any:
    """The role, locked for the change."""
    way, key = role
    column = col(Role.id) if way == "id" else col(Role.name_key)
    bound = key if way == "id" else validation.normalize_key(str(key))
    statement = _FOUND.where(column == bindparam("key", type_=column.type), policy.sees_role(viewer)).with_for_update()
    row = await tx.row(statement, key=bound, **viewer.bind_values)
    if row is None:
        raise NotFound("There is no such role.", ("role",))
    await audit.track(tx, audit.ROLE, [row[0]])
    return row


_HELD = (
    select(col(UserRole.user_id), col(Role.id), col(Role.name_key), col(Role.permissions))
    .select_from(UserRole)
    .join(Role, col(Role.id) == col(UserRole.role_id))
    .where(col(UserRole.user_id) == bindparam("user", type_=RowId()))
)


async def load_named(tx: Transaction, wanted: Iterable[str]) -> RoleIds:
    """The roles with these names. Names that are none are missing."""
    keys = sorted({validation.normalize_key(name) for name in wanted})
    if not keys:
        return {}
    statement = select(col(Role.name_key), col(Role.id), col(Role.permissions)).where(
        among(col(Role.name_key), texts(keys))
    )
    return {key: (role_id, Permission(mask)) for key, role_id, mask in await tx.rows(statement)}


def role_not_found(wanted: Sequence[str], known: dict[str, Any]) -> list[Problem]:
    """One problem for each name that is no role, with its place."""
    return [
        InvalidInput(f"There is no role `{name}`.", ("roles", at))
        for at, name in enumerate(wanted)
        if casefold_key(name) not in known
    ]


async def load_held(tx: Transaction, user_id: int) -> tuple[dict[str, int], Permission]:
    """What a user holds: role ids by key, and the sum of their permissions."""
    rows = await tx.rows(_HELD, user=user_id)
    return {key: role_id for _, role_id, key, _ in rows}, roles_allowing(mask for *_, mask in rows)


def roles_allowing(masks: Iterable[int | None]) -> Permission:
    """All that some roles allow."""
    held = 0
    for mask in masks:
        held |= mask or 0
    return Permission(held)


async def replace(tx: Transaction, viewer: Viewer, user_id: int, wanted: Sequence[str]) -> None:
    """Make these the roles of a user: the viewer gives and takes only what she holds herself."""
    before, permissions = await load_held(tx, user_id)
    policy.require_equal_rights(viewer, permissions, "This user")
    known = await load_named(tx, wanted)
    validation.raise_problems(role_not_found(wanted, known))
    after = {known[casefold_key(name)][0] for name in wanted}
    for name in wanted:
        policy.require_equal_rights(viewer, known[casefold_key(name)][1], f"The role `{name}`")
    gone = [role_id for role_id in before.values() if role_id not in after]
    if gone:
        await tx.rows(
            delete(UserRole).where(col(UserRole.user_id) == user_id, among(col(UserRole.role_id), integers(gone)))
        )
    await assign(tx, [(user_id, role_id) for role_id in sorted(after - set(before.values()))])
    if ADMIN in before and DEACTIVATED not in before:
        await keep_an_admin(tx)


async def assign(tx: Transaction, pairs: Sequence[tuple[int, int]]) -> None:
    """Write that users hold roles."""
    try:
        await tx.insert(UserRole, [{"user_id": user, "role_id": role} for user, role in pairs])
    except (ForeignKeyViolation, UniqueViolation):
        raise Conflict("A role or user was changed at this moment. Try again.", ("roles",)) from None


async def create_missing(tx: Transaction, wanted: Sequence[str]) -> None:
    """Make the roles that are none yet, without permissions."""
    known = await load_named(tx, wanted)
    for key, name in {casefold_key(name): name for name in wanted}.items():
        if key not in known:
            for problem in validation.role_name_problems(name):
                raise type(problem)(problem.message, ("roles", [*wanted].index(name)))
            try:
                await _insert(tx, name, "", Permission.NONE)
            except Conflict:
                raise Conflict(f"The role `{name}` was made at this moment. Try again.", ("roles",)) from None


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


async def keep_an_admin(tx: Transaction, path: str = "roles") -> None:
    """Refuse to leave nobody who can sign in with the role `admin`. The caller holds the lock `admins`."""
    if not await tx.value(_ADMINS):
        raise Protected("The registry would be left without an active administrator.", (path,))
