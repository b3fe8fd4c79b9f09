"""All rights and nothing but rights: what a viewer sees and manages, as conditions on rows, and what she must hold.

A condition may look at `viewer.permissions` alone; the viewer herself is the bound value `ME` and the clock is `NOW`.
The same condition narrows a list, guards a field and decides a change. The default is `false()`.
"""

from sqlalchemy import ColumnElement, false, true

from app import errors, tables
from app.auth import Permission, Viewer
from app.sources import ME
from app.tables import col


def everybody(viewer: Viewer) -> ColumnElement[bool]:
    """No condition: the row that leads here was seen already."""
    return true()


def signed_in(viewer: Viewer) -> ColumnElement[bool]:
    """Somebody, not nobody."""
    return ME.is_not(None)


# --- users


def sees_all_users(viewer: Viewer) -> bool:
    """Whether she sees every user with everything about them. Who manages users sees them."""
    return bool(viewer.permissions & (Permission.USERS_VIEW | Permission.USERS_MANAGE))


def knows_user(viewer: Viewer) -> ColumnElement[bool]:
    """Whether she may know that the user exists, and the name."""
    return true() if sees_all_users(viewer) else col(tables.User.id) == ME


def sees_user_details(viewer: Viewer) -> ColumnElement[bool]:
    """Whether she sees e-mail, metadata, roles and last login: her own, or everybody's."""
    return true() if sees_all_users(viewer) else col(tables.User.id) == ME


# --- roles


def sees_role(viewer: Viewer) -> ColumnElement[bool]:
    """Roles are named to everybody who is signed in."""
    return signed_in(viewer)


def sees_holders(viewer: Viewer) -> ColumnElement[bool]:
    """Whether she sees who holds a role."""
    return true() if sees_all_users(viewer) else false()


# --- what one must hold


def require_signed_in(viewer: Viewer) -> int:
    """The viewer's id; raises Unauthenticated when nobody is signed in."""
    if viewer.user_id is None:
        raise errors.Unauthenticated("Sign in first.")
    return viewer.user_id


def require(viewer: Viewer, permission: Permission) -> int:
    """The viewer's id; raises Unauthenticated or Forbidden unless she holds the permission."""
    user_id = require_signed_in(viewer)
    if permission not in viewer.permissions:
        raise errors.Forbidden(f"This needs the permission {permission.name}.")
    return user_id


def require_no_more(viewer: Viewer, permissions: Permission, what: str) -> None:
    """Nobody gives, or rules over, what she does not hold; raises Forbidden."""
    missing = permissions & ~viewer.permissions
    if missing:
        names = ", ".join(str(each.name) for each in missing)
        raise errors.Forbidden(f"{what} carries permissions that you do not hold: {names}.")
