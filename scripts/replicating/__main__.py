"""Start a PostgreSQL, a streaming replica and a server with four workers, run all trials, and print the results."""

import argparse
import asyncio
import sys
import tempfile
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from scripts.replicating.world import (
    RESULTS,
    USABLE,
    WORKERS,
    World,
    ask,
    client,
    computed,
    metrics,
    sign_in,
    until_usable,
)
from tests.support.replication import execute
from tests.support.server import Server

READERS = 4
DELAY = "60s"
SLUGS = 40
"""Resources of the list that the readers ask for."""

WHO = {"username": "ann", "password": "a password for the trials"}
SUBJECT = """resource: {path: {orgSlug: "lab", slug: "d0"}}, subject: {user: {userName: "ann"}}"""
GRANT = f"mutation {{ grantAccess(input: {{{SUBJECT}, roles: [METADATA_WRITE]}}) {{ errors {{ message }} }} }}"
REVOKE = f"mutation {{ revokeAccess(input: {{{SUBJECT}}}) {{ errors {{ message }} }} }}"
SEEN = '{ resource(by: {path: {orgSlug: "lab", slug: "d0"}}) { viewerAccess { effectiveRoles } } }'
LIST = "{ resources(first: 40) { nodes { name org { slug name } access { users { user { userName } roles } } } } }"
MAKE = """
mutation ($password: String!) {
  createUser(input: {userName: "ann", password: $password}) { errors { message } }
  createOrg(input: {slug: "lab", name: "Lab"}) { errors { message } }
}
"""
MAKE_RESOURCE = """
mutation ($slug: String!) {
  createResource(input: {org: {slug: "lab"}, type: "DATASET", slug: $slug, name: $slug}) { errors { message } }
}
"""


@dataclass(frozen=True, slots=True)
class Trial:
    """One trial: what was tried, the result, and whether it is right."""

    what: str
    seen: Any
    is_right: bool


async def _revocations(world: World, rounds: int) -> list[Trial]:
    """Grant and revoke by turns: the next request of the user, on any worker, must see it. Others read meanwhile."""
    admin, ann = await sign_in(world.server), await sign_in(world.server, **WHO)
    wrong, stop, failed = 0, asyncio.Event(), list[str]()
    before = await metrics(world.server)
    async with client(world.server, admin) as changer, client(world.server, ann) as reader:
        others = [asyncio.create_task(_read_until(stop, world.server, admin, failed)) for _ in range(READERS)]
        for _ in range(rounds):
            await ask(changer, GRANT)
            wrong += not await _may_write(reader)
            await ask(changer, REVOKE)
            wrong += await _may_write(reader)
        stop.set()
        lists = sum(await asyncio.gather(*others))
    after = await metrics(world.server)
    where = {result: int(after[result] - before[result]) for result in RESULTS}
    return [
        Trial(f"{2 * rounds} answers after a grant or a revocation: wrong", wrong, wrong == 0),
        Trial(f"{lists} lists of {READERS} other readers: failed", failed[:2], not failed),
        Trial("where reads were answered", where, where["failed"] == 0),
    ]


async def _may_write(http: httpx.AsyncClient) -> bool:
    resource = (await ask(http, SEEN))["resource"]
    return resource is not None and "METADATA_WRITE" in resource["viewerAccess"]["effectiveRoles"]


async def _read_until(stop: asyncio.Event, server: Server, token: str, failed: list[str]) -> int:
    number = 0
    async with client(server, token) as http:
        while not stop.is_set():
            try:
                await ask(http, LIST)
            except Exception as error:
                failed.append(f"{type(error).__name__}: {error}")
            number += 1
    return number


