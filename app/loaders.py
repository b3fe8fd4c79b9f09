"""The read graph on one screen: one line an edge, each through the policy."""

from sqlalchemy import ColumnElement, exists

from app import policy
from app.auth import DEACTIVATED, Viewer
from app.sources import Filter, Source, from_of, guarded
from app.tables import Role, User, UserRole, col


def _holds(viewer: Viewer, matches: ColumnElement[bool]) -> ColumnElement[bool]:
    """The user holds a role that matches, and the viewer may know it."""
    held = exists().where(col(UserRole.user_id) == col(User.id), col(Role.id) == col(UserRole.role_id), matches)
    # Without `correlate` a list that goes through `user_roles` would lend its own row of it to the question.
    return policy.sees_user_details(viewer) & held.correlate(from_of(User))


def _is_deactivated(viewer: Viewer) -> ColumnElement[bool]:
    return _holds(viewer, col(Role.name_key) == DEACTIVATED)


USERS = {
    "user_name": Filter(User.user_key, fold=True),
    "email": Filter(lambda viewer: guarded(policy.sees_user_details, col(User.email_key), viewer), fold=True),
    "created_at": Filter(User.created_at),
    "last_login_at": Filter(lambda viewer: guarded(policy.sees_user_details, col(User.last_login_at), viewer)),
    "role": Filter(Role.name_key, fold=True, within=_holds),
    "is_deactivated": Filter(_is_deactivated),
}
BY_NAME = {"user_name": User.user_key, "created_at": User.created_at}
ROLES = {"name": Role.name_key}

user = Source("one", User, User.id, policy.knows_user)
user_named = Source("one", User, User.user_key, policy.knows_user)
users = Source("page", User, None, policy.knows_user, ("user_name",), orders=BY_NAME, filters=USERS)

role = Source("one", Role, Role.id, policy.sees_role)
role_named = Source("one", Role, Role.name_key, policy.sees_role)
roles = Source("page", Role, None, policy.sees_role, ("name",), orders=ROLES)

user_roles = Source(
    "many", Role, UserRole.user_id, policy.everybody, ("name",), UserRole, col(Role.id) == col(UserRole.role_id), ROLES
)
role_users = Source(
    "page",
    User,
    UserRole.role_id,
    policy.knows_user,
    ("user_name",),
    UserRole,
    col(User.id) == col(UserRole.user_id),
    BY_NAME,
    USERS,
)
