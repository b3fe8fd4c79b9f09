"""Metrics of one worker, in the text exposition format of Prometheus, version 0.0.4."""

import os
import resource
import sys
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from app.observability import counters
from app.observability.request_stats import RequestStats

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

BOUNDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
"""Upper bounds of the duration buckets in seconds: a token check takes a millisecond, a mutation at most a minute."""


class MetricFamily(NamedTuple):
    """Type and help text of one metric. Counters include ended workers; gauges add up the live workers only.

    A gauge with `is_maximum` has the largest value of any worker instead of the sum.
    """

    kind: str
    help: str
    is_maximum: bool = False


FAMILIES = {
    "ostiary_requests_total": MetricFamily("counter", "Answered requests, by API, kind of operation and status."),
    "ostiary_request_duration_seconds": MetricFamily("histogram", "Request duration, by API and kind of operation."),
    "ostiary_requests_in_progress": MetricFamily("gauge", "Requests in progress."),
    "ostiary_errors_total": MetricFamily("counter", "Errors in responses, by code. Each error of a request counts."),
    "ostiary_change_retries_total": MetricFamily(
        "counter", "Attempts of changes that ran again because other requests interfered."
    ),
    "ostiary_limits_exceeded_total": MetricFamily("counter", "Requests and connections refused by a request limit."),
    "ostiary_sign_ins_refused_total": MetricFamily(
        "counter", "Refused credentials, by API, kind of credential and reason."
    ),
    "ostiary_database_failures_total": MetricFamily("counter", "Database operations that failed, by reason."),
    "ostiary_commits_failed_total": MetricFamily("counter", "Commits that failed. None of their changes is stored."),
    "ostiary_database_waits_total": MetricFamily(
        "counter", "Waits for a connection to the database, or for the turn to write, by resource."
    ),
    "ostiary_database_wait_seconds_total": MetricFamily("counter", "Seconds of these waits, by resource."),
    "ostiary_database_size_bytes": MetricFamily(
        "gauge", "Size of the database and of its write-ahead log in bytes, by file.", is_maximum=True
    ),
    "ostiary_audit_newest_event": MetricFamily(
        "gauge",
        "Number of the newest audit event. It grows with the audit log, and jumps when all sessions are ended.",
        is_maximum=True,
    ),
    "ostiary_sql_statements_total": MetricFamily("counter", "SQL statements of all requests."),
    "ostiary_operations_total": MetricFamily(
        "counter", "GraphQL operations, by executor and the reason for the reference executor."
    ),
    "ostiary_document_cache_requests_total": MetricFamily(
        "counter", "GraphQL documents looked up in the document cache, by result."
    ),
    "ostiary_document_cache_entries": MetricFamily("gauge", "GraphQL documents in the document cache."),
    "ostiary_hashing_jobs": MetricFamily("gauge", "Passwords being hashed or waiting to be hashed."),
    "ostiary_database_connections": MetricFamily("gauge", "Connections to PostgreSQL, by state."),
    "ostiary_replica_reads_total": MetricFamily(
        "counter",
        "Reads that a replica may answer, by result. Without `replica`, the primary answers, but not after a timeout."
        " A snapshot that a replica loses is counted as `replica` and as `failed`.",
    ),
    "ostiary_replica_usable": MetricFamily("gauge", "Workers that send reads to a replica, by replica."),
    "ostiary_replica_lag_bytes": MetricFamily(
        "gauge", "Bytes of the log of the primary that a replica has not replayed, by replica.", is_maximum=True
    ),
    "ostiary_backup_timestamp_seconds": MetricFamily(
        "gauge", "When the newest backup of BackupEvery was made, in seconds of the epoch.", is_maximum=True
    ),
    "ostiary_backup_failures_total": MetricFamily("counter", "Backups of BackupEvery that failed."),
    "ostiary_traces_total": MetricFamily("counter", "Traces for the collector of TracesEndpoint, by result."),
    "ostiary_worker_restarts_total": MetricFamily("counter", "Workers that ended unexpectedly and were replaced."),
    "ostiary_event_loop_lag_seconds": MetricFamily(
        "gauge",
        "Longest time in the last 30 seconds for which the event loop of a worker was blocked.",
        is_maximum=True,
    ),
    "ostiary_workers_ready": MetricFamily("gauge", "Worker processes whose last readiness check succeeded."),
    "ostiary_workers": MetricFamily("gauge", "Worker processes, by version."),
    "process_cpu_seconds_total": MetricFamily("counter", "CPU seconds used by the workers."),
    "process_resident_memory_bytes": MetricFamily(
        "gauge", "Resident memory of the workers. Shared memory counts once for each worker."
    ),
    "process_open_fds": MetricFamily("gauge", "Open file descriptors of the workers."),
}

