"""Makes the worlds, serves each, measures every case, and prints one table."""

import argparse
import asyncio
import gc
import shlex
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import asyncpg

from app.db import open_database
from scripts.benchmark import ablations, console, executors, figures, floods, hostile, logins, peers, report, writes
from scripts.benchmark.cases import Asking, Case
from scripts.benchmark.filling import fill_postgresql, say, sqlite_world
from scripts.benchmark.load import Measured, Refused, measure, opened
from scripts.benchmark.report import Run
from scripts.benchmark.server import Server
from scripts.benchmark.world import FIRST_ORDINARY, Spec, World
from tests.support.postgres import Postgres

QUICK = Spec(users=300, orgs=20, groups=220, resources=2_500)
NAMES = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}
DATABASES = tuple(NAMES)
ROUNDS = 10
"""The turns of each case, so that a busy moment does not affect one case alone; a quick run has one."""


def main(argv: Sequence[str]) -> int:
    """Run the benchmark; return the exit code."""
    arguments = _arguments(argv)
    command = shlex.join(["scripts/bench", *argv])
    with tempfile.TemporaryDirectory(prefix="ostiary-bench-") as folder:
        parts = {
            "hostile": _attacked,
            "executors": _raced,
            "writes": _written,
            "console": _opened,
            "peers": _compared,
        }
        if arguments.ablations is not None:
            return _ablated(arguments, Path(folder), command)
        for name, measure_part in parts.items():
            if getattr(arguments, name):
                return measure_part(arguments, Path(folder), command)
        runs, versions = _measured(arguments, Path(folder))
    if arguments.logins:
        return 0
    report.show(report.table(runs, command, versions))
    if arguments.save:
        figures.write(arguments.save, runs)
    if arguments.figures is None:
        return 0
    lines, is_as_fast = figures.comparison(runs, arguments.figures)
    report.show("\n".join(["", *lines]))
    return 0 if is_as_fast else 1


def _attacked(arguments: argparse.Namespace, folder: Path, command: str) -> int:
    """Measure the cost of hostile documents; return 1 if it exceeds the promise."""
    runs, felt, versions = {}, {}, []
    with ExitStack() as stack:
        for database, urls, version in _worlds(arguments, folder, stack):
            versions.append(version)
            with Server(urls[0], folder) as server, _runner() as runner:
                say(f"sending hostile documents, {database}")
                world = World(arguments.specs[0])
                runs[database] = runner.run(hostile.measure(world, server, arguments.seconds))
            felt[database] = _flooded(urls[0], database, arguments, folder)
    flood_lines = [line for database, results in felt.items() for line in floods.lines(database, results)]
    report.show("\n".join([hostile.table(runs, report.about(command, versions)), *flood_lines]))
    is_held = all(each.holds for results in felt.values() for each in results.values())
    return 0 if is_held and all(results.holds for results in runs.values()) else 1


def _flooded(url: str, database: str, arguments: argparse.Namespace, folder: Path) -> dict[str, floods.Felt]:
    """Measure each flood of strangers against a server of its own."""
    results = {}
    for name, flood in floods.FLOODS.items():
        with Server(url, folder) as server, _runner() as runner:
            say(f"flooding {database}: {name}")
            results[name] = runner.run(floods.measure(World(arguments.specs[0]), server, flood, arguments.seconds))
    return results


def _raced(arguments: argparse.Namespace, folder: Path, command: str) -> int:
    """Measure both executors side by side."""
    results, versions, said = {}, [], []
    with ExitStack() as stack, _runner() as runner:
        for database, urls, version in _worlds(arguments, folder, stack):
            versions.append(version)
            for spec, url in zip(arguments.specs, urls, strict=True):
                say(f"both executors on {database}, {spec.resources:,} resources")
                results[database, spec.resources] = runner.run(executors.measured(url))
            loads = runner.run(executors.over_http(urls[0], folder, arguments.seconds))
            said.append(executors.compared(database, *loads))
    report.show("\n".join([executors.table(results, report.about(command, versions)), "", *said]))
    return 0


def _ablated(arguments: argparse.Namespace, folder: Path, command: str) -> int:
    """Measure each optimization by itself."""
    comparisons, versions = [], []
    with ExitStack() as stack, _runner() as runner:
        for database, urls, version in _worlds(arguments, folder, stack):
            versions.append(version)
            for thing in arguments.ablations or ablations.DATABASES:
                if database in ablations.DATABASES[thing]:
                    bench_world = World(arguments.specs[0])
                    comparisons += runner.run(
                        ablations.measure(thing, database, urls[0], bench_world, folder, arguments.seconds)
                    )
    report.show(ablations.table(comparisons, report.about(command, versions)))
    return 0


