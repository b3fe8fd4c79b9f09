"""Users for the command line: reads without a viewer, and changes by the system, which the audit log records."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from sqlalchemy import Select, bindparam, exists, func, select

from app import policy
from app.db import Database, Freshness, Transaction
from app.db.statements import Row
from app.db.tables import ApiToken, GroupMember, Org, OrgMember, Resource, Role, User, UserRole, casefold_key, col
from app.db.types import RowId, format_instant
from app.domain import refs
from app.domain.errors import NotFound, OstiaryError
from app.domain.refs import RowRef
from app.domain.viewer import DEACTIVATED, SYSTEM, Viewer
from app.query.relations import Keys, among
from app.services import audit, checks, password_changes, provisioning, retries, user_deletion, user_roles, users
from app.services.app_context import AppContext
from app.services.user_deletion import DeletedUser

Result = TypeVar("Result")

_COLUMNS = (
    col(User.id),
    col(User.user_name),
    col(User.display_name),
    col(User.email),
    col(User.is_service_account),
    col(User.created_at),
    col(User.last_login_at),
    col(User.password_hash).is_not(None),
)
_KEYS = bindparam("keys", type_=Keys(RowId()))
_BY_ID = select(*_COLUMNS).where(among(col(User.id), _KEYS))
_ROLES = (
    select(col(UserRole.user_id), col(Role.name), col(Role.name_key))
    .join(Role, col(Role.id) == col(UserRole.role_id))
    .where(among(col(UserRole.user_id), _KEYS))
    .order_by(col(UserRole.user_id), col(Role.name_key))
)
_COUNTED = {
    "ownedOrgs": (Org, Org.owner_id),
    "ownedResources": (Resource, Resource.owner_id),
    "orgMemberships": (OrgMember, OrgMember.user_id),
    "groupMemberships": (GroupMember, GroupMember.user_id),
    "apiTokens": (ApiToken, ApiToken.user_id),
}
_COUNTS = select(
    *(
        select(func.count()).select_from(table).where(col(key) == bindparam("key", type_=RowId())).scalar_subquery()
        for table, key in _COUNTED.values()
    )
)


async def list_users(database: Database, *, role: str | None, is_deactivated: bool, limit: int) -> list[dict[str, Any]]:
    """Return users by name: all, those with a role, or the deactivated ones; raise NotFound for an unknown role."""
    listed: Select[Any] = select(*_COLUMNS)
    if role is not None:
        if not await database.ask(_ROLE, freshness=Freshness.PRIMARY, name=casefold_key(role)):
            raise NotFound(f"There is no role `{role}`.", ("role",))
        listed = listed.where(_has_role(role))
    if is_deactivated:
        listed = listed.where(_has_role(DEACTIVATED))
    rows = await database.ask(listed.order_by(col(User.user_key)).limit(limit), freshness=Freshness.PRIMARY)
    return await _describe(database, rows)


_ROLE = select(col(Role.id)).where(col(Role.name_key) == bindparam("name", type_=col(Role.name_key).type))


def _has_role(name: str) -> Any:
    of_user = col(UserRole.user_id) == col(User.id), col(Role.id) == col(UserRole.role_id)
    return exists().where(*of_user, col(Role.name_key) == casefold_key(name))


async def show_user(database: Database, user: str) -> dict[str, Any]:
    """Return a user, by name or id, with the numbers of what they own and belong to; raise OstiaryError."""
    return await _show(database, await find_user(database, user))


async def _show(database: Database, key: int) -> dict[str, Any]:
    rows = await database.ask(_BY_ID, freshness=Freshness.PRIMARY, keys=[key])
    if not rows:
        raise OstiaryError("the user was just deleted")
    ((*counts,),) = await database.ask(_COUNTS, freshness=Freshness.PRIMARY, key=key)
    return (await _describe(database, rows))[0] | dict(zip(_COUNTED, counts, strict=True))


async def _describe(database: Database, rows: Sequence[Row]) -> list[dict[str, Any]]:
    """Return users by the names of the JSON output."""
    roles: dict[int, list[str]] = {}
    deactivated = set()
    for key, name, name_key in await database.ask(_ROLES, freshness=Freshness.PRIMARY, keys=[row[0] for row in rows]):
        roles.setdefault(key, []).append(name)
        if name_key == DEACTIVATED:
            deactivated.add(key)
    return [
        {
            "id": refs.encode("User", key),
            "userName": user_name,
            "displayName": display_name,
            "email": email,
            "roles": roles.get(key, []),
            "isDeactivated": key in deactivated,
            "isServiceAccount": is_service_account,
            "hasPassword": bool(has_password),
            "createdAt": format_instant(created_at),
            "lastLoginAt": None if last_login_at is None else format_instant(last_login_at),
        }
        for key, user_name, display_name, email, is_service_account, created_at, last_login_at, has_password in rows
    ]


async def find_user(database: Database, user: str) -> int:
    """Return the row id of a user. A name takes precedence over an id. Raises OstiaryError if it is neither."""
    if key := await checks.find_user_id(database, SYSTEM, ("user_name", user)):
        return key
    by_id = refs.key_of("User", user)
    if by_id is not None and await database.ask(_BY_ID, freshness=Freshness.PRIMARY, keys=[by_id]):
        return by_id
    raise OstiaryError(f"there is no user {user}: give a name or an id")


@dataclass(frozen=True, slots=True)
class NewUser:
    """Values of a new user. Without a password they cannot sign in; a service account never has one."""

    user_name: str
    email: str | None = None
    display_name: str | None = None
    roles: Sequence[str] | None = None
    password: str | None = None
    is_service_account: bool = False


async def create_user(app: AppContext, new: NewUser) -> dict[str, Any]:
    """Create a user as the mutation `createUser` does, and return them."""
    policy.require_local_accounts(_operator(app))
    password_hash = None
    if new.password is not None:
        password_hash = await password_changes.hash_new_password(app, new.password, ("password",))
    created = users.UserCreate(
        new.user_name,
        new.email,
        password_hash,
        users.DEFAULT_ROLES if new.roles is None else new.roles,
        is_service_account=new.is_service_account,
        display_name=new.display_name,
    )

    async def work(tx: Transaction, viewer: Viewer) -> int:
        if new.is_service_account:
            return await users.create_user(tx, viewer, created)
        return await provisioning.provision_one(tx, viewer, created, with_orgs=app.has_personal_orgs)

    action = "createServiceAccount" if new.is_service_account else "createUser"
    return await _show(app.database, await _change(app, action, work))


async def set_active(app: AppContext, user: str, *, is_active: bool) -> dict[str, Any]:
    """Deactivate a user, or activate them again, and return them."""
    act = user_roles.reactivate_user if is_active else user_roles.deactivate_user
    ref = "id", await find_user(app.database, user)
    action = "reactivateUser" if is_active else "deactivateUser"
    return await _show(app.database, await _change(app, action, lambda tx, viewer: act(tx, viewer, ref)))


async def change_roles(app: AppContext, user: str, names: Sequence[str], *, removes: bool) -> dict[str, Any]:
    """Add roles to those of a user, or remove them, and return the user."""
    act = user_roles.remove_roles if removes else user_roles.add_roles
    ref = "id", await find_user(app.database, user)
    action = "removeRoles" if removes else "addRoles"
    return await _show(app.database, await _change(app, action, lambda tx, viewer: act(tx, viewer, ref, names)))


async def delete_user(app: AppContext, user: str, successor: str | None) -> DeletedUser:
    """Delete a user; the successor, if any, becomes the owner of all they own."""
    ref: RowRef = ("id", await find_user(app.database, user))
    heir: RowRef | None = None if successor is None else ("id", await find_user(app.database, successor))
    if heir == ref:
        raise OstiaryError("--successor must be another user")
    return await _change(app, "deleteUser", lambda tx, viewer: user_deletion.delete_user(tx, viewer, ref, heir))


async def reset_password(app: AppContext, user: str, password: str) -> str:
    """Set the password of a user and end all their sessions; return the name of the user."""
    key = await find_user(app.database, user)
    return await password_changes.reset_by_operator(app, key, password)


def _operator(app: AppContext) -> Viewer:
    return replace(SYSTEM, externally_managed=app.provider is not None)


async def _change(app: AppContext, action: str, work: Callable[[Transaction, Viewer], Awaitable[Result]]) -> Result:
    """Make a change in one audited transaction, again if others interfere."""

    async def attempt() -> Result:
        async with audit.transaction(app.database, _operator(app), action) as tx:
            return await work(tx, _operator(app))

    return await retries.run(attempt)
