"""The totals of orgs are the sums of their resources, after any sequence of changes."""

from collections.abc import Awaitable, Callable
from random import Random
from typing import Any

import pytest

from app import db
from app.db import tables
from tests.support.changes import change
from tests.support.client import Api, codes
from tests.support.factories import Entity, Make, Person
from tests.support.storing import Storing, sizes, summed

STEPS = 120
SEEDS = (1, 2)


class Doing:
    """A client that tries random changes of sizes and records the existing objects."""

    def __init__(self, make: Make, api: Api, random: Random, people: list[Person]) -> None:
        self.make, self.api, self.random, self.people = make, api, random, people
        self.storing = Storing(api)
        self.orgs: list[Entity] = []
        self.resources: list[Entity] = []
        self.tickets: list[str] = []
        self.done: dict[str, int] = {}

    async def step(self) -> None:
        """Run one random action; actions that add bytes are more likely."""
        ways: list[Callable[[], Awaitable[Any]]] = [self.cancel, self.move, self.move, self.give, self.delete_user]
        ways += [self.delete_resource, self.delete_org, *[self.begin] * 4, *[self.finish] * 6, *[self.create] * 2]
        if len(self.orgs) < 2 or not self.resources:
            await self.create()
            return
        action = self.random.choice(ways)
        reply = await action()
        if reply is not None and codes(reply) == []:
            self.done[action.__name__] = self.done.get(action.__name__, 0) + 1

    async def change(self, name: str, **fields: Any) -> Any:
        return await self.api(change(name), as_=self.people[0], input=fields)

    async def create(self) -> None:
        if len(self.orgs) < 4:
            self.orgs.append(await self.make.org(owner=self.random.choice([None, *self.people[1:]])))
        org = self.random.choice(self.orgs)
        size = self.random.choice([0, 10, 1_000])
        self.resources.append(await self.make.resource(org, owner=self.people[1], size_bytes=size))

    async def begin(self) -> Any:
        reply = await self.storing.begin(
            self.random.choice(self.resources), self.random.choice(self.people), self.random.randrange(500)
        )
        ticket = (reply.get("data") or {}).get("beginUpload")
        self.tickets += [ticket["ticket"]["id"]] if ticket and ticket["ticket"] else []
        return reply

    async def finish(self) -> Any:
        if not self.tickets:
            return None
        size = self.random.randrange(600)
        ticket, replaced = self.random.choice(self.tickets), self.random.choice([0, size, size + 100])
        return await self.storing.finish(ticket, size, replaced, as_=self.people[0])

    async def cancel(self) -> Any:
        return await self.storing.cancel(self.random.choice(self.tickets)) if self.tickets else None

    async def move(self) -> Any:
        resource, org = self.random.choice(self.resources), self.random.choice(self.orgs)
        return await self.change("transferResource", resource={"id": resource.node}, org={"id": org.node})

    async def delete_resource(self) -> Any:
        resource = self.resources.pop(self.random.randrange(len(self.resources)))
        return await self.change("deleteResource", resource={"id": resource.node})

    async def delete_org(self) -> Any:
        org = self.orgs.pop(self.random.randrange(len(self.orgs)))
        return await self.change("deleteOrg", org={"id": org.node})

    async def give(self) -> Any:
        org, person = self.random.choice(self.orgs), self.random.choice(self.people[1:])
        return await self.change("transferOrg", org={"id": org.node}, owner={"id": person.node})

    async def delete_user(self) -> Any:
        if len(self.people) < 4:
            return None
        heir = {"successor": {"id": self.people[0].node}} if self.random.random() < 0.5 else {}
        return await self.change("deleteUser", user={"id": self.people.pop().node}, **heir)


@pytest.mark.parametrize("seed", SEEDS)
async def test_the_totals_are_the_sums_after_every_change(
    api: Api, make: Make, database: db.Database, seed: int
) -> None:
    people = [await make.admin(), *[await make.user() for _ in range(5)]]
    doing = Doing(make, api, Random(seed), people)

    for _ in range(STEPS):
        await doing.step()
        assert await sizes(database, tables.Org) == await summed(database)

    assert {"begin", "finish", "move", "delete_resource", "give"} <= doing.done.keys()
    assert any((await summed(database)).values())
