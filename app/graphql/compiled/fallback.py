"""Reasons to fall back from a plan to the reference executor."""


class NotPlannable(Exception):
    """A document has something that cannot be planned; `reason` is a few words for the metrics."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class PlanFailed(Exception):
    """A plan met a value that it cannot serialize; the reference executor runs the operation again."""
