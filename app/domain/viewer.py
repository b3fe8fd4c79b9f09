"""Viewers and the permissions that they hold."""

from dataclasses import dataclass
from datetime import datetime
from enum import Flag
from typing import Any

DEACTIVATED = "deactivated"
"""The key of the built-in role that takes everything away."""


class Permission(Flag):
    """What a role allows in the registry as a whole; stored as the sum of the numbers."""

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


ALL_PERMISSIONS = ~Permission.NONE

SCOPED_PERMISSIONS = (
    Permission.ORGS_MANAGE | Permission.RESOURCES_MANAGE | Permission.RESOURCES_VIEW | Permission.ACCESS_VIEW
)
"""What a token can carry that is limited to some orgs and resources: all else is about the whole registry."""


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who is asking. Every read and every change is done on somebody's behalf."""

    user_id: int | None
    permissions: Permission = Permission.NONE
    jti: str | None = None
    expires_at: datetime | None = None
    """When the token ends by which she asks."""
    externally_managed: bool = False
    """Whether she asks a registry whose accounts an external provider keeps."""
    token_id: int | None = None
    """The API token by which she asks; None for somebody who signed in."""
    is_limited: bool = False
    """Whether that token is good for some orgs and resources alone."""

    @property
    def permission_profile(self) -> "Viewer":
        """What a statement depends on, and nothing of who she is: the same for all who hold the same."""
        return Viewer(None, self.permissions, is_limited=self.is_limited)

    @property
    def bind_values(self) -> dict[str, Any]:
        """Who she is, bound in the statements that are the same for all alike."""
        return {"viewer_id": self.user_id, "token_id": self.token_id}


ANONYMOUS = Viewer(None)

SYSTEM = Viewer(0, ALL_PERMISSIONS)
"""The registry itself: it makes its first administrator, and the users whom an external provider vouches for."""
