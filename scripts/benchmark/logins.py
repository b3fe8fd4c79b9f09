"""Measure logins: the time of each kind of refusal, and the effect of a storm of logins on other requests."""

import asyncio
import time
from collections.abc import Sequence
from contextlib import suppress

from app.domain import refs
from scripts.benchmark import world
from scripts.benchmark.cases import CHECK, LOGIN
from scripts.benchmark.load import Connection, Measured, Refused, answer, graphql, opened
from scripts.benchmark.world import NAMES, PASSWORD

STORM = 64
"""Clients that sign in at once, again and again."""

UNSLOWED = {f"OSTIARY_THROTTLE__FREE_GUESSES{end}": "10000" for end in ("", "_PER_ACCOUNT", "_PER_ADDRESS")}
"""Wrong passwords are counted without a delay, so that the work itself is measured."""

LEAVING = """mutation ($password: String!) {
  createUsers(input: {users: [{userName: "gone", password: $password, roles: ["deactivated"]}]}) {
    results { errors { message } } } }"""
REFUSED = {
    "unknown user": ("nobodyofthatname", PASSWORD),
    "wrong password": (NAMES[world.TWENTY], "wrong"),
    "deactivated, wrong password": ("gone", "wrong"),
    "deactivated, right password": ("gone", PASSWORD),
}


async def measured(database: str, port: int, seconds: float) -> list[str]:
    """Measure one server; return lines of Markdown."""
    async with opened(port, 1) as (connection,):
        token = (await answer(connection, _login(NAMES[world.ADMIN], PASSWORD)))["login"]["session"]["token"]
        await answer(connection, graphql(LEAVING, {"password": PASSWORD}, token))
        refused = await _refused(connection, seconds)
        quiet, stormy, signed_in = await _storm(port, connection, token, seconds)
    lines = [f"| {database} | {name} | {_times(measured_case)} | |" for name, measured_case in refused.items()]
    lines += [f"| {database} | one check, quiet | {_times(quiet)} | |"]
    effect = f"p99 × {stormy.p99 / quiet.p99:.1f}, {signed_in / stormy.elapsed:.0f} logins/s"
    return [*lines, f"| {database} | one check, while {STORM} sign in | {_times(stormy)} | {effect} |"]


async def _refused(connection: Connection, seconds: float) -> dict[str, Measured]:
    """Time all refusals in turns, so that a busy moment affects all of them."""
    times = {name: Measured() for name in REFUSED}
    give_up = time.perf_counter() + seconds * len(REFUSED)
    while time.perf_counter() < give_up:
        for name, (user_name, password) in REFUSED.items():
            began = time.perf_counter()
            _, body = await connection.ask(_login(user_name, password))
            times[name].seconds.append(time.perf_counter() - began)
            if b"UNAUTHENTICATED" not in body:
                raise Refused(f"{name}: {body[:300].decode()}")
    return times


async def _storm(port: int, connection: Connection, token: str, seconds: float) -> tuple[Measured, Measured, int]:
    variables = {"user": refs.encode("User", world.STRANGER), "resource": refs.encode("Resource", 1), "role": "ADMIN"}
    check = graphql(CHECK, variables, token)
    quiet, stormy, signed_in = Measured(), Measured(), 0
    await _checks(connection, check, seconds, quiet)

    async def storms(each: Connection) -> None:
        nonlocal signed_in
        while True:
            await answer(each, _login(NAMES[world.ONE], PASSWORD))
            signed_in += 1

    async with opened(port, STORM) as connections:
        tasks = [asyncio.create_task(storms(each)) for each in connections]
        await asyncio.sleep(min(1.0, seconds))
        before = signed_in
        await _checks(connection, check, seconds * 3, stormy)
        signed_in -= before
        await _ended(tasks)
    return quiet, stormy, signed_in


async def _ended(tasks: Sequence[asyncio.Task[None]]) -> None:
    failed = [task for task in tasks if task.done()]
    for task in tasks:
        task.cancel()
        with suppress(asyncio.CancelledError):
            if task not in failed:
                await task
    for task in failed:
        task.result()


async def _checks(connection: Connection, request: bytes, seconds: float, into: Measured) -> None:
    start = time.perf_counter()
    while time.perf_counter() < start + seconds:
        began = time.perf_counter()
        await answer(connection, request)
        into.seconds.append(time.perf_counter() - began)
    into.elapsed = time.perf_counter() - start


def _login(user_name: str, password: str) -> bytes:
    return graphql(LOGIN, {"name": user_name, "password": password})


def _times(times: Measured) -> str:
    return f"{times.median * 1000:.2f} | {times.p99 * 1000:.2f}"
