"""Routes of datasets, the resources of the type DATASET (D1 to D6 of the documented API)."""

from typing import Any

from starlette.responses import Response

from app import policy
from app.db import Transaction
from app.db.statements import Row
from app.db.tables import Org, Resource
from app.db.types import format_instant
from app.domain import resource_roles
from app.domain.errors import Conflict, NotFound
from app.domain.refs import RowRef
from app.query.relations import FieldSpec, Layout, flag, layout
from app.rest import models
from app.rest.etags import tagged
from app.rest.parameters import DESCRIPTION, FLAG, SLUG, TITLE, Field, choice
from app.rest.request_bodies import Body
from app.rest.responses import created, json, no_content
from app.rest.routing import AuthMode, Call, Route, load_org
from app.services import read_graph, resources, validation
from app.services.dataset_visibility import Visibility, set_visibility, visibility_sql

DATASET = 7
"""Entry type of a dataset in the documented API."""


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
    visibility=FieldSpec(of=visibility_sql),
    mask=FieldSpec(of=policy.effective_mask),
    deletes=flag(policy.deletes_in_org),
)


_WITH_REVISION = Layout((*CELLS.fields, *layout(Resource, "edit_revision").fields))
_KEY = layout(Resource, "id")
_ORG = layout(Org, "id")


async def _list(call: Call) -> Response:
    reads = call.reads
    org = (await load_org(reads, call.path_parameters["orgSlug"], _ORG))[0]
    rows = (await reads.related(read_graph.org_datasets, CELLS, [org])).get(org, [])
    return json([_to_json(row) for row in rows])


async def _entry(call: Call) -> Response:
    row = await _load(call, _WITH_REVISION)
    dataset = _to_json(row)
    url = call.request.url
    scheme = "ddb" if url.scheme == "https" else "ddb+unsafe"
    name = dataset["properties"]["meta"]["name"]
    entry = {
        "path": f"{scheme}://{url.netloc}/{_path(call)[1]}",
        "hash": None,
        "type": DATASET,
        "properties": {**dataset["properties"], "permissions": dataset["permissions"]},
        "mtime": name["mtime"],
        "size": dataset["size"],
        "depth": 0,
        "point_geom": None,
        "polygon_geom": None,
    }
    return tagged(call.request, [entry], row[len(CELLS.fields)])


async def _show(call: Call) -> Response:
    row = await _load(call, _WITH_REVISION)
    return tagged(call.request, _to_json(row), row[len(CELLS.fields)])


async def _load(call: Call, layout: Layout) -> Row:
    """Return the dataset in the path. Raises NotFound, also for a resource of another type."""
    row = await call.reads.one(read_graph.dataset_at, layout, _path(call)[1])
    if row is None:
        raise NotFound("There is no such dataset.", ("dsSlug",))
    return row


def _path(call: Call) -> RowRef:
    return "path", validation.normalize_key(f"{call.path_parameters['orgSlug']}/{call.path_parameters['dsSlug']}")


async def _dataset_ref(call: Call) -> RowRef:
    """Return the reference to the dataset in the path. Raises NotFound for a resource of another type."""
    await _load(call, _KEY)
    return _path(call)


def _to_json(row: Row) -> dict[str, Any]:
    _, slug, name, tagline, details, size, created_at, updated_at, level, mask, deletes, *_ = row
    facts = {"id": 0, "mtime": updated_at.timestamp()}
    entries = details.get("entries")
    return {
        "slug": slug,
        "creationDate": format_instant(created_at, timespec="auto"),
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
            "canRead": bool(mask & resource_roles.DATA_READ),
            "canWrite": mask & resource_roles.WRITE == resource_roles.WRITE,
            "canDelete": bool(mask & resource_roles.ADMIN or deletes),
        },
        "hasThumbnail": None,
    }


async def _create(call: Call) -> Response:
    data, slug = call.fields, call.fields["slug"]
    org = call.path_parameters["orgSlug"]
    new = resources.ResourceCreate(
        ("slug", org), "DATASET", slug, data.get("name") or slug, description=data.get("tagline") or ""
    )
    async with call.change("createResource") as tx:
        key = await resources.create_resource(tx, call.viewer, new)
        await _set_visibility(call, tx, ("id", key))
    row = await call.reads.one(read_graph.dataset_by_id, CELLS, key)
    assert row is not None, "its creator sees it"
    return created(call.request, _to_json(row), "orgs", validation.normalize_key(org), "ds", slug)


