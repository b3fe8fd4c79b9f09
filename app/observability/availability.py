"""Whether something that we need can be reached: told once when it goes away and once when it is back."""

import logging


class AvailabilityLogger:
    """Says in a line what each of a thousand requests finds out for itself."""

    def __init__(self, what: str, log: logging.Logger) -> None:
        self._what = what
        self._log = log
        self._is_away = False

    def mark_down(self, error: Exception) -> None:
        """It does not answer."""
        if not self._is_away:
            self._is_away = True
            self._log.error("%s does not answer: %s", self._what, str(error) or type(error).__name__)

    def mark_up(self) -> None:
        """It answers."""
        if self._is_away:
            self._is_away = False
            self._log.warning("%s answers again", self._what)
