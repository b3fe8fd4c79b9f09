"""Open files: how many connections a worker may have, so that it always has a file descriptor left to accept one."""

import logging
import resource

LOG = logging.getLogger(__name__)

OWN = 192
"""File descriptors for everything but connections of clients: databases, logs, the listening socket."""

LEAST = 10
"""The smallest bound on connections: with fewer, nobody is served."""


def raise_limit(connections: int, reserved: int) -> None:
    """Raise the soft limit on open files up to the hard one if the connections need more; warn where that is too low.

    The processes that are started from this one inherit it.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = connections + reserved + OWN
    if needed > soft != resource.RLIM_INFINITY:
        wanted = needed if hard == resource.RLIM_INFINITY else min(needed, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wanted), hard))
    if (bound := permitted(connections, reserved)) < connections:
        LOG.warning(
            "a worker accepts %d connections instead of %d: the limit on open files is %d; raise it with ulimit -n",
            bound,
            connections,
            hard,
        )


def permitted(connections: int, reserved: int) -> int:
    """Return how many connections the limit on open files permits, of those that are wanted."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return connections
    return max(LEAST, min(connections, soft - reserved - OWN))
