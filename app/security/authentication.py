"""Authentication: from the token of a request to its viewer. Policies decide what the viewer may do."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from hashlib import sha256
from typing import Any

from sqlalchemy import BigInteger, Select, bindparam, exists, func, or_, select

from app import db
from app.caching import WeightedLRU
from app.db import tables
from app.db.statements import Row, condition
from app.db.tables import RowId, col
from app.domain import errors
from app.domain.viewer import (
    ALL_PERMISSIONS,
    ANONYMOUS,
    DEACTIVATED,
    LIMITED_TOKEN_PERMISSIONS,
    Permission,
    Viewer,
    permissions_of,
)
from app.observability import request_stats, sign_in_log
from app.observability.sign_in_log import Credential, Reason
from app.security import api_token_format, session_tokens

_ACCOUNT_KEY = func.coalesce(col(tables.User.account_key), col(tables.User.user_key))
_IS_REVOKED = exists().where(col(tables.RevokedToken.jti) == bindparam("jti", type_=tables.KeyText()))

_USER_ROLES = (
    select(
        col(tables.Role.permissions),
        col(tables.Role.name_key),
        _ACCOUNT_KEY,
        col(tables.User.token_generation),
        _IS_REVOKED,
    )
    .select_from(tables.User)
    .outerjoin(tables.UserRole, col(tables.UserRole.user_id) == col(tables.User.id))
    .outerjoin(tables.Role, col(tables.Role.id) == col(tables.UserRole.role_id))
    .where(col(tables.User.id) == bindparam("id", type_=RowId()))
)


def _same_roles(statement: Select[Any]) -> Select[Any]:
    """Return the condition that the roles in the rows of a statement have the same permissions as before.

    It fails also if there are no rows, since their permissions are null then.
    """
    permissions = func.bit_or(func.coalesce(col(tables.Role.permissions), 0))
    has_changed = permissions.is_distinct_from(bindparam("permissions", type_=BigInteger()))
    return condition(statement.having(or_(has_changed, func.bool_or(col(tables.Role.name_key) == DEACTIVATED))))


_SAME_USER = _same_roles(
    _USER_ROLES.where(
        bindparam("account_key", type_=tables.KeyText()) == _ACCOUNT_KEY,
        col(tables.User.token_generation) == bindparam("generation", type_=BigInteger()),
        ~_IS_REVOKED,
    )
)
"""The condition that a session token still has the same viewer."""


@dataclass(frozen=True, slots=True)
class Authenticated:
    """The viewer of a token, with the statement that is the condition for being its viewer, and the values of that."""

    viewer: Viewer
    condition: Select[Any]
    values: dict[str, Any] = field(repr=False)


async def viewer_from_token(database: db.Database, claims: session_tokens.TokenClaims) -> Authenticated | Reason:
    """Return the viewer of a session token with a valid signature, or the reason why the token is refused.

    It is refused when the user is deleted, deactivated or has signed out since. The first name of the account must
    match too: after a backup is restored, the id may belong to another user.
    """
    rows = await database.ask(_USER_ROLES, freshness=db.Freshness.PRIMARY, id=claims.user_id, jti=claims.jti)
    account_key = claims.account_key or tables.casefold_key(claims.user_name)
    expected = account_key, claims.generation
    if any((name, generation) != expected or revoked for *_, name, generation, revoked in rows):
        return Reason.REVOKED if any(revoked for *_, revoked in rows) else Reason.WRONG_GENERATION
    permissions = _combine_permissions(rows)
    if permissions is None:
        return Reason.DEACTIVATED if rows else Reason.UNKNOWN_USER
    user_id, jti = claims.user_id, claims.jti
    viewer = Viewer(user_id, permissions, jti, claims.expires_at, has_default_password=claims.default_password)
    values = {"id": user_id, "jti": jti, "account_key": account_key, "generation": claims.generation}
    return Authenticated(viewer, _SAME_USER, {**values, "permissions": permissions.value})


def _combine_permissions(rows: Sequence[Row]) -> Permission | None:
    """Return the permissions of all roles of a user; None if there are no rows or the user is deactivated.

    Each row begins with the permissions and the key of one role.
    """
    permissions = 0
    for granted, role, *_ in rows:
        if role == DEACTIVATED:
            return None
        permissions |= granted or 0
    return permissions_of(permissions) if rows else None


_TOKEN = (
    select(
        col(tables.Role.permissions),
        col(tables.Role.name_key),
        col(tables.ApiToken.id),
        col(tables.ApiToken.user_id),
        col(tables.ApiToken.permissions),
        col(tables.ApiToken.is_limited),
        col(tables.ApiToken.expires_at),
    )
    .select_from(tables.ApiToken)
    .outerjoin(tables.UserRole, col(tables.UserRole.user_id) == col(tables.ApiToken.user_id))
    .outerjoin(tables.Role, col(tables.Role.id) == col(tables.UserRole.role_id))
    .where(col(tables.ApiToken.hash) == bindparam("hash", type_=tables.KeyText()))
)

_TOKEN_VALUES = ("permissions", "is_limited", "expires_at")

_SAME_TOKEN = _same_roles(
    _TOKEN.where(
        col(tables.ApiToken.id) == bindparam("token_id", type_=RowId()),
        *(
            col(getattr(tables.ApiToken, name)).is_not_distinct_from(
                bindparam(f"token_{name}", type_=col(getattr(tables.ApiToken, name)).type)
            )
            for name in _TOKEN_VALUES
        ),
    )
)
"""The condition that an API token still has the same viewer."""


async def viewer_from_api_token(database: db.Database, token: str) -> Authenticated | Reason:
    """Return the viewer of an API token, or the reason why the token is refused, with one statement.

    The viewer holds the permissions that both the token and the user's current roles have. The token is refused when
    it is revoked or expired, or the user is deactivated.
    """
    if not api_token_format.is_valid(token):
        return Reason.MALFORMED
    token_hash = api_token_format.digest(token)
    rows = await database.ask(_TOKEN, freshness=db.Freshness.PRIMARY, hash=token_hash)
    permissions = _combine_permissions(rows)
    if permissions is None:
        return Reason.DEACTIVATED if rows else Reason.UNKNOWN_TOKEN
    *_, token_id, user_id, token_permissions, is_limited, expires_at = rows[0]
    if expires_at is not None and expires_at <= database.clock():
        return Reason.EXPIRED
    values = {
        "hash": token_hash,
        "token_id": token_id,
        "permissions": permissions.value,
        "token_permissions": token_permissions,
        "token_is_limited": is_limited,
        "token_expires_at": expires_at,
    }
    permissions &= Permission(token_permissions) & (LIMITED_TOKEN_PERMISSIONS if is_limited else ALL_PERMISSIONS)
    viewer = Viewer(user_id, permissions, expires_at=expires_at, token_id=token_id, is_limited=bool(is_limited))
    return Authenticated(viewer, _SAME_TOKEN, values)


@dataclass(slots=True, eq=False)
class Credentials:
    """The token of a request, and its transport: a cookie or the Authorization header."""

    token: str
    by_cookie: bool
    _cache_key: tuple[bytes, bool] | None = None

    @property
    def cache_key(self) -> tuple[bytes, bool]:
        """Return the key of the viewer cache: a hash, so that the cache holds no tokens."""
        if self._cache_key is None:
            self._cache_key = sha256(self.token.encode("utf-8", "surrogatepass")).digest(), self.by_cookie
        return self._cache_key


def extract_credentials(authorization: str, cookie: str | None) -> Credentials | None:
    """Return the token of a request. The header takes precedence over the cookie; an empty token is no token."""
    scheme, _, rest = authorization.partition(" ")
    if scheme.lower() == "bearer":
        return Credentials(token, by_cookie=False) if (token := rest.strip()) else None
    return Credentials(cookie, by_cookie=True) if cookie else None


VIEWERS_CACHED = 10_000

_VIEWERS: db.CommitScopedCache[tuple[bytes, bool], tuple[Viewer, session_tokens.VerificationKeys]] = (
    db.CommitScopedCache(VIEWERS_CACHED)
)
"""Viewers by the cache keys of their credentials, each with the verification keys of its authentication."""

_ConditionalViewers = WeightedLRU[tuple[bytes, bool], tuple[Viewer, db.BoundStatement]]
"""Viewers by the cache keys of their credentials, each with the condition under which it is valid."""

_CONDITIONAL_VIEWERS = object()
"""Key of the conditional viewers in `Database.caches`."""


def authenticate_cached(
    database: db.Database, signer: session_tokens.TokenSigner, credentials: Credentials, now: datetime
) -> Viewer | None:
    """Return the viewer of a token that was authenticated since the last commit, else None.

    A changed role or password takes effect with the next request on every worker, because every commit empties the
    cache. To compare the commit version costs less than to read the roles.
    """
    cache = _VIEWERS.get_cached(database)
    entry = cache.get(credentials.cache_key) if cache else None
    if entry is None or entry[1] is not signer.keys:
        return None
    return entry[0] if _has_time_left(entry[0], now) else None


def _has_time_left(viewer: Viewer, now: datetime) -> bool:
    return viewer.expires_at is None or now < viewer.expires_at


def viewer_under_condition(
    database: db.Database, signer: session_tokens.TokenSigner, credentials: Credentials, now: datetime
) -> tuple[Viewer, db.BoundStatement] | None:
    """Return the viewer of an earlier request with a token, and the condition that this is still its viewer, or None.

    A database that `checks_conditions` checks it together with the first read of the request, which then needs no
    round trip for its authentication. The signature, the key and the times of the token are checked here.
    """
    viewers: _ConditionalViewers | None = database.caches.get(_CONDITIONAL_VIEWERS)
    remembered = None if viewers is None else viewers.get(credentials.cache_key)
    if remembered is None or not _has_time_left(remembered[0], now):
        return None
    if remembered[0].token_id is None and isinstance(signer.examine(credentials.token, now), Reason):
        return None
    return remembered


def forget_viewer(database: db.Database, credentials: Credentials, viewer: Viewer) -> None:
    """Forget the viewer of an earlier request whose condition has failed, unless another was remembered meanwhile."""
    viewers: _ConditionalViewers | None = database.caches.get(_CONDITIONAL_VIEWERS)
    remembered = None if viewers is None else viewers.peek(credentials.cache_key)
    if viewers is not None and remembered is not None and remembered[0] is viewer:
        viewers.discard(credentials.cache_key)


async def authenticate(
    database: db.Database,
    signer: session_tokens.TokenSigner,
    credentials: Credentials | None,
    *,
    externally_managed: bool,
) -> Viewer:
    """Return the viewer of a request; raise Unauthenticated for an invalid token in the header.

    An invalid cookie makes the viewer anonymous, so that the user can sign in again.
    """
    if credentials is None:
        return ANONYMOUS
    # Both are read before the token is checked: a commit or a rotation in between must not enter the cache.
    cache, keys = _VIEWERS.get_cached(database), signer.keys
    result = await _load_viewer(database, signer, credentials)
    if isinstance(result, Reason):
        credential = (
            Credential.API_TOKEN if api_token_format.has_prefix(credentials.token) else Credential.SESSION_TOKEN
        )
        sign_in_log.log_refusal(request_stats.current_request().credential or credential, result)
        if not credentials.by_cookie:
            raise errors.InvalidToken("The token is invalid or expired. Sign in again.")
        return ANONYMOUS
    viewer = replace(result.viewer, externally_managed=True) if externally_managed else result.viewer
    if cache is not None:
        cache[credentials.cache_key] = viewer, keys
    elif database.checks_conditions:
        viewers: _ConditionalViewers = database.caches.setdefault(_CONDITIONAL_VIEWERS, WeightedLRU(VIEWERS_CACHED))
        viewers.put(credentials.cache_key, (viewer, (database.prepare(result.condition), result.values)))
    return viewer


async def _load_viewer(
    database: db.Database, signer: session_tokens.TokenSigner, credentials: Credentials
) -> Authenticated | Reason:
    """Return the viewer of a token, or the reason why the token is refused."""
    if api_token_format.has_prefix(credentials.token):  # API tokens are for programs, which use no cookies
        return Reason.WRONG_PLACE if credentials.by_cookie else await viewer_from_api_token(database, credentials.token)
    claims = signer.examine(credentials.token, database.clock())
    return claims if isinstance(claims, Reason) else await viewer_from_token(database, claims)


_REVOKED = select(col(tables.RevokedToken.jti)).where(
    col(tables.RevokedToken.jti) == bindparam("jti", type_=tables.KeyText())
)


async def reject_revoked(
    database: db.Database, signer: session_tokens.TokenSigner, credentials: Credentials | None
) -> None:
    """Raise Unauthenticated for a revoked token in the header, on routes that need no sign-in.

    Any other token is ignored there, valid or not.
    """
    if credentials is None or credentials.by_cookie:
        return
    claims = signer.read(credentials.token, database.clock())
    rows = [] if claims is None else await database.ask(_REVOKED, freshness=db.Freshness.PRIMARY, jti=claims.jti)
    if rows or signer.is_listed(credentials.token):
        sign_in_log.log_refusal(Credential.SESSION_TOKEN, Reason.REVOKED)
        raise errors.InvalidToken("The token was revoked. Sign in again.")
