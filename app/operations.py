"""What one worker tells an operator's machines: whether it is ready, what it has counted, and how it ends."""

import asyncio
import os
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from starlette.routing import Route

from app import __version__
from app.db import migrations
from app.graphql.documents.cache import DocumentCache
from app.http import probes
from app.http.probes import Readiness
from app.http.shutdown import Shutdown, wait_idle
from app.observability import metrics
from app.observability.metrics import Samples, WorkerMetrics
from app.observability.worker_metrics import FOLDER_VARIABLE, MetricsDirectory
from app.services.app_context import AppContext

PUBLISH_INTERVAL = 1.0
"""How old the numbers may be that a worker has of another one."""


class Operations:
    """Knows the parts of a worker that have something to tell."""

    def __init__(self, documents: DocumentCache) -> None:
        folder = os.environ.get(FOLDER_VARIABLE)
        self.meter = WorkerMetrics()
        self.stopping = Shutdown()
        self._board = MetricsDirectory(Path(folder)) if folder else None
        self._documents = documents
        self._desk: AppContext | None = None
        self._worker = f'ostiary_workers{{version="{__version__}"}}'

    def routes(self, metrics_token: str | None = None, *, is_open: bool = False) -> Sequence[Route]:
        """The paths where it is told; `is_open` to whoever reaches them."""
        readiness = Readiness(self.stopping, self._failing)
        return probes.routes(readiness, self._numbers, metrics_token, is_open=is_open)

    @asynccontextmanager
    async def attach(self, desk: AppContext) -> AsyncIterator[None]:
        """For as long as the desk is open; leaves it when nothing is at work there any more."""
        self._desk = desk
        laying = asyncio.create_task(self._publish())
        try:
            yield
        finally:
            await wait_idle(lambda: self.meter.running)
            laying.cancel()
            if self._board is not None:
                self._board.publish(self._samples(), ended=True)

    async def _publish(self) -> None:
        while self._board is not None:
            self._board.publish(self._samples())
            await asyncio.sleep(PUBLISH_INTERVAL)

    async def _failing(self) -> str | None:
        assert self._desk is not None
        return await migrations.failing(self._desk.database)

    def _numbers(self) -> str:
        """Of all workers. Our own are laid down first: the next to be asked must not tell of fewer."""
        own = self._samples()
        if self._board is None:
            return metrics.text([own])
        self._board.publish(own)
        return metrics.text([own, *self._board.others()])

    def _samples(self) -> Samples:
        assert self._desk is not None
        samples = self.meter.samples() | {
            'ostiary_documents_total{result="known"}': self._documents.hits,
            'ostiary_documents_total{result="read"}': self._documents.misses,
            "ostiary_documents_remembered": self._documents.cached_count,
            "ostiary_hashing_jobs": self._desk.hasher.queue.jobs,
            self._worker: 1,
        }
        if (connections := self._desk.database.connections()) is not None:
            for state, number in zip(("used", "idle"), connections, strict=True):
                samples[f'ostiary_database_connections{{state="{state}"}}'] = number
        return samples
