"""The first administrator, without whom no user can be given a role."""

from sqlalchemy import func, select

from app.config import DEFAULT_PASSWORD, DefaultAdmin
from app.db import Freshness
from app.db.tables import Role, User, UserRole, col
from app.domain.errors import Problem, Problems, SettingsError
from app.domain.viewer import SYSTEM
from app.security import passwords
from app.services import audit, provisioning, roles, users
from app.services.app_context import AppContext

ADMINS_TO_TRY = 20
"""Administrators whose passwords the start compares with the default one; each comparison computes a hash."""

_HOLDS_ADMIN = col(Role.name_key) == roles.ADMIN

_ADMINS = (
    select(func.count()).select_from(UserRole).join(Role, col(Role.id) == col(UserRole.role_id)).where(_HOLDS_ADMIN)
)

_ADMIN_HASHES = (
    select(col(User.password_hash))
    .join(UserRole, col(UserRole.user_id) == col(User.id))
    .join(Role, col(Role.id) == col(UserRole.role_id))
    .where(_HOLDS_ADMIN, col(User.password_hash).is_not(None))
    .order_by(col(User.id))
    .limit(ADMINS_TO_TRY)
)


async def ensure_admin(app: AppContext, default: DefaultAdmin, password: str | None = None) -> bool:
    """Create the default administrator if no user has the role `admin`; return whether it was created.

    `password` replaces the configured one. An existing administrator is never changed.
    """
    if await is_administered(app):
        return False
    password_hash = await app.hasher.hash(password or default.password.get_secret_value())
    async with audit.transaction(app.database, SYSTEM, "createUser") as tx:
        await tx.lock("admins")
        if await tx.value(_ADMINS):
            audit.discard(tx)
            return False
        new = users.UserCreate(default.user_name, default.email, password_hash, (roles.ADMIN,))
        try:
            await provisioning.provision_one(tx, SYSTEM, new, with_orgs=app.has_personal_orgs)
        except (Problem, Problems) as problem:
            raise SettingsError(f"DefaultAdmin: the administrator cannot be created. {problem}") from None
    return True


async def is_administered(app: AppContext) -> bool:
    """Return whether any user has the role `admin`."""
    return bool((await app.database.ask(_ADMINS, freshness=Freshness.PRIMARY))[0][0])


async def is_default_password_valid(app: AppContext, default: DefaultAdmin) -> bool:
    """Return whether the default password signs in an administrator, or will once the default one is created."""
    if not await is_administered(app):
        return passwords.normalize(default.password.get_secret_value()) == DEFAULT_PASSWORD
    for (stored,) in await app.database.ask(_ADMIN_HASHES, freshness=Freshness.PRIMARY):
        if (await app.hasher.verify(DEFAULT_PASSWORD, stored)).ok:
            return True
    return False
