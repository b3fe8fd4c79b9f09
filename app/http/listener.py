"""The separate listener for metrics and health, which each worker opens at `MetricsAddress`."""

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import uvicorn
from starlette.types import ASGIApp

SECONDS_TO_END = 1
"""Seconds for a running request to finish when the worker stops."""


class _Quiet(uvicorn.Server):
    """A server inside a worker. The worker's own server handles the signals."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@asynccontextmanager
async def listen(app: ASGIApp, endpoint: tuple[str, int]) -> AsyncIterator[None]:
    """Serve an application at an address that all workers share. The kernel selects a worker for each connection."""
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
    listener = socket.socket(socket.AF_INET6 if ":" in endpoint[0] else socket.AF_INET)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        listener.bind(endpoint)
    except BaseException:
        listener.close()
        raise
    return listener
