"""The settings, and checks of unsafe ones."""

from app.config.limits import Limits
from app.config.model import FIELDS, Settings
from app.config.postgres_url import HIDDEN
from app.config.request_limits import RequestLimits
from app.config.safety import check_exposure, is_loopback, secret
from app.config.sections import DEFAULT_PASSWORD, DefaultAdmin, PasswordPolicy
from app.config.throttle import Throttle
from app.config.values import PASSWORD_CHARACTERS
