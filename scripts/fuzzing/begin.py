"""Wait for the server that writes a log, create the objects of the hooks, and print the address and a token."""

import os
import re
import sys
import time
from pathlib import Path

import httpx

SECONDS = 60.0
ADDRESS = re.compile(r"^  address +(\S+)", re.MULTILINE)


def address(log: Path) -> str:
    """Return the address of the server, once it answers."""
    give_up = time.monotonic() + SECONDS
    while time.monotonic() < give_up:
        match = ADDRESS.search(log.read_text())
        try:
            if match and httpx.get(f"{match[1]}/health/live", trust_env=False).is_success:
                return match[1]
        except httpx.TransportError:
            pass
        time.sleep(0.1)
    sys.exit(f"the server does not answer: {log.read_text()}")


def token(client: httpx.Client) -> str:
    """Return a token of the administrator."""
    form = {"username": os.environ["FUZZ_ADMINISTRATOR"], "password": os.environ["FUZZ_PASSWORD"]}
    return str(client.post("/users/authenticate", data=form).raise_for_status().json()["token"])


def fill(client: httpx.Client) -> None:
    """Create the objects that the hooks name in each second request."""
    bodies = {
        "/users": {"userName": "ann", "password": os.environ["FUZZ_PASSWORD"]},
        "/orgs": {"slug": "reef", "name": "Reef"},
        "/orgs/reef/ds": {"slug": "corals"},
    }
    for path, body in bodies.items():
        client.post(path, json=body).raise_for_status()


def begin() -> None:
    """Print the address and the token."""
    with httpx.Client(base_url=address(Path(sys.argv[1])), trust_env=False) as client:
        bearer = token(client)
        client.cookies.clear()
        client.headers["authorization"] = f"Bearer {bearer}"
        fill(client)
        print(str(client.base_url).rstrip("/"), bearer)


begin()
