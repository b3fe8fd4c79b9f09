"""Claims about health checks and metrics: readiness, numbers, and their access control."""

import asyncio
import os
import re
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette

from app import db
from app.db import migrations
from app.domain import errors
from app.http import probes
from app.http.probes import Readiness
from app.http.shutdown import Shutdown
from app.observability import metrics, worker_metrics
from app.observability.metrics import Samples, WorkerMetrics
from app.observability.request_stats import RequestStats
from app.observability.worker_metrics import MetricsDirectory
from tests.conftest import BACKENDS
from tests.support.client import Api
from tests.support.factories import Make
from tests.support.postgres import Postgres, free_port
from tests.support.server import UNUSED_TLS, Server

TOKEN = "a-token-for-metrics"
METRICS_AT = f"http://127.0.0.1:{free_port()}"
INVALID_TOKEN = "a-token-for-nothing"
NEAR = ("127.0.0.1", 4000)
FAR = ("192.0.2.7", 4000)


async def _get(app: Starlette, path: str, client: tuple[str, int] = NEAR, **headers: str) -> httpx.Response:
    transport = httpx.ASGITransport(app, client=client)
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:5000") as asking:
        return await asking.get(path, headers={name.replace("_", "-"): value for name, value in headers.items()})


def _numbers(text: str) -> dict[str, float]:
    lines = [line.rpartition(" ") for line in text.splitlines() if not line.startswith("#")]
    return {name: float(number) for name, _, number in lines}


async def test_it_is_ready_when_its_database_answers_and_is_of_its_version(app: Starlette) -> None:
    reply = await _get(app, "/health/ready", FAR)

    assert (reply.status_code, reply.json()) == (200, {"status": "ready"})
    assert reply.headers["cache-control"] == "no-store"


