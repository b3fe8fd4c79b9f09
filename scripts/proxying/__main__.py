"""Start servers and proxies, run all trials, and print the results as a table."""

import os
import pwd
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from time import monotonic, sleep

import httpx

from scripts.proxying import trials
from scripts.proxying.configurations import HAPROXY, NGINX, caddy
from scripts.proxying.trials import Trial
from tests.support.postgres import free_port
from tests.support.server import Server, UnixServer

OWN = "a password of their own"
TRUSTING = {"OSTIARY_TRUSTED_PROXIES": '["127.0.0.1"]', "OSTIARY_DEFAULT_ADMIN__PASSWORD": OWN}
ON_UNIX = TRUSTING | {"OSTIARY_TRUSTED_PROXIES": '["unix"]'}
WAIT_SECONDS = 60.0
WEB = "www-data"
"""The user of the nginx workers in Debian."""


def main() -> int:
    """Run all trials; return 1 if one fails."""
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        folder = Path(name)
        folder.chmod(0o755)
        plain, trusting = (stack.enter_context(_serving(folder / part, own)) for part, own in _SERVERS)
        unix = stack.enter_context(_serving_unix(folder / "unix"))
        ports = {part: free_port() for part in ("bare", "right", "haproxy", "caddy", "caddy-unix")}
        where = ports | {"folder": name, "server": _port(plain), "trusting": _port(trusting)}
        nginx = stack.enter_context(_proxy(folder, "nginx", NGINX.substitute(where), ["-p", name, "-c"]))
        haproxy = stack.enter_context(_proxy(folder, "haproxy", HAPROXY.substitute(where), ["-db", "-f"]))
        upstreams = {ports["caddy"]: f"127.0.0.1:{where['trusting']}", ports["caddy-unix"]: f"unix/{unix.path}"}
        options = ["run", "--adapter", "caddyfile", "--config"]
        proxies = (nginx, haproxy, stack.enter_context(_proxy(folder, "caddy", caddy(upstreams), options)))
        at = {part: f"http://127.0.0.1:{port}" for part, port in ports.items()}
        for part, address in at.items():
            _wait_for(part, address, proxies)
        return _tell([*_all(at, plain.address)])


_SERVERS: tuple[tuple[str, dict[str, str]], ...] = (("plain", {}), ("trusting", TRUSTING))


def _all(at: dict[str, str], plain: str) -> Iterator[Trial]:
    yield from trials.rebinding(plain)
    yield from trials.closed("nginx, one line", at["bare"])
    yield from trials.closed("nginx as README has it", at["right"])
    yield from trials.closed("HAProxy", at["haproxy"])
    yield from trials.closed("Caddy", at["caddy"])
    yield from trials.closed("Caddy, unix socket", at["caddy-unix"])
    for through, part in (
        ("nginx as README has it", "right"),
        ("HAProxy", "haproxy"),
        ("Caddy", "caddy"),
        ("Caddy, unix socket", "caddy-unix"),
    ):
        word = part.replace("-", "")
        yield from trials.addresses(through, at[part], OWN, word)
        yield from trials.pages(through, at[part], OWN, f"{word}page")


@contextmanager
def _serving(folder: Path, environment: dict[str, str]) -> Iterator[Server]:
    folder.mkdir()
    with Server(folder, **environment) as server:
        server.ready()
        yield server


@contextmanager
def _serving_unix(folder: Path) -> Iterator[UnixServer]:
    """Start a server on a unix socket; whether it answers, the proxy in front of it shows."""
    folder.mkdir()
    with UnixServer(folder, **ON_UNIX) as server:
        yield server


@dataclass(frozen=True, slots=True)
class _Proxy:
    process: subprocess.Popen[bytes]
    log: Path

    @property
    def output(self) -> str:
        return f"\n{self.log.name}:\n{self.log.read_text()}"


@contextmanager
def _proxy(folder: Path, program: str, configuration: str, options: list[str]) -> Iterator[_Proxy]:
    file = folder / f"{program}.conf"
    file.write_text(_as_others(program) + configuration)
    command, log = [program, *options, str(file)], folder / f"{program}.out"
    homes = dict.fromkeys(("XDG_CONFIG_HOME", "XDG_DATA_HOME"), str(folder))  # Caddy writes there
    with log.open("w") as out:
        process = subprocess.Popen(command, stdout=out, stderr=out, env=os.environ | homes)  # noqa: S603 - ours
    try:
        yield _Proxy(process, log)
    finally:
        process.terminate()
        process.wait()


def _as_others(program: str) -> str:
    """Return the user directive of nginx: as root its workers run as another user, as in Debian."""
    if os.getuid() or program != "nginx":
        return ""
    return f"user {WEB};" if WEB in {each.pw_name for each in pwd.getpwall()} else "user nobody;"


def _port(server: Server) -> str:
    return server.address.rpartition(":")[2]


def _wait_for(part: str, address: str, proxies: Sequence[_Proxy]) -> None:
    """Wait until a proxy answers; exit with the output of those that have ended, or of all if none answers in time."""
    give_up = monotonic() + WAIT_SECONDS
    ended: list[_Proxy] = []
    while monotonic() < give_up and not ended:
        with suppress(httpx.TransportError):
            if httpx.get(f"{address}/health/live", trust_env=False).is_success:
                return
        ended = [each for each in proxies if each.process.poll() is not None]
        sleep(0.05)
    outputs = "".join(each.output for each in ended or proxies)
    raise SystemExit(f"proxies: {part} does not answer at {address}{outputs}")


def _tell(tried: list[Trial]) -> int:
    for each in tried:
        mark = "ok   " if each.is_right else "WRONG"
        print(
            f"{mark} {each.through:<24} {each.what:<68} {each.seen}"
            + ("" if each.is_right else f" not {each.expected}")
        )
    failed = sum(not each.is_right for each in tried)
    print(f"{len(tried) - failed} passed, {failed} failed")
    return 1 if failed else 0


sys.exit(main())
