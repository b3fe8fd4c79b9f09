"""Who calls, by the token that came along, and whether a cookie that says so may change something."""

from starlette.requests import Request
from starlette.types import Scope

from app.domain.errors import Forbidden
from app.domain.viewer import Viewer
from app.http import cookies
from app.http.csrf import same_origin
from app.http.headers import parse_headers
from app.observability import request_stats
from app.security import authentication
from app.security.authentication import Credentials
from app.services import session
from app.services.app_context import AppContext


def extract_credentials(scope: Scope, cookie_name: str) -> Credentials | None:
    """The token of a request."""
    found = parse_headers(scope)
    if cookie_name not in found.made:
        value = cookies.extract(found.get(b"cookie", b""), cookie_name.encode())
        cookie = None if value is None else value.decode("latin-1")
        found.made[cookie_name] = authentication.extract_credentials(
            found.get(b"authorization", b"").decode("latin-1"), cookie
        )
    shown: Credentials | None = found.made[cookie_name]
    return shown


async def authenticate(desk: AppContext, shown: Credentials | None) -> Viewer:
    """Who calls, noted for the log; raises Unauthenticated for a token in a header that is no longer good."""
    viewer = session.authenticate_cached(desk, shown)
    if viewer is None:
        viewer = await session.authenticate(desk, shown)
    request_stats.current_request().viewer = viewer.user_id
    return viewer


def require_own_page(request: Request, shown: Credentials | None, viewer: Viewer) -> None:
    """Let who is known by a cookie change something from our own pages alone; raises Forbidden."""
    by_cookie = shown is not None and shown.by_cookie and viewer.user_id is not None
    if by_cookie and not same_origin(request):
        raise Forbidden(
            "A change with a cookie must come from this site's own pages; send the token in a header instead."
        )
