"""The limit on open files, and the number of connections it allows with a file descriptor left to accept one more."""

import logging
import resource

LOG = logging.getLogger(__name__)

OWN_FILES = 192
"""File descriptors for everything but client connections: databases, logs, the listening socket."""

MIN_CONNECTIONS = 10
"""Lower bound of the allowed connections, however low the limit on open files is."""


def raise_limit(connections: int, reserved: int) -> None:
    """Raise the soft limit on open files as far as the connections need and the hard limit allows.

    Child processes inherit the limit. A hard limit that is too low is logged as a warning.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = connections + reserved + OWN_FILES
    if needed > soft != resource.RLIM_INFINITY:
        new = needed if hard == resource.RLIM_INFINITY else min(needed, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, new), hard))
    if (allowed := allowed_connections(connections, reserved)) < connections:
        LOG.warning(
            "a worker accepts %d connections instead of %d: the limit on open files is %d; raise it with ulimit -n",
            allowed,
            connections,
            hard,
        )


def allowed_connections(connections: int, reserved: int) -> int:
    """Return the number of connections, at most `connections`, that the limit on open files allows."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return connections
    return max(MIN_CONNECTIONS, min(connections, soft - reserved - OWN_FILES))
