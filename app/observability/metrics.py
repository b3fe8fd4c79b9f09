"""What one worker has counted, and how Prometheus reads it: the text exposition format, version 0.0.4."""

import os
import resource
import sys
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from app.observability import counters as event_counters
from app.observability.request_stats import RequestStats

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"

BOUNDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
"""Seconds: a check takes a millisecond, a login thirty, and nothing may take more than a minute."""


class MetricFamily(NamedTuple):
    """Numbers of one name. Those of several workers are added up; of a gauge, those of the living."""

    kind: str
    help: str


FAMILIES = {
    "ostiary_requests_total": MetricFamily(
        "counter", "Requests that were answered, by face, kind of operation and status."
    ),
    "ostiary_request_duration_seconds": MetricFamily(
        "histogram", "How long requests took, by face and kind of operation."
    ),
    "ostiary_requests_in_progress": MetricFamily("gauge", "Requests that are being answered."),
    "ostiary_refusals_total": MetricFamily("counter", "What was refused, by code; several in one request count each."),
    "ostiary_limits_exceeded_total": MetricFamily("counter", "Requests and connections refused by a request limit."),
    "ostiary_sign_ins_refused_total": MetricFamily(
        "counter", "Refused credentials, by api, kind of credential and reason."
    ),
    "ostiary_database_failures_total": MetricFamily("counter", "Database operations that failed, by reason."),
    "ostiary_statements_total": MetricFamily("counter", "SQL statements that requests have run."),
    "ostiary_executions_total": MetricFamily("counter", "GraphQL operations, by executor and reason of the fallback."),
    "ostiary_documents_total": MetricFamily(
        "counter", "GraphQL documents, by whether they were known or had to be read."
    ),
    "ostiary_documents_remembered": MetricFamily("gauge", "GraphQL documents that are remembered."),
    "ostiary_hashing_jobs": MetricFamily("gauge", "Passwords that are being hashed, or wait for it."),
    "ostiary_database_connections": MetricFamily("gauge", "Connections to PostgreSQL, by whether somebody uses them."),
    "ostiary_worker_restarts_total": MetricFamily("counter", "Workers that ended unexpectedly and were replaced."),
    "ostiary_workers": MetricFamily("gauge", "Worker processes, by version."),
    "process_cpu_seconds_total": MetricFamily("counter", "Seconds that the workers have computed."),
    "process_resident_memory_bytes": MetricFamily("gauge", "Memory of the workers; what they share counts for each."),
    "process_open_fds": MetricFamily("gauge", "Open file descriptors of the workers."),
}

Samples = dict[str, float]
"""A number for each name with its labels, as in `ostiary_refusals_total{code="NOT_FOUND"}`."""


@dataclass(slots=True)
class RequestTally:
    """Requests that were alike: how many took how long, and what they took in all."""

    durations: list[int] = field(default_factory=lambda: [0] * (len(BOUNDS) + 1))
    seconds: float = 0.0
    statements: int = 0


class WorkerMetrics:
    """What one worker counts. A request costs it a few additions."""

    def __init__(self) -> None:
        self.running = 0
        self._tallies: defaultdict[tuple[str, str, int, str, str], RequestTally] = defaultdict(RequestTally)
        self._refusals: Counter[str] = Counter()

    def record(self, about: RequestStats, status: int, seconds: float) -> None:
        """Count a request; status 0 stands for no answer at all."""
        tally = self._tallies[about.api, about.kind, status, about.executor, about.reason]
        tally.durations[bisect_left(BOUNDS, seconds)] += 1
        tally.seconds += seconds
        tally.statements += about.statements
        for code in about.codes:
            self._refusals[code] += 1

    def samples(self) -> Samples:
        """All that was counted, with what the system says of this process."""
        found: Counter[str] = Counter()
        for (face, kind, status, executor, cause), tally in self._tallies.items():
            of = f'face="{face}",kind="{kind}"'
            told = f"{status // 100}xx" if status else "none"
            found[f'ostiary_requests_total{{{of},status="{told}"}}'] += sum(tally.durations)
            found["ostiary_statements_total"] += tally.statements
            found.update(_histogram(of, tally))
            if executor:
                found[f'ostiary_executions_total{{executor="{executor}",cause="{cause}"}}'] += sum(tally.durations)
        for code, number in self._refusals.items():
            found[f'ostiary_refusals_total{{code="{code}"}}'] = number
        own = {"ostiary_requests_in_progress": self.running, "ostiary_statements_total": 0}
        return {**own, **found, **event_counters.samples(), **dict(_process())}


def _histogram(labels: str, tally: RequestTally) -> Samples:
    name, below = "ostiary_request_duration_seconds", 0
    found: Samples = {}
    for bound, number in zip((*BOUNDS, "+Inf"), tally.durations, strict=True):
        below += number
        found[f'{name}_bucket{{{labels},le="{bound}"}}'] = below
    return {**found, f"{name}_sum{{{labels}}}": tally.seconds, f"{name}_count{{{labels}}}": below}


def _process() -> Iterator[tuple[str, float]]:
    used = resource.getrusage(resource.RUSAGE_SELF)
    yield "process_cpu_seconds_total", used.ru_utime + used.ru_stime
    if sys.platform == "linux":
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        yield "process_resident_memory_bytes", pages * os.sysconf("SC_PAGE_SIZE")
        yield "process_open_fds", len(os.listdir("/proc/self/fd"))


def counters(samples: Mapping[str, float]) -> Samples:
    """What stays true of a worker that has ended."""
    return {name: number for name, number in samples.items() if FAMILIES[_family(name)].kind != "gauge"}


def text(workers: Iterable[Mapping[str, float]]) -> str:
    """The sums over these workers, as Prometheus reads them."""
    sums: dict[str, Samples] = {family: {} for family in FAMILIES}
    for samples in workers:
        for name, number in samples.items():
            of = sums[_family(name)]
            of[name] = of.get(name, 0) + number
    return "".join(_lines(family, found) for family, found in sums.items() if found)


def _lines(family: str, found: Samples) -> str:
    kind, meaning = FAMILIES[family]
    values = "".join(f"{name} {number}\n" for name, number in found.items())
    return f"# HELP {family} {meaning}\n# TYPE {family} {kind}\n{values}"


def _family(sample: str) -> str:
    name = sample.partition("{")[0]
    return name if name in FAMILIES else name.rpartition("_")[0]
