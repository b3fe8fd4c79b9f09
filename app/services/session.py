"""Authentication of requests, signing in and signing out."""

import logging
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager, suppress
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from sqlalchemy import bindparam, delete, insert, update

from app import policy
from app.config import DEFAULT_PASSWORD
from app.db import BoundStatement, Freshness, Transaction, UniqueViolation
from app.db.statements import Row
from app.db.tables import RevokedToken, User, UTCDateTime, col
from app.domain import viewer as viewers
from app.domain.errors import Unauthenticated, Unavailable
from app.domain.refs import RowRef
from app.domain.request_origin import current_origin
from app.domain.viewer import DEACTIVATED, SYSTEM, Viewer
from app.observability import sign_in_log
from app.observability.sign_in_log import Credential, Reason
from app.security import authentication, passwords, session_tokens
from app.services import audit, external_accounts, retries, roles, users, validation
from app.services.app_context import AppContext
from app.services.demo import names as demo_names
from app.services.external_accounts import ProviderIdentity
from app.services.login_events import note_login
from app.services.login_throttle import LoginAttempt
from app.services.session_statements import CREDENTIALS, USER_WITH_ROLES

log = logging.getLogger(__name__)

WELL_KNOWN_PASSWORDS = frozenset({DEFAULT_PASSWORD, demo_names.PASSWORD})
"""Published passwords: that of the first administrator, and that of the demo users."""

INVALID_CREDENTIALS_MESSAGE = "The user name or the password is incorrect."
INVALID_TOKEN_MESSAGE = "The token is invalid or expired."  # noqa: S105 - a text

LOGIN = "login"
SYNCHRONIZE = "synchronizeUser"
"""Audit action for the data of the identity provider, stored even if the user is deactivated and cannot sign in."""


@dataclass(frozen=True, slots=True)
class Session:
    """A session token with its user."""

    token: str
    expires_at: datetime
    viewer: Viewer
    user_name: str
    email: str | None
    roles: tuple[str, ...]


def authenticate_cached(app: AppContext, credentials: authentication.Credentials | None) -> Viewer | None:
    """Return the viewer of a request if no query is needed, else None."""
    if credentials is None:
        return viewers.ANONYMOUS
    now = app.database.clock()
    viewer = (
        None
        if app.key_store.is_stale(now)
        else authentication.authenticate_cached(app.database, app.signer, credentials, now)
    )
    if viewer is not None:
        note_use(app, viewer)
    return viewer


def viewer_under_condition(
    app: AppContext, credentials: authentication.Credentials | None
) -> tuple[Viewer, BoundStatement] | None:
    """Return the viewer of an earlier request, and the condition that they still are; None without one."""
    if credentials is None or not app.database.checks_conditions or app.key_store.is_stale(now := app.database.clock()):
        return None
    return authentication.viewer_under_condition(app.database, app.signer, credentials, now)


async def authenticate(app: AppContext, credentials: authentication.Credentials | None) -> Viewer:
    """Return the viewer of a request; raise Unauthenticated for an invalid token in the header."""
    if credentials is None:
        return viewers.ANONYMOUS
    await _refresh_keys(app, credentials)
    is_external = app.provider is not None
    viewer = await authentication.authenticate(app.database, app.signer, credentials, externally_managed=is_external)
    note_use(app, viewer)
    return viewer


def note_use(app: AppContext, viewer: Viewer) -> None:
    """Note the use of the API token of a viewer, if they have one."""
    if viewer.token_id is not None:
        app.last_used.note(viewer.token_id)


async def reject_revoked(app: AppContext, credentials: authentication.Credentials | None) -> None:
    """Raise Unauthenticated for a revoked token in the header, on routes that need no sign-in."""
    if credentials is not None:
        await _refresh_keys(app, credentials)
    await authentication.reject_revoked(app.database, app.signer, credentials)


async def _refresh_keys(app: AppContext, credentials: authentication.Credentials) -> None:
    """Read the keys again if they are old, or if the token names an unknown key."""
    await app.key_store.refresh()
    if app.signer.is_unknown_key(credentials.token):
        await app.key_store.refresh_for_unknown_key()


