"""Settings of the throttle of password guesses."""

from pydantic import BaseModel, ConfigDict, Field

from app.config import values


class Throttle(BaseModel):
    """Limits on password guessing."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    enabled: bool = Field(True, description="Delay sign-ins after wrong passwords.")
    free_guesses: values.Count = Field(
        10, ge=1, le=10_000, description="Wrong passwords for one account from one address before the first wait."
    )
    free_guesses_per_account: values.Count = Field(
        20,
        ge=1,
        le=10_000,
        description="Wrong passwords for one account from all addresses without a successful sign-in to it.",
    )
    free_guesses_per_address: values.Count = Field(
        20,
        ge=1,
        le=10_000,
        description="Wrong passwords from one address for all accounts without a successful sign-in from it.",
    )
    longest_wait_seconds: values.Count = Field(
        900, ge=1, le=86_400, description="Longest wait in seconds, 1 to 86400. Each wait is twice the previous one."
    )
    longest_wait_per_account_seconds: values.Count = Field(
        30, ge=1, le=3600, description="Longest wait in seconds for one account from all addresses: 1 to 3600."
    )
    forget_after_minutes: values.Count = Field(
        60, ge=1, le=10_080, description="Minutes after the last wrong password until its count is reset: 1 to 10080."
    )
