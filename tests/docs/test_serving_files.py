"""The files of docs/serving: a unit for systemd, a configuration of Caddy, and services for Docker Compose."""

import json
import re
import shutil
import subprocess
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]  # it has no annotations

from app import cli
from app.config import Settings
from app.config.sources import FILE_VARIABLE
from tests.docs import markdown

FOLDER = markdown.ROOT / "docs/serving"
UNIT = FOLDER / "ostiary.service"
PAGE = markdown.ROOT / "docs/how-to/nginx-systemd.md"
SOCKET = FOLDER / "ostiary.socket"
CADDYFILE = FOLDER / "Caddyfile"
ANALYZE = shutil.which("systemd-analyze")
CADDY = shutil.which("caddy")


def _compose() -> dict[str, Any]:
    services: dict[str, Any] = yaml.safe_load((FOLDER / "compose.yaml").read_text())["services"]
    return services


def _directives(name: str) -> list[str]:
    return re.findall(rf"^{name}=(.*)$", UNIT.read_text(), re.MULTILINE)


def _environment() -> dict[str, str]:
    """Return the environment of the server, with a value in the place of each variable of `.env`."""
    environment: dict[str, str] = _compose()["ostiary"]["environment"]
    return {name: re.sub(r"\$\{[^}]*\}", "b" * 40, value) for name, value in environment.items()}


def test_the_unit_starts_a_command_that_exists_and_gives_it_time_to_stop() -> None:
    (command,), (seconds,) = _directives("ExecStart"), _directives("TimeoutStopSec")

    assert cli._parser().parse_args(command.split()[1:]).workers == 4
    assert int(seconds) > Settings().shutdown_seconds
    assert _directives("WorkingDirectory") == [f"/var/lib/{name}" for name in _directives("StateDirectory")]


def test_the_socket_is_for_the_unit_and_for_the_proxy_only() -> None:
    settings = dict(line.split("=", 1) for line in SOCKET.read_text().splitlines() if "=" in line)

    assert SOCKET.stem == UNIT.stem, "systemd passes a socket to the service of its name"
    assert [settings["SocketUser"]] == _directives("User")
    assert settings["SocketMode"] == "0660"


def test_all_examples_name_one_unix_socket_where_the_server_may_write() -> None:
    pages = [path for path in (markdown.ROOT / "docs").rglob("*") if path.suffix in {".md", ".socket", ".service", ""}]
    named = {
        path.name: found
        for path in pages
        if path.is_file() and (found := set(re.findall(r"/run/[\w./-]+\.sock\b", path.read_text())))
    }
    (socket,) = set.union(*named.values())

    assert named.keys() >= {SOCKET.name, CADDYFILE.name, PAGE.name}
    assert [str(Path(socket).parent)] == [f"/run/{name}" for name in _directives("RuntimeDirectory")]
    assert _directives("RuntimeDirectoryPreserve") == ["yes"], "else a stop removes the socket that systemd has opened"


def test_the_guide_makes_what_the_unit_needs_before_it_starts_the_server() -> None:
    before = PAGE.read_text().partition("systemctl enable --now ostiary")[0].rpartition("```console")[2].splitlines()
    (program,), (folder,) = _directives("ExecStart"), _directives("WorkingDirectory")
    (user,) = _directives("User")

    for words in (
        ["useradd", user],
        ["cp", program.partition("/.venv")[0]],
        ["scripts/setup"],
        ["install --directory", f"--owner {user}", folder],
        ["install", f"--owner {user}", "appsettings.json", f"{folder}/"],
        ["cp", UNIT.name],
    ):
        assert any(all(word in line for word in words) for line in before), words


@pytest.mark.skipif(ANALYZE is None, reason="systemd-analyze is not installed")
def test_systemd_knows_every_directive_and_finds_little_exposure() -> None:
    ended = subprocess.run(
        [str(ANALYZE), "security", "--offline=true", "--threshold=20", str(UNIT)],
        capture_output=True,
        text=True,
        check=False,
        env={"SYSTEMD_PAGER": "", "PATH": "/usr/bin:/bin"},
    )

    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "Unknown" not in ended.stderr


def test_the_composed_server_gets_settings_that_it_accepts(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv(FILE_VARIABLE, raising=False)
    for name, value in _environment().items():
        monkeypatch.setenv(name, value)

    settings = Settings.read()

    assert not settings.is_sqlite
    assert settings.secret is not None
    assert settings.default_admin.password.get_secret_value() == "b" * 40


def test_the_composed_server_believes_the_gateway_of_its_network() -> None:
    networks = yaml.safe_load((FOLDER / "compose.yaml").read_text())["networks"]
    (network,) = networks["default"]["ipam"]["config"]

    assert json.loads(_environment()["OSTIARY_TRUSTED_PROXIES"]) == [network["gateway"]]
    assert ip_address(network["gateway"]) in ip_network(network["subnet"])


def test_the_composed_server_is_run_by_a_command_that_exists_and_is_published_on_this_machine_only() -> None:
    server = _compose()["ostiary"]

    assert cli._parser().parse_args(server["command"]).host == "0.0.0.0"  # noqa: S104 - in its container
    assert [port.rpartition(":")[0].partition(":")[0] for port in server["ports"]] == ["127.0.0.1"]
    assert int(server["stop_grace_period"].removesuffix("s")) > Settings().shutdown_seconds
    assert "ports" not in _compose()["database"]


def test_caddy_waits_longer_than_the_server_and_leaves_the_size_of_bodies_to_it() -> None:
    text, settings = CADDYFILE.read_text(), Settings()

    assert re.findall(r"response_header_timeout (\d+)s", text) == ["75"]
    assert settings.mutation_seconds < 75
    assert settings.request_limits.body_bytes == 2**20
    assert "1 MiB" in text
    assert "max_size" not in text


@pytest.mark.skipif(CADDY is None, reason="Caddy is not installed")
def test_caddy_reads_its_configuration() -> None:
    command = [str(CADDY), "adapt", "--adapter", "caddyfile", "--config", str(CADDYFILE)]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)

    assert ended.returncode == 0, ended.stderr
