"""Datasets: the resources of the type DATASET, in the shapes of the documented API (D1 to D6)."""

from typing import Any

from starlette.responses import Response

from app import loaders, masks, policy
from app.db import Transaction
from app.errors import Conflict, NotFound
from app.prepared import Row
from app.rest import shapes
from app.rest.answers import created, gone, json
from app.rest.bodies import Body
from app.rest.fields import FLAG, TEXT, Field, choice
from app.rest.orgs import found_org
from app.rest.routing import Call, Route, Who
from app.services import names, resources
from app.services.roles import Way
from app.services.visibility import Visibility, set_visibility, visibility
from app.sources import Cell, flag, layout
from app.tables import Org, Resource

DATASET = 7
"""What kind of entry a dataset is, to clients of the documented API."""


CELLS = layout(
    Resource,
    "id",
    "slug",
    "name",
    "description",
    "details",
    "size_bytes",
    "created_at",
    "updated_at",
    visibility=Cell(of=visibility),
    mask=Cell(of=policy.mask),
    deletes=flag(policy.deletes_in_org),
)


_ORG = layout(Org, "id")


async def _list(call: Call) -> Response:
    reads = call.reads
    org = (await found_org(reads, call.words["orgSlug"], _ORG))[0]
    rows = (await reads.below(loaders.org_datasets, CELLS, [org])).get(org, [])
    return json([_shown(row) for row in rows])


async def _entry(call: Call) -> Response:
    shown = _shown(await _found(call))
    url = call.request.url
    scheme = "ddb" if url.scheme == "https" else "ddb+unsafe"
    name = shown["properties"]["meta"]["name"]
    entry = {
        "path": f"{scheme}://{url.netloc}/{_path(call)[1]}",
        "hash": None,
        "type": DATASET,
        "properties": {**shown["properties"], "permissions": shown["permissions"]},
        "mtime": name["mtime"],
        "size": shown["size"],
        "depth": 0,
        "point_geom": None,
        "polygon_geom": None,
    }
    return json([entry])


async def _show(call: Call) -> Response:
    return json(_shown(await _found(call)))


async def _found(call: Call) -> Row:
    row = await call.reads.one(loaders.dataset_at, CELLS, _path(call)[1])
    if row is None:
        raise NotFound("There is no such dataset.", ("dsSlug",))
    return row


def _path(call: Call) -> Way:
    return "path", names.sought(f"{call.words['orgSlug']}/{call.words['dsSlug']}")


def _shown(row: Row) -> dict[str, Any]:
    _, slug, name, tagline, details, size, created_at, updated_at, level, mask, deletes, *_ = row
    facts = {"id": 0, "mtime": updated_at.timestamp()}
    entries = details.get("entries")
    return {
        "slug": slug,
        "creationDate": shapes.moment(created_at),
        "properties": {
            "entries": entries if type(entries) is int else 0,
            "public": level == Visibility.PUBLIC,
            "meta": {
                "name": {"data": name, **facts},
                "visibility": {"data": level, **facts},
                "tagline": {"data": tagline, **facts},
            },
        },
        "size": size,
        "permissions": {
            "canRead": bool(mask & masks.DATA_READ),
            "canWrite": mask & masks.WRITE == masks.WRITE,
            "canDelete": bool(mask & masks.ADMIN or deletes),
        },
        "hasThumbnail": None,
    }


async def _create(call: Call) -> Response:
    given, slug = call.given, call.given["slug"]
    org = call.words["orgSlug"]
    new = resources.NewResource(
        ("slug", org), "DATASET", slug, given.get("name") or slug, description=given.get("tagline") or ""
    )
    async with call.change("createResource") as tx:
        key = await resources.create_resource(tx, call.viewer, new)
        await _open(call, tx, ("id", key))
    row = await call.reads.one(loaders.dataset_by_id, CELLS, key)
    assert row is not None, "who made it sees it"
    return created(call.request, _shown(row), "orgs", names.sought(org), "ds", slug)


async def _update(call: Call) -> Response:
    name = call.given.get("name")
    async with call.change("updateResource") as tx:
        await resources.update_resource(tx, call.viewer, _path(call), resources.Changes(name=name))
        await _open(call, tx, _path(call))
    return gone()


async def _open(call: Call, tx: Transaction, resource: Way) -> None:
    wanted = call.given.get("visibility")
    if wanted is not None:
        await set_visibility(tx, call.viewer, resource, Visibility(wanted))


async def _delete(call: Call) -> Response:
    async with call.change("deleteResource") as tx:
        await resources.delete_resource(tx, call.viewer, _path(call))
    return gone()


_VISIBILITY = Field(
    "visibility",
    choice("Private", "Unlisted", "Public"),
    "Who finds and downloads it unnamed: nobody, every signed-in user, or anyone. Needs ADMIN on the dataset.",
)
_NEW = (
    Field("slug", TEXT, "2 to 128 of a to z, 0 to 9, _ and -; unique in the org.", required=True),
    Field("name", TEXT, "1 to 200 printable characters; the slug when absent."),
    _VISIBILITY,
    Field("tagline", TEXT, "A description of at most 1,000 characters."),
)
_CHANGES = (Field("name", TEXT, "1 to 200 printable characters; absent leaves it."), _VISIBILITY)

ROUTES = (
    Route(
        "GET",
        "/orgs/{orgSlug}/ds",
        _list,
        Who.ANYONE,
        "The datasets of an org that the asker sees, by name.",
        query=(Field("includeThumbnailCheck", FLAG, "Understood and without effect: there are no thumbnails."),),
        gives=list[shapes.Dataset],
        refuses=(404,),
    ),
    Route(
        "GET",
        "/orgs/{orgSlug}/ds/{dsSlug}",
        _entry,
        Who.ANYONE,
        "A dataset as the one entry of a list.",
        gives=list[shapes.Entry],
        refuses=(404,),
    ),
    Route(
        "GET",
        "/orgs/{orgSlug}/ds/{dsSlug}/ex",
        _show,
        Who.ANYONE,
        "A dataset.",
        gives=shapes.Dataset,
        refuses=(404,),
    ),
    Route(
        "POST",
        "/orgs/{orgSlug}/ds",
        _create,
        Who.SIGNED_IN,
        "Make a dataset; needs the level 1 in the org. Every signed-in user downloads it unless `visibility` is given.",
        Body.ANY,
        _NEW,
        gives=shapes.Dataset,
        status=201,
        refuses=(403, 404),
        as_400=(Conflict,),
    ),
    Route(
        "PUT",
        "/orgs/{orgSlug}/ds/{dsSlug}",
        _update,
        Who.SIGNED_IN,
        "Change a dataset; the name needs METADATA_WRITE on it.",
        Body.ANY,
        _CHANGES,
        status=204,
        refuses=(403, 404),
    ),
    Route(
        "DELETE",
        "/orgs/{orgSlug}/ds/{dsSlug}",
        _delete,
        Who.SIGNED_IN,
        "Delete a dataset; needs ADMIN on it, or the level 2 in its org. Refused while it is locked.",
        status=204,
        refuses=(403, 404),
    ),
)
