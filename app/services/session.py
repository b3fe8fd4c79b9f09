"""Signing in and out, and passwords: what concerns the way in, not what lies behind it."""

import asyncio
import logging
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, delete, insert, select, update

from app import policy
from app.config import DEFAULT_PASSWORD
from app.db import Freshness, Transaction, UniqueViolation
from app.db.statements import Row
from app.db.tables import KeyText, RevokedToken, Role, RowId, User, UserRole, UTCDateTime, casefold_key, col
from app.db.types import format_instant
from app.domain import viewer as viewers
from app.domain.errors import InvalidInput, ManagedElsewhere, NotFound, Problem, Unauthenticated
from app.domain.request_origin import current_origin
from app.domain.viewer import DEACTIVATED, SYSTEM, Permission, Viewer
from app.observability import sign_in_log
from app.observability.sign_in_log import Credential, Reason
from app.security import authentication, passwords, session_tokens
from app.services import audit, external_accounts, ownership, roles, users, validation
from app.services.app_context import AppContext
from app.services.demo import names as demo_names
from app.services.external_accounts import ProviderIdentity
from app.services.login_throttle import LoginAttempt, viewer_as_caller
from app.services.roles import RowRef

log = logging.getLogger(__name__)

HASHES_AT_ONCE = 2
WRONG_PASSWORD = "The user name or the password is not right."
WELL_KNOWN_PASSWORDS = frozenset({DEFAULT_PASSWORD, demo_names.PASSWORD})
"""Those that the documentation tells: of the first administrator, and of the demo world's people."""
WRONG_TOKEN = "The token is not right."  # noqa: S105 - a text

LOGIN = "login"
SYNCHRONIZE = "synchronizeUser"
"""What the provider says of somebody is stored although she is not let in."""


@dataclass(frozen=True, slots=True)
class Session:
    """A token and whose it is."""

    token: str
    expires_at: datetime
    viewer: Viewer
    user_name: str
    email: str | None
    roles: tuple[str, ...]


_IS_DEACTIVATED = (
    select(col(UserRole.user_id))
    .join(Role, col(Role.id) == col(UserRole.role_id))
    .where(col(UserRole.user_id) == col(User.id), col(Role.name_key) == DEACTIVATED)
    .exists()
)

_CREDENTIALS = select(col(User.id), col(User.password_hash), _IS_DEACTIVATED).where(
    col(User.user_key) == bindparam("name", type_=KeyText())
)

_HASH = select(col(User.password_hash), col(User.user_key)).where(col(User.id) == bindparam("id", type_=RowId()))

_BY_NAME = select(col(User.id)).where(col(User.user_key) == bindparam("name", type_=KeyText()))

_NAME = select(col(User.user_key)).where(col(User.id) == bindparam("id", type_=RowId()))

_PERSON = (
    select(
        col(User.user_name),
        col(User.email),
        col(User.token_generation),
        col(Role.name),
        col(Role.permissions),
        col(Role.name_key),
        col(User.is_service_account),
    )
    .select_from(User)
    .outerjoin(UserRole, col(UserRole.user_id) == col(User.id))
    .outerjoin(Role, col(Role.id) == col(UserRole.role_id))
    .where(col(User.id) == bindparam("id", type_=RowId()))
    .order_by(col(Role.name_key))
)


def authenticate_cached(desk: AppContext, shown: authentication.Credentials | None) -> Viewer | None:
    """Say who asks where nobody has to wait for that, else None."""
    if shown is None:
        return viewers.ANONYMOUS
    now = desk.database.clock()
    viewer = (
        None
        if desk.key_store.is_stale(now)
        else authentication.authenticate_cached(desk.database, desk.signer, shown, now)
    )
    if viewer is not None and viewer.token_id is not None:
        desk.last_used.note(viewer.token_id)
    return viewer


async def authenticate(desk: AppContext, shown: authentication.Credentials | None) -> Viewer:
    """Say who asks; raises Unauthenticated for a token in a header that is no longer good."""
    if shown is None:
        return viewers.ANONYMOUS
    await _know_key(desk, shown)
    elsewhere = desk.provider is not None
    viewer = await authentication.authenticate(desk.database, desk.signer, shown, externally_managed=elsewhere)
    if viewer.token_id is not None:
        desk.last_used.note(viewer.token_id)
    return viewer


