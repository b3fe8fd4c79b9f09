"""Uploads and downloads in one line each, and the stored sizes."""

from typing import Any

from sqlalchemy import select, update

from app import db
from app.db import tables
from app.db.tables import col
from tests.support.changes import answered, change
from tests.support.client import Api
from tests.support.factories import Entity, Person
from tests.support.fetching import fetch

MEGABYTE = 2**20
MOST = 2**53 - 1

BEGIN = change("beginUpload", "token ticket { id kind sizeBytes state createdAt expiresAt resource { id } }")
FINISH = change("finishUpload", "ticket { state } resource { sizeBytes }")
CANCEL = change("cancelUpload", "ticket { state }")
DOWNLOAD = change("beginDownload", "token ticket { id kind sizeBytes state createdAt expiresAt resource { id } }")
TICKET = "query ($id: ID!) { ticket(id: $id) { id kind sizeBytes state resource { slug } } }"
STORAGE = "query ($name: String!) { user(by: {userName: $name}) { storage { quotaBytes usedBytes } } }"

LIMITED = {"OSTIARY_ENABLE_STORAGE_LIMITER": "true"}


class Storing:
    """A client of the storage mutations and queries."""

    def __init__(self, api: Api) -> None:
        self.api = api

    async def begin(self, resource: Entity, as_: Person | None, size: int) -> dict[str, Any]:
        return await self.api(BEGIN, as_=as_, input={"resource": {"id": resource.node}, "sizeBytes": size})

    async def ticket(self, resource: Entity, as_: Person | None, size: int) -> str:
        """Begin an upload, and return the id of its ticket."""
        key: str = answered(await self.begin(resource, as_, size), "beginUpload")["ticket"]["id"]
        return key

    async def finish(self, ticket: str, size: int, replaced: int = 0, as_: Person | None = None) -> dict[str, Any]:
        values = {"ticket": ticket, "sizeBytes": size, "replacedBytes": replaced}
        return await self.api(FINISH, as_=as_, input=values)

    async def cancel(self, ticket: str) -> dict[str, Any]:
        return await self.api(CANCEL, input={"ticket": ticket})

    async def download(self, resource: Entity, as_: Person | None) -> dict[str, Any]:
        return await self.api(DOWNLOAD, as_=as_, input={"resource": {"id": resource.node}})

    async def state(self, ticket: str) -> str | None:
        """Return the state of a ticket, as a storage service reads it; None if there is no ticket."""
        ticket_ = (await self.api(TICKET, id=ticket))["data"]["ticket"]
        return None if ticket_ is None else ticket_["state"]

    async def used(self, person: Person) -> int:
        """Return the used bytes of a user, as that user reads them."""
        used: int = (await self.storage(person, person))["usedBytes"]
        return used

    async def storage(self, person: Person, as_: Person | None) -> Any:
        user = (await self.api(STORAGE, as_=as_, name=person.user_name))["data"]["user"]
        return None if user is None else user["storage"]


async def limit(database: db.Database, person: Person, megabytes: Any) -> None:
    """Set a quota, past all checks."""
    details = {} if megabytes is None else {"maxStorageMB": megabytes}
    async with database.write() as tx:
        await tx.rows(update(tables.User).where(col(tables.User.id) == person.id).values(details=details))


async def sizes(database: db.Database, table: Any) -> dict[int, int]:
    """Return the size of each org or resource."""
    return {key: size for key, size in await fetch(database, select(col(table.id), col(table.size_bytes)))}  # noqa: C416 - mypy knows a row as a tuple of any length


async def summed(database: db.Database) -> dict[int, int]:
    """Return the total size of the resources of each org."""
    sums = dict.fromkeys(await sizes(database, tables.Org), 0)
    for org, size in await fetch(database, select(col(tables.Resource.org_id), col(tables.Resource.size_bytes))):
        sums[org] += size
    return sums
