"""Whether a request was sent by a process of this machine itself, and not passed on by a proxy.

A proxy with one line of configuration (`proxy_pass http://127.0.0.1:5000`) connects from this machine, names this
machine as the host and adds no header. Its worker processes run as another user than the server, so that the owner
of the connecting socket tells them apart where the system shows it (Linux).
"""

import os
from collections.abc import Iterator
from contextlib import suppress
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path

from starlette.types import Scope

from app.config import is_loopback
from app.http.headers import RequestHeaders, parse_headers

FORWARDING = frozenset(
    {
        b"cdn-loop",
        b"cf-connecting-ip",
        b"cf-ray",
        b"client-ip",
        b"fastly-client-ip",
        b"forwarded",
        b"true-client-ip",
        b"via",
        b"x-client-ip",
        b"x-cluster-client-ip",
        b"x-envoy-external-address",
        b"x-original-forwarded-for",
        b"x-original-host",
        b"x-original-uri",
        b"x-original-url",
        b"x-real-ip",
        b"x-request-start",
        b"x-rewrite-url",
    }
)
"""Header fields that proxies add; each field whose name begins with `x-forwarded` is one, too."""

PROC_TABLES = ("/proc/net/tcp", "/proc/net/tcp6")
"""Where Linux lists connections with the user that owns each end on this machine."""

Endpoint = tuple[str, int]


def is_direct_local(scope: Scope) -> bool:
    """Return whether a process of this machine, run by the server's own user or by root, sent the request itself."""
    found = parse_headers(scope)
    client, server = scope.get("client"), scope.get("server")
    if client is None or server is None or scope.get("http_version") == "1.0":
        return False
    if not (is_loopback(client[0]) and _names_this_machine(found) and _is_not_passed_on(found)):
        return False
    owner = _socket_owner((client[0], client[1]), (server[0], server[1] or 0))
    return owner is None or owner in {0, os.getuid()}


def _names_this_machine(found: RequestHeaders) -> bool:
    """The one Host header names a loopback address; a page of another site that resolves to one names itself."""
    hosts = [value for name, value in found.pairs if name == b"host"]
    if len(hosts) != 1:
        return False
    host = hosts[0].decode("latin-1")
    name = host.rpartition(":")[0] if host.rpartition(":")[2].isdigit() and not host.endswith("]") else host
    return is_loopback(name.removeprefix("[").removesuffix("]"))


def _is_not_passed_on(found: RequestHeaders) -> bool:
    """No proxy and no page of another site had a part in the request."""
    if any(name in FORWARDING or name.startswith(b"x-forwarded") for name in found):
        return False
    if found.get(b"sec-fetch-site", b"none") not in {b"none", b"same-origin"}:
        return False
    origin = found.get(b"origin")
    return origin is None or origin.partition(b"://")[2] == found.get(b"host")


def _socket_owner(local: Endpoint, remote: Endpoint) -> int | None:
    """Return the user id that owns the connecting end; None where the system does not show it."""
    wanted = _encode_endpoint(local), _encode_endpoint(remote)
    if None in wanted or not Path(PROC_TABLES[0]).exists():
        return None
    for here, there, owner in _connections():
        if (here, there) == wanted:
            return owner
    return -1  # a connection that is not listed is nobody's of this machine


def _connections() -> Iterator[tuple[tuple[bytes, int], tuple[bytes, int], int]]:
    for table in PROC_TABLES:
        with suppress(OSError), Path(table).open() as lines:
            next(lines)
            for line in lines:
                _, here, there, _, _, _, _, owner, *_ = line.split()
                yield _read(here), _read(there), int(owner)


def _read(text: str) -> tuple[bytes, int]:
    """Read an address as the kernel writes it: words of four bytes in the machine's order, then the port."""
    address, _, port = text.partition(":")
    raw = bytes.fromhex(address)
    words = b"".join(raw[at : at + 4][::-1] for at in range(0, len(raw), 4))
    return _plain(ip_address(words)), int(port, 16)


def _encode_endpoint(endpoint: Endpoint) -> tuple[bytes, int] | None:
    try:
        return _plain(ip_address(endpoint[0])), endpoint[1]
    except ValueError:
        return None


def _plain(address: IPv4Address | IPv6Address) -> bytes:
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return (mapped or address).packed
