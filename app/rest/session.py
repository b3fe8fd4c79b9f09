"""Signing in, new tokens and passwords (U1, U2, U9, U10 in the numbering of the documented API)."""

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
from app.services import session as accounts
from app.services import validation

SECONDS_A_DAY = 86_400


async def _authenticate(call: Call) -> Response:
    try:
        session = await _signed_in(call)
    except Unauthenticated:
        raise WrongLogin from None
    return _opened(call, session)


async def _signed_in(call: Call) -> accounts.Session:
    """A token of an external provider's goes before the password."""
    token = (call.fields.get("token") or "").strip()
    if token:
        return await accounts.log_in_with_token(call.app, token)
    return await accounts.log_in(call.app, *_credentials(call))


def _credentials(call: Call) -> Sequence[str]:
    """The user name and the password; raises Problems that name each that is missing."""
    given = [(name, call.fields.get(name)) for name in ("username", "password")]
    validation.raise_problems([InvalidInput(f"`{name}` is missing.", (name,)) for name, text in given if not text])
    return [str(text) for _, text in given]


async def _refresh(call: Call) -> Response:
    return _opened(call, await accounts.refresh(call.app, call.viewer))


async def _change_password(call: Call) -> Response:
    session = await accounts.change_password(
        call.app, call.viewer, call.fields["oldPassword"], call.fields["newPassword"]
    )
    assert session is not None
    return _opened(call, session)


async def _reset_password(call: Call) -> Response:
    current, new = call.fields.get("currentPassword"), call.fields["newPassword"]
    if current is not None:
        await accounts.require_password(call.app, call.viewer, call.path_parameters["userName"], current)
    (fresh,) = await accounts.hash_managed_passwords(call.app, call.viewer, [(new, ("newPassword",))])
    async with call.change("resetPassword") as tx:
        await accounts.reset_password(tx, call.viewer, call.load_user(), str(fresh))
    return empty()


def _opened(call: Call, session: accounts.Session) -> Response:
    settings = call.context.settings
    response = json(_session(settings, session))
    if not http.from_foreign_page(call.request):
        lifetime = settings.token_expiration_in_days * SECONDS_A_DAY
        secure = call.request.url.scheme == "https"
        http.set_cookie(response, http.Cookie(settings.auth_cookie_name, session.token, lifetime, secure))
    return response


def _session(settings: Settings, session: accounts.Session) -> dict[str, Any]:
    """A token for all kinds of client: some read `username`, others `userName`; some cannot read a date."""
    moment = format_instant(session.expires_at, timespec="auto")
    return {
        "token": session.token,
        "expires": int(session.expires_at.timestamp()) if settings.drone_db_clients else moment,
        "expiresAt": moment,
        "username": session.user_name,
        "userName": session.user_name,
        "email": session.email,
        "roles": list(session.roles),
    }


_LOGIN = (
    Field("username", TEXT, "In any letter case; must be there unless `token` is."),
    Field("password", PASSWORD, "At most 1,024 characters; must be there unless `token` is."),
    Field("token", TEXT, "A token of the external provider, which goes before name and password; blank for none."),
)
_CHANGE = (
    Field("oldPassword", PASSWORD, "The password that holds now.", required=True),
    Field("newPassword", NEW_PASSWORD, "Keeps the password policy; at most 1,024 characters.", required=True),
)
_RESET = (
    Field("currentPassword", PASSWORD, "Checked when it is given; null or absent for a reset without it."),
    Field("newPassword", NEW_PASSWORD, "Keeps the password policy; at most 1,024 characters.", required=True),
)

ROUTES = (
    Route(
        "POST",
        "/users/authenticate",
        _authenticate,
        AuthMode.NONE,
        "Sign in with a password. Unknown, wrong and deactivated are refused alike. Sets the cookie too.",
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
        "A new token for a good one, which stays good until it ends. A body is not looked at.",
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
        "Change one's own password. Every token ends, and a new one is answered.",
        Body.ANY,
        _CHANGE,
        response_type=models.Session,
        refusals=(429,),
        name="changePassword",
        is_externally_managed=True,
    ),
    Route(
        "PUT",
        "/users/{userName}/changepwd",
        _reset_password,
        AuthMode.REQUIRED,
        "Set the password of a user who holds no more than the asker; needs USERS_MANAGE. Every token of hers ends.",
        Body.JSON,
        _RESET,
        refusals=(403, 429),
        answers_400=(NotFound,),
        name="resetPassword",
        is_externally_managed=True,
    ),
)