def _opened(arguments: argparse.Namespace, folder: Path, command: str) -> int:
    """Measure the pages of the web console."""
    results, versions = {}, []
    with ExitStack() as stack:
        for database, urls, version in _worlds(arguments, folder, stack, console.CrowdedWorld):
            versions.append(version)
            say(f"opening each page, {database}")
            results[database] = console.measure(urls, folder)
    report.show(console.table(results, report.about(command, versions)))
    return 0


def _written(arguments: argparse.Namespace, folder: Path, command: str) -> int:
    """Measure the cost of changes, and the limit that the disk sets."""
    lines, versions = [], []
    with ExitStack() as stack:
        for database, urls, version in _worlds(arguments, folder, stack):
            versions.append(version)
            say(f"changing, {database}")
            with _runner() as runner:
                bench_world = World(arguments.specs[0])
                lines += runner.run(writes.measured(bench_world, database, urls[0], folder, arguments.seconds))
        alone = writes.disk(folder, arguments.seconds)
    report.show(writes.table(lines, alone, report.about(command, versions)))
    return 0


def _compared(arguments: argparse.Namespace, folder: Path, command: str) -> int:
    """Measure Ostiary and a textbook server side by side."""
    comparisons, versions = [], []
    with ExitStack() as stack, _runner() as runner:
        for database, urls, version in _worlds(arguments, folder, stack):
            versions.append(version)
            bench_world = World(arguments.specs[0])
            comparisons += runner.run(peers.measure(bench_world, database, urls[0], folder, arguments.seconds))
    report.show(peers.table(comparisons, report.about(command, versions)))
    return 0


def _arguments(argv: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser("scripts/bench", description=__doc__)
    parser.add_argument("--database", choices=(*DATABASES, "both"), default="both", help="(%(default)s)")
    sizes = ("users", "orgs", "groups")
    for name in sizes:
        parser.add_argument(f"--{name}", type=int, metavar="N", help=f"({getattr(Spec(), name):,})")
    parser.add_argument(
        "--resources", type=int, nargs="+", metavar="N", help="(100,000); several sizes also show how costs grow"
    )
    parser.add_argument("--grow", action="store_true", help="the same as --resources 100000 1000000")
    parser.add_argument(
        "--copies", type=int, default=1, metavar="N", help="have each resource N times, made in SQL: for huge worlds"
    )
    parser.add_argument("--seed", type=int, default=1, help="another seed is another world (%(default)s)")
    parser.add_argument("--seconds", type=float, help="how long each case is measured, each of two ways (3)")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="keep the worlds of SQLite here for the next time")
    parser.add_argument(
        "--hostile", action="store_true", help="what hostile documents cost, in a tiny world unless told otherwise"
    )
    parser.add_argument("--executors", action="store_true", help="only the compiled beside the reference executor")
    parser.add_argument(
        "--ablations",
        nargs="*",
        choices=[*ablations.DATABASES],
        metavar="THING",
        help=f"only the server beside one without an optimization, in a tiny world: {', '.join(ablations.DATABASES)}",
    )
    parser.add_argument("--logins", action="store_true", help="only what signing in costs, and what it costs others")
    parser.add_argument("--writes", action="store_true", help="only what changes cost, beside what the disk allows")
    parser.add_argument(
        "--console", action="store_true", help="only the pages of the web console in a browser, in a crowded world"
    )
    parser.add_argument(
        "--peers", action="store_true", help="only Ostiary beside a textbook server of Strawberry and SQLAlchemy"
    )
    parser.add_argument(
        "--regress",
        nargs="?",
        type=Path,
        const=Path(),
        metavar="FILE",
        help="compare with the figures of the last release, or of FILE; exit code 1 if a case became slower",
    )
    parser.add_argument("--save", type=Path, metavar="FILE", help="write the figures for --regress")
    parser.add_argument("--quick", action="store_true", help="a tiny world and short looks: does it work?")
    arguments = parser.parse_args(argv)
    base = (
        console.SPEC
        if arguments.console and not arguments.quick
        else QUICK
        if arguments.quick or arguments.hostile or arguments.ablations is not None
        else Spec()
    )
    sizes_by_name = {name: getattr(arguments, name) for name in sizes if getattr(arguments, name) is not None}
    counts = arguments.resources or ([100_000, 1_000_000] if arguments.grow else [base.resources])
    chosen = {**sizes_by_name, "seed": arguments.seed, "copies": arguments.copies}
    arguments.specs = [replace(base, resources=count, **chosen) for count in sorted(counts)]
    if arguments.console and not arguments.quick:
        arguments.specs.insert(0, QUICK)  # whether the statements grow
    arguments.seconds = arguments.seconds or (0.3 if arguments.quick else 3.0)
    if any(each.users <= FIRST_ORDINARY or min(each.orgs, each.groups, each.resources) < 2 for each in arguments.specs):
        parser.error("a world has 7 users and 2 of everything at least")
    try:
        arguments.figures = None if arguments.regress is None else _figures(arguments)
    except figures.Unusable as error:
        parser.error(f"--regress: {error}")
    return arguments


