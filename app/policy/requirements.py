"""What one must hold for a change; raises what the asker may know."""

from app.domain import errors
from app.domain.viewer import Permission, Viewer
from app.policy.users import sees_all_users


def require_signed_in(viewer: Viewer) -> int:
    """The viewer's id; raises Unauthenticated when nobody is signed in."""
    if viewer.user_id is None:
        raise errors.Unauthenticated("Sign in first.")
    return viewer.user_id


def require_session(viewer: Viewer) -> int:
    """The viewer's id; raises Unauthenticated or Forbidden unless she signed in herself: an API token is not enough."""
    user_id = require_signed_in(viewer)
    if viewer.token_id is not None:
        raise errors.Forbidden("This is not for API tokens: sign in.")
    return user_id


def require(viewer: Viewer, permission: Permission) -> int:
    """The viewer's id; raises Unauthenticated or Forbidden unless she holds the permission, in the whole registry."""
    user_id = require_signed_in(viewer)
    if viewer.is_limited:
        raise errors.Forbidden("This token is limited to orgs and resources, and this is about more.")
    if permission not in viewer.permissions:
        raise errors.Forbidden(f"This needs the permission {permission.name}.")
    return user_id


def require_users_view(viewer: Viewer) -> int:
    """The viewer's id; raises Unauthenticated or Forbidden unless she sees every user with everything about them."""
    user_id = require_signed_in(viewer)
    if not sees_all_users(viewer):
        raise errors.Forbidden("This needs the permission USERS_VIEW.")
    return user_id


def require_local_accounts(viewer: Viewer) -> None:
    """Raises ManagedElsewhere where an external provider keeps the accounts; asked after what she must hold."""
    if viewer.externally_managed:
        raise errors.ManagedElsewhere


def require_equal_rights(viewer: Viewer, permissions: Permission, what: str) -> None:
    """Nobody gives, or rules over, what she does not hold; raises Forbidden."""
    missing = permissions & ~viewer.permissions
    if missing:
        names = ", ".join(str(each.name) for each in missing)
        raise errors.Forbidden(f"{what} carries permissions that you do not hold: {names}.")


def require_role(mask: int, role: int, name: str) -> None:
    """Raises Forbidden unless the roles that she holds on a resource that she sees have this one."""
    if not mask & role:
        raise errors.Forbidden(f"This needs the role {name} on the resource.")
