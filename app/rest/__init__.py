"""The REST face: a table of thin routes over the same services as GraphQL."""

from collections.abc import Callable

from starlette.requests import Request

from app.rest import datasets, members, memberships, metadata, orgs, roles, session, storage, system, users
from app.rest.errors import answered, unanswered
from app.rest.routing import Face, House

__all__ = ["TABLE", "House", "answered", "face", "unanswered"]

TABLE = (
    *session.ROUTES,
    *users.ROUTES,
    *roles.ROUTES,
    *storage.ROUTES,
    *metadata.ROUTES,
    *memberships.ROUTES,
    *orgs.ROUTES,
    *members.ROUTES,
    *datasets.ROUTES,
    *system.ROUTES,
)


def face(house_of: Callable[[Request], House]) -> Face:
    """One Starlette route that answers every path of the table."""
    return Face(TABLE, house_of)
