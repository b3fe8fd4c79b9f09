"""The settings, and checks of unsafe ones."""

from app.config.limits import Limits
from app.config.model import DEFAULT_PASSWORD, FIELDS, HIDDEN, DefaultAdmin, PasswordPolicy, Settings
from app.config.request_limits import RequestLimits
from app.config.safety import check_exposure, is_loopback, secret
from app.config.throttle import Throttle
from app.config.values import PASSWORD_CHARACTERS
