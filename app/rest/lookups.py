"""Finding what a path names, as far as the asker sees it."""

from app.db.statements import Row
from app.domain.errors import NotFound
from app.query.reader import ListReader
from app.query.relations import Layout
from app.rest.routing import Call
from app.services import read_graph, users, validation


async def load_user(call: Call, cells: Layout) -> Row:
    """The user whom the path names; raises NotFound."""
    row = await call.reads.one(read_graph.user_named, cells, validation.normalize_key(call.path_parameters["userName"]))
    if row is None:
        raise users.user_not_found(("userName",))
    return row


async def load_org(reads: ListReader, slug: str, cells: Layout) -> Row:
    """An org by its slug; raises NotFound."""
    row = await reads.one(read_graph.org_slugged, cells, validation.normalize_key(slug))
    if row is None:
        raise NotFound("There is no such org.", ("orgSlug",))
    return row
