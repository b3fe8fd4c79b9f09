"""The figures of a release, to compare with: the medians of all cases as multiples of the baseline of their run."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import orjson

from scripts.benchmark.report import Run

FOLDER = Path(__file__).parents[2] / "docs" / "releases"
PATTERN = "speed-*.json"
TOLERANCE = 1.25
"""A case may cost so many times its figure: the same code differs by up to a fifth from run to run."""

Figures = dict[str, dict[str, float]]
"""By database and number of resources, such as `SQLite 100000`: the multiple of the baseline by case."""


class Unusable(Exception):
    """There is no file of figures, or it says nothing about the worlds of this run."""


def newest() -> Path:
    """Return the file of the last release; raises Unusable if there is none."""
    versions = {tuple(map(int, path.stem.removeprefix("speed-").split("."))): path for path in FOLDER.glob(PATTERN)}
    if not versions:
        raise Unusable(f"{FOLDER.relative_to(FOLDER.parents[1])} has no {PATTERN}. Write one with --save FILE")
    return versions[max(versions)]


def figures_of(runs: Sequence[Run]) -> Figures:
    """Return the figures of these runs."""
    return {_name(run): {case: round(run.over_baseline(case), 2) for case in run.measured} for run in runs}


def write(file: Path, runs: Sequence[Run]) -> None:
    """Write the figures of these runs as JSON."""
    file.write_bytes(orjson.dumps(figures_of(runs), option=orjson.OPT_INDENT_2) + b"\n")


def read(file: Path) -> Figures:
    """Read a file of figures; raises Unusable."""
    try:
        figures: Figures = orjson.loads(file.read_bytes())
    except (OSError, orjson.JSONDecodeError) as error:
        raise Unusable(f"{file}: {error}") from None
    return figures


def require_common(names: Sequence[str], figures: Figures) -> None:
    """Raise Unusable if there are no figures for any of the worlds that will be measured."""
    if not figures.keys() & {*names}:
        raise Unusable(f"the figures are of {', '.join(figures)}, and this run measures {', '.join(names)}")


def comparison(runs: Sequence[Run], figures: Figures) -> tuple[list[str], bool]:
    """Return a Markdown table of the cases beside their figures, and True if none became slower."""
    rows = [*_rows(runs, figures)]
    lines = ["| case | world | × baseline before | now | now ÷ before |", "| --- | --- | ---: | ---: | ---: |"]
    for case, world, before, now in rows:
        ratio = now / before
        mark = " slower" if ratio > TOLERANCE else ""
        lines.append(f"| {case} | {world} | {before:.1f} | {now:.1f} | {ratio:.2f}{mark} |")
    slower = [row for row in rows if row[3] / row[2] > TOLERANCE]
    lines += ["", f"{len(rows)} cases were compared; {len(slower)} cost more than {TOLERANCE} times their figure."]
    return lines, not slower


def _rows(runs: Sequence[Run], figures: Figures) -> Iterator[tuple[str, str, float, float]]:
    for world, measured in figures_of(runs).items():
        before = figures.get(world, {})
        yield from ((case, world, before[case], now) for case, now in measured.items() if case in before)


def name(database: str, resources: int) -> str:
    """Return the key of a world in a file of figures."""
    return f"{database} {resources}"


def _name(run: Run) -> str:
    return name(run.database, run.resources)
