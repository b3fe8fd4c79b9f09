"""The final table: the cost of each case, and its growth with the world."""

import os
import platform
import sqlite3
import sys
from collections.abc import Sequence
from typing import NamedTuple

from scripts.benchmark.cases import BASELINE
from scripts.benchmark.load import CONNECTIONS, Measured

FLAT = 1.5
"""A page may cost so many times as much, deep in the list or in a world ten times as large."""


class Run(NamedTuple):
    """Measurements on one database with a number of resources."""

    database: str
    resources: int
    measured: dict[str, Measured]
    sizes: dict[str, int] = {}  # noqa: RUF012 - nothing is put into this one
    """Bytes of the `database`, and of the memory of the `worker` after the measurement."""

    def over_baseline(self, case: str) -> float:
        """Return the median, as a multiple of the baseline of the same run."""
        return self.measured[case].median / self.measured[BASELINE].median


def table(runs: Sequence[Run], command: str, versions: Sequence[str]) -> str:
    """Return everything as Markdown."""
    grown = len({run.resources for run in runs}) > 1
    head = ["case", "database", "resources", "median ms", "p99 ms", "requests/s", "× baseline"] + ["growth"] * grown
    lines = [_line(head), _line(["---", "---"] + ["---:"] * (len(head) - 2))]
    lines += [_line(_cells(runs, run, case, grown)) for case in runs[0].measured for run in runs]
    said = f"{about(command, versions)} Median and p99 at one connection, requests/s at {CONNECTIONS}."
    return "\n".join([said, "", *lines, "", *_verdicts(runs)])


def about(command: str, versions: Sequence[str]) -> str:
    """Return a sentence about the command and the machine."""
    return f"Measured by `{command}` on {machine()}, {', '.join(versions)}: one worker, the client beside it."


def _cells(runs: Sequence[Run], run: Run, case: str, grown: bool) -> list[str]:
    case_times = run.measured[case]
    cells = [
        case,
        run.database,
        f"{run.resources:,}",
        f"{case_times.median * 1000:.2f}",
        f"{case_times.p99 * 1000:.2f}",
        f"{case_times.rate:,.0f}",
        f"{run.over_baseline(case):.1f}",
    ]
    if grown:
        growth = _growth(runs, run, case)
        cells.append("" if growth is None else f"{growth:.2f}")
    return cells


def _growth(runs: Sequence[Run], run: Run, case: str) -> float | None:
    """Return the median, as a multiple of the one of the smallest world on the same database."""
    base = min((other for other in runs if other.database == run.database), key=lambda other: other.resources)
    return None if base is run else run.measured[case].median / base.measured[case].median


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _verdicts(runs: Sequence[Run]) -> list[str]:
    """Return verdicts on costs that must be flat: a deep page beside the first, and every page in a larger world."""
    said = []
    for run in runs:
        pages = [case for case in run.measured if case.startswith("page")]
        deep = [run.measured[b].median / run.measured[a].median for a, b in zip(pages[::2], pages[1::2], strict=True)]
        grown = [growth for case in pages if (growth := _growth(runs, run, case)) is not None]
        said.append(_verdict(run, "a deep page costs {} times the first", deep))
        if grown:
            said.append(_verdict(run, "a page costs {} times that of the smallest world", grown))
        if run.sizes:
            said.append(_size(run))
    return said


def _size(run: Run) -> str:
    size, memory = run.sizes["database"], run.sizes["worker"]
    return (
        f"- {run.database}, {run.resources:,} resources: {size:,} bytes in the database, "
        f"{size / run.resources:,.0f} for each resource with all else; {memory / 1e6:,.0f} MB of memory of the worker."
    )


def _verdict(run: Run, text: str, ratios: Sequence[float]) -> str:
    judged = "flat" if max(ratios) <= FLAT else f"NOT flat (more than {FLAT})"
    ratio_texts = ", ".join(f"{ratio:.2f}" for ratio in ratios)
    return f"- {run.database}, {run.resources:,} resources: {text.format(ratio_texts)}: {judged}."


def machine() -> str:
    """Return the cores, the architecture and the Python version."""
    return f"{os.cpu_count()} cores ({platform.machine()}), Python {platform.python_version()}"


def sqlite_version() -> str:
    """Return the version of SQLite that Python has."""
    return f"SQLite {sqlite3.sqlite_version}"


def show(text: str) -> None:
    """Print the result; all other output goes to stderr."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()
