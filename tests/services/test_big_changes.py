"""Claims about changes that reach many things: nobody else waits for them longer than a moment."""

import os
from collections.abc import Callable
from typing import Any

import pytest

from app import db
from app.db.sqlite import worker_thread
from tests.support.changes import answered, change
from tests.support.client import Api
from tests.support.crowds import Crowd, beating, crowd
from tests.support.factories import Make

MANY = int(os.environ.get("CROWD", "3000"))
"""Number of resources that change their owner; `scripts/faults --crowd 100000` tries more."""

LONGEST = float(os.environ.get("LONGEST_PIECE", "0.3"))
"""Seconds of work in one piece, on a slow machine with other work: 0.025 by `scripts/faults --crowd`."""

InputMaker = Callable[[Crowd], dict[str, Any]]

CHANGES: dict[str, tuple[str, str, InputMaker]] = {
    "a successor": (
        "deleteUser",
        "deletedUserId resourcesTransferred",
        lambda of: {"user": {"id": of.owner.node}, "successor": {"userName": "heir"}},
    ),
    "a trial": (
        "deleteUser",
        "resourcesTransferred",
        lambda of: {"user": {"id": of.owner.node}, "successor": {"userName": "heir"}, "validateOnly": True},
    ),
    "no successor": ("deleteUser", "deletedUserId", lambda of: {"user": {"id": of.owner.node}}),
    "an org": ("deleteOrg", "deletedResources", lambda of: {"org": {"id": of.org.node}}),
    "a group": ("deleteGroup", "deletedGroupId", lambda of: {"group": {"id": of.group.node}}),
}


@pytest.mark.parametrize("what", CHANGES)
async def test_others_have_their_turns_while_many_things_change(
    api: Api, make: Make, database: db.Database, what: str
) -> None:
    root, _ = await make.admin(), await make.user("heir")
    created = await crowd(make, database, MANY)
    name, shows, make_input = CHANGES[what]
    nothing = {"user": {"userName": "nobody"}, "org": {"slug": "nothing"}, "group": {"slug": "nothing"}}
    for _ in range(2):  # what is new to the server is another claim
        await api(change(name, shows), as_=root, input={name[6:].lower(): nothing[name[6:].lower()]})

    async with beating() as heart:
        reply = await api(change(name, shows), as_=root, input=make_input(created))

    answered(reply, name)

    assert heart.computed <= LONGEST


async def test_a_change_of_few_rows_needs_no_thread(
    api: Api, make: Make, backend: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On SQLite a thread costs more than such a statement."""
    root, group = await make.admin(), await make.group()
    resource = await make.resource(await make.org(owner=root))
    jobs: list[object] = []
    run = worker_thread.WorkerThread.run

    async def count(
        self: worker_thread.WorkerThread, work: Callable[[], Any], seconds: float = worker_thread.SHORT
    ) -> Any:
        jobs.append(work)
        return await run(self, work, seconds)

    monkeypatch.setattr(worker_thread.WorkerThread, "run", count)
    subject = {"group": {"id": group.node}}

    for roles in (["METADATA_READ"], ["METADATA_WRITE"]):
        fields = {"resource": {"id": resource.node}, "subject": subject, "roles": roles}
        answered(await api(change("grantAccess"), as_=root, input=fields), "grantAccess")
    assert jobs == []

    answered(await api(change("deleteGroup"), as_=root, input={"group": {"id": group.node}}), "deleteGroup")
    assert bool(jobs) == (backend == "sqlite")