async def reject_revoked(desk: AppContext, shown: authentication.Credentials | None) -> None:
    """Refuse a token that somebody took back, even where nobody is asked for one; any other one is not looked at."""
    if shown is not None:
        await _know_key(desk, shown)
    await authentication.reject_revoked(desk.database, desk.signer, shown)


async def _know_key(desk: AppContext, shown: authentication.Credentials) -> None:
    """Know which keys are good, for the token that came along and for one that it may be answered with."""
    await desk.key_store.refresh()
    if desk.signer.is_unknown_key(shown.token):
        await desk.key_store.look_for_unknown()


async def log_in(desk: AppContext, user_name: str, password: str) -> Session:
    """Sign in with a password; raises Unauthenticated for unknown, wrong and deactivated alike, after the same work."""
    await desk.key_store.refresh()
    async with desk.throttle.attempt(desk.database, desk.queue, user_name) as attempt:
        if desk.provider is None:
            return await _let_in_by_password(desk, attempt, user_name, password)
        attempt.reason = Reason.PROVIDER_AWAY
        vouched = await external_accounts.identify_by_password(desk.provider, user_name, password)
        return await _let_in(desk, attempt, vouched, WRONG_PASSWORD)


async def _let_in_by_password(desk: AppContext, attempt: LoginAttempt, user_name: str, password: str) -> Session:
    rows = await desk.database.ask(_CREDENTIALS, freshness=Freshness.PRIMARY, name=validation.normalize_key(user_name))
    user_id, stored, is_deactivated = rows[0] if rows else (0, None, False)
    verdict = await desk.hasher.verify(password, stored)
    attempt.note(is_known=bool(rows), is_right=verdict.ok)
    if verdict.ok and not is_deactivated and not _may_open(password):
        attempt.reason = Reason.NOT_ALLOWED
        raise Unauthenticated(WRONG_PASSWORD)
    if not verdict.ok or is_deactivated:
        raise Unauthenticated(WRONG_PASSWORD)
    fresh = await desk.hasher.hash(password) if verdict.needs_rehash else None
    async with audit.transaction(desk.database, Viewer(user_id), LOGIN) as tx:
        session = _session(desk, user_id, await tx.rows(_PERSON, id=user_id), tx.now)
        if session is None:
            raise Unauthenticated(WRONG_PASSWORD)
        _tell_login(tx, session)
        values: dict[str, Any] = {"last_login_at": tx.now} | ({"password_hash": fresh} if fresh else {})
        unchanged = (col(User.id) == user_id) & (col(User.password_hash) == stored)
        if not await tx.rows(update(User).where(unchanged).values(**values).returning(col(User.id))):
            raise Unauthenticated(WRONG_PASSWORD)
        await attempt.succeed(tx)
    return session


def _may_open(password: str) -> bool:
    """Return whether a right password may be used from here: a well-known one only by this machine itself."""
    if passwords.normalize(password) not in WELL_KNOWN_PASSWORDS or current_origin.get().is_direct_local():
        return True
    log.warning("refused a well-known password: it opens only for direct requests from this machine")
    return False


async def log_in_with_token(desk: AppContext, token: str) -> Session:
    """Sign in with a token of the external provider's; without a provider none is good."""
    if desk.provider is None:
        sign_in_log.log_refusal(Credential.PROVIDER_TOKEN, Reason.NO_PROVIDER)
        raise Unauthenticated(WRONG_TOKEN)
    await desk.key_store.refresh()
    async with desk.throttle.attempt(desk.database, desk.queue) as attempt:
        attempt.reason = Reason.PROVIDER_AWAY
        return await _let_in(
            desk, attempt, await external_accounts.identify_by_token(desk.provider, token), WRONG_TOKEN
        )


