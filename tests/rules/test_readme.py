"""The README keeps its word: its example is answered as printed, its links lead somewhere, its advice works."""

import json
import re
from pathlib import Path
from typing import Any

import httpx
import pytest
from graphql import parse, validate

from app.graphql import schema
from tests.support.server import Server

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "README.md").read_text()
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text()
PAGES = ["README.md", "app/README.md", "CONTRIBUTING.md", "SECURITY.md", "docs/glossary.md"]
MAX_LINES = {"README.md": 150, "app/README.md": 120}

OPERATIONS: list[str] = re.findall(r"^```graphql\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)
STEPS: list[tuple[str, str]] = re.findall(
    r"^```graphql\n((?:(?!```).)*?)^```\n```json\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL
)
"""An operation, whose first line names the signed-in user, and its answer."""

PASSWORDS = {"admin": "password", **dict(re.findall(r'userName: "(\w+)", password: "([^"]+)"', TEXT))}

UNMERGED_PAGES = "quick-start.md concepts/ how-to/ reference/ operations.md speed.md deprecation.md"
UNMERGED = tuple(f"docs/{page}" for page in UNMERGED_PAGES.split())
UNMERGED += ("scripts/docs", "scripts/compatibility", "scripts/reference")
ARE_PAGES_MERGED = (ROOT / "docs/index.md").exists()
"""True if the pages of the site and their scripts exist. References to them are checked from then on."""


@pytest.mark.parametrize(("page", "maximum"), MAX_LINES.items())
def test_a_page_stays_short(page: str, maximum: int) -> None:
    assert len((ROOT / page).read_text().splitlines()) <= maximum


@pytest.mark.parametrize("page", PAGES)
def test_every_link_leads_to_a_file(page: str) -> None:
    folder = (ROOT / page).parent
    targets = re.findall(r"\]\((?!https?:)([^)#\s]+)", (ROOT / page).read_text())
    missing = [target for target in targets if not (folder / target).exists()]

    assert [each for each in missing if ARE_PAGES_MERGED or not each.startswith(UNMERGED)] == []


@pytest.mark.parametrize("text", [TEXT, CONTRIBUTING], ids=["README.md", "CONTRIBUTING.md"])
def test_every_script_that_a_page_names_exists(text: str) -> None:
    scripts = re.findall(r"\bscripts/[\w-]+", text)
    missing = [script for script in scripts if not (ROOT / script).exists()]

    assert scripts
    assert [each for each in missing if ARE_PAGES_MERGED or each not in UNMERGED] == []


@pytest.mark.parametrize("operation", OPERATIONS)
def test_every_operation_is_valid(operation: str) -> None:
    assert validate(schema.core(), parse(operation)) == []


def test_the_example_is_answered_as_printed(tmp_path: Path) -> None:
    assert len(STEPS) == len(OPERATIONS) > 1
    with Server(tmp_path) as server:
        server.ready()
        lines = TEXT.partition("+ ostiary serve\n")[2].partition("\n…")[0].splitlines()
        printed = [line.replace("http://127.0.0.1:5000", server.address) for line in lines]
        assert server.out.splitlines()[: len(printed)] == printed

        with httpx.Client(base_url=server.address, trust_env=False) as client:
            for operation, answer in STEPS:
                assert _answer(client, operation) == json.loads(answer)


def test_behind_a_proxy_on_this_machine_the_cookie_is_secure(tmp_path: Path) -> None:
    proxies = re.search(r"OSTIARY_TRUSTED_PROXIES='([^']+)'", TEXT)
    assert proxies
    own = {"OSTIARY_TRUSTED_PROXIES": proxies[1], "OSTIARY_DEFAULT_ADMIN__PASSWORD": "a password of their own"}
    with Server(tmp_path, **own) as server:
        server.ready()
        with httpx.Client(base_url=server.address, trust_env=False) as client:
            form = {"username": "admin", "password": own["OSTIARY_DEFAULT_ADMIN__PASSWORD"]}
            plain = client.post("/users/authenticate", data=form)
            secure = client.post("/users/authenticate", data=form, headers={"x-forwarded-proto": "https"})

    assert "secure" not in plain.headers["set-cookie"].lower()
    assert "; secure" in secure.headers["set-cookie"].lower()


def _token(client: httpx.Client, name: str) -> str:
    form = {"username": name, "password": PASSWORDS[name]}
    token: str = client.post("/users/authenticate", data=form).json()["token"]
    client.cookies.clear()
    return token


def _answer(client: httpx.Client, operation: str) -> Any:
    name = operation.removeprefix("# ").split("\n", 1)[0]
    headers = {"authorization": f"Bearer {_token(client, name)}"}
    return client.post("/graphql", json={"query": operation}, headers=headers).json()
