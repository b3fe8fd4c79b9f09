"""Detection of requests that a process of this machine sent directly, without a proxy.

A proxy with a minimal configuration (`proxy_pass http://127.0.0.1:5000`) connects from this machine, sends its address
as the host and adds no header. Its workers run as another user than the server. Linux lists the owner of the client's
socket, which distinguishes them.
"""

import os
from collections.abc import Iterator
from contextlib import suppress
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path

from starlette.types import Scope

from app.config import is_loopback
from app.http.headers import RequestHeaders, parse_headers

_FORWARDING_NAMES = b"""
cdn-loop cf-connecting-ip cf-ray client-ip fastly-client-ip forwarded true-client-ip via x-client-ip
x-cluster-client-ip x-envoy-external-address x-original-forwarded-for x-original-host x-original-uri x-original-url
x-real-ip x-request-start x-rewrite-url
"""
FORWARDING = frozenset(_FORWARDING_NAMES.split())
"""Header fields that proxies add, beside every field with the prefix `x-forwarded`."""

PROC_TABLES = ("/proc/net/tcp", "/proc/net/tcp6")
"""Files in which Linux lists the connections of this machine with the owner of each local end."""

Endpoint = tuple[str, int]


def is_direct_local(scope: Scope) -> bool:
    """Return whether a process of this machine sent the request directly, run by the server's user or by root.

    Where the owner of a socket is unknown (not on Linux), the address decides.
    """
    headers = parse_headers(scope)
    client, server = scope.get("client"), scope.get("server")
    if client is None or server is None or scope.get("http_version") == "1.0":
        return False
    if not (is_loopback(client[0]) and _has_loopback_host(headers) and _is_not_forwarded(headers)):
        return False
    owner = _socket_owner((client[0], client[1]), (server[0], server[1] or 0))
    return owner is None or owner in {0, os.getuid()}


def _has_loopback_host(headers: RequestHeaders) -> bool:
    """Return whether the only Host header is a loopback address; another site's name that resolves to one is not."""
    hosts = [value for name, value in headers.pairs if name == b"host"]
    if len(hosts) != 1:
        return False
    host = hosts[0].decode("latin-1")
    name = host.rpartition(":")[0] if host.rpartition(":")[2].isdigit() and not host.endswith("]") else host
    return is_loopback(name.removeprefix("[").removesuffix("]"))


def _is_not_forwarded(headers: RequestHeaders) -> bool:
    """Return whether no header is of a proxy or of a page of another site."""
    if any(name in FORWARDING or name.startswith(b"x-forwarded") for name in headers):
        return False
    if headers.get(b"sec-fetch-site", b"none") not in {b"none", b"same-origin"}:
        return False
    origin = headers.get(b"origin")
    return origin is None or origin.partition(b"://")[2] == headers.get(b"host")


def _socket_owner(local: Endpoint, remote: Endpoint) -> int | None:
    """Return the user id of the owner of the client's socket; -1 if it is not listed, None without the lists."""
    endpoints = _encode_endpoint(local), _encode_endpoint(remote)
    if None in endpoints or not Path(PROC_TABLES[0]).exists():
        return None
    return next((owner for *ends, owner in _connections() if tuple(ends) == endpoints), -1)


def _connections() -> Iterator[tuple[tuple[bytes, int], tuple[bytes, int], int]]:
    for table in PROC_TABLES:
        with suppress(OSError), Path(table).open() as lines:
            next(lines)
            for line in lines:
                _, local, remote, _, _, _, _, owner, *_ = line.split()
                yield _parse_endpoint(local), _parse_endpoint(remote), int(owner)


def _parse_endpoint(text: str) -> tuple[bytes, int]:
    """Parse an endpoint of the kernel's list: an address in words of four bytes in native order, and a port."""
    address, _, port = text.partition(":")
    raw = bytes.fromhex(address)
    words = b"".join(raw[at : at + 4][::-1] for at in range(0, len(raw), 4))
    return _pack(ip_address(words)), int(port, 16)


def _encode_endpoint(endpoint: Endpoint) -> tuple[bytes, int] | None:
    try:
        return _pack(ip_address(endpoint[0])), endpoint[1]
    except ValueError:
        return None


def _pack(address: IPv4Address | IPv6Address) -> bytes:
    """Return the bytes of an address; an IPv4-mapped IPv6 address counts as IPv4."""
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return (mapped or address).packed