async def _shares(world: World, requests: int) -> list[Trial]:
    """Compare the processor time of the primary for the same lists without and with a replica."""
    spent = []
    for server in (world.alone, world.server):
        token = await sign_in(server)
        async with client(server, token) as http:
            for _ in range(10 * WORKERS):
                await ask(http, LIST)
            began = [_computed(each) for each in (world.pair.primary, world.pair.standby)]
            for _ in range(requests):
                await ask(http, LIST)
            ended = [_computed(each) for each in (world.pair.primary, world.pair.standby)]
        spent.append([1000 * (now - then) / requests for now, then in zip(ended, began, strict=True)])
    (alone, _), (primary, standby) = spent
    seen = f"{alone:.2f} ms alone; {primary:.2f} ms and {standby:.2f} ms on the replica"
    return [Trial("processor time of the primary for a list", seen, primary < alone)]


def _computed(postgres: Any) -> float:
    return computed(postgres._server.pid)  # noqa: SLF001 - no test needs it


async def _without(world: World, name: str, break_it: Callable[[], Any], mend: Callable[[], Any] | None) -> list[Trial]:
    """Break the replica while others read: no request fails, changes are seen at once, and it is used again after."""
    admin = await sign_in(world.server)
    failed, stop = list[str](), asyncio.Event()
    others = [asyncio.create_task(_read_until(stop, world.server, admin, failed)) for _ in range(READERS)]
    await asyncio.sleep(1)
    await _do(break_it)
    trials = await _revocations(world, 20)
    left_out = await until_usable(world.server, 0)
    trials += await _revocations(world, 20)
    stop.set()
    lists = sum(await asyncio.gather(*others))
    tried = [
        Trial(f"{name}: {trials[0].what}", trials[0].seen, trials[0].is_right),
        Trial(f"{name}: left out by all workers", left_out, left_out),
        Trial(f"{name}: the same again", trials[3].seen, trials[3].is_right),
        Trial(f"{name}: {lists} lists: failed", failed[:2], not failed),
    ]
    if mend is not None:
        await _do(mend)
        back = await until_usable(world.server, WORKERS)
        tried.append(Trial(f"{name}: used again", back, back))
    return tried


async def _do(action: Callable[[], Any]) -> None:
    done = action()
    if isinstance(done, Coroutine):
        await done


async def _run(world: World, rounds: int) -> list[Trial]:
    pair = world.pair

    async def delay(by: str) -> None:
        await execute(pair.standby, f"ALTER SYSTEM SET recovery_min_apply_delay = '{by}'")
        await execute(pair.standby, "SELECT pg_reload_conf()")

    admin = await sign_in(world.server)
    async with client(world.server, admin) as http:
        await ask(http, MAKE, password=WHO["password"])
        for number in range(SLUGS):
            await ask(http, MAKE_RESOURCE, slug=f"d{number}")
    used = await until_usable(world.server, WORKERS)
    tried = [Trial("workers that use the replica", int((await metrics(world.server))[USABLE]), used)]
    tried += await _revocations(world, rounds)
    tried += await _shares(world, max(50, rounds // 5))
    tried += await _without(world, "stopped", pair.standby.halt, pair.standby.resume)
    tried += await _without(world, "a minute behind", lambda: delay(DELAY), lambda: delay("0"))
    promote = "SELECT pg_promote(true, 60)"
    tried += await _without(world, "promoted", lambda: execute(pair.standby, promote), None)
    return tried


def main() -> int:
    """Run all trials; return 1 if one fails."""
    parser = argparse.ArgumentParser(prog="scripts/replicas", description=__doc__)
    parser.add_argument("--rounds", type=int, default=1_000, metavar="N", help="grants and revocations (1,000)")
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory() as name, World(Path(name)) as world:
        tried = asyncio.run(_run(world, rounds))
    for each in tried:
        print(f"{'ok   ' if each.is_right else 'WRONG'} {each.what:<66} {each.seen}")
    failed = sum(not each.is_right for each in tried)
    print(f"{len(tried) - failed} passed, {failed} failed")
    return 1 if failed else 0


sys.exit(main())
