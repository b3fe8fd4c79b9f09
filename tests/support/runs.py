"""Worlds and questions by number, for a long comparison of the executors: the same number is the same again."""

from collections.abc import AsyncIterator, Mapping
from random import Random
from typing import Any

from hypothesis import HealthCheck, Phase, given, seed, settings

from app import db
from app.domain import refs
from app.domain.viewer import Viewer
from tests.oracle.questions import Asker
from tests.oracle.selections import SDL
from tests.oracle.worlds import Question, World, crowded, lonely, worlds
from tests.support.differential import Both, viewers_of

SIZES = (1, 4, 12, 40)
"""How many users and resources a large world has, about."""

TWICE = 0.25
"""How many questions are asked once more."""


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


async def compare_in_world(both: Both, database: db.Database, number: int, questions: int) -> AsyncIterator[str]:
    """Ask questions in the world of a number, some twice, so that a plan is reused; yields each failure."""
    world, random = world_of(number), Random(number)
    await world.write(database)
    viewers = await viewers_of(database, world)
    both.cursors.clear()
    for _ in range(questions):
        question, who = Asker(SDL, random, world, both.cursors).question(), random.choice(sorted(viewers))
        once, twice = (question, who), (again(random, question, world), _alike(random, who, viewers))
        for each, kind in (once, twice) if random.random() < TWICE else (once,):
            try:
                await both.ask(each, viewers[kind], kind)
            except Exception as error:
                yield f"{type(error).__name__}: {error}"


def again(random: Random, question: Question, world: World) -> Question:
    """The same text with other values."""
    return Question(question.text, {name: _other(random, value, world) for name, value in question.variables.items()})


def _other(random: Random, value: Any, world: World) -> Any:
    """Mostly what @skip decides stays: else it would be another plan."""
    if isinstance(value, bool):
        return value ^ (random.random() < 0.2)
    if isinstance(value, str) and refs.decode(value) is not None:
        return random.choice(world.ids)
    return random.randint(1, 20) if isinstance(value, int) else value


def _alike(random: Random, who: str, viewers: Mapping[str, Viewer]) -> str:
    """Somebody else who holds the same, if there is one."""
    alike = [
        kind for kind, viewer in sorted(viewers.items()) if viewer.permission_profile == viewers[who].permission_profile
    ]
    return random.choice([kind for kind in alike if kind != who] or alike)