def _figures(arguments: argparse.Namespace) -> figures.Figures:
    """Return the figures that the runs are compared with; raises Unusable."""
    read = figures.read(figures.newest() if arguments.regress == Path() else arguments.regress)
    databases = [each for key, each in NAMES.items() if arguments.database in (key, "both")]
    worlds = [figures.name(database, spec.all_resources) for database in databases for spec in arguments.specs]
    figures.require_common(worlds, read)
    return read


def _measured(arguments: argparse.Namespace, folder: Path) -> tuple[list[Run], list[str]]:
    runs, versions = [], []
    with ExitStack() as stack:
        for database, urls, version in _worlds(arguments, folder, stack):
            versions.append(version)
            runs += _served(database, urls, arguments, folder)
    return runs, versions


def _worlds(
    arguments: argparse.Namespace, folder: Path, stack: ExitStack, kind: type[World] = World
) -> Iterator[tuple[str, list[str], str]]:
    """Yield for each database its name, the URLs of its worlds, and its version."""
    kinds = DATABASES if arguments.database == "both" else (arguments.database,)
    if "sqlite" in kinds:
        urls = [sqlite_world(spec, folder, arguments.keep, kind) for spec in arguments.specs]
        yield NAMES["sqlite"], urls, report.sqlite_version()
    if "postgresql" in kinds:
        server = stack.enter_context(_postgres())
        urls = [_postgresql(server, spec, kind) for spec in arguments.specs]
        yield NAMES["postgresql"], urls, asyncio.run(_version(server.url()))


def _postgresql(server: Postgres, spec: Spec, kind: type[World]) -> str:
    name = f"world-{spec}"
    server.create(name)
    fill_postgresql(server.url(name), kind(spec))
    return server.url(name)


@contextmanager
def _postgres() -> Iterator[Postgres]:
    server = Postgres(durable=True)
    server.start()
    try:
        yield server
    finally:
        server.stop()


async def _version(url: str) -> str:
    connection = await asyncpg.connect(url)
    try:
        return f"PostgreSQL {connection.get_server_version().major}.{connection.get_server_version().minor}"
    finally:
        await connection.close()


def _served(database: str, urls: Sequence[str], arguments: argparse.Namespace, folder: Path) -> list[Run]:
    """Serve all worlds of a database, and measure."""
    runs = [Run(database, spec.all_resources, {}, {}) for spec in arguments.specs]
    if arguments.logins:
        with Server(urls[0], folder, logins.UNSLOWED) as server, _runner() as runner:
            report.show("\n".join(runner.run(logins.measured(database, server.port, arguments.seconds))))
        return runs
    with ExitStack() as stack:
        servers = [stack.enter_context(Server(url, folder)) for url in urls]
        ports = [server.port for server in servers]
        with _runner() as runner:
            cases = [runner.run(_cases(World(spec), port)) for spec, port in zip(arguments.specs, ports, strict=True)]
            runner.run(_measure(runs, ports, cases, arguments.seconds))
            for run, url, server in zip(runs, urls, servers, strict=True):
                run.sizes.update(database=runner.run(_size(url)), worker=server.memory())
    return runs


async def _size(url: str) -> int:
    """Return the bytes of a database, on SQLite with those of its write-ahead log."""
    database = await open_database(url, size=1, read_only=True)
    try:
        return sum((await database.size_bytes()).values())
    finally:
        await database.close()


def _runner() -> asyncio.Runner:
    """Return a runner with uvloop, if it is installed, so that the client is not slow."""
    return asyncio.Runner(loop_factory=None if find_spec("uvloop") is None else import_module("uvloop").new_event_loop)


async def _cases(world: World, port: int) -> list[Case]:
    async with opened(port, 1) as (connection,):
        cases = await Asking(world, connection).cases()
        for case in cases:
            await case.prove(connection)
    return cases


async def _measure(runs: Sequence[Run], ports: Sequence[int], cases: Sequence[Sequence[Case]], seconds: float) -> None:
    """Measure each case on one world right after the other, so that a busy machine is the same for both."""
    gc.collect()
    gc.freeze()
    turns = ROUNDS if seconds >= 1 else 1
    for turn in range(turns):
        say(f"measuring, turn {turn + 1} of {turns}")
        for same in zip(*cases, strict=True):
            for run, port, case in zip(runs, ports, same, strict=True):
                try:
                    into = run.measured.setdefault(same[0].name, Measured())
                    await measure(port, case.requests, seconds / turns, into, case.beside)
                except Refused as error:
                    raise Refused(f"{case.name}: {error}") from None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
