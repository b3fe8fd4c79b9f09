"""Viewers and their permissions in the system."""

from dataclasses import dataclass
from datetime import datetime
from enum import Flag
from functools import cache, lru_cache
from typing import Any

ADMIN = "admin"
"""The key of the built-in role with all permissions."""

DEACTIVATED = "deactivated"
"""The key of the built-in role that removes every permission."""


class Permission(Flag):
    """Permissions of a role in the complete system, stored as the sum of their numbers."""

    NONE = 0
    USERS_VIEW = 1
    USERS_MANAGE = 2
    ROLES_MANAGE = 4
    ORGS_CREATE = 8
    ORGS_MANAGE = 16
    GROUPS_MANAGE = 32
    RESOURCES_MANAGE = 64
    AUDIT_VIEW = 128
    ACCESS_VIEW = 256
    GROUPS_VIEW = 512
    RESOURCES_VIEW = 1024


permissions_of = lru_cache(1_024)(Permission)
"""Returns the permissions of their sum. Flag itself takes as long as a short statement takes to read."""


def permission_names(mask: int) -> list[str]:
    """Return the names of some permissions in their order."""
    return [str(each.name) for each in Permission(mask)]


ALL_PERMISSIONS = ~Permission.NONE

LIMITED_TOKEN_PERMISSIONS = (
    Permission.ORGS_MANAGE | Permission.RESOURCES_MANAGE | Permission.RESOURCES_VIEW | Permission.ACCESS_VIEW
)
"""Permissions that apply to a single org or resource. A token limited to some orgs and resources carries no others."""


@dataclass(frozen=True, slots=True)
class Viewer:
    """The user of a request. Every read and every change has a viewer."""

    user_id: int | None
    permissions: Permission = Permission.NONE
    jti: str | None = None
    expires_at: datetime | None = None
    """End of the token of this request, None if it has none."""
    externally_managed: bool = False
    """True if an identity provider manages the accounts of this registry."""
    token_id: int | None = None
    """Row id of the API token of this request, None for a session token."""
    is_limited: bool = False
    """True if the API token covers only some orgs and resources."""
    has_default_password: bool = False
    """True if an administrator began this session with the default password, which is then still theirs."""

    def __hash__(self) -> int:
        return hash((self.user_id, self.permissions._value_, self.token_id))

    def holds_any(self, permissions: Permission) -> bool:
        """Return whether the viewer holds at least one of these permissions."""
        return self.permissions._value_ & permissions._value_ != 0  # the operator of Flag takes twenty times as long

    @property
    def permission_profile(self) -> "Viewer":
        """Return this viewer without identity: viewers with equal profiles share compiled statements and plans."""
        return _permission_profile(self.permissions._value_, self.is_limited, self.externally_managed)

    @property
    def bind_values(self) -> dict[str, Any]:
        """Return the identity, to bind in the statements that a permission profile shares."""
        return {"viewer_id": self.user_id, "token_id": self.token_id}


@cache
def _permission_profile(permissions: int, is_limited: bool, externally_managed: bool) -> Viewer:
    return Viewer(None, Permission(permissions), is_limited=is_limited, externally_managed=externally_managed)


ANONYMOUS = Viewer(None)

SYSTEM = Viewer(0, ALL_PERMISSIONS)
"""The system as a viewer: creates the first administrator and the users that an identity provider authenticates."""
