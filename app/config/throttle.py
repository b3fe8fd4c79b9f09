"""Settings of the throttle of password guesses."""

from pydantic import Field

from app.config import values


class Throttle(values.Section):
    """Limits on password guessing."""

    enabled: bool = Field(True, description="Delay sign-ins after wrong passwords.")
    free_guesses: values.Count = values.count_field(
        10, 1, 10_000, "Wrong passwords for one account from one address before the first wait."
    )
    free_guesses_per_account: values.Count = values.count_field(
        20, 1, 10_000, "Wrong passwords for one account from all addresses without a successful sign-in to it."
    )
    free_guesses_per_address: values.Count = values.count_field(
        20, 1, 10_000, "Wrong passwords from one address for all accounts without a successful sign-in from it."
    )
    longest_wait_seconds: values.Count = values.count_field(
        900, 1, 86_400, "Longest wait in seconds, {}. Each wait is twice the previous one."
    )
    longest_wait_per_account_seconds: values.Count = values.count_field(
        30, 1, 3_600, "Longest wait in seconds for one account from all addresses: {}."
    )
    forget_after_minutes: values.Count = values.count_field(
        60, 1, 10_080, "Minutes after the last wrong password until its count is reset: {}."
    )
