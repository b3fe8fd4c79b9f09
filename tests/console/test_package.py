"""Claims about the wheel and the source archive: they have the built pages of the console and no package of npm."""

import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

HOME = Path(__file__).parents[2]
BUILT = {"index.html", "assets/main-C0FFEE.js", "assets/main-C0FFEE.js.gz", "licenses.json"}


@pytest.fixture(params=[True, False], ids=["in a checkout", "without .gitignore"])
def sources(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """A small checkout with a build of the console."""
    names = ["pyproject.toml", "README.md", "LICENSE", *([".gitignore"] if request.param else [])]
    for name in names:
        shutil.copy(HOME / name, tmp_path / name)
    console = tmp_path / "app/console"
    files = [f"dist/{name}" for name in BUILT]
    files += ["package.json", "src/main.tsx", "tests/visit.ts", "node_modules/react/index.js", "dist.before/index.html"]
    for name in files:
        (console / name).parent.mkdir(parents=True, exist_ok=True)
        (console / name).write_text("content")
    for name in ("__init__.py", "py.typed"):
        shutil.copy(HOME / "app" / name, tmp_path / "app" / name)
    return tmp_path


def _build(sources: Path, target: str) -> Path:
    command = [sys.executable, "-m", "hatchling", "build", "--target", target, "--directory", "out"]
    subprocess.run(command, cwd=sources, check=True, capture_output=True)
    (result,) = (sources / "out").iterdir()
    return result


def test_the_wheel_has_the_built_pages_and_nothing_else_of_the_console(sources: Path) -> None:
    with zipfile.ZipFile(_build(sources, "wheel")) as wheel:
        names = {name for name in wheel.namelist() if name.startswith("app/")}

    assert names == {"app/__init__.py", "app/py.typed", *(f"app/console/dist/{name}" for name in BUILT)}


def test_the_source_archive_has_the_pages_with_their_sources_and_no_package(sources: Path) -> None:
    with tarfile.open(_build(sources, "sdist")) as archive:
        names = {name.partition("/app/console/")[2] for name in archive.getnames() if "/app/console/" in name}

    own = {"package.json", "src/main.tsx", "tests/visit.ts"}
    assert names == {*own, *(f"dist/{name}" for name in BUILT)}
