"""Signing in and out, and passwords: what concerns the way in, not what lies behind it."""

import asyncio
import logging
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import bindparam, delete, insert, select, update

from app import auth, passwords, policy, tickets, tokens
from app.auth import DEACTIVATED, REGISTRY, Permission, Viewer
from app.columns import format_instant
from app.db import Database, Duplicate, Freshness, Transaction
from app.errors import InvalidInput, ManagedElsewhere, NotFound, Problem, Unauthenticated
from app.fair_queue import FairQueue
from app.origin import ORIGIN
from app.passwords import Hasher
from app.prepared import Row
from app.services import api_tokens, audit, demo_names, external, names, owning, quotas, roles, users
from app.services.external import Vouched
from app.services.provider import Provider
from app.services.roles import Way
from app.services.signing import Keyring
from app.services.throttle import Attempt, Throttle, viewer_as_caller
from app.settings import DEFAULT_PASSWORD, PasswordPolicy
from app.tables import Instant, Key, RevokedToken, Role, RowId, User, UserRole, col, folded
from app.telemetry import sign_ins
from app.telemetry.sign_ins import Credential, Reason

log = logging.getLogger(__name__)

HASHES_AT_ONCE = 2
WRONG = "The user name or the password is not right."
WELL_KNOWN_PASSWORDS = frozenset({DEFAULT_PASSWORD, demo_names.PASSWORD})
"""Those that the documentation tells: of the first administrator, and of the demo world's people."""
WRONG_TOKEN = "The token is not right."  # noqa: S105 - a text

LOGIN = "login"
SYNCHRONIZE = "synchronizeUser"
"""What the provider says of somebody is stored although she is not let in."""


@dataclass(frozen=True, slots=True)
class Desk:
    """What signing in needs. Where there is a provider, it keeps the accounts, and no password of ours is looked at."""

    database: Database
    hasher: Hasher
    signer: tokens.Signer
    keyring: Keyring
    password_policy: PasswordPolicy | None
    tickets: tickets.Signer
    terms: quotas.Terms
    throttle: Throttle
    uses: api_tokens.Uses
    api_token_lifetime: timedelta | None = None
    provider: Provider | None = None
    gives_orgs: bool = False

    @property
    def queue(self) -> FairQueue:
        """Where guesses wait for their turn to be checked."""
        return self.hasher.queue if self.provider is None else self.provider.queue


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
    col(User.user_key) == bindparam("name", type_=Key())
)

_HASH = select(col(User.password_hash), col(User.user_key)).where(col(User.id) == bindparam("id", type_=RowId()))

_BY_NAME = select(col(User.id)).where(col(User.user_key) == bindparam("name", type_=Key()))

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


def known(desk: Desk, shown: auth.Presented | None) -> Viewer | None:
    """Say who asks where nobody has to wait for that, else None."""
    if shown is None:
        return auth.ANONYMOUS
    now = desk.database.clock()
    viewer = None if desk.keyring.is_stale(now) else auth.known(desk.database, desk.signer, shown, now)
    if viewer is not None and viewer.token_id is not None:
        desk.uses.note(viewer.token_id)
    return viewer


async def identified(desk: Desk, shown: auth.Presented | None) -> Viewer:
    """Say who asks; raises Unauthenticated for a token in a header that is no longer good."""
    if shown is None:
        return auth.ANONYMOUS
    await _know_key(desk, shown)
    elsewhere = desk.provider is not None
    viewer = await auth.identified(desk.database, desk.signer, shown, accounts_elsewhere=elsewhere)
    if viewer.token_id is not None:
        desk.uses.note(viewer.token_id)
    return viewer


async def refuse_revoked(desk: Desk, shown: auth.Presented | None) -> None:
    """Refuse a token that somebody took back, even where nobody is asked for one; any other one is not looked at."""
    if shown is not None:
        await _know_key(desk, shown)
    await auth.refuse_revoked(desk.database, desk.signer, shown)


async def _know_key(desk: Desk, shown: auth.Presented) -> None:
    """Know which keys are good, for the token that came along and for one that it may be answered with."""
    await desk.keyring.refresh()
    if desk.signer.lacks(shown.token):
        await desk.keyring.seek()


