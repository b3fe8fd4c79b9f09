"""Visibility of API tokens."""

from sqlalchemy import ColumnElement, true

from app.db.tables import ApiToken, col
from app.domain.viewer import Viewer
from app.policy.users import sees_all_users
from app.query.relations import VIEWER_ID


def sees_api_token(viewer: Viewer) -> ColumnElement[bool]:
    """Return the condition that the token belongs to the viewer; true if they see all users."""
    return true() if sees_all_users(viewer) else col(ApiToken.user_id) == VIEWER_ID
