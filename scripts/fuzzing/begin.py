"""Waits for the server that writes a log, makes what is asked for, and prints its address and a token."""

import os
import re
import sys
import time
from pathlib import Path

import httpx

SECONDS = 60.0
ADDRESS = re.compile(r"^  address +(\S+)", re.MULTILINE)


def address(log: Path) -> str:
    """Where the server says that it is, once it answers."""
    give_up = time.monotonic() + SECONDS
    while time.monotonic() < give_up:
        found = ADDRESS.search(log.read_text())
        try:
            if found and httpx.get(f"{found[1]}/health/live", trust_env=False).is_success:
                return found[1]
        except httpx.TransportError:
            pass
        time.sleep(0.1)
    sys.exit(f"the server does not answer: {log.read_text()}")


def token(client: httpx.Client) -> str:
    """What the administrator signs in with."""
    form = {"username": os.environ["FUZZ_ADMINISTRATOR"], "password": os.environ["FUZZ_PASSWORD"]}
    return str(client.post("/users/authenticate", data=form).raise_for_status().json()["token"])


def fill(client: httpx.Client) -> None:
    """What the hooks name every other time."""
    made = {
        "/users": {"userName": "ann", "password": os.environ["FUZZ_PASSWORD"]},
        "/orgs": {"slug": "reef", "name": "Reef"},
        "/orgs/reef/ds": {"slug": "corals"},
    }
    for path, body in made.items():
        client.post(path, json=body).raise_for_status()


def begin() -> None:
    """Print the two."""
    with httpx.Client(base_url=address(Path(sys.argv[1])), trust_env=False) as client:
        found = token(client)
        client.cookies.clear()
        client.headers["authorization"] = f"Bearer {found}"
        fill(client)
        print(str(client.base_url).rstrip("/"), found)


begin()
