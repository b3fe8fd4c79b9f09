"""Routes of sign-in, token refresh and passwords."""

from collections.abc import Sequence
from typing import Any

from starlette.responses import Response

from app import http
from app.config import Settings
from app.db.types import format_instant
from app.domain.errors import InvalidInput, NotFound, Unauthenticated
from app.rest import models
from app.rest.errors import WrongLogin
from app.rest.parameters import NEW_PASSWORD, PASSWORD, TEXT, Field
from app.rest.request_bodies import Body
from app.rest.responses import empty, json
from app.rest.routing import AuthMode, Call, Route
from app.services import password_changes, validation
from app.services import session as accounts


async def _authenticate(call: Call) -> Response:
    try:
        session = await _log_in(call)
    except Unauthenticated:
        raise WrongLogin from None
    return _session_response(call, session)


async def _log_in(call: Call) -> accounts.Session:
    """Sign in with the token of the identity provider if it is sent, else with the password."""
    token = (call.fields.get("token") or "").strip()
    if token:
        return await accounts.log_in_with_token(call.app, token)
    return await accounts.log_in(call.app, *_credentials(call))


def _credentials(call: Call) -> Sequence[str]:
    """Return the user name and the password. Raises Problems for missing ones."""
    values = [(name, call.fields.get(name)) for name in ("username", "password")]
    validation.raise_problems([InvalidInput(f"`{name}` is missing.", (name,)) for name, text in values if not text])
    return [str(text) for _, text in values]


async def _refresh(call: Call) -> Response:
    return _session_response(call, await accounts.refresh(call.app, call.viewer))


async def _change_password(call: Call) -> Response:
    session = await password_changes.change_password(
        call.app, call.viewer, call.fields["oldPassword"], call.fields["newPassword"]
    )
    assert session is not None
    return _session_response(call, session)


async def _reset_password(call: Call) -> Response:
    current, new = call.fields.get("currentPassword"), call.fields["newPassword"]
    if current is not None:
        await password_changes.require_password(call.app, call.viewer, call.path_parameters["userName"], current)
    new_hash = await password_changes.hash_managed_password(call.app, call.viewer, new)
    async with call.change("resetPassword") as tx:
        await password_changes.reset_password(tx, call.viewer, call.user_ref(), new_hash)
    return empty()


def _session_response(call: Call, session: accounts.Session) -> Response:
    """Return the session as JSON, with its cookie unless a page of another site may have sent the request."""
    settings = call.context.settings
    response = json(_session_json(settings, session))
    if not http.from_foreign_page(call.request):
        http.set_cookie(response, http.session_cookie(call.request, settings, session.token))
    return response


def _session_json(settings: Settings, session: accounts.Session) -> dict[str, Any]:
    """Return the fields of all clients: some read `username`, others `userName`, and some need Unix seconds."""
    expires_at = format_instant(session.expires_at, timespec="auto")
    return {
        "token": session.token,
        "expires": int(session.expires_at.timestamp()) if settings.drone_db_clients else expires_at,
        "expiresAt": expires_at,
        "username": session.user_name,
        "userName": session.user_name,
        "email": session.email,
        "roles": list(session.roles),
    }


_LOGIN = (
    Field("username", TEXT, "User name in any letter case; required without `token`."),
    Field("password", PASSWORD, "At most 1,024 characters; required without `token`."),
    Field("token", TEXT, "A token of the identity provider, used instead of name and password; blank for none."),
)
_CHANGE = (
    Field("oldPassword", PASSWORD, "The current password.", required=True),
    Field("newPassword", NEW_PASSWORD, "Must follow the password policy; at most 1,024 characters.", required=True),
)
_RESET = (
    Field("currentPassword", PASSWORD, "Checked if sent; null or absent for a reset without it."),
    Field("newPassword", NEW_PASSWORD, "Must follow the password policy; at most 1,024 characters.", required=True),
)

ROUTES = (
    Route(
        "POST",
        "/users/authenticate",
        _authenticate,
        AuthMode.NONE,
        "Sign in with a password, and set the cookie. The error is the same for every reason.",
        Body.ANY,
        _LOGIN,
        response_type=models.Session,
        refusals=(401, 409, 429, 503),
        name="authenticate",
    ),
    Route(
        "POST",
        "/users/authenticate/refresh",
        _refresh,
        AuthMode.REQUIRED,
        "Get a new token for a valid one, which stays valid until it expires. A body is ignored.",
        response_type=models.Session,
        refusals=(429,),
        name="refreshToken",
        throttles_tokens=True,
    ),
    Route(
        "POST",
        "/users/changepwd",
        _change_password,
        AuthMode.REQUIRED,
        "Change the viewer's own password. Every session token of the viewer ends, and the response has a new one. "
        "409 if another request has changed it meanwhile.",
        Body.ANY,
        _CHANGE,
        response_type=models.Session,
        refusals=(409, 429),
        name="changePassword",
        needs_local_accounts=True,
    ),
    Route(
        "PUT",
        "/users/{userName}/changepwd",
        _reset_password,
        AuthMode.REQUIRED,
        "Set the password of a user with no more rights than the viewer; needs USERS_MANAGE. The session tokens end.",
        Body.JSON,
        _RESET,
        refusals=(403, 429),
        answers_400=(NotFound,),
        name="resetPassword",
        has_revision=True,
        needs_local_accounts=True,
    ),
)
