"""Every command of the documentation runs, and every answer is as printed.

The convention, for README.md and every file below docs/. A page starts in an empty folder, and its steps run in order.

```sh            The commands run in bash; each must succeed. Variables and the folder stay from block to block.
                 `scripts/serve` or `ostiary serve`, on a line of its own, starts a server in the background and stops
                 the one before; the same page may use localhost:5000 at once. A page that starts none gets one with
                 the default settings. Other `scripts/…` are not run; they must exist.
                 A block that begins with `node` is left out where Node is not installed.
                 `$TOKEN` is the token of `admin`, unless the page assigns it.
                 `postgresql://…/ostiary` is a database of the test, on the last of the hosts that are named.
```graphql       The operation is sent by the user on its first line: `# ann`, or `# anonymous`. Passwords are those
                 that the page gives to its users. Without such a line it is only checked against the schema.
```json          Right after a step: its answer. After several commands, an answer for each. `…` at the end of a text,
                 or as the last item of a list, stands for what differs.
```text          Right after ```sh: the lines that it prints. `…` stands for a part of a line, or alone for lines.
title="NAME"     After the language: the block is written to this file in the page's folder.
                 A ```json block with title="variables" follows a ```graphql block and holds its variables.
```console       Commands that cannot run in a test (systemd, docker, a package manager). Their `ostiary` commands and
                 the settings they name are checked.
```nginx, ```ini  Configuration; `nginx -t` reads the former where nginx is installed.
"""

import argparse
import re
import shlex
import shutil
import subprocess
from configparser import ConfigParser
from pathlib import Path

import pytest
from graphql import OperationDefinitionNode, parse, validate

from app import cli
from app.config import Settings
from app.graphql import schema
from tests.docs import markdown
from tests.docs.session import decoded
from tests.docs.steps import is_asked, run
from tests.support.postgres import Postgres

LANGUAGES = {
    "",
    "console",
    "css",
    "csv",
    "diff",
    "graphql",
    "html",
    "ini",
    "javascript",
    "json",
    "nginx",
    "promql",
    "python",
}
LANGUAGES |= {"sh", "sql", "text", "toml", "typescript", "yaml"}
PAGES = markdown.pages()
COMMAND = re.compile(r"(?:^(?:\$ |\w+=\S+ )*|/)(ostiary (?=[a-z])[^|;&\n#<>)`'\"]*)", re.MULTILINE)
NAMED_ELSEWHERE = {"OSTIARY_SETTINGS_FILE"}
every_page = pytest.mark.parametrize("page", PAGES, ids=markdown.name)


def _has_steps(page: Path) -> bool:
    return any(block.language == "sh" or is_asked(block) for block in markdown.blocks(page.read_text()))


@pytest.mark.parametrize("page", [page for page in PAGES if _has_steps(page)], ids=markdown.name)
def test_every_step_is_answered_as_printed(page: Path, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    text = page.read_text()
    needs_postgres = any(block.language == "sh" and "postgresql://" in block.text for block in markdown.blocks(text))
    run(text, tmp_path, _database(request.getfixturevalue("postgres"), page) if needs_postgres else "")


@every_page
def test_every_language_has_a_rule(page: Path) -> None:
    blocks = markdown.blocks(page.read_text())

    assert {block.language for block in blocks} <= LANGUAGES
    assert [block for block in blocks if block.language == "sh" and re.match(r"\s*\$ ", block.text)] == []


@every_page
def test_every_operation_is_one_of_the_schema(page: Path) -> None:
    for block in markdown.blocks(page.read_text()):
        if block.language == "graphql":
            document = parse(block.text)
            if any(isinstance(each, OperationDefinitionNode) for each in document.definitions):
                assert validate(schema.core(), document) == [], f"line {block.line}"


@every_page
def test_every_json_block_is_json(page: Path) -> None:
    for block in markdown.blocks(page.read_text()):
        if block.language == "json":
            assert decoded(block.text), f"line {block.line}"


@every_page
def test_every_setting_and_command_exists(page: Path) -> None:
    text = page.read_text()
    variables = {each.variable for each in Settings().describe().values()} | NAMED_ELSEWHERE

    assert set(re.findall(r"\bOSTIARY_[A-Z_]+[A-Z]\b", text)) <= variables
    for block in markdown.blocks(text):
        if block.language in {"sh", "console", "ini"}:
            for command in COMMAND.findall(block.text):
                _parse_command(command)


def test_every_nginx_block_is_read_by_nginx(tmp_path: Path) -> None:
    blocks = [block for page in PAGES for block in markdown.blocks(page.read_text()) if block.language == "nginx"]

    assert blocks
    for block in blocks:
        assert block.text.count("{") == block.text.count("}")
        if nginx := shutil.which("nginx"):
            _read_by_nginx(nginx, tmp_path, block.text)


def test_every_ini_block_is_an_ini_file() -> None:
    for page in PAGES:
        for block in markdown.blocks(page.read_text()):
            if block.language == "ini":
                parser = ConfigParser(strict=False, interpolation=None)
                parser.read_string(block.text)
                assert parser.sections(), f"{markdown.name(page)}:{block.line}"


def _database(server: Postgres, page: Path) -> str:
    name = re.sub(r"\W", "_", f"docs {page.stem}")
    server.create(name)
    return server.url(name)


def _parse_command(command: str) -> None:
    """Let the command line's own parser read a command, without help and errors on the terminal."""
    words = shlex.split(command)[1:]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(argparse.ArgumentParser, "error", _refuse)
        if not {"--help", "--version"} & set(words):
            cli._parser().parse_args(words)


def _refuse(_: argparse.ArgumentParser, message: str) -> None:
    raise AssertionError(message)


def _read_by_nginx(nginx: str, folder: Path, text: str) -> None:
    server = text if re.search(r"^\s*server\s*{", text, re.MULTILINE) else f"server {{\n{text}\n}}\n"
    server = re.sub(r"^\s*ssl_certificate.*$", "", server, flags=re.MULTILINE).replace("443 ssl", "8443")
    configuration = folder / "nginx.conf"
    configuration.write_text(
        f"pid {folder}/nginx.pid;\nerror_log stderr;\nevents {{}}\nhttp {{\naccess_log off;\n{server}}}\n"
    )
    command = [nginx, "-t", "-q", "-p", str(folder), "-c", str(configuration)]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
