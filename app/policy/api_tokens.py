"""Who sees an API token."""

from sqlalchemy import ColumnElement, true

from app.db.tables import ApiToken, col
from app.domain.viewer import Viewer
from app.policy.users import sees_all_users
from app.query.relations import VIEWER_ID


def sees_api_token(viewer: Viewer) -> ColumnElement[bool]:
    """What it is called and what it carries, as other details of its owner: her own, or everybody's."""
    return true() if sees_all_users(viewer) else col(ApiToken.user_id) == VIEWER_ID
