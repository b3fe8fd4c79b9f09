"""Statements of signing in: a user with the password hash, and with roles."""

from sqlalchemy import bindparam, select

from app.db.tables import KeyText, Role, RowId, User, UserRole, col
from app.domain.viewer import DEACTIVATED

_IS_DEACTIVATED = (
    select(col(UserRole.user_id))
    .join(Role, col(Role.id) == col(UserRole.role_id))
    .where(col(UserRole.user_id) == col(User.id), col(Role.name_key) == DEACTIVATED)
    .exists()
)

CREDENTIALS = select(col(User.id), col(User.password_hash), _IS_DEACTIVATED).where(
    col(User.user_key) == bindparam("name", type_=KeyText())
)

HASH = select(col(User.password_hash), col(User.user_key)).where(col(User.id) == bindparam("id", type_=RowId()))

USER_WITH_ROLES = (
    select(
        col(User.user_name),
        col(User.email),
        col(User.token_generation),
        col(Role.name),
        col(Role.permissions),
        col(Role.name_key),
        col(User.is_service_account),
        col(User.account_key),
        col(User.last_login_at),
    )
    .select_from(User)
    .outerjoin(UserRole, col(UserRole.user_id) == col(User.id))
    .outerjoin(Role, col(Role.id) == col(UserRole.role_id))
    .where(col(User.id) == bindparam("id", type_=RowId()))
    .order_by(col(Role.name_key))
)
