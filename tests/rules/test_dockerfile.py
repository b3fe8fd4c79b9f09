"""Claims about the image that need no Docker: its steps find what they copy, and run on what was copied alone.

Not shown here: that the base image can be fetched and has what its name says, the packages from PyPI and npm, and the
layers and the size of the result.
"""

import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path, PurePath
from urllib.parse import urlsplit

import pytest

from app import cli
from scripts.console.sources import Console
from tests.support import image
from tests.support.server import Server, clean_environment
from tests.support.sources import HOME

NPM = {"package.json", "package-lock.json", ".npmrc"}


@pytest.fixture(scope="module")
def sent(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return image.context(tmp_path_factory.mktemp("context"))


def stage(name: str | None) -> image.Stage:
    (one,) = [each for each in image.read() if each.name == name]
    return one


def test_the_context_has_what_the_image_is_made_of_and_nothing_else(sent: Path) -> None:
    top = {each.name for each in sent.iterdir()}

    assert top == {"LICENSE", "README.md", "app", "pyproject.toml", "requirements.lock", "schema.graphql", "scripts"}
    assert {each.name for each in (sent / "scripts").iterdir()} == {"__init__.py", "console", "node.lock", "node.py"}
    assert not [
        each for each in sent.rglob("*") if each.name in {"node_modules", "dist", "__pycache__", ".git", ".env"}
    ]


@pytest.mark.parametrize(
    ("name", "is_ignored"),
    [
        ("app/main.py", False),
        ("scripts/node.py", False),
        ("scripts/serve", True),
        ("data/ostiary.db.secret", True),
        ("appsettings.json", True),
        (".git/config", True),
        ("app/console/dist/index.html", True),
        ("app/console/node_modules/react/index.js", True),
        ("app/rest/__pycache__/users.pyc", True),
    ],
)
def test_secrets_and_what_tools_write_are_not_sent_to_the_builder(name: str, is_ignored: bool) -> None:
    lines = (HOME / ".dockerignore").read_text().splitlines()
    patterns = [line for line in lines if line and not line.startswith("#")]

    assert image.is_ignored(name, patterns) is is_ignored


def test_every_copied_path_is_in_the_context_or_in_an_earlier_stage(sent: Path) -> None:
    earlier: list[str | None] = []
    for each in image.read():
        for instruction in each.all("COPY"):
            source = instruction.option("from")
            assert source is None or source in earlier, f"{instruction.text}: there is no stage {source} before"
            if source is None:
                *paths, _ = instruction.words()
                assert [path for path in paths if not (sent / path).exists()] == []
        earlier.append(each.name)


def test_the_console_is_built_from_all_of_its_sources(sent: Path, tmp_path: Path) -> None:
    """The stage imports the build script from what it copied alone, and sees the sources that a checkout has."""
    console = stage("console")
    image.copy(console, sent, tmp_path)
    (build,) = console.all("RUN")
    module = re.search(r"python -m (\S+) build", build.text)
    assert module is not None

    help_text = subprocess.run(
        [sys.executable, "-m", module[1]],
        cwd=tmp_path,
        env={name: text for name, text in clean_environment().items() if name != "PYTHONPATH"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (help_text.returncode, help_text.stderr.strip()) == (2, _doc(module[1]))
    assert Console(tmp_path).digest() == Console(HOME).digest()
    assert {name for name in NPM if (HOME / "app/console" / name).exists()} <= _names(tmp_path / "app/console")
    (copied,) = [each for each in stage("build").all("COPY") if each.option("from") == "console"]
    assert copied.words() == [f"/build/{Console(HOME).dist.relative_to(HOME)}", "app/console/dist"]


def _doc(module: str) -> str:
    package = __import__(f"{module}.__main__", fromlist=["__doc__"])
    return str(package.__doc__).strip()


def _names(folder: Path) -> set[str]:
    return {each.name for each in folder.iterdir()}


def test_the_package_is_built_from_what_was_copied_alone(sent: Path, tmp_path: Path) -> None:
    build = stage("build")
    image.copy(build, sent, tmp_path)
    (tmp_path / "app/console/dist").mkdir()
    (tmp_path / "app/console/dist/index.html").write_text("a page")
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", "out"]
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)

    (wheel,) = (tmp_path / "out").iterdir()
    with zipfile.ZipFile(wheel) as archive:
        built = set(archive.namelist())
    expected = {name for name in image.checked_in() if name.startswith("app/") and not name.startswith("app/console/")}
    assert expected <= built
    assert {name for name in built if name.startswith("app/console/")} == {"app/console/dist/index.html"}


def test_the_tools_of_the_build_are_locked_and_not_in_the_image() -> None:
    *_, install = stage("build").all("RUN")
    lock = (HOME / "requirements.lock").read_text()
    required = tomllib.loads((HOME / "pyproject.toml").read_text())["build-system"]["requires"]
    names = [re.split(r"[^\w-]", each)[0] for each in required]

    assert "--no-build-isolation" in install.text
    assert all(re.search(rf"^{name}==", lock, re.MULTILINE) for name in names)
    uninstalled = install.text.partition("uninstall --yes ")[2].split()
    assert {*names, "pip"} <= set(uninstalled)
    assert all(
        "--require-hashes" in each.text for each in stage("build").all("RUN") if "requirements.lock" in each.text
    )


def test_every_stage_has_the_same_base_with_a_version() -> None:
    bases = {each.base for each in image.read()}

    assert len(bases) == 1
    name, _, tag = bases.pop().partition(":")
    version = re.match(r"(\d+)\.(\d+)", tag)
    assert name == "python"
    assert version is not None
    assert (int(version[1]), int(version[2])) >= (3, 11)


def test_the_server_runs_without_rights_and_writes_into_its_volume_only() -> None:
    final = stage(None)
    (made,) = final.all("RUN")
    user = final.last("USER").text
    folder = final.last("VOLUME").text
    names = [each.name for each in final.instructions]

    assert re.fullmatch(r"(\d+):\1", user), "Kubernetes sees only from a number that it is not root"
    assert f"--uid {user.partition(':')[0]} " in made.text
    assert made.text.endswith(folder)
    assert "--mode 700" in made.text
    assert PurePath(folder).parent == PurePath(final.last("WORKDIR").text)
    assert "ADD" not in names
    assert names.index("USER") > max(at for at, name in enumerate(names) if name in {"RUN", "COPY"})


def test_the_command_exists_and_is_asked_whether_it_lives(tmp_path: Path) -> None:
    final = stage(None)
    (program,) = final.last("ENTRYPOINT").arguments()
    parsed = cli._parser().parse_args(final.last("CMD").arguments())
    scripts = tomllib.loads((HOME / "pyproject.toml").read_text())["project"]["scripts"]

    assert program in scripts
    assert parsed.host == "0.0.0.0"  # noqa: S104 - in its container
    assert final.last("EXPOSE").text == str(parsed.port)
    with Server(tmp_path) as server:
        server.ready()
        assert _health(final, urlsplit(server.address).netloc) == 0
    assert _health(final, urlsplit(server.address).netloc) == 1


def _health(final: image.Stage, address: str) -> int:
    """Run the command of HEALTHCHECK against a server on another port than that of the image."""
    _, *arguments = final.last("HEALTHCHECK").arguments()
    arguments = [each.replace(f"127.0.0.1:{final.last('EXPOSE').text}", address) for each in arguments]
    assert any(address in each for each in arguments)
    environment = {"http_proxy": "http://127.0.0.1:9", "PATH": "/usr/bin"}
    return subprocess.run([sys.executable, *arguments], env=environment, capture_output=True, check=False).returncode


@pytest.mark.skipif(shutil.which("hadolint") is None, reason="hadolint is not installed")
def test_hadolint_finds_nothing() -> None:
    ended = subprocess.run(["hadolint", HOME / "Dockerfile"], capture_output=True, text=True, check=False)

    assert ended.stdout == ""
