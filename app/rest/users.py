"""The routes below `/users`."""

from datetime import UTC
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from app import web
from app.errors import Unauthenticated
from app.rest.bodies import Body
from app.rest.errors import WrongLogin
from app.rest.routing import Call, Route, Who, json
from app.services import accounts
from app.settings import Settings

SECONDS_A_DAY = 86_400


async def _authenticate(call: Call) -> Response:
    try:
        session = await _signed_in(call)
    except Unauthenticated:
        raise WrongLogin from None
    return _opened(call, session)


async def _signed_in(call: Call) -> accounts.Session:
    """A token of an external provider's goes before the password."""
    token = (call.fields.text("token") or "").strip()
    if token:
        return await accounts.log_in_with_token(call.desk, token)
    return await accounts.log_in(call.desk, *call.fields.required("username", "password"))


async def _refresh(call: Call) -> Response:
    return _opened(call, await accounts.refresh(call.desk, call.viewer))


def _opened(call: Call, session: accounts.Session) -> Response:
    response = json(_session(call.settings, session))
    if _is_not_foreign(call.request):
        lifetime = call.settings.token_expiration_in_days * SECONDS_A_DAY
        secure = call.request.url.scheme == "https"
        web.set_cookie(response, web.Cookie(call.settings.auth_cookie_name, session.token, lifetime, secure))
    return response


def _session(settings: Settings, session: accounts.Session) -> dict[str, Any]:
    """A token for all kinds of client: some read `username`, others `userName`; some cannot read a date."""
    moment = session.expires_at.astimezone(UTC).isoformat().replace("+00:00", "Z")
    return {
        "token": session.token,
        "expires": int(session.expires_at.timestamp()) if settings.drone_db_clients else moment,
        "expiresAt": moment,
        "username": session.user_name,
        "userName": session.user_name,
        "email": session.email,
        "roles": list(session.roles),
    }


def _is_not_foreign(request: Request) -> bool:
    """Whether no other site's page can be behind this: its form could sign a visitor in as somebody else."""
    from_page = "origin" in request.headers or "sec-fetch-site" in request.headers
    return not from_page or web.same_origin(request)


ROUTES = (
    Route("POST", "/users/authenticate", _authenticate, Who.UNASKED, Body.ANY),
    Route("POST", "/users/authenticate/refresh", _refresh, Who.SIGNED_IN),
)
