"""The files of the demo world: each dataset gets an upload, whose size depends on its path alone."""

from datetime import timedelta
from functools import partial
from random import Random

from app.db import Transaction
from app.domain.refs import RowRef
from app.domain.viewer import Viewer
from app.services import storage
from app.services.demo.resources import DemoResource
from app.services.demo.story import HOUR, Story
from app.services.quotas import StoragePolicy

POLICY = StoragePolicy(enforced=True, lifetime=timedelta(hours=1))
"""The owners of the orgs have quotas, which the sizes leave room in."""

SMALLEST, LARGEST = 22, 30.5
"""Logarithms of the sizes of datasets: from 4 MiB to 1.4 GiB."""


async def finish_upload(tx: Transaction, viewer: Viewer, resource: RowRef, size: int) -> None:
    """Begin and finish an upload, as one event of the audit log."""
    started = await storage.begin_upload(tx, viewer, resource, size, POLICY)
    await storage.finish_upload(tx, viewer, started.key, size, 0, POLICY)


def schedule_upload(story: Story, resource: DemoResource) -> None:
    """Schedule the upload of a dataset by its creator, before any lock. Other types have no files."""
    if resource.type != "DATASET":
        return
    _, path = resource.ref
    random = Random(str(path))  # noqa: S311 - repeatable by its seed, no secret
    size = int(2 ** random.uniform(SMALLEST, LARGEST))
    step = partial(finish_upload, viewer=story.viewers[resource.creator], resource=resource.ref, size=size)
    story.schedule(resource.created_at + 2 * HOUR, step)
