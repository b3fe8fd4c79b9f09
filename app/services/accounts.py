"""Renaming users, and the details that users change themselves."""

from dataclasses import dataclass

from sqlalchemy import bindparam, select

from app import policy
from app.db import Freshness, Transaction, UniqueViolation
from app.db.tables import RowId, User, casefold_key, col
from app.domain.errors import InvalidInput
from app.domain.refs import RowRef
from app.domain.viewer import Viewer
from app.services import audit, password_changes, users, validation
from app.services.app_context import AppContext
from app.services.users import UserUpdate

_IS_USER = col(User.id) == bindparam("key", type_=RowId())
_NAMES = select(col(User.user_name), col(User.user_key), col(User.display_name), col(User.account_key)).where(_IS_USER)
_CREDENTIALS = select(
    *map(col, (User.user_key, User.email, User.password_hash, User.display_name, User.user_name))
).where(_IS_USER)


async def rename_user(tx: Transaction, viewer: Viewer, user: RowRef, user_name: str) -> int:
    """Give a user another user name, and return the id; needs USERS_MANAGE, and every permission of the user.

    Sessions and API tokens stay valid. The old name becomes free; the audit log and other records keep it.
    """
    key = await users.load_managed(tx, viewer, user)
    policy.require_local_accounts(viewer)
    row = await tx.row(_NAMES, key=key)
    assert row is not None, "`load_managed` has locked the row"
    old_name, old_key, display_name, account_key = row
    if user_name == old_name:
        audit.discard(tx)
        return key
    validation.raise_problems([*validation.user_name_problems(user_name)])
    values = {"user_name": user_name, "user_key": casefold_key(user_name)}
    values |= users.display_values(display_name, user_name)
    if values["user_key"] != old_key:
        values["account_key"] = account_key or old_key
    try:
        await tx.update(User, key, values)
    except UniqueViolation:
        raise users.name_taken("userName", user_name) from None
    return key


@dataclass(frozen=True, slots=True)
class OwnUpdate:
    """New details of the viewer, as in `UserUpdate`. Another e-mail address needs the current password."""

    changes: UserUpdate
    password: str | None = None
    if_revision: int | None = None


async def update_viewer(app: AppContext, viewer: Viewer, update: OwnUpdate, *, dry_run: bool = False) -> int:
    """Change the viewer's own e-mail address and display name, and return the viewer's id; needs a session.

    A wrong password is InvalidInput and counts as a failed sign-in attempt, also in a dry run.
    """
    user_id = policy.require_session(viewer)
    policy.require_local_accounts(viewer)
    rows = await app.database.ask(_CREDENTIALS, freshness=Freshness.PRIMARY, key=user_id)
    name, email, stored, old_name, _ = rows[0] if rows else ("", None, None, None, "")
    changes_email = update.changes.email is not None and users.strip(update.changes.email) != email
    if changes_email:
        users.require_valid_details(update.changes, old_name, email)
        await _require_password(app, name, update.password, stored)
    expected = None if update.if_revision is None else frozenset([(None, update.if_revision)])
    async with audit.transaction(app.database, viewer, "updateViewer", dry_run=dry_run, if_revisions=expected) as tx:
        row = await tx.row(_CREDENTIALS.with_for_update(), key=user_id)
        if row is None or (changes_email and row[2] != stored):
            raise InvalidInput("The password was just changed. Try again with the new password.", ("password",))
        await audit.require_current(tx, audit.USER, user_id)
        if not changes_email:  # the address may have changed since, and without a password it must not change back
            update = OwnUpdate(UserUpdate(display_name=update.changes.display_name))
        await audit.track(tx, audit.USER, [user_id])
        if not await users.set_details(tx, user_id, users.UserDetails(row[4], row[3], row[1]), update.changes):
            audit.discard(tx)
    return user_id


async def _require_password(app: AppContext, user_name: str, password: str | None, stored: str | None) -> None:
    if password is None:
        raise InvalidInput("Another email address needs your current password.", ("password",))
    problem = InvalidInput("The password is incorrect.", ("password",))
    await password_changes.require_correct(app, user_name, password, stored, problem)