async def _let_in(desk: AppContext, attempt: LoginAttempt, vouched: ProviderIdentity | None, wrong: str) -> Session:
    """Let in whom the provider vouches for. What it says of somebody deactivated holds too, though she stays out."""
    attempt.reason = Reason.PROVIDER_REFUSED if vouched is None else Reason.DEACTIVATED
    if vouched is None:
        raise Unauthenticated(wrong)
    async with audit.transaction(desk.database, SYSTEM, SYNCHRONIZE) as tx:
        user_id = await external_accounts.synchronize(tx, vouched, with_orgs=desk.has_personal_orgs)
        if user_id is None:
            attempt.reason = Reason.NOT_ALLOWED
            raise Unauthenticated(wrong)
        session = _session(desk, user_id, await tx.rows(_PERSON, id=user_id), tx.now)
        if session is not None:
            audit.set_actor(tx, user_id, LOGIN)
            _tell_login(tx, session)
            await tx.update(User, user_id, {"last_login_at": tx.now})
            await attempt.succeed(tx)
    if session is None:
        raise Unauthenticated(wrong)
    return session


def _tell_login(tx: Transaction, session: Session) -> None:
    user_id = session.viewer.user_id
    assert user_id is not None
    audit.note(tx, audit.USER, user_id, {"lastLoginAt": format_instant(tx.now)}, name=session.user_name)


def token_slot(desk: AppContext) -> AbstractAsyncContextManager[None]:
    """Around a refresh and the look at its token: who comes with bad ones again and again has to wait."""
    return desk.throttle.token_slot(desk.database)


async def refresh(desk: AppContext, viewer: Viewer) -> Session:
    """A new token for somebody whose token is still good; the old one stays so until it ends."""
    user_id = policy.require_session(viewer)
    session = _session(
        desk, user_id, await desk.database.ask(_PERSON, freshness=Freshness.PRIMARY, id=user_id), desk.database.clock()
    )
    if session is None:
        sign_in_log.log_refusal(Credential.REFRESH, Reason.DEACTIVATED)
        raise Unauthenticated("Sign in again.")
    return session


def _session(desk: AppContext, user_id: int, rows: Sequence[Row], now: datetime) -> Session | None:
    """A token for the user whom the rows describe; None when she is gone or deactivated, or is a program."""
    if not rows or any(row[5] == DEACTIVATED or row[6] for row in rows):
        return None
    user_name, email, generation = rows[0][:3]
    held = [(name, mask) for _, _, _, name, mask, *_ in rows if name is not None]
    permissions = Permission.NONE
    for _, mask in held:
        permissions |= Permission(mask)
    is_admin = any(row[5] == roles.ADMIN for row in rows)
    issued = desk.signer.issue(session_tokens.TokenClaims(user_id, user_name, is_admin, generation), now)
    viewer = Viewer(user_id, permissions, issued.jti, issued.expires_at, desk.provider is not None)
    return Session(issued.token, issued.expires_at, viewer, user_name, email, tuple(name for name, _ in held))


async def log_out(tx: Transaction, viewer: Viewer) -> None:
    """Make the token that asks worthless, on every worker, from the next request on."""
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
    """Make every token of the viewer worthless, or of a user whom she manages."""
    own = policy.require_signed_in(viewer)
    is_own = user is None or await _is(tx, own, user)
    key = policy.require_session(viewer) if user is None or is_own else await users.load_managed(tx, viewer, user)
    audit.note(tx, audit.USER, key, {"tokens": "revoked"})
    await tx.rows(update(User).where(col(User.id) == key).values(token_generation=session_tokens.new_generation()))
    return key


async def _is(tx: Transaction, own: int, user: RowRef) -> bool:
    """Whether a user who is named in some way is the one with this id."""
    way, key = user
    name = await tx.value(_NAME, id=own)
    return bool(key == own if way == "id" else casefold_key(str(key)) == name)


async def change_password(desk: AppContext, viewer: Viewer, old: str, new: str, *, dry: bool = False) -> Session | None:
    """Change one's own password; every token ends, and a new one is answered (none when it was `dry`)."""
    user_id = policy.require_session(viewer)
    policy.require_local_accounts(viewer)
    rows = await desk.database.ask(_HASH, freshness=Freshness.PRIMARY, id=user_id)
    stored, name = rows[0] if rows else (None, "")
    await _require_right(desk, name, old, stored, InvalidInput("The old password is not right.", ("oldPassword",)))
    fresh = await hash_new_password(desk, new)
    async with audit.transaction(desk.database, viewer, "changePassword", dry_run=dry) as tx:
        await _set_password(tx, (col(User.id) == user_id) & (col(User.password_hash) == stored), fresh)
        session = _session(desk, user_id, await tx.rows(_PERSON, id=user_id), tx.now)
    return None if dry else session


