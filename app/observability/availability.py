"""Log lines for the start and the end of an outage of a service that this server needs."""

import logging


class AvailabilityLogger:
    """Logs an outage once at its start and once at its end, however many requests meet it.

    `down` and `up` say what the service does then, as in `the database answers again`.
    """

    def __init__(
        self, service: str, log: logging.Logger, *, down: str = "does not answer", up: str = "answers again"
    ) -> None:
        self._service = service
        self._log = log
        self._down, self._up = down, up
        self._is_down = False

    def mark_down(self, error: Exception) -> None:
        """Log the start of an outage, unless it is already logged."""
        if not self._is_down:
            self._is_down = True
            self._log.error("%s %s: %s", self._service, self._down, str(error) or type(error).__name__)

    def mark_up(self) -> None:
        """Log the end of an outage, if there was one."""
        if self._is_down:
            self._is_down = False
            self._log.warning("%s %s", self._service, self._up)
