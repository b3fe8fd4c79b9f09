"""Claims about which requests count as sent by this machine itself."""

import os
import socket
from typing import Any

import pytest
from starlette.types import Scope

from app.http import locality
from app.http.locality import FORWARDING, is_direct_local
from tests.support.server import Server

LOGIN = 'mutation { login(input: {userName: "admin", password: "password"}) { errors { code } } }'
FORM = {"username": "admin", "password": "password"}


def scope(*headers: tuple[str, str], client: tuple[str, int] = ("127.0.0.1", 4000), **more: Any) -> Scope:
    """Return the scope of a request from a program on this machine, with these differences."""
    all_headers = headers if any(name == "host" for name, _ in headers) else (("host", "127.0.0.1:5000"), *headers)
    pairs = [(name.encode(), value.encode()) for name, value in all_headers]
    return {
        "type": "http",
        "http_version": "1.1",
        "headers": pairs,
        "client": client,
        "server": ("127.0.0.1", 1),
        **more,
    }


@pytest.fixture
def owned(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the server's own user the owner of every connection."""
    monkeypatch.setattr(locality, "_socket_owner", lambda *_: os.getuid())


@pytest.mark.usefixtures("owned")
@pytest.mark.parametrize(
    "host", ["127.0.0.1", "127.0.0.1:5000", "localhost:80", "LOCALHOST", "[::1]", "[::1]:5000", "127.9.9.9"]
)
def test_a_loopback_host_is_this_machine(host: str) -> None:
    assert is_direct_local(scope(("host", host)))


@pytest.mark.usefixtures("owned")
@pytest.mark.parametrize(
    "headers",
    [
        *([("host", host)] for host in ("evil.example", "evil.example:5000", "127.0.0.1.evil.example", "", "10.0.0.1")),
        [("host", "127.0.0.1"), ("host", "127.0.0.1")],
        *([(name.decode(), "x")] for name in sorted(FORWARDING)),
        *([(f"x-forwarded-{name}", "x")] for name in ("for", "host", "proto", "port", "server", "prefix", "anything")),
        *([("sec-fetch-site", site)] for site in ("cross-site", "same-site")),
        *([("origin", origin)] for origin in ("http://evil.example", "null", "http://127.0.0.1:5001")),
    ],
)
def test_another_host_a_header_of_a_proxy_or_a_page_of_another_site_is_not(headers: list[tuple[str, str]]) -> None:
    assert not is_direct_local(scope(*headers))


@pytest.mark.usefixtures("owned")
def test_another_address_an_older_protocol_or_no_address_is_not() -> None:
    assert is_direct_local(scope(("origin", "http://127.0.0.1:5000"), ("sec-fetch-site", "same-origin")))
    assert not is_direct_local(scope(client=("192.0.2.7", 4000)))
    assert not is_direct_local(scope(http_version="1.0"))
    assert not is_direct_local({**scope(), "client": None})


@pytest.mark.parametrize("owner", [0, os.getuid(), None])
def test_our_own_user_and_root_and_an_unidentified_owner_are_this_machine(
    owner: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(locality, "_socket_owner", lambda *_: owner)

    assert is_direct_local(scope())


@pytest.mark.parametrize("owner", [33, 65534, -1])
def test_the_user_of_a_proxy_is_not(owner: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(locality, "_socket_owner", lambda *_: owner)

    assert not is_direct_local(scope())


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_the_lookup_returns_the_owner_of_a_real_connection(host: str) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with (
        socket.create_server((host, 0), family=family) as server,
        socket.create_connection(server.getsockname()[:2]) as connection,
    ):
        ends = connection.getsockname()[:2], connection.getpeername()[:2]

        assert locality._socket_owner(*ends) in {os.getuid(), None}
        assert locality._socket_owner(ends[0], (host, 1)) in {-1, None}


async def test_a_real_server_accepts_the_default_password_from_this_machine_alone(tmp_path: Any) -> None:
    with Server(tmp_path) as server:
        server.ready()
        async with server.client() as client:
            replies = [
                await client.post("/users/authenticate", data=FORM, headers=headers)
                for headers in ({}, {"host": "evil.example"}, {"x-forwarded-for": "127.0.0.1"}, {"via": "1.1 proxy"})
            ]
            client.cookies.clear()
            graphql = await client.post(
                "/graphql",
                json={"query": LOGIN},
                headers={"host": "evil.example"},
            )

    assert [reply.status_code for reply in replies] == [200, 401, 401, 401]
    assert graphql.json()["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED"
