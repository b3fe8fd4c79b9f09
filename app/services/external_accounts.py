"""Users whom the external provider keeps: what it says of one at a sign-in is what is stored of her from then on."""

from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import bindparam, select

from app.db import Transaction
from app.db.tables import KeyText, User, col
from app.domain.errors import Problem
from app.domain.viewer import SYSTEM
from app.services import audit, provisioning, roles, users, validation
from app.services.identity_provider import IdentityProvider, provider_error

MOST_CHARACTERS = {"username": 1_024, "password": 1_024, "token": 16_384}
"""How long may be what is passed on; anything longer is wrong without being asked."""

_KEPT = (
    select(col(User.id), col(User.details), col(User.is_service_account))
    .where(col(User.user_key) == bindparam("name", type_=KeyText()))
    .with_for_update()
)


@dataclass(frozen=True, slots=True)
class ProviderIdentity:
    """Somebody whom the provider accepts, and what it says of her."""

    user_name: str
    metadata: dict[str, Any]


async def identify_by_password(provider: IdentityProvider, user_name: str, password: str) -> ProviderIdentity | None:
    """Who signs in with a password; None when it is wrong or nobody has that name. It is the typed name that counts."""
    said = await _ask(provider, username=user_name, password=password)
    return None if said is None else _identity(user_name, said)


async def identify_by_token(provider: IdentityProvider, token: str) -> ProviderIdentity | None:
    """Who signs in with a token of the provider's, which says her name; None when the token is not good."""
    said = await _ask(provider, token=token)
    if said is None:
        return None
    user_name = said.get("username")
    if not isinstance(user_name, str):
        raise provider_error("It has no `username`, which says whose the token is.")
    return _identity(user_name, said)


async def _ask(provider: IdentityProvider, **form: str) -> dict[str, Any] | None:
    """What the provider says. An empty password is never asked about: many directories take it for a good one."""
    if not all(_is_sendable(text, MOST_CHARACTERS[name]) for name, text in form.items()):
        return None
    return await provider.ask(**form)


def _is_sendable(text: str, most: int) -> bool:
    """Neither empty nor too long, without NUL and halves of characters."""
    return 0 < len(text) <= most and not any(letter == "\0" or "\ud800" <= letter <= "\udfff" for letter in text)


def _identity(user_name: str, said: dict[str, Any]) -> ProviderIdentity:
    """Also the name of somebody who is known already is looked at: it could fold to hers and be another one there."""
    for problem in (*validation.user_name_problems(user_name, is_external=True), *validation.metadata_problems(said)):
        raise provider_error(problem.message)
    return ProviderIdentity(user_name, _without_passwords(said))


def _without_passwords(said: Any) -> Any:
    """What may be kept: whatever is called a password is not."""
    match said:
        case dict():
            return {key: _without_passwords(each) for key, each in said.items() if key.casefold() != "password"}
        case list():
            return [_without_passwords(each) for each in said]
    return said


async def synchronize(tx: Transaction, vouched: ProviderIdentity, *, with_orgs: bool) -> int | None:
    """Store what the provider says of somebody, whom it may name for the first time; answers her id.

    None for the name of a service account: that is a program of this registry's, and nobody signs in as it.

    Under the lock that guards the administrators, so that of two first sign-ins the second one finds her.
    """
    wanted: list[str] | None = vouched.metadata.get("roles")
    await tx.lock("admins")
    try:
        await roles.create_missing(tx, wanted or ())
        row = await tx.row(_KEPT, name=validation.normalize_key(vouched.user_name))
        if row is None:
            held = users.DEFAULT_ROLES if wanted is None else wanted
            new = users.UserCreate(vouched.user_name, roles=held, metadata=vouched.metadata, is_external=True)
            return await provisioning.provision_one(tx, SYSTEM, new, with_orgs=with_orgs)
        key, details, is_service_account = row
        if is_service_account:
            return None
        await audit.track(tx, audit.USER, [key])
        if _written(details) != _written(vouched.metadata):
            await tx.update(User, key, {"details": vouched.metadata})
        if wanted is not None:
            await roles.replace(tx, SYSTEM, key, wanted)
    except Problem as problem:
        raise type(problem)(problem.message) from None  # it was no input that named the roles
    return int(key)


def _written(metadata: Any) -> bytes:
    """To Python 1 is true and 1.0; in JSON they are not the same."""
    return orjson.dumps(metadata, option=orjson.OPT_SORT_KEYS)