async def _update(call: Call) -> Response:
    name, has_visibility = call.fields.get("name"), call.fields.get("visibility") is not None
    dataset = await _dataset_ref(call)
    async with call.change("updateResource") as tx:
        if name is not None or not has_visibility:  # a lock forbids a new name, not a new visibility
            await resources.update_resource(tx, call.viewer, dataset, resources.ResourceUpdate(name=name))
        await _set_visibility(call, tx, dataset)
    return no_content()


async def _set_visibility(call: Call, tx: Transaction, resource: RowRef) -> None:
    visibility = call.fields.get("visibility")
    if visibility is not None:
        await set_visibility(tx, call.viewer, resource, Visibility(visibility))


async def _delete(call: Call) -> Response:
    dataset = await _dataset_ref(call)
    async with call.change("deleteResource") as tx:
        await resources.delete_resource(tx, call.viewer, dataset)
    return no_content()


_VISIBILITY = Field(
    "visibility",
    choice("Private", "Unlisted", "Public"),
    "Users who may find and download the dataset without a grant: none, every signed-in user, or everyone. A change "
    "needs ADMIN on the dataset.",
)
_NEW = (
    Field("slug", SLUG, "2 to 128 of a to z, 0 to 9, _ and -; unique in the org.", required=True),
    Field("name", TITLE, "1 to 200 printable characters; the slug if absent."),
    _VISIBILITY,
    Field("tagline", DESCRIPTION, "A description of at most 1,000 characters."),
)
_CHANGES = (Field("name", TITLE, "1 to 200 printable characters; absent keeps it."), _VISIBILITY)

ROUTES = (
    Route(
        "GET",
        "/orgs/{orgSlug}/ds",
        _list,
        AuthMode.OPTIONAL,
        "The datasets of an org that the viewer may see, by name.",
        query=(Field("includeThumbnailCheck", FLAG, "Accepted without effect: there are no thumbnails."),),
        response_type=list[models.Dataset],
        refusals=(404,),
        name="listDatasets",
    ),
    Route(
        "GET",
        "/orgs/{orgSlug}/ds/{dsSlug}",
        _entry,
        AuthMode.OPTIONAL,
        "A dataset as the only entry of a list of files, for the `ddb` command line.",
        response_type=list[models.Entry],
        refusals=(404,),
        name="getDatasetEntry",
        has_revision=True,
    ),
    Route(
        "GET",
        "/orgs/{orgSlug}/ds/{dsSlug}/ex",
        _show,
        AuthMode.OPTIONAL,
        "A dataset, with the fields of the list.",
        response_type=models.Dataset,
        refusals=(404,),
        name="getDataset",
        has_revision=True,
    ),
    Route(
        "POST",
        "/orgs/{orgSlug}/ds",
        _create,
        AuthMode.REQUIRED,
        "Make a dataset; needs level 1 (ReadWrite) in the org. Without `visibility` every signed-in user downloads it.",
        Body.ANY,
        _NEW,
        response_type=models.Dataset,
        status=201,
        refusals=(403, 404),
        answers_400=(Conflict,),
        name="createDataset",
    ),
    Route(
        "PUT",
        "/orgs/{orgSlug}/ds/{dsSlug}",
        _update,
        AuthMode.REQUIRED,
        "Change the name of a dataset, which needs METADATA_WRITE and no lock, or who may read it.",
        Body.ANY,
        _CHANGES,
        status=204,
        refusals=(403, 404),
        name="updateDataset",
        has_revision=True,
    ),
    Route(
        "DELETE",
        "/orgs/{orgSlug}/ds/{dsSlug}",
        _delete,
        AuthMode.REQUIRED,
        "Delete a dataset; needs ADMIN on it, or level 2 (ReadWriteDelete) in its org. 400 while it is locked.",
        status=204,
        refusals=(403, 404),
        name="deleteDataset",
        has_revision=True,
    ),
)
