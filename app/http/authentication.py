"""Authentication of a request by its token, and the check of changes that are authenticated by a cookie."""

from functools import partial

from starlette.requests import Request
from starlette.types import Scope

from app.db import ConditionalDatabase
from app.domain import refs
from app.domain.errors import Forbidden, Unauthenticated
from app.domain.request_origin import RequestOrigin, current_origin
from app.domain.viewer import Viewer
from app.http import cookies
from app.http.csrf import same_origin
from app.http.headers import parse_headers
from app.http.locality import is_direct_local
from app.observability import request_stats, traces
from app.security import authentication
from app.security.authentication import Credentials
from app.services import session
from app.services.app_context import AppContext


def extract_credentials(scope: Scope, cookie_name: str) -> Credentials | None:
    """Return the token of a request, from its header or its cookie. The result is cached with the headers."""
    headers = parse_headers(scope)
    if cookie_name not in headers.cache:
        value = cookies.extract(headers.get(b"cookie", b""), cookie_name.encode())
        cookie = None if value is None else value.decode("latin-1")
        headers.cache[cookie_name] = authentication.extract_credentials(
            headers.get(b"authorization", b"").decode("latin-1"), cookie
        )
    credentials: Credentials | None = headers.cache[cookie_name]
    return credentials


async def authenticate(app: AppContext, credentials: Credentials | None) -> Viewer:
    """Return the viewer and note them for the log. Raises Unauthenticated for an invalid token in a header."""
    viewer = session.authenticate_cached(app, credentials)
    if viewer is None:
        with traces.span("authenticate", expected=Unauthenticated):
            viewer = await session.authenticate(app, credentials)
    request_stats.current_request().viewer = viewer.user_id
    return viewer


VIEWER_HEADER = b"ostiary-viewer"
"""The header with the global id of the user for whom a page was made."""


def require_expected_viewer(scope: Scope, viewer: Viewer) -> None:
    """Raise Unauthenticated if the request expects another viewer: its session has ended, or is another user's."""
    expected = parse_headers(scope).get(VIEWER_HEADER)
    if expected is not None and (viewer.user_id is None or expected != refs.encode("User", viewer.user_id).encode()):
        raise Unauthenticated("You are no longer signed in as the user of this page. Sign in again.")


def viewer_under_condition(
    app: AppContext, credentials: Credentials | None
) -> tuple[Viewer, ConditionalDatabase] | None:
    """Return the viewer of an earlier request, and a database whose first read checks that they still are; or None.

    The viewer is noted for the log after that read. Call `forget_viewer` if it raises ConditionFailed.
    """
    remembered = session.viewer_under_condition(app, credentials)
    if remembered is None:
        return None
    viewer, condition = remembered
    return viewer, ConditionalDatabase(app.database, condition, partial(_note_viewer, app, viewer))


def _note_viewer(app: AppContext, viewer: Viewer) -> None:
    session.note_use(app, viewer)
    request_stats.current_request().viewer = viewer.user_id


def forget_viewer(app: AppContext, credentials: Credentials | None, viewer: Viewer) -> None:
    """Forget the viewer of an earlier request, whose token is another's by now or nobody's.

    The statistics of the request begin again, but for what it has read.
    """
    if credentials is not None:
        authentication.forget_viewer(app.database, credentials, viewer)
    request_stats.current_request().forget_operation()


def require_own_page(request: Request, credentials: Credentials | None, viewer: Viewer) -> None:
    """Raise Forbidden for a change that is authenticated by a cookie and does not come from a page of this site."""
    by_cookie = credentials is not None and credentials.by_cookie and viewer.user_id is not None
    if by_cookie and not same_origin(request):
        raise Forbidden(
            "A change with a cookie must come from this site's own pages. Send the token in a header instead."
        )


def note_origin(request: Request, api: str) -> None:
    """Set the origin of this request for the audit log, with the request id of its log line."""
    address = None if request.client is None else request.client.host
    is_local = partial(is_direct_local, request.scope)
    current_origin.set(RequestOrigin(api, address, request_stats.current_request().request_id or None, is_local))
