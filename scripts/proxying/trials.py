"""Requests from outside, and their expected results."""

import json
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import httpx

FORGED = "198.51.100.77"
"""An address that no client here has."""

OUTSIDE = "127.0.0.9"
"""The address from which the clients come: one of this machine's, and none of a trusted proxy."""

SITE = "registry.example.org"

LOGIN = 'mutation ($word: String!) { login(input: {userName: "admin", password: $word}) { errors { code } } }'

PASSWORDS = {"username": "admin", "password": "password"}


@dataclass(frozen=True, slots=True)
class Trial:
    """One trial: its proxy, its request, the actual and the expected result."""

    through: str
    what: str
    seen: Any
    expected: Any

    @property
    def is_right(self) -> bool:
        """Return True if the result is the expected one."""
        return bool(self.seen == self.expected)


def closed(through: str, address: str) -> Iterator[Trial]:
    """Try requests that must fail through any proxy."""
    with _client(address) as client:
        yield Trial(through, "GET /metrics", client.get("/metrics").status_code, 404)
        yield Trial(through, "sign in with the well-known password", _sign_in(client, PASSWORDS), 401)
        headers = {"X-Forwarded-For": "127.0.0.1", "Host": "127.0.0.1"}
        yield Trial(through, "the same, saying 127.0.0.1", _sign_in(client, PASSWORDS, headers), 401)


def rebinding(address: str) -> Iterator[Trial]:
    """Try requests of a page of another site whose name resolves to this machine."""
    with _client(address) as client:
        for host in ("evil.example", "evil.example:5000", "127.0.0.1.evil.example"):
            seen = _sign_in(client, PASSWORDS, {"Host": host})
            yield Trial("directly", f"sign in with the well-known password, Host: {host}", seen, 401)
        yield Trial("directly", "the same as this machine", _sign_in(client, PASSWORDS), 200)


def addresses(through: str, address: str, password: str, word: str) -> Iterator[Trial]:
    """Compare the addresses in the audit log for a forged header and a forged trailer."""
    with _client(address) as client:
        form = {"username": "admin", "password": password}
        token = client.post("/users/authenticate", data=form).json()["token"]
        client.headers["authorization"] = f"Bearer {token}"
        by_header, by_trailer = f"{word}header", f"{word}trailer"
        client.post("/users/roles", json={"roleName": by_header}, headers={"X-Forwarded-For": FORGED})
        yield Trial(through, "address of a forged X-Forwarded-For", _address(client, by_header), OUTSIDE)
        status = _with_trailers(address, token, by_trailer, f"X-Forwarded-For: {FORGED}")
        yield Trial(through, "a change with X-Forwarded-For in a trailer", status // 100, 2)
        yield Trial(through, "its address", _address(client, by_trailer), OUTSIDE)
        status = _with_trailers(address, None, f"{word}nobody", f"Authorization: Bearer {token}")
        yield Trial(through, "a change with Authorization in a trailer", status, 401)


def pages(through: str, address: str, password: str, word: str) -> Iterator[Trial]:
    """Try changes by cookie of a page of the registry and of another site; the proxy must pass `Host`."""
    with _client(address) as client:
        client.headers["host"] = SITE
        login = client.post("/graphql", json={"query": LOGIN, "variables": {"word": password}})
        cookie = {"cookie": login.headers.get("set-cookie", "").partition(";")[0]}
        client.cookies.clear()
        for site, expected in ((SITE, 2), ("evil.example", 4)):
            sent = client.post("/users/roles", json={"roleName": word}, headers=cookie | {"origin": f"http://{site}"})
            yield Trial(through, f"a change by cookie of a page of {site}", sent.status_code // 100, expected)
        large = client.post("/users/authenticate", content=b"x" * (2 << 20))
        yield Trial(through, "a body of 2 MiB", large.status_code, 413)


def _client(address: str) -> httpx.Client:
    transport = httpx.HTTPTransport(local_address=OUTSIDE)
    return httpx.Client(base_url=address, transport=transport, timeout=20)


def _sign_in(client: httpx.Client, form: dict[str, str], headers: dict[str, str] | None = None) -> int:
    return client.post("/users/authenticate", data=form, headers=headers).status_code


def _address(client: httpx.Client, role: str) -> str:
    query = "{ auditEvents(first: 50) { nodes { address changes { nodes { objectName } } } } }"
    events = client.post("/graphql", json={"query": query}).json()["data"]["auditEvents"]["nodes"]
    matching = [
        event["address"] for event in events if any(each["objectName"] == role for each in event["changes"]["nodes"])
    ]
    return matching[0] if matching else "no event"


def _with_trailers(address: str, token: str | None, role: str, trailer: str) -> int:
    """Send a chunked body with a trailer, which no ordinary client does."""
    parts = urlsplit(address)
    body = json.dumps({"roleName": role}).encode()
    head = [
        "POST /users/roles HTTP/1.1",
        f"Host: {parts.netloc}",
        "Content-Type: application/json",
        "Transfer-Encoding: chunked",
        "Connection: close",
        *([f"Authorization: Bearer {token}"] if token else []),
    ]
    sent = "\r\n".join(head).encode() + b"\r\n\r\n%x\r\n%b\r\n0\r\n%b\r\n\r\n" % (len(body), body, trailer.encode())
    with socket.create_connection((parts.hostname, parts.port), timeout=20, source_address=(OUTSIDE, 0)) as connection:
        connection.sendall(sent)
        return int(connection.makefile("rb").readline().split()[1])
