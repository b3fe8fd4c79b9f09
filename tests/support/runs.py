"""Numbered worlds and questions for a long comparison of the executors. The same number gives the same questions."""

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
"""Approximate numbers of users and resources in a world."""

REPEATED_SHARE = 0.25
"""The share of questions that are asked twice."""


def world_of(number: int) -> World:
    """Return the world of a number. Every third one has odd names and values; every twentieth is almost empty."""
    random = Random(number)
    if number % 3 == 0:
        return odd(number)
    return lonely(random) if number % 20 == 1 else crowded(random, random.choice(SIZES))


def odd(number: int) -> World:
    """Return a world of Hypothesis: the second one, since the first is always the simplest."""
    generated: list[World] = []

    @seed(number)
    @settings(
        max_examples=2, database=None, deadline=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck)
    )
    @given(worlds())
    def take(world: World) -> None:
        generated.append(world)

    take()
    return generated[-1]


async def compare_in_world(both: Both, database: db.Database, number: int, questions: int) -> AsyncIterator[str]:
    """Ask questions in the world of a number, some twice, so that a plan is reused; yields each failure."""
    world, random = world_of(number), Random(number)
    await world.write(database)
    viewers = await viewers_of(database, world)
    both.cursors.clear()
    for _ in range(questions):
        question, who = Asker(SDL, random, world, both.cursors).question(), random.choice(sorted(viewers))
        once, twice = (question, who), (again(random, question, world), _alike(random, who, viewers))
        for each, kind in (once, twice) if random.random() < REPEATED_SHARE else (once,):
            try:
                await both.ask(each, viewers[kind], kind)
            except Exception as error:
                yield f"{type(error).__name__}: {error}"


def again(random: Random, question: Question, world: World) -> Question:
    """Return the same text with other values."""
    return Question(question.text, {name: _other(random, value, world) for name, value in question.variables.items()})


def _other(random: Random, value: Any, world: World) -> Any:
    """Return another value. Most Booleans stay, since another value of `@skip` needs another plan."""
    if isinstance(value, bool):
        return value ^ (random.random() < 0.2)
    if isinstance(value, str) and refs.decode(value) is not None:
        return random.choice(world.ids)
    return random.randint(1, 20) if isinstance(value, int) else value


def _alike(random: Random, who: str, viewers: Mapping[str, Viewer]) -> str:
    """Return another viewer with the same permissions, if there is one."""
    alike = [
        kind for kind, viewer in sorted(viewers.items()) if viewer.permission_profile == viewers[who].permission_profile
    ]
    return random.choice([kind for kind in alike if kind != who] or alike)
