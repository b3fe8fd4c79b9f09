"""Who is asking, and nothing about what she may do."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import sha256

from sqlalchemy import bindparam, exists, select

from app import db
from app.db import tables
from app.db.statements import Row
from app.db.tables import RowId, col
from app.domain import errors
from app.domain.viewer import ALL_PERMISSIONS, ANONYMOUS, DEACTIVATED, SCOPED_PERMISSIONS, Permission, Viewer
from app.observability import request_stats, sign_in_log
from app.observability.sign_in_log import Credential, Reason
from app.security import api_token_format, session_tokens

_PERMISSIONS = (
    select(
        col(tables.Role.permissions),
        col(tables.Role.name_key),
        col(tables.User.user_key),
        col(tables.User.token_generation),
        exists().where(col(tables.RevokedToken.jti) == bindparam("jti", type_=tables.KeyText())),
    )
    .select_from(tables.User)
    .outerjoin(tables.UserRole, col(tables.UserRole.user_id) == col(tables.User.id))
    .outerjoin(tables.Role, col(tables.Role.id) == col(tables.UserRole.role_id))
    .where(col(tables.User.id) == bindparam("id", type_=RowId()))
)


async def viewer_from_token(database: db.Database, claims: session_tokens.TokenClaims) -> Viewer | Reason:
    """Say who holds a token whose signature was good; why not when they are gone, deactivated or signed out since.

    Nobody does when the user with this id has another name: the id may be somebody else's since a backup was put back.
    """
    rows = await database.ask(_PERMISSIONS, freshness=db.Freshness.PRIMARY, id=claims.user_id, jti=claims.jti)
    named = tables.casefold_key(claims.user_name), claims.generation
    if any((name, generation) != named or revoked for *_, name, generation, revoked in rows):
        return Reason.REVOKED if any(revoked for *_, revoked in rows) else Reason.WRONG_GENERATION
    permissions = _permissions(rows)
    if permissions is None:
        return Reason.DEACTIVATED if rows else Reason.UNKNOWN_USER
    return Viewer(claims.user_id, permissions, claims.jti, claims.expires_at)


def _permissions(rows: Sequence[Row]) -> Permission | None:
    """What all her roles allow, of rows that begin with one each; None when she is gone or deactivated."""
    permissions = Permission.NONE
    for granted, role, *_ in rows:
        if role == DEACTIVATED:
            return None
        permissions |= Permission(granted or 0)
    return permissions if rows else None


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


async def viewer_from_api_token(database: db.Database, token: str) -> Viewer | Reason:
    """Say who asks by an API token: they hold what their roles allow now, of what the token carries.

    Why not when it was revoked or has ended, or they are deactivated; as for the other kind, by one statement.
    """
    if not api_token_format.is_valid(token):
        return Reason.MALFORMED
    rows = await database.ask(_TOKEN, freshness=db.Freshness.PRIMARY, hash=api_token_format.digest(token))
    permissions = _permissions(rows)
    if permissions is None:
        return Reason.DEACTIVATED if rows else Reason.UNKNOWN_TOKEN
    *_, token_id, user_id, carried, is_limited, ends = rows[0]
    if ends is not None and ends <= database.clock():
        return Reason.EXPIRED
    permissions &= Permission(carried) & (SCOPED_PERMISSIONS if is_limited else ALL_PERMISSIONS)
    return Viewer(user_id, permissions, expires_at=ends, token_id=token_id, is_limited=bool(is_limited))


@dataclass(slots=True, eq=False)
class Credentials:
    """A token that came with a request, and how."""

    token: str
    by_cookie: bool
    _cache_key: tuple[bytes, bool] | None = None

    @property
    def cache_key(self) -> tuple[bytes, bool]:
        """Where to remember what it was good for; nothing is kept by the token itself."""
        if self._cache_key is None:
            self._cache_key = sha256(self.token.encode("utf-8", "surrogatepass")).digest(), self.by_cookie
        return self._cache_key


def extract_credentials(authorization: str, cookie: str | None) -> Credentials | None:
    """Find the token of a request: the header goes before the cookie, and an empty one is none."""
    scheme, _, rest = authorization.partition(" ")
    if scheme.lower() == "bearer":
        return Credentials(token, by_cookie=False) if (token := rest.strip()) else None
    return Credentials(cookie, by_cookie=True) if cookie else None


_VIEWERS: db.CommitScopedCache[tuple[bytes, bool], tuple[Viewer, session_tokens.VerificationKeys]] = (
    db.CommitScopedCache(10_000)
)
"""Viewers by the hashes of their tokens, and whether those come in cookies; with the keys that were good then."""


def authenticate_cached(
    database: db.Database, signer: session_tokens.TokenSigner, shown: Credentials, now: datetime
) -> Viewer | None:
    """Say who asks, if she has shown this token before and nobody has committed anything since; else None.

    A change of roles or password holds for the very next request on every worker. Where it costs less to learn that
    there was none than to read what somebody holds, that is what is asked.
    """
    kept = _VIEWERS.get_cached(database)
    found = kept.get(shown.cache_key) if kept else None
    if found is None or found[1] is not signer.ring:
        return None
    ends = found[0].expires_at
    return found[0] if ends is None or now < ends else None


async def authenticate(
    database: db.Database, signer: session_tokens.TokenSigner, shown: Credentials | None, *, externally_managed: bool
) -> Viewer:
    """Say who asks. A bad token in the header is refused; with a bad cookie it is nobody, who can sign in again."""
    if shown is None:
        return ANONYMOUS
    kept, ring = _VIEWERS.get_cached(database), signer.ring
    viewer = await _viewer(database, signer, shown)
    if isinstance(viewer, Reason):
        credential = Credential.API_TOKEN if api_token_format.has_prefix(shown.token) else Credential.SESSION_TOKEN
        sign_in_log.log_refusal(request_stats.current_request().credential or credential, viewer)
        if not shown.by_cookie:
            raise errors.Unauthenticated("This token is not good, or no longer. Sign in again.")
        return ANONYMOUS
    viewer = replace(viewer, externally_managed=True) if externally_managed else viewer
    if kept is not None:
        kept[shown.cache_key] = viewer, ring
    return viewer


async def _viewer(database: db.Database, signer: session_tokens.TokenSigner, shown: Credentials) -> Viewer | Reason:
    """Say who holds a token, or why nobody does."""
    if api_token_format.has_prefix(shown.token):  # they are for programs, which have no cookies
        return Reason.WRONG_PLACE if shown.by_cookie else await viewer_from_api_token(database, shown.token)
    claims = signer.examine(shown.token, database.clock())
    return claims if isinstance(claims, Reason) else await viewer_from_token(database, claims)


_REVOKED = select(col(tables.RevokedToken.jti)).where(
    col(tables.RevokedToken.jti) == bindparam("jti", type_=tables.KeyText())
)


async def reject_revoked(database: db.Database, signer: session_tokens.TokenSigner, shown: Credentials | None) -> None:
    """Refuse a token that somebody took back, even where nobody is asked for one; any other one is not looked at."""
    if shown is None or shown.by_cookie:
        return
    claims = signer.read(shown.token, database.clock())
    ended = [] if claims is None else await database.ask(_REVOKED, freshness=db.Freshness.PRIMARY, jti=claims.jti)
    if ended or signer.is_listed(shown.token):
        sign_in_log.log_refusal(Credential.SESSION_TOKEN, Reason.REVOKED)
        raise errors.Unauthenticated("This token was revoked.")
