"""Why the stock executor answers instead of the compiled one."""


class Unplanned(Exception):
    """A document has something that does not compile; `cause` is a few words for the counters."""

    def __init__(self, cause: str) -> None:
        super().__init__(cause)
        self.cause = cause


class Surprise(Exception):
    """A plan met what it does not answer for: the stock executor tells every error, so it begins anew."""
