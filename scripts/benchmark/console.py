"""Measure the pages of the web console in headless Chromium: SQL statements, and the time from the address to the data.

The world is large where pages show it: an org and a group of which everybody is a member, and a resource with 1,000
entries, one of them for that group.
"""

import json
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from random import Random
from statistics import median
from typing import Any, NamedTuple

from app.domain import refs, resource_roles
from app.domain.resource_roles import MemberLevel, SubjectType
from scripts import node
from scripts.benchmark.load import Refused
from scripts.benchmark.server import Server
from scripts.benchmark.world import FIRST_ORDINARY, PASSWORD, Spec, World, entry, group_member, org_member
from scripts.console import browser as browsers
from scripts.console.sources import Console

SPEC = Spec(users=100_000, orgs=50, groups=500, resources=20_000)
CROWDED = 1
"""The id of the org, of the group and of the resource that are large."""

ENTRIES = 1_000
CONFIG = "tests/timing/vitest.config.ts"
ROUNDS = 7
"""How often each page is timed."""

LONGEST = 600
"""Seconds of all pages of one world."""


class Opened(NamedTuple):
    """A page of one database: milliseconds, and the SQL statements in the small world and in the large one."""

    times: Sequence[float]
    before: int
    statements: int


Pages = Mapping[str, Opened]
"""Each page by its name."""


class CrowdedWorld(World):
    """A world with a large org, a large group and a resource with many entries."""

    def _org_members(self) -> Iterator[dict[str, Any]]:
        for member in super()._org_members():
            if member["org_id"] != CROWDED:
                yield member
        for user in range(1, self.spec.users + 1):
            yield org_member(CROWDED, user, MemberLevel.READ_ONLY, None)

    def _group_members(self) -> Iterator[dict[str, Any]]:
        for member in super()._group_members():
            if member["group_id"] != CROWDED:
                yield member
        for user in range(1, self.spec.users + 1):
            yield group_member(CROWDED, user, None, is_manager=False)

    def _configuration(self, resource: int, chance: Random) -> Iterator[dict[str, Any]]:
        if resource != CROWDED:
            yield from super()._configuration(resource, chance)
            return
        read = resource_roles.METADATA_READ
        yield entry(resource_roles.GENERAL, read)
        groups = min(self.spec.groups, ENTRIES // 2)
        for group in range(1, groups + 1):
            yield entry(resource_roles.subject_id(SubjectType.GROUP, group), read, group_id=group)
        for user in range(FIRST_ORDINARY, FIRST_ORDINARY + ENTRIES - groups - 1):
            yield entry(resource_roles.subject_id(SubjectType.USER, user), read, user_id=user)


def measure(urls: Sequence[str], folder: Path) -> Pages:
    """Count the statements of each page in the first and in the last of these worlds, and time it in the last.

    Raises Refused without a browser or pages.
    """
    last = _measure(urls[-1], folder, ROUNDS)
    first = _measure(urls[0], folder, 0) if len(urls) > 1 else last
    return {name: Opened(page["times"], first[name]["statements"], page["statements"]) for name, page in last.items()}


def _measure(url: str, folder: Path, rounds: int) -> dict[str, dict[str, Any]]:
    """Open each page on a server of this database."""
    console = Console()
    browser = browsers.find()
    if not browser or not console.has_packages() or not console.is_current():
        raise Refused("this needs Chromium, and the pages that scripts/setup builds")
    path = folder / "measured.json"
    with Server(url, folder) as server:
        own = {
            "ADDRESS": f"http://127.0.0.1:{server.port}",
            "CHROMIUM": browser,
            "DEMO_PASSWORD": PASSWORD,
            "RESOURCE": refs.encode("Resource", CROWDED),
            "MEASURED": str(path),
            "ROUNDS": str(rounds),
        }
        command = [str(console.packages / ".bin" / "vitest"), "run", "--config", CONFIG]
        done = subprocess.run(  # noqa: S603 - ours
            command,
            cwd=console.folder,
            env=node.environment() | own,
            capture_output=True,
            text=True,
            timeout=LONGEST,
            check=False,
        )
    if done.returncode:
        raise Refused(f"a page did not open:\n{done.stdout}{done.stderr}")
    pages: dict[str, dict[str, Any]] = json.loads(path.read_text())
    return pages


def table(results: Mapping[str, Pages], about: str) -> str:
    """Return the times and the statements as Markdown, with columns for each database."""
    columns = ("median ms", "longest ms", "statements")
    names = list(next(iter(results.values())))
    head = ["page", *(f"{database}: {what}" for database in results for what in columns)]
    lines = [f"| {' | '.join(head)} |", f"| --- |{' ---: |' * (len(head) - 1)}"]
    for name in names:
        cells = (cell for pages in results.values() for cell in _cells(pages[name]))
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join([f"{about} Milliseconds from the address to the data, in headless Chromium.", "", *lines])


def _cells(page: Opened) -> Iterator[str]:
    """Yield the cells of a page. Statements that are more than in the small world are written beside those."""
    yield f"{median(page.times):.0f}"
    yield f"{max(page.times):.0f}"
    yield str(page.statements) if page.statements <= page.before else f"{page.before} → {page.statements} GROWS"