async def log_in(desk: Desk, user_name: str, password: str) -> Session:
    """Sign in with a password; raises Unauthenticated for unknown, wrong and deactivated alike, after the same work."""
    await desk.keyring.refresh()
    async with desk.throttle.attempt(desk.database, desk.queue, user_name) as attempt:
        if desk.provider is None:
            return await _let_in_by_password(desk, attempt, user_name, password)
        attempt.reason = Reason.PROVIDER_AWAY
        vouched = await external.by_password(desk.provider, user_name, password)
        return await _let_in(desk, attempt, vouched, WRONG)


async def _let_in_by_password(desk: Desk, attempt: Attempt, user_name: str, password: str) -> Session:
    rows = await desk.database.ask(_CREDENTIALS, freshness=Freshness.PRIMARY, name=names.sought(user_name))
    user_id, stored, is_deactivated = rows[0] if rows else (0, None, False)
    verdict = await desk.hasher.verify(password, stored)
    attempt.note(is_known=bool(rows), is_right=verdict.ok)
    if verdict.ok and not is_deactivated and not _may_open(password):
        attempt.reason = Reason.NOT_ALLOWED
        raise Unauthenticated(WRONG)
    if not verdict.ok or is_deactivated:
        raise Unauthenticated(WRONG)
    fresh = await desk.hasher.hash(password) if verdict.stale else None
    async with audit.change(desk.database, Viewer(user_id), LOGIN) as tx:
        session = _session(desk, user_id, await tx.rows(_PERSON, id=user_id), tx.now)
        if session is None:
            raise Unauthenticated(WRONG)
        _tell_login(tx, session)
        values: dict[str, Any] = {"last_login_at": tx.now} | ({"password_hash": fresh} if fresh else {})
        unchanged = (col(User.id) == user_id) & (col(User.password_hash) == stored)
        if not await tx.rows(update(User).where(unchanged).values(**values).returning(col(User.id))):
            raise Unauthenticated(WRONG)
        await attempt.was_right(tx)
    return session


def _may_open(password: str) -> bool:
    """Return whether a right password may be used from here: a well-known one only by this machine itself."""
    if passwords.normal(password) not in WELL_KNOWN_PASSWORDS or ORIGIN.get().is_direct_local():
        return True
    log.warning("refused a well-known password: it opens only for direct requests from this machine")
    return False


async def log_in_with_token(desk: Desk, token: str) -> Session:
    """Sign in with a token of the external provider's; without a provider none is good."""
    if desk.provider is None:
        sign_ins.tell(Credential.PROVIDER_TOKEN, Reason.NO_PROVIDER)
        raise Unauthenticated(WRONG_TOKEN)
    await desk.keyring.refresh()
    async with desk.throttle.attempt(desk.database, desk.queue) as attempt:
        attempt.reason = Reason.PROVIDER_AWAY
        return await _let_in(desk, attempt, await external.by_token(desk.provider, token), WRONG_TOKEN)


async def _let_in(desk: Desk, attempt: Attempt, vouched: Vouched | None, wrong: str) -> Session:
    """Let in whom the provider vouches for. What it says of somebody deactivated holds too, though she stays out."""
    attempt.reason = Reason.PROVIDER_REFUSED if vouched is None else Reason.DEACTIVATED
    if vouched is None:
        raise Unauthenticated(wrong)
    async with audit.change(desk.database, REGISTRY, SYNCHRONIZE) as tx:
        user_id = await external.synchronized(tx, vouched, with_orgs=desk.gives_orgs)
        if user_id is None:
            attempt.reason = Reason.NOT_ALLOWED
            raise Unauthenticated(wrong)
        session = _session(desk, user_id, await tx.rows(_PERSON, id=user_id), tx.now)
        if session is not None:
            audit.acts(tx, user_id, LOGIN)
            _tell_login(tx, session)
            await tx.alter(User, user_id, {"last_login_at": tx.now})
            await attempt.was_right(tx)
    if session is None:
        raise Unauthenticated(wrong)
    return session


