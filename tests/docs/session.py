"""Runs the steps of one page, in order, in an empty folder with a server of its own."""

import json
import os
import re
import shlex
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any, ClassVar, Self

import httpx

from tests.docs.markdown import ROOT, Block
from tests.support import programs
from tests.support.server import UNUSED_TLS, Server

SERVE = re.compile(r"^(?:\w+=\S+ +)*(?:\S*scripts/serve|ostiary serve)\b")
SCRIPT = re.compile(r"^(?:\S*/)?scripts/(\w+)")
LOCAL = re.compile(r"\b(localhost|127\.0\.0\.1):5000\b")
DATABASE = re.compile(r"postgresql://[^@\s'\"]+@(?P<hosts>[^/\s'\"]+)/ostiary\b")
ANONYMOUS = "anonymous"
SECONDS = 60
PASSWORDS = re.compile(r'"?[uU]serName"?: "([^"]+)",[^{}]*?"?[pP]assword"?: "([^"]+)"')


class PlainServer(Server):
    """A server without settings of the tests: the pages set all of them."""

    settings: ClassVar[dict[str, str]] = {}


class Session:
    """The folder, the shell variables and the server that the steps of a page share."""

    def __init__(self, folder: Path, text: str, database: str = "") -> None:
        self._database = database
        self._folder = folder / "page"
        self._folder.mkdir()
        self._home = folder / "home"
        self._home.mkdir()
        self._environment = _environment(self._home, _programs(folder / "bin"))
        self._here = self._folder
        self._server: Server | None = None
        self._said = ""
        self._assigned = set(re.findall(r"\b(\w+)=\$\(", text))
        self.passwords = {"admin": "password"} | dict(PASSWORDS.findall(text))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._server is not None:
            self._server.__exit__()

    def write(self, block: Block) -> None:
        """Write a block with a title into the file of that name."""
        path = self._here / block.title
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(self._with_port(block.text))

    def shell(self, text: str) -> str:
        """Run the commands of a block and return what they print."""
        printed = ""
        for commands in _portions(text):
            if SERVE.match(commands):
                printed += self._serve(commands)
            elif SCRIPT.match(commands):
                _look_up(commands)
            else:
                printed += self._run(commands)
        return printed

    def graphql(self, operation: str, variables: Any) -> Any:
        """Ask as the user that the first line names."""
        user = operation.removeprefix("# ").partition("\n")[0].strip()
        headers = {} if user == ANONYMOUS else {"authorization": f"Bearer {self._token(user)}"}
        with self._client() as client:
            return client.post("/graphql", json={"query": operation, "variables": variables}, headers=headers).json()

    def _serve(self, command: str) -> str:
        self._stop()
        words = shlex.split(command, comments=True)
        own = [word.split("=", 1) for word in words[: next(n for n, word in enumerate(words) if "=" not in word)]]
        program, *options = words[len(own) :]
        options = options[1:] if program == "ostiary" else options
        self._start(*options, **dict(own))
        assert self._server is not None
        self._said = "" if program == "ostiary" else f"+ {shlex.join(['ostiary', 'serve', *options])}\n"
        return self._said + self._without_port(self._server.out)

    def _start(self, *options: str, **own: str) -> None:
        ours = {key: value for key, value in self._environment.items() if key.startswith("OSTIARY_")}
        self._server = PlainServer(self._here, *options, **(ours | own))
        self._server.ready()

    def _stop(self) -> None:
        if self._server is not None:
            self._server.signal(signal.SIGTERM)
            self._server.ended()
            self._server.__exit__()
            self._server = None

    def _client(self) -> httpx.Client:
        return httpx.Client(base_url=self._address(), timeout=SECONDS, trust_env=False, verify=UNUSED_TLS)

    def _address(self) -> str:
        if self._server is None:
            self._start()
        assert self._server is not None
        return self._server.address

    def _token(self, user: str) -> str:
        form = {"username": user, "password": self.passwords[user]}
        with self._client() as client:
            reply = client.post("/users/authenticate", data=form).json()
        assert "token" in reply, f"{user} cannot sign in: {reply}"
        token: str = reply["token"]
        return token

    def _run(self, commands: str) -> str:
        if re.search(r"\$\{?TOKEN\b", commands) and "TOKEN" not in self._assigned:
            self._assigned.add("TOKEN")
            commands = f"TOKEN={self._token('admin')}\n{commands}"
        state = self._home / "state"
        # As in the shell of a user, the programs of a page get only the variables that the page exports.
        before = f". {state}.shell\n" if state.exists() else ""
        after = f"env -0 > {state}; declare -p | grep ^declare\\ -- > {state}.shell; pwd -P > {state}.folder"
        keep = f"{before}trap '{after}' EXIT\nset -euo pipefail\n"
        ended = subprocess.run(
            ["bash", "-c", keep + self._with_port(commands)],
            cwd=self._here,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
        assert ended.returncode == 0, f"code {ended.returncode} of\n{commands}\n{ended.stdout}{ended.stderr}"
        self._environment = dict(each.split("=", 1) for each in state.read_text().split("\0") if each)
        self._here = Path(Path(f"{state}.folder").read_text().rstrip("\n"))
        return self._without_port(ended.stdout)

    def _with_port(self, text: str) -> str:
        text = DATABASE.sub(self._with_hosts, text) if self._database else text
        if not LOCAL.search(text):
            return text
        port = self._address().rpartition(":")[2]
        return LOCAL.sub(rf"\1:{port}", text)

    def _with_hosts(self, match: re.Match[str]) -> str:
        """Put the database of the test in place of a named one; the hosts before the last one do not answer."""
        head, _, rest = self._database.partition("@")
        dead = "127.0.0.1:1," * match["hosts"].count(",")
        return f"{head}@{dead}{rest}"

    def _without_port(self, text: str) -> str:
        if self._server is None:
            return text
        port = self._server.address.rpartition(":")[2]
        return re.sub(rf"\b(localhost|127\.0\.0\.1):{port}\b", r"\1:5000", text)


def decoded(text: str) -> list[Any]:
    """Return the JSON documents that a text consists of."""
    decoder = json.JSONDecoder()
    documents, rest = [], text.strip()
    while rest:
        document, end = decoder.raw_decode(rest)
        documents.append(document)
        rest = rest[end:].lstrip()
    return documents


def _portions(text: str) -> list[str]:
    """Return the commands of a block: each start of a server and each script of ours alone, the others together."""
    portions: list[str] = [""]
    for line in text.splitlines(keepends=True):
        if SERVE.match(line) or SCRIPT.match(line):
            portions += [line, ""]
        else:
            portions[-1] += line
    return [each for each in portions if each.strip()]


def _look_up(command: str) -> None:
    match = SCRIPT.match(command)
    assert match
    assert os.access(ROOT / "scripts" / match[1], os.X_OK), f"there is no scripts/{match[1]}"


def _programs(folder: Path) -> Path:
    """Make a folder with the commands of this environment, as after its activation."""
    folder.mkdir()
    python = f'#!/bin/sh\nexec {shlex.quote(sys.executable)} "$@"\n'
    for name, text in (("ostiary", programs.script()), ("python", python), ("python3", python)):
        path = folder / name
        path.write_text(text)
        path.chmod(0o755)
    return folder


def _environment(home: Path, programs: Path) -> dict[str, str]:
    """Return a plain environment: no settings of Ostiary, no configuration of curl, no proxy."""
    return {
        "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}",
        "HOME": str(home),
        "PYTHONPATH": str(ROOT),
        "NO_PROXY": "*",
        "LC_ALL": "C.UTF-8",
    }
