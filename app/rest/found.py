"""Finding what a path names, as far as the asker sees it."""

from app import loaders
from app.errors import NotFound
from app.prepared import Row
from app.reads import ListReader
from app.rest.routing import Call
from app.services import names, users
from app.sources import Layout


async def load_user(call: Call, cells: Layout) -> Row:
    """The user whom the path names; raises NotFound."""
    row = await call.reads.one(loaders.user_named, cells, names.normalize_key(call.path_parameters["userName"]))
    if row is None:
        raise users.user_not_found(("userName",))
    return row


async def load_org(reads: ListReader, slug: str, cells: Layout) -> Row:
    """An org by its slug; raises NotFound."""
    row = await reads.one(loaders.org_slugged, cells, names.normalize_key(slug))
    if row is None:
        raise NotFound("There is no such org.", ("orgSlug",))
    return row
