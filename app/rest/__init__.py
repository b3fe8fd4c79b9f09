"""The REST face: a table of thin routes over the same services as GraphQL."""

from collections.abc import Callable

from starlette.requests import Request

from app.rest import users
from app.rest.errors import unanswered
from app.rest.routing import Face
from app.services.accounts import Desk
from app.settings import Settings

__all__ = ["TABLE", "face", "unanswered"]

TABLE = (*users.ROUTES,)


def face(desk_of: Callable[[Request], Desk], settings: Settings) -> Face:
    """One Starlette route that answers every path of the table."""
    return Face(TABLE, desk_of, settings)
