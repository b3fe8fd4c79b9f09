"""The checks of the viewer before a change; each raises an error that reveals nothing hidden from the viewer."""

from app.domain import errors
from app.domain.viewer import Permission, Viewer, permission_names
from app.policy.conditions import sees_all_resources
from app.policy.groups import sees_all_group_members
from app.policy.users import sees_all_users


def missing_permission(viewer: Viewer, name: str) -> errors.Forbidden:
    """Return the error of a viewer without a permission; that of an API token says that the token lacks it."""
    if viewer.token_id is None:
        return errors.Forbidden(f"This needs the permission {name}.")
    return errors.Forbidden(f"This needs the permission {name}, which this API token does not have.")


def require_signed_in(viewer: Viewer) -> int:
    """Return the viewer's id; raises Unauthenticated for an anonymous viewer."""
    if viewer.user_id is None:
        raise errors.Unauthenticated("Sign in first.")
    return viewer.user_id


def require_session(viewer: Viewer) -> int:
    """Return the viewer's id; raises Unauthenticated, or Forbidden for an API token instead of a session."""
    user_id = require_signed_in(viewer)
    if viewer.token_id is not None:
        raise errors.Forbidden("This is not for API tokens: sign in.")
    return user_id


def require(viewer: Viewer, permission: Permission) -> int:
    """Return the viewer's id; raises Unauthenticated, or Forbidden for a limited token or without the permission."""
    user_id = require_signed_in(viewer)
    if viewer.is_limited:
        raise errors.Forbidden("This token is limited to orgs and resources, and this is about more.")
    if permission not in viewer.permissions:
        raise missing_permission(viewer, str(permission.name))
    return user_id


def require_users_view(viewer: Viewer) -> int:
    """Return the viewer's id; raises Unauthenticated, or Forbidden unless the viewer sees all details of every user."""
    user_id = require_signed_in(viewer)
    if not sees_all_users(viewer):
        raise missing_permission(viewer, "USERS_VIEW")
    return user_id


def require_local_accounts(viewer: Viewer) -> None:
    """Raise ManagedElsewhere if an identity provider manages the accounts; called after the permission checks."""
    if viewer.externally_managed:
        raise errors.ManagedElsewhere


def require_equal_rights(viewer: Viewer, permissions: Permission, what: str) -> None:
    """Raise Forbidden unless the viewer holds all the permissions that they assign to an account or change on it."""
    missing = permissions._value_ & ~viewer.permissions._value_
    if missing:
        names = ", ".join(permission_names(missing))
        raise errors.Forbidden(f"{what} carries permissions that you do not hold: {names}.")


def require_role(mask: int, role: int, name: str) -> None:
    """Raise Forbidden unless the viewer's roles on a visible resource include this one."""
    if not mask & role:
        raise errors.Forbidden(f"This needs the role {name} on the resource.")


def sees_everything(viewer: Viewer) -> bool:
    """Return whether no user, group, org or resource is hidden from the viewer."""
    return sees_all_users(viewer) and sees_all_group_members(viewer) and sees_all_resources(viewer)
