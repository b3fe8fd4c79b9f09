"""Worlds and questions by number, for a long comparison of the executors: the same number is the same again."""

from collections.abc import AsyncIterator
from random import Random

from hypothesis import HealthCheck, Phase, given, seed, settings

from app import db
from tests.both import Both, viewers_of
from tests.naive import SDL
from tests.questions import Asker
from tests.worlds import World, crowded, lonely, worlds

SIZES = (1, 4, 12, 40)
"""How many users and resources a large world has, about."""


def world_of(number: int) -> World:
    """Every third one has odd names and values, now and then one has next to nothing in it."""
    random = Random(number)
    if number % 3 == 0:
        return odd(number)
    return lonely(random) if number % 20 == 1 else crowded(random, random.choice(SIZES))


def odd(number: int) -> World:
    """One that Hypothesis makes; its first is always the plainest."""
    found: list[World] = []

    @seed(number)
    @settings(
        max_examples=2, database=None, deadline=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck)
    )
    @given(worlds())
    def take(world: World) -> None:
        found.append(world)

    take()
    return found[-1]


async def soak(both: Both, database: db.Database, number: int, questions: int) -> AsyncIterator[str]:
    """Ask so much in the world of a number, each time as somebody; tells each failure."""
    world, random = world_of(number), Random(number)
    await world.write(database)
    viewers = await viewers_of(database, world)
    both.cursors.clear()
    for _ in range(questions):
        question, who = Asker(SDL, random, world, both.cursors).question(), random.choice(sorted(viewers))
        try:
            await both.ask(question, viewers[who], who)
        except Exception as error:
            yield f"{type(error).__name__}: {error}"
