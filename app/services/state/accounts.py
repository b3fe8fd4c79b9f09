"""Writing resource types, roles and users of a plan."""

from collections.abc import Sequence
from typing import Any

from app.db import Transaction
from app.db.tables import Role, User, UserRole
from app.db.tables import casefold_key as key_of
from app.domain.viewer import SYSTEM
from app.security import imported_hashes, session_tokens
from app.services import audit, roles, tracked_rows, users
from app.services.resource_types import create_resource_type
from app.services.state import ids
from app.services.state.changes import Change
from app.services.state.model import Kind
from app.services.users import UserCreate


async def write_resource_types(tx: Transaction, changes: Sequence[Change]) -> None:
    """Create resource types, which never change."""
    for change in changes:
        assert change.after is not None
        await create_resource_type(tx, SYSTEM, change.after["name"], change.after["hasData"])


async def write_roles(tx: Transaction, changes: Sequence[Change]) -> None:
    """Create and update roles."""
    new = [change.after for change in changes if change.before is None and change.after is not None]
    old = [change for change in changes if change.before is not None]
    rows = [roles.row(tx, each["name"], each["description"], each["permissions"]) for each in new]
    await tracked_rows.insert(tx, Role, rows, "name_key")
    keys = await ids.load_rows(tx, Kind.ROLE, [change.key[0] for change in old])
    values = [
        {"id": key, **{name: after[name] for name in ("name", "description", "permissions")}}
        for key, after in zip(keys, [change.after or {} for change in old], strict=True)
    ]
    await tracked_rows.update(tx, Role, values)


async def write_users(tx: Transaction, changes: Sequence[Change]) -> None:
    """Update and create users: first the updates, since a new user may receive an address that another gives up."""
    if old := [change for change in changes if change.before is not None]:
        keys = await ids.load_rows(tx, Kind.USER, [change.key[0] for change in old])
        await audit.track(tx, audit.USER, keys)
        await _update(tx, [(key, change.fields, change.after or {}) for key, change in zip(keys, old, strict=True)])
        await _replace_roles(tx, [*zip(keys, old, strict=True)])
    if new := [change.after for change in changes if change.before is None and change.after is not None]:
        await _create(tx, new)
    if any(roles.ADMIN in map(key_of, (change.before or {})["roles"]) for change in old if "roles" in change.fields):
        await roles.require_an_admin(tx)


async def _create(tx: Transaction, new: Sequence[dict[str, Any]]) -> None:
    """Insert users. Roles in their metadata are data here: `roles` alone says what a user holds."""
    rows = [
        users.row(
            tx,
            UserCreate(
                each["userName"],
                each["email"],
                _hash(each),
                metadata=each["metadata"],
                is_service_account=each["isServiceAccount"],
                display_name=each["displayName"],
            ),
        )
        for each in new
    ]
    user_ids = await tracked_rows.insert(tx, User, rows, "user_key")
    role_ids = await ids.load(tx, Kind.ROLE, {key_of(name) for each in new for name in each["roles"]})
    pairs = [
        (user_id, role_ids[role])
        for user_id, each in zip(user_ids, new, strict=True)
        for role in {*map(key_of, each["roles"])}
    ]
    await roles.assign(tx, pairs)


def _hash(values: dict[str, Any]) -> str | None:
    text = values.get("passwordHash")
    return None if text is None else imported_hashes.normalize(text)


async def clear_emails(tx: Transaction, changes: Sequence[Change]) -> None:
    """Remove addresses that other users get by later changes."""
    keys = await ids.load_rows(tx, Kind.USER, [change.key[0] for change in changes])
    await audit.track(tx, audit.USER, keys)
    await tx.update_many(User, [{"id": key, "email": None, "email_key": None} for key in keys])


async def _update(tx: Transaction, changes: Sequence[tuple[int, Sequence[str], dict[str, Any]]]) -> None:
    """Set the values that differ. All addresses are cleared first, so that two users can exchange theirs."""
    displayed = [(key, after) for key, fields, after in changes if "displayName" in fields]
    names = [{"id": key, **users.display_values(after["displayName"], after["userName"])} for key, after in displayed]
    await tx.update_many(User, names)
    emails = [(key, after["email"]) for key, fields, after in changes if "email" in fields]
    await tx.update_many(User, [{"id": key, "email": None, "email_key": None} for key, _ in emails])
    addresses = [{"id": key, "email": email, "email_key": key_of(email)} for key, email in emails if email is not None]
    await tx.update_many(User, addresses)
    details = [{"id": key, "details": after["metadata"]} for key, fields, after in changes if "metadata" in fields]
    await tx.update_many(User, details)
    hashes = [(key, _hash(after)) for key, fields, after in changes if "passwordHash" in fields]
    for key, _ in hashes:
        audit.note(tx, audit.USER, key, {"password": "changed"})
    await tx.update_many(
        User,
        [
            {"id": key, "password_hash": text, "token_generation": session_tokens.new_generation()}
            for key, text in hashes
        ],
    )


async def _replace_roles(tx: Transaction, changes: Sequence[tuple[int, Change]]) -> None:
    changed = [(key, change) for key, change in changes if "roles" in change.fields]
    if not changed:
        return
    sides = [
        (key, {*map(key_of, (change.before or {})["roles"])}, {*map(key_of, (change.after or {})["roles"])})
        for key, change in changed
    ]
    role_ids = await ids.load(tx, Kind.ROLE, {role for _, before, after in sides for role in before | after})
    removed = [
        {"user_id": key, "role_id": role_ids[role]} for key, before, after in sides for role in sorted(before - after)
    ]
    await tx.delete_many(UserRole, removed)
    await roles.assign(tx, [(key, role_ids[role]) for key, before, after in sides for role in sorted(after - before)])
