"""The access matrix of tickets."""

from dataclasses import replace
from typing import Any

from app.domain.viewer import Permission
from tests.oracle.matrix import OF_RESOURCES, SUCCESS, Case, Family, Scene, Setting, World, asked_by
from tests.oracle.matrix.entities import ADMINS, place
from tests.support.factories import Entity, Make

NO_RESOURCE = {"resource": {"id": Entity("Resource", 999_999, "").node}}
WRITERS = ADMINS | {"DATASET_DATA_WRITE", "org: READ_WRITE", "org: READ_WRITE_DELETE"}

OF_TICKETS = Family(asked_by(Permission.RESOURCES_MANAGE), (World.OPEN, World.LOCKED))
"""Every user with the ticket may use it, an anonymous one too; but an invalid token is refused before."""

ALL_BUT_DEACTIVATED = OF_TICKETS.askers.keys() - {"deactivated"}


def _about(values: dict[str, Any], invalid: dict[str, Any]) -> Setting:
    """Return a setting about a resource."""

    async def scene(make: Make, world: World) -> Scene:
        base = await place(make, world)
        return replace(base, input={"resource": {"id": base.resource.node}, **values}, invalid=invalid)

    return scene


def _begun(values: dict[str, Any], invalid: dict[str, Any]) -> Setting:
    """Return a setting about an upload, after which the resource is locked in the locked world."""

    async def scene(make: Make, world: World) -> Scene:
        base = await place(make, world)
        ticket = await make.ticket(base.resource, base.keeper, 7)
        return replace(base, input={"ticket": ticket, **values}, invalid=invalid)

    return scene


TICKETS = {
    "beginUpload": Case(_about({"sizeBytes": 7}, {"sizeBytes": -1}), OF_RESOURCES, WRITERS, locked="LOCKED"),
    "finishUpload": Case(
        _begun({"sizeBytes": 7}, {"sizeBytes": -1}), OF_TICKETS, ALL_BUT_DEACTIVATED, locked="LOCKED", is_open=True
    ),
    "cancelUpload": Case(_begun({}, {"ticket": "none"}), OF_TICKETS, ALL_BUT_DEACTIVATED, locked=SUCCESS, is_open=True),
    "beginDownload": Case(_about({}, NO_RESOURCE), OF_RESOURCES, WRITERS | {"org: READ_ONLY"}, locked=SUCCESS),
}
