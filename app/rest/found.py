"""Finding what a path names, as far as the asker sees it."""

from app import loaders
from app.errors import NotFound
from app.prepared import Row
from app.reads import Reads
from app.rest.routing import Call
from app.services import names, users
from app.sources import Layout


async def found_user(call: Call, cells: Layout) -> Row:
    """The user whom the path names; raises NotFound."""
    row = await call.reads.one(loaders.user_named, cells, names.sought(call.words["userName"]))
    if row is None:
        raise users.unknown(("userName",))
    return row


async def found_org(reads: Reads, slug: str, cells: Layout) -> Row:
    """An org by its slug; raises NotFound."""
    row = await reads.one(loaders.org_slugged, cells, names.sought(slug))
    if row is None:
        raise NotFound("There is no such org.", ("orgSlug",))
    return row
