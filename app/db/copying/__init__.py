"""Copies of a whole registry from one database into another one, of the same kind or of the other kind."""

from app.domain.errors import OstiaryError


class CopyFailed(OstiaryError):
    """A copy cannot begin, continue or end. Its text says why and what to do."""
