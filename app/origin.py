"""From where something is asked: kept beside the request, for what happens far below the face that was asked."""

from contextvars import ContextVar
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Origin:
    """Which face was asked (`GRAPHQL`, `REST` or `COMMAND`), from which address, in which request."""

    face: str
    address: str | None = None
    request_id: str | None = None


COMMAND = Origin("COMMAND")
"""The command line of the machine itself."""

ORIGIN: ContextVar[Origin] = ContextVar("origin", default=COMMAND)