Samples = dict[str, float]
"""A value for each metric name with its labels, as in `ostiary_errors_total{code="NOT_FOUND"}`."""


STATUSES = ("2xx", "3xx", "4xx", "5xx", "none")
"""Values of the label `status`; `none` where no response was sent."""

APIS_AND_KINDS = {"graphql": ("query", "mutation", "none"), "rest": ("query", "mutation"), "other": ("none",)}
"""Values of the label `kind` for each value of `api`."""

counters.declare("ostiary_worker_restarts_total")  # the supervisor counts them, and serves no metrics itself

for _api, _kinds in APIS_AND_KINDS.items():
    counters.declare("ostiary_requests_total", api=[_api], kind=_kinds, status=STATUSES)


@dataclass(slots=True)
class RequestTally:
    """Totals of requests with the same labels. `durations` counts the requests of each bucket of `BOUNDS`."""

    durations: list[int] = field(default_factory=lambda: [0] * (len(BOUNDS) + 1))
    seconds: float = 0.0
    statements: int = 0


class WorkerMetrics:
    """Counts of one worker. Recording a request costs a few additions."""

    def __init__(self) -> None:
        self.running = 0
        self._tallies: defaultdict[tuple[str, str, int, str, str], RequestTally] = defaultdict(RequestTally)

    def record(self, stats: RequestStats, status: int, seconds: float) -> None:
        """Count a request; status 0 means that no response was sent."""
        tally = self._tallies[stats.api, stats.kind, status, stats.executor, stats.reason]
        tally.durations[bisect_left(BOUNDS, seconds)] += 1
        tally.seconds += seconds
        tally.statements += stats.statements
        for code in stats.codes:
            counters.increment("ostiary_errors_total", code=code)

    def samples(self) -> Samples:
        """Return all counts of this worker, with the CPU time, memory and open files of its process."""
        sums: Counter[str] = Counter()
        for (api, kind, status, executor, reason), tally in self._tallies.items():
            labels, requests = f'api="{api}",kind="{kind}"', sum(tally.durations)
            status_class = f"{status // 100}xx" if status else "none"
            sums[f'ostiary_requests_total{{{labels},status="{status_class}"}}'] += requests
            sums["ostiary_sql_statements_total"] += tally.statements
            sums.update(_histogram(labels, tally))
            if executor:
                sums[f'ostiary_operations_total{{executor="{executor}",reason="{reason}"}}'] += requests
        own = {"ostiary_requests_in_progress": self.running, "ostiary_sql_statements_total": 0}
        return {**own, **counters.samples(), **sums, **dict(_process())}


def _histogram(labels: str, tally: RequestTally) -> Samples:
    name, total = "ostiary_request_duration_seconds", 0
    buckets: Samples = {}
    for bound, number in zip((*BOUNDS, "+Inf"), tally.durations, strict=True):
        total += number
        buckets[f'{name}_bucket{{{labels},le="{bound}"}}'] = total
    return {**buckets, f"{name}_sum{{{labels}}}": tally.seconds, f"{name}_count{{{labels}}}": total}


def _process() -> Iterator[tuple[str, float]]:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    yield "process_cpu_seconds_total", usage.ru_utime + usage.ru_stime
    if sys.platform == "linux":
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        yield "process_resident_memory_bytes", pages * os.sysconf("SC_PAGE_SIZE")
        yield "process_open_fds", len(os.listdir("/proc/self/fd"))


def without_gauges(samples: Mapping[str, float]) -> Samples:
    """Return the samples that remain valid after their worker has ended."""
    return {name: number for name, number in samples.items() if FAMILIES[_family(name)].kind != "gauge"}


def format_metrics(workers: Iterable[Mapping[str, float]]) -> str:
    """Return the sums over the samples of these workers in the text exposition format."""
    sums: dict[str, Samples] = {family: {} for family in FAMILIES}
    for samples in workers:
        for name, number in samples.items():
            family, before = sums[_family(name)], sums[_family(name)].get(name, 0)
            family[name] = max(before, number) if FAMILIES[_family(name)].is_maximum else before + number
    return "".join(_format_family(name, samples) for name, samples in sums.items() if samples)


def _format_family(name: str, samples: Samples) -> str:
    kind, meaning, _ = FAMILIES[name]
    lines = "".join(f"{sample} {number}\n" for sample, number in samples.items())
    return f"# HELP {name} {meaning}\n# TYPE {name} {kind}\n{lines}"


def _family(sample: str) -> str:
    name = sample.partition("{")[0]
    return name if name in FAMILIES else name.rpartition("_")[0]