async def test_it_is_not_ready_while_another_version_owns_the_database(
    app: Starlette, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(migrations, "HEAD", "9999")

    reply = await _get(app, "/health/ready")

    assert (reply.status_code, reply.json()) == (503, {"status": "not ready", "failed": ["migrations"]})


async def test_it_is_not_ready_when_the_database_does_not_answer(
    app: Starlette, database: db.Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(*_: Any, **__: Any) -> list[Any]:
        raise errors.TimedOut("postgresql://ann:secret@registry.example does not answer")

    monkeypatch.setattr(database, "ask", away)

    reply = await _get(app, "/health/ready")

    assert (reply.status_code, reply.json()) == (503, {"status": "not ready", "failed": ["database"]})


async def test_a_database_that_takes_too_long_does_not_answer(
    database: db.Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def slow(*_: Any, **__: Any) -> list[Any]:
        await asyncio.Event().wait()
        return []

    monkeypatch.setattr(database, "ask", slow)
    monkeypatch.setattr(migrations, "ANSWER_SECONDS", 0.01)

    assert await migrations.failing(database) == "database"


@pytest.mark.parametrize("backend", BACKENDS)
async def test_a_database_that_was_never_migrated_lacks_its_migrations(
    backend: str, tmp_path: Path, postgres: Postgres
) -> None:
    (tmp_path / "bare.db").touch()
    postgres.create("bare")
    url = f"sqlite:///{tmp_path}/bare.db" if backend == "sqlite" else postgres.url("bare")
    bare = await db.open_database(url)

    failing = await migrations.failing(bare)
    await bare.close()
    postgres.drop("bare")

    assert failing == "migrations"


async def test_many_readiness_checks_query_the_database_once_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    now, problems = [100.0], ["database", None]
    monkeypatch.setattr(probes, "monotonic", lambda: now[0])

    async def check() -> str | None:
        await asyncio.sleep(0)
        return problems.pop(0)

    readiness = Readiness(Shutdown(), check)

    assert await asyncio.gather(*(readiness.find_problem() for _ in range(5))) == ["database"] * 5
    now[0] += 1
    assert await asyncio.gather(*(readiness.find_problem() for _ in range(5))) == [None] * 5


async def test_from_the_signal_on_it_is_not_ready_and_the_signal_goes_on() -> None:
    heard: list[int] = []

    def before(number: int, _: FrameType | None) -> None:
        heard.append(number)

    async def check() -> str | None:
        return None

    ours, stopping = signal.signal(signal.SIGTERM, before), Shutdown()
    readiness = Readiness(stopping, check)
    try:
        with stopping.on_signals():
            assert await readiness.find_problem() is None
            signal.raise_signal(signal.SIGTERM)
            assert await readiness.find_problem() == "stopping"
        assert signal.getsignal(signal.SIGTERM) is before
    finally:
        signal.signal(signal.SIGTERM, ours)
    assert heard == [signal.SIGTERM]


@pytest.mark.parametrize("overrides", [{"OSTIARY_METRICS_TOKEN": TOKEN}], indirect=True)
async def test_metrics_count_requests(app: Starlette, api: Api, make: Make, backend: str) -> None:
    ann, admin = await make.user(), await make.admin()
    before = _numbers((await _get(app, "/metrics", authorization=f"Bearer {TOKEN}")).text)
    for _ in range(3):
        await api("query Mine { viewer { user { userName } } }", as_=ann)
    await api('mutation { createGroup(input: {slug: "a", displayName: "A"}) { group { slug } } }', as_=ann)
    await api('mutation { createOrg(input: {slug: "-", name: "A"}) { errors { code } } }', as_=admin)
    await api.post("{ nothing }")
    await api.client.get("/users/nobody/meta", headers=api.headers(admin))
    reply = await _get(app, "/metrics", authorization=f"Bearer {TOKEN}")
    after = _numbers(reply.text)

    assert reply.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    grown = {name: after[name] - before.get(name, 0) for name in after}
    requests = {name: number for name, number in grown.items() if name.startswith("ostiary_requests_total") and number}
    assert requests == {
        'ostiary_requests_total{api="graphql",kind="query",status="2xx"}': 3,
        'ostiary_requests_total{api="graphql",kind="mutation",status="2xx"}': 2,
        'ostiary_requests_total{api="graphql",kind="none",status="2xx"}': 1,
        'ostiary_requests_total{api="rest",kind="query",status="4xx"}': 1,
        'ostiary_requests_total{api="other",kind="none",status="2xx"}': 1,
    }
    codes = {
        name[len("ostiary_errors_total{code=") + 1 : -2]
        for name, number in grown.items()
        if "_errors_" in name and number
    }
    assert codes == {"FORBIDDEN", "INVALID_INPUT", "GRAPHQL_VALIDATION_FAILED", "NOT_FOUND"}
    counted = 'ostiary_request_duration_seconds_count{api="graphql",kind="query"}'
    last = 'ostiary_request_duration_seconds_bucket{api="graphql",kind="query",le="+Inf"}'
    assert grown[counted] == grown[last] == 3
    assert grown['ostiary_document_cache_requests_total{result="hit"}'] == 2
    assert grown["ostiary_sql_statements_total"] >= 6
    assert after["ostiary_requests_in_progress"] == 1
    assert after["ostiary_hashing_jobs"] == 0
    assert ('ostiary_database_connections{state="used"}' in after) is (backend == "postgresql")
    assert after["process_resident_memory_bytes"] > 1_000_000


def test_every_metric_is_described_once_before_its_samples() -> None:
    meter = WorkerMetrics()
    about = RequestStats("1", "GET")
    about.statements, about.codes = 3, ["NOT_FOUND"]
    meter.record(about, 404, 0.002)

    text = metrics.format_metrics([meter.samples(), meter.samples()])

    described = [line.split()[2] for line in text.splitlines() if line.startswith("# TYPE")]
    assert len(set(described)) == len(described)
    assert re.search(r'_bucket\{api="other",kind="none",le="0.001"\} 0\n', text)
    assert re.search(r'_bucket\{api="other",kind="none",le="0.0025"\} 2\n', text)
    assert re.search(r'^ostiary_requests_total\{api="other",kind="none",status="4xx"\} 2$', text, re.MULTILINE)


def test_a_counter_is_there_before_its_first_event() -> None:
    served = {sample.partition("{")[0] for sample in WorkerMetrics().samples()}
    absent = {name for name, family in metrics.FAMILIES.items() if family.kind == "counter"} - served
    assert absent <= {"ostiary_operations_total", "ostiary_document_cache_requests_total"}, "these follow requests"


@pytest.fixture
def overrides(request: pytest.FixtureRequest) -> dict[str, Any]:
    return getattr(request, "param", {})


@pytest.mark.parametrize(
    ("client", "headers"),
    [
        (NEAR, {}),
        (("::1", 4000), {"host": "[::1]:5000"}),
        (NEAR, {"host": "localhost"}),
        (FAR, {}),
        (FAR, {"authorization": f"Bearer {TOKEN}"}),
        (NEAR, {"authorization": f"Bearer {TOKEN}"}),
    ],
)
async def test_without_a_token_no_client_reads_metrics(
    app: Starlette, client: tuple[str, int], headers: dict[str, str]
) -> None:
    await _reads(app, client, headers, 404)


@pytest.mark.parametrize("overrides", [{"OSTIARY_METRICS_TOKEN": TOKEN}], indirect=True)
@pytest.mark.parametrize(
    ("client", "headers", "status"),
    [
        (FAR, {"authorization": f"Bearer {TOKEN}"}, 200),
        (FAR, {"authorization": f"bearer {TOKEN}", "x_forwarded_for": "192.0.2.8"}, 200),
        (NEAR, {}, 404),
        (NEAR, {"authorization": f"Bearer {INVALID_TOKEN}"}, 404),
        (NEAR, {"authorization": f"Basic {TOKEN}"}, 404),
        (NEAR, {"authorization": "Bearer"}, 404),
        (NEAR, {"cookie": f"jwtToken={TOKEN}"}, 404),
    ],
)
async def test_with_a_token_each_client_that_sends_it_reads_metrics(
    app: Starlette, client: tuple[str, int], headers: dict[str, str], status: int
) -> None:
    await _reads(app, client, headers, status)


async def _reads(app: Starlette, client: tuple[str, int], headers: dict[str, str], status: int) -> None:
    """Read the metrics; without access the path answers like a path that does not exist."""
    reply = await _get(app, "/metrics", client, **headers)

    assert reply.status_code == status
    if status == 404:
        assert reply.text == (await _get(app, "/nothing", client, **headers)).text


@pytest.fixture
def board(tmp_path: Path) -> Callable[[], MetricsDirectory]:
    return lambda: MetricsDirectory(tmp_path)


def test_workers_are_added_up_and_one_that_ended_leaves_its_counters(
    board: Callable[[], MetricsDirectory], monkeypatch: pytest.MonkeyPatch
) -> None:
    reader, lives, ended, killed = (board() for _ in range(4))
    samples: Samples = {"ostiary_sql_statements_total": 5, "ostiary_requests_in_progress": 2}
    lives.publish(samples)
    ended.publish(samples)
    ended.publish(samples, ended=True)
    with monkeypatch.context() as patched:
        patched.setattr("os.getpid", lambda: 2**22 + 1)  # no Linux gives out such a number
        killed.publish(samples)
    reader.publish(samples)

    text = metrics.format_metrics([samples, *reader.others()])

    assert _numbers(text) == {"ostiary_sql_statements_total": 20, "ostiary_requests_in_progress": 4}


def test_one_worker_needs_no_folder_and_several_leave_none_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(worker_metrics.FOLDER_VARIABLE, "/left/by/somebody")
    with worker_metrics.shared_folder(1):
        assert worker_metrics.FOLDER_VARIABLE not in os.environ
    with worker_metrics.shared_folder(2):
        folder = Path(os.environ[worker_metrics.FOLDER_VARIABLE])
        assert folder.stat().st_mode & 0o777 == 0o700
    assert not folder.exists()


@pytest.fixture
def two(tmp_path: Path) -> Iterator[Server]:
    with Server(tmp_path, "--workers", "2", OSTIARY_METRICS_ADDRESS=METRICS_AT.removeprefix("http://")) as server:
        server.ready()
        yield server


async def test_each_of_several_workers_reports_all_on_the_metrics_listener(two: Server) -> None:
    for _ in range(20):
        async with two.client() as client:
            assert (await client.get("/version")).status_code == 200
            assert (await client.get("/metrics")).status_code == 404

    async def totals() -> tuple[float, float]:
        async with httpx.AsyncClient(base_url=METRICS_AT, trust_env=False, verify=UNUSED_TLS) as client:
            numbers = _numbers((await client.get("/metrics")).text)
        version = next(number for name, number in numbers.items() if name.startswith("ostiary_workers{"))
        return version, numbers.get('ostiary_requests_total{api="rest",kind="query",status="2xx"}', 0)

    async with asyncio.timeout(30):
        while await totals() != (2, 20):  # noqa: ASYNC110 - another process gives no event
            await asyncio.sleep(0.1)
    seen = [await totals() for _ in range(20)]

    assert set(seen) == {(2, 20)}
    assert (await two.stopped()).code == 0
