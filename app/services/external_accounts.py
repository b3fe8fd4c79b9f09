"""Users whose accounts the identity provider manages. Each sign-in stores the metadata that the provider returns."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import bindparam, select

from app.db import Transaction
from app.db.tables import KeyText, User, col
from app.domain.errors import Problem
from app.domain.json_values import is_same_json
from app.domain.viewer import SYSTEM
from app.services import audit, provisioning, roles, users, validation
from app.services.identity_provider import IdentityProvider, provider_error

MAX_CHARACTERS = {"username": 1_024, "password": 1_024, "token": 16_384}
"""Lengths of the values sent to the provider. A longer one counts as invalid without a request."""

_SELECT_USER = (
    select(col(User.id), col(User.details), col(User.is_service_account))
    .where(col(User.user_key) == bindparam("name", type_=KeyText()))
    .with_for_update()
)


@dataclass(frozen=True, slots=True)
class ProviderIdentity:
    """A user whom the provider accepts, with the metadata that it returns."""

    user_name: str
    metadata: dict[str, Any]


async def identify_by_password(provider: IdentityProvider, user_name: str, password: str) -> ProviderIdentity | None:
    """Return the user who signs in with a password, or None if the provider rejects it. The name is the typed one."""
    metadata = await _ask(provider, username=user_name, password=password)
    return None if metadata is None else _identity(user_name, metadata)


async def identify_by_token(provider: IdentityProvider, token: str) -> ProviderIdentity | None:
    """Return the user who signs in with a token of the provider, or None if it rejects the token."""
    metadata = await _ask(provider, token=token)
    if metadata is None:
        return None
    user_name = metadata.get("username")
    if not isinstance(user_name, str):
        raise provider_error("It has no `username`, which identifies the user of the token.")
    return _identity(user_name, metadata)


async def _ask(provider: IdentityProvider, **form: str) -> dict[str, Any] | None:
    """Return the provider's metadata, None on rejection. An empty password is not sent: many directories accept it."""
    if not all(_is_sendable(text, MAX_CHARACTERS[name]) for name, text in form.items()):
        return None
    return await provider.ask(**form)


def _is_sendable(text: str, max_length: int) -> bool:
    """Return whether a text is neither empty nor too long, without NUL and surrogates."""
    return 0 < len(text) <= max_length and not any(char == "\0" or "\ud800" <= char <= "\udfff" for char in text)


def _identity(user_name: str, data: dict[str, Any]) -> ProviderIdentity:
    """Return the identity. The name of an existing user is validated too: it could casefold to another user's name."""
    for problem in (*validation.user_name_problems(user_name, is_external=True), *validation.metadata_problems(data)):
        raise provider_error(problem.message)
    return ProviderIdentity(user_name, _without_passwords(data))


def _without_passwords(value: Any) -> Any:
    """Return the value without all members of objects that are named `password`."""
    match value:
        case dict():
            return {key: _without_passwords(each) for key, each in value.items() if key.casefold() != "password"}
        case list():
            return [_without_passwords(each) for each in value]
    return value


async def synchronize(tx: Transaction, identity: ProviderIdentity, *, with_orgs: bool) -> int | None:
    """Store the provider's metadata and roles of a user, new or not; return the id, None for a service account's name.

    No sign-in is possible as a service account. The lock serializes first sign-ins and changes of administrators.
    """
    wanted_roles: list[str] | None = identity.metadata.get("roles")
    await tx.lock("admins")
    try:
        await roles.create_missing(tx, wanted_roles or ())
        row = await tx.row(_SELECT_USER, name=validation.normalize_key(identity.user_name))
        if row is None:
            names = users.DEFAULT_ROLES if wanted_roles is None else wanted_roles
            new = users.UserCreate(identity.user_name, roles=names, metadata=identity.metadata, is_external=True)
            return await provisioning.provision_one(tx, SYSTEM, new, with_orgs=with_orgs)
        user_id, details, is_service_account = row
        if is_service_account:
            return None
        await audit.track(tx, audit.USER, [user_id])
        if not is_same_json(details, identity.metadata):
            await tx.update(User, user_id, {"details": identity.metadata})
        if wanted_roles is not None:
            await roles.replace(tx, SYSTEM, user_id, wanted_roles)
    except Problem as problem:
        raise type(problem)(problem.message) from None  # without a path: the roles are not part of the client's input
    return int(user_id)
