"""Claims about whether users are managed here, and about words of paths that are no users."""

from typing import Any

import pytest

from app import db
from tests.support.changes import unchanged
from tests.support.factories import Make
from tests.support.rest_client import Rest
from tests.support.rest_toy import refusal

HERE: dict[str, Any] = {}
ELSEWHERE = {"OSTIARY_EXTERNAL_AUTH_URL": "https://auth.example/api/authenticate"}


@pytest.mark.parametrize(("overrides", "wanted"), [(HERE, "true"), (ELSEWHERE, "false")])
@pytest.mark.parametrize("path", ["/users/management-enabled", "/Users/Management-Enabled/"])
async def test_every_user_reads_the_management_flag(rest: Rest, path: str, wanted: str) -> None:
    reply = await rest("GET", path, headers={"authorization": "Bearer old"})

    assert (reply.status_code, reply.text, reply.headers["content-type"]) == (200, wanted, "application/json")


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("PUT", "/users/roles", "GET, HEAD, POST"),
        ("DELETE", "/users/ROLES/", "GET, HEAD, POST"),
        ("PUT", "/users/meta", "GET, HEAD"),
        ("DELETE", "/users/Detailed", "GET, HEAD"),
        ("DELETE", "/users/authenticate", "POST"),
        ("GET", "/users/changePwd", "POST"),
        ("POST", "/users/management-enabled", "GET, HEAD"),
        ("PATCH", "/users", "DELETE, GET, HEAD, POST"),
        ("GET", "/users/ann", "DELETE, PUT"),
        ("DELETE", "/users/ann/meta", "GET, HEAD, PATCH, POST"),
    ],
)
async def test_a_known_path_says_which_methods_it_takes(
    rest: Rest, make: Make, database: db.Database, method: str, path: str, allowed: str
) -> None:
    root = await make.admin()

    async with unchanged(database):
        replies = [await rest(method, path, who) for who in (root, None)]

    assert [refusal(reply) for reply in replies] == [(405, False)] * 2
    assert [reply.headers["allow"] for reply in replies] == [allowed] * 2
