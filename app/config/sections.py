"""Sections of the settings about accounts: the first administrator and new passwords."""

from typing import Annotated

from pydantic import AfterValidator, Field, SecretStr

from app.config import values

DEFAULT_PASSWORD = "password"  # noqa: S105 - documented; `check_exposure` keeps it from other machines


class DefaultAdmin(values.Section):
    """The administrator that is created if no user has the role admin."""

    user_name: str = Field(
        "admin",
        pattern=r"^[A-Za-z0-9]{1,127}\z",
        description="User name of the first administrator, created if no user has the role admin: 1 to 127 letters and"
        " digits.",
    )
    email: Annotated[str | None, AfterValidator(values.email)] = Field(
        "admin@example.com", description="E-mail address of the first administrator. Blank: none."
    )
    password: Annotated[SecretStr, AfterValidator(values.admin_password)] = Field(
        SecretStr(DEFAULT_PASSWORD),
        description="Initial password of the first administrator: 1 to 1,024 characters, not checked by PasswordPolicy."
        " It is used once. The default, password, is accepted on loopback addresses only.",
    )


class PasswordPolicy(values.Section):
    """Requirements for new passwords."""

    min_length: values.Count = values.count_field(
        12, 1, values.PASSWORD_CHARACTERS, "Minimum length of a new password: {} characters."
    )
    require_digit: bool = Field(False, description="Require a digit in a new password.")
    require_uppercase: bool = Field(False, description="Require an upper-case letter in a new password.")
    require_lowercase: bool = Field(False, description="Require a lower-case letter in a new password.")
    require_non_alphanumeric: bool = Field(
        False, description="Require a character that is neither a letter nor a digit in a new password."
    )