def _tell_login(tx: Transaction, session: Session) -> None:
    user_id = session.viewer.user_id
    assert user_id is not None
    audit.tells(tx, audit.USER, user_id, {"lastLoginAt": format_instant(tx.now)}, name=session.user_name)


def weighing_tokens(desk: Desk) -> AbstractAsyncContextManager[None]:
    """Around a refresh and the look at its token: who comes with bad ones again and again has to wait."""
    return desk.throttle.weighing_tokens(desk.database)


async def refresh(desk: Desk, viewer: Viewer) -> Session:
    """A new token for somebody whose token is still good; the old one stays so until it ends."""
    user_id = policy.require_session(viewer)
    session = _session(
        desk, user_id, await desk.database.ask(_PERSON, freshness=Freshness.PRIMARY, id=user_id), desk.database.clock()
    )
    if session is None:
        sign_ins.tell(Credential.REFRESH, Reason.DEACTIVATED)
        raise Unauthenticated("Sign in again.")
    return session


def _session(desk: Desk, user_id: int, rows: Sequence[Row], now: datetime) -> Session | None:
    """A token for the user whom the rows describe; None when she is gone or deactivated, or is a program."""
    if not rows or any(row[5] == DEACTIVATED or row[6] for row in rows):
        return None
    user_name, email, generation = rows[0][:3]
    held = [(name, mask) for _, _, _, name, mask, *_ in rows if name is not None]
    permissions = Permission.NONE
    for _, mask in held:
        permissions |= Permission(mask)
    is_admin = any(row[5] == roles.ADMIN for row in rows)
    issued = desk.signer.issue(tokens.Claims(user_id, user_name, is_admin, generation), now)
    viewer = Viewer(user_id, permissions, issued.jti, issued.expires_at, desk.provider is not None)
    return Session(issued.token, issued.expires_at, viewer, user_name, email, tuple(name for name, _ in held))


async def log_out(tx: Transaction, viewer: Viewer) -> None:
    """Make the token that asks worthless, on every worker, from the next request on."""
    user_id = policy.require_session(viewer)
    audit.tells(tx, audit.USER, user_id, {"token": "revoked"})
    await tx.rows(
        delete(RevokedToken).where(col(RevokedToken.expires_at) < bindparam("now", type_=Instant())), now=tx.now
    )
    try:
        await tx.rows(insert(RevokedToken).values(jti=viewer.jti, expires_at=viewer.expires_at))
    except Duplicate:
        raise Unauthenticated("Sign in first.") from None


async def sign_out_everywhere(tx: Transaction, viewer: Viewer, user: Way | None = None) -> int:
    """Make every token of the viewer worthless, or of a user whom she manages."""
    own = policy.require_signed_in(viewer)
    is_own = user is None or await _is(tx, own, user)
    key = policy.require_session(viewer) if user is None or is_own else await users.managed(tx, viewer, user)
    audit.tells(tx, audit.USER, key, {"tokens": "revoked"})
    await tx.rows(update(User).where(col(User.id) == key).values(token_generation=tokens.new_generation()))
    return key


async def _is(tx: Transaction, own: int, user: Way) -> bool:
    """Whether a user who is named in some way is the one with this id."""
    way, key = user
    name = await tx.value(_NAME, id=own)
    return bool(key == own if way == "id" else folded(str(key)) == name)


async def change_password(desk: Desk, viewer: Viewer, old: str, new: str, *, dry: bool = False) -> Session | None:
    """Change one's own password; every token ends, and a new one is answered (none when it was `dry`)."""
    user_id = policy.require_session(viewer)
    policy.require_accounts_here(viewer)
    rows = await desk.database.ask(_HASH, freshness=Freshness.PRIMARY, id=user_id)
    stored, name = rows[0] if rows else (None, "")
    await _require_right(desk, name, old, stored, InvalidInput("The old password is not right.", ("oldPassword",)))
    fresh = await new_hash(desk, new)
    async with audit.change(desk.database, viewer, "changePassword", dry=dry) as tx:
        await _set_password(tx, (col(User.id) == user_id) & (col(User.password_hash) == stored), fresh)
        session = _session(desk, user_id, await tx.rows(_PERSON, id=user_id), tx.now)
    return None if dry else session


