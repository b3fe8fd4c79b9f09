"""What a registry needs before anybody can sign in: somebody who administers it."""

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
"""How many administrators' passwords are compared with the well-known one at the start; each takes a hash."""

_HOLDS_ADMIN = col(Role.name_key) == roles.ADMIN

_ADMINS = (
    select(func.count()).select_from(UserRole).join(Role, col(Role.id) == col(UserRole.role_id)).where(_HOLDS_ADMIN)
)

_STORED = (
    select(col(User.password_hash))
    .join(UserRole, col(UserRole.user_id) == col(User.id))
    .join(Role, col(Role.id) == col(UserRole.role_id))
    .where(_HOLDS_ADMIN, col(User.password_hash).is_not(None))
    .order_by(col(User.id))
    .limit(ADMINS_TO_TRY)
)


async def ensure_admin(desk: AppContext, default: DefaultAdmin, password: str | None = None) -> bool:
    """Make the default administrator when nobody has the role `admin`, and never touch it again.

    With another `password` than the configured one, if it is given. Returns whether the administrator was made.
    """
    if await is_administered(desk):
        return False
    fresh = await desk.hasher.hash(password or default.password.get_secret_value())
    async with audit.transaction(desk.database, SYSTEM, "createUser") as tx:
        await tx.lock("admins")
        if await tx.value(_ADMINS):
            audit.discard(tx)
            return False
        new = users.UserCreate(default.user_name, default.email, fresh, (roles.ADMIN,))
        try:
            await provisioning.provision_one(tx, SYSTEM, new, with_orgs=desk.has_personal_orgs)
        except (Problem, Problems) as refused:
            raise SettingsError(f"DefaultAdmin: the administrator cannot be made. {refused}") from None
    return True


async def is_administered(desk: AppContext) -> bool:
    """Return whether somebody has the role `admin`."""
    return bool((await desk.database.ask(_ADMINS, freshness=Freshness.PRIMARY))[0][0])


async def is_default_password_valid(desk: AppContext, default: DefaultAdmin) -> bool:
    """Whether the password that everybody knows opens an administrator's account, or would once one is made."""
    if not await is_administered(desk):
        return passwords.normalize(default.password.get_secret_value()) == DEFAULT_PASSWORD
    for (stored,) in await desk.database.ask(_STORED, freshness=Freshness.PRIMARY):
        if (await desk.hasher.verify(DEFAULT_PASSWORD, stored)).ok:
            return True
    return False
