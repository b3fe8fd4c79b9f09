"""A listener of its own in each worker, for an operator's machines: metrics and health on an address apart."""

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import uvicorn
from starlette.types import ASGIApp

SECONDS_TO_END = 1
"""How long a scrape may go on when the worker stops."""


class _Quiet(uvicorn.Server):
    """A server within a server: signals are for the outer one."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@asynccontextmanager
async def listen(app: ASGIApp, endpoint: tuple[str, int]) -> AsyncIterator[None]:
    """Serve an application on an address that all workers share; whichever is asked tells of all of them."""
    config = uvicorn.Config(
        app,
        lifespan="off",
        ws="none",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=SECONDS_TO_END,
    )
    server = _Quiet(config)
    serving = asyncio.create_task(server.serve(sockets=[_bind(endpoint)]))
    try:
        yield
    finally:
        server.should_exit = True
        await serving


def _bind(endpoint: tuple[str, int]) -> socket.socket:
    made = socket.socket(socket.AF_INET6 if ":" in endpoint[0] else socket.AF_INET)
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        made.bind(endpoint)
    except BaseException:
        made.close()
        raise
    return made