async def reset_password(tx: Transaction, viewer: Viewer, user: RowRef, fresh: str) -> int:
    """Set the password of a user who holds no more than the viewer; every token of theirs ends."""
    policy.require_session(viewer)
    key = await ownership.require_no_impersonation(tx, viewer, user)
    policy.require_local_accounts(viewer)
    if await users.is_service_account(tx, key):
        raise InvalidInput("A service account has no password.", ("user",))
    await _set_password(tx, col(User.id) == key, fresh)
    return key


async def reset_by_operator(desk: AppContext, user_name: str, password: str) -> None:
    """Set a user's password by a command on the machine, and end their sessions; raises what tells why not."""
    if desk.provider is not None:
        raise ManagedElsewhere
    fresh = await hash_new_password(desk, password, ("password",))
    async with audit.transaction(desk.database, SYSTEM, "resetPassword") as tx:
        key = await tx.value(_BY_NAME, name=validation.normalize_key(user_name))
        if key is None:
            raise NotFound(f"There is no user {user_name!r}.")
        if await users.is_service_account(tx, key):
            raise InvalidInput("A service account has no password.", ("user",))
        await _set_password(tx, col(User.id) == key, fresh)


async def require_password(desk: AppContext, viewer: Viewer, user_name: str, password: str) -> None:
    """Raises InvalidInput unless this is the password of a user; who asks must be one who could set it."""
    async with audit.transaction(desk.database, viewer, "resetPassword", dry_run=True) as tx:
        key = await ownership.require_no_impersonation(tx, viewer, ("user_name", user_name))
        policy.require_local_accounts(viewer)
        stored = await tx.value(_HASH, id=key)
    wrong = InvalidInput("The current password is not right.", ("currentPassword",))
    await _require_right(desk, user_name, password, stored, wrong)


async def _require_right(
    desk: AppContext, user_name: str, password: str, stored: str | None, wrong: InvalidInput
) -> None:
    """Raises what is told when the password is wrong; it is a guess like one at the door."""
    async with desk.throttle.attempt(desk.database, desk.queue, user_name) as attempt:
        if not (await desk.hasher.verify(password, stored)).ok:
            attempt.is_wrong = True
            raise wrong
        await attempt.succeed_now(desk.database)


async def _set_password(tx: Transaction, which: Any, fresh: str) -> None:
    values = {"password_hash": fresh, "token_generation": session_tokens.new_generation()}
    key = await tx.value(update(User).where(which).values(**values).returning(col(User.id)))
    if key is None:
        raise InvalidInput("The password was changed at this moment. Try again.", ("oldPassword",))
    audit.note(tx, audit.USER, key, {"password": "changed"})


async def hash_new_password(desk: AppContext, password: str, path: Sequence[str | int] = ("newPassword",)) -> str:
    """The hash of a new password that keeps the policy; raises Problems that name every rule it breaks."""
    validation.raise_problems(_broken(desk, password, path))
    try:
        return await desk.hasher.hash_for(viewer_as_caller(), password)
    except InvalidInput as unusable:
        raise unusable.under(*path) from None


async def hash_managed_passwords(
    desk: AppContext, viewer: Viewer, given: Sequence[tuple[str | None, Sequence[str | int]]]
) -> list[str | None]:
    """The hashes of passwords that an administrator sets, each with its path; None where none is set."""
    policy.require(viewer, Permission.USERS_MANAGE)
    policy.require_local_accounts(viewer)
    validation.raise_problems(
        [problem for password, path in given if password is not None for problem in _broken(desk, password, path)]
    )
    turns = asyncio.Semaphore(HASHES_AT_ONCE)
    unusable: list[Problem] = []

    async def one(password: str | None, path: Sequence[str | int]) -> str | None:
        if password is None:
            return None
        async with turns:
            try:
                return await desk.hasher.hash_for(viewer_as_caller(), password)
            except InvalidInput as problem:
                unusable.append(problem.under(*path))
                return None

    hashes = list(await asyncio.gather(*(one(*each) for each in given)))
    validation.raise_problems(unusable)
    return hashes


def _broken(desk: AppContext, password: str, path: Sequence[str | int]) -> list[Problem]:
    return [InvalidInput(rule, path) for rule in passwords.check_policy(desk.password_policy, password)]