async def log_in(app: AppContext, user_name: str, password: str) -> Session:
    """Sign in with a password.

    Raise Unauthenticated, with the same message and after the same work, for an unknown user, an incorrect password
    and a deactivated user.
    """
    await app.key_store.refresh()
    async with app.throttle.attempt(app.database, app.queue, user_name) as attempt:
        if app.provider is None:
            return await _log_in_locally(app, attempt, user_name, password)
        attempt.reason = Reason.PROVIDER_AWAY
        identity = await external_accounts.identify_by_password(app.provider, user_name, password)
        return await _log_in_externally(app, attempt, identity, INVALID_CREDENTIALS_MESSAGE)


async def _log_in_locally(app: AppContext, attempt: LoginAttempt, user_name: str, password: str) -> Session:
    for _ in range(VERIFICATIONS):
        key = validation.normalize_key(user_name)
        rows = await app.database.ask(CREDENTIALS, freshness=Freshness.PRIMARY, name=key)
        user_id, stored, is_deactivated = rows[0] if rows else (0, None, False)
        result = await app.hasher.verify(password, stored)
        attempt.set_reason(user_exists=bool(rows), is_correct=result.ok)
        if result.ok and not is_deactivated and not _is_allowed_here(password):
            attempt.reason = Reason.NOT_ALLOWED
            raise Unauthenticated(INVALID_CREDENTIALS_MESSAGE)
        if not result.ok or is_deactivated:
            raise Unauthenticated(INVALID_CREDENTIALS_MESSAGE)
        new_hash = await app.hasher.hash(password) if result.needs_rehash else None
        is_default = is_default_password(password)
        store = partial(_store_login, app, attempt, user_id, stored, new_hash, is_default=is_default)
        with suppress(HashReplaced):
            return await retries.run(store)
    raise Unavailable("The password of this account changes again and again. Try again in a moment.")


class HashReplaced(Exception):
    """Another request has stored a hash since a password was verified: of another password, or of the same one."""


VERIFICATIONS = 4
"""Times that a password is verified, if other requests replace its hash meanwhile. The first sign-in after an import
does so, and several of them can begin at once.
"""


async def _store_login(
    app: AppContext, attempt: LoginAttempt, user_id: int, stored: str | None, new_hash: str | None, *, is_default: bool
) -> Session:
    async with audit.transaction(app.database, Viewer(user_id), LOGIN) as tx:
        rows = await tx.rows(USER_WITH_ROLES, id=user_id)
        session = issue_session(app, user_id, rows, tx.now, is_default=is_default)
        if session is None:
            raise Unauthenticated(INVALID_CREDENTIALS_MESSAGE)
        note_login(tx, user_id, session.user_name, rows)
        values: dict[str, Any] = {"last_login_at": tx.now} | ({"password_hash": new_hash} if new_hash else {})
        unchanged = (col(User.id) == user_id) & (col(User.password_hash) == stored)
        if not await tx.rows(update(User).where(unchanged).values(**values).returning(col(User.id))):
            raise HashReplaced
        await attempt.succeed(tx)
    return session


def is_default_password(password: str) -> bool:
    """Return whether this is the published password of the first administrator."""
    return passwords.normalize(password) == DEFAULT_PASSWORD


def _is_allowed_here(password: str) -> bool:
    """Return whether a correct password is accepted: a published one only from this machine, without a proxy."""
    if passwords.normalize(password) not in WELL_KNOWN_PASSWORDS or current_origin.get().is_direct_local():
        return True
    log.warning("refused a published password: it is accepted only in direct requests from this machine")
    return False


async def log_in_with_token(app: AppContext, token: str) -> Session:
    """Sign in with a token of the identity provider; raise Unauthenticated if it is invalid or there is no provider."""
    if app.provider is None:
        sign_in_log.log_refusal(Credential.PROVIDER_TOKEN, Reason.NO_PROVIDER)
        raise Unauthenticated(INVALID_TOKEN_MESSAGE)
    await app.key_store.refresh()
    async with app.throttle.attempt(app.database, app.queue) as attempt:
        attempt.reason = Reason.PROVIDER_AWAY
        identity = await external_accounts.identify_by_token(app.provider, token)
        return await _log_in_externally(app, attempt, identity, INVALID_TOKEN_MESSAGE)