async def reset_password(tx: Transaction, viewer: Viewer, user: Way, fresh: str) -> int:
    """Set the password of a user who holds no more than the viewer; every token of theirs ends."""
    policy.require_session(viewer)
    key = await owning.impersonated(tx, viewer, user)
    policy.require_accounts_here(viewer)
    if await users.is_service_account(tx, key):
        raise InvalidInput("A service account has no password.", ("user",))
    await _set_password(tx, col(User.id) == key, fresh)
    return key


async def reset_by_operator(desk: Desk, user_name: str, password: str) -> None:
    """Set a user's password by a command on the machine, and end their sessions; raises what tells why not."""
    if desk.provider is not None:
        raise ManagedElsewhere
    fresh = await new_hash(desk, password, ("password",))
    async with audit.change(desk.database, REGISTRY, "resetPassword") as tx:
        key = await tx.value(_BY_NAME, name=names.sought(user_name))
        if key is None:
            raise NotFound(f"There is no user {user_name!r}.")
        if await users.is_service_account(tx, key):
            raise InvalidInput("A service account has no password.", ("user",))
        await _set_password(tx, col(User.id) == key, fresh)


async def require_password(desk: Desk, viewer: Viewer, user_name: str, password: str) -> None:
    """Raises InvalidInput unless this is the password of a user; who asks must be one who could set it."""
    async with audit.change(desk.database, viewer, "resetPassword", dry=True) as tx:
        key = await owning.impersonated(tx, viewer, ("user_name", user_name))
        policy.require_accounts_here(viewer)
        stored = await tx.value(_HASH, id=key)
    wrong = InvalidInput("The current password is not right.", ("currentPassword",))
    await _require_right(desk, user_name, password, stored, wrong)


async def _require_right(desk: Desk, user_name: str, password: str, stored: str | None, wrong: InvalidInput) -> None:
    """Raises what is told when the password is wrong; it is a guess like one at the door."""
    async with desk.throttle.attempt(desk.database, desk.queue, user_name) as attempt:
        if not (await desk.hasher.verify(password, stored)).ok:
            attempt.is_wrong = True
            raise wrong
        await attempt.was_right_alone(desk.database)


async def _set_password(tx: Transaction, which: Any, fresh: str) -> None:
    values = {"password_hash": fresh, "token_generation": tokens.new_generation()}
    key = await tx.value(update(User).where(which).values(**values).returning(col(User.id)))
    if key is None:
        raise InvalidInput("The password was changed at this moment. Try again.", ("oldPassword",))
    audit.tells(tx, audit.USER, key, {"password": "changed"})


async def new_hash(desk: Desk, password: str, path: Sequence[str | int] = ("newPassword",)) -> str:
    """The hash of a new password that keeps the policy; raises Problems that name every rule it breaks."""
    names.raise_problems(_broken(desk, password, path))
    try:
        return await desk.hasher.hash_in_turn(viewer_as_caller(), password)
    except InvalidInput as unusable:
        raise unusable.under(*path) from None


async def managed_hashes(
    desk: Desk, viewer: Viewer, given: Sequence[tuple[str | None, Sequence[str | int]]]
) -> list[str | None]:
    """The hashes of passwords that an administrator sets, each with its path; None where none is set."""
    policy.require(viewer, Permission.USERS_MANAGE)
    policy.require_accounts_here(viewer)
    names.raise_problems(
        [problem for password, path in given if password is not None for problem in _broken(desk, password, path)]
    )
    turns = asyncio.Semaphore(HASHES_AT_ONCE)
    unusable: list[Problem] = []

    async def one(password: str | None, path: Sequence[str | int]) -> str | None:
        if password is None:
            return None
        async with turns:
            try:
                return await desk.hasher.hash_in_turn(viewer_as_caller(), password)
            except InvalidInput as problem:
                unusable.append(problem.under(*path))
                return None

    hashes = list(await asyncio.gather(*(one(*each) for each in given)))
    names.raise_problems(unusable)
    return hashes


def _broken(desk: Desk, password: str, path: Sequence[str | int]) -> list[Problem]:
    return [InvalidInput(rule, path) for rule in passwords.check_policy(desk.password_policy, password)]
