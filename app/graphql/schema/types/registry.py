"""The registry as a whole: its version, who manages its accounts, and what it requires. Everybody may read this."""

import strawberry

from app import __version__
from app.config import PASSWORD_CHARACTERS
from app.config import PasswordPolicy as Policy
from app.graphql.schema.decorators import object_type
from app.graphql.schema.enums import DescribedEnum, enum
from app.services.app_context import AppContext


@enum
class UserManagement(DescribedEnum):
    """Manager of the accounts of a registry."""

    LOCAL = "local", "This registry. It stores the passwords, and administrators create users and roles."
    IDENTITY_PROVIDER = (
        "identity provider",
        (
            "An identity provider. It checks the passwords and names the roles. Changes of users, roles and passwords "
            "are refused here."
        ),
    )


@object_type
class PasswordPolicy:
    """Requirements for new passwords, each checked when a password is set. Passwords that exist stay valid."""

    min_length: int = strawberry.field(
        description=f"Minimum number of characters, from 1 to {PASSWORD_CHARACTERS:,}. The maximum is always "
        f"{PASSWORD_CHARACTERS:,}."
    )
    requires_digit: bool = strawberry.field(description="Whether a password needs a digit.")
    requires_uppercase: bool = strawberry.field(description="Whether a password needs an upper-case letter.")
    requires_lowercase: bool = strawberry.field(description="Whether a password needs a lower-case letter.")
    requires_non_alphanumeric: bool = strawberry.field(
        description="Whether a password needs a character that is neither a letter nor a digit."
    )


@object_type
class Registry:
    """The registry as a whole, from its settings."""

    version: str = strawberry.field(description="Version of Ostiary.")
    user_management: UserManagement = strawberry.field(description="Manager of the accounts.")
    is_storage_limited: bool = strawberry.field(
        description="Whether storage quotas are enforced: the setting EnableStorageLimiter."
    )
    password_policy: PasswordPolicy | None = strawberry.field(
        description="Requirements for new passwords: the setting PasswordPolicy. Null if there are none, and if an "
        "identity provider manages the accounts."
    )
    group_contact: str | None = strawberry.field(
        description="How to ask for a group or its membership, a text or an address for people: the setting "
        "GroupContact. Null if there is none."
    )


def describe(app: AppContext) -> Registry:
    """Return what everybody may know of the registry. REST tells the same at `/sys/features`."""
    is_local = app.provider is None
    return Registry(
        version=__version__,
        user_management=UserManagement.LOCAL if is_local else UserManagement.IDENTITY_PROVIDER,
        is_storage_limited=app.storage_policy.enforced,
        password_policy=_password_policy(app.password_policy) if is_local else None,
        group_contact=app.group_contact,
    )


def _password_policy(policy: Policy | None) -> PasswordPolicy | None:
    if policy is None:
        return None
    return PasswordPolicy(
        min_length=policy.min_length,
        requires_digit=policy.require_digit,
        requires_uppercase=policy.require_uppercase,
        requires_lowercase=policy.require_lowercase,
        requires_non_alphanumeric=policy.require_non_alphanumeric,
    )
