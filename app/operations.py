"""Readiness and metrics of one worker, from its start to its graceful stop."""

import asyncio
import os
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from starlette.routing import Route

from app import __version__
from app.db import migrations
from app.db.cancellation import cancel_and_wait
from app.graphql.documents.cache import DocumentCache
from app.http import probes
from app.http.probes import Readiness
from app.http.shutdown import Shutdown, wait_idle
from app.observability.counters import sample
from app.observability.metrics import Samples, WorkerMetrics, format_metrics
from app.observability.worker_metrics import FOLDER_VARIABLE, MetricsDirectory
from app.services.app_context import AppContext
from app.services.backups.schedule import BackupSchedule
from app.services.measurements import Measurements

PUBLISH_INTERVAL = 1.0
"""Seconds between two writes of a worker's samples, which the other workers read."""


class Operations:
    """Readiness, metrics and shutdown state of one worker. Its routes answer once `attach` has the app context."""

    def __init__(self, documents: DocumentCache) -> None:
        folder = os.environ.get(FOLDER_VARIABLE)
        self.metrics = WorkerMetrics()
        self.shutdown = Shutdown()
        self._directory = MetricsDirectory(Path(folder)) if folder else None
        self._documents = documents
        self._app: AppContext | None = None
        self.backups: BackupSchedule | None = None
        self.measurements: Measurements | None = None
        self._readiness = Readiness(self.shutdown, self._find_problem)
        self._worker_sample = f'ostiary_workers{{version="{__version__}"}}'

    def routes(self, metrics_token: str | None = None, *, is_open: bool = False) -> Sequence[Route]:
        """Return the health and metrics routes. If `is_open`, `/metrics` needs no token."""
        return probes.routes(self._readiness, self._format_metrics, metrics_token, is_open=is_open)

    @asynccontextmanager
    async def attach(self, app: AppContext) -> AsyncIterator[None]:
        """Report on this app context. On exit, wait for running requests and publish the last samples."""
        self._app = app
        publishing = asyncio.create_task(self._publish())
        try:
            yield
        finally:
            await wait_idle(lambda: self.metrics.running)
            await cancel_and_wait(publishing)
            if self._directory is not None:
                self._directory.publish(self._samples(), ended=True)

    @asynccontextmanager
    async def measure(self) -> AsyncIterator[None]:
        """Take the measurements of `Measurements` from time to time, for /metrics."""
        assert self._app is not None
        self.measurements = Measurements(self._app.database, self._readiness.find_problem)
        measuring = asyncio.create_task(self.measurements.run())
        try:
            yield
        finally:
            await cancel_and_wait(measuring)

    async def _publish(self) -> None:
        while self._directory is not None:
            self._directory.publish(self._samples())
            await asyncio.sleep(PUBLISH_INTERVAL)

    async def _find_problem(self) -> str | None:
        assert self._app is not None
        return await migrations.failing(self._app.database)

    def _format_metrics(self) -> str:
        """Return the metrics of all workers. Publish our own first, so that no counter falls at another worker."""
        own = self._samples()
        if self._directory is None:
            return format_metrics([own])
        self._directory.publish(own)
        return format_metrics([own, *self._directory.others()])

    def _samples(self) -> Samples:
        assert self._app is not None
        samples = self.metrics.samples() | {
            'ostiary_document_cache_requests_total{result="hit"}': self._documents.hits,
            'ostiary_document_cache_requests_total{result="miss"}': self._documents.misses,
            "ostiary_document_cache_entries": self._documents.cached_count,
            "ostiary_hashing_jobs": self._app.hasher.queue.jobs,
            self._worker_sample: 1,
        }
        if (connections := self._app.database.connections()) is not None:
            for state, number in zip(("used", "idle"), connections, strict=True):
                samples[f'ostiary_database_connections{{state="{state}"}}'] = number
        for replica in self._app.database.replicas():
            samples[sample("ostiary_replica_usable", replica=replica.name)] = int(replica.problem is None)
            if replica.lag is not None:
                samples[sample("ostiary_replica_lag_bytes", replica=replica.name)] = replica.lag
        if self.backups is not None and self.backups.last_good is not None:
            samples["ostiary_backup_timestamp_seconds"] = self.backups.last_good
        if self.measurements is not None:
            samples |= self.measurements.samples()
        return samples
