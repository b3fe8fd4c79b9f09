"""Who is asking, and nothing about what she may do."""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import Flag

from sqlalchemy import bindparam, exists, select
from sqlalchemy.types import Integer

from app import db, errors, tables, tokens
from app.tables import col

DEACTIVATED = "deactivated"
"""The key of the built-in role that takes everything away."""


class Permission(Flag):
    """What a role allows in the registry as a whole; stored as the sum of the numbers."""

    NONE = 0
    USERS_VIEW = 1
    USERS_MANAGE = 2
    ROLES_MANAGE = 4
    ORGS_CREATE = 8
    ORGS_MANAGE = 16
    GROUPS_MANAGE = 32
    RESOURCES_MANAGE = 64
    AUDIT_VIEW = 128


EVERYTHING = ~Permission.NONE


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who is asking. Every read and every change is done on somebody's behalf."""

    user_id: int | None
    permissions: Permission = Permission.NONE
    jti: str | None = None
    expires_at: datetime | None = None
    accounts_elsewhere: bool = False
    """Whether she asks a registry whose accounts an external provider keeps."""


ANONYMOUS = Viewer(None)

REGISTRY = Viewer(0, EVERYTHING)
"""The registry itself: it makes its first administrator, and the users whom an external provider vouches for."""

_HELD = (
    select(
        col(tables.User.token_generation),
        col(tables.Role.permissions),
        col(tables.Role.name_key),
        exists().where(col(tables.RevokedToken.jti) == bindparam("jti", type_=tables.Key())),
    )
    .select_from(tables.User)
    .outerjoin(tables.UserRole, col(tables.UserRole.user_id) == col(tables.User.id))
    .outerjoin(tables.Role, col(tables.Role.id) == col(tables.UserRole.role_id))
    .where(col(tables.User.id) == bindparam("id", type_=Integer()))
)


async def viewer_of(database: db.Database, claims: tokens.Claims) -> Viewer | None:
    """Say who holds a token whose signature was good; None when she is gone, deactivated or signed out since.

    One statement, run for every request: a change of roles or password holds for the very next one on every worker.
    """
    rows = await database.ask(_HELD, id=claims.user_id, jti=claims.jti)
    permissions = Permission.NONE
    for generation, granted, role, revoked in rows:
        if generation != claims.generation or revoked or role == DEACTIVATED:
            return None
        permissions |= Permission(granted or 0)
    return Viewer(claims.user_id, permissions, claims.jti, claims.expires_at) if rows else None


@dataclass(frozen=True, slots=True)
class Presented:
    """A token that came with a request, and how."""

    token: str
    by_cookie: bool


def presented(authorization: str | None, cookie: str | None) -> Presented | None:
    """Find the token of a request: the header goes before the cookie, and an empty one is none."""
    scheme, _, token = (authorization or "").strip().partition(" ")
    if scheme.lower() == "bearer":
        return Presented(token.strip(), by_cookie=False) if token.strip() else None
    return Presented(cookie, by_cookie=True) if cookie else None


async def identified(
    database: db.Database, signer: tokens.Signer, shown: Presented | None, *, accounts_elsewhere: bool
) -> Viewer:
    """Say who asks. A bad token in the header is refused; with a bad cookie it is nobody, who can sign in again."""
    if shown is None:
        return ANONYMOUS
    claims = signer.read(shown.token, database.clock())
    viewer = None if claims is None else await viewer_of(database, claims)
    if viewer is None and not shown.by_cookie:
        raise errors.Unauthenticated("This token is not good, or no longer. Sign in again.")
    return ANONYMOUS if viewer is None else replace(viewer, accounts_elsewhere=accounts_elsewhere)


_REVOKED = select(col(tables.RevokedToken.jti)).where(
    col(tables.RevokedToken.jti) == bindparam("jti", type_=tables.Key())
)


async def refuse_revoked(database: db.Database, signer: tokens.Signer, shown: Presented | None) -> None:
    """Refuse a token that somebody took back, even where nobody is asked for one; any other one is not looked at."""
    if shown is None or shown.by_cookie:
        return
    claims = signer.read(shown.token, database.clock())
    ended = [] if claims is None else await database.ask(_REVOKED, jti=claims.jti)
    if ended or signer.lists(shown.token):
        raise errors.Unauthenticated("This token was revoked.")
