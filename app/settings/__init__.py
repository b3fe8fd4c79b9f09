"""The settings, and what they must never leave open."""

from app.settings.limits import Limits
from app.settings.model import DEFAULT_PASSWORD, FIELDS, HIDDEN, DefaultAdmin, PasswordPolicy, Settings, Throttle
from app.settings.request_limits import RequestLimits
from app.settings.safety import check_exposure, is_loopback, secret
from app.settings.values import PASSWORD_CHARACTERS

__all__ = [
    "DEFAULT_PASSWORD",
    "FIELDS",
    "HIDDEN",
    "PASSWORD_CHARACTERS",
    "DefaultAdmin",
    "Limits",
    "PasswordPolicy",
    "RequestLimits",
    "Settings",
    "Throttle",
    "check_exposure",
    "is_loopback",
    "secret",
]
