"""Why the stock executor answers instead of the compiled one."""


class NotPlannable(Exception):
    """A document has something that does not compile; `cause` is a few words for the counters."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class PlanFailed(Exception):
    """A plan met what it does not answer for: the stock executor tells every error, so it begins anew."""
