"""The rule that a user grants nothing for longer than their own right to grant it lasts."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from app.db.types import format_instant
from app.domain.errors import InvalidInput, Problem


def problems(
    end: datetime | None, until: datetime | None, path: Sequence[str | int] = ("expiresAt",)
) -> Iterator[Problem]:
    """Yield a problem if `end` is later than `until`, the end of the viewer's right to administer; None is no end."""
    if is_later(end, until):
        yield InvalidInput(
            f"Your own right to grant this ends at {format_instant(until)}. Set `expiresAt` to that or earlier.", path
        )


def is_later(end: datetime | None, other: datetime | None) -> bool:
    """Return whether the first end comes after the second; None is no end."""
    return other is not None and (end is None or end > other)