async def _log_in_externally(
    app: AppContext, attempt: LoginAttempt, identity: ProviderIdentity | None, message: str
) -> Session:
    """Sign in a user of the identity provider, or raise Unauthenticated with the message.

    The provider's data of a deactivated user is stored too, although the sign-in fails.
    """
    attempt.reason = Reason.PROVIDER_REFUSED if identity is None else Reason.DEACTIVATED
    if identity is None:
        raise Unauthenticated(message)
    session = await retries.run(partial(_synchronize, app, attempt, identity, message))
    if session is None:
        raise Unauthenticated(message)
    return session


async def _synchronize(
    app: AppContext, attempt: LoginAttempt, identity: ProviderIdentity, message: str
) -> Session | None:
    """Store the data of the provider, and return the session; None for a deactivated user."""
    async with audit.transaction(app.database, SYSTEM, SYNCHRONIZE) as tx:
        user_id = await external_accounts.synchronize(tx, identity, with_orgs=app.has_personal_orgs)
        if user_id is None:
            attempt.reason = Reason.NOT_ALLOWED
            raise Unauthenticated(message)
        rows = await tx.rows(USER_WITH_ROLES, id=user_id)
        session = issue_session(app, user_id, rows, tx.now)
        if session is not None:
            audit.set_actor(tx, user_id, LOGIN)
            note_login(tx, user_id, session.user_name, rows)
            await tx.update(User, user_id, {"last_login_at": tx.now})
            await attempt.succeed(tx)
    return session


def token_slot(app: AppContext) -> AbstractAsyncContextManager[None]:
    """Limit invalid tokens of one address: the block authenticates and refreshes a token."""
    return app.throttle.token_slot(app.database)


async def refresh(app: AppContext, viewer: Viewer) -> Session:
    """Issue a new token to a signed-in user. The old token stays valid until its end."""
    user_id = policy.require_session(viewer)
    session = issue_session(
        app,
        user_id,
        await app.database.ask(USER_WITH_ROLES, freshness=Freshness.PRIMARY, id=user_id),
        app.database.clock(),
        is_default=viewer.has_default_password,
    )
    if session is None:
        sign_in_log.log_refusal(Credential.REFRESH, Reason.DEACTIVATED)
        raise Unauthenticated("Sign in again.")
    return session


def issue_session(
    app: AppContext, user_id: int, rows: Sequence[Row], now: datetime, *, is_default: bool = False
) -> Session | None:
    """Issue a token for the user in the rows; None for a deleted or deactivated user, or a service account.

    The token of an administrator says if their password `is_default`.
    """
    if not rows or any(row[5] == DEACTIVATED or row[6] for row in rows):
        return None
    user_name, email, generation = rows[0][:3]
    permissions = roles.combine_permissions(row[4] for row in rows)
    role_names = tuple(row[3] for row in rows if row[3] is not None)
    is_admin = any(row[5] == roles.ADMIN for row in rows)
    claims = session_tokens.TokenClaims(
        user_id, user_name, is_admin, generation, account_key=rows[0][7], default_password=is_default and is_admin
    )
    issued = app.signer.issue(claims, now)
    viewer = Viewer(
        user_id,
        permissions,
        issued.jti,
        issued.expires_at,
        app.provider is not None,
        has_default_password=claims.default_password,
    )
    return Session(issued.token, issued.expires_at, viewer, user_name, email, role_names)


async def log_out(tx: Transaction, viewer: Viewer) -> None:
    """Revoke the token of this request, for every worker, from the next request on."""
    user_id = policy.require_session(viewer)
    audit.note(tx, audit.USER, user_id, {"token": "revoked"})
    await tx.rows(
        delete(RevokedToken).where(col(RevokedToken.expires_at) < bindparam("now", type_=UTCDateTime())), now=tx.now
    )
    try:
        await tx.rows(insert(RevokedToken).values(jti=viewer.jti, expires_at=viewer.expires_at))
    except UniqueViolation:
        raise Unauthenticated("Sign in first.") from None


async def sign_out_everywhere(tx: Transaction, viewer: Viewer, user: RowRef | None = None) -> int:
    """Revoke every session token of the viewer, or of a user whom the viewer manages; return the user's id."""
    policy.require_signed_in(viewer)
    is_viewer = user is None or await users.is_viewer(tx, viewer, user)
    key = policy.require_session(viewer) if user is None or is_viewer else await users.load_managed(tx, viewer, user)
    audit.note(tx, audit.USER, key, {"tokens": "revoked"})
    await tx.rows(update(User).where(col(User.id) == key).values(token_generation=session_tokens.new_generation()))
    return key
