"""Changes of passwords: by their user, by an administrator, and by an operator."""

from collections.abc import Sequence
from contextlib import suppress
from functools import partial

from sqlalchemy import ColumnElement, update

from app import policy
from app.db import Freshness, Transaction
from app.db.tables import User, col
from app.domain.errors import Conflict, InvalidInput, ManagedElsewhere, NotFound, Problem, Unauthenticated
from app.domain.refs import RowRef
from app.domain.viewer import SYSTEM, Permission, Viewer
from app.security import passwords, session_tokens
from app.services import audit, ownership, retries, users, validation
from app.services.app_context import AppContext
from app.services.login_throttle import viewer_as_caller
from app.services.session import VERIFICATIONS, HashReplaced, Session, is_default_password, issue_session
from app.services.session_statements import HASH, USER_WITH_ROLES


async def change_password(
    app: AppContext, viewer: Viewer, old: str, new: str, *, dry_run: bool = False
) -> Session | None:
    """Change the viewer's password, revoke all their tokens, and return a new session; None in a dry run.

    Raise InvalidInput for an incorrect password, and Conflict if another request has changed it meanwhile.
    """
    user_id = policy.require_session(viewer)
    policy.require_local_accounts(viewer)
    stored, name = await _load_hash(app, user_id)
    problem = InvalidInput("The old password is incorrect.", ("oldPassword",))
    await require_correct(app, name, old, stored, problem)
    new_hash = await hash_new_password(app, new)

    async def store() -> Session | None:
        async with audit.transaction(app.database, viewer, "changePassword", dry_run=dry_run) as tx:
            await _set_password(tx, (col(User.id) == user_id) & (col(User.password_hash) == stored), new_hash)
            rows = await tx.rows(USER_WITH_ROLES, id=user_id)
            session = issue_session(app, user_id, rows, tx.now, is_default=is_default_password(new))
            if session is None:
                raise Unauthenticated("Sign in again.")  # deactivated since the old password was verified
        return None if dry_run else session

    for _ in range(VERIFICATIONS):
        with suppress(HashReplaced):
            return await retries.run(store)
        stored, _ = await _load_hash(app, user_id)
        if not (await app.hasher.verify(old, stored)).ok:
            break
    raise Conflict("Another request has changed the password meanwhile. Sign in with it.", ("oldPassword",))


async def _load_hash(app: AppContext, user_id: int) -> tuple[str | None, str]:
    """Return the hash of the password of a user, and their name."""
    rows = await app.database.ask(HASH, freshness=Freshness.PRIMARY, id=user_id)
    return rows[0] if rows else (None, "")


async def reset_password(tx: Transaction, viewer: Viewer, user: RowRef, password_hash: str) -> int:
    """Set the password of a user with no more rights than the viewer, and revoke all the user's session tokens.

    Return the id of the user.
    """
    policy.require_session(viewer)
    key = await ownership.require_no_impersonation(tx, viewer, user)
    policy.require_local_accounts(viewer)
    if await users.is_service_account(tx, key):
        raise InvalidInput("A service account has no password.", ("user",))
    await _reset(tx, key, password_hash)
    return key


async def reset_by_operator(app: AppContext, key: int, password: str) -> str:
    """Set a user's password for the command line, revoke all the user's session tokens, and return the user's name.

    Raise ManagedElsewhere, NotFound if the user was just deleted, or InvalidInput for a service account.
    """
    if app.provider is not None:
        raise ManagedElsewhere
    new_hash = await hash_new_password(app, password, ("password",))
    async with audit.transaction(app.database, SYSTEM, "resetPassword") as tx:
        if await users.is_service_account(tx, key):
            raise InvalidInput("A service account has no password.", ("user",))
        await _reset(tx, key, new_hash)
        return await users.name_by_id(tx, key)


async def require_password(app: AppContext, viewer: Viewer, user_name: str, password: str) -> None:
    """Raise InvalidInput unless this is the user's password. The viewer must have the rights to set it."""
    async with audit.transaction(app.database, viewer, "resetPassword", dry_run=True) as tx:
        key = await ownership.require_no_impersonation(tx, viewer, ("user_name", user_name))
        policy.require_local_accounts(viewer)
        stored = await tx.value(HASH, id=key)
    problem = InvalidInput("The current password is incorrect.", ("currentPassword",))
    await require_correct(app, user_name, password, stored, problem)


async def require_correct(
    app: AppContext, user_name: str, password: str, stored: str | None, problem: InvalidInput
) -> None:
    """Raise the problem if the password is incorrect. It counts as a failed sign-in attempt."""
    async with app.throttle.attempt(app.database, app.queue, user_name) as attempt:
        if not (await app.hasher.verify(password, stored)).ok:
            attempt.is_wrong = True
            raise problem
        await attempt.succeed_now(app.database)


async def _reset(tx: Transaction, key: int, password_hash: str) -> None:
    """Set the password of a user, whatever it was; raise NotFound for one who is deleted."""
    try:
        await _set_password(tx, col(User.id) == key, password_hash)
    except HashReplaced:
        raise NotFound("The user was just deleted.") from None


async def _set_password(tx: Transaction, condition: ColumnElement[bool], password_hash: str) -> None:
    """Set the password of the user; raise HashReplaced if the condition holds for none."""
    values = {"password_hash": password_hash, "token_generation": session_tokens.new_generation()}
    key = await tx.value(update(User).where(condition).values(**values).returning(col(User.id)))
    if key is None:
        raise HashReplaced
    audit.note(tx, audit.USER, key, {"password": "changed"})


async def hash_new_password(app: AppContext, password: str, path: Sequence[str | int] = ("newPassword",)) -> str:
    """Return the hash of a new password; raise Problems with a problem for each rule that it breaks."""
    validation.raise_problems(policy_problems(app, password, path))
    try:
        return await app.hasher.hash_for(viewer_as_caller(), password)
    except InvalidInput as problem:
        raise problem.under(*path) from None


async def hash_managed_password(app: AppContext, viewer: Viewer, password: str) -> str:
    """Return the hash of another user's new password, like `hash_new_password`; needs USERS_MANAGE."""
    policy.require(viewer, Permission.USERS_MANAGE)
    policy.require_local_accounts(viewer)
    return await retries.run_once("hash", partial(hash_new_password, app, password, ("newPassword",)))


def policy_problems(app: AppContext, password: str, path: Sequence[str | int]) -> list[Problem]:
    """Return a problem for each rule of the password policy that a new password breaks."""
    return [InvalidInput(rule, path) for rule in passwords.check_policy(app.password_policy, password)]
